
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_PARSER_H_INCLUDED_
#define _WHOLESALE_PARSER_H_INCLUDED_


#include <stddef.h>

#include <jansson.h>

#include <wholesale_arena.h>
#include <wholesale_digests.h>
#include <wholesale_mistakes.h>
#include <wholesale_tenants.h>


/*
 * What the readers of the file's parts share.  They note mistakes at the path
 * where they are and go on; want of memory they note in mistakes.no_memory.
 */

typedef struct {
    wholesale_arena_t      *arena;
    wholesale_mistakes_t    mistakes;

    /* that all tenants' digests go to */
    wholesale_digests_t    *keys;
    wholesale_digests_t    *certificates;

    /* NULL: all that the file refers to is there */
    const wholesale_tenants_known_t  *known;
} wholesale_parser_t;


/* a member that an object may have, and what takes its value */

typedef struct {
    const char             *name;
    void                  (*set)(wholesale_parser_t *parser, void *object,
                                 const json_t *value);
} wholesale_member_t;


/*
 * Hands each member of the object to its "set", in document order, the path
 * being the member's.  The table ends with a NULL name; a member that is not
 * in it is a mistake.
 */
void wholesale_parser_members(wholesale_parser_t *parser, json_t *object,
    const wholesale_member_t *members, void *into);

/* notes that there is no such member, and which there are */
void wholesale_parser_unknown(wholesale_parser_t *parser, const char *name,
    const wholesale_member_t *members);

/* notes that the value is not "expected": "a list", "true or false" */
void wholesale_parser_wrong(wholesale_parser_t *parser, const json_t *value,
    const char *expected);

/*
 * Writes what a mistake says of a value into "buf" of WHOLESALE_QUOTED_SIZE
 * bytes: 17, "text", an object.  Returns "buf".
 */
const char *wholesale_parser_found(char *buf, const json_t *value);

/* returns 1 or 0, or "otherwise" with a mistake noted */
unsigned wholesale_parser_flag(wholesale_parser_t *parser, const json_t *value,
    unsigned otherwise);

/*
 * Whether this is a name as WHOLESALE_TENANTS_NAME_MAX has it: 1, or 0 with a
 * mistake noted; "whose" is "a tenant's" and the like.
 */
int wholesale_parser_is_name(wholesale_parser_t *parser, const char *name,
    size_t len, const char *whose);

/* returns a copy of a name, or NULL with a mistake noted or no memory */
const char *wholesale_parser_name(wholesale_parser_t *parser,
    const json_t *value, const char *whose);

/*
 * Whether the text is 1 to "max" letters and digits or characters of "more":
 * 1 or 0.
 */
int wholesale_parser_is_word(const char *text, size_t len, size_t max,
    const char *more);

/* as wholesale_arena_alloc() and wholesale_arena_text(), noting want */
void *wholesale_parser_alloc(wholesale_parser_t *parser, size_t size);
char *wholesale_parser_text(wholesale_parser_t *parser, const char *text,
    size_t len);


/* a list of limits, a plan's or a tenant's own */

typedef struct {
    const wholesale_limit_t  *elts;
    size_t                    nelts;
} wholesale_limits_t;


/* reads "limits" */
void wholesale_limits_read(wholesale_parser_t *parser, const json_t *value,
    wholesale_limits_t *limits);


/* what the lists of a tenant hold: ids, or names of packages */

typedef struct {
    const char               *expected;
    const char               *empty;
    const char               *any;
    int                     (*is_element)(const char *text, size_t len);
    unsigned                  packages;
} wholesale_list_kind_t;


typedef struct {
    const char *const        *elts;
    size_t                    nelts;
    unsigned                  any:1;       /* is ["*"] */
} wholesale_list_t;


extern const wholesale_list_kind_t  wholesale_list_sub_partners;
extern const wholesale_list_kind_t  wholesale_list_customers;
extern const wholesale_list_kind_t  wholesale_list_packages;


/* reads such a list, sorts it, and leaves it empty if there is a mistake */
void wholesale_list_read(wholesale_parser_t *parser, const json_t *value,
    const wholesale_list_kind_t *kind, wholesale_list_t *list);

/* whether the sorted list has this element, "=" at the ends aside: 1 or 0 */
int wholesale_list_has(const char *const *elts, size_t nelts, const char *text,
    size_t len);


/* reads a list of digests into "digests", as this tenant's */
void wholesale_digests_read(wholesale_parser_t *parser, const json_t *value,
    wholesale_digests_t *digests, size_t tenant);

/* reads all of a tenant but its name and index, which are there already */
void wholesale_tenant_read(wholesale_parser_t *parser, json_t *value,
    wholesale_tenant_t *tenant);


/* the limits that a plan stands for */

typedef struct {
    const char               *name;
    size_t                    name_len;
    size_t                    offset;      /* where it is in the text */
    wholesale_limits_t        limits;
} wholesale_plan_t;


/* reads all of a plan but its name, which is there already */
void wholesale_plan_read(wholesale_parser_t *parser, json_t *value,
    wholesale_plan_t *plan);


#endif /* _WHOLESALE_PARSER_H_INCLUDED_ */
