
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <wholesale_tenants.h>


/*
 * Any text is either refused with mistakes that can be logged, or is one
 * JSON object by jansson's judgement of the whole, too, and all its tenants
 * can be found and are as the header says.
 */


#define FUZZ_SENTENCE_MAX  1024


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_mistake(void *data, const char *path, const char *sentence);
static void fuzz_printable(const char *text);
static void fuzz_json(const uint8_t *data, size_t size);
static void fuzz_tenant(const wholesale_tenants_t *tenants, size_t n);
static void fuzz_limit(const wholesale_limit_t *limit);
static void fuzz_list(const char *const *elts, size_t n);
static void fuzz_assert(int holds);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                i, mistakes, again;
    wholesale_tenants_t  *tenants;

    mistakes = 0;

    tenants = wholesale_tenants_parse((const char *) data, size, NULL,
                                      fuzz_mistake,
                                      &mistakes);

    fuzz_assert((tenants == NULL) == (mistakes > 0));
    fuzz_assert(mistakes <= WHOLESALE_MISTAKES_MAX + 1);

    if (tenants == NULL) {
        again = 0;

        fuzz_assert(wholesale_tenants_parse((const char *) data, size,
                                            NULL, fuzz_mistake, &again)
                    == NULL);
        fuzz_assert(again == mistakes);

        return 0;
    }

    fuzz_json(data, size);

    fuzz_assert(wholesale_tenants_count(tenants) > 0);

    for (i = 0; i < wholesale_tenants_count(tenants); i++) {
        fuzz_tenant(tenants, i);
    }

    wholesale_tenants_destroy(tenants);

    return 0;
}


static void
fuzz_mistake(void *data, const char *path, const char *sentence)
{
    size_t  *mistakes = data;

    fuzz_printable(path);
    fuzz_printable(sentence);

    (*mistakes)++;
}


static void
fuzz_printable(const char *text)
{
    size_t  i;

    for (i = 0; text[i] != '\0'; i++) {
        fuzz_assert(text[i] >= ' ' && text[i] < 0x7f);
    }

    fuzz_assert(i > 0 && i < 2 * FUZZ_SENTENCE_MAX);
}


static void
fuzz_json(const uint8_t *data, size_t size)
{
    json_t        *root;
    json_error_t   error;

    root = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES,
                      &error);

    fuzz_assert(json_is_object(root));

    json_decref(root);
}


static void
fuzz_tenant(const wholesale_tenants_t *tenants, size_t n)
{
    size_t                     i;
    const wholesale_tenant_t  *tenant;

    tenant = wholesale_tenants_nth(tenants, n);

    fuzz_assert(tenant->index == n);
    fuzz_assert(tenant->name_len == strlen(tenant->name));
    fuzz_assert(tenant->name_len > 0
                && tenant->name_len <= WHOLESALE_TENANTS_NAME_MAX);
    fuzz_assert(wholesale_tenants_by_name(tenants, tenant->name,
                                          tenant->name_len)
                == tenant);

    fuzz_assert(tenant->nlimits <= WHOLESALE_LIMITS_MAX);

    for (i = 0; i < tenant->nlimits; i++) {
        fuzz_limit(&tenant->limits[i]);
    }

    fuzz_list(tenant->sub_partners, tenant->nsub_partners);
    fuzz_list(tenant->customers, tenant->ncustomers);
    fuzz_list(tenant->packages, tenant->npackages);

    for (i = 0; i < tenant->nsub_partners; i++) {
        fuzz_assert(wholesale_tenant_may_act_for(tenant,
                                             tenant->sub_partners[i],
                                             strlen(tenant->sub_partners[i])));
    }

    for (i = 0; i < tenant->ncustomers; i++) {
        fuzz_assert(wholesale_tenant_may_update(tenant, tenant->customers[i],
                                                strlen(tenant->customers[i])));
    }

    fuzz_assert(!wholesale_tenant_may_act_for(tenant, "+", 1)
                || tenant->any_sub_partner);
    fuzz_assert(!wholesale_tenant_may_update(tenant, "+", 1)
                || tenant->customers == NULL);
}


static void
fuzz_limit(const wholesale_limit_t *limit)
{
    wholesale_limit_state_t    state;
    wholesale_limit_verdict_t  verdict;

    fuzz_assert(limit->name_len == strlen(limit->name));
    fuzz_assert(limit->name_len > 0
                && limit->name_len <= WHOLESALE_LIMIT_NAME_MAX);
    fuzz_assert(limit->quota >= 1 && limit->quota <= WHOLESALE_QUOTA_MAX);
    fuzz_assert(limit->window >= 1 && limit->window <= WHOLESALE_WINDOW_MAX);

    memset(&state, 0, sizeof(wholesale_limit_state_t));

    fuzz_assert(wholesale_limit_check(limit, &state, 1, &verdict) == 1);
    fuzz_assert(verdict.remaining == limit->quota - 1);
}


static void
fuzz_list(const char *const *elts, size_t n)
{
    size_t  i;

    fuzz_assert((elts == NULL) == (n == 0));

    for (i = 1; i < n; i++) {
        fuzz_assert(strcmp(elts[i - 1], elts[i]) != 0);
    }
}


static void
fuzz_assert(int holds)
{
    if (!holds) {
        abort();
    }
}
