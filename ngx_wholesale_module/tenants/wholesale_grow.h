
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_GROW_H_INCLUDED_
#define _WHOLESALE_GROW_H_INCLUDED_


#include <stddef.h>


/*
 * Returns the array with room for one element more than "n", perhaps moved,
 * "nalloc" then being the room; or NULL for want of memory, and the array is
 * as it was.  The array comes from malloc(), NULL being an empty one.
 */
void *wholesale_grow(void *elts, size_t n, size_t *nalloc, size_t size);

/* returns the array with the room that is not used given back */
void *wholesale_shrink(void *elts, size_t n, size_t *nalloc, size_t size);


#endif /* _WHOLESALE_GROW_H_INCLUDED_ */
