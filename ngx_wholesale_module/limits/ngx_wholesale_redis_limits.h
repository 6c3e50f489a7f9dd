
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_LIMITS_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_LIMITS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_counters.h>
#include <ngx_wholesale_redis.h>


/*
 * The counters of the whole fleet, in Redis: all limits of a request in one
 * call of a script, which checks them all on Redis's own clock and then
 * counts the request against all of them or against none.  A limit in dry run
 * that would refuse does not count the request either.
 *
 * The keys of a tenant share a hash tag; a limit that changes its kind, its
 * window (a quota) or its interval (a rate) begins anew:
 *
 *     PREFIX{LENGTH:TENANT}:rate:INTERVAL:LENGTH:NAME
 *     PREFIX{LENGTH:TENANT}:quota:WINDOW:LENGTH:NAME[:LENGTH:CUSTOMER]
 *     PREFIX{LENGTH:TENANT}:pause[:LENGTH:CUSTOMER]
 *
 * A rate's value is its "arrival", a quota's is "NUMBER CURRENT PREVIOUS".
 * Each lives for as long as wholesale_limit_expires() says.  A pause is the
 * time at which it ends, and lives until then.  The user needs the rights to
 * PING, EVALSHA, EVAL, GET, SET and TIME, and to SELECT where a database is
 * configured.
 *
 * The script decides and counts; it answers with the time and with what it
 * found in the counters.  What remains and when to come back is computed of
 * that here, by wholesale_limit_check(), which is asked about the decision as
 * well: it and the script have to agree.
 */


/* limits of one request; more are an error */
#define NGX_WHOLESALE_REDIS_LIMITS_MAX  16


typedef struct ngx_wholesale_redis_limits_s  ngx_wholesale_redis_limits_t;


/*
 * Is called exactly once, by the rules of ngx_wholesale_redis_handler_pt,
 * unless the pool goes first: then never.  "rc" is what
 * ngx_wholesale_counters_take() would return: NGX_OK: let in; NGX_BUSY: at
 * least one limit refused, or there is a pause; NGX_ERROR: there is no
 * answer, and limits->error says why.  The verdicts of the counters are set
 * unless it is NGX_ERROR.
 */
typedef void (*ngx_wholesale_redis_limits_handler_pt)(void *data,
    ngx_wholesale_redis_limits_t *limits, ngx_int_t rc);


/* zeroed by the caller, who sets the upper half and keeps it until the end */

struct ngx_wholesale_redis_limits_s {
    ngx_wholesale_redis_t                  *redis;
    ngx_pool_t                             *pool;

    /* a counter's id is not used: keys in Redis are for people to read */
    ngx_wholesale_counter_t                *counters;
    ngx_uint_t                              n;
    ngx_str_t                               tenant;
    ngx_str_t                               customer;   /* may be empty */

    /* to heed, 0: none; 1: the tenant's; 2: the customer's, too */
    ngx_uint_t                              npauses;

    ngx_wholesale_redis_limits_handler_pt   handler;
    void                                   *data;

    /* set before the handler is called */
    ngx_wholesale_redis_error_e             error;

    /* the same, unless "rc" is NGX_ERROR: Redis's time, in microseconds */
    int64_t                                 now;

    /* microseconds that are left of a pause, 0: there is none */
    int64_t                                 tenant_pause;
    int64_t                                 customer_pause;

    /* the rest is private */
    ngx_wholesale_redis_query_t            *query;  /* NULL: none waits */
    ngx_wholesale_redis_command_t           command;
    const char                            **argv;
    size_t                                 *argvlen;
    unsigned                                evaluated:1;    /* by EVAL */
};


/*
 * Asks for one request.  limits->pool, the request's, holds what is needed
 * meanwhile; when it goes, nobody waits for the answer any more.  Once for
 * each structure.
 *
 * Returns NGX_OK: the handler will be called; NGX_DECLINED: Redis is not
 * usable, do without it at once; NGX_ERROR: no memory, or too many limits.
 */
ngx_int_t ngx_wholesale_redis_limits_take(
    ngx_wholesale_redis_limits_t *limits);

/*
 * Tells all who share this Redis of a pause of a tenant, or of one customer of
 * it ("customer" is not empty), without waiting for an answer: "pause"
 * microseconds from when Redis hears of it.  Of two pauses the one that ends
 * later holds.  The pool is used for no longer than the call.
 *
 * Returns what ngx_wholesale_redis_send() does.
 */
ngx_int_t ngx_wholesale_redis_limits_pause(ngx_wholesale_redis_t *redis,
    ngx_pool_t *pool, ngx_str_t *tenant, ngx_str_t *customer, int64_t pause);


#endif /* _NGX_WHOLESALE_REDIS_LIMITS_H_INCLUDED_ */
