
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdlib.h>

#include <wholesale_grow.h>


#define WHOLESALE_GROW_MIN  16


void *
wholesale_grow(void *elts, size_t n, size_t *nalloc, size_t size)
{
    size_t  room;

    if (n < *nalloc) {
        return elts;
    }

    room = *nalloc ? 2 * *nalloc : WHOLESALE_GROW_MIN;

    elts = realloc(elts, room * size);
    if (elts == NULL) {
        return NULL;
    }

    *nalloc = room;

    return elts;
}


void *
wholesale_shrink(void *elts, size_t n, size_t *nalloc, size_t size)
{
    void  *shrunk;

    if (n == 0 || n == *nalloc) {
        return elts;
    }

    shrunk = realloc(elts, n * size);
    if (shrunk == NULL) {
        return elts;
    }

    *nalloc = n;

    return shrunk;
}
