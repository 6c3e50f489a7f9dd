
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

#include <wholesale_path.h>


typedef struct {
    const char        *uri;
    const char        *raw;
    wholesale_path_e   path;
    const char        *id;
} test_path_case_t;


static const test_path_case_t  test_paths[] = {
    { "/v1/wholesale/customers/abc", "/v1/wholesale/customers/abc",
      WHOLESALE_PATH_CALL, "abc" },
    { "/v1/wholesale/customers/abc=", "/v1/wholesale/customers/abc%3D",
      WHOLESALE_PATH_CALL, "abc%3D" },
    { "/v1/wholesale/customers/abc==", "/v1/wholesale/customers/abc=%3d",
      WHOLESALE_PATH_CALL, "abc=%3d" },
    { "/v1/wholesale/customers/abc==", "/v1/wholesale/customers/abc==",
      WHOLESALE_PATH_CALL, "abc==" },
    { "/wholesale/customers/abc", "/wholesale/customers/abc?a=b",
      WHOLESALE_PATH_CALL, "abc" },
    { "/a.b/...c/wholesale/customers/abc",
      "/a.b/...c/wholesale/customers/abc?/wholesale/customers/x",
      WHOLESALE_PATH_CALL, "abc" },
    { "/.../wholesale/customers/a", "/.../wholesale/customers/a",
      WHOLESALE_PATH_CALL, "a" },
    { "/v1/wholesale/customers/Validate",
      "/v1/wholesale/customers/Validate",
      WHOLESALE_PATH_CALL, "Validate" },

    { "/v1/wholesale/customers", "/v1/wholesale/customers",
      WHOLESALE_PATH_OTHER, "" },
    { "/v1/wholesale/customers/", "/v1/wholesale/customers/",
      WHOLESALE_PATH_OTHER, "" },
    { "/v1/wholesale/customers/validate",
      "/v1/wholesale/customers/validate", WHOLESALE_PATH_OTHER, "" },
    { "/v1/wholesale/customers/validate",
      "/v1/wholesale/customers/%76alidate",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc/", "/v1/wholesale/customers/abc/",
      WHOLESALE_PATH_OTHER, "" },
    { "/v1/wholesale/customers/abc/x", "/v1/wholesale/customers/abc%2fx",
      WHOLESALE_PATH_OTHER, "" },
    { "/v1/wholesale/subscribers/abc", "/v1/wholesale/subscribers/abc",
      WHOLESALE_PATH_OTHER, "" },
    { "/v1/wholesale/Customers/abc", "/v1/wholesale/Customers/abc",
      WHOLESALE_PATH_OTHER, "" },
    { "/v1/xwholesale/customers/abc", "/v1/xwholesale/customers/abc",
      WHOLESALE_PATH_OTHER, "" },
    { "/wholesale/customers/a/wholesale/customers/b",
      "/wholesale/customers/a/wholesale/customers/b",
      WHOLESALE_PATH_OTHER, "" },
    { "/", "/", WHOLESALE_PATH_OTHER, "" },
    { "", "", WHOLESALE_PATH_OTHER, "" },

    { "/v1/wholesale/customers/a.b", "/v1/wholesale/customers/a.b",
      WHOLESALE_PATH_BAD_ID, "" },
    { "/v1/wholesale/customers/..", "/v1/wholesale/customers/..",
      WHOLESALE_PATH_BAD_ID, "" },
    { "/v1/wholesale/customers/a;b", "/v1/wholesale/customers/a;b",
      WHOLESALE_PATH_BAD_ID, "" },
    { "/v1/wholesale/customers/a===", "/v1/wholesale/customers/a===",
      WHOLESALE_PATH_BAD_ID, "" },
    { "/v1/wholesale/customers/a%3D", "/v1/wholesale/customers/a%253D",
      WHOLESALE_PATH_BAD_ID, "" },
    { "/v1/wholesale/customers/a b", "/v1/wholesale/customers/a%20b",
      WHOLESALE_PATH_BAD_ID, "" },

    { "/v1/wholesale/customers/abc", "/v1/wholesale/customers/%61bc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1//wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1/x/../wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1/wholesale%2fcustomers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1/wholesale/customers/abcd",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1/wholesale/customers/ab",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc=", "/v1/wholesale/customers/abc%3E",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1/whole",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/wholesale/customers/abc", "/v1/wholesale/customers/abc#x",
      WHOLESALE_PATH_AMBIGUOUS, "" },

    /* where the server merges and resolves nothing, or was rewritten */
    { "//wholesale/customers/abc", "//wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/./wholesale/customers/abc", "/./wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1/../wholesale/customers/abc", "/v1/../wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1;x/wholesale/customers/abc", "/v1;x/wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v1\\/wholesale/customers/abc", "/v1\\/wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v%31/wholesale/customers/abc", "/v%31/wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v\r\n/wholesale/customers/abc", "/v\r\n/wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" },
    { "/v\xc3\xa9/wholesale/customers/abc",
      "/v\xc3\xa9/wholesale/customers/abc", WHOLESALE_PATH_AMBIGUOUS, "" },
    { "x/wholesale/customers/abc", "x/wholesale/customers/abc",
      WHOLESALE_PATH_AMBIGUOUS, "" }
};


