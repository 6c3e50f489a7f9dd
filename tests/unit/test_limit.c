
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <wholesale_limit.h>
#include "test_limit_random.h"


#define TEST_LIMITS   "tests/unit/limits.json"

#define TEST_SEEDS    200
#define TEST_STEPS    200

#define TEST_LARGE_SEEDS  200000


typedef struct {
    const char  *text;
    int64_t      number;
    const char  *sentence;    /* how it begins; NULL: it is right */
    int64_t      window;
    int64_t      interval;
} test_setting_t;


static void test_limit_case(json_t *test);
static void test_limit_state(wholesale_limit_state_t *state, json_t *value);
static void test_limit_set(wholesale_limit_t *limit, json_t *value);
static void test_limit_verdict(const char *name, size_t n, json_t *request,
    int allowed, const wholesale_limit_verdict_t *verdict);
static int64_t test_limit_random_step(const wholesale_limit_t *limit);
static int64_t test_limit_available(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now);
static void test_limit_promises(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now);


static const test_setting_t  test_rates[] = {
    { "10/s", 20, NULL, 2000000, 100000 },
    { "1/s", 1, NULL, 1000000, 1000000 },
    { "6/m", 3, NULL, 30000000, 10000000 },
    { "7/h", 1, NULL, 514285715, 514285715 },
    { "1/d", 366, NULL, 31622400000000, 86400000000 },
    { "3/s", 1, NULL, 333334, 333334 },
    { "1000000/s", 1000000, NULL, 1000000, 1 },
    { "86400000000/d", 1, NULL, 1, 1 },
    { "86399999999/d", 1, NULL, 2, 2 },

    { "", 1, "is not a rate", 0, 0 },
    { "/s", 1, "is not a rate", 0, 0 },
    { "10", 1, "is not a rate", 0, 0 },
    { "10/", 1, "is not a rate", 0, 0 },
    { "10/x", 1, "is not a rate", 0, 0 },
    { "10/S", 1, "is not a rate", 0, 0 },
    { "10/sec", 1, "is not a rate", 0, 0 },
    { "10 /s", 1, "is not a rate", 0, 0 },
    { " 10/s", 1, "is not a rate", 0, 0 },
    { "10/s ", 1, "is not a rate", 0, 0 },
    { "10s", 1, "is not a rate", 0, 0 },
    { "0/s", 1, "is not a rate", 0, 0 },
    { "01/s", 1, "is not a rate", 0, 0 },
    { "-1/s", 1, "is not a rate", 0, 0 },
    { "+1/s", 1, "is not a rate", 0, 0 },
    { "1.5/s", 1, "is not a rate", 0, 0 },
    { "1e3/s", 1, "is not a rate", 0, 0 },
    { "0x10/s", 1, "is not a rate", 0, 0 },
    { "1000001/s", 1, "is too fast", 0, 0 },
    { "86400000001/d", 1, "is too fast", 0, 0 },
    { "99999999999999999999999999/s", 1, "is too fast", 0, 0 },

    { "10/s", 0, "is out of bounds", 0, 0 },
    { "10/s", -1, "is out of bounds", 0, 0 },
    { "10/s", INT64_MIN, "is out of bounds", 0, 0 },
    { "10/s", 1000001, "is out of bounds", 0, 0 },
    { "10/s", INT64_MAX, "is out of bounds", 0, 0 },
    { "1/d", 367, "is too large", 0, 0 },
    { "1/m", 527041, "is too large", 0, 0 },
    { "1/m", 527040, NULL, 31622400000000, 60000000 }
};


