
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_document.h>
#include <wholesale_json.h>
#include <wholesale_json_fault.h>
#include <wholesale_json_token.h>


/*
 * jansson collects the token that it reads in a buffer, and does not notice
 * when an allocation fails as that buffer grows: a byte is lost from a string,
 * or the string's end.  So the first thing that it is given to read, by way of
 * an array with the text as second element, is a string of our own which is
 * as long as the longest token of the text, and which is looked at afterwards.
 * If it came out whole the buffer has grown, once and for all.
 *
 * The buffer has 16 bytes at first, its size doubles, and one byte is for the
 * final zero.  A string that fills it to the last byte is the one whose end is
 * farthest from the last growth.
 */
#define WHOLESALE_JSON_BUFFER   16
#define WHOLESALE_JSON_QUOTES   2

#define WHOLESALE_JSON_OPENING  "[\""
#define WHOLESALE_JSON_MIDDLE   "\","
#define WHOLESALE_JSON_CLOSING  "]"

#define WHOLESALE_JSON_FLAGS    (JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL)

#define wholesale_length(text)  (sizeof(text) - 1)


static int wholesale_json_is_empty(const char *text, size_t len);
static const char *wholesale_json_scan(const char *text, size_t len,
    size_t *longest);
static json_t *wholesale_json_load(const char *text, size_t len,
    size_t longest, json_error_t *error);
static char *wholesale_json_wrap(const char *text, size_t len, size_t first,
    size_t *size, size_t *before);
static json_t *wholesale_json_load_array(const char *text, size_t len,
    size_t first, json_error_t *error);
static void wholesale_json_refused(const char *text, size_t len,
    const char *what, const json_error_t *error,
    wholesale_problems_t *problems);


static const wholesale_place_t  wholesale_json_root;


json_t *
wholesale_json_read(const char *text, size_t len, const char *what,
    wholesale_problems_t *problems)
{
    char           described[WHOLESALE_JSON_DESCRIBED_MAX];
    size_t         longest, position, n;
    json_t        *json;
    const char    *deep;
    json_error_t   error;

    if (wholesale_json_is_empty(text, len)) {
        wholesale_problems_add(problems, &wholesale_json_root,
                               WHOLESALE_PROBLEM_OTHER,
                               "%s is empty, but has to be a JSON object",
                               what);
        return NULL;
    }

    deep = wholesale_json_scan(text, len, &longest);

    if (deep != NULL) {
        wholesale_json_fault_depth(text, len, deep - text, problems);
        return NULL;
    }

    json = wholesale_json_load(text, len, longest, &error);

    if (json == NULL) {
        wholesale_json_refused(text, len, what, &error, problems);
        return NULL;
    }

    n = (longest > WHOLESALE_JSON_NUMBER_MAX)
        ? wholesale_json_long_number(text, len, &position) : 0;

    if (n != 0) {
        wholesale_json_fault_number(text, position, n, problems);
        json_decref(json);
        return NULL;
    }

    if (!json_is_object(json)) {
        wholesale_problems_add(problems, &wholesale_json_root,
                               WHOLESALE_PROBLEM_OTHER,
                               "%s has to be a JSON object, not %s", what,
                               wholesale_json_describe(described, json));
        json_decref(json);
        return NULL;
    }

    return json;
}


const char *
wholesale_json_describe(char *described, const json_t *value)
{
    wholesale_value_t  own;

    wholesale_value_set(&own, value);

    return wholesale_value_describe(described, &own);
}


static int
wholesale_json_is_empty(const char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n'
            && text[i] != '\r')
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Returns the bracket that is one too deep, or NULL; "longest" is at least the
 * length of the longest token.  Agrees with jansson on what is in a string and
 * what is not up to the first fault, where jansson stops.
 */

static const char *
wholesale_json_scan(const char *text, size_t len, size_t *longest)
{
    size_t  i, depth, token, most;

    depth = 0;
    token = 0;
    most = 0;

    for (i = 0; i < len; i++) {

        switch (text[i]) {

        case '"':
            token = WHOLESALE_JSON_QUOTES
                    + wholesale_json_string_end(text + i + 1, len - i - 1);
            i += token - 1;
            break;

        case '{':
        case '[':
            if (depth++ == WHOLESALE_JSON_DEPTH) {
                return text + i;
            }

            token = 0;
            break;

        case '}':
        case ']':
            depth -= (depth > 0);
            token = 0;
            break;

        case ',':
        case ':':
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            token = 0;
            break;

        default:
            token++;
        }

        if (token > most) {
            most = token;
        }
    }

    *longest = most;

    return NULL;
}


