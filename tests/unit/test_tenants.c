
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

#include <wholesale_tenants.h>

#include "test_file.h"


#define TEST_CASES       "tests/unit/tenants"
#define TEST_PATH_SIZE   512
#define TEST_TEXT_SIZE   4096


/* a member and the values, of those below, that are right for it */

typedef struct {
    const char  *format;
    const char  *path;
    const char  *right;
} test_member_t;


typedef struct {
    char         tag;
    const char  *text;
} test_value_t;


static void test_directory(const char *kind,
    void (*test)(const char *name, const char *text, size_t len,
                 json_t *expected));
static void test_valid(const char *name, const char *text, size_t len,
    json_t *expected);
static void test_invalid(const char *name, const char *text, size_t len,
    json_t *expected);
static json_t *test_describe(const wholesale_tenants_t *tenants);
static json_t *test_describe_tenant(const wholesale_tenant_t *tenant);
static json_t *test_describe_limit(const wholesale_limit_t *limit);
static json_t *test_describe_list(const char *const *elts, size_t n);
static void test_equal(const char *name, json_t *actual, json_t *expected);
static void test_mistake(void *data, const char *path, const char *sentence);
static void test_ignore(void *data, const char *path, const char *sentence);
static wholesale_tenants_t *test_parse(const char *text);
static void test_refused(const char *text, const char *path,
    const char *sentence);


static const test_value_t  test_values[] = {
    { 'n', "null" },
    { 't', "true" },
    { 'f', "false" },
    { 'i', "17" },
    { 'z', "-1" },
    { 'r', "1.5" },
    { 's', "\"text\"" },
    { 'b', "\"\"" },
    { 'e', "[]" },
    { 'o', "{}" },
    { 'a', "[\"text\"]" },
    { 'l', "[null]" },
    { 'm', "[17]" },
    { 'p', "[true]" },
    { 'q', "[[]]" },
    { 'u', "[{}]" },
    { 'v', "[\"\"]" },
    { 'w', "[\"with blanks\"]" }
};


#define TEST_TENANT(member)  "{\"tenants\": {\"x\": {" member "}}}"
#define TEST_LIMIT(member)                                                    \
    TEST_TENANT("\"limits\": [{\"name\": \"n\", " member "}]")


static const test_member_t  test_members[] = {

    { "%s", "the file", "" },
    { "{\"plans\": %s, \"tenants\": {\"x\": {\"limits\": []}}}",
      "plans", "o" },
    { "{\"plans\": {\"p\": %s}, \"tenants\": {\"x\": {\"limits\": []}}}",
      "plans.p", "" },
    { "{\"plans\": {\"p\": {\"limits\": %s}},"
      " \"tenants\": {\"x\": {\"limits\": []}}}", "plans.p.limits", "e" },

    { "{\"tenants\": %s}", "tenants", "" },
    { "{\"tenants\": {\"x\": %s}}", "tenants.x", "" },
    { TEST_TENANT("\"plan\": %s"), "tenants.x.plan", "" },
    { TEST_TENANT("\"limits\": %s"), "tenants.x.limits", "e" },
    { TEST_TENANT("\"limits\": [], \"keys\": %s"), "tenants.x.keys", "e" },
    { TEST_TENANT("\"limits\": [], \"certificates\": %s"),
      "tenants.x.certificates", "e" },
    { TEST_TENANT("\"limits\": [], \"credential\": %s"),
      "tenants.x.credential", "s" },
    { TEST_TENANT("\"limits\": [], \"subPartnerOrgIds\": %s"),
      "tenants.x.subPartnerOrgIds", "a" },
    { TEST_TENANT("\"limits\": [], \"customers\": %s"),
      "tenants.x.customers", "a" },
    { TEST_TENANT("\"limits\": [], \"packages\": %s"),
      "tenants.x.packages", "a" },
    { TEST_TENANT("\"limits\": [], \"emptyPackages\": %s"),
      "tenants.x.emptyPackages", "" },
    { TEST_TENANT("\"limits\": [], \"dryRun\": %s"),
      "tenants.x.dryRun", "tf" },
    { TEST_TENANT("\"limits\": [], \"enabled\": %s"),
      "tenants.x.enabled", "tf" },
    { TEST_TENANT("\"limits\": [], \"other\": %s"), "tenants.x.other", "" },

    { TEST_TENANT("\"limits\": [%s]"), "tenants.x.limits[0]", "" },
    { TEST_TENANT("\"limits\": [{\"rate\": \"1/s\", \"name\": %s}]"),
      "tenants.x.limits[0].name", "s" },
    { TEST_LIMIT("\"rate\": %s"), "tenants.x.limits[0].rate", "" },
    { TEST_LIMIT("\"rate\": \"1/s\", \"burst\": %s"),
      "tenants.x.limits[0].burst", "i" },
    { TEST_LIMIT("\"window\": \"1s\", \"quota\": %s"),
      "tenants.x.limits[0].quota", "i" },
    { TEST_LIMIT("\"quota\": 1, \"window\": %s"),
      "tenants.x.limits[0].window", "" },
    { TEST_LIMIT("\"rate\": \"1/s\", \"per\": %s"),
      "tenants.x.limits[0].per", "" },
    { TEST_LIMIT("\"rate\": \"1/s\", \"dryRun\": %s"),
      "tenants.x.limits[0].dryRun", "tf" },
    { TEST_LIMIT("\"rate\": \"1/s\", \"other\": %s"),
      "tenants.x.limits[0].other", "" }
};


