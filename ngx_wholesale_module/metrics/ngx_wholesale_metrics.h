
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_METRICS_H_INCLUDED_
#define _NGX_WHOLESALE_METRICS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <wholesale_tenants.h>
#include <ngx_wholesale_counters.h>
#include <ngx_wholesale_redis.h>


/*
 * What happened, counted in memory that the workers share: it is added to
 * atomically, read without a lock, and survives reloads.  All of it is laid
 * out when the zone is made, so that neither a request nor a reload ever
 * lacks the room for it.
 */


/* of a zone, what tenants may take by default: one in so many bytes */
#define NGX_WHOLESALE_METRICS_SHARE        8

/* tenants that have figures of their own, by default */
#define NGX_WHOLESALE_METRICS_TENANTS      1000

/*
 * Of one tenant: twice what one configuration may have, so that the limits
 * of a new one get theirs while the old one's are still in use.
 */
#define NGX_WHOLESALE_METRICS_LIMITS       (2 * WHOLESALE_LIMITS_MAX)

/* bounded ones, and the one without a bound */
#define NGX_WHOLESALE_METRICS_BUCKETS      15

/* ngx_wholesale_metrics_member() is below this */
#define NGX_WHOLESALE_METRICS_MEMBERS      30

/* seconds: how long a spell is thought to go on when nothing is seen of it */
#define NGX_WHOLESALE_METRICS_QUIET        60

/* a gauge of which nothing is known */
#define NGX_WHOLESALE_METRICS_UNKNOWN      -1


/* what came of a request: exactly one of these */

typedef enum {
    NGX_WHOLESALE_METRICS_FORWARDED = 0,
    NGX_WHOLESALE_METRICS_UNAUTHENTICATED,
    NGX_WHOLESALE_METRICS_FORBIDDEN,
    NGX_WHOLESALE_METRICS_LIMITED,
    NGX_WHOLESALE_METRICS_INVALID,
    NGX_WHOLESALE_METRICS_UNAVAILABLE,
    NGX_WHOLESALE_METRICS_NOT_FOUND,

    /* nginx itself has answered, or nobody has: the client left */
    NGX_WHOLESALE_METRICS_OTHER,

    NGX_WHOLESALE_METRICS_FORBIDDEN_DRY_RUN,
    NGX_WHOLESALE_METRICS_LIMITED_DRY_RUN,
    NGX_WHOLESALE_METRICS_INVALID_DRY_RUN,

    NGX_WHOLESALE_METRICS_OUTCOMES
} ngx_wholesale_metrics_outcome_e;


/* what Webex answered, by its status */

typedef enum {
    NGX_WHOLESALE_METRICS_2XX = 0,
    NGX_WHOLESALE_METRICS_3XX,
    NGX_WHOLESALE_METRICS_4XX,
    NGX_WHOLESALE_METRICS_5XX,

    /* no answer, or none that HTTP knows */
    NGX_WHOLESALE_METRICS_FAILED,

    NGX_WHOLESALE_METRICS_CLASSES
} ngx_wholesale_metrics_class_e;


typedef enum {
    NGX_WHOLESALE_METRICS_REQUEST = 0,
    NGX_WHOLESALE_METRICS_REDIS,
    NGX_WHOLESALE_METRICS_UPSTREAM,

    NGX_WHOLESALE_METRICS_DURATIONS
} ngx_wholesale_metrics_duration_e;


/* how a worker sees Redis, the worst one last */

typedef enum {
    NGX_WHOLESALE_METRICS_REDIS_NONE = 0,
    NGX_WHOLESALE_METRICS_REDIS_CLOSED,
    NGX_WHOLESALE_METRICS_REDIS_HALF_OPEN,
    NGX_WHOLESALE_METRICS_REDIS_OPEN
} ngx_wholesale_metrics_redis_e;


/*
 * Something that goes on: it begins with the first, and is over when nothing
 * of it was seen for NGX_WHOLESALE_METRICS_QUIET seconds.  So that a log has
 * two lines of it, and not one of each request.
 */

typedef struct {
    ngx_atomic_t                       count;       /* 0: it is over */
    ngx_atomic_t                       last;        /* s since the epoch */
} ngx_wholesale_metrics_spell_t;


