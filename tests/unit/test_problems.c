
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

#include <wholesale_problems.h>

#include "test_pool.h"


static void
test_places(void **state)
{
    size_t                i;
    test_pool_t           pool;
    wholesale_place_t     root, a, b, c;
    wholesale_problem_t  *problem;
    wholesale_problems_t  problems;

    static const struct {
        const char  *name;
        const char  *pointer;
        const char  *description;
    } names[] = {
        { "country", "/a/3/country", "a[3].country: wrong" },
        { "a1_B", "/a/3/a1_B", "a[3].a1_B: wrong" },
        { "a/b~c", "/a/3/a~1b~0c", "a[3][\"a/b~c\"]: wrong" },
        { "", "/a/3/", "a[3][\"\"]: wrong" },
        { "a-b", "/a/3/a-b", "a[3][\"a-b\"]: wrong" },
        { "\"\n", "/a/3/\"\n", "a[3][\"\\\"\\u000a\"]: wrong" },
        { NULL, "/a/3/18446744073709551615",
          "a[3][18446744073709551615]: wrong" }
    };

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);

    memset(&root, 0, sizeof(root));
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    memset(&c, 0, sizeof(c));

    a.parent = &root;
    a.name = "a";
    b.parent = &a;
    b.index = 3;
    c.parent = &b;
    c.index = SIZE_MAX;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        c.name = names[i].name;

        wholesale_problems_add(&problems, &c, WHOLESALE_PROBLEM_SIZE, "%s",
                               "wrong");

        problem = &problems.items[i];

        assert_string_equal(problem->pointer, names[i].pointer);
        assert_string_equal(problem->description, names[i].description);
        assert_int_equal(problem->pointer_len, strlen(problem->pointer));
        assert_int_equal(problem->description_len,
                         strlen(problem->description));
        assert_int_equal(problem->code, WHOLESALE_PROBLEM_SIZE);
    }

    wholesale_problems_add(&problems, &root, WHOLESALE_PROBLEM_OTHER, "bad");

    assert_string_equal(problems.items[i].pointer, "");
    assert_string_equal(problems.items[i].description, "bad");

    test_pool_free(&pool);
}


/* a name that the client chose is shown in full, or not at all */

static void
test_foreign_names(void **state)
{
    char                  name[WHOLESALE_PLACE_SHOWN_MAX + 2], pointer[256];
    test_pool_t           pool;
    wholesale_place_t     root, a, b, c;
    wholesale_problems_t  problems;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);

    memset(&root, 0, sizeof(root));
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    memset(&c, 0, sizeof(c));

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';

    a.parent = &root;
    a.name = "provisioningParameters";
    b.parent = &a;
    b.name = name;
    c.parent = &b;
    c.index = 7;

    /* ours may be as long as it is */

    wholesale_problems_add(&problems, &b, 0, "bad");
    snprintf(pointer, sizeof(pointer), "/%s/%s", a.name, name);
    assert_string_equal(problems.items[0].pointer, pointer);

    b.foreign = 1;

    wholesale_problems_add(&problems, &c, 0, "bad");
    snprintf(pointer, sizeof(pointer), "/%s", a.name);
    assert_string_equal(problems.items[1].pointer, pointer);

    name[WHOLESALE_PLACE_SHOWN_MAX] = '\0';

    wholesale_problems_add(&problems, &c, 0, "bad");
    snprintf(pointer, sizeof(pointer), "/%s/%s/7", a.name, name);
    assert_string_equal(problems.items[2].pointer, pointer);

    /* all of them together */

    a.foreign = 1;

    wholesale_problems_add(&problems, &c, 0, "bad");
    snprintf(pointer, sizeof(pointer), "/%s", a.name);
    assert_string_equal(problems.items[3].pointer, pointer);

    test_pool_free(&pool);
}


/* in a sentence no name is shown that is longer than a text may be */

static void
test_long_names(void **state)
{
    char                  name[WHOLESALE_SHOWN_MAX + 2], description[256];
    test_pool_t           pool;
    wholesale_place_t     root, a, b;
    wholesale_problems_t  problems;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);

    memset(&root, 0, sizeof(root));
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));

    memset(name, 'x', sizeof(name));
    name[WHOLESALE_SHOWN_MAX] = '\0';

    a.parent = &root;
    a.name = "a";
    b.parent = &a;
    b.name = name;

    wholesale_problems_add(&problems, &b, 0, "bad");
    snprintf(description, sizeof(description), "a.%s: bad", name);
    assert_string_equal(problems.items[0].description, description);

    snprintf(description, sizeof(description), "a[\"%s\"...]: bad", name);
    name[WHOLESALE_SHOWN_MAX] = 'x';
    name[WHOLESALE_SHOWN_MAX + 1] = '\0';

    wholesale_problems_add(&problems, &b, 0, "bad");
    assert_string_equal(problems.items[1].description, description);

    test_pool_free(&pool);
}


static void
test_most(void **state)
{
    size_t                i;
    test_pool_t           pool;
    wholesale_place_t     root;
    wholesale_problems_t  problems;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);
    memset(&root, 0, sizeof(root));

    assert_int_equal(pool.n, 0);

    for (i = 0; i < 2 * WHOLESALE_PROBLEMS_MAX; i++) {
        wholesale_problems_add(&problems, &root, 0, "%zu", i);
    }

    assert_true(wholesale_problems_full(&problems));
    assert_int_equal(problems.total, 2 * WHOLESALE_PROBLEMS_MAX);
    assert_int_equal(problems.stored, WHOLESALE_PROBLEMS_MAX);
    assert_int_equal(pool.n, 1 + 2 * WHOLESALE_PROBLEMS_MAX);
    assert_string_equal(problems.items[0].description, "0");
    assert_string_equal(problems.items[WHOLESALE_PROBLEMS_MAX - 1].description,
                        "31");

    test_pool_free(&pool);
}


static void
test_text(void **state)
{
    test_pool_t           pool;
    wholesale_place_t     root;
    wholesale_problems_t  problems;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);
    memset(&root, 0, sizeof(root));

    wholesale_problems_add_text(&problems, &root, "us%s", 4, "is no code", "");
    wholesale_problems_add_text(&problems, &root, "us", 2, "is no code", "US");

    assert_string_equal(problems.items[0].description,
                        "\"us%s\" is no code");
    assert_string_equal(problems.items[1].description,
                        "\"us\" is no code; did you mean \"US\"?");

    test_pool_free(&pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_foreign_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_text)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
