
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
#include <jansson.h>

#include <wholesale_update.h>

#include "test_pool.h"


/*
 * What becomes of an allocation that fails, each in its turn: alone, and with
 * all that follow it.  Linked with --wrap for malloc() and free(), so that
 * these stand before the library's own, and jansson is given the same.
 */


/* there is no such file, so that the time zones are those built in */
#define TEST_TZDATA     "tests/unit/cases/no_tzdata"

#define TEST_REFERENCE  "tests/unit/cases/valid/reference/input.json"
#define TEST_EXAMPLE    "ngx_wholesale_module/contract/catalogue.json"

/* enough for every allocation below */
#define TEST_FAILURES   20000
#define TEST_FILE_MAX   65536


void *__real_malloc(size_t size);
void __real_free(void *p);

void *__wrap_malloc(size_t size);
void __wrap_free(void *p);

static void test_update(const char *body, size_t len, wholesale_update_e right,
    int sure);
static size_t test_update_failing(const wholesale_update_rules_t *rules,
    const char *body, size_t len, size_t failing, int lasting,
    wholesale_update_e *result, size_t *total);
static void test_catalogue(const char *text, size_t len, int valid);
static size_t test_load(const char *path, char *text);
static void *test_json_malloc(size_t size);
static void test_json_free(void *p);


/* which allocation fails, counted down; 0: none */
static size_t  test_failing;

/* those after it fail, too */
static int     test_lasting;

/* how many have failed */
static size_t  test_failed;

/* what is allocated and not freed */
static size_t  test_living;


static void
test_update_memory(void **state)
{
    char    text[TEST_FILE_MAX];
    size_t  i;

    static const struct {
        const char          *body;
        wholesale_update_e   right;

        /* there is no way to the right answer but past the failure */
        int                  sure;
    } bodies[] = {
        { "{\"packages\":[\"webex_meetings\",\"webex_caling\","
          "\"cisco_calling_plan\"],\"address\":{\"addressLine1\":"
          "\"1 Main St\",\"city\":\"\",\"country\":\"USA\"}}",
          WHOLESALE_UPDATE_INVALID, 1 },

        { "{\"packages\":[\"webex_calling\"],\"a\":1e400,"
          "\"b\":99999999999999999999}", WHOLESALE_UPDATE_VALID, 0 },

        /* the last byte of a string is the one for which there is no room */
        { "{\"packages\":[\"webex_calling\"],\"externalId\":"
          "\"12345678901234\"}", WHOLESALE_UPDATE_VALID, 1 },
        { "{\"packages\":[\"webex_calling\"],\"externalId\":"
          "\"123456789012345678901234567890\"}", WHOLESALE_UPDATE_VALID, 1 },

        /*
         * That is so as well with the byte after a number, with which a digit
         * would be lost, and this one would be whole.
         */
        { "{\"packages\":[\"webex_calling\"],\"provisioningParameters\":"
          "{\"packages\":{\"limits\":{\"webex_calling\":"
          "0.00000000000000000000000000001}}}}", WHOLESALE_UPDATE_INVALID, 1 },

        { "{\"packages\":[\"webex_calling\",],\"x\":[[[[[[[[[[[[[[[[[[[[",
          WHOLESALE_UPDATE_INVALID, 1 },

        { "{\"packages\":[\"webex_suite\"]}", WHOLESALE_UPDATE_FORBIDDEN, 1 },

        { "[]", WHOLESALE_UPDATE_INVALID, 1 },
        { "", WHOLESALE_UPDATE_INVALID, 1 },
        { "[[[[[[[[[[[[[[[[[[", WHOLESALE_UPDATE_INVALID, 1 },
        { "{\"packages\":[\"webex_calling\"],\"packages\":1}",
          WHOLESALE_UPDATE_INVALID, 0 },
        { "{\"packages\":[\"webex_calling\"],}",
          WHOLESALE_UPDATE_INVALID, 0 }
    };

    test_update(text, test_load(TEST_REFERENCE, text), WHOLESALE_UPDATE_VALID,
                1);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        test_update(bodies[i].body, strlen(bodies[i].body), bodies[i].right,
                    bodies[i].sure);
    }
}


