
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_document.h>
#include <wholesale_update.h>

#include "../unit/test_pool.h"


/*
 * Any body is judged, and twice the same.  What is one JSON object, and what
 * is not, is judged a second time by the parser below, which shares nothing
 * with jansson or with the gateway, and both have to agree.
 */


/* there is no such file, so that the time zones are those built in */
#define FUZZ_TZDATA   "tests/fuzz/no_tzdata"

#define FUZZ_DEPTH    16
#define FUZZ_NUMBER   1000


/* a member's name, decoded, in an object that is being read */

typedef struct fuzz_name_s  fuzz_name_t;

struct fuzz_name_s {
    fuzz_name_t     *next;
    char            *data;
    size_t           len;
};


typedef struct {
    const uint8_t   *p;
    const uint8_t   *end;
    size_t           depth;

    /* the string that was read last, decoded */
    char            *text;
    size_t           len;
} fuzz_json_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_catalogues(void);
static void fuzz_choose(wholesale_update_rules_t *rules, const uint8_t *data,
    size_t size);
static wholesale_update_e fuzz_validate(const wholesale_update_rules_t *rules,
    const uint8_t *data, size_t size, test_pool_t *pool,
    wholesale_problems_t *problems);
static void fuzz_same(const wholesale_problems_t *one,
    const wholesale_problems_t *other);
static int fuzz_read(const uint8_t *data, size_t size);
static void fuzz_equal(const wholesale_value_t *value, json_t *json);

static int fuzz_json(const uint8_t *data, size_t size);
static int fuzz_value(fuzz_json_t *json);
static int fuzz_object(fuzz_json_t *json);
static int fuzz_member(fuzz_json_t *json, fuzz_name_t **names);
static int fuzz_array(fuzz_json_t *json);
static int fuzz_string(fuzz_json_t *json);
static int fuzz_escape(fuzz_json_t *json);
static long fuzz_hex(fuzz_json_t *json);
static int fuzz_utf8(fuzz_json_t *json);
static void fuzz_put(fuzz_json_t *json, unsigned long c);
static int fuzz_number(fuzz_json_t *json);
static int fuzz_digits(fuzz_json_t *json);
static int fuzz_word(fuzz_json_t *json, const char *word);
static void fuzz_blank(fuzz_json_t *json);
static int fuzz_next(fuzz_json_t *json, char c);
static void fuzz_assert(int holds);


static wholesale_catalogue_t  *fuzz_catalogue;
static wholesale_catalogue_t  *fuzz_asking;
static test_pool_t             fuzz_pool;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                        json;
    test_pool_t                pool;
    wholesale_update_e         plain, other;
    wholesale_problems_t       problems, again;
    wholesale_update_rules_t   rules;

    if (fuzz_catalogue == NULL) {
        fuzz_catalogues();
    }

    test_pool_init(&pool);

    /* as it is for most, and by rules that the text itself chooses */

    memset(&rules, 0, sizeof(rules));
    rules.catalogue = fuzz_catalogue;

    plain = fuzz_validate(&rules, data, size, &pool, &problems);

    fuzz_choose(&rules, data, size);

    other = fuzz_validate(&rules, data, size, &pool, &problems);

    fuzz_assert(fuzz_validate(&rules, data, size, &pool, &again) == other);
    fuzz_same(&problems, &again);

    test_pool_free(&pool);

    /* what makes a difference to which judgement */

    fuzz_assert(plain != WHOLESALE_UPDATE_FORBIDDEN);
    fuzz_assert(other != WHOLESALE_UPDATE_FORBIDDEN || rules.allowed_packages);

    if (plain == WHOLESALE_UPDATE_VALID) {
        fuzz_assert(other != WHOLESALE_UPDATE_INVALID
                    || rules.reject_unknown_fields
                    || rules.catalogue != fuzz_catalogue);

    } else {
        fuzz_assert(other == WHOLESALE_UPDATE_INVALID
                    || rules.allow_empty_packages);
    }

    json = fuzz_json(data, size);

    fuzz_assert(fuzz_read(data, size) == json);

    if (plain == WHOLESALE_UPDATE_VALID || other != WHOLESALE_UPDATE_INVALID) {
        fuzz_assert(json);
    }

    return 0;
}