static void
test_id(void **state)
{
    size_t  i, len;
    char    id[WHOLESALE_ID_MAX + 3];

    static const struct {
        const char  *id;
        size_t       len;
    } ids[] = {
        { "a", 1 },
        { "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0U", 35 },
        { "abc=", 3 },
        { "abc==", 3 },
        { "abc%3D", 3 },
        { "abc%3d%3D", 3 },
        { "abc=%3D", 3 },
        { "-_0Z", 4 },
        { "validate", 8 },

        { "", 0 },
        { "=", 0 },
        { "%3D", 0 },
        { "abc===", 0 },
        { "abc%3D%3D%3D", 0 },
        { "abc=d", 0 },
        { "abc%3Dd", 0 },
        { "abc%3", 0 },
        { "abc%", 0 },
        { "abc%3E", 0 },
        { "abc%2f", 0 },
        { "abc%61", 0 },
        { "a.b", 0 },
        { "..", 0 },
        { "a/b", 0 },
        { "a;b", 0 },
        { "a+b", 0 },
        { "a b", 0 },
        { "a\nb", 0 },
        { "\xc3\xa9", 0 }
    };

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        len = wholesale_id_check(ids[i].id, strlen(ids[i].id));

        if (len != ids[i].len) {
            fail_msg("%s: %zu", ids[i].id, len);
        }

        if (len != 0) {
            assert_int_equal(wholesale_id_unpadded(ids[i].id,
                                                   strlen(ids[i].id)),
                             len);
        }
    }

    assert_int_equal(wholesale_id_check("a\0b", 3), 0);
    assert_int_equal(wholesale_id_unpadded("", 0), 0);

    memset(id, 'x', sizeof(id));

    assert_int_equal(wholesale_id_check(id, WHOLESALE_ID_MAX),
                     WHOLESALE_ID_MAX);
    assert_int_equal(wholesale_id_check(id, WHOLESALE_ID_MAX + 1), 0);

    id[WHOLESALE_ID_MAX] = '=';
    id[WHOLESALE_ID_MAX + 1] = '=';

    assert_int_equal(wholesale_id_check(id, WHOLESALE_ID_MAX + 2),
                     WHOLESALE_ID_MAX);
}


static void
test_id_equal(void **state)
{
    assert_true(wholesale_id_equal("abc", 3, "abc", 3));
    assert_true(wholesale_id_equal("abc==", 5, "abc", 3));
    assert_true(wholesale_id_equal("abc%3D", 6, "abc=", 4));
    assert_false(wholesale_id_equal("abc", 3, "abd", 3));
    assert_false(wholesale_id_equal("abc", 3, "ABC", 3));
    assert_false(wholesale_id_equal("abc", 3, "ab", 2));
    assert_false(wholesale_id_equal("", 0, "", 0));
    assert_false(wholesale_id_equal("a.b", 3, "a.b", 3));
    assert_false(wholesale_id_equal("abc===", 6, "abc", 3));
}


