
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_ARENA_H_INCLUDED_
#define _WHOLESALE_ARENA_H_INCLUDED_


#include <stddef.h>


/*
 * Memory that is taken in small pieces and given back all at once.  Its
 * blocks are large enough to be mapped on their own, so giving them back
 * returns them to the system, and what is not used yet takes no memory.
 */


typedef struct wholesale_arena_block_s  wholesale_arena_block_t;


/* all zeros is an empty arena */

typedef struct {
    wholesale_arena_block_t  *blocks;
    char                     *last;
    char                     *end;
} wholesale_arena_t;


/* returns "size" bytes, not zeroed, aligned for any type, or NULL */
void *wholesale_arena_alloc(wholesale_arena_t *arena, size_t size);

/* returns a NUL-terminated copy of the text, or NULL for want of memory */
char *wholesale_arena_text(wholesale_arena_t *arena, const char *text,
    size_t len);

/* frees all that came from the arena, which is empty then */
void wholesale_arena_destroy(wholesale_arena_t *arena);


#endif /* _WHOLESALE_ARENA_H_INCLUDED_ */
