
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wholesale_limit.h>
#include "test_limit_random.h"


/* Counters and the time: other clocks than one's own, and the end. */


#define TEST_SEEDS  200


/* each turn of the clock lets one in and refuses for a window at most */

static void
test_limit_clock_set_back(void **state)
{
    int                        turn;
    int64_t                    i, now, back;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {
        test_limit_random(&limit);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));
        now = TEST_NOW;

        for (i = 0; i < limit.quota; i++) {
            wholesale_limit_commit(&limit, &counter, now);
        }

        back = limit.window + WHOLESALE_CLOCK_SKEW_MAX + 1;

        for (turn = 0; turn < 3; turn++) {
            now -= back + test_random(limit.window);

            assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                                   &verdict), 1);
            assert_int_equal(verdict.remaining, 0);
            wholesale_limit_commit(&limit, &counter, now);

            assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                                   &verdict), 0);
            assert_true(verdict.retry_after <= limit.window + 1);
        }
    }
}


/* with the clock no further back than another's may be, nothing is gained */

static void
test_limit_clock_skew(void **state)
{
    int64_t                    i, now, skew;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {
        test_limit_random(&limit);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));
        now = TEST_NOW + test_random(limit.window);

        for (i = 0; i < limit.quota; i++) {
            assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                                   &verdict), 1);
            wholesale_limit_commit(&limit, &counter, now);
        }

        skew = test_random(WHOLESALE_CLOCK_SKEW_MAX + 1);

        assert_int_equal(wholesale_limit_check(&limit, &counter, now - skew,
                                               &verdict), 0);
        assert_true(verdict.retry_after > skew);
    }
}


static void
test_limit_forgotten(void **state)
{
    int64_t                    i, now, expires;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter, unused;
    wholesale_limit_verdict_t  one, two;

    memset(&unused, 0, sizeof(wholesale_limit_state_t));

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {
        test_limit_random(&limit);

        counter = unused;
        now = TEST_NOW + test_random(limit.window);

        for (i = test_random(limit.quota); i >= 0; i--) {
            wholesale_limit_commit(&limit, &counter, now);
        }

        expires = wholesale_limit_expires(&limit, &counter);

        assert_true(expires > now);
        assert_true(expires <= now + 2 * limit.window);

        for (now = expires; now < expires + 3; now++) {
            assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                                   &one), 1);
            assert_int_equal(wholesale_limit_check(&limit, &unused, now, &two),
                             1);
            assert_memory_equal(&one, &two, sizeof(wholesale_limit_verdict_t));
        }
    }
}


/* what another counter let in fills this one, and never makes it forget */

static void
test_limit_recorded(void **state)
{
    int64_t                    i, now;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter, same;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {
        test_limit_random(&limit);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));
        now = TEST_NOW + test_random(limit.window);

        for (i = 0; i < limit.quota; i++) {
            assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                                   &verdict), 1);
            same = counter;

            wholesale_limit_record(&limit, &counter, now);
            wholesale_limit_commit(&limit, &same, now);

            assert_memory_equal(&counter, &same,
                                sizeof(wholesale_limit_state_t));
        }

        for (i = 0; i < 3 * limit.quota; i++) {
            assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                                   &verdict), 0);
            assert_true(verdict.retry_after > 0);
            assert_true(verdict.retry_after <= 2 * limit.window);

            wholesale_limit_record(&limit, &counter, now);
            now += test_random(limit.window / limit.quota / 4 + 1);
        }

        assert_true(wholesale_limit_expires(&limit, &counter)
                    <= now + 2 * limit.window);

        /* a clock that is behind makes no difference */

        now -= test_random(WHOLESALE_CLOCK_SKEW_MAX + 1);
        same = counter;
        wholesale_limit_record(&limit, &counter, now);

        if (limit.kind == WHOLESALE_LIMIT_RATE) {
            assert_true(counter.arrival >= same.arrival);
        }

        assert_int_equal(wholesale_limit_check(&limit, &counter, now,
                                               &verdict), 0);
    }
}


/* as much as can be counted */

static void
test_limit_recorded_most(void **state)
{
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    assert_null(wholesale_limit_set_quota(&limit, WHOLESALE_QUOTA_MAX, "366d",
                                          4));

    memset(&counter, 0, sizeof(wholesale_limit_state_t));
    counter.number = TEST_NOW / limit.window;
    counter.current = WHOLESALE_QUOTA_MAX;
    counter.previous = WHOLESALE_QUOTA_MAX;

    wholesale_limit_record(&limit, &counter, TEST_NOW);

    assert_int_equal(counter.current, WHOLESALE_QUOTA_MAX);
    assert_int_equal(wholesale_limit_check(&limit, &counter, TEST_NOW,
                                           &verdict), 0);
    assert_true(verdict.retry_after <= 2 * limit.window);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_limit_clock_set_back),
        cmocka_unit_test(test_limit_clock_skew),
        cmocka_unit_test(test_limit_forgotten),
        cmocka_unit_test(test_limit_recorded),
        cmocka_unit_test(test_limit_recorded_most)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
