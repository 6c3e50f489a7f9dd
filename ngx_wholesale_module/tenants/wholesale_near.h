
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_NEAR_H_INCLUDED_
#define _WHOLESALE_NEAR_H_INCLUDED_


#include <stddef.h>


/* finds what was probably meant: the known name that is nearest to a text */

typedef struct {
    const char  *text;
    size_t       len;

    const char  *name;         /* NULL: none is near */
    size_t       distance;     /* that name's */
} wholesale_near_t;


/* begins with a text of "len" bytes, which is not copied */
void wholesale_near_start(wholesale_near_t *near, const char *text,
    size_t len);

/*
 * Takes the name if it is nearer than those before.  Letters inserted, left
 * out or replaced count 1 each, their case does not count, and a third of
 * the text, rounded up, may be wrong, but never all of it.
 */
void wholesale_near_try(wholesale_near_t *near, const char *name);


#endif /* _WHOLESALE_NEAR_H_INCLUDED_ */