static const test_setting_t  test_quotas[] = {
    { "30s", 5, NULL, 30000000, 0 },
    { "5m", 5, NULL, 300000000, 0 },
    { "1h", 5, NULL, 3600000000, 0 },
    { "1d", 5000, NULL, 86400000000, 0 },
    { "1s", 1, NULL, 1000000, 0 },
    { "366d", 1000000000, NULL, 31622400000000, 0 },
    { "31622400s", 1, NULL, 31622400000000, 0 },

    { "", 1, "is not a window", 0, 0 },
    { "s", 1, "is not a window", 0, 0 },
    { "30", 1, "is not a window", 0, 0 },
    { "30x", 1, "is not a window", 0, 0 },
    { "30ms", 1, "is not a window", 0, 0 },
    { "30 s", 1, "is not a window", 0, 0 },
    { "0s", 1, "is not a window", 0, 0 },
    { "030s", 1, "is not a window", 0, 0 },
    { "-1s", 1, "is not a window", 0, 0 },
    { "1.5h", 1, "is not a window", 0, 0 },
    { "1h30m", 1, "is not a window", 0, 0 },
    { "367d", 1, "is out of bounds", 0, 0 },
    { "31622401s", 1, "is out of bounds", 0, 0 },
    { "99999999999999999999999999s", 1, "is out of bounds", 0, 0 },

    { "1s", 0, "is out of bounds", 0, 0 },
    { "1s", -5, "is out of bounds", 0, 0 },
    { "1s", INT64_MIN, "is out of bounds", 0, 0 },
    { "1s", 1000000001, "is out of bounds", 0, 0 },
    { "1s", INT64_MAX, "is out of bounds", 0, 0 }
};


static void
test_limit_rates(void **state)
{
    size_t                 i;
    const char            *sentence;
    wholesale_limit_t      limit, before;
    const test_setting_t  *test;

    for (i = 0; i < sizeof(test_rates) / sizeof(test_rates[0]); i++) {
        test = &test_rates[i];

        memset(&limit, 0xff, sizeof(wholesale_limit_t));
        before = limit;

        sentence = wholesale_limit_set_rate(&limit, test->text,
                                            strlen(test->text), test->number);
        if (test->sentence != NULL) {
            assert_non_null(sentence);
            assert_memory_equal(sentence, test->sentence,
                                strlen(test->sentence));
            assert_memory_equal(&limit, &before, sizeof(wholesale_limit_t));
            continue;
        }

        assert_null(sentence);
        assert_int_equal(limit.kind, WHOLESALE_LIMIT_RATE);
        assert_int_equal(limit.quota, test->number);
        assert_int_equal(limit.window, test->window);
        assert_int_equal(limit.interval, test->interval);
    }
}


static void
test_limit_quotas(void **state)
{
    size_t                 i;
    const char            *sentence;
    wholesale_limit_t      limit, before;
    const test_setting_t  *test;

    for (i = 0; i < sizeof(test_quotas) / sizeof(test_quotas[0]); i++) {
        test = &test_quotas[i];

        memset(&limit, 0xff, sizeof(wholesale_limit_t));
        before = limit;

        sentence = wholesale_limit_set_quota(&limit, test->number, test->text,
                                             strlen(test->text));
        if (test->sentence != NULL) {
            assert_non_null(sentence);
            assert_memory_equal(sentence, test->sentence,
                                strlen(test->sentence));
            assert_memory_equal(&limit, &before, sizeof(wholesale_limit_t));
            continue;
        }

        assert_null(sentence);
        assert_int_equal(limit.kind, WHOLESALE_LIMIT_QUOTA);
        assert_int_equal(limit.quota, test->number);
        assert_int_equal(limit.window, test->window);
    }
}


/* a NUL ends no text: lengths do */

static void
test_limit_lengths(void **state)
{
    wholesale_limit_t  limit;

    assert_null(wholesale_limit_set_rate(&limit, "10/sec", 4, 1));
    assert_non_null(wholesale_limit_set_rate(&limit, "10/s\0", 5, 1));
    assert_non_null(wholesale_limit_set_rate(&limit, "10/\0", 4, 1));
    assert_non_null(wholesale_limit_set_rate(&limit, "10/s", 3, 1));
    assert_null(wholesale_limit_set_quota(&limit, 1, "10ms", 3));
    assert_non_null(wholesale_limit_set_quota(&limit, 1, "10s\0", 4));
    assert_non_null(wholesale_limit_set_quota(&limit, 1, "10s", 2));
}


