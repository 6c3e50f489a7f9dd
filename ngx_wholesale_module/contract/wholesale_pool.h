
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_POOL_H_INCLUDED_
#define _WHOLESALE_POOL_H_INCLUDED_


#include <stddef.h>


/*
 * Where the contract's memory comes from.  The caller owns all of it and
 * frees it at once: nothing that was allocated here is ever freed one by one.
 *
 * "alloc" returns "size" bytes, aligned for any type, their content undefined,
 * or NULL.  "size" is never 0.
 */
typedef struct {
    void  *(*alloc)(void *data, size_t size);
    void    *data;
} wholesale_pool_t;


#define wholesale_palloc(pool, size)  ((pool)->alloc((pool)->data, size))


#endif /* _WHOLESALE_POOL_H_INCLUDED_ */
