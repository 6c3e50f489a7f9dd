
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_JSON_PLAIN_H_INCLUDED_
#define _WHOLESALE_JSON_PLAIN_H_INCLUDED_


#include <stddef.h>

#include <jansson.h>


/*
 * Reads what nearly all updates are: a JSON object without a fault, without
 * escapes in its strings, and with short whole numbers only.  The values are
 * jansson's and those that its own parser makes, which takes five times the
 * time, for it looks at a byte at a time through several calls.  Whatever is
 * not plain is left to that parser, and so is the judgement of what is wrong.
 */


/*
 * Returns the object of "len" bytes, which the caller frees by json_decref();
 * or NULL: jansson has to be asked, unless "failed", which is set to 1 if
 * there is no memory and to 0 otherwise.
 */
json_t *wholesale_json_plain(const char *text, size_t len, int *failed);


#endif /* _WHOLESALE_JSON_PLAIN_H_INCLUDED_ */
