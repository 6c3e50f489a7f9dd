
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_json.h>
#include <wholesale_json_plain.h>


/* so many digits are in an int64_t, whatever they are */
#define WHOLESALE_PLAIN_DIGITS  18


typedef struct {
    const char  *p;
    const char  *end;

    /* how many more levels there may be */
    unsigned     levels;

    /* an allocation has failed */
    int          failed;
} wholesale_plain_t;


static json_t *wholesale_plain_value(wholesale_plain_t *plain);
static json_t *wholesale_plain_object(wholesale_plain_t *plain);
static int wholesale_plain_member(wholesale_plain_t *plain, json_t *object);
static json_t *wholesale_plain_array(wholesale_plain_t *plain);
static json_t *wholesale_plain_number(wholesale_plain_t *plain);
static json_t *wholesale_plain_word(wholesale_plain_t *plain, json_t *value,
    const char *word, size_t len);
static int wholesale_plain_string(wholesale_plain_t *plain, const char **text,
    size_t *len);
static json_t *wholesale_plain_made(wholesale_plain_t *plain, json_t *value);
static int wholesale_plain_next(wholesale_plain_t *plain, char c);
static void wholesale_plain_blanks(wholesale_plain_t *plain);


/* a byte of a string that ends it, or needs more than to be passed over */

static const unsigned char  wholesale_plain_special[256] = {
    /* controls, and then the quote and the backslash */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,

    /* what is not ASCII */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
};


json_t *
wholesale_json_plain(const char *text, size_t len, int *failed)
{
    json_t             *object;
    wholesale_plain_t   plain;

    plain.p = text;
    plain.end = text + len;
    plain.levels = WHOLESALE_JSON_DEPTH;
    plain.failed = 0;

    object = NULL;

    if (wholesale_plain_next(&plain, '{')) {
        object = wholesale_plain_object(&plain);
        wholesale_plain_blanks(&plain);
    }

    if (object != NULL && plain.p != plain.end) {
        json_decref(object);
        object = NULL;
    }

    *failed = plain.failed;

    return object;
}


/* these return NULL for what is not plain, and for want of memory */

static json_t *
wholesale_plain_value(wholesale_plain_t *plain)
{
    size_t       len;
    const char  *text;

    wholesale_plain_blanks(plain);

    if (plain->p == plain->end) {
        return NULL;
    }

    switch (*plain->p) {

    case '"':
        return wholesale_plain_string(plain, &text, &len)
               ? wholesale_plain_made(plain, json_stringn_nocheck(text, len))
               : NULL;

    case '{':
        plain->p++;
        return wholesale_plain_object(plain);

    case '[':
        plain->p++;
        return wholesale_plain_array(plain);

    case 't':
        return wholesale_plain_word(plain, json_true(), "true", 4);

    case 'f':
        return wholesale_plain_word(plain, json_false(), "false", 5);

    case 'n':
        return wholesale_plain_word(plain, json_null(), "null", 4);

    default:
        return wholesale_plain_number(plain);
    }
}


static json_t *
wholesale_plain_object(wholesale_plain_t *plain)
{
    int      fits;
    json_t  *object;

    if (plain->levels == 0) {
        return NULL;
    }

    plain->levels--;

    object = wholesale_plain_made(plain, json_object());
    if (object == NULL) {
        return NULL;
    }

    fits = wholesale_plain_next(plain, '}');

    if (!fits) {
        do {
            if (!wholesale_plain_member(plain, object)) {
                break;
            }

            fits = wholesale_plain_next(plain, '}');

        } while (!fits && wholesale_plain_next(plain, ','));
    }

    plain->levels++;

    if (!fits) {
        json_decref(object);
        return NULL;
    }

    return object;
}


