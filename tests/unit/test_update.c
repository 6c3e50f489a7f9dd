
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

#include <dirent.h>

#include <cmocka.h>
#include <jansson.h>

#include <wholesale_update.h>


#define TEST_VALID      "tests/unit/cases/valid"
#define TEST_INVALID    "tests/unit/cases/invalid"
#define TEST_REFERENCE  "tests/unit/cases/valid/reference/input.json"

/* there is no such file, so that the time zones are those built in */
#define TEST_TZDATA     "tests/unit/cases/no_tzdata"

#define TEST_PATH       512
#define TEST_ALLOWED    32

/* fewer is a folder that has been lost */
#define TEST_CASES_MIN  50


/* memory that is freed at once */

typedef struct test_block_s  test_block_t;

struct test_block_s {
    test_block_t      *next;
    max_align_t        memory[];
};


typedef struct {
    wholesale_pool_t   pool;
    test_block_t      *blocks;
} test_pool_t;


static void *test_alloc(void *data, size_t size);
static void test_pool_init(test_pool_t *pool);
static void test_pool_free(test_pool_t *pool);
static char *test_load(const char *path, size_t *len);
static json_t *test_load_json(const char *path);
static size_t test_folder(const char *folder);
static void test_case(const char *folder, const char *name);
static void test_rules(wholesale_update_rules_t *rules,
    const char **allowed, json_t *expected, test_pool_t *pool);
static json_t *test_outcome(const wholesale_update_rules_t *rules,
    const char *body, size_t len);
static void test_members(json_t *root, json_t *object, const char *pointer);
static void test_member(json_t *root, json_t *object, const char *name,
    const char *pointer);
static void test_expect_one(json_t *root, const char *pointer, int code,
    const char *what);


static const char *const  test_results[] = {
    "valid", "invalid", "forbidden", "failed"
};


static void *
test_alloc(void *data, size_t size)
{
    test_pool_t *pool = data;

    test_block_t  *block;

    block = malloc(sizeof(test_block_t) + size);
    assert_non_null(block);

    block->next = pool->blocks;
    pool->blocks = block;

    return block->memory;
}


static void
test_pool_init(test_pool_t *pool)
{
    pool->pool.alloc = test_alloc;
    pool->pool.data = pool;
    pool->blocks = NULL;
}


static void
test_pool_free(test_pool_t *pool)
{
    test_block_t  *block;

    while (pool->blocks) {
        block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }
}


static char *
test_load(const char *path, size_t *len)
{
    long   size;
    char  *text;
    FILE  *file;

    file = fopen(path, "rb");

    if (file == NULL) {
        fail_msg("no file %s", path);
    }

    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_true(size >= 0);
    rewind(file);

    /* exactly as long: one byte too far is seen by the sanitizer */

    text = malloc(size ? size : 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);

    fclose(file);

    *len = size;

    return text;
}


static json_t *
test_load_json(const char *path)
{
    json_t        *json;
    json_error_t   error;

    json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    }

    return json;
}


static void
test_valid_cases(void **state)
{
    assert_true(test_folder(TEST_VALID) >= TEST_CASES_MIN);
}


static void
test_invalid_cases(void **state)
{
    assert_true(test_folder(TEST_INVALID) >= TEST_CASES_MIN);
}


static size_t
test_folder(const char *folder)
{
    DIR            *dir;
    size_t          n;
    struct dirent  *entry;

    dir = opendir(folder);

    if (dir == NULL) {
        fail_msg("no folder %s", folder);
    }

    n = 0;

    for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.') {
            continue;
        }

        test_case(folder, entry->d_name);
        n++;
    }

    closedir(dir);

    return n;
}


static void
test_case(const char *folder, const char *name)
{
    char                       path[TEST_PATH], *body, *copy, *got, *wanted;
    size_t                     len;
    json_t                    *expected, *outcome, *again;
    const char                *allowed[TEST_ALLOWED];
    test_pool_t                pool;
    wholesale_update_rules_t   rules;

    snprintf(path, sizeof(path), "%s/%s/expected.json", folder, name);
    expected = test_load_json(path);

    snprintf(path, sizeof(path), "%s/%s/input.json", folder, name);
    body = test_load(path, &len);

    copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, body, len);

    test_pool_init(&pool);
    test_rules(&rules, allowed, json_object_get(expected, "rules"), &pool);

    outcome = test_outcome(&rules, body, len);
    again = test_outcome(&rules, body, len);

    (void) json_object_del(expected, "rules");

    if (!json_equal(outcome, expected)) {
        got = json_dumps(outcome, JSON_INDENT(2));
        wanted = json_dumps(expected, JSON_INDENT(2));
        fail_msg("%s:\ngot %s\nexpected %s", path, got, wanted);
    }

    /* the same a second time, and the body is as it was */

    assert_true(json_equal(outcome, again));
    assert_memory_equal(body, copy, len);

    test_pool_free(&pool);
    json_decref(expected);
    json_decref(outcome);
    json_decref(again);
    free(body);
    free(copy);
}


static void
test_rules(wholesale_update_rules_t *rules, const char **allowed,
    json_t *expected, test_pool_t *pool)
{
    char                  *text;
    size_t                 i;
    json_t                *catalogue, *packages;
    wholesale_problems_t   problems;

    memset(rules, 0, sizeof(wholesale_update_rules_t));

    rules->reject_unknown_fields =
        json_is_true(json_object_get(expected, "rejectUnknownFields"));
    rules->allow_empty_packages =
        json_is_true(json_object_get(expected, "allowEmptyPackages"));

    packages = json_object_get(expected, "packages");

    if (packages != NULL) {
        rules->allowed_packages = allowed;
        rules->allowed_packages_n = json_array_size(packages);
        assert_true(rules->allowed_packages_n <= TEST_ALLOWED);

        for (i = 0; i < rules->allowed_packages_n; i++) {
            allowed[i] = json_string_value(json_array_get(packages, i));
        }

        /* they live on, for the object that they are in is deleted */
        json_incref(packages);
        assert_int_equal(json_array_size(packages),
                         rules->allowed_packages_n);
    }

    catalogue = json_object_get(expected, "catalogue");

    if (catalogue == NULL) {
        rules->catalogue = wholesale_catalogue_create(&pool->pool,
                                                      TEST_TZDATA);
        assert_non_null(rules->catalogue);
        return;
    }

    text = json_dumps(catalogue, 0);
    wholesale_problems_init(&problems, &pool->pool);
    rules->catalogue = wholesale_catalogue_parse(&pool->pool, text,
                                                 strlen(text), TEST_TZDATA,
                                                 &problems);
    if (rules->catalogue == NULL) {
        fail_msg("%s", problems.items[0].description);
    }

    free(text);
}
