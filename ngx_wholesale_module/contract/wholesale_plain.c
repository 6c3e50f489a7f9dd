
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_document.h>
#include <wholesale_json_token.h>


/* so many digits are in an int64_t, whatever they are */
#define WHOLESALE_PLAIN_DIGITS   18

/* a name is compared with each before it: more members are not plain */
#define WHOLESALE_PLAIN_MEMBERS  32


typedef struct {
    wholesale_document_t  *document;

    /* where the text has its final zero, at which whoever reads it stops */
    char                  *end;

    /* how many more levels there may be */
    unsigned               levels;
} wholesale_plain_t;


static char *wholesale_plain_value(wholesale_plain_t *plain, char *p,
    wholesale_value_t *value);
static char *wholesale_plain_list(wholesale_plain_t *plain, char *p,
    wholesale_value_t *list);
static char *wholesale_plain_name(const wholesale_plain_t *plain, char *p,
    const wholesale_value_t *object, wholesale_value_t *member);
static char *wholesale_plain_number(char *p, wholesale_value_t *value);
static char *wholesale_plain_word(char *p, const char *word);
static char *wholesale_plain_string(const wholesale_plain_t *plain, char *p,
    const char **text, size_t *len);
static char *wholesale_plain_character(const wholesale_plain_t *plain,
    char *p, char **last);
static char *wholesale_plain_escape(const wholesale_plain_t *plain, char *p,
    char **last);
static char *wholesale_plain_blanks(char *p);


wholesale_value_t *
wholesale_plain_read(wholesale_document_t *document, char *text, size_t len)
{
    char               *p;
    wholesale_plain_t   plain;
    wholesale_value_t  *root;

    plain.document = document;
    plain.end = text + len;
    plain.levels = WHOLESALE_JSON_DEPTH;

    p = wholesale_plain_blanks(text);

    if (*p != '{') {
        return NULL;
    }

    root = wholesale_document_value(document);
    if (root == NULL) {
        return NULL;
    }

    root->name = NULL;
    root->name_len = 0;
    root->next = NULL;

    p = wholesale_plain_value(&plain, p, root);

    return (p != NULL && wholesale_plain_blanks(p) == plain.end) ? root : NULL;
}


/*
 * These return where what begins at "p" ends, or NULL: it is not plain, or an
 * allocation has failed.
 */

static char *
wholesale_plain_value(wholesale_plain_t *plain, char *p,
    wholesale_value_t *value)
{
    value->len = 0;

    switch (*p) {

    case '"':
        value->type = WHOLESALE_STRING;
        return wholesale_plain_string(plain, p, &value->u.string,
                                      &value->len);

    case '{':
        value->type = WHOLESALE_OBJECT;
        return wholesale_plain_list(plain, p, value);

    case '[':
        value->type = WHOLESALE_ARRAY;
        return wholesale_plain_list(plain, p, value);

    case 't':
        value->type = WHOLESALE_TRUE;
        return wholesale_plain_word(p, "true");

    case 'f':
        value->type = WHOLESALE_FALSE;
        return wholesale_plain_word(p, "false");

    case 'n':
        value->type = WHOLESALE_NULL;
        return wholesale_plain_word(p, "null");

    default:
        value->type = WHOLESALE_INTEGER;
        return wholesale_plain_number(p, value);
    }
}


/* an array's elements, or an object's members */

static char *
wholesale_plain_list(wholesale_plain_t *plain, char *p,
    wholesale_value_t *list)
{
    char                closing;
    wholesale_value_t  *value, **last;

    if (plain->levels == 0) {
        return NULL;
    }

    plain->levels--;

    closing = (list->type == WHOLESALE_OBJECT) ? '}' : ']';

    list->u.first = NULL;
    last = &list->u.first;

    p = wholesale_plain_blanks(p + 1);

    while (*p != closing || list->len != 0) {

        value = wholesale_document_value(plain->document);
        if (value == NULL) {
            return NULL;
        }

        value->name = NULL;
        value->name_len = 0;
        value->next = NULL;

        if (closing == '}') {
            p = wholesale_plain_name(plain, p, list, value);
            if (p == NULL) {
                return NULL;
            }
        }

        p = wholesale_plain_value(plain, p, value);
        if (p == NULL) {
            return NULL;
        }

        *last = value;
        last = &value->next;
        list->len++;

        p = wholesale_plain_blanks(p);

        if (*p != ',') {
            break;
        }

        p = wholesale_plain_blanks(p + 1);
    }

    plain->levels++;

    return (*p == closing) ? p + 1 : NULL;
}


