
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdlib.h>
#include <string.h>

#include <wholesale_file.h>
#include <wholesale_grow.h>
#include <wholesale_near.h>
#include <wholesale_parser.h>
#include <wholesale_reader.h>


#define WHOLESALE_FILE_BOM      "\xef\xbb\xbf"
#define WHOLESALE_FILE_BOM_LEN  (sizeof(WHOLESALE_FILE_BOM) - 1)


/*
 * Plans may stand behind the tenants that name them, so that the file is
 * read first and linked afterwards.
 */

typedef struct {
    wholesale_parser_t    parser;
    wholesale_tenants_t  *tenants;

    /* where each tenant is in the text */
    size_t               *offsets;
    size_t                noffsets;

    wholesale_plan_t     *plans;
    size_t                nplans;
    size_t                nplans_alloc;
    wholesale_index_t     plan_names;

    unsigned              has_plans:1;
    unsigned              has_tenants:1;

    /* all of the text was read */
    unsigned              whole:1;
} wholesale_file_t;


static void wholesale_file_text(wholesale_file_t *file, const char *text,
    size_t len);
static int wholesale_file_root(wholesale_file_t *file,
    wholesale_reader_t *reader);
static int wholesale_file_member(wholesale_reader_t *reader, void *data,
    const char *name);
static int wholesale_file_unknown(wholesale_reader_t *reader,
    wholesale_file_t *file, const char *name);
static int wholesale_file_section(wholesale_reader_t *reader,
    wholesale_file_t *file, unsigned again,
    wholesale_reader_member_pt member, const char *expected);
static int wholesale_file_plan(wholesale_reader_t *reader, void *data,
    const char *name);
static int wholesale_file_tenant(wholesale_reader_t *reader, void *data,
    const char *name);
static wholesale_plan_t *wholesale_file_push_plan(wholesale_file_t *file,
    const char *name);
static wholesale_tenant_t *wholesale_file_push_tenant(wholesale_file_t *file,
    const char *name, size_t offset);
static void wholesale_file_link(wholesale_file_t *file);
static int wholesale_file_index(wholesale_file_t *file);
static void wholesale_file_link_plan(wholesale_file_t *file,
    wholesale_tenant_t *tenant);
static void wholesale_file_link_digests(wholesale_file_t *file,
    wholesale_digests_t *digests, const char *list, const char *one);
static void wholesale_file_enter(wholesale_file_t *file, const char *section,
    const char *name, size_t offset);
static int wholesale_file_match_tenant(const void *entries, uint32_t n,
    const void *key, size_t len);
static int wholesale_file_match_plan(const void *entries, uint32_t n,
    const void *key, size_t len);


/* what wholesale_file_member() takes itself, value by value */

static const wholesale_member_t  wholesale_file_members[] = {
    { "plans", NULL },
    { "tenants", NULL },
    { NULL, NULL }
};


int
wholesale_file_read(wholesale_tenants_t *tenants, const char *text,
    size_t len, const wholesale_tenants_known_t *known,
    wholesale_mistake_pt mistake, void *data)
{
    int                rc;
    wholesale_file_t  *file;

    file = calloc(1, sizeof(wholesale_file_t));
    if (file == NULL) {
        return -1;
    }

    file->tenants = tenants;
    file->parser.arena = &tenants->arena;
    file->parser.mistakes.arena = &tenants->arena;
    file->parser.keys = &tenants->keys;
    file->parser.certificates = &tenants->certificates;
    file->parser.known = known;

    wholesale_file_text(file, text, len);

    rc = -1;

    if (!file->parser.mistakes.no_memory) {
        wholesale_file_link(file);
    }

    if (!file->parser.mistakes.no_memory) {
        wholesale_mistakes_tell(&file->parser.mistakes, mistake, data);
        rc = file->parser.mistakes.count == 0 ? 0 : -1;
    }

    wholesale_index_destroy(&file->plan_names);

    free(file->plans);
    free(file->offsets);
    free(file);

    return rc;
}


