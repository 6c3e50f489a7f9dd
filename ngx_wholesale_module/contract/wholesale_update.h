
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_UPDATE_H_INCLUDED_
#define _WHOLESALE_UPDATE_H_INCLUDED_


#include <stddef.h>

#include <wholesale_catalogue.h>
#include <wholesale_problems.h>


/*
 * The body of Update a Wholesale Customer, judged.
 *
 * The rules are Webex's published description of the call, and where that is
 * silent, what its clients are seen to send.  They stand in the tables of
 * wholesale_update.c.
 *
 * The order of the problems is the document's: a value is told of where it
 * stands, and a member that is not there at the end of the object that lacks
 * it, for that is where the document shows it.
 */


typedef enum {
    /* it may be forwarded */
    WHOLESALE_UPDATE_VALID = 0,

    /* it is not what Webex takes: 400 */
    WHOLESALE_UPDATE_INVALID,

    /* it is, but names packages that are not in "allowed_packages": 403 */
    WHOLESALE_UPDATE_FORBIDDEN,

    /* an allocation failed, nothing is known: 500 */
    WHOLESALE_UPDATE_FAILED
} wholesale_update_e;


typedef struct {
    const wholesale_catalogue_t  *catalogue;

    /* the packages that this tenant may name, NUL-terminated; NULL: any */
    const char *const            *allowed_packages;
    size_t                        allowed_packages_n;

    /* members that the contract does not name are problems */
    unsigned                      reject_unknown_fields:1;

    /* "packages": [], which removes all that the customer has, may pass */
    unsigned                      allow_empty_packages:1;
} wholesale_update_rules_t;


/*
 * Judges "len" bytes, which need not be terminated and are not changed.
 * "problems" has been initialised; it is empty after VALID, and holds at
 * least one after INVALID and FORBIDDEN.  A body that is not one JSON object,
 * or that says a member twice, has one problem, with its line and column.
 *
 * Time and memory are linear in "len"; the depth of the stack is bounded.
 * Nothing is kept: the document is freed before the return.
 */
wholesale_update_e wholesale_update_validate(
    const wholesale_update_rules_t *rules, const char *body, size_t len,
    wholesale_problems_t *problems);


#endif /* _WHOLESALE_UPDATE_H_INCLUDED_ */
