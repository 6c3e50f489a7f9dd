
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

#include <wholesale_text.h>


static void
test_decode(void **state)
{
    size_t       i;
    const char  *p, *end;

    static const struct {
        const char  *text;
        uint32_t     c;
        size_t       len;
    } texts[] = {
        { "a", 'a', 1 },
        { "\x7f", 0x7f, 1 },
        { "\xc2\x80", 0x80, 2 },
        { "\xdf\xbf", 0x7ff, 2 },
        { "\xe0\xa0\x80", 0x800, 3 },
        { "\xed\x9f\xbf", 0xd7ff, 3 },
        { "\xee\x80\x80", 0xe000, 3 },
        { "\xef\xbf\xbf", 0xffff, 3 },
        { "\xf0\x90\x80\x80", 0x10000, 4 },
        { "\xf4\x8f\xbf\xbf", 0x10ffff, 4 },

        { "\x80", WHOLESALE_NOT_UTF8, 1 },
        { "\xbf", WHOLESALE_NOT_UTF8, 1 },
        { "\xc0\x80", WHOLESALE_NOT_UTF8, 1 },
        { "\xc1\xbf", WHOLESALE_NOT_UTF8, 1 },
        { "\xc2", WHOLESALE_NOT_UTF8, 1 },
        { "\xc2 ", WHOLESALE_NOT_UTF8, 1 },
        { "\xe0\x9f\xbf", WHOLESALE_NOT_UTF8, 1 },
        { "\xe2\x82", WHOLESALE_NOT_UTF8, 1 },
        { "\xe2\x82 ", WHOLESALE_NOT_UTF8, 1 },
        { "\xed\xa0\x80", WHOLESALE_NOT_UTF8, 1 },
        { "\xf0\x8f\xbf\xbf", WHOLESALE_NOT_UTF8, 1 },
        { "\xf4\x90\x80\x80", WHOLESALE_NOT_UTF8, 1 },
        { "\xf5\x80\x80\x80", WHOLESALE_NOT_UTF8, 1 },
        { "\xff", WHOLESALE_NOT_UTF8, 1 }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        p = texts[i].text;
        end = p + strlen(p);

        assert_int_equal(wholesale_text_decode(&p, end), texts[i].c);
        assert_int_equal(p - texts[i].text, texts[i].len);
    }
}


/* every character, and back */

static void
test_encode(void **state)
{
    char         encoded[WHOLESALE_UTF8_MAX];
    size_t       len;
    uint32_t     c;
    const char  *p;

    for (c = 0; c <= 0x10ffff; c++) {

        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }

        p = encoded;
        len = wholesale_text_encode(encoded, c);

        assert_int_equal(wholesale_text_decode(&p, encoded + len), c);
        assert_ptr_equal(p, encoded + len);
    }
}


static void
test_length(void **state)
{
    assert_int_equal(wholesale_text_length("", 0), 0);
    assert_int_equal(wholesale_text_length("abc", 3), 3);
    assert_int_equal(wholesale_text_length("\xc3\xa9\xe2\x82\xac", 5), 2);
    assert_int_equal(wholesale_text_length("\xf0\x9f\x8f\xa2", 4), 1);
}


/* at every offset, since eight bytes are looked at together */

static void
test_control(void **state)
{
    int            expected;
    char           text[24];
    size_t         i, len;
    unsigned       c;
    const char    *found;

    for (c = 0; c < 256; c++) {
        expected = (c < 0x20 || c == 0x7f);

        for (len = 1; len <= sizeof(text); len++) {
            for (i = 0; i < len; i++) {
                memset(text, (i % 2) ? ' ' : '~', sizeof(text));
                text[i] = (char) c;

                found = wholesale_text_control(text, len);

                assert_ptr_equal(found, expected ? text + i : NULL);
            }
        }
    }

    memset(text, 0xff, sizeof(text));
    assert_null(wholesale_text_control(text, sizeof(text)));

    text[20] = '\n';
    text[10] = '\t';
    assert_ptr_equal(wholesale_text_control(text, sizeof(text)), text + 10);
    assert_null(wholesale_text_control(text, 0));
}


/* the same, and whatever follows the first */