static void
wholesale_file_text(wholesale_file_t *file, const char *text, size_t len)
{
    wholesale_reader_t     reader;
    wholesale_mistakes_t  *mistakes;

    mistakes = &file->parser.mistakes;

    if (len > WHOLESALE_TENANTS_TEXT_MAX) {
        wholesale_mistake(mistakes, "is longer than %zu bytes",
                          WHOLESALE_TENANTS_TEXT_MAX);
        return;
    }

    if (len >= WHOLESALE_FILE_BOM_LEN
        && memcmp(text, WHOLESALE_FILE_BOM, WHOLESALE_FILE_BOM_LEN) == 0)
    {
        wholesale_mistake(mistakes, "begins with a byte order mark, which "
                          "JSON has not");
        return;
    }

    reader.text = text;
    reader.len = len;
    reader.pos = 0;
    reader.mistakes = mistakes;

    if (wholesale_file_root(file, &reader) != 0
        || wholesale_reader_end(&reader) != 0)
    {
        return;
    }

    file->whole = 1;
}


static int
wholesale_file_root(wholesale_file_t *file, wholesale_reader_t *reader)
{
    json_t  *value;

    if (wholesale_reader_at_object(reader)) {

        if (wholesale_reader_object(reader, wholesale_file_member, file)
            != 0)
        {
            return -1;
        }

        if (!file->has_tenants) {
            wholesale_mistake(reader->mistakes, "has no \"tenants\"");
        }

        return 0;
    }

    if (reader->pos == reader->len) {
        wholesale_mistake(reader->mistakes, "is empty: an object with "
                          "\"tenants\" is expected");
        return 0;
    }

    value = wholesale_reader_value(reader);
    if (value == NULL) {
        return -1;
    }

    wholesale_parser_wrong(&file->parser, value, "an object with \"tenants\"");

    json_decref(value);

    return 0;
}


static int
wholesale_file_member(wholesale_reader_t *reader, void *data, const char *name)
{
    wholesale_file_t  *file = data;

    int       rc;
    unsigned  again;

    reader->mistakes->offset = reader->pos;

    wholesale_path_member(reader->mistakes, name);

    if (strcmp(name, "plans") == 0) {
        again = file->has_plans;
        file->has_plans = 1;

        rc = wholesale_file_section(reader, file, again, wholesale_file_plan,
                                    "an object with plans");

    } else if (strcmp(name, "tenants") == 0) {
        again = file->has_tenants;
        file->has_tenants = 1;

        rc = wholesale_file_section(reader, file, again,
                                    wholesale_file_tenant,
                                    "an object with tenants");

        if (rc == 0 && file->tenants->nelts == 0
            && reader->mistakes->count == 0)
        {
            wholesale_mistake(reader->mistakes, "is empty: at least one "
                              "tenant is expected");
        }

    } else {
        rc = wholesale_file_unknown(reader, file, name);
    }

    wholesale_path_leave(reader->mistakes);

    return rc;
}


static int
wholesale_file_unknown(wholesale_reader_t *reader, wholesale_file_t *file,
    const char *name)
{
    json_t  *value;

    wholesale_parser_unknown(&file->parser, name, wholesale_file_members);

    value = wholesale_reader_value(reader);
    if (value == NULL) {
        return -1;
    }

    json_decref(value);

    return 0;
}


static int
wholesale_file_section(wholesale_reader_t *reader, wholesale_file_t *file,
    unsigned again, wholesale_reader_member_pt member, const char *expected)
{
    json_t  *value;

    if (again) {
        wholesale_mistake(reader->mistakes, "is in the file twice");
    }

    if (wholesale_reader_at_object(reader)) {
        return wholesale_reader_object(reader, member, file);
    }

    value = wholesale_reader_value(reader);
    if (value == NULL) {
        return -1;
    }

    wholesale_parser_wrong(&file->parser, value, expected);

    json_decref(value);

    return 0;
}


static int
wholesale_file_plan(wholesale_reader_t *reader, void *data, const char *name)
{
    wholesale_file_t  *file = data;

    json_t            *value;
    wholesale_plan_t  *plan;

    reader->mistakes->offset = reader->pos;

    wholesale_path_member(reader->mistakes, name);

    plan = wholesale_file_push_plan(file, name);
    if (plan == NULL) {
        return -1;
    }

    plan->offset = reader->pos;

    value = wholesale_reader_value(reader);
    if (value == NULL) {
        return -1;
    }

    (void) wholesale_parser_is_name(&file->parser, name, strlen(name),
                                    "a plan's");

    wholesale_plan_read(&file->parser, value, plan);

    json_decref(value);

    wholesale_path_leave(reader->mistakes);

    return reader->mistakes->no_memory ? -1 : 0;
}