static void
test_tenants_valid(void **state)
{
    test_directory("valid", test_valid);
}


static void
test_tenants_invalid(void **state)
{
    test_directory("invalid", test_invalid);
}


/* one mistake at least, and the first is told at the member or inside it */

static void
test_tenants_types(void **state)
{
    char                  text[TEST_TEXT_SIZE];
    size_t                i, j;
    json_t               *told;
    const char           *path;
    wholesale_tenants_t  *tenants;

    for (i = 0; i < sizeof(test_members) / sizeof(test_members[0]); i++) {
        for (j = 0; j < sizeof(test_values) / sizeof(test_values[0]); j++) {

            (void) snprintf(text, sizeof(text), test_members[i].format,
                            test_values[j].text);

            told = json_array();

            tenants = wholesale_tenants_parse(text, strlen(text),
                                              NULL, test_mistake, told);

            if (strchr(test_members[i].right, test_values[j].tag) != NULL) {
                assert_non_null(tenants);
                assert_int_equal(json_array_size(told), 0);

            } else {
                assert_null(tenants);

                path = json_string_value(json_array_get(
                                         json_array_get(told, 0), 0));
                assert_non_null(path);

                if (strncmp(path, test_members[i].path,
                            strlen(test_members[i].path)) != 0)
                {
                    fail_msg("%s: the mistake is at %s", text, path);
                }
            }

            json_decref(told);
            wholesale_tenants_destroy(tenants);
        }
    }
}


static void
test_tenants_lengths(void **state)
{
    char                  name[WHOLESALE_TENANTS_ID_MAX + 4];
    char                  text[TEST_TEXT_SIZE];
    size_t                i, len;
    wholesale_tenants_t  *tenants;

    static const struct {
        const char  *format;
        size_t       max;
    } tests[] = {
        { "{\"tenants\": {\"%s\": {\"limits\": []}}}",
          WHOLESALE_TENANTS_NAME_MAX },
        { TEST_TENANT("\"limits\": [], \"credential\": \"%s\""),
          WHOLESALE_TENANTS_NAME_MAX },
        { TEST_TENANT("\"limits\": [], \"packages\": [\"%s\"]"),
          WHOLESALE_TENANTS_NAME_MAX },
        { TEST_TENANT("\"limits\": [], \"customers\": [\"%s\"]"),
          WHOLESALE_TENANTS_ID_MAX },
        { TEST_TENANT("\"limits\": [], \"subPartnerOrgIds\": [\"%s\"]"),
          WHOLESALE_TENANTS_ID_MAX },
        { TEST_TENANT("\"limits\": [{\"name\": \"%s\", \"rate\": \"1/s\"}]"),
          WHOLESALE_LIMIT_NAME_MAX }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        for (len = tests[i].max - 1; len <= tests[i].max + 1; len++) {

            memset(name, 'a', len);
            name[len] = '\0';

            (void) snprintf(text, sizeof(text), tests[i].format, name);

            tenants = test_parse(text);
            assert_int_equal(tenants != NULL, len <= tests[i].max);
            wholesale_tenants_destroy(tenants);
        }
    }
}


/* a hundred one by one, in order, and the number of the others */

static void
test_tenants_many_mistakes(void **state)
{
    char    *text, *p;
    size_t   i;
    json_t  *told, *last;

    text = malloc(150 * 32 + 64);
    assert_non_null(text);

    p = text + sprintf(text, "{\"tenants\": {\"x\": {\"limits\": []");

    for (i = 0; i < 150; i++) {
        p += sprintf(p, ", \"unknown-%zu\": null", i);
    }

    (void) sprintf(p, "}}}");

    told = json_array();

    assert_null(wholesale_tenants_parse(text, strlen(text), NULL, test_mistake,
                                        told));

    assert_int_equal(json_array_size(told),
                     WHOLESALE_MISTAKES_MAX + 1);

    last = json_array_get(told, 0);
    assert_string_equal(json_string_value(json_array_get(last, 0)),
                        "tenants.x.unknown-0");

    last = json_array_get(told, WHOLESALE_MISTAKES_MAX - 1);
    assert_string_equal(json_string_value(json_array_get(last, 0)),
                        "tenants.x.unknown-99");

    last = json_array_get(told, WHOLESALE_MISTAKES_MAX);
    assert_string_equal(json_string_value(json_array_get(last, 0)),
                        "the file");
    assert_string_equal(json_string_value(json_array_get(last, 1)),
                        "and 50 more");

    json_decref(told);
    free(text);
}


