
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wholesale_names.h>

#include "test_pool.h"


#define TEST_MANY  1000


static void
test_find(void **state)
{
    char               name[TEST_MANY][16], longest[WHOLESALE_NAME_MAX + 1];
    size_t             i;
    test_pool_t        pool;
    wholesale_names_t  set;

    test_pool_init(&pool);

    assert_int_equal(wholesale_names_init(&set, &pool.pool, TEST_MANY), 0);
    assert_int_equal(wholesale_names_find(&set, "name0", 5),
                     WHOLESALE_NAMES_NONE);

    for (i = 0; i < TEST_MANY; i++) {
        snprintf(name[i], sizeof(name[i]), "name%zu", i);
        wholesale_names_add(&set, name[i], strlen(name[i]));
    }

    assert_int_equal(set.n, TEST_MANY);

    for (i = 0; i < TEST_MANY; i++) {
        assert_int_equal(wholesale_names_find(&set, name[i], strlen(name[i])),
                         i);
    }

    assert_int_equal(wholesale_names_find(&set, "name", 4),
                     WHOLESALE_NAMES_NONE);
    assert_int_equal(wholesale_names_find(&set, "name1000", 8),
                     WHOLESALE_NAMES_NONE);
    assert_int_equal(wholesale_names_find(&set, "Name1", 5),
                     WHOLESALE_NAMES_NONE);
    assert_int_equal(wholesale_names_find(&set, "name1\0", 6),
                     WHOLESALE_NAMES_NONE);
    assert_int_equal(wholesale_names_find(&set, "", 0), WHOLESALE_NAMES_NONE);

    memset(longest, 'x', sizeof(longest));
    assert_int_equal(wholesale_names_find(&set, longest, sizeof(longest)),
                     WHOLESALE_NAMES_NONE);

    test_pool_free(&pool);
}


static void
test_empty_set(void **state)
{
    test_pool_t        pool;
    wholesale_names_t  set;

    test_pool_init(&pool);

    assert_int_equal(wholesale_names_init(&set, &pool.pool, 0), 0);
    assert_int_equal(wholesale_names_find(&set, "a", 1), WHOLESALE_NAMES_NONE);
    assert_null(wholesale_names_nearest(&set, "a", 1));

    test_pool_free(&pool);
}


static void
test_distance(void **state)
{
    char    longest[WHOLESALE_NAME_MAX + 1];
    size_t  i, distance;

    static const struct {
        const char  *one;
        const char  *other;
        size_t       distance;
    } names[] = {
        { "", "", 0 },
        { "a", "", 1 },
        { "webex_calling", "webex_calling", 0 },
        { "Webex-Calling", "webex_calling", 0 },
        { "America/Los Angeles", "America/Los_Angeles", 0 },
        { "webex_caling", "webex_calling", 1 },
        { "webex_callling", "webex_calling", 1 },
        { "webex_cslling", "webex_calling", 1 },
        { "wbeex_calling", "webex_calling", 1 },
        { "wbeex_callign", "webex_calling", 2 },
        { "wxbex_calinng", "webex_calling", 3 },
        { "line2", "line2", 0 },
        { "l_ine2", "line2", 1 },
        { "line1", "line2", 4 },
        { "line", "line2", 4 },
        { "2line", "line", 4 },
        { "lin2e", "line2", 2 },
        { "1", "", 4 },
        { "", "1", 4 },
        { "webex", "teams", 4 },
        { "abcdef", "uvwxyz", 4 },
        { "a", "abcdefgh", 4 }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        distance = wholesale_names_distance(names[i].one, strlen(names[i].one),
                                            names[i].other,
                                            strlen(names[i].other), 3);

        if (distance != names[i].distance
            || distance != wholesale_names_distance(names[i].other,
                                                    strlen(names[i].other),
                                                    names[i].one,
                                                    strlen(names[i].one), 3))
        {
            fail_msg("%s, %s: %zu", names[i].one, names[i].other, distance);
        }
    }

    /* more than any name has is far from all of them */

    memset(longest, 'x', sizeof(longest));

    assert_int_equal(wholesale_names_distance(longest, sizeof(longest),
                                              longest, sizeof(longest), 3),
                     4);
    assert_int_equal(wholesale_names_distance(longest, sizeof(longest) - 1,
                                              longest, sizeof(longest) - 1, 3),
                     0);
}


static void
test_nearest(void **state)
{
    test_pool_t        pool;
    wholesale_names_t  set;

    test_pool_init(&pool);

    assert_int_equal(wholesale_names_init(&set, &pool.pool, 5), 0);

    wholesale_names_add(&set, "webex_calling", 13);
    wholesale_names_add(&set, "webex_calling_2", 15);
    wholesale_names_add(&set, "webex_callings", 14);
    wholesale_names_add(&set, "en", 2);
    wholesale_names_add(&set, "EN", 2);

    assert_string_equal(wholesale_names_nearest(&set, "webex_callin", 12)
                        ->data, "webex_calling");
    assert_string_equal(wholesale_names_nearest(&set, "webex_callings_", 15)
                        ->data, "webex_callings");
    assert_string_equal(wholesale_names_nearest(&set, "WEBEX CALLING 2", 15)
                        ->data, "webex_calling_2");
    assert_string_equal(wholesale_names_nearest(&set, "En", 2)->data, "en");
    assert_null(wholesale_names_nearest(&set, "e", 1));
    assert_null(wholesale_names_nearest(&set, "eng", 3));
    assert_null(wholesale_names_nearest(&set, "teams", 5));
    assert_null(wholesale_names_nearest(&set, "webex_calling_3", 15));
    assert_null(wholesale_names_nearest(&set, "webex_ai_calling", 16));

    test_pool_free(&pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_empty_set),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_nearest)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
