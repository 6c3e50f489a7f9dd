
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

#include "test_file.h"
#include "test_pool.h"


#define TEST_VALID      "tests/unit/cases/valid"
#define TEST_INVALID    "tests/unit/cases/invalid"
#define TEST_REFERENCE  "tests/unit/cases/valid/reference/input.json"

/* there is no such file, so that the time zones are those built in */
#define TEST_TZDATA     "tests/unit/cases/no_tzdata"

#define TEST_PATH       512
#define TEST_ALLOWED    32

/* fewer is a folder that has been lost */
#define TEST_CASES_MIN  50


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
    body = test_file(path, &len);

    copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, body, len);

    test_pool_init(&pool);
    test_rules(&rules, allowed, json_object_get(expected, "rules"), &pool);

    outcome = test_outcome(&rules, body, len);
    again = test_outcome(&rules, body, len);

    if (json_object_get(expected, "rules") != NULL) {
        json_object_set(outcome, "rules", json_object_get(expected, "rules"));
        json_object_set(again, "rules", json_object_get(expected, "rules"));
    }

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


/* what a case expects, as the validator says it */

static json_t *
test_outcome(const wholesale_update_rules_t *rules, const char *body,
    size_t len)
{
    size_t                 i;
    json_t                *outcome, *list, *item;
    test_pool_t            pool;
    wholesale_update_e     result;
    wholesale_problem_t   *problem;
    wholesale_problems_t   problems;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);

    result = wholesale_update_validate(rules, body, len, &problems);

    outcome = json_object();
    json_object_set_new(outcome, "result", json_string(test_results[result]));

    if (problems.total == 0) {
        assert_int_equal(result, WHOLESALE_UPDATE_VALID);

        /* what is right costs nothing but jansson's tree */
        assert_int_equal(pool.n, 0);

        return outcome;
    }

    list = json_array();

    for (i = 0; i < problems.stored; i++) {
        problem = &problems.items[i];

        assert_int_equal(strlen(problem->pointer), problem->pointer_len);
        assert_int_equal(strlen(problem->description),
                         problem->description_len);
        assert_null(wholesale_text_control(problem->description,
                                           problem->description_len));

        /* NULL, if it is not UTF-8 */

        item = json_object();
        json_object_set_new(item, "pointer", json_string(problem->pointer));
        json_object_set_new(item, "description",
                            json_string(problem->description));

        if (problem->code) {
            json_object_set_new(item, "code", json_integer(problem->code));
        }

        assert_int_equal(json_object_size(item), problem->code ? 3 : 2);
        json_array_append_new(list, item);
    }

    json_object_set_new(outcome, "problems", list);

    if (problems.total != problems.stored) {
        assert_int_equal(problems.stored, WHOLESALE_PROBLEMS_MAX);
        json_object_set_new(outcome, "total", json_integer(problems.total));
    }

    test_pool_free(&pool);

    return outcome;
}


/* each member of the reference update, with each type that it may not have */

static void
test_every_type(void **state)
{
    json_t  *root;

    root = test_load_json(TEST_REFERENCE);

    test_members(root, root, "");

    json_decref(root);
}


static void
test_members(json_t *root, json_t *object, const char *pointer)
{
    char         path[TEST_PATH];
    void        *iter;
    size_t       i, n;
    json_t      *value;
    const char  *names[TEST_ALLOWED];

    n = 0;

    for (iter = json_object_iter(object);
         iter != NULL;
         iter = json_object_iter_next(object, iter))
    {
        assert_true(n < TEST_ALLOWED);
        names[n++] = json_object_iter_key(iter);
    }

    for (i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", pointer, names[i]);

        value = json_object_get(object, names[i]);

        if (json_is_object(value)) {
            test_members(root, value, path);
        }

        test_member(root, object, names[i], path);
    }
}


static void
test_member(json_t *root, json_t *object, const char *name,
    const char *pointer)
{
    size_t   i;
    json_t  *right, *wrong;

    static const char *const  values[] = {
        "\"text\"", "{}", "[]", "5", "-5.5", "1e3", "true", "false",
        "9223372036854775807", "[null]", "{\"a\":{}}"
    };

    right = json_incref(json_object_get(object, name));

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        wrong = json_loads(values[i], JSON_DECODE_ANY, NULL);
        assert_non_null(wrong);

        if (json_typeof(wrong) != json_typeof(right)) {
            json_object_set(object, name, wrong);
            test_expect_one(root, pointer, WHOLESALE_PROBLEM_OTHER,
                            values[i]);
        }

        json_decref(wrong);
    }

    json_object_set_new(object, name, right);
}


static void
test_expect_one(json_t *root, const char *pointer, int code, const char *what)
{
    char                      *body, *copy;
    size_t                     len;
    test_pool_t                pool;
    wholesale_update_e         result;
    wholesale_problems_t       problems;
    wholesale_update_rules_t   rules;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);

    memset(&rules, 0, sizeof(rules));
    rules.catalogue = wholesale_catalogue_create(&pool.pool, TEST_TZDATA);
    assert_non_null(rules.catalogue);

    body = json_dumps(root, 0);
    len = strlen(body);
    copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, body, len);

    result = wholesale_update_validate(&rules, copy, len, &problems);

    if (result != WHOLESALE_UPDATE_INVALID || problems.total != 1
        || strcmp(problems.items[0].pointer, pointer) != 0
        || problems.items[0].code != code
        || strstr(problems.items[0].description, "has to be ") == NULL)
    {
        fail_msg("%s as %s: %s, %zu problems", pointer, what,
                 test_results[result], problems.total);
    }

    free(copy);
    free(body);
    test_pool_free(&pool);
}


/* a body may be cut anywhere: each is refused, with one place in it */

static void
test_every_length(void **state)
{
    char                      *body, *copy;
    size_t                     i, len;
    test_pool_t                pool, problems_pool;
    wholesale_problems_t       problems;
    wholesale_update_rules_t   rules;

    test_pool_init(&pool);
    test_pool_init(&problems_pool);

    memset(&rules, 0, sizeof(rules));
    rules.catalogue = wholesale_catalogue_create(&pool.pool, TEST_TZDATA);
    assert_non_null(rules.catalogue);

    body = test_file(TEST_REFERENCE, &len);

    while (len && body[len - 1] != '}') {
        len--;
    }

    for (i = 0; i < len; i++) {
        copy = malloc(i ? i : 1);
        assert_non_null(copy);
        memcpy(copy, body, i);

        wholesale_problems_init(&problems, &problems_pool.pool);

        assert_int_equal(wholesale_update_validate(&rules, copy, i, &problems),
                         WHOLESALE_UPDATE_INVALID);
        assert_int_equal(problems.total, 1);
        assert_string_equal(problems.items[0].pointer, "");

        test_pool_free(&problems_pool);
        free(copy);
    }

    free(body);
    test_pool_free(&pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_valid_cases),
        cmocka_unit_test(test_invalid_cases),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_every_length)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
