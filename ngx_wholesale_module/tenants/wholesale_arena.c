
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_arena.h>


#define WHOLESALE_ARENA_BLOCK  ((size_t) 1024 * 1024)
#define WHOLESALE_ARENA_ALIGN  ((uintptr_t) 8)


struct wholesale_arena_block_s {
    wholesale_arena_block_t  *next;
    uint64_t                  data[];
};


static char *wholesale_arena_take(wholesale_arena_t *arena, char *last,
    size_t size);


void *
wholesale_arena_alloc(wholesale_arena_t *arena, size_t size)
{
    uintptr_t  last;

    last = (uintptr_t) arena->last;
    last = (last + WHOLESALE_ARENA_ALIGN - 1) & ~(WHOLESALE_ARENA_ALIGN - 1);

    return wholesale_arena_take(arena, (char *) last, size);
}


char *
wholesale_arena_text(wholesale_arena_t *arena, const char *text, size_t len)
{
    char  *copy;

    copy = wholesale_arena_take(arena, arena->last, len + 1);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, text, len);
    copy[len] = '\0';

    return copy;
}


void
wholesale_arena_destroy(wholesale_arena_t *arena)
{
    wholesale_arena_block_t  *block, *next;

    for (block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        free(block);
    }

    arena->blocks = NULL;
    arena->last = NULL;
    arena->end = NULL;
}


static char *
wholesale_arena_take(wholesale_arena_t *arena, char *last, size_t size)
{
    size_t                    room;
    wholesale_arena_block_t  *block;

    if (last <= arena->end && size <= (size_t) (arena->end - last)
        && last != NULL)
    {
        arena->last = last + size;
        return last;
    }

    room = size > WHOLESALE_ARENA_BLOCK ? size : WHOLESALE_ARENA_BLOCK;

    block = malloc(sizeof(wholesale_arena_block_t) + room);
    if (block == NULL) {
        return NULL;
    }

    block->next = arena->blocks;
    arena->blocks = block;

    arena->last = (char *) block->data + size;
    arena->end = (char *) block->data + room;

    return (char *) block->data;
}