static int
wholesale_file_tenant(wholesale_reader_t *reader, void *data, const char *name)
{
    wholesale_file_t  *file = data;

    json_t              *value;
    wholesale_tenant_t  *tenant;

    reader->mistakes->offset = reader->pos;

    wholesale_path_member(reader->mistakes, name);

    tenant = wholesale_file_push_tenant(file, name, reader->pos);
    if (tenant == NULL) {
        return -1;
    }

    value = wholesale_reader_value(reader);
    if (value == NULL) {
        return -1;
    }

    (void) wholesale_parser_is_name(&file->parser, name, strlen(name),
                                    "a tenant's");

    wholesale_tenant_read(&file->parser, value, tenant);

    json_decref(value);

    wholesale_path_leave(reader->mistakes);

    return reader->mistakes->no_memory ? -1 : 0;
}


static wholesale_plan_t *
wholesale_file_push_plan(wholesale_file_t *file, const char *name)
{
    wholesale_plan_t  *plan;

    plan = wholesale_grow(file->plans, file->nplans, &file->nplans_alloc,
                          sizeof(wholesale_plan_t));
    if (plan == NULL) {
        file->parser.mistakes.no_memory = 1;
        return NULL;
    }

    file->plans = plan;

    plan = &file->plans[file->nplans];

    memset(plan, 0, sizeof(wholesale_plan_t));

    plan->name_len = strlen(name);
    plan->name = wholesale_parser_text(&file->parser, name, plan->name_len);

    if (plan->name == NULL) {
        return NULL;
    }

    file->nplans++;

    return plan;
}


static wholesale_tenant_t *
wholesale_file_push_tenant(wholesale_file_t *file, const char *name,
    size_t offset)
{
    size_t               *offsets;
    wholesale_tenant_t   *tenant;
    wholesale_tenants_t  *tenants;

    tenants = file->tenants;

    offsets = wholesale_grow(file->offsets, tenants->nelts, &file->noffsets,
                             sizeof(size_t));
    if (offsets == NULL) {
        file->parser.mistakes.no_memory = 1;
        return NULL;
    }

    file->offsets = offsets;
    file->offsets[tenants->nelts] = offset;

    tenant = wholesale_grow(tenants->elts, tenants->nelts, &tenants->nalloc,
                            sizeof(wholesale_tenant_t));
    if (tenant == NULL) {
        file->parser.mistakes.no_memory = 1;
        return NULL;
    }

    tenants->elts = tenant;

    tenant = &tenants->elts[tenants->nelts];

    memset(tenant, 0, sizeof(wholesale_tenant_t));

    tenant->index = tenants->nelts;
    tenant->name_len = strlen(name);
    tenant->name = wholesale_parser_text(&file->parser, name,
                                         tenant->name_len);
    if (tenant->name == NULL) {
        return NULL;
    }

    tenants->nelts++;

    return tenant;
}


static void
wholesale_file_link(wholesale_file_t *file)
{
    size_t                 i;
    wholesale_plan_t      *plan;
    wholesale_tenant_t    *tenant;
    wholesale_tenants_t   *tenants;
    wholesale_mistakes_t  *mistakes;

    tenants = file->tenants;
    mistakes = &file->parser.mistakes;

    if (wholesale_file_index(file) != 0) {
        mistakes->no_memory = 1;
        return;
    }

    for (i = 0; i < file->nplans; i++) {
        plan = &file->plans[i];

        if (wholesale_index_add(&file->plan_names, (uint32_t) i, plan->name,
                                plan->name_len)
            != WHOLESALE_INDEX_NONE)
        {
            wholesale_file_enter(file, "plans", plan->name, plan->offset);
            wholesale_mistake(mistakes, "is in the file twice");
        }
    }

    for (i = 0; i < tenants->nelts; i++) {
        tenant = &tenants->elts[i];

        wholesale_file_enter(file, "tenants", tenant->name, file->offsets[i]);

        if (wholesale_index_add(&tenants->names, (uint32_t) i, tenant->name,
                                tenant->name_len)
            != WHOLESALE_INDEX_NONE)
        {
            wholesale_mistake(mistakes, "is in the file twice");
        }

        if (tenant->plan != NULL) {
            wholesale_file_link_plan(file, tenant);
        }
    }

    wholesale_file_link_digests(file, &tenants->keys, "keys", "key");
    wholesale_file_link_digests(file, &tenants->certificates, "certificates",
                                "certificate");
}


