
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_JSON_H_INCLUDED_
#define _WHOLESALE_JSON_H_INCLUDED_


#include <stddef.h>

#include <jansson.h>

#include <wholesale_problems.h>


/*
 * One JSON object, and nothing but it, read with jansson.
 *
 * What the standard leaves open, or jansson cannot do, is decided so:
 *
 * - A member that an object has twice is refused, at any level.
 * - More than WHOLESALE_JSON_DEPTH levels are refused before jansson, which
 *   calls itself for each, sees them.
 * - \u0000 may stand in a string, and the reader has to use its length; in a
 *   member's name it is refused.
 * - A number that no machine word holds is still JSON: it is read as the
 *   nearest integer that there is, and with a fraction or an exponent as some
 *   very large one.
 * - A number of more than WHOLESALE_JSON_NUMBER_MAX bytes is refused: not all
 *   parsers behind us take it.
 *
 * Of two faults the first in the text is told, syntax and depth alike; a
 * member that is there twice, or a number's length, if there is no other.
 */


#define WHOLESALE_JSON_DEPTH          16
#define WHOLESALE_JSON_NUMBER_MAX     1000

#define WHOLESALE_JSON_DESCRIBED_MAX  (WHOLESALE_QUOTED_MAX                   \
                                       + sizeof("the string "))


/*
 * Reads "len" bytes, which need not be terminated and are not changed.
 * "what" is what they are, for a sentence: "the body".
 *
 * Returns an object that the caller frees by json_decref(); or NULL, and the
 * one problem is in "problems", unless problems->failed.
 */
json_t *wholesale_json_read(const char *text, size_t len, const char *what,
    wholesale_problems_t *problems);

/*
 * Says what a value is, for a sentence: the string "abc", the number 5, an
 * array, null.  "described" has WHOLESALE_JSON_DESCRIBED_MAX bytes.
 *
 * Returns the words, which are in "described" or static.
 */
const char *wholesale_json_describe(char *described, const json_t *value);


#endif /* _WHOLESALE_JSON_H_INCLUDED_ */