static void
fuzz_catalogues(void)
{
    wholesale_problems_t  problems;

    static const char  asking[] =
        "{\"requiredAddressMembers\":{\"US\":[\"stateOrProvince\"],"
        "\"DE\":[\"stateOrProvince\",\"zipOrPostalCode\"]}}";

    test_pool_init(&fuzz_pool);
    wholesale_problems_init(&problems, &fuzz_pool.pool);

    fuzz_catalogue = wholesale_catalogue_create(&fuzz_pool.pool, FUZZ_TZDATA);
    fuzz_asking = wholesale_catalogue_parse(&fuzz_pool.pool, asking,
                                            sizeof(asking) - 1, FUZZ_TZDATA,
                                            &problems);

    fuzz_assert(fuzz_catalogue != NULL && fuzz_asking != NULL);
}


static void
fuzz_choose(wholesale_update_rules_t *rules, const uint8_t *data, size_t size)
{
    size_t    i;
    unsigned  sum;

    static const char *const  allowed[] = {
        "webex_calling", "webex_meetings"
    };

    sum = 0;

    for (i = 0; i < size; i++) {
        sum = 31 * sum + data[i];
    }

    rules->reject_unknown_fields = (sum & 0x100) != 0;
    rules->allow_empty_packages = (sum & 0x200) != 0;

    if (sum & 0x400) {
        rules->allowed_packages = allowed;
        rules->allowed_packages_n = 2;
    }

    if (sum & 0x800) {
        rules->catalogue = fuzz_asking;
    }
}


static wholesale_update_e
fuzz_validate(const wholesale_update_rules_t *rules, const uint8_t *data,
    size_t size, test_pool_t *pool, wholesale_problems_t *problems)
{
    size_t                blocks;
    wholesale_update_e    result;

    wholesale_problems_init(problems, &pool->pool);
    blocks = pool->n;

    result = wholesale_update_validate(rules, (const char *) data, size,
                                       problems);

    fuzz_assert(!problems->failed);
    fuzz_assert(result != WHOLESALE_UPDATE_FAILED);
    fuzz_assert((result == WHOLESALE_UPDATE_VALID) == (problems->total == 0));
    fuzz_assert(problems->total || pool->n == blocks);

    return result;
}


static void
fuzz_same(const wholesale_problems_t *one, const wholesale_problems_t *other)
{
    size_t                      i;
    const wholesale_problem_t  *a, *b;

    fuzz_assert(one->total == other->total);
    fuzz_assert(one->stored == other->stored);
    fuzz_assert(one->stored <= WHOLESALE_PROBLEMS_MAX);

    for (i = 0; i < one->stored; i++) {
        a = &one->items[i];
        b = &other->items[i];

        fuzz_assert(strcmp(a->pointer, b->pointer) == 0);
        fuzz_assert(strcmp(a->description, b->description) == 0);
        fuzz_assert(a->code == b->code);

        fuzz_assert(strlen(a->pointer) == a->pointer_len);
        fuzz_assert(strlen(a->description) == a->description_len);
        fuzz_assert(wholesale_text_control(a->description, a->description_len)
                    == NULL);
    }
}


/*
 * Returns 1 if the gateway takes it for one JSON object.  What it reads is what
 * jansson reads, whether jansson has been asked or not.
 */

