
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_document.h>


/* so many digits are in an int64_t, whatever they are */
#define WHOLESALE_PLAIN_DIGITS   18

/* a name is compared with each before it: more members are not plain */
#define WHOLESALE_PLAIN_MEMBERS  32


typedef struct {
    wholesale_document_t  *document;

    char                  *p;
    char                  *end;

    /* how many more levels there may be */
    unsigned               levels;
} wholesale_plain_t;


static int wholesale_plain_value(wholesale_plain_t *plain,
    wholesale_value_t *value);
static int wholesale_plain_list(wholesale_plain_t *plain,
    wholesale_value_t *list);
static int wholesale_plain_name(wholesale_plain_t *plain,
    const wholesale_value_t *object, const char **name, size_t *len);
static int wholesale_plain_number(wholesale_plain_t *plain,
    wholesale_value_t *value);
static int wholesale_plain_word(wholesale_plain_t *plain, const char *word,
    size_t len);
static int wholesale_plain_string(wholesale_plain_t *plain, const char **text,
    size_t *len);
static int wholesale_plain_next(wholesale_plain_t *plain, char c);
static void wholesale_plain_blanks(wholesale_plain_t *plain);


wholesale_value_t *
wholesale_plain_read(wholesale_document_t *document, char *text, size_t len)
{
    wholesale_plain_t   plain;
    wholesale_value_t  *root;

    plain.document = document;
    plain.p = text;
    plain.end = text + len;
    plain.levels = WHOLESALE_JSON_DEPTH;

    root = wholesale_document_value(document);

    if (root == NULL || !wholesale_plain_value(&plain, root)
        || root->type != WHOLESALE_OBJECT)
    {
        return NULL;
    }

    wholesale_plain_blanks(&plain);

    return (plain.p == plain.end) ? root : NULL;
}


/* these return 1, or 0: it is not plain, or an allocation has failed */

static int
wholesale_plain_value(wholesale_plain_t *plain, wholesale_value_t *value)
{
    wholesale_plain_blanks(plain);

    if (plain->p == plain->end) {
        return 0;
    }

    value->name = NULL;
    value->name_len = 0;
    value->len = 0;
    value->u.first = NULL;
    value->next = NULL;

    switch (*plain->p) {

    case '"':
        value->type = WHOLESALE_STRING;
        return wholesale_plain_string(plain, &value->u.string, &value->len);

    case '{':
        value->type = WHOLESALE_OBJECT;
        return wholesale_plain_list(plain, value);

    case '[':
        value->type = WHOLESALE_ARRAY;
        return wholesale_plain_list(plain, value);

    case 't':
        value->type = WHOLESALE_TRUE;
        return wholesale_plain_word(plain, "true", 4);

    case 'f':
        value->type = WHOLESALE_FALSE;
        return wholesale_plain_word(plain, "false", 5);

    case 'n':
        value->type = WHOLESALE_NULL;
        return wholesale_plain_word(plain, "null", 4);

    default:
        value->type = WHOLESALE_INTEGER;
        return wholesale_plain_number(plain, value);
    }
}


/* an array's elements, or an object's members */

static int
wholesale_plain_list(wholesale_plain_t *plain, wholesale_value_t *list)
{
    char                 closing;
    size_t               name_len;
    const char          *name;
    wholesale_value_t   *value, **last;

    if (plain->levels == 0) {
        return 0;
    }

    plain->levels--;

    /* the opening bracket */
    plain->p++;

    closing = (list->type == WHOLESALE_OBJECT) ? '}' : ']';
    last = &list->u.first;

    if (!wholesale_plain_next(plain, closing)) {
        do {
            name = NULL;
            name_len = 0;

            value = wholesale_document_value(plain->document);

            if (value == NULL
                || (closing == '}'
                    && !wholesale_plain_name(plain, list, &name, &name_len))
                || !wholesale_plain_value(plain, value))
            {
                return 0;
            }

            value->name = name;
            value->name_len = name_len;

            *last = value;
            last = &value->next;
            list->len++;

        } while (wholesale_plain_next(plain, ','));

        if (!wholesale_plain_next(plain, closing)) {
            return 0;
        }
    }

    plain->levels++;

    return 1;
}


/* a member's name, and the colon; no member before it has the same */

static int
wholesale_plain_name(wholesale_plain_t *plain, const wholesale_value_t *object,
    const char **name, size_t *len)
{
    const wholesale_value_t  *member;

    wholesale_plain_blanks(plain);

    if (plain->p == plain->end || *plain->p != '"'
        || object->len == WHOLESALE_PLAIN_MEMBERS
        || !wholesale_plain_string(plain, name, len))
    {
        return 0;
    }

    for (member = object->u.first; member != NULL; member = member->next) {
        if (member->name_len == *len && memcmp(member->name, *name, *len) == 0)
        {
            return 0;
        }
    }

    return wholesale_plain_next(plain, ':');
}


/* a fraction, an exponent or one more digit is no delimiter: not plain */

static int
wholesale_plain_number(wholesale_plain_t *plain, wholesale_value_t *value)
{
    int          negative;
    char        *digits;
    int64_t      number;

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

    value->u.integer = negative ? -number : number;

    return plain->p != digits && (*digits != '0' || plain->p - digits == 1);
}


static int
wholesale_plain_word(wholesale_plain_t *plain, const char *word, size_t len)
{
    if ((size_t) (plain->end - plain->p) < len
        || memcmp(plain->p, word, len) != 0)
    {
        return 0;
    }

    plain->p += len;

    return 1;
}


/* the text between the quotes, the second of which becomes its final zero */

static int
wholesale_plain_string(wholesale_plain_t *plain, const char **text,
    size_t *len)
{
    char        *p, *end;
    const char  *next;

    p = plain->p + 1;
    end = plain->end;

    *text = p;

    for ( ;; ) {

        p += wholesale_text_plain(p, end - p);

        if (p == end) {
            return 0;
        }

        if (*p == '"') {
            break;
        }

        next = p;

        if (!(*p & 0x80)
            || wholesale_text_decode(&next, end) == WHOLESALE_NOT_UTF8)
        {
            return 0;
        }

        p += next - p;
    }

    *len = p - *text;
    *p = '\0';

    plain->p = p + 1;

    return 1;
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
