
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_PATH_H_INCLUDED_
#define _WHOLESALE_PATH_H_INCLUDED_


#include <stddef.h>


/*
 * The contract's rules for the path and the query.  Pure functions over bytes
 * that need not be terminated; what they return points into those bytes.
 */


/* without the "=" or "%3D" at its end, of which there may be two */
#define WHOLESALE_ID_MAX  512


typedef struct {
    const char  *data;
    size_t       len;
} wholesale_slice_t;


#define WHOLESALE_GET     0x01
#define WHOLESALE_POST    0x02
#define WHOLESALE_PUT     0x04
#define WHOLESALE_DELETE  0x08


/* one resource of Webex for Wholesale, as its API reference lists them */

typedef struct {
    /* after ".../wholesale/"; an id follows where it ends with a "/" */
    const char  *path;

    /* of WHOLESALE_GET and so on */
    unsigned     methods;

    /* that one whose PUT is Update a Wholesale Customer */
    unsigned     customer;

    /* what is sent to it names packages */
    unsigned     packages;
} wholesale_call_t;


typedef enum {
    /* .../wholesale/ and a resource, and nothing that could hide another */
    WHOLESALE_PATH_CALL = 0,

    /* no resource of theirs */
    WHOLESALE_PATH_OTHER,

    /* .../wholesale/customers/{what is no id}, or another's */
    WHOLESALE_PATH_BAD_ID,

    /*
     * The path that was routed by is not, byte for byte, the path that would
     * be forwarded: "//", "/../", "%2f", an escaped letter.
     */
    WHOLESALE_PATH_AMBIGUOUS
} wholesale_path_e;


typedef enum {
    WHOLESALE_SUB_PARTNER_NONE = 0,

    /* one, and it is an id */
    WHOLESALE_SUB_PARTNER_ONE,

    /* the parameter is there more than once */
    WHOLESALE_SUB_PARTNER_DOUBLED,

    /* there is one which another server may read as this parameter */
    WHOLESALE_SUB_PARTNER_HIDDEN,

    /* one, and its value is no id */
    WHOLESALE_SUB_PARTNER_BAD_ID
} wholesale_sub_partner_e;


/*
 * Judges an id of a customer or an organisation: 1 to WHOLESALE_ID_MAX of
 * A-Z a-z 0-9 _ -, then up to two "=", each as it is or as %3D.
 *
 * Returns its length without the padding, or 0 if it is no id.
 */
size_t wholesale_id_check(const char *id, size_t len);

/* returns the length without the padding of what is known to be an id */
size_t wholesale_id_unpadded(const char *id, size_t len);

/*
 * Compares two ids, neither of which has to be right, without their padding.
 *
 * Returns 1 if both are ids and the same one, otherwise 0.
 */
int wholesale_id_equal(const char *one, size_t one_len, const char *other,
    size_t other_len);

/*
 * Judges a request's path.  "uri" is the path that the location was found by:
 * decoded and normalised, r->uri.  "raw" is the path as it would be forwarded,
 * r->unparsed_uri; a "?" and what follows it does not matter.  Where a rewrite
 * has made the path that is forwarded, both are r->uri.
 *
 * After WHOLESALE_PATH_CALL "call" is a static entry and "id" what stands for
 * its id, within "raw", its padding included; otherwise "id" is empty, as it
 * is where a resource has none.  Any other result is to be answered with 404.
 */
wholesale_path_e wholesale_path_call(const char *uri, size_t uri_len,
    const char *raw, size_t raw_len, const wholesale_call_t **call,
    wholesale_slice_t *id);

/*
 * Looks for onBehalfOfSubPartnerOrgId in a raw query string (r->args).  What
 * has this name in it in another case, percent-encoded, cut by characters that
 * are no letters, or within a value, hides it.
 *
 * After WHOLESALE_SUB_PARTNER_ONE "id" is the value, within "query", its
 * padding included; otherwise it is empty.
 */
wholesale_sub_partner_e wholesale_query_sub_partner(const char *query,
    size_t len, wholesale_slice_t *id);


#endif /* _WHOLESALE_PATH_H_INCLUDED_ */
