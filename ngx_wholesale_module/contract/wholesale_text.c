
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdio.h>
#include <string.h>

#include <wholesale_text.h>


/* a byte in each of the eight of a machine word */
#define WHOLESALE_EACH(byte)  (UINT64_C(0x0101010101010101) * (byte))

#define WHOLESALE_COMMA       ", "
#define WHOLESALE_ELLIPSIS    ", ..."

#define WHOLESALE_NBSP        0xa0
#define WHOLESALE_DEL         0x7f


typedef struct {
    uint32_t  first;
    uint32_t  last;
} wholesale_range_t;


static size_t wholesale_text_escape(char *dst, uint32_t c, unsigned char byte);


static const wholesale_range_t  wholesale_invisible[] = {
    { 0x0000, 0x001f },                    /* controls */
    { WHOLESALE_DEL, WHOLESALE_NBSP },     /* more of them, no-break space */
    { 0x00ad, 0x00ad },                    /* soft hyphen */
    { 0x061c, 0x061c },                    /* mark of direction */
    { 0x1680, 0x1680 },                    /* ogham space */
    { 0x180e, 0x180e },                    /* mongolian vowel separator */
    { 0x2000, 0x200f },                    /* spaces, joiners, directions */
    { 0x2028, 0x202f },                    /* line ends, directions */
    { 0x205f, 0x206f },                    /* more of both */
    { 0x3000, 0x3000 },                    /* ideographic space */
    { 0xfeff, 0xfeff },                    /* byte order mark */
    { 0xfff9, 0xfffb },                    /* annotations */
    { 0xe0000, 0xe0fff }                   /* tags */
};


uint32_t
wholesale_text_decode(const char **p, const char *end)
{
    size_t                i, n;
    uint32_t              c, least;
    const unsigned char  *u;

    u = (const unsigned char *) *p;
    (*p)++;

    c = u[0];

    if (c < 0x80) {
        return c;
    }

    if (c >= 0xc2 && c <= 0xdf) {
        n = 1;
        c &= 0x1f;
        least = 0x80;

    } else if ((c & 0xf0) == 0xe0) {
        n = 2;
        c &= 0x0f;
        least = 0x800;

    } else if (c >= 0xf0 && c <= 0xf4) {
        n = 3;
        c &= 0x07;
        least = 0x10000;

    } else {
        return WHOLESALE_NOT_UTF8;
    }

    if ((size_t) (end - *p) < n) {
        return WHOLESALE_NOT_UTF8;
    }

    for (i = 1; i <= n; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            return WHOLESALE_NOT_UTF8;
        }

        c = (c << 6) | (u[i] & 0x3f);
    }

    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return WHOLESALE_NOT_UTF8;
    }

    *p += n;

    return c;
}


size_t
wholesale_text_encode(char *dst, uint32_t c)
{
    size_t  i, n;

    if (c < 0x80) {
        dst[0] = (char) c;
        return 1;
    }

    n = (c < 0x800) ? 2 : (c < 0x10000) ? 3 : 4;

    /* the first byte begins with as many ones as there are bytes */

    for (i = n - 1; i > 0; i--) {
        dst[i] = (char) (0x80 | (c & 0x3f));
        c >>= 6;
    }

    dst[0] = (char) ((0xf00 >> n) | c);

    return n;
}


size_t
wholesale_text_length(const char *text, size_t len)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {
        if (((unsigned char) text[i] & 0xc0) != 0x80) {
            n++;
        }
    }

    return n;
}


const char *
wholesale_text_control(const char *text, size_t len)
{
    uint64_t       word, del;
    const char    *end;
    unsigned char  c;

    end = text + len;

    /* eight bytes at once, until a word has one that is below 0x20 or DEL */

    for ( /* void */ ; end - text >= 8; text += 8) {
        memcpy(&word, text, 8);
        del = word ^ WHOLESALE_EACH(WHOLESALE_DEL);

        if ((((word - WHOLESALE_EACH(0x20)) & ~word)
             | ((del - WHOLESALE_EACH(0x01)) & ~del))
            & WHOLESALE_EACH(0x80))
        {
            break;
        }
    }

    for ( /* void */ ; text < end; text++) {
        c = (unsigned char) *text;

        if (c < 0x20 || c == WHOLESALE_DEL) {
            return text;
        }
    }

    return NULL;
}