static void
test_tenants_bytes(void **state)
{
    char    *text;
    size_t   len;
    json_t  *told;

    test_refused("", "the file", "is empty");
    test_refused(" \n\t", "the file", "is empty");
    test_refused("\xef\xbb\xbf{\"tenants\": {}}", "the file",
                 "begins with a byte order mark");
    test_refused("\xff\xfe{", "line 1, column 0",
                 "is not JSON: unable to decode byte 0xff");

    /* a NUL is no end */

    told = json_array();

    assert_null(wholesale_tenants_parse("{\"tenants\": {\"x\": {\"limits\":"
                                        " []}}}\0", 32, NULL, test_mistake,
                                        told));
    assert_int_equal(json_array_size(told), 1);

    json_decref(told);

    /* so deep that nothing should follow it down */

    len = 100000;
    text = malloc(len + 1);
    assert_non_null(text);

    memset(text, '[', len);
    text[len] = '\0';

    test_refused(text, "line 1, column 2049",
                 "is not JSON: maximum parsing depth reached");

    free(text);

    /* too long: not even looked at */

    told = json_array();

    assert_null(wholesale_tenants_parse("", WHOLESALE_TENANTS_TEXT_MAX + 1,
                                        NULL, test_mistake, told));
    assert_int_equal(json_array_size(told), 1);

    json_decref(told);
}


/* an operator's slip: the key itself, where its digest belongs */

static void
test_tenants_secret(void **state)
{
    char    *all;
    size_t   i;
    json_t  *told;

    static const char  *texts[] = {
        TEST_TENANT("\"limits\": [], \"keys\": [\"s3cret\"]"),
        TEST_TENANT("\"limits\": [], \"keys\": \"s3cret\""),
        TEST_TENANT("\"limits\": [], \"keys\": [[\"s3cret\"]]"),
        TEST_TENANT("\"limits\": [], \"keys\": [\"sha256:s3cret\"]"),
        TEST_TENANT("\"limits\": [], \"certificates\": [\"s3cret\"]"),
        TEST_TENANT("\"limits\": [], \"key\": \"s3cret\""),
        TEST_TENANT("\"limits\": [], \"keys\": [s3cret]"),
        TEST_TENANT("\"limits\": [], \"keys\": [\"s3cret]"),
        TEST_TENANT("\"limits\": [], \"keys\": [\"s3cret\" \"x\"]"),
        TEST_TENANT("\"limits\": [], \"keys\": [\"s3cret\n\"]"),
        TEST_TENANT("\"limits\": [], \"keys\": [] \"s3cret\"")
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        told = json_array();

        assert_null(wholesale_tenants_parse(texts[i], strlen(texts[i]),
                                            NULL, test_mistake, told));
        assert_true(json_array_size(told) > 0);

        all = json_dumps(told, 0);
        assert_non_null(all);
        assert_null(strstr(all, "s3c"));

        free(all);
        json_decref(told);
    }
}


static void
test_directory(const char *kind,
    void (*test)(const char *name, const char *text, size_t len,
                 json_t *expected))
{
    DIR            *dir;
    char            path[TEST_PATH_SIZE], *text;
    size_t          len, n;
    json_t         *expected;
    json_error_t    error;
    struct dirent  *entry;

    (void) snprintf(path, sizeof(path), TEST_CASES "/%s", kind);

    dir = opendir(path);
    assert_non_null(dir);

    n = 0;

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        (void) snprintf(path, sizeof(path), TEST_CASES "/%s/%s/input.json",
                        kind, entry->d_name);
        text = test_file(path, &len);

        (void) snprintf(path, sizeof(path), TEST_CASES "/%s/%s/expected.json",
                        kind, entry->d_name);
        expected = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
        assert_non_null(expected);

        test(entry->d_name, text, len, expected);

        json_decref(expected);
        free(text);
        n++;
    }

    closedir(dir);

    assert_true(n > 0);
}


static void
test_valid(const char *name, const char *text, size_t len, json_t *expected)
{
    json_t               *actual, *told, *none;
    wholesale_tenants_t  *tenants;

    none = json_array();
    told = json_array();

    tenants = wholesale_tenants_parse(text, len, NULL, test_mistake, told);

    test_equal(name, told, none);
    assert_non_null(tenants);

    actual = test_describe(tenants);
    test_equal(name, actual, expected);

    json_decref(actual);
    json_decref(told);
    json_decref(none);

    wholesale_tenants_destroy(tenants);
}