/* of durations: not cumulative */

typedef struct {
    ngx_atomic_t                       buckets[NGX_WHOLESALE_METRICS_BUCKETS];
    ngx_atomic_t                       sum;         /* microseconds */
} ngx_wholesale_metrics_histogram_t;


typedef struct {
    ngx_atomic_t                       id;          /* 0: free */
    ngx_uint_t                         generation;  /* that had it last */

    ngx_atomic_t                       refused;
    ngx_atomic_t                       near;
    ngx_atomic_t                       dry_run;

    /* of refusals */
    ngx_wholesale_metrics_spell_t      spell;

    /*
     * As the last request left it: how many could follow, and 1; 0: not
     * known.  From "whole" on, in seconds since the epoch, it is all of it.
     */
    ngx_atomic_t                       remaining;
    ngx_atomic_t                       whole;
} ngx_wholesale_metrics_limit_sh_t;


typedef struct {
    u_char                             id[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_uint_t                         generation;  /* 0: free */

    ngx_atomic_t                  outcomes[NGX_WHOLESALE_METRICS_OUTCOMES];

    /* of "limited": Webex had asked for a pause */
    ngx_atomic_t                       paused;

    ngx_wholesale_metrics_limit_sh_t   limits[NGX_WHOLESALE_METRICS_LIMITS];
} ngx_wholesale_metrics_tenant_sh_t;


/* a process and what it alone knows; the next one in its place overwrites it */

typedef struct {
    ngx_atomic_t                       pid;         /* 0: none */
    ngx_atomic_t                       generation;
    ngx_atomic_t                       redis;
    ngx_atomic_t                       connected;
} ngx_wholesale_metrics_worker_sh_t;


typedef struct {
    time_t                             started;

    /* of the configuration: grows with each that is loaded */
    ngx_uint_t                         generation;

    ngx_wholesale_metrics_histogram_t
                              durations[NGX_WHOLESALE_METRICS_DURATIONS];
    ngx_atomic_t              upstream[NGX_WHOLESALE_METRICS_CLASSES];
    ngx_atomic_t              members[NGX_WHOLESALE_METRICS_MEMBERS];
    ngx_wholesale_redis_counters_t     redis;

    /* of requests that could not be counted for want of room */
    ngx_wholesale_metrics_spell_t      crowded;

    /* of subrequests to guarded locations */
    ngx_wholesale_metrics_spell_t      subrequests;

    /* nobody: requests of which the tenant is not known; rest: see below */
    ngx_wholesale_metrics_tenant_sh_t  nobody;
    ngx_wholesale_metrics_tenant_sh_t  rest;

    ngx_wholesale_metrics_tenant_sh_t *tenants;
    ngx_uint_t                         ntenants;

    /* by ngx_process_slot; who is beyond is not told of */
    ngx_wholesale_metrics_worker_sh_t *workers;
    ngx_uint_t                         nworkers;
} ngx_wholesale_metrics_sh_t;


/* where the figures of a configured tenant are */

typedef struct {
    ngx_wholesale_metrics_tenant_sh_t *sh;

    /* which of sh->limits each of the tenant's limits is */
    u_char                             limits[WHOLESALE_LIMITS_MAX];
} ngx_wholesale_metrics_tenant_t;


/* of one configuration */

typedef struct {
    ngx_wholesale_metrics_sh_t        *sh;

    ngx_uint_t                         generation;

    /* how many have figures of their own; the rest share sh->rest */
    ngx_uint_t                         bound;

    /* by wholesale_tenant_t's "index" */
    ngx_wholesale_metrics_tenant_t    *tenants;
    ngx_uint_t                         ntenants;

    /* this worker's own; NULL: it is not told of */
    ngx_wholesale_metrics_worker_sh_t *worker;
} ngx_wholesale_metrics_t;


/* of one limit; NGX_WHOLESALE_METRICS_UNKNOWN where nothing is known */

typedef struct {
    int64_t                            remaining;
    int64_t                            reset;       /* seconds, 0: whole */
} ngx_wholesale_metrics_gauge_t;


/* what all workers say of Redis together */

typedef struct {
    ngx_uint_t                         workers;
    ngx_uint_t                         connected;
    ngx_wholesale_metrics_redis_e      worst;
} ngx_wholesale_metrics_workers_t;


/* how many tenants there may be in a zone of "size" bytes by default */
ngx_uint_t ngx_wholesale_metrics_default(size_t size);

/*
 * Lays out all figures as zeros, for "tenants" of them, in a zone of "size"
 * bytes that nobody uses yet.  Returns NULL if there is no room.
 */
ngx_wholesale_metrics_sh_t *ngx_wholesale_metrics_create(
    ngx_slab_pool_t *shpool, size_t size, ngx_uint_t tenants);

/*
 * At configuration time, with metrics->sh and metrics->bound set: begins a
 * generation and finds every tenant's figures, which "pool", the
 * configuration's, has the list of.  A tenant that is new takes the place of
 * one that two generations have not had: what the workers of older ones
 * still do is counted for the one that was there.  Those for whom there is
 * no place, and those beyond the bound, share one.
 *
 * Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_wholesale_metrics_attach(ngx_wholesale_metrics_t *metrics,
    const wholesale_tenants_t *tenants, ngx_pool_t *pool);

/* in a worker: takes its place among the workers, and leaves it */
void ngx_wholesale_metrics_enter(ngx_wholesale_metrics_t *metrics);
void ngx_wholesale_metrics_leave(ngx_wholesale_metrics_t *metrics);

/* for the others to see: how this worker stands with Redis */
void ngx_wholesale_metrics_show_redis(ngx_wholesale_metrics_t *metrics,
    const ngx_wholesale_redis_t *redis);

/* of the living workers of this configuration */
void ngx_wholesale_metrics_workers(ngx_wholesale_metrics_t *metrics,
    ngx_wholesale_metrics_workers_t *workers);

/* counts a duration; a clock that was set back makes it none */
void ngx_wholesale_metrics_time(ngx_wholesale_metrics_t *metrics,
    ngx_wholesale_metrics_duration_e duration, int64_t microseconds);

/* the upper bound of a bucket in microseconds; of the last: 0, it has none */
int64_t ngx_wholesale_metrics_upper(ngx_uint_t bucket);

/* whether an admitted request has left so little of a limit that it tells */
ngx_uint_t ngx_wholesale_metrics_near(const ngx_wholesale_counter_t *counter);

/* keeps what the verdict says is left of the limit */
void ngx_wholesale_metrics_left(ngx_wholesale_metrics_limit_sh_t *sh,
    const ngx_wholesale_counter_t *counter);

/* what is left of a limit by now */
void ngx_wholesale_metrics_gauge(ngx_wholesale_metrics_limit_sh_t *sh,
    const wholesale_limit_t *limit, ngx_wholesale_metrics_gauge_t *gauge);

/* one more; returns whether the spell begins with it */
ngx_uint_t ngx_wholesale_metrics_spell(ngx_wholesale_metrics_spell_t *spell);

/*
 * One that is not of it: returns how many there were in the spell that is
 * over by now, once; 0: it is not, or there was none.
 */
ngx_uint_t ngx_wholesale_metrics_spell_over(
    ngx_wholesale_metrics_spell_t *spell);

/* whether there was any request */
ngx_uint_t ngx_wholesale_metrics_seen(ngx_wholesale_metrics_tenant_sh_t *sh);

/*
 * The member that a problem's pointer is about, without the indexes of
 * arrays; one that the contract does not name is one of its own, "other".
 */
ngx_uint_t ngx_wholesale_metrics_member(const char *pointer);

/* these are static, and what metrics and variables call them */
ngx_str_t *ngx_wholesale_metrics_member_name(ngx_uint_t member);
ngx_str_t *ngx_wholesale_metrics_outcome_name(
    ngx_wholesale_metrics_outcome_e outcome);
ngx_str_t *ngx_wholesale_metrics_class_name(
    ngx_wholesale_metrics_class_e class);
ngx_str_t *ngx_wholesale_metrics_duration_name(
    ngx_wholesale_metrics_duration_e duration);


#define ngx_wholesale_metrics_count(counter)                                  \
    (void) ngx_atomic_fetch_add(counter, 1)


#endif /* _NGX_WHOLESALE_METRICS_H_INCLUDED_ */