static void
test_limit_cases(void **state)
{
    size_t        i;
    json_t       *file, *cases, *test;
    json_error_t  error;

    file = json_load_file(TEST_LIMITS, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(file);

    cases = json_object_get(file, "cases");
    assert_true(json_array_size(cases) > 0);

    json_array_foreach(cases, i, test) {
        test_limit_case(test);
    }

    json_decref(file);
}


/* over any span: no more than the burst, and one for each interval in it */

static void
test_limit_rate_bound(void **state)
{
    int64_t                    n, i, first, now, times[TEST_STEPS];
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {

        do {
            test_limit_random(&limit);
        } while (limit.kind != WHOLESALE_LIMIT_RATE);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));
        now = TEST_NOW;
        n = 0;

        for (i = 0; i < TEST_STEPS; i++) {

            if (wholesale_limit_check(&limit, &counter, now, &verdict)) {
                wholesale_limit_commit(&limit, &counter, now);
                times[n++] = now;
            }

            now += test_limit_random_step(&limit);
        }

        for (first = 0; first < n; first++) {
            for (i = first; i < n; i++) {
                assert_true(i - first + 1 <= limit.quota
                            + (times[i] - times[first]) / limit.interval);
            }
        }
    }
}


static void
test_limit_burst_exact(void **state)
{
    int64_t                    n;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {
        test_limit_random(&limit);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));

        n = 0;

        while (wholesale_limit_check(&limit, &counter, TEST_NOW, &verdict)) {
            wholesale_limit_commit(&limit, &counter, TEST_NOW);
            n++;

            assert_int_equal(verdict.remaining, limit.quota - n);
            assert_int_equal(verdict.retry_after, 0);
        }

        assert_int_equal(n, limit.quota);
        assert_true(verdict.retry_after > 0);
    }
}


/* no aligned window has more than the quota, whatever the one before had */

static void
test_limit_quota_bound(void **state)
{
    int64_t                    i, n, now, number;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {

        do {
            test_limit_random(&limit);
        } while (limit.kind != WHOLESALE_LIMIT_QUOTA);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));
        now = TEST_NOW;
        number = 0;
        n = 0;

        for (i = 0; i < TEST_STEPS; i++) {

            if (now / limit.window != number) {
                number = now / limit.window;
                n = 0;
            }

            if (wholesale_limit_check(&limit, &counter, now, &verdict)) {
                wholesale_limit_commit(&limit, &counter, now);
                n++;
            }

            assert_true(n <= limit.quota);

            now += test_limit_random_step(&limit);
        }
    }
}


/* the verdict's figures come true, the clock going forward or back */

static void
test_limit_truth(void **state)
{
    int64_t                    i, now;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_SEEDS; test_seed++) {
        test_limit_random(&limit);

        memset(&counter, 0, sizeof(wholesale_limit_state_t));
        now = TEST_NOW;

        for (i = 0; i < TEST_STEPS; i++) {
            test_limit_promises(&limit, &counter, now);

            if (wholesale_limit_check(&limit, &counter, now, &verdict)) {
                wholesale_limit_commit(&limit, &counter, now);
            }

            now += test_limit_random_step(&limit);

            if (test_random(20) == 0) {
                now -= test_random(3 * limit.window);
            }
        }
    }
}


/* refusals come true where a double has no digits left for the product */

static void
test_limit_truth_large(void **state)
{
    int64_t                    now;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    for (test_seed = 1; test_seed <= TEST_LARGE_SEEDS; test_seed++) {

        assert_null(wholesale_limit_set_quota(&limit,
                                              test_random(WHOLESALE_QUOTA_MAX)
                                              + 1, "366d", 4));

        limit.window -= test_random(limit.window / 2);

        now = TEST_NOW + test_random(limit.window);

        counter.number = now / limit.window - test_random(2);
        counter.current = test_random(WHOLESALE_QUOTA_MAX) + 1;
        counter.previous = test_random(WHOLESALE_QUOTA_MAX) + 1;

        if (!wholesale_limit_check(&limit, &counter, now, &verdict)) {
            test_limit_promises(&limit, &counter, now);
        }
    }
}


static void
test_limit_case(json_t *test)
{
    int                        allowed;
    size_t                     i;
    int64_t                    now, times;
    json_t                    *request;
    const char                *name;
    wholesale_limit_t          limit;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    name = json_string_value(json_object_get(test, "name"));

    test_limit_set(&limit, json_object_get(test, "limit"));
    test_limit_state(&counter, json_object_get(test, "state"));

    json_array_foreach(json_object_get(test, "requests"), i, request) {

        now = json_integer_value(json_object_get(test, "start"))
              + json_integer_value(json_array_get(request, 0));

        times = json_integer_value(json_array_get(request, 5));

        do {
            allowed = wholesale_limit_check(&limit, &counter, now, &verdict);

            if (allowed != json_is_true(json_array_get(request, 1))) {
                fail_msg("%s, request %zu: allowed is %d", name, i, allowed);
            }

            if (allowed) {
                wholesale_limit_commit(&limit, &counter, now);
            }

        } while (--times > 0);

        test_limit_verdict(name, i, request, allowed, &verdict);
    }
}