static int
fuzz_read(const uint8_t *data, size_t size)
{
    json_t                   *json;
    test_pool_t               pool;
    wholesale_document_t      document;
    wholesale_problems_t      problems, again;
    const wholesale_value_t  *root;

    test_pool_init(&pool);
    wholesale_problems_init(&problems, &pool.pool);
    wholesale_problems_init(&again, &pool.pool);

    root = wholesale_document_read(&document, (const char *) data, size, "it",
                                   &problems);
    json = wholesale_json_read((const char *) data, size, "it", &again);

    fuzz_assert(!problems.failed && !again.failed);
    fuzz_assert(problems.total == (root == NULL));
    fuzz_assert((root == NULL) == (json == NULL));
    fuzz_same(&problems, &again);

    if (root != NULL) {
        fuzz_equal(root, json);
    }

    wholesale_document_free(&document);
    test_pool_free(&pool);
    json_decref(json);

    return root != NULL;
}


static void
fuzz_equal(const wholesale_value_t *value, json_t *json)
{
    void                     *iter;
    size_t                    i;
    wholesale_value_t         own;
    const wholesale_value_t  *child;

    wholesale_value_set(&own, json);

    fuzz_assert(value->type == own.type);

    if (own.type == WHOLESALE_ARRAY) {
        fuzz_assert(value->len == json_array_size(json));

        for (child = value->u.first, i = 0; child; child = child->next, i++) {
            fuzz_equal(child, json_array_get(json, i));
        }

    } else if (own.type == WHOLESALE_OBJECT) {
        fuzz_assert(value->len == json_object_size(json));

        iter = json_object_iter(json);

        for (child = value->u.first; child; child = child->next) {
            fuzz_assert(strlen(child->name) == child->name_len);
            fuzz_assert(strcmp(child->name, json_object_iter_key(iter)) == 0);
            fuzz_equal(child, json_object_iter_value(iter));

            iter = json_object_iter_next(json, iter);
        }

    } else if (own.type == WHOLESALE_STRING) {
        fuzz_assert(value->len == own.len);
        fuzz_assert(memcmp(value->u.string, own.u.string, own.len + 1) == 0);

    } else if (own.type == WHOLESALE_INTEGER || own.type == WHOLESALE_REAL) {
        fuzz_assert(value->u.integer == own.u.integer);
    }
}


/*
 * The other parser, of RFC 8259.  Each function returns 1 if what it is named
 * after stands at json->p, and moves past it; otherwise 0.
 */

static int
fuzz_json(const uint8_t *data, size_t size)
{
    int          right;
    fuzz_json_t  json;

    json.p = data;
    json.end = data + size;
    json.depth = 0;
    json.text = malloc(size + 1);
    json.len = 0;
    fuzz_assert(json.text != NULL);

    fuzz_blank(&json);

    right = json.p < json.end && *json.p == '{' && fuzz_value(&json);

    fuzz_blank(&json);

    right = right && json.p == json.end;

    free(json.text);

    return right;
}


static int
fuzz_value(fuzz_json_t *json)
{
    int  right;

    if (json->p == json->end) {
        return 0;
    }

    switch (*json->p) {

    case '{':
    case '[':
        if (json->depth == FUZZ_DEPTH) {
            return 0;
        }

        json->depth++;
        right = (*json->p == '{') ? fuzz_object(json) : fuzz_array(json);
        json->depth--;
        return right;

    case '"':
        return fuzz_string(json);

    case 't':
        return fuzz_word(json, "true");

    case 'f':
        return fuzz_word(json, "false");

    case 'n':
        return fuzz_word(json, "null");

    default:
        return fuzz_number(json);
    }
}


static int
fuzz_object(fuzz_json_t *json)
{
    int           right;
    fuzz_name_t  *name, *names;

    (void) fuzz_next(json, '{');
    fuzz_blank(json);

    if (fuzz_next(json, '}')) {
        return 1;
    }

    names = NULL;

    do {
        fuzz_blank(json);
        right = fuzz_member(json, &names);
        fuzz_blank(json);
    } while (right && fuzz_next(json, ','));

    while (names) {
        name = names;
        names = name->next;
        free(name->data);
        free(name);
    }

    return right && fuzz_next(json, '}');
}


