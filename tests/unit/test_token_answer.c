
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <wholesale_token_answer.h>


typedef struct {
    const char  *text;
    const char  *trouble;
} test_unusable_t;


static const test_unusable_t  test_unusable[] = {
    { "", "is empty" },
    { "<html></html>", "is not valid JSON" },
    { "{\"access_token\": \"a", "is not valid JSON" },
    { "{\"access_token\": \"a\", \"access_token\": \"b\"}",
      "is not valid JSON" },
    { "{\"access_token\": \"a\\u0000b\", \"expires_in\": 5}",
      "is not valid JSON" },
    { "{\"access_token\": \"a\", \"expires_in\": 1e999}",
      "is not valid JSON" },
    { "[]", "is not a JSON object" },
    { "{}", "has no access_token" },
    { "{\"access_token\": null}", "has an access_token that is no string" },
    { "{\"access_token\": {}}", "has an access_token that is no string" },
    { "{\"access_token\": \"\"}",
      "has an access_token that a header cannot hold" },
    { "{\"access_token\": \"a b\"}",
      "has an access_token that a header cannot hold" },
    { "{\"access_token\": \"a\\r\\nb\"}",
      "has an access_token that a header cannot hold" },
    { "{\"access_token\": \"a\\u007f\"}",
      "has an access_token that a header cannot hold" },
    { "{\"access_token\": \"\\u00e9\"}",
      "has an access_token that a header cannot hold" },
    { "{\"access_token\": \"a\", \"token_type\": \"mac\"}",
      "has a token_type that is not Bearer" },
    { "{\"access_token\": \"a\", \"token_type\": 5}",
      "has a token_type that is not Bearer" },
    { "{\"access_token\": \"a\"}",
      "has no expires_in that is a whole number" },
    { "{\"access_token\": \"a\", \"expires_in\": \"5\"}",
      "has no expires_in that is a whole number" },
    { "{\"access_token\": \"a\", \"expires_in\": 5.0}",
      "has no expires_in that is a whole number" },
    { "{\"access_token\": \"a\", \"expires_in\": 1e308}",
      "has no expires_in that is a whole number" },
    { "{\"access_token\": \"a\", \"expires_in\": 0}",
      "has an expires_in of less than a second" },
    { "{\"access_token\": \"a\", \"expires_in\": -9223372036854775808}",
      "has an expires_in of less than a second" },
    { NULL, NULL }
};


static void
test_usable(void **state)
{
    const char                *text;
    wholesale_token_answer_t   answer;

    (void) state;

    text = "{\"access_token\": \"abc\", \"expires_in\": 1209599, "
           "\"refresh_token\": \"defg\", \"refresh_token_expires_in\": "
           "7775999, \"token_type\": \"bearer\", \"scope\": \"any\"}";

    assert_null(wholesale_token_answer_parse(&answer, text, strlen(text)));

    assert_int_equal(answer.access_token_len, 3);
    assert_string_equal(answer.access_token, "abc");
    assert_int_equal(answer.expires_in, 1209599);
    assert_int_equal(answer.refresh_token_len, 4);
    assert_string_equal(answer.refresh_token, "defg");
    assert_int_equal(answer.refresh_token_expires_in, 7775999);

    wholesale_token_answer_free(&answer);
    assert_null(answer.access_token);
}


static void
test_without_a_refresh_token(void **state)
{
    const char                *text;
    wholesale_token_answer_t   answer;

    (void) state;

    text = "{\"access_token\": \"abc\", \"expires_in\": 9223372036854775807, "
           "\"refresh_token\": \"d e\", \"refresh_token_expires_in\": -1}";

    assert_null(wholesale_token_answer_parse(&answer, text, strlen(text)));

    assert_int_equal(answer.expires_in, WHOLESALE_TOKEN_SECONDS_MAX);
    assert_null(answer.refresh_token);
    assert_int_equal(answer.refresh_token_expires_in, 0);

    wholesale_token_answer_free(&answer);
}


static void
test_unusable_answers(void **state)
{
    const char                *trouble;
    const test_unusable_t     *test;
    wholesale_token_answer_t   answer;

    (void) state;

    for (test = test_unusable; test->text; test++) {
        trouble = wholesale_token_answer_parse(&answer, test->text,
                                               strlen(test->text));
        assert_non_null(trouble);
        assert_string_equal(trouble, test->trouble);
        assert_null(answer.access_token);

        wholesale_token_answer_free(&answer);
    }
}


/* the rest may be of no use: the old refresh token may be dead by now */

static void
test_a_refresh_token_alone(void **state)
{
    const char                *text;
    wholesale_token_answer_t   answer;

    (void) state;

    text = "{\"expires_in\": 5, \"refresh_token\": \"abc\"}";

    assert_non_null(wholesale_token_answer_parse(&answer, text, strlen(text)));

    assert_null(answer.access_token);
    assert_string_equal(answer.refresh_token, "abc");

    wholesale_token_answer_free(&answer);
}


static void
test_sizes(void **state)
{
    int                        n;
    char                      *text;
    size_t                     len;
    wholesale_token_answer_t   answer;

    (void) state;

    for (len = WHOLESALE_TOKEN_MAX; len <= WHOLESALE_TOKEN_MAX + 1; len++) {
        text = malloc(len + 100);
        assert_non_null(text);

        n = sprintf(text, "{\"expires_in\": 5, \"access_token\": \"");
        memset(text + n, 'x', len);
        strcpy(text + n + len, "\"}");

        assert_int_equal(wholesale_token_answer_parse(&answer, text,
                                                      strlen(text)) == NULL,
                         len == WHOLESALE_TOKEN_MAX);

        wholesale_token_answer_free(&answer);
        free(text);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_usable),
        cmocka_unit_test(test_without_a_refresh_token),
        cmocka_unit_test(test_unusable_answers),
        cmocka_unit_test(test_a_refresh_token_alone),
        cmocka_unit_test(test_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
