
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

#include <wholesale_tenants.h>

#include "test_file.h"


#define TEST_WHOLE      "tests/unit/tenants/valid/whole/input.json"

#define TEST_MANY       20000
#define TEST_MANY_SIZE  512


static wholesale_tenants_t *test_parse(const char *text);
static void test_unexpected(void *data, const char *path,
    const char *sentence);


static void
test_tenants_lookups(void **state)
{
    size_t                     i, len;
    char                      *text;
    uint8_t                    digest[WHOLESALE_DIGEST_LEN];
    wholesale_tenants_t       *tenants;
    const wholesale_tenant_t  *acme, *globex;

    text = test_file(TEST_WHOLE, &len);
    tenants = wholesale_tenants_parse(text, len, NULL, test_unexpected, NULL);
    free(text);

    assert_non_null(tenants);
    assert_int_equal(wholesale_tenants_count(tenants), 2);

    acme = wholesale_tenants_nth(tenants, 0);
    globex = wholesale_tenants_nth(tenants, 1);

    assert_ptr_equal(wholesale_tenants_by_name(tenants, "acme", 4), acme);
    assert_ptr_equal(wholesale_tenants_by_name(tenants, "globex!", 6), globex);
    assert_null(wholesale_tenants_by_name(tenants, "acme", 3));
    assert_null(wholesale_tenants_by_name(tenants, "acme\0", 5));
    assert_null(wholesale_tenants_by_name(tenants, "Acme", 4));
    assert_null(wholesale_tenants_by_name(tenants, "", 0));

    memset(digest, 0xa1, WHOLESALE_DIGEST_LEN);
    assert_ptr_equal(wholesale_tenants_by_key(tenants, digest), acme);
    assert_null(wholesale_tenants_by_certificate(tenants, digest));

    memset(digest, 0xa2, WHOLESALE_DIGEST_LEN);
    assert_ptr_equal(wholesale_tenants_by_key(tenants, digest), acme);

    memset(digest, 0xb1, WHOLESALE_DIGEST_LEN);
    assert_ptr_equal(wholesale_tenants_by_key(tenants, digest), globex);

    memset(digest, 0xc1, WHOLESALE_DIGEST_LEN);
    assert_ptr_equal(wholesale_tenants_by_certificate(tenants, digest), acme);
    assert_null(wholesale_tenants_by_key(tenants, digest));

    memset(digest, 0xa1, WHOLESALE_DIGEST_LEN);

    for (i = 0; i < WHOLESALE_DIGEST_LEN; i++) {
        digest[i] ^= 1;
        assert_null(wholesale_tenants_by_key(tenants, digest));
        digest[i] ^= 1;
    }

    wholesale_tenants_destroy(tenants);
    wholesale_tenants_destroy(NULL);
}