static void
test_limit_state(wholesale_limit_state_t *state, json_t *value)
{
    state->arrival = json_integer_value(json_object_get(value, "arrival"));
    state->number = json_integer_value(json_object_get(value, "number"));
    state->current = json_integer_value(json_object_get(value, "current"));
    state->previous = json_integer_value(json_object_get(value, "previous"));
}


static void
test_limit_set(wholesale_limit_t *limit, json_t *value)
{
    json_t      *rate, *burst, *window;
    const char  *sentence;

    rate = json_object_get(value, "rate");
    burst = json_object_get(value, "burst");
    window = json_object_get(value, "window");

    if (rate != NULL) {
        sentence = wholesale_limit_set_rate(limit, json_string_value(rate),
                                            json_string_length(rate),
                                            burst ? json_integer_value(burst)
                                                  : 1);

    } else {
        sentence = wholesale_limit_set_quota(limit,
                       json_integer_value(json_object_get(value, "quota")),
                       json_string_value(window), json_string_length(window));
    }

    assert_null(sentence);
}


static void
test_limit_verdict(const char *name, size_t n, json_t *request, int allowed,
    const wholesale_limit_verdict_t *verdict)
{
    int64_t  remaining, reset, retry_after;

    remaining = json_integer_value(json_array_get(request, 2));
    reset = json_integer_value(json_array_get(request, 3));
    retry_after = json_integer_value(json_array_get(request, 4));

    if (verdict->remaining != remaining || verdict->reset != reset
        || verdict->retry_after != retry_after)
    {
        fail_msg("%s, request %zu: remaining %lld, reset %lld, "
                 "retry_after %lld", name, n, (long long) verdict->remaining,
                 (long long) verdict->reset, (long long) verdict->retry_after);
    }
}


/* none, tiny, up to what one request takes, up to two windows */

static int64_t
test_limit_random_step(const wholesale_limit_t *limit)
{
    switch (test_random(8)) {

    case 0:
    case 1:
        return 0;

    case 2:
        return test_random(3);

    case 3:
        return test_random(2 * limit->window);

    default:
        return test_random(2 * limit->window / limit->quota);
    }
}


/* how many could come at once */

static int64_t
test_limit_available(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now)
{
    int64_t                    n;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict;

    counter = *state;

    for (n = 0;
         wholesale_limit_check(limit, &counter, now, &verdict);
         n++)
    {
        wholesale_limit_commit(limit, &counter, now);
    }

    return n;
}


static void
test_limit_promises(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now)
{
    int64_t                    available, later;
    wholesale_limit_state_t    counter;
    wholesale_limit_verdict_t  verdict, again;

    counter = *state;

    if (!wholesale_limit_check(limit, &counter, now, &verdict)) {
        assert_int_equal(verdict.remaining, 0);
        assert_int_equal(verdict.reset, verdict.retry_after);
        assert_true(verdict.retry_after > 0);

        later = now + verdict.retry_after;

        assert_int_equal(wholesale_limit_check(limit, &counter, later - 1,
                                               &again), 0);
        assert_int_equal(again.retry_after, 1);
        assert_int_equal(wholesale_limit_check(limit, &counter, later,
                                               &again), 1);
        return;
    }

    assert_int_equal(verdict.retry_after, 0);

    wholesale_limit_commit(limit, &counter, now);

    available = test_limit_available(limit, &counter, now);
    assert_int_equal(verdict.remaining, available);

    assert_true(verdict.reset > 0);

    later = now + verdict.reset;

    assert_int_equal(test_limit_available(limit, &counter, later - 1),
                     available);
    assert_true(test_limit_available(limit, &counter, later) > available);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_limit_rates),
        cmocka_unit_test(test_limit_quotas),
        cmocka_unit_test(test_limit_lengths),
        cmocka_unit_test(test_limit_cases),
        cmocka_unit_test(test_limit_burst_exact),
        cmocka_unit_test(test_limit_rate_bound),
        cmocka_unit_test(test_limit_quota_bound),
        cmocka_unit_test(test_limit_truth),
        cmocka_unit_test(test_limit_truth_large)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
