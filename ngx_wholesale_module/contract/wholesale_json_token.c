
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_json.h>
#include <wholesale_json_token.h>


/*
 * What stands for a number that no machine word holds; padded with spaces.
 * The shortest such number is 9e308.
 */
#define WHOLESALE_JSON_LARGE    "9223372036854775807"
#define WHOLESALE_JSON_SMALL    "-9223372036854775808"
#define WHOLESALE_JSON_REAL     "9e307"


static void wholesale_json_replace_number(char *p, size_t len);
static const char *wholesale_json_next_number(const char *p, const char *end);


uint32_t
wholesale_json_escaped(const char *p, const char *end)
{
    size_t    i;
    uint32_t  c;

    if (end - p < WHOLESALE_JSON_ESCAPE || p[0] != '\\' || p[1] != 'u') {
        return WHOLESALE_JSON_NOT_HEX;
    }

    c = 0;

    for (i = 2; i < WHOLESALE_JSON_ESCAPE; i++) {
        c <<= 4;

        if (p[i] >= '0' && p[i] <= '9') {
            c += p[i] - '0';

        } else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f') {
            c += (p[i] | 0x20) - 'a' + 10;

        } else {
            return WHOLESALE_JSON_NOT_HEX;
        }
    }

    return c;
}


size_t
wholesale_json_string_end(const char *text, size_t len)
{
    size_t       i;
    const char  *quote;

    quote = memchr(text, '"', len);

    if (quote == NULL) {
        return len;
    }

    if (memchr(text, '\\', quote - text) == NULL) {
        return quote - text;
    }

    for (i = 0; i < len && text[i] != '"'; i++) {
        if (text[i] == '\\') {
            i++;
        }
    }

    return (i < len) ? i : len;
}


const char *
wholesale_json_number(const char *p, const char *end)
{
    const char  *digits;

    if (*p == '-') {
        p++;
    }

    for (digits = p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */ }

    if (p == digits || (*digits == '0' && p - digits > 1)) {
        return NULL;
    }

    if (p < end && *p == '.') {
        for (digits = ++p; p < end && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }

        if (p == digits) {
            return NULL;
        }
    }

    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        for (digits = p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */ }

        if (p == digits) {
            return NULL;
        }
    }

    return p;
}


void
wholesale_json_replace_numbers(char *text, size_t len)
{
    char        *p;
    const char  *last, *end;

    end = text + len;

    for (p = text; ; p += last - p) {
        p += wholesale_json_next_number(p, end) - p;

        if (p == end) {
            return;
        }

        last = wholesale_json_number(p, end);

        /* a fault, which must remain one: jansson comes no further */

        if (last == NULL
            || (last < end && strchr(" \t\r\n,]}", *last) == NULL))
        {
            return;
        }

        wholesale_json_replace_number(p, last - p);
    }
}


size_t
wholesale_json_long_number(const char *text, size_t len, size_t *position)
{
    size_t       n;
    const char  *p, *last, *end;

    static const char  characters[] = "0123456789+-.eE";

    end = text + len;

    for (p = wholesale_json_next_number(text, end);
         p < end;
         p = wholesale_json_next_number(last, end))
    {
        for (last = p; last < end; last++) {
            if (memchr(characters, *last, sizeof(characters) - 1) == NULL) {
                break;
            }
        }

        n = last - p;

        if (n > WHOLESALE_JSON_NUMBER_MAX) {
            *position = p - text;
            return n;
        }
    }

    return 0;
}


static void
wholesale_json_replace_number(char *p, size_t len)
{
    double       real;
    size_t       digits;
    const char  *instead;

    if (memchr(p, '.', len) || memchr(p, 'e', len) || memchr(p, 'E', len)) {
        instead = WHOLESALE_JSON_REAL;

        /* a delimiter follows, at which strtod() stops */
        real = strtod(p, NULL);

        if (real != HUGE_VAL && real != -HUGE_VAL) {
            return;
        }

    } else {
        instead = (*p == '-') ? WHOLESALE_JSON_SMALL : WHOLESALE_JSON_LARGE;
        digits = strlen(instead);

        /* there are no leading zeros: longer is larger */

        if (len < digits || (len == digits && memcmp(p, instead, len) <= 0)) {
            return;
        }
    }

    memset(p, ' ', len);
    memcpy(p, instead, strlen(instead));
}


/* returns where a number begins, which is not in a string, or "end" */

static const char *
wholesale_json_next_number(const char *p, const char *end)
{
    while (p < end && *p != '-' && (*p < '0' || *p > '9')) {

        if (*p++ == '"') {
            p += wholesale_json_string_end(p, end - p);
            p += (p < end);
        }
    }

    return p;
}
