
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _TEST_POOL_H_INCLUDED_
#define _TEST_POOL_H_INCLUDED_


#include <stddef.h>
#include <stdlib.h>

#include <wholesale_pool.h>


/*
 * A pool for tests, in which each allocation is a block of its own, so that
 * the sanitizer and valgrind see who goes beyond it.
 */


typedef struct test_block_s  test_block_t;

struct test_block_s {
    test_block_t      *next;

    /* aligned for any type */
    long double        memory[];
};


typedef struct {
    wholesale_pool_t   pool;
    test_block_t      *blocks;

    /* how many there are */
    size_t             n;
} test_pool_t;


static void *
test_pool_alloc(void *data, size_t size)
{
    test_pool_t *pool = data;

    test_block_t  *block;

    block = malloc(sizeof(test_block_t) + size);

    if (block == NULL) {
        return NULL;
    }

    block->next = pool->blocks;
    pool->blocks = block;
    pool->n++;

    return block->memory;
}


static void
test_pool_init(test_pool_t *pool)
{
    pool->pool.alloc = test_pool_alloc;
    pool->pool.data = pool;
    pool->blocks = NULL;
    pool->n = 0;
}


static void
test_pool_free(test_pool_t *pool)
{
    test_block_t  *block;

    while (pool->blocks) {
        block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }

    pool->n = 0;
}


#endif /* _TEST_POOL_H_INCLUDED_ */
