
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdlib.h>
#include <string.h>

#include <wholesale_digests.h>
#include <wholesale_grow.h>


#define WHOLESALE_DIGEST_PREFIX      "sha256:"
#define WHOLESALE_DIGEST_PREFIX_LEN  (sizeof(WHOLESALE_DIGEST_PREFIX) - 1)


static int wholesale_digest_hex(char c);
static int wholesale_digest_match(const void *entries, uint32_t n,
    const void *key, size_t len);


int
wholesale_digest_parse(const char *text, size_t len, uint8_t *digest)
{
    int     high, low;
    size_t  i;

    if (len != WHOLESALE_DIGEST_PREFIX_LEN + (size_t) 2 * WHOLESALE_DIGEST_LEN
        || memcmp(text, WHOLESALE_DIGEST_PREFIX,
                  WHOLESALE_DIGEST_PREFIX_LEN) != 0)
    {
        return -1;
    }

    text += WHOLESALE_DIGEST_PREFIX_LEN;

    for (i = 0; i < WHOLESALE_DIGEST_LEN; i++) {
        high = wholesale_digest_hex(text[2 * i]);
        low = wholesale_digest_hex(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -1;
        }

        digest[i] = (uint8_t) (high << 4 | low);
    }

    return 0;
}


wholesale_digest_t *
wholesale_digests_push(wholesale_digests_t *digests)
{
    wholesale_digest_t  *elts;

    elts = wholesale_grow(digests->elts, digests->nelts, &digests->nalloc,
                          sizeof(wholesale_digest_t));
    if (elts == NULL) {
        return NULL;
    }

    digests->elts = elts;

    return &elts[digests->nelts++];
}


int
wholesale_digests_index(wholesale_digests_t *digests)
{
    digests->elts = wholesale_shrink(digests->elts, digests->nelts,
                                     &digests->nalloc,
                                     sizeof(wholesale_digest_t));

    return wholesale_index_create(&digests->index, digests->elts,
                                  digests->nelts, wholesale_digest_match);
}


const wholesale_digest_t *
wholesale_digests_enter(wholesale_digests_t *digests, size_t n)
{
    uint32_t  first;

    first = wholesale_index_add(&digests->index, (uint32_t) n,
                                digests->elts[n].digest, WHOLESALE_DIGEST_LEN);

    return first == WHOLESALE_INDEX_NONE ? NULL : &digests->elts[first];
}


const wholesale_digest_t *
wholesale_digests_find(const wholesale_digests_t *digests,
    const uint8_t *digest)
{
    uint32_t  n;

    n = wholesale_index_find(&digests->index, digest, WHOLESALE_DIGEST_LEN);

    return n == WHOLESALE_INDEX_NONE ? NULL : &digests->elts[n];
}


void
wholesale_digests_destroy(wholesale_digests_t *digests)
{
    wholesale_index_destroy(&digests->index);
    free(digests->elts);
}


static int
wholesale_digest_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }

    return -1;
}


static int
wholesale_digest_match(const void *entries, uint32_t n, const void *key,
    size_t len)
{
    const wholesale_digest_t  *elts;

    elts = entries;

    return memcmp(elts[n].digest, key, len) == 0;
}