static int
wholesale_file_index(wholesale_file_t *file)
{
    wholesale_tenants_t  *tenants;

    tenants = file->tenants;

    tenants->elts = wholesale_shrink(tenants->elts, tenants->nelts,
                                     &tenants->nalloc,
                                     sizeof(wholesale_tenant_t));

    if (wholesale_index_create(&file->plan_names, file->plans, file->nplans,
                               wholesale_file_match_plan)
        != 0)
    {
        return -1;
    }

    if (wholesale_index_create(&tenants->names, tenants->elts, tenants->nelts,
                               wholesale_file_match_tenant)
        != 0)
    {
        return -1;
    }

    if (wholesale_digests_index(&tenants->keys) != 0) {
        return -1;
    }

    return wholesale_digests_index(&tenants->certificates);
}


static void
wholesale_file_link_plan(wholesale_file_t *file, wholesale_tenant_t *tenant)
{
    char               quoted[WHOLESALE_QUOTED_SIZE];
    size_t             i, len;
    uint32_t           n;
    wholesale_near_t   near;

    len = strlen(tenant->plan);

    n = wholesale_index_find(&file->plan_names, tenant->plan, len);

    if (n != WHOLESALE_INDEX_NONE) {
        tenant->plan = file->plans[n].name;
        tenant->limits = file->plans[n].limits.elts;
        tenant->nlimits = file->plans[n].limits.nelts;
        return;
    }

    if (!file->whole) {

        /* it may stand where the text was not read */

        return;
    }

    wholesale_near_start(&near, tenant->plan, len);

    if (file->parser.mistakes.count < WHOLESALE_MISTAKES_MAX) {

        /* the search is too long for a mistake that is not told */

        for (i = 0; i < file->nplans; i++) {
            wholesale_near_try(&near, file->plans[i].name);
        }
    }

    (void) wholesale_quote(quoted, tenant->plan, len);

    wholesale_path_member(&file->parser.mistakes, "plan");

    if (near.name != NULL) {
        wholesale_mistake(&file->parser.mistakes,
                          "%s is not a plan of this file; did you mean "
                          "\"%s\"?", quoted, near.name);

    } else {
        wholesale_mistake(&file->parser.mistakes,
                          "%s is not a plan of this file", quoted);
    }

    wholesale_path_leave(&file->parser.mistakes);
}


static void
wholesale_file_link_digests(wholesale_file_t *file,
    wholesale_digests_t *digests, const char *list, const char *one)
{
    char                       quoted[WHOLESALE_QUOTED_SIZE];
    size_t                     i;
    wholesale_tenant_t        *tenants;
    wholesale_mistakes_t      *mistakes;
    const wholesale_digest_t  *first, *digest;

    tenants = file->tenants->elts;
    mistakes = &file->parser.mistakes;

    for (i = 0; i < digests->nelts; i++) {

        first = wholesale_digests_enter(digests, i);
        if (first == NULL) {
            continue;
        }

        digest = &digests->elts[i];

        wholesale_file_enter(file, "tenants", tenants[digest->tenant].name,
                             file->offsets[digest->tenant]);
        wholesale_path_member(mistakes, list);
        wholesale_path_element(mistakes, digest->element);

        if (first->tenant == digest->tenant) {
            wholesale_mistake(mistakes, "is %s[%u] again", list,
                              first->element);
            continue;
        }

        (void) wholesale_quote(quoted, tenants[first->tenant].name,
                               tenants[first->tenant].name_len);

        wholesale_mistake(mistakes,
                          "is %s[%u] of tenant %s too: one %s names one "
                          "tenant", list, first->element, quoted, one);
    }
}


/* the path of a plan or tenant, anew */

static void
wholesale_file_enter(wholesale_file_t *file, const char *section,
    const char *name, size_t offset)
{
    wholesale_mistakes_t  *mistakes;

    mistakes = &file->parser.mistakes;

    mistakes->nsteps = 0;
    mistakes->offset = offset;

    wholesale_path_member(mistakes, section);
    wholesale_path_member(mistakes, name);
}


static int
wholesale_file_match_tenant(const void *entries, uint32_t n, const void *key,
    size_t len)
{
    const wholesale_tenant_t  *tenants;

    tenants = entries;

    return tenants[n].name_len == len
           && memcmp(tenants[n].name, key, len) == 0;
}


static int
wholesale_file_match_plan(const void *entries, uint32_t n, const void *key,
    size_t len)
{
    const wholesale_plan_t  *plans;

    plans = entries;

    return plans[n].name_len == len && memcmp(plans[n].name, key, len) == 0;
}