static int
fuzz_member(fuzz_json_t *json, fuzz_name_t **names)
{
    fuzz_name_t  *name;

    if (json->p == json->end || *json->p != '"' || !fuzz_string(json)) {
        return 0;
    }

    for (name = *names; name != NULL; name = name->next) {
        if (name->len == json->len
            && memcmp(name->data, json->text, name->len) == 0)
        {
            return 0;
        }
    }

    /* this is right, but jansson cannot keep it */

    if (memchr(json->text, '\0', json->len) != NULL) {
        return 0;
    }

    name = malloc(sizeof(fuzz_name_t));
    fuzz_assert(name != NULL);

    name->data = malloc(json->len + 1);
    fuzz_assert(name->data != NULL);

    memcpy(name->data, json->text, json->len);
    name->len = json->len;
    name->next = *names;
    *names = name;

    fuzz_blank(json);

    if (!fuzz_next(json, ':')) {
        return 0;
    }

    fuzz_blank(json);

    return fuzz_value(json);
}


static int
fuzz_array(fuzz_json_t *json)
{
    int  right;

    (void) fuzz_next(json, '[');
    fuzz_blank(json);

    if (fuzz_next(json, ']')) {
        return 1;
    }

    do {
        fuzz_blank(json);
        right = fuzz_value(json);
        fuzz_blank(json);
    } while (right && fuzz_next(json, ','));

    return right && fuzz_next(json, ']');
}


static int
fuzz_string(fuzz_json_t *json)
{
    json->p++;
    json->len = 0;

    while (json->p < json->end) {

        if (*json->p == '"') {
            json->p++;
            return 1;
        }

        if (*json->p == '\\') {
            if (!fuzz_escape(json)) {
                return 0;
            }

        } else if (!fuzz_utf8(json)) {
            return 0;
        }
    }

    return 0;
}


static int
fuzz_escape(fuzz_json_t *json)
{
    long         c, low;
    const char  *found;

    static const char  names[] = "\"\\/bfnrt";
    static const char  bytes[] = "\"\\/\b\f\n\r\t";

    json->p++;

    if (json->p == json->end) {
        return 0;
    }

    if (*json->p != 'u') {
        found = memchr(names, *json->p, sizeof(names) - 1);

        if (found == NULL) {
            return 0;
        }

        json->p++;
        fuzz_put(json, bytes[found - names]);
        return 1;
    }

    json->p++;
    c = fuzz_hex(json);

    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff)) {
        return 0;
    }

    if (c >= 0xd800 && c <= 0xdbff) {
        if (!fuzz_next(json, '\\') || !fuzz_next(json, 'u')) {
            return 0;
        }

        low = fuzz_hex(json);

        if (low < 0xdc00 || low > 0xdfff) {
            return 0;
        }

        c = 0x10000 + (c - 0xd800) * 0x400 + (low - 0xdc00);
    }

    fuzz_put(json, c);

    return 1;
}


static long
fuzz_hex(fuzz_json_t *json)
{
    char   digits[5], *end;
    long   c;

    if (json->end - json->p < 4) {
        return -1;
    }

    memcpy(digits, json->p, 4);
    digits[4] = '\0';

    if (strspn(digits, "0123456789abcdefABCDEF") != 4) {
        return -1;
    }

    c = strtol(digits, &end, 16);
    json->p += 4;

    return c;
}


/* the table of well-formed byte sequences: Unicode, 3-7 */

