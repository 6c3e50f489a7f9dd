
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_parser.h>


/* a tenant or a plan on its way from the file */

typedef struct {
    wholesale_tenant_t  *tenant;
    unsigned             plan:1;
    unsigned             limits:1;
    unsigned             credential:1;
} wholesale_tenant_parts_t;


typedef struct {
    wholesale_plan_t    *plan;
    unsigned             limits:1;
} wholesale_plan_parts_t;


static void wholesale_tenant_read_plan(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_limits(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_keys(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_certificates(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_credential(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_sub_partners(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_customers(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_packages(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_empty_packages(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_dry_run(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_tenant_read_enabled(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_plan_read_limits(wholesale_parser_t *parser,
    void *object, const json_t *value);


static const wholesale_member_t  wholesale_tenant_members[] = {
    { "plan", wholesale_tenant_read_plan },
    { "limits", wholesale_tenant_read_limits },
    { "keys", wholesale_tenant_read_keys },
    { "certificates", wholesale_tenant_read_certificates },
    { "credential", wholesale_tenant_read_credential },
    { "subPartnerOrgIds", wholesale_tenant_read_sub_partners },
    { "customers", wholesale_tenant_read_customers },
    { "packages", wholesale_tenant_read_packages },
    { "emptyPackages", wholesale_tenant_read_empty_packages },
    { "dryRun", wholesale_tenant_read_dry_run },
    { "enabled", wholesale_tenant_read_enabled },
    { NULL, NULL }
};


static const wholesale_member_t  wholesale_plan_members[] = {
    { "limits", wholesale_plan_read_limits },
    { NULL, NULL }
};


void
wholesale_tenant_read(wholesale_parser_t *parser, json_t *value,
    wholesale_tenant_t *tenant)
{
    wholesale_tenant_parts_t  parts;

    tenant->enabled = 1;

    if (!json_is_object(value)) {
        wholesale_parser_wrong(parser, value, "a tenant: an object is "
                               "expected");
        return;
    }

    memset(&parts, 0, sizeof(wholesale_tenant_parts_t));
    parts.tenant = tenant;

    wholesale_parser_members(parser, value, wholesale_tenant_members, &parts);

    if (parts.plan && parts.limits) {
        wholesale_mistake(&parser->mistakes,
                          "has \"plan\" and \"limits\": one of them is "
                          "expected");

    } else if (!parts.plan && !parts.limits) {
        wholesale_mistake(&parser->mistakes,
                          "has neither \"plan\" nor \"limits\"; if it is to "
                          "be unlimited, say \"limits\": []");
    }

    if (!parts.credential && parser->known != NULL
        && !parser->known->credential(parser->known->data, NULL))
    {
        wholesale_mistake(&parser->mistakes,
                          "has no \"credential\", and there are several");
    }
}


void
wholesale_plan_read(wholesale_parser_t *parser, json_t *value,
    wholesale_plan_t *plan)
{
    wholesale_plan_parts_t  parts;

    if (!json_is_object(value)) {
        wholesale_parser_wrong(parser, value, "a plan: an object is "
                               "expected");
        return;
    }

    parts.plan = plan;
    parts.limits = 0;

    wholesale_parser_members(parser, value, wholesale_plan_members, &parts);

    if (!parts.limits) {
        wholesale_mistake(&parser->mistakes,
                          "has no \"limits\"; if it is to be unlimited, "
                          "say \"limits\": []");
    }
}


void
wholesale_digests_read(wholesale_parser_t *parser, const json_t *value,
    wholesale_digests_t *digests, size_t tenant)
{
    size_t               i;
    json_t              *element;
    uint8_t              bytes[WHOLESALE_DIGEST_LEN];
    wholesale_digest_t  *digest;

    if (!json_is_array(value)) {

        /* not repeated: it may be the key itself */

        wholesale_mistake(&parser->mistakes, "is not a list of digests");
        return;
    }

    json_array_foreach(value, i, element) {

        if (!json_is_string(element)
            || wholesale_digest_parse(json_string_value(element),
                                      json_string_length(element), bytes)
               != 0)
        {
            wholesale_path_element(&parser->mistakes, i);
            wholesale_mistake(&parser->mistakes,
                              "is not a digest: \"sha256:\" and 64 "
                              "hexadecimal digits are expected, never what "
                              "they are the digest of");
            wholesale_path_leave(&parser->mistakes);
            continue;
        }

        digest = wholesale_digests_push(digests);

        if (digest == NULL) {
            parser->mistakes.no_memory = 1;
            return;
        }

        memcpy(digest->digest, bytes, WHOLESALE_DIGEST_LEN);
        digest->tenant = (uint32_t) tenant;
        digest->element = (uint32_t) i;
    }
}


static void
wholesale_tenant_read_plan(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    parts->plan = 1;
    parts->tenant->plan = wholesale_parser_name(parser, value, "a plan's");
}


static void
wholesale_tenant_read_limits(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    wholesale_limits_t  limits;

    parts->limits = 1;

    wholesale_limits_read(parser, value, &limits);

    parts->tenant->limits = limits.elts;
    parts->tenant->nlimits = limits.nelts;
}


static void
wholesale_tenant_read_keys(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    wholesale_digests_read(parser, value, parser->keys, parts->tenant->index);
}


static void
wholesale_tenant_read_certificates(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    wholesale_digests_read(parser, value, parser->certificates,
                           parts->tenant->index);
}


static void
wholesale_tenant_read_credential(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    const char  *name;

    parts->credential = 1;

    name = wholesale_parser_name(parser, value, "a credential's");

    if (name != NULL && parser->known != NULL
        && !parser->known->credential(parser->known->data, name))
    {
        wholesale_parser_wrong(parser, value,
                               "the name of a wholesale_credential");
    }

    parts->tenant->credential = name;
}


static void
wholesale_tenant_read_sub_partners(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    wholesale_list_t  list;

    wholesale_list_read(parser, value, &wholesale_list_sub_partners, &list);

    parts->tenant->sub_partners = list.elts;
    parts->tenant->nsub_partners = list.nelts;
    parts->tenant->any_sub_partner = list.any;
}


static void
wholesale_tenant_read_customers(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    wholesale_list_t  list;

    wholesale_list_read(parser, value, &wholesale_list_customers, &list);

    parts->tenant->customers = list.elts;
    parts->tenant->ncustomers = list.nelts;
}


static void
wholesale_tenant_read_packages(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    wholesale_list_t  list;

    wholesale_list_read(parser, value, &wholesale_list_packages, &list);

    parts->tenant->packages = list.elts;
    parts->tenant->npackages = list.nelts;
}


static void
wholesale_tenant_read_empty_packages(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    const char  *text;

    text = json_string_value(value);

    if (text != NULL && strcmp(text, "allow") == 0) {
        parts->tenant->empty_packages_allowed = 1;

    } else if (text == NULL || strcmp(text, "reject") != 0) {
        wholesale_parser_wrong(parser, value, "\"allow\" or \"reject\"");
    }
}


static void
wholesale_tenant_read_dry_run(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    parts->tenant->dry_run = wholesale_parser_flag(parser, value, 0) & 1;
}


static void
wholesale_tenant_read_enabled(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_tenant_parts_t  *parts = object;

    parts->tenant->enabled = wholesale_parser_flag(parser, value, 0) & 1;
}


static void
wholesale_plan_read_limits(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_plan_parts_t  *parts = object;

    parts->limits = 1;

    wholesale_limits_read(parser, value, &parts->plan->limits);
}