size_t
wholesale_text_plain(const char *text, size_t len)
{
    uint64_t       word, quote, slash, others;
    const char    *p, *end;
    unsigned char  c;

    end = text + len;

    /*
     * Eight bytes at once, until a word has one that is not.  The first such
     * byte is marked by its highest bit; those after it may be by mistake.
     */

    for (p = text; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        quote = word ^ WHOLESALE_EACH('"');
        slash = word ^ WHOLESALE_EACH('\\');

        others = (word | (word - WHOLESALE_EACH(0x20))
                  | (quote - WHOLESALE_EACH(0x01))
                  | (slash - WHOLESALE_EACH(0x01)))
                 & WHOLESALE_EACH(0x80);

        if (others) {
#if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            return p - text + __builtin_ctzll(others) / 8;
#else
            break;
#endif
        }
    }

    for ( /* void */ ; p < end; p++) {
        c = (unsigned char) *p;

        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') {
            break;
        }
    }

    return p - text;
}


int
wholesale_text_invisible(uint32_t c)
{
    size_t  i, n;

    n = sizeof(wholesale_invisible) / sizeof(wholesale_invisible[0]);

    for (i = 0; i < n; i++) {
        if (c < wholesale_invisible[i].first) {
            return 0;
        }

        if (c <= wholesale_invisible[i].last) {
            return 1;
        }
    }

    return 0;
}


size_t
wholesale_text_quote(char *quoted, const char *text, size_t len)
{
    char        *dst;
    uint32_t     c;
    const char  *p, *last, *end;

    dst = quoted;
    end = text + len;
    p = text;

    *dst++ = '"';

    while (p < end) {
        last = p;
        c = wholesale_text_decode(&p, end);

        if (p - text > WHOLESALE_SHOWN_MAX) {
            p = last;
            break;
        }

        if (c == WHOLESALE_NOT_UTF8 || wholesale_text_invisible(c)) {
            dst += wholesale_text_escape(dst, c, (unsigned char) *last);
            continue;
        }

        if (c == '"' || c == '\\') {
            *dst++ = '\\';
        }

        memcpy(dst, last, p - last);
        dst += p - last;
    }

    *dst++ = '"';

    if (p < end) {
        memcpy(dst, "...", 3);
        dst += 3;
    }

    *dst = '\0';

    return dst - quoted;
}


void
wholesale_text_list_init(wholesale_text_list_t *list)
{
    list->data[0] = '\0';
    list->len = 0;
    list->cut = 0;
}


void
wholesale_text_list_add(wholesale_text_list_t *list, const char *name,
    size_t len)
{
    if (list->cut) {
        return;
    }

    if (sizeof(WHOLESALE_COMMA) + len + sizeof(WHOLESALE_ELLIPSIS)
        > sizeof(list->data) - list->len)
    {
        list->cut = 1;
        len = 0;
        name = "...";
    }

    list->len += sprintf(list->data + list->len, "%s%.*s",
                         list->len ? WHOLESALE_COMMA : "",
                         list->cut ? 3 : (int) len, name);
}


/* a character, or the byte where there is none: at most 12 bytes for 4 */

static size_t
wholesale_text_escape(char *dst, uint32_t c, unsigned char byte)
{
    if (c == WHOLESALE_NOT_UTF8) {
        return sprintf(dst, "\\x%02X", (unsigned) byte);
    }

    if (c > 0xffff) {
        c -= 0x10000;

        return sprintf(dst, "\\u%04x\\u%04x", (unsigned) (0xd800 + (c >> 10)),
                       (unsigned) (0xdc00 + (c & 0x3ff)));
    }

    return sprintf(dst, "\\u%04x", (unsigned) c);
}