static int
fuzz_utf8(fuzz_json_t *json)
{
    size_t          i, k, left;
    const uint8_t  *p;

    static const struct {
        uint8_t   low[4];
        uint8_t   high[4];
        size_t    len;
    } rows[] = {
        { { 0x20 }, { 0x7f }, 1 },
        { { 0xc2, 0x80 }, { 0xdf, 0xbf }, 2 },
        { { 0xe0, 0xa0, 0x80 }, { 0xe0, 0xbf, 0xbf }, 3 },
        { { 0xe1, 0x80, 0x80 }, { 0xec, 0xbf, 0xbf }, 3 },
        { { 0xed, 0x80, 0x80 }, { 0xed, 0x9f, 0xbf }, 3 },
        { { 0xee, 0x80, 0x80 }, { 0xef, 0xbf, 0xbf }, 3 },
        { { 0xf0, 0x90, 0x80, 0x80 }, { 0xf0, 0xbf, 0xbf, 0xbf }, 4 },
        { { 0xf1, 0x80, 0x80, 0x80 }, { 0xf3, 0xbf, 0xbf, 0xbf }, 4 },
        { { 0xf4, 0x80, 0x80, 0x80 }, { 0xf4, 0x8f, 0xbf, 0xbf }, 4 }
    };

    p = json->p;
    left = json->end - p;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (k = 0; k < rows[i].len; k++) {
            if (k == left || p[k] < rows[i].low[k] || p[k] > rows[i].high[k]) {
                break;
            }
        }

        if (k == rows[i].len) {
            memcpy(json->text + json->len, p, k);
            json->len += k;
            json->p += k;
            return 1;
        }
    }

    return 0;
}


/* an escape is longer than what it stands for */

static void
fuzz_put(fuzz_json_t *json, unsigned long c)
{
    if (c < 0x80) {
        json->text[json->len++] = (char) c;
        return;
    }

    if (c < 0x800) {
        json->text[json->len++] = (char) (0xc0 + c / 0x40);

    } else {
        if (c < 0x10000) {
            json->text[json->len++] = (char) (0xe0 + c / 0x1000);

        } else {
            json->text[json->len++] = (char) (0xf0 + c / 0x40000);
            json->text[json->len++] = (char) (0x80 + c / 0x1000 % 0x40);
        }

        json->text[json->len++] = (char) (0x80 + c / 0x40 % 0x40);
    }

    json->text[json->len++] = (char) (0x80 + c % 0x40);
}


static int
fuzz_number(fuzz_json_t *json)
{
    const uint8_t  *start;

    start = json->p;

    (void) fuzz_next(json, '-');

    if (!fuzz_next(json, '0') && !fuzz_digits(json)) {
        return 0;
    }

    if (fuzz_next(json, '.') && !fuzz_digits(json)) {
        return 0;
    }

    if (fuzz_next(json, 'e') || fuzz_next(json, 'E')) {
        if (!fuzz_next(json, '+')) {
            (void) fuzz_next(json, '-');
        }

        if (!fuzz_digits(json)) {
            return 0;
        }
    }

    return json->p - start <= FUZZ_NUMBER;
}


static int
fuzz_digits(fuzz_json_t *json)
{
    const uint8_t  *start;

    start = json->p;

    while (json->p < json->end && *json->p >= '0' && *json->p <= '9') {
        json->p++;
    }

    return json->p > start;
}


static int
fuzz_word(fuzz_json_t *json, const char *word)
{
    size_t  len;

    len = strlen(word);

    if ((size_t) (json->end - json->p) < len
        || memcmp(json->p, word, len) != 0)
    {
        return 0;
    }

    json->p += len;

    return 1;
}


static void
fuzz_blank(fuzz_json_t *json)
{
    while (json->p < json->end
           && (*json->p == ' ' || *json->p == '\t' || *json->p == '\r'
               || *json->p == '\n'))
    {
        json->p++;
    }
}


static int
fuzz_next(fuzz_json_t *json, char c)
{
    if (json->p == json->end || *json->p != (uint8_t) c) {
        return 0;
    }

    json->p++;

    return 1;
}


static void
fuzz_assert(int holds)
{
    if (!holds) {
        abort();
    }
}
