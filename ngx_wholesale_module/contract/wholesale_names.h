
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_NAMES_H_INCLUDED_
#define _WHOLESALE_NAMES_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include <wholesale_pool.h>


/*
 * A set of names that is made once and then only read.  A name is found in
 * the same time among ten and among ten thousand.
 */


/* the longest name that a set takes, in bytes */
#define WHOLESALE_NAME_MAX    64

/* what wholesale_names_find() returns for a name that is not there */
#define WHOLESALE_NAMES_NONE  ((size_t) -1)


typedef struct {
    const char         *data;       /* NUL-terminated */
    size_t              len;
} wholesale_name_t;


typedef struct {
    /* in the order in which they were added */
    wholesale_name_t   *names;
    size_t              n;

    /* open addressing: an index into "names" plus one, or 0 */
    uint32_t           *slots;
    size_t              mask;
} wholesale_names_t;


/*
 * Makes an empty set with room for "max" names, its memory from "pool".
 *
 * Returns 0, or -1 if an allocation failed.
 */
int wholesale_names_init(wholesale_names_t *set, const wholesale_pool_t *pool,
    size_t max);

/*
 * Adds a name that is not in the set yet, and for which there is room.  The
 * bytes are not copied: they are NUL-terminated and live as long as the set.
 */
void wholesale_names_add(wholesale_names_t *set, const char *name, size_t len);

/* returns the name's index, or WHOLESALE_NAMES_NONE */
size_t wholesale_names_find(const wholesale_names_t *set, const char *name,
    size_t len);

/*
 * How far two names are from each other: the number of characters that one
 * would have to insert, delete, replace or swap with their neighbour, where
 * neither case nor the difference of "-", "_" and " " counts.  A digit is
 * never a slip: names that differ in one are as far as can be.
 *
 * Returns a number up to "max", or "max" + 1 for anything larger.
 */
size_t wholesale_names_distance(const char *one, size_t one_len,
    const char *other, size_t other_len, size_t max);

/*
 * Returns the distance up to which a name of "len" bytes is still a slip of
 * the pen and not another word: a sixth of it, and at most 2.
 */
size_t wholesale_names_tolerance(size_t len);

/*
 * Returns the name that somebody who wrote "name" is likely to have meant, or
 * NULL; the first of several that are as near.  Looks at every name: for words
 * that have been refused already.
 */
const wholesale_name_t *wholesale_names_nearest(const wholesale_names_t *set,
    const char *name, size_t len);


#endif /* _WHOLESALE_NAMES_H_INCLUDED_ */