static void
test_plain(void **state)
{
    int       plain;
    char      text[24];
    size_t    i, len;
    unsigned  c, other;

    static const char  others[] = { '\0', '~', '"', '\\', (char) 0xff };

    for (c = 0; c < 256; c++) {
        plain = (c >= 0x20 && c < 0x80 && c != '"' && c != '\\');

        for (len = 1; len <= sizeof(text); len++) {
            for (i = 0; i < len; i++) {
                for (other = 0; other < sizeof(others); other++) {
                    memset(text, (i % 2) ? ' ' : 0x7f, i);
                    memset(text + i, plain ? 'a' : others[other], len - i);
                    text[i] = (char) c;

                    assert_int_equal(wholesale_text_plain(text, len),
                                     plain ? len : i);
                }
            }
        }
    }

    assert_int_equal(wholesale_text_plain("", 0), 0);
}


static void
test_quote(void **state)
{
    char    quoted[WHOLESALE_QUOTED_MAX], *text;
    size_t  i, len;

    static const struct {
        const char  *text;
        const char  *quoted;
    } texts[] = {
        { "", "\"\"" },
        { "abc", "\"abc\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "\xc3\xa9", "\"\xc3\xa9\"" },
        { "a\r\n\tb", "\"a\\u000d\\u000a\\u0009b\"" },
        { "\x7f\xc2\x85", "\"\\u007f\\u0085\"" },
        { "\xe2\x80\xae", "\"\\u202e\"" },
        { "\xe2\x80\xa8", "\"\\u2028\"" },
        { "\xef\xbb\xbf", "\"\\ufeff\"" },
        { "\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"" },
        { "\xf0\x9f\x8f\xa2", "\"\xf0\x9f\x8f\xa2\"" },
        { "\xf3\xb0\x80\x80", "\"\xf3\xb0\x80\x80\"" },
        { "\xff\x80", "\"\\xFF\\x80\"" }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len = wholesale_text_quote(quoted, texts[i].text,
                                   strlen(texts[i].text));

        assert_string_equal(quoted, texts[i].quoted);
        assert_int_equal(len, strlen(quoted));
    }

    /* exactly as much as is shown, and one byte more */

    text = malloc(WHOLESALE_SHOWN_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', WHOLESALE_SHOWN_MAX + 1);

    len = wholesale_text_quote(quoted, text, WHOLESALE_SHOWN_MAX);
    assert_int_equal(len, WHOLESALE_SHOWN_MAX + 2);

    len = wholesale_text_quote(quoted, text, WHOLESALE_SHOWN_MAX + 1);
    assert_int_equal(len, WHOLESALE_SHOWN_MAX + 5);
    assert_string_equal(quoted + len - 5, "x\"...");

    /* a character is not split */

    memcpy(text + WHOLESALE_SHOWN_MAX - 1, "\xc3\xa9", 2);

    len = wholesale_text_quote(quoted, text, WHOLESALE_SHOWN_MAX + 1);
    assert_int_equal(len, WHOLESALE_SHOWN_MAX + 4);
    assert_string_equal(quoted + len - 5, "x\"...");

    /* the longest that there is */

    memset(text, 0x01, WHOLESALE_SHOWN_MAX + 1);

    len = wholesale_text_quote(quoted, text, WHOLESALE_SHOWN_MAX + 1);
    assert_int_equal(len, WHOLESALE_QUOTED_MAX - 1);

    free(text);
}


static void
test_list(void **state)
{
    size_t                 i;
    wholesale_text_list_t  list;

    wholesale_text_list_init(&list);
    assert_string_equal(list.data, "");

    wholesale_text_list_add(&list, "abc", 2);
    assert_string_equal(list.data, "ab");

    wholesale_text_list_add(&list, "c", 1);
    assert_string_equal(list.data, "ab, c");
    assert_int_equal(list.len, 5);

    for (i = 0; !list.cut; i++) {
        assert_true(i < WHOLESALE_LIST_MAX);
        wholesale_text_list_add(&list, "0123456789", 10);
        assert_int_equal(list.len, strlen(list.data));
        assert_true(list.len < WHOLESALE_LIST_MAX);
    }

    assert_true(list.len > WHOLESALE_LIST_MAX - 32);
    assert_string_equal(list.data + list.len - 10, "56789, ...");

    wholesale_text_list_add(&list, "a", 1);
    assert_string_equal(list.data + list.len - 10, "56789, ...");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_list)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