static void
test_tenants_may(void **state)
{
    wholesale_tenants_t       *tenants;
    const wholesale_tenant_t  *some, *none, *any;

    tenants = test_parse("{\"tenants\": {"
        "\"some\": {\"limits\": [],"
                  " \"subPartnerOrgIds\": [\"b==\", \"aa\", \"ab=\"],"
                  " \"customers\": [\"z\", \"yy=\", \"yyy\"]},"
        "\"none\": {\"limits\": []},"
        "\"any\": {\"limits\": [], \"subPartnerOrgIds\": [\"*\"]}}}");

    assert_non_null(tenants);

    some = wholesale_tenants_nth(tenants, 0);
    none = wholesale_tenants_nth(tenants, 1);
    any = wholesale_tenants_nth(tenants, 2);

    assert_true(wholesale_tenant_may_act_for(some, "b", 1));
    assert_true(wholesale_tenant_may_act_for(some, "b=", 2));
    assert_true(wholesale_tenant_may_act_for(some, "b==", 3));
    assert_true(wholesale_tenant_may_act_for(some, "aa", 2));
    assert_true(wholesale_tenant_may_act_for(some, "aa==", 4));
    assert_true(wholesale_tenant_may_act_for(some, "abc", 2));
    assert_false(wholesale_tenant_may_act_for(some, "B", 1));
    assert_false(wholesale_tenant_may_act_for(some, "a", 1));
    assert_false(wholesale_tenant_may_act_for(some, "aaa", 3));
    assert_false(wholesale_tenant_may_act_for(some, "", 0));
    assert_false(wholesale_tenant_may_act_for(some, "==", 2));
    assert_false(wholesale_tenant_may_act_for(some, "*", 1));
    assert_false(wholesale_tenant_may_act_for(some, "b\0", 2));
    assert_false(wholesale_tenant_may_act_for(none, "b", 1));
    assert_false(wholesale_tenant_may_act_for(none, "", 0));
    assert_true(wholesale_tenant_may_act_for(any, "b", 1));

    assert_true(wholesale_tenant_may_update(some, "z", 1));
    assert_true(wholesale_tenant_may_update(some, "yy", 2));
    assert_true(wholesale_tenant_may_update(some, "yyy=", 4));
    assert_false(wholesale_tenant_may_update(some, "y", 1));
    assert_false(wholesale_tenant_may_update(some, "yyyy", 4));
    assert_false(wholesale_tenant_may_update(some, "b", 1));
    assert_true(wholesale_tenant_may_update(none, "z", 1));
    assert_true(wholesale_tenant_may_update(any, "z", 1));

    wholesale_tenants_destroy(tenants);
}


/* each has the right tenant, whatever the digests have in common */

static void
test_tenants_many(void **state)
{
    char                      *text, *p, name[32];
    size_t                     i;
    uint8_t                    digest[WHOLESALE_DIGEST_LEN];
    wholesale_tenants_t       *tenants;
    const wholesale_tenant_t  *tenant;

    text = malloc(TEST_MANY * TEST_MANY_SIZE);
    assert_non_null(text);

    p = text + sprintf(text, "{\"tenants\": {");

    for (i = 0; i < TEST_MANY; i++) {
        p += sprintf(p, "%s\"tenant-%zu\": {\"plan\": \"p\","
                     " \"keys\": [\"sha256:%064zx\"]}", i ? "," : "", i, i);
    }

    (void) sprintf(p, "}, \"plans\": {\"p\": {\"limits\":"
                   " [{\"name\": \"n\", \"rate\": \"1/s\"}]}}}");

    tenants = test_parse(text);
    free(text);

    assert_non_null(tenants);
    assert_int_equal(wholesale_tenants_count(tenants), TEST_MANY);

    memset(digest, 0, WHOLESALE_DIGEST_LEN);

    for (i = 0; i < TEST_MANY; i++) {
        digest[WHOLESALE_DIGEST_LEN - 2] = (uint8_t) (i >> 8);
        digest[WHOLESALE_DIGEST_LEN - 1] = (uint8_t) i;

        tenant = wholesale_tenants_by_key(tenants, digest);

        assert_ptr_equal(tenant, wholesale_tenants_nth(tenants, i));
        assert_int_equal(tenant->index, i);

        (void) snprintf(name, sizeof(name), "tenant-%zu", i);
        assert_string_equal(tenant->name, name);
        assert_ptr_equal(wholesale_tenants_by_name(tenants, name,
                                                   strlen(name)), tenant);

        /* the plan's limits are there once */

        assert_int_equal(tenant->nlimits, 1);
        assert_ptr_equal(tenant->limits,
                         wholesale_tenants_nth(tenants, 0)->limits);
    }

    wholesale_tenants_destroy(tenants);
}


static wholesale_tenants_t *
test_parse(const char *text)
{
    return wholesale_tenants_parse(text, strlen(text), NULL,
                                   test_unexpected, NULL);
}


static void
test_unexpected(void *data, const char *path, const char *sentence)
{
    fail_msg("%s: %s", path, sentence);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_tenants_lookups),
        cmocka_unit_test(test_tenants_may),
        cmocka_unit_test(test_tenants_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
