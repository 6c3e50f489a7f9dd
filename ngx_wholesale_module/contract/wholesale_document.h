
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_DOCUMENT_H_INCLUDED_
#define _WHOLESALE_DOCUMENT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <wholesale_json.h>


/*
 * One JSON object as the judge of updates walks it: once, from its beginning
 * to its end.
 *
 * Nearly all updates are plain: there is no fault, no U+0000, and no number but
 * short whole ones.  These are read in one pass into one piece of memory.  All
 * others, and so all that is wrong, are jansson's, as wholesale_json.h has it,
 * which takes ten times the time.
 */


typedef enum {
    WHOLESALE_STRING = 0,
    WHOLESALE_ARRAY,
    WHOLESALE_OBJECT,
    WHOLESALE_INTEGER,
    WHOLESALE_REAL,
    WHOLESALE_TRUE,
    WHOLESALE_FALSE,
    WHOLESALE_NULL
} wholesale_type_e;


typedef struct wholesale_value_s  wholesale_value_t;

struct wholesale_value_s {
    wholesale_type_e               type;

    /* a member's, NUL-terminated; NULL: it is none */
    const char                    *name;
    size_t                         name_len;

    /* of a string's bytes, an array's elements, an object's members */
    size_t                         len;

    /* undefined for true, false and null */
    union {
        /* NUL-terminated; there may be zero bytes in it */
        const char                *string;

        int64_t                    integer;
        double                     real;

        /* of the elements or members; NULL: there are none */
        wholesale_value_t         *first;
    } u;

    /* in the same array or object; NULL: it is the last one */
    wholesale_value_t             *next;
};


typedef struct wholesale_piece_s  wholesale_piece_t;

typedef struct {
    /* what the values lie in, the one that is filled now first */
    wholesale_piece_t             *pieces;

    /* what strings of values lie in; NULL: in a piece */
    json_t                        *json;

    /* an allocation has failed */
    unsigned                       failed;
} wholesale_document_t;


/*
 * Reads "len" bytes, which need not be terminated and are not changed.
 * "what" is what they are, for a sentence: "the body".
 *
 * Returns an object, which wholesale_document_free() frees with all that is in
 * it; or NULL, and the one problem is in "problems", unless problems->failed.
 * The document is to be freed in either case.
 */
const wholesale_value_t *wholesale_document_read(
    wholesale_document_t *document, const char *text, size_t len,
    const char *what, wholesale_problems_t *problems);

void wholesale_document_free(wholesale_document_t *document);

/* returns the member of this name; NULL: none, or "object" is no object */
const wholesale_value_t *wholesale_document_member(
    const wholesale_value_t *object, const char *name);

/*
 * Says what a value is, for a sentence, as wholesale_json_describe() does, for
 * which this is the work.
 */
const char *wholesale_value_describe(char *described,
    const wholesale_value_t *value);

/*
 * Makes a value of jansson's, whose text it shares.  An array or an object is
 * left empty: its elements or members are the caller's business.
 */
void wholesale_value_set(wholesale_value_t *value, const json_t *json);


/* for the reader of plain texts, in wholesale_plain.c */

/*
 * Returns the object of "len" bytes; or NULL: jansson has to be asked, unless
 * document->failed.  "text", after which there is a zero byte, belongs to the
 * document; the strings lie in it.
 */
wholesale_value_t *wholesale_plain_read(wholesale_document_t *document,
    char *text, size_t len);

/* returns a value, its content undefined, or NULL: document->failed */
wholesale_value_t *wholesale_document_value(wholesale_document_t *document);


#endif /* _WHOLESALE_DOCUMENT_H_INCLUDED_ */
