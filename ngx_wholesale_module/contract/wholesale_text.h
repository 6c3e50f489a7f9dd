
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_TEXT_H_INCLUDED_
#define _WHOLESALE_TEXT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * Text that somebody else wrote: to be measured, judged and, in an answer or
 * a log line, to be shown so that it cannot be mistaken for our own.
 */


/* no answer shows more of one text of the client than this many bytes */
#define WHOLESALE_SHOWN_MAX   64

/*
 * The room that wholesale_text_quote() needs: each byte grows to six at most,
 * two quotes, an ellipsis and the final zero.
 */
#define WHOLESALE_QUOTED_MAX  ((size_t) 6 * WHOLESALE_SHOWN_MAX               \
                               + sizeof("\"...\""))

/* so much of a list of names is told; what does not fit is left out */
#define WHOLESALE_LIST_MAX    512

/* bytes of a character */
#define WHOLESALE_UTF8_MAX    4

/* what wholesale_text_decode() returns for a byte that is not UTF-8 */
#define WHOLESALE_NOT_UTF8    ((uint32_t) -1)


/* names of ours, for a sentence: a, b, c, ... */
typedef struct {
    /* NUL-terminated */
    char                      data[WHOLESALE_LIST_MAX];
    size_t                    len;

    /* it ends in "...": nothing more is added */
    unsigned                  cut:1;
} wholesale_text_list_t;


/*
 * Decodes the character at "*p", which is before "end", and moves "*p" past
 * it.  Overlong forms, surrogates and numbers above U+10FFFF are not UTF-8.
 *
 * Returns the character, or WHOLESALE_NOT_UTF8 and moves by one byte.
 */
uint32_t wholesale_text_decode(const char **p, const char *end);

/*
 * Encodes a character, which is not half of one, nor above U+10FFFF.  "dst"
 * has WHOLESALE_UTF8_MAX bytes.  Returns how many it takes; there is no zero.
 */
size_t wholesale_text_encode(char *dst, uint32_t c);

/* returns the number of characters in "len" bytes of UTF-8 */
size_t wholesale_text_length(const char *text, size_t len);

/*
 * Returns the first control character, U+0000 to U+001F or U+007F, among
 * "len" bytes, or NULL.
 */
const char *wholesale_text_control(const char *text, size_t len);

/*
 * Returns how many of "len" bytes, from the first on, are the same in a JSON
 * string as they are: all of ASCII but controls, the quote and the backslash.
 */
size_t wholesale_text_plain(const char *text, size_t len);

/*
 * Returns 1 for a character that one does not see, or that changes how its
 * neighbours are seen: controls, spaces other than U+0020, marks of direction.
 */
int wholesale_text_invisible(uint32_t c);

/*
 * Writes the text in double quotes, as JSON would, cut to WHOLESALE_SHOWN_MAX
 * bytes at a character's edge ("abc"...), invisible characters as \uXXXX,
 * bytes that are not UTF-8 as \xXX.  "quoted" has WHOLESALE_QUOTED_MAX bytes.
 *
 * Returns the length without the final zero.
 */
size_t wholesale_text_quote(char *quoted, const char *text, size_t len);

/* makes an empty list */
void wholesale_text_list_init(wholesale_text_list_t *list);

/* adds "len" bytes that need no quotes, or "..." if there is no room for it */
void wholesale_text_list_add(wholesale_text_list_t *list, const char *name,
    size_t len);


#endif /* _WHOLESALE_TEXT_H_INCLUDED_ */
