
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_JSON_TOKEN_H_INCLUDED_
#define _WHOLESALE_JSON_TOKEN_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * Where strings and numbers begin and end in JSON, and what has to be known of
 * a number that jansson does not tell.
 */


/* the length of "\u1234", and what is but half of a character in one */
#define WHOLESALE_JSON_ESCAPE    6
#define WHOLESALE_JSON_HIGH      0xd800
#define WHOLESALE_JSON_LOW       0xdc00
#define WHOLESALE_JSON_LOW_END   0xe000

#define WHOLESALE_JSON_NOT_HEX   ((uint32_t) -1)


/* returns the number in the escape at "p", or WHOLESALE_JSON_NOT_HEX */
uint32_t wholesale_json_escaped(const char *p, const char *end);

/* returns the offset of the quote that ends a string's text, or "len" */
size_t wholesale_json_string_end(const char *text, size_t len);

/*
 * Returns the end of the JSON number that begins at "p", which is before
 * "end", or NULL.
 */
const char *wholesale_json_number(const char *p, const char *end);

/*
 * Puts others in the place of the numbers that jansson refuses as too large,
 * up to the first fault.  All offsets stay what they were.
 */
void wholesale_json_replace_numbers(char *text, size_t len);

/*
 * Looks for a number of more than WHOLESALE_JSON_NUMBER_MAX bytes in a text
 * that is JSON.
 *
 * Returns its length, with its offset in "position", or 0.
 */
size_t wholesale_json_long_number(const char *text, size_t len,
    size_t *position);


#endif /* _WHOLESALE_JSON_TOKEN_H_INCLUDED_ */