static void
test_path(void **state)
{
    size_t                   i;
    wholesale_path_e         path;
    wholesale_slice_t        id;
    const test_path_case_t  *test;
    const wholesale_call_t  *call;

    for (i = 0; i < sizeof(test_paths) / sizeof(test_paths[0]); i++) {
        test = &test_paths[i];

        path = wholesale_path_call(test->uri, strlen(test->uri), test->raw,
                                   strlen(test->raw), &call, &id);

        if (path == WHOLESALE_PATH_CALL && !call->customer) {
            path = WHOLESALE_PATH_OTHER;
            id.len = 0;
        }

        if (path != test->path || id.len != strlen(test->id)
            || memcmp(id.data, test->id, id.len) != 0)
        {
            fail_msg("%s as %s: %d, %.*s", test->uri, test->raw, path,
                     (int) id.len, id.data);
        }
    }
}


static void
test_calls(void **state)
{
    size_t                   i;
    wholesale_path_e         path;
    wholesale_slice_t        id;
    const wholesale_call_t  *call;

    static const struct {
        const char  *path;
        unsigned     methods;
        const char  *id;
    } calls[] = {
        { "/v1/wholesale/customers", WHOLESALE_GET|WHOLESALE_POST, "" },
        { "/v1/wholesale/customers/validate", WHOLESALE_POST, "" },
        { "/v1/wholesale/customers/abc%3D",
          WHOLESALE_GET|WHOLESALE_PUT|WHOLESALE_DELETE, "abc%3D" },
        { "/v1/wholesale/subPartners", WHOLESALE_GET, "" },
        { "/v1/wholesale/subscribers", WHOLESALE_GET|WHOLESALE_POST, "" },
        { "/v1/wholesale/subscribers/validate", WHOLESALE_POST, "" },
        { "/v1/wholesale/subscribers/abc",
          WHOLESALE_GET|WHOLESALE_PUT|WHOLESALE_DELETE, "abc" },
        { "/v1/wholesale/billing/reports", WHOLESALE_GET|WHOLESALE_POST, "" },
        { "/v1/wholesale/billing/reports/abc",
          WHOLESALE_GET|WHOLESALE_DELETE, "abc" }
    };

    static const char  *others[] = {
        "/v1/wholesale/", "/v1/wholesale/customer", "/v1/wholesale/customers/",
        "/v1/wholesale/customers/a/b", "/v1/wholesale/subpartners",
        "/v1/wholesale/subPartners/abc", "/v1/wholesale/billing",
        "/v1/wholesale/billing/reports/", "/v1/people",
        "/v1/wholesale/customers/a/wholesale/customers/b"
    };

    for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        path = wholesale_path_call(strstr(calls[i].path, "%3D")
                                   ? "/v1/wholesale/customers/abc="
                                   : calls[i].path,
                                   strlen(calls[i].path)
                                   - (strstr(calls[i].path, "%3D") ? 2 : 0),
                                   calls[i].path, strlen(calls[i].path),
                                   &call, &id);

        assert_int_equal(path, WHOLESALE_PATH_CALL);
        assert_int_equal(call->methods, calls[i].methods);
        assert_int_equal(id.len, strlen(calls[i].id));
        assert_memory_equal(id.data, calls[i].id, id.len);
    }

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        path = wholesale_path_call(others[i], strlen(others[i]), others[i],
                                   strlen(others[i]), &call, &id);
        assert_int_equal(path, WHOLESALE_PATH_OTHER);
    }
}