/* a member's name, and the colon; no member before it has the same */

static char *
wholesale_plain_name(const wholesale_plain_t *plain, char *p,
    const wholesale_value_t *object, wholesale_value_t *member)
{
    const wholesale_value_t  *other;

    if (*p != '"' || object->len == WHOLESALE_PLAIN_MEMBERS) {
        return NULL;
    }

    p = wholesale_plain_string(plain, p, &member->name, &member->name_len);
    if (p == NULL) {
        return NULL;
    }

    for (other = object->u.first; other != NULL; other = other->next) {
        if (other->name_len == member->name_len
            && memcmp(other->name, member->name, member->name_len) == 0)
        {
            return NULL;
        }
    }

    p = wholesale_plain_blanks(p);

    return (*p == ':') ? wholesale_plain_blanks(p + 1) : NULL;
}


/* a fraction, an exponent or one more digit is no delimiter: not plain */

static char *
wholesale_plain_number(char *p, wholesale_value_t *value)
{
    int      negative;
    char    *digits;
    int64_t  number;

    negative = (*p == '-');
    p += negative;

    number = 0;

    for (digits = p;
         *p >= '0' && *p <= '9' && p - digits < WHOLESALE_PLAIN_DIGITS;
         p++)
    {
        number = number * 10 + (*p - '0');
    }

    value->u.integer = negative ? -number : number;

    return (p != digits && (*digits != '0' || p - digits == 1)) ? p : NULL;
}


static char *
wholesale_plain_word(char *p, const char *word)
{
    size_t  len;

    len = strlen(word);

    return (strncmp(p, word, len) == 0) ? p + len : NULL;
}


/*
 * The text between the quotes, decoded where it stands: it does not grow, and
 * its final zero comes before the second quote, or in its place.
 */

static char *
wholesale_plain_string(const wholesale_plain_t *plain, char *p,
    const char **text, size_t *len)
{
    char    *start, *last;
    size_t   n;

    start = ++p;
    last = start;

    for ( ;; ) {
        n = wholesale_text_plain(p, plain->end - p);

        if (last != p) {
            memmove(last, p, n);
        }

        last += n;
        p += n;

        if (*p == '"') {
            break;
        }

        p = (*p == '\\') ? wholesale_plain_escape(plain, p, &last)
                         : wholesale_plain_character(plain, p, &last);

        if (p == NULL) {
            return NULL;
        }
    }

    *text = start;
    *len = last - start;
    *last = '\0';

    return p + 1;
}


/*
 * These append a character that is beyond ASCII, or that JSON does not have as
 * it is.  U+0000 is not plain, for it would end the string.
 */

static char *
wholesale_plain_character(const wholesale_plain_t *plain, char *p,
    char **last)
{
    size_t       n;
    const char  *next;

    next = p;

    if (!(*p & 0x80)
        || wholesale_text_decode(&next, plain->end) == WHOLESALE_NOT_UTF8)
    {
        return NULL;
    }

    n = next - p;

    memmove(*last, p, n);
    *last += n;

    return p + n;
}


static char *
wholesale_plain_escape(const wholesale_plain_t *plain, char *p, char **last)
{
    uint32_t     c, low;
    const char  *found;

    static const char  names[] = "\"\\/bfnrt";
    static const char  characters[] = "\"\\/\b\f\n\r\t";

    if (p[1] != 'u') {
        found = memchr(names, p[1], sizeof(names) - 1);

        if (found == NULL) {
            return NULL;
        }

        *(*last)++ = characters[found - names];

        return p + 2;
    }

    c = wholesale_json_escaped(p, plain->end);
    p += WHOLESALE_JSON_ESCAPE;

    if (c >= WHOLESALE_JSON_HIGH && c < WHOLESALE_JSON_LOW) {
        low = wholesale_json_escaped(p, plain->end);
        p += WHOLESALE_JSON_ESCAPE;

        if (low < WHOLESALE_JSON_LOW || low >= WHOLESALE_JSON_LOW_END) {
            return NULL;
        }

        c = 0x10000 + ((c - WHOLESALE_JSON_HIGH) << 10)
            + (low - WHOLESALE_JSON_LOW);

    } else if (c == 0 || c == WHOLESALE_JSON_NOT_HEX
               || (c >= WHOLESALE_JSON_LOW && c < WHOLESALE_JSON_LOW_END))
    {
        return NULL;
    }

    *last += wholesale_text_encode(*last, c);

    return p;
}


static char *
wholesale_plain_blanks(char *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
        p++;
    }

    return p;
}
