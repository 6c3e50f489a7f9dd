
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdlib.h>

#include <wholesale_index.h>


#define WHOLESALE_INDEX_SLOTS_MIN  8


static uint32_t *wholesale_index_slot(const wholesale_index_t *index,
    const void *key, size_t len);
static uint32_t wholesale_index_hash(const uint8_t *key, size_t len);


int
wholesale_index_create(wholesale_index_t *index, const void *entries,
    size_t n, wholesale_index_match_pt match)
{
    size_t  size;

    size = WHOLESALE_INDEX_SLOTS_MIN;

    while (size < 2 * n) {
        size *= 2;
    }

    index->slots = calloc(size, sizeof(uint32_t));
    if (index->slots == NULL) {
        return -1;
    }

    index->entries = entries;
    index->match = match;
    index->mask = (uint32_t) (size - 1);

    return 0;
}


uint32_t
wholesale_index_add(wholesale_index_t *index, uint32_t n, const void *key,
    size_t len)
{
    uint32_t  *slot;

    slot = wholesale_index_slot(index, key, len);

    if (*slot != 0) {
        return *slot - 1;
    }

    *slot = n + 1;

    return WHOLESALE_INDEX_NONE;
}


uint32_t
wholesale_index_find(const wholesale_index_t *index, const void *key,
    size_t len)
{
    uint32_t  *slot;

    if (index->slots == NULL) {
        return WHOLESALE_INDEX_NONE;
    }

    slot = wholesale_index_slot(index, key, len);

    /* a free slot's number is 0, and WHOLESALE_INDEX_NONE is 0 - 1 */

    return *slot - 1;
}


void
wholesale_index_destroy(wholesale_index_t *index)
{
    free(index->slots);
    index->slots = NULL;
}


/* the slot with this key's entry, or the free one where it would be */

static uint32_t *
wholesale_index_slot(const wholesale_index_t *index, const void *key,
    size_t len)
{
    uint32_t  i;

    i = wholesale_index_hash(key, len) & index->mask;

    while (index->slots[i] != 0
           && !index->match(index->entries, index->slots[i] - 1, key, len))
    {
        i = (i + 1) & index->mask;
    }

    return &index->slots[i];
}


/*
 * FNV-1a with a final mix.  Digests are uniform already, unless somebody
 * made them up, and then they are often equal in all bytes but the last.
 */

static uint32_t
wholesale_index_hash(const uint8_t *key, size_t len)
{
    size_t    i;
    uint64_t  hash;

    hash = 0xcbf29ce484222325ULL;

    for (i = 0; i < len; i++) {
        hash = (hash ^ key[i]) * 0x100000001b3ULL;
    }

    return (uint32_t) (hash ^ (hash >> 32));
}
