
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_FILE_H_INCLUDED_
#define _WHOLESALE_FILE_H_INCLUDED_


#include <stddef.h>

#include <wholesale_arena.h>
#include <wholesale_digests.h>
#include <wholesale_index.h>
#include <wholesale_tenants.h>


struct wholesale_tenants_s {
    wholesale_arena_t      arena;

    wholesale_tenant_t    *elts;
    size_t                 nelts;
    size_t                 nalloc;

    wholesale_index_t      names;
    wholesale_digests_t    keys;
    wholesale_digests_t    certificates;
};


/*
 * Reads the text into "tenants", all zeros before, and tells the mistakes.
 * Returns 0, or -1 if there was one or no memory; what was read until then
 * is in "tenants" for the caller to free.
 */
int wholesale_file_read(wholesale_tenants_t *tenants, const char *text,
    size_t len, const wholesale_tenants_known_t *known,
    wholesale_mistake_pt mistake, void *data);


#endif /* _WHOLESALE_FILE_H_INCLUDED_ */
