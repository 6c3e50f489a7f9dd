
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_TENANTS_H_INCLUDED_
#define _WHOLESALE_TENANTS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include <wholesale_limit.h>


/*
 * The tenants file: who may call, and what they may do.
 *
 * The whole of it is parsed at configuration time and is never written
 * afterwards, so that the processes forked later share its pages.  Finding a
 * tenant costs the same with ten tenants and with a hundred thousand.
 */


/* SHA-256 of a key, or of a client certificate's DER */
#define WHOLESALE_DIGEST_LEN          32

/*
 * Names of tenants, plans, credentials and packages stand in header fields,
 * logs and metrics: 1 to 64 of A-Z a-z 0-9 _ . -
 */
#define WHOLESALE_TENANTS_NAME_MAX    64

/* an id of Webex: 1 to 512 of A-Z a-z 0-9 _ - and then up to two "=" */
#define WHOLESALE_TENANTS_ID_MAX      512

/* what one list of "limits" may hold */
#define WHOLESALE_LIMITS_MAX          8

/* a longer file is refused unread */
#define WHOLESALE_TENANTS_TEXT_MAX    ((size_t) 128 * 1024 * 1024)

/* so many mistakes are told one by one, the rest as a number */
#define WHOLESALE_MISTAKES_MAX        100

/* found text is cut to so many bytes before it is escaped */
#define WHOLESALE_TENANTS_QUOTED_MAX  64


typedef struct wholesale_tenants_s  wholesale_tenants_t;


/* everything in it belongs to the wholesale_tenants_t that it came from */

typedef struct {
    const char               *name;             /* NUL-terminated */
    size_t                    name_len;
    size_t                    index;            /* from 0, document order */

    const char               *plan;             /* NULL: has its own limits */
    const char               *credential;       /* NULL: none is named */

    /* in document order, the plan's or its own; none: unlimited */
    const wholesale_limit_t  *limits;
    size_t                    nlimits;

    /*
     * NUL-terminated and sorted.  No sub-partners and not any_sub_partner:
     * may act for nobody but itself.  NULL customers or packages: any;
     * these lists are never empty.
     */
    const char *const        *sub_partners;
    size_t                    nsub_partners;
    const char *const        *customers;
    size_t                    ncustomers;
    const char *const        *packages;
    size_t                    npackages;

    unsigned                  any_sub_partner:1;
    unsigned                  empty_packages_allowed:1;
    unsigned                  dry_run:1;
    unsigned                  enabled:1;
} wholesale_tenant_t;


/*
 * Is told one mistake.  "path" is where it is: "tenants.acme.limits[1].rate",
 * "line 3, column 15" for text that is not JSON, or "the file".  "sentence"
 * is what was found and what would be right.  Both are NUL-terminated,
 * printable ASCII, valid during the call only, and without any key: what
 * stands in "keys" is not repeated, for it may be the key itself.
 */
typedef void (*wholesale_mistake_pt)(void *data, const char *path,
    const char *sentence);


/*
 * What the file refers to, and others define.  Each returns 1 if it is there,
 * 0 if not.
 */
typedef struct {
    int    (*package)(void *data, const char *name, size_t len);

    /* a NULL name asks whether a tenant need not name any */
    int    (*credential)(void *data, const char *name);

    void    *data;
} wholesale_tenants_known_t;


/*
 * Parses a tenants file of "len" bytes; the text is not kept.  "known" is only
 * asked during the call; NULL: all packages and credentials are there.
 *
 * Tells every mistake in document order, at most WHOLESALE_MISTAKES_MAX of
 * them and then once "and N more"; where the text stops being JSON, what
 * stands behind that is not looked at.
 *
 * Returns NULL if there was a mistake, or if there is no memory: then none is
 * told, unless it was jansson that had none and took that for wrong JSON.  The
 * result is freed by wholesale_tenants_destroy().
 */
wholesale_tenants_t *wholesale_tenants_parse(const char *text, size_t len,
    const wholesale_tenants_known_t *known, wholesale_mistake_pt mistake,
    void *data);

/* frees the tenants and all that they point to; NULL is fine */
void wholesale_tenants_destroy(wholesale_tenants_t *tenants);


/* at least 1 */
size_t wholesale_tenants_count(const wholesale_tenants_t *tenants);

/* the tenant number "n", below wholesale_tenants_count(), document order */
const wholesale_tenant_t *wholesale_tenants_nth(
    const wholesale_tenants_t *tenants, size_t n);

/*
 * These return NULL if there is no such tenant.  A tenant that is found may
 * still be disabled.  The digests are WHOLESALE_DIGEST_LEN raw bytes.
 */
const wholesale_tenant_t *wholesale_tenants_by_key(
    const wholesale_tenants_t *tenants, const uint8_t *digest);
const wholesale_tenant_t *wholesale_tenants_by_certificate(
    const wholesale_tenants_t *tenants, const uint8_t *digest);
const wholesale_tenant_t *wholesale_tenants_by_name(
    const wholesale_tenants_t *tenants, const char *name, size_t len);


/*
 * Whether the tenant may name this sub-partner, and whether it may update
 * this customer: 1 or 0.  Ids are compared as bytes, without the "=" at
 * their ends; percent-decoding is the caller's.
 */
int wholesale_tenant_may_act_for(const wholesale_tenant_t *tenant,
    const char *id, size_t len);
int wholesale_tenant_may_update(const wholesale_tenant_t *tenant,
    const char *customer, size_t len);


#endif /* _WHOLESALE_TENANTS_H_INCLUDED_ */
