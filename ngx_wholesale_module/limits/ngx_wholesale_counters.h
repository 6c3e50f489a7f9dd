
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_COUNTERS_H_INCLUDED_
#define _NGX_WHOLESALE_COUNTERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include <wholesale_limit.h>


/*
 * The counters of this machine, in memory that the workers share: a bounded
 * set in which the least recently used go first.  What is known of refusals
 * (ngx_wholesale_refusals.h) has its nodes in the same set.
 */


#define NGX_WHOLESALE_COUNTER_ID_LEN  16


/* one limit of one request: whose counter it is, and what came of it */

typedef struct {
    const wholesale_limit_t      *limit;

    /* "reset" is 0 as long as there is none */
    wholesale_limit_verdict_t     verdict;
    u_char                        id[NGX_WHOLESALE_COUNTER_ID_LEN];
} ngx_wholesale_counter_t;


typedef struct {
    ngx_rbtree_t                  rbtree;
    ngx_rbtree_node_t             sentinel;
    ngx_queue_t                   queue;

    /* seconds since the epoch, when the last pause of any tenant is over */
    ngx_atomic_t                  paused;
} ngx_wholesale_counters_sh_t;


typedef struct {
    ngx_wholesale_counters_sh_t  *sh;
    ngx_slab_pool_t              *shpool;
} ngx_wholesale_counters_t;


/* of a refusal or a pause, which ends when its node expires */

typedef struct {
    int64_t                       since;

    /* a pause: the fleet does not know of it */
    ngx_uint_t                    untold;
} ngx_wholesale_refusal_t;


/* a node of the set; behind the head of its ngx_rbtree_node_t */

typedef struct {
    u_char                        color;
    u_char                        dummy;
    u_char                        id[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_queue_t                   queue;

    /* microseconds since the epoch, from when on it means nothing */
    int64_t                       expires;

    /*
     * Until then it has requests in it that were let in by it alone, of which
     * no Redis knows; 0: there has been none.  A quota's fade by then, with
     * the window after theirs; a rate's are gone when its counter is empty.
     */
    int64_t                       alone;

    union {
        wholesale_limit_state_t   state;

        ngx_wholesale_refusal_t   refusal;
    } u;
} ngx_wholesale_counter_node_t;


/*
 * Lays out an empty set in "shpool".  Returns NULL if there is no room.
 */
ngx_wholesale_counters_sh_t *ngx_wholesale_counters_create(
    ngx_slab_pool_t *shpool);

/*
 * Names the counter of a limit: of the tenant, and also of the customer where
 * the limit is per customer.  A limit that changes its kind or its window
 * begins anew.  Two different counters never share an id: the parts are
 * hashed with their lengths.
 */
void ngx_wholesale_counter_name(ngx_wholesale_counter_t *counter,
    const wholesale_limit_t *limit, ngx_str_t *tenant, ngx_str_t *customer);

/*
 * Counts one request against all of the n counters, or against none: a
 * refused request costs nothing, nor room in the zone.  A limit in dry run
 * never refuses.
 *
 * Returns NGX_OK: let in; NGX_BUSY: at least one limit refused; NGX_ERROR: no
 * room in the zone.  The verdicts are set unless it is NGX_ERROR.
 */
ngx_int_t ngx_wholesale_counters_take(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n);

/*
 * Sets the verdicts that ngx_wholesale_counters_take() would set, and counts
 * nothing.
 */
void ngx_wholesale_counters_peek(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n);

/*
 * Counts one request that Redis has let in, so that these counters go on from
 * there when Redis does not.  The verdicts are Redis's, and stay; a limit that
 * would have refused, but for its dry run, does not count the request.  What
 * there is no room for in the zone is not counted.
 *
 * But a counter that has let in requests by itself, while Redis could not be
 * asked, has a say as long as they are in it: where it is full, none counts
 * the request, and the verdict of that limit is its own.  So a gateway never
 * lets in more than the limit by the two together.
 *
 * Returns NGX_OK; NGX_BUSY: refused; NGX_ERROR: these are too many, and none
 * was counted.
 */
ngx_int_t ngx_wholesale_counters_record(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n);

/*
 * The node of an id, which is the most recently used one then; or NULL.  To
 * be called with the mutex of the pool held, as the next one.
 */
ngx_wholesale_counter_node_t *ngx_wholesale_counters_lookup(
    ngx_wholesale_counters_t *counters, u_char *id);

/*
 * The same, but an id that has none gets one, zeroed, for which others may
 * have to go.  Returns NULL if there is no room all the same.
 */
ngx_wholesale_counter_node_t *ngx_wholesale_counters_get(
    ngx_wholesale_counters_t *counters, u_char *id, int64_t now);

/*
 * Gives room in the zone to others: some of the counters that were used least
 * recently go.  Returns whether any did.
 */
ngx_uint_t ngx_wholesale_counters_evict(ngx_wholesale_counters_t *counters);

/* adds one part of what an id is the digest of, with its length */
void ngx_wholesale_counter_name_part(ngx_md5_t *md5, const void *data,
    size_t len);

/* microseconds since the epoch: nginx's own time is a turn of the loop old */
int64_t ngx_wholesale_counters_now(void);


#endif /* _NGX_WHOLESALE_COUNTERS_H_INCLUDED_ */