static int
wholesale_plain_member(wholesale_plain_t *plain, json_t *object)
{
    size_t       len, members;
    json_t      *value;
    const char  *name;

    wholesale_plain_blanks(plain);

    if (!wholesale_plain_string(plain, &name, &len)
        || !wholesale_plain_next(plain, ':'))
    {
        return 0;
    }

    value = wholesale_plain_value(plain);
    if (value == NULL) {
        return 0;
    }

    members = json_object_size(object);

    if (json_object_setn_new_nocheck(object, name, len, value) != 0) {
        plain->failed = 1;
        return 0;
    }

    /* one that was there already has been replaced */

    return json_object_size(object) != members;
}


static json_t *
wholesale_plain_array(wholesale_plain_t *plain)
{
    int      fits;
    json_t  *array, *value;

    if (plain->levels == 0) {
        return NULL;
    }

    plain->levels--;

    array = wholesale_plain_made(plain, json_array());
    if (array == NULL) {
        return NULL;
    }

    fits = wholesale_plain_next(plain, ']');

    if (!fits) {
        do {
            value = wholesale_plain_value(plain);
            if (value == NULL) {
                break;
            }

            if (json_array_append_new(array, value) != 0) {
                plain->failed = 1;
                break;
            }

            fits = wholesale_plain_next(plain, ']');

        } while (!fits && wholesale_plain_next(plain, ','));
    }

    plain->levels++;

    if (!fits) {
        json_decref(array);
        return NULL;
    }

    return array;
}


/* a fraction, an exponent or one more digit is no delimiter: not plain */

static json_t *
wholesale_plain_number(wholesale_plain_t *plain)
{
    int          negative;
    int64_t      number;
    const char  *digits;

    negative = (*plain->p == '-');
    plain->p += negative;

    number = 0;

    for (digits = plain->p;
         plain->p < plain->end && *plain->p >= '0' && *plain->p <= '9'
         && plain->p - digits < WHOLESALE_PLAIN_DIGITS;
         plain->p++)
    {
        number = number * 10 + (*plain->p - '0');
    }

    if (plain->p == digits || (*digits == '0' && plain->p - digits > 1)) {
        return NULL;
    }

    return wholesale_plain_made(plain,
                                json_integer(negative ? -number : number));
}


static json_t *
wholesale_plain_word(wholesale_plain_t *plain, json_t *value,
    const char *word, size_t len)
{
    if ((size_t) (plain->end - plain->p) < len
        || memcmp(plain->p, word, len) != 0)
    {
        return NULL;
    }

    plain->p += len;

    return value;
}


/* returns 1 and the text between the quotes, or 0 */

static int
wholesale_plain_string(wholesale_plain_t *plain, const char **text,
    size_t *len)
{
    const char  *p, *end;

    p = plain->p;
    end = plain->end;

    if (p == end || *p != '"') {
        return 0;
    }

    *text = ++p;

    for ( ;; ) {

        while (p < end && !wholesale_plain_special[(unsigned char) *p]) {
            p++;
        }

        if (p == end) {
            return 0;
        }

        if (*p == '"') {
            *len = p - *text;
            plain->p = p + 1;

            return 1;
        }

        if (!(*p & 0x80)
            || wholesale_text_decode(&p, end) == WHOLESALE_NOT_UTF8)
        {
            return 0;
        }
    }
}


static json_t *
wholesale_plain_made(wholesale_plain_t *plain, json_t *value)
{
    if (value == NULL) {
        plain->failed = 1;
    }

    return value;
}


/* passes over "c", if that is what is next */

static int
wholesale_plain_next(wholesale_plain_t *plain, char c)
{
    wholesale_plain_blanks(plain);

    if (plain->p == plain->end || *plain->p != c) {
        return 0;
    }

    plain->p++;

    return 1;
}


static void
wholesale_plain_blanks(wholesale_plain_t *plain)
{
    while (plain->p < plain->end
           && (*plain->p == ' ' || *plain->p == '\n' || *plain->p == '\r'
               || *plain->p == '\t'))
    {
        plain->p++;
    }
}
