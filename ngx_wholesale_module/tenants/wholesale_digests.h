
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_DIGESTS_H_INCLUDED_
#define _WHOLESALE_DIGESTS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include <wholesale_index.h>
#include <wholesale_tenants.h>


/* which tenant a digest belongs to: of all keys, or of all certificates */


typedef struct {
    uint8_t               digest[WHOLESALE_DIGEST_LEN];
    uint32_t              tenant;
    uint32_t              element;      /* where it stands in its list */
} wholesale_digest_t;


/* all zeros is none */

typedef struct {
    wholesale_digest_t   *elts;
    size_t                nelts;
    size_t                nalloc;

    wholesale_index_t     index;
} wholesale_digests_t;


/*
 * Reads "sha256:" and 64 hexadecimal digits in either case into 32 bytes.
 * Returns 0, or -1 if it is something else.
 */
int wholesale_digest_parse(const char *text, size_t len, uint8_t *digest);

/* returns a new element, to be filled in, or NULL for want of memory */
wholesale_digest_t *wholesale_digests_push(wholesale_digests_t *digests);

/* makes the index, after the last push; returns 0, or -1: no memory */
int wholesale_digests_index(wholesale_digests_t *digests);

/*
 * Enters the element number "n" into the index.  Returns the element that
 * has this digest already, or NULL if it is the first.
 */
const wholesale_digest_t *wholesale_digests_enter(wholesale_digests_t *digests,
    size_t n);

/* returns NULL if there is no such digest */
const wholesale_digest_t *wholesale_digests_find(
    const wholesale_digests_t *digests, const uint8_t *digest);

void wholesale_digests_destroy(wholesale_digests_t *digests);


#endif /* _WHOLESALE_DIGESTS_H_INCLUDED_ */