static void
test_query(void **state)
{
    size_t                   i;
    wholesale_slice_t        id;
    wholesale_sub_partner_e  found;

    static const struct {
        const char               *query;
        wholesale_sub_partner_e   found;
        const char               *id;
    } queries[] = {
        { "", WHOLESALE_SUB_PARTNER_NONE, "" },
        { "a=b&c", WHOLESALE_SUB_PARTNER_NONE, "" },
        { "&&=&", WHOLESALE_SUB_PARTNER_NONE, "" },
        { "onBehalf=x&of=y", WHOLESALE_SUB_PARTNER_NONE, "" },
        { "onBehalfOf=x", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a=onBehalf%26onBehalfOfSubPartnerOrgId%3Dx",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a=1%26onBehalfOfSubPartnerOrgId=x",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOf%C5%BFubPartnerOrgId=x",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a=%25%25%25%25%25%256fnBehalf", WHOLESALE_SUB_PARTNER_NONE, "" },
        { "a=%2525252525252525", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgIds=x", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "xonBehalfOfSubPartnerOrgId=x", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a=onBehalfOfSubPartnerOrgId", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a=%6FnBehalfOfSubPartnerOrgId=x", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a%zz%4=1&caf%C3%A9onBehalfOfSubPartnerOrgId=1",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a%zzonBehalfOfSubPartnerOrgId%4=1",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "%20%20%20%20%20%20%20%20%20%20%20%20onBehalf=1",
          WHOLESALE_SUB_PARTNER_NONE, "" },

        { "onBehalfOfSubPartnerOrgId=abc", WHOLESALE_SUB_PARTNER_ONE, "abc" },
        { "a=b&onBehalfOfSubPartnerOrgId=abc%3D&c=d",
          WHOLESALE_SUB_PARTNER_ONE, "abc%3D" },
        { "onBehalfOfSubPartnerOrgId=onBehalfOfSubPartnerOrgId&",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },

        { "onBehalfOfSubPartnerOrgId=abc&onBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_DOUBLED, "" },
        { "onBehalfOfSubPartnerOrgId=&onBehalfOfSubPartnerOrgId",
          WHOLESALE_SUB_PARTNER_DOUBLED, "" },

        { "onbehalfofsubpartnerorgid=abc", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "OnBehalfOfSubPartnerOrgID", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "%6fnBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgI%64=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "%256FnBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "%2525254fnBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "+onBehalfOfSubPartnerOrgId=abc", WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgId%20=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgId%00x=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "%7fonBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgId[]=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgId%5B0%5D=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "a=b;onBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { ";onBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgId=abc&ONBEHALFOFSUBPARTNERORGID=d",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onbehalfofsubpartnerorgid=d&onBehalfOfSubPartnerOrgId=abc",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },

        { "onBehalfOfSubPartnerOrgId", WHOLESALE_SUB_PARTNER_BAD_ID, "" },
        { "onBehalfOfSubPartnerOrgId=", WHOLESALE_SUB_PARTNER_BAD_ID, "" },
        { "onBehalfOfSubPartnerOrgId=a%20b",
          WHOLESALE_SUB_PARTNER_BAD_ID, "" },
        { "onBehalfOfSubPartnerOrgId=%61bc",
          WHOLESALE_SUB_PARTNER_BAD_ID, "" },
        { "onBehalfOfSubPartnerOrgId=abc;onBehalfOfSubPartnerOrgId=d",
          WHOLESALE_SUB_PARTNER_HIDDEN, "" },
        { "onBehalfOfSubPartnerOrgId=a/b", WHOLESALE_SUB_PARTNER_BAD_ID, "" }
    };

    for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        found = wholesale_query_sub_partner(queries[i].query,
                                            strlen(queries[i].query), &id);

        if (found != queries[i].found || id.len != strlen(queries[i].id)
            || memcmp(id.data, queries[i].id, id.len) != 0)
        {
            fail_msg("%s: %d, %.*s", queries[i].query, found, (int) id.len,
                     id.data);
        }
    }
}


/* what is too long to look through may hide it */

static void
test_query_too_long(void **state)
{
    char               query[8193];
    wholesale_slice_t  id;

    memset(query, 'x', sizeof(query));

    assert_int_equal(wholesale_query_sub_partner(query, 8192, &id),
                     WHOLESALE_SUB_PARTNER_NONE);
    assert_int_equal(wholesale_query_sub_partner(query, 8193, &id),
                     WHOLESALE_SUB_PARTNER_HIDDEN);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_id_equal),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_too_long)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
