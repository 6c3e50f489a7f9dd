
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_INDEX_H_INCLUDED_
#define _WHOLESALE_INDEX_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * Finds an entry of an array by its key: a hash table with open addressing,
 * four bytes a slot, at most half full.
 */


#define WHOLESALE_INDEX_NONE  UINT32_MAX


/* whether the entry number "n" of the array has this key: 1 or 0 */
typedef int (*wholesale_index_match_pt)(const void *entries, uint32_t n,
    const void *key, size_t len);


/* all zeros is an index in which nothing is found */

typedef struct {
    const void                *entries;
    wholesale_index_match_pt   match;

    /* an entry's number and 1; 0: free */
    uint32_t                  *slots;
    uint32_t                   mask;
} wholesale_index_t;


/*
 * Makes an index for up to "n" entries of the array, below 2^30; the array
 * stays where it is as long as the index is used.  Returns 0, or -1 for want
 * of memory.
 */
int wholesale_index_create(wholesale_index_t *index, const void *entries,
    size_t n, wholesale_index_match_pt match);

/*
 * Adds the entry number "n" with this key, unless there is an entry with the
 * same key.  Returns that entry's number, or WHOLESALE_INDEX_NONE if the new
 * one was added.
 */
uint32_t wholesale_index_add(wholesale_index_t *index, uint32_t n,
    const void *key, size_t len);

/* returns the number of the entry with this key, or WHOLESALE_INDEX_NONE */
uint32_t wholesale_index_find(const wholesale_index_t *index, const void *key,
    size_t len);

/* frees the table; the index finds nothing then */
void wholesale_index_destroy(wholesale_index_t *index);


#endif /* _WHOLESALE_INDEX_H_INCLUDED_ */
