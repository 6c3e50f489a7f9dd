
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

#include <wholesale_tenants.h>

#include "test_file.h"


/*
 * Linked with --wrap for the four functions below, so that these stand
 * before the library's own.
 */


#define TEST_VALID      "tests/unit/tenants/valid/whole/input.json"
#define TEST_INVALID    "tests/unit/tenants/invalid/links/input.json"

/* enough for every allocation of these files */
#define TEST_FAILURES   10000


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static void test_failures(const char *text, size_t len, int valid);
static void test_count(void *data, const char *path, const char *sentence);
static int test_fails(void);
static void *test_json_malloc(size_t size);
static void test_json_free(void *p);


/* which allocation fails, counted down; 0: none */
static size_t  test_failing;

/* what is allocated and not freed */
static size_t  test_living;


static void
test_tenants_no_memory(void **state)
{
    size_t   len;
    char    *text;

    text = test_file(TEST_VALID, &len);
    test_failures(text, len, 1);
    free(text);

    text = test_file(TEST_INVALID, &len);
    test_failures(text, len, 0);
    free(text);
}


/*
 * Each allocation in turn is the one that fails.  No mistake is made up for
 * it, except where jansson itself takes want of memory for wrong text.
 */

static void
test_failures(const char *text, size_t len, int valid)
{
    size_t                n, living, mistakes;
    wholesale_tenants_t  *tenants;

    living = test_living;

    for (n = 1; n < TEST_FAILURES; n++) {
        mistakes = 0;
        test_failing = n;

        tenants = wholesale_tenants_parse(text, len, NULL, test_count,
                                          &mistakes);

        if (test_failing != 0) {

            /* there are not so many allocations: the last turn */

            test_failing = 0;

            assert_true(n > 50);
            assert_int_equal(tenants != NULL, valid);
            assert_int_equal(mistakes == 0, valid);

            wholesale_tenants_destroy(tenants);
            assert_int_equal(test_living, living);

            return;
        }

        wholesale_tenants_destroy(tenants);
        assert_int_equal(test_living, living);
    }

    fail_msg("more than %d allocations", TEST_FAILURES);
}


static void
test_count(void *data, const char *path, const char *sentence)
{
    size_t  *mistakes = data;

    (*mistakes)++;
}


static int
test_fails(void)
{
    return test_failing != 0 && --test_failing == 0;
}


void *
__wrap_malloc(size_t size)
{
    void  *p;

    if (test_fails()) {
        return NULL;
    }

    p = __real_malloc(size);
    test_living += p != NULL;

    return p;
}


void *
__wrap_calloc(size_t n, size_t size)
{
    void  *p;

    if (test_fails()) {
        return NULL;
    }

    p = __real_calloc(n, size);
    test_living += p != NULL;

    return p;
}


void *
__wrap_realloc(void *p, size_t size)
{
    void  *moved;

    if (test_fails()) {
        return NULL;
    }

    moved = __real_realloc(p, size);
    test_living += p == NULL && moved != NULL;

    return moved;
}


void
__wrap_free(void *p)
{
    test_living -= p != NULL;

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
        cmocka_unit_test(test_tenants_no_memory)
    };

    /* jansson's allocations are counted, and fail, with the others */

    json_set_alloc_funcs(test_json_malloc, test_json_free);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
