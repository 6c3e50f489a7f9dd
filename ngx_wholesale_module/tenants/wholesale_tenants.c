
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdlib.h>

#include <wholesale_file.h>
#include <wholesale_parser.h>


static const wholesale_tenant_t *wholesale_tenants_by_digest(
    const wholesale_tenants_t *tenants, const wholesale_digests_t *digests,
    const uint8_t *digest);


wholesale_tenants_t *
wholesale_tenants_parse(const char *text, size_t len,
    const wholesale_tenants_known_t *known, wholesale_mistake_pt mistake,
    void *data)
{
    wholesale_tenants_t  *tenants;

    tenants = calloc(1, sizeof(wholesale_tenants_t));
    if (tenants == NULL) {
        return NULL;
    }

    if (wholesale_file_read(tenants, text, len, known, mistake, data) != 0) {
        wholesale_tenants_destroy(tenants);
        return NULL;
    }

    return tenants;
}


void
wholesale_tenants_destroy(wholesale_tenants_t *tenants)
{
    if (tenants == NULL) {
        return;
    }

    wholesale_digests_destroy(&tenants->certificates);
    wholesale_digests_destroy(&tenants->keys);
    wholesale_index_destroy(&tenants->names);
    wholesale_arena_destroy(&tenants->arena);

    free(tenants->elts);
    free(tenants);
}


size_t
wholesale_tenants_count(const wholesale_tenants_t *tenants)
{
    return tenants->nelts;
}


const wholesale_tenant_t *
wholesale_tenants_nth(const wholesale_tenants_t *tenants, size_t n)
{
    return &tenants->elts[n];
}


const wholesale_tenant_t *
wholesale_tenants_by_key(const wholesale_tenants_t *tenants,
    const uint8_t *digest)
{
    return wholesale_tenants_by_digest(tenants, &tenants->keys, digest);
}


const wholesale_tenant_t *
wholesale_tenants_by_certificate(const wholesale_tenants_t *tenants,
    const uint8_t *digest)
{
    return wholesale_tenants_by_digest(tenants, &tenants->certificates,
                                       digest);
}


const wholesale_tenant_t *
wholesale_tenants_by_name(const wholesale_tenants_t *tenants,
    const char *name, size_t len)
{
    uint32_t  n;

    n = wholesale_index_find(&tenants->names, name, len);

    return n == WHOLESALE_INDEX_NONE ? NULL : &tenants->elts[n];
}


int
wholesale_tenant_may_act_for(const wholesale_tenant_t *tenant, const char *id,
    size_t len)
{
    return tenant->any_sub_partner
           || wholesale_list_has(tenant->sub_partners, tenant->nsub_partners,
                                 id, len);
}


int
wholesale_tenant_may_update(const wholesale_tenant_t *tenant,
    const char *customer, size_t len)
{
    return tenant->customers == NULL
           || wholesale_list_has(tenant->customers, tenant->ncustomers,
                                 customer, len);
}


static const wholesale_tenant_t *
wholesale_tenants_by_digest(const wholesale_tenants_t *tenants,
    const wholesale_digests_t *digests, const uint8_t *digest)
{
    const wholesale_digest_t  *found;

    found = wholesale_digests_find(digests, digest);

    return found == NULL ? NULL : &tenants->elts[found->tenant];
}