static json_t *
wholesale_json_load(const char *text, size_t len, size_t longest,
    json_error_t *error)
{
    char    *array;
    size_t   size, first, before;
    json_t  *json;

    /*
     * The token, the byte that is read after it, and the final zero: jansson
     * takes that byte back, but it has been in the buffer.
     */

    size = WHOLESALE_JSON_BUFFER;

    while (size < longest + 2) {
        size *= 2;
    }

    first = size - 1 - WHOLESALE_JSON_QUOTES;

    /* where memory fails jansson may leave it as it was */
    memset(error, 0, sizeof(json_error_t));

    /* jansson overlooks a zero byte that follows a number or a word */

    if (memchr(text, '\0', len) != NULL) {
        return NULL;
    }

    array = wholesale_json_wrap(text, len, first, &size, &before);
    if (array == NULL) {
        return NULL;
    }

    json = wholesale_json_load_array(array, size, first, error);

    if (json == NULL && json_error_code(error) == json_error_numeric_overflow)
    {
        wholesale_json_replace_numbers(array, size);

        json = wholesale_json_load_array(array, size, first, error);
    }

    free(array);

    error->position -= (int) before;

    return json;
}


/*
 * Returns the array with a string of "first" bytes and the text, which the
 * caller frees; the text has "before" bytes before it, the whole "size" bytes.
 */

static char *
wholesale_json_wrap(const char *text, size_t len, size_t first, size_t *size,
    size_t *before)
{
    char  *array, *dst;

    array = malloc(wholesale_length(WHOLESALE_JSON_OPENING) + first
                   + wholesale_length(WHOLESALE_JSON_MIDDLE) + len
                   + wholesale_length(WHOLESALE_JSON_CLOSING));

    if (array == NULL) {
        return NULL;
    }

    dst = array;

    memcpy(dst, WHOLESALE_JSON_OPENING,
           wholesale_length(WHOLESALE_JSON_OPENING));
    dst += wholesale_length(WHOLESALE_JSON_OPENING);

    memset(dst, '0', first);
    dst += first;

    memcpy(dst, WHOLESALE_JSON_MIDDLE,
           wholesale_length(WHOLESALE_JSON_MIDDLE));
    dst += wholesale_length(WHOLESALE_JSON_MIDDLE);

    *before = dst - array;

    memcpy(dst, text, len);
    dst += len;

    memcpy(dst, WHOLESALE_JSON_CLOSING,
           wholesale_length(WHOLESALE_JSON_CLOSING));
    dst += wholesale_length(WHOLESALE_JSON_CLOSING);

    *size = dst - array;

    return array;
}


static json_t *
wholesale_json_load_array(const char *text, size_t len, size_t first,
    json_error_t *error)
{
    json_t  *array, *json;

    array = json_loadb(text, len, WHOLESALE_JSON_FLAGS, error);

    if (array == NULL) {
        return NULL;
    }

    json = NULL;

    /* more elements than two: the text is more than one value */

    if (json_array_size(array) == 2
        && json_string_length(json_array_get(array, 0)) == first)
    {
        json = json_incref(json_array_get(array, 1));
    }

    json_decref(array);

    return json;
}


static void
wholesale_json_refused(const char *text, size_t len, const char *what,
    const json_error_t *error, wholesale_problems_t *problems)
{
    wholesale_json_fault_e  fault;

    switch (json_error_code(error)) {

    case json_error_duplicate_key:
        fault = WHOLESALE_JSON_FAULT_TWICE;
        break;

    case json_error_null_byte_in_key:
        fault = WHOLESALE_JSON_FAULT_NUL;
        break;

    default:
        fault = WHOLESALE_JSON_FAULT_SYNTAX;
    }

    /*
     * jansson says no both to a text that is wrong and for want of memory.  If
     * there is nothing wrong with the text, it was the memory.
     */

    if (wholesale_json_fault(text, len, what, fault, error->position, problems)
        != 0)
    {
        problems->failed = 1;
    }
}