static void
test_update(const char *body, size_t len, wholesale_update_e right, int sure)
{
    int                        lasting;
    size_t                     i, total, problems;
    test_pool_t                pool;
    wholesale_update_e         result;
    wholesale_update_rules_t   rules;

    static const char *const  allowed[] = {
        "webex_calling", "webex_meetings", "webex_voice", "cx_essentials",
        "common_area_calling", "cisco_calling_plan"
    };

    test_pool_init(&pool);

    memset(&rules, 0, sizeof(rules));
    rules.catalogue = wholesale_catalogue_create(&pool.pool, TEST_TZDATA);
    assert_non_null(rules.catalogue);

    if (right == WHOLESALE_UPDATE_FORBIDDEN) {
        rules.allowed_packages = allowed;
        rules.allowed_packages_n = sizeof(allowed) / sizeof(allowed[0]);
    }

    (void) test_update_failing(&rules, body, len, 0, 0, &result, &total);
    assert_int_equal(result, right);

    for (lasting = 0; lasting < 2; lasting++) {
        for (i = 1; i < TEST_FAILURES; i++) {

            if (test_update_failing(&rules, body, len, i, lasting, &result,
                                    &problems)
                == 0)
            {
                break;
            }

            if (result != WHOLESALE_UPDATE_FAILED
                && (sure || result != right || problems != total))
            {
                fail_msg("%s: allocation %zu: %d", body, i, result);
            }
        }

        /* without a failure it is as it was */

        assert_true(i > 1 && i < TEST_FAILURES);
        assert_int_equal(result, right);
        assert_int_equal(problems, total);
    }

    test_pool_free(&pool);
}


/* returns the number of allocations that failed */

static size_t
test_update_failing(const wholesale_update_rules_t *rules, const char *body,
    size_t len, size_t failing, int lasting, wholesale_update_e *result,
    size_t *total)
{
    size_t                 living;
    test_pool_t            pool;
    wholesale_problems_t   problems;

    living = test_living;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);

    test_failed = 0;
    test_lasting = lasting;
    test_failing = failing;

    *result = wholesale_update_validate(rules, body, len, &problems);

    test_failing = 0;
    test_lasting = 0;

    *total = problems.total;

    assert_int_equal(problems.failed, *result == WHOLESALE_UPDATE_FAILED);

    test_pool_free(&pool);

    assert_int_equal(test_living, living);

    return test_failed;
}


static void
test_catalogue_memory(void **state)
{
    char    text[TEST_FILE_MAX];
    size_t  i;

    static const char  right[] =
        "{\"languages\":[\"en_us\"],\"timezones\":[\"UTC\"]}";

    static const char *const  wrong[] = {
        "{\"packages\":{\"a b\":{\"needs\":[\"c\"]}},\"countries\":[1]}",
        "{\"languages\":[\"en us\"],\"x\":1}",
        "{\"packages\":{"
    };

    test_catalogue(text, test_load(TEST_EXAMPLE, text), 1);

    test_catalogue(right, sizeof(right) - 1, 1);

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        test_catalogue(wrong[i], strlen(wrong[i]), 0);
    }
}


static void
test_catalogue(const char *text, size_t len, int valid)
{
    size_t                  i, living;
    test_pool_t             pool;
    const char             *tzdata;
    wholesale_problems_t    problems;
    wholesale_catalogue_t  *catalogue;

    for (i = 1; i < TEST_FAILURES; i++) {

        living = test_living;

        /* both with the machine's time zones and without */
        tzdata = (i % 2) ? TEST_TZDATA : WHOLESALE_TZDATA;

        test_pool_init(&pool);
        wholesale_problems_init(&problems, &pool.pool);

        test_failed = 0;
        test_failing = i / 2 + 1;

        catalogue = wholesale_catalogue_parse(&pool.pool, text, len, tzdata,
                                              &problems);
        test_failing = 0;

        if (test_failed) {
            assert_null(catalogue);
            assert_true(problems.failed || (!valid && problems.total));

        } else {
            assert_int_equal(catalogue != NULL, valid);
            assert_int_equal(problems.failed, 0);
        }

        test_pool_free(&pool);

        assert_int_equal(test_living, living);

        if (test_failed == 0 && i % 2) {
            return;
        }
    }

    fail();
}


static size_t
test_load(const char *path, char *text)
{
    FILE    *file;
    size_t   len;

    file = fopen(path, "rb");
    assert_non_null(file);

    len = fread(text, 1, TEST_FILE_MAX, file);
    assert_true(len > 0 && len < TEST_FILE_MAX);

    fclose(file);

    return len;
}


void *
__wrap_malloc(size_t size)
{
    void  *p;

    if (test_failing && --test_failing == 0) {
        test_failed++;
        test_failing = test_lasting;
        return NULL;
    }

    p = __real_malloc(size);
    test_living += (p != NULL);

    return p;
}


void
__wrap_free(void *p)
{
    test_living -= (p != NULL);

    __real_free(p);
}


static void *
test_json_malloc(size_t size)
{
    return malloc(size);
}


static void
test_json_free(void *p)
{
    free(p);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_update_memory),
        cmocka_unit_test(test_catalogue_memory)
    };

    json_set_alloc_funcs(test_json_malloc, test_json_free);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