static void
test_invalid(const char *name, const char *text, size_t len, json_t *expected)
{
    json_t  *told;

    told = json_array();

    assert_null(wholesale_tenants_parse(text, len, NULL, test_mistake, told));

    test_equal(name, told, expected);

    json_decref(told);
}


static json_t *
test_describe(const wholesale_tenants_t *tenants)
{
    json_t                    *all;
    size_t                     i;
    const wholesale_tenant_t  *tenant;

    all = json_array();

    for (i = 0; i < wholesale_tenants_count(tenants); i++) {
        tenant = wholesale_tenants_nth(tenants, i);

        assert_int_equal(tenant->index, i);
        assert_int_equal(tenant->name_len, strlen(tenant->name));

        json_array_append_new(all, test_describe_tenant(tenant));
    }

    return all;
}


static json_t *
test_describe_tenant(const wholesale_tenant_t *tenant)
{
    json_t  *limits;
    size_t   i;

    limits = json_array();

    for (i = 0; i < tenant->nlimits; i++) {
        json_array_append_new(limits, test_describe_limit(&tenant->limits[i]));
    }

    return json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:b, s:o, s:o, s:b, s:b,"
                     " s:b}",
                     "name", tenant->name,
                     "plan", tenant->plan,
                     "credential", tenant->credential,
                     "limits", limits,
                     "sub_partners",
                     test_describe_list(tenant->sub_partners,
                                        tenant->nsub_partners),
                     "any_sub_partner", tenant->any_sub_partner,
                     "customers",
                     test_describe_list(tenant->customers,
                                        tenant->ncustomers),
                     "packages",
                     test_describe_list(tenant->packages, tenant->npackages),
                     "empty_packages_allowed", tenant->empty_packages_allowed,
                     "dry_run", tenant->dry_run,
                     "enabled", tenant->enabled);
}


static json_t *
test_describe_limit(const wholesale_limit_t *limit)
{
    assert_int_equal(limit->name_len, strlen(limit->name));

    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:b}",
                     "name", limit->name,
                     "kind",
                     limit->kind == WHOLESALE_LIMIT_RATE ? "rate" : "quota",
                     "per",
                     limit->per == WHOLESALE_LIMIT_PER_TENANT ? "tenant"
                                                              : "customer",
                     "quota", (json_int_t) limit->quota,
                     "window", (json_int_t) limit->window,
                     "interval", (json_int_t) limit->interval,
                     "dry_run", (int) limit->dry_run);
}


static json_t *
test_describe_list(const char *const *elts, size_t n)
{
    json_t  *list;
    size_t   i;

    if (elts == NULL) {
        assert_int_equal(n, 0);
        return json_null();
    }

    assert_true(n > 0);

    list = json_array();

    for (i = 0; i < n; i++) {
        json_array_append_new(list, json_string(elts[i]));
    }

    return list;
}


static void
test_equal(const char *name, json_t *actual, json_t *expected)
{
    char  *text;

    if (json_equal(actual, expected)) {
        return;
    }

    text = json_dumps(actual, JSON_INDENT(2));

    fail_msg("%s: got %s", name, text);
}


static void
test_mistake(void *data, const char *path, const char *sentence)
{
    json_t  *told = data;

    json_array_append_new(told, json_pack("[s, s]", path, sentence));
}


static void
test_ignore(void *data, const char *path, const char *sentence)
{
}


static wholesale_tenants_t *
test_parse(const char *text)
{
    return wholesale_tenants_parse(text, strlen(text), NULL, test_ignore, NULL);
}


/* the only mistake is at this path, and its sentence begins like this */

static void
test_refused(const char *text, const char *path, const char *sentence)
{
    json_t  *told, *mistake;

    told = json_array();

    assert_null(wholesale_tenants_parse(text, strlen(text), NULL, test_mistake,
                                        told));

    assert_int_equal(json_array_size(told), 1);

    mistake = json_array_get(told, 0);

    assert_string_equal(json_string_value(json_array_get(mistake, 0)), path);
    assert_memory_equal(json_string_value(json_array_get(mistake, 1)),
                        sentence, strlen(sentence));

    json_decref(told);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_tenants_valid),
        cmocka_unit_test(test_tenants_invalid),
        cmocka_unit_test(test_tenants_types),
        cmocka_unit_test(test_tenants_lengths),
        cmocka_unit_test(test_tenants_many_mistakes),
        cmocka_unit_test(test_tenants_bytes),
        cmocka_unit_test(test_tenants_secret)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
