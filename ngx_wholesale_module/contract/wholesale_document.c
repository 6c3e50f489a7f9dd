
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_document.h>


/* more than most updates have; the next piece is as large as all before it */
#define WHOLESALE_VALUES  96


struct wholesale_piece_s {
    wholesale_piece_t    *next;

    /* how many there are, and for how many there is room */
    size_t                n;
    size_t                most;

    /* and then, in the first of all, the text */
    wholesale_value_t     values[];
};


static char *wholesale_document_text(wholesale_document_t *document,
    const char *text, size_t len);
static int wholesale_document_grow(wholesale_document_t *document, size_t most,
    size_t more);
static wholesale_value_t *wholesale_document_convert(
    wholesale_document_t *document, json_t *json);
static int wholesale_document_array(wholesale_document_t *document,
    wholesale_value_t *array, json_t *json);
static int wholesale_document_object(wholesale_document_t *document,
    wholesale_value_t *object, json_t *json);


const wholesale_value_t *
wholesale_document_read(wholesale_document_t *document, const char *text,
    size_t len, const char *what, wholesale_problems_t *problems)
{
    char               *own;
    wholesale_value_t  *root;

    memset(document, 0, sizeof(wholesale_document_t));

    root = NULL;
    own = wholesale_document_text(document, text, len);

    if (own != NULL) {
        root = wholesale_plain_read(document, own, len);
    }

    if (root == NULL && !document->failed) {
        document->json = wholesale_json_read(text, len, what, problems);

        if (document->json != NULL) {
            root = wholesale_document_convert(document, document->json);
        }
    }

    if (document->failed) {
        problems->failed = 1;
        return NULL;
    }

    return root;
}


void
wholesale_document_free(wholesale_document_t *document)
{
    wholesale_piece_t  *piece;

    while (document->pieces != NULL) {
        piece = document->pieces;
        document->pieces = piece->next;

        free(piece);
    }

    json_decref(document->json);
}


const wholesale_value_t *
wholesale_document_member(const wholesale_value_t *object, const char *name)
{
    const wholesale_value_t  *value;

    if (object == NULL || object->type != WHOLESALE_OBJECT) {
        return NULL;
    }

    for (value = object->u.first; value != NULL; value = value->next) {
        if (strcmp(value->name, name) == 0) {
            break;
        }
    }

    return value;
}


const char *
wholesale_value_describe(char *described, const wholesale_value_t *value)
{
    size_t       len;
    const char  *past;

    switch (value->type) {

    case WHOLESALE_OBJECT:
        return "an object";

    case WHOLESALE_ARRAY:
        return "an array";

    case WHOLESALE_STRING:
        len = sprintf(described, "the string ");
        (void) wholesale_text_quote(described + len, value->u.string,
                                    value->len);
        return described;

    case WHOLESALE_INTEGER:
        past = (value->u.integer == INT64_MAX) ? " or more"
               : (value->u.integer == INT64_MIN) ? " or less" : "";

        sprintf(described, "the number %lld%s", (long long) value->u.integer,
                past);
        return described;

    case WHOLESALE_REAL:
        return "a number with a fraction or an exponent";

    case WHOLESALE_TRUE:
        return "true";

    case WHOLESALE_FALSE:
        return "false";

    default: /* WHOLESALE_NULL */
        return "null";
    }
}


void
wholesale_value_set(wholesale_value_t *value, const json_t *json)
{
    memset(value, 0, sizeof(wholesale_value_t));

    switch (json_typeof(json)) {

    case JSON_OBJECT:
        value->type = WHOLESALE_OBJECT;
        break;

    case JSON_ARRAY:
        value->type = WHOLESALE_ARRAY;
        break;

    case JSON_STRING:
        value->type = WHOLESALE_STRING;
        value->u.string = json_string_value(json);
        value->len = json_string_length(json);
        break;

    case JSON_INTEGER:
        value->type = WHOLESALE_INTEGER;
        value->u.integer = json_integer_value(json);
        break;

    case JSON_REAL:
        value->type = WHOLESALE_REAL;
        value->u.real = json_real_value(json);
        break;

    case JSON_TRUE:
        value->type = WHOLESALE_TRUE;
        break;

    case JSON_FALSE:
        value->type = WHOLESALE_FALSE;
        break;

    default: /* JSON_NULL */
        value->type = WHOLESALE_NULL;
    }
}


wholesale_value_t *
wholesale_document_value(wholesale_document_t *document)
{
    wholesale_piece_t  *piece;

    piece = document->pieces;

    if (piece->n == piece->most) {
        if (wholesale_document_grow(document, 2 * piece->most, 0) != 0) {
            return NULL;
        }

        piece = document->pieces;
    }

    return &piece->values[piece->n++];
}


/* the first piece, and a copy of the text behind it */

static char *
wholesale_document_text(wholesale_document_t *document, const char *text,
    size_t len)
{
    char  *own;

    if (wholesale_document_grow(document, WHOLESALE_VALUES, len + 1) != 0) {
        return NULL;
    }

    own = (char *) &document->pieces->values[WHOLESALE_VALUES];

    if (len != 0) {
        memcpy(own, text, len);
    }

    own[len] = '\0';

    return own;
}


static int
wholesale_document_grow(wholesale_document_t *document, size_t most,
    size_t more)
{
    wholesale_piece_t  *piece;

    piece = malloc(sizeof(wholesale_piece_t)
                   + most * sizeof(wholesale_value_t) + more);

    if (piece == NULL) {
        document->failed = 1;
        return -1;
    }

    piece->next = document->pieces;
    piece->n = 0;
    piece->most = most;

    document->pieces = piece;

    return 0;
}


/* calls itself for each level, of which there are WHOLESALE_JSON_DEPTH */

static wholesale_value_t *
wholesale_document_convert(wholesale_document_t *document, json_t *json)
{
    int                 rc;
    wholesale_value_t  *value;

    value = wholesale_document_value(document);
    if (value == NULL) {
        return NULL;
    }

    wholesale_value_set(value, json);

    rc = (value->type == WHOLESALE_ARRAY)
         ? wholesale_document_array(document, value, json)
         : (value->type == WHOLESALE_OBJECT)
         ? wholesale_document_object(document, value, json) : 0;

    return (rc == 0) ? value : NULL;
}


static int
wholesale_document_array(wholesale_document_t *document,
    wholesale_value_t *array, json_t *json)
{
    wholesale_value_t  **last;

    last = &array->u.first;

    while (array->len < json_array_size(json)) {

        *last = wholesale_document_convert(document,
                                           json_array_get(json, array->len));
        if (*last == NULL) {
            return -1;
        }

        last = &(*last)->next;
        array->len++;
    }

    return 0;
}


static int
wholesale_document_object(wholesale_document_t *document,
    wholesale_value_t *object, json_t *json)
{
    void                *iter;
    wholesale_value_t  **last;

    last = &object->u.first;

    for (iter = json_object_iter(json);
         iter != NULL;
         iter = json_object_iter_next(json, iter))
    {
        *last = wholesale_document_convert(document,
                                           json_object_iter_value(iter));
        if (*last == NULL) {
            return -1;
        }

        (*last)->name = json_object_iter_key(iter);
        (*last)->name_len = strlen((*last)->name);

        last = &(*last)->next;
        object->len++;
    }

    return 0;
}
