
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <wholesale_index.h>
#include <ngx_wholesale_metrics.h>


/* of a zone, one worker in so many bytes, from so many workers on */
#define NGX_WHOLESALE_METRICS_WORKER_SHARE  4096
#define NGX_WHOLESALE_METRICS_WORKERS_MIN   16

/* an admitted request that leaves no more than this of a limit is near it */
#define NGX_WHOLESALE_METRICS_NEAR          20      /* per cent */


static ngx_int_t ngx_wholesale_metrics_attach_known(
    ngx_wholesale_metrics_t *metrics, const wholesale_tenants_t *tenants);
static int ngx_wholesale_metrics_is_tenant(const void *entries, uint32_t n,
    const void *key, size_t len);
static void ngx_wholesale_metrics_tenant_id(u_char *id,
    const wholesale_tenant_t *tenant);
static ngx_wholesale_metrics_tenant_sh_t *ngx_wholesale_metrics_place(
    ngx_wholesale_metrics_t *metrics, ngx_uint_t *next);
static void ngx_wholesale_metrics_attach_limits(
    ngx_wholesale_metrics_t *metrics, ngx_wholesale_metrics_tenant_t *tenant,
    const wholesale_limit_t *limit, ngx_uint_t n);
static ngx_wholesale_metrics_limit_sh_t *ngx_wholesale_metrics_find_limit(
    ngx_wholesale_metrics_t *metrics, ngx_wholesale_metrics_tenant_sh_t *sh,
    const wholesale_limit_t *limit);
static ngx_atomic_uint_t ngx_wholesale_metrics_limit_id(
    const wholesale_limit_t *limit);
static int64_t ngx_wholesale_metrics_whole(
    const ngx_wholesale_counter_t *counter);


/* microseconds, from half a millisecond to ten seconds */

static int64_t
    ngx_wholesale_metrics_bounds[NGX_WHOLESALE_METRICS_BUCKETS - 1] = {
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000
};


ngx_uint_t
ngx_wholesale_metrics_default(size_t size)
{
    size_t  tenants;

    tenants = size / NGX_WHOLESALE_METRICS_SHARE
              / sizeof(ngx_wholesale_metrics_tenant_sh_t);

    return ngx_min(tenants, NGX_WHOLESALE_METRICS_TENANTS);
}


ngx_wholesale_metrics_sh_t *
ngx_wholesale_metrics_create(ngx_slab_pool_t *shpool, size_t size,
    ngx_uint_t tenants)
{
    ngx_wholesale_metrics_sh_t  *sh;

    sh = ngx_slab_calloc(shpool, sizeof(ngx_wholesale_metrics_sh_t));
    if (sh == NULL) {
        return NULL;
    }

    sh->started = ngx_time();

    sh->ntenants = tenants;
    sh->tenants = ngx_slab_calloc(shpool, ngx_max(tenants, 1)
                                 * sizeof(ngx_wholesale_metrics_tenant_sh_t));

    sh->nworkers = size / NGX_WHOLESALE_METRICS_WORKER_SHARE;
    sh->nworkers = ngx_min(sh->nworkers, NGX_MAX_PROCESSES);
    sh->nworkers = ngx_max(sh->nworkers, NGX_WHOLESALE_METRICS_WORKERS_MIN);
    sh->workers = ngx_slab_calloc(shpool, sh->nworkers
                                 * sizeof(ngx_wholesale_metrics_worker_sh_t));

    if (sh->tenants == NULL || sh->workers == NULL) {
        return NULL;
    }

    return sh;
}


ngx_int_t
ngx_wholesale_metrics_attach(ngx_wholesale_metrics_t *metrics,
    const wholesale_tenants_t *tenants, ngx_pool_t *pool)
{
    ngx_uint_t                       i, next;
    const wholesale_tenant_t        *tenant;
    ngx_wholesale_metrics_sh_t      *sh;
    ngx_wholesale_metrics_tenant_t  *mt;

    sh = metrics->sh;

    metrics->ntenants = wholesale_tenants_count(tenants);
    metrics->bound = ngx_min(metrics->bound, sh->ntenants);
    metrics->tenants = ngx_pcalloc(pool, metrics->ntenants
                                     * sizeof(ngx_wholesale_metrics_tenant_t));
    if (metrics->tenants == NULL) {
        return NGX_ERROR;
    }

    metrics->generation = ++sh->generation;

    /* first those that are known, so that nobody takes their places */

    if (ngx_wholesale_metrics_attach_known(metrics, tenants) != NGX_OK) {
        return NGX_ERROR;
    }

    next = 0;

    for (i = 0; i < metrics->ntenants; i++) {
        tenant = wholesale_tenants_nth(tenants, i);
        mt = &metrics->tenants[i];

        if (mt->sh == NULL && i < metrics->bound) {
            mt->sh = ngx_wholesale_metrics_place(metrics, &next);

            if (mt->sh) {
                ngx_wholesale_metrics_tenant_id(mt->sh->id, tenant);
            }
        }

        if (mt->sh == NULL) {
            mt->sh = &sh->rest;
            continue;
        }

        ngx_wholesale_metrics_attach_limits(metrics, mt, tenant->limits,
                                            tenant->nlimits);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_metrics_attach_known(ngx_wholesale_metrics_t *metrics,
    const wholesale_tenants_t *tenants)
{
    u_char                       id[NGX_WHOLESALE_COUNTER_ID_LEN];
    uint32_t                     n;
    ngx_uint_t                   i;
    wholesale_index_t            index;
    ngx_wholesale_metrics_sh_t  *sh;

    sh = metrics->sh;

    if (wholesale_index_create(&index, sh->tenants, sh->ntenants,
                               ngx_wholesale_metrics_is_tenant)
        != 0)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < sh->ntenants; i++) {

        if (sh->tenants[i].generation) {
            (void) wholesale_index_add(&index, i, sh->tenants[i].id,
                                       NGX_WHOLESALE_COUNTER_ID_LEN);
        }
    }

    for (i = 0; i < ngx_min(metrics->bound, metrics->ntenants); i++) {
        ngx_wholesale_metrics_tenant_id(id, wholesale_tenants_nth(tenants, i));

        n = wholesale_index_find(&index, id, NGX_WHOLESALE_COUNTER_ID_LEN);

        if (n != WHOLESALE_INDEX_NONE) {
            metrics->tenants[i].sh = &sh->tenants[n];
            sh->tenants[n].generation = metrics->generation;
        }
    }

    wholesale_index_destroy(&index);

    return NGX_OK;
}


static int
ngx_wholesale_metrics_is_tenant(const void *entries, uint32_t n,
    const void *key, size_t len)
{
    const ngx_wholesale_metrics_tenant_sh_t  *tenants = entries;

    return ngx_memcmp(tenants[n].id, key, len) == 0;
}


static void
ngx_wholesale_metrics_tenant_id(u_char *id, const wholesale_tenant_t *tenant)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, tenant->name, tenant->name_len);
    ngx_md5_final(id, &md5);
}


/* one that is free, or that two generations have not had; or NULL */

static ngx_wholesale_metrics_tenant_sh_t *
ngx_wholesale_metrics_place(ngx_wholesale_metrics_t *metrics,
    ngx_uint_t *next)
{
    ngx_wholesale_metrics_tenant_sh_t  *sh;

    while (*next < metrics->sh->ntenants) {
        sh = &metrics->sh->tenants[(*next)++];

        if (sh->generation == 0
            || sh->generation + 1 < metrics->generation)
        {
            ngx_memzero(sh, sizeof(ngx_wholesale_metrics_tenant_sh_t));
            sh->generation = metrics->generation;

            return sh;
        }
    }

    return NULL;
}


static void
ngx_wholesale_metrics_attach_limits(ngx_wholesale_metrics_t *metrics,
    ngx_wholesale_metrics_tenant_t *tenant, const wholesale_limit_t *limit,
    ngx_uint_t n)
{
    ngx_uint_t                         i;
    ngx_wholesale_metrics_limit_sh_t  *sh;

    /* as with tenants: the known ones keep theirs */

    for (i = 0; i < n; i++) {
        sh = ngx_wholesale_metrics_find_limit(metrics, tenant->sh, &limit[i]);

        if (sh) {
            sh->generation = metrics->generation;
        }
    }

    for (i = 0; i < n; i++) {
        sh = ngx_wholesale_metrics_find_limit(metrics, tenant->sh, &limit[i]);

        if (sh == NULL) {
            sh = ngx_wholesale_metrics_find_limit(metrics, tenant->sh, NULL);

            ngx_memzero(sh, sizeof(ngx_wholesale_metrics_limit_sh_t));

            sh->id = ngx_wholesale_metrics_limit_id(&limit[i]);
            sh->generation = metrics->generation;
        }

        tenant->limits[i] = sh - tenant->sh->limits;
    }
}


/* the limit's, or NULL; of no limit: the one that was in use longest ago */

static ngx_wholesale_metrics_limit_sh_t *
ngx_wholesale_metrics_find_limit(ngx_wholesale_metrics_t *metrics,
    ngx_wholesale_metrics_tenant_sh_t *sh, const wholesale_limit_t *limit)
{
    ngx_uint_t                         i;
    ngx_atomic_uint_t                  id;
    ngx_wholesale_metrics_limit_sh_t  *oldest;

    oldest = &sh->limits[0];
    id = limit ? ngx_wholesale_metrics_limit_id(limit) : 0;

    for (i = 0; i < NGX_WHOLESALE_METRICS_LIMITS; i++) {

        if (limit && sh->limits[i].id == id) {
            return &sh->limits[i];
        }

        if (sh->limits[i].generation < oldest->generation) {
            oldest = &sh->limits[i];
        }
    }

    return limit ? NULL : oldest;
}


static ngx_atomic_uint_t
ngx_wholesale_metrics_limit_id(const wholesale_limit_t *limit)
{
    u_char             digest[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_md5_t          md5;
    ngx_atomic_uint_t  id;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, limit->name, limit->name_len);
    ngx_md5_final(digest, &md5);

    ngx_memcpy(&id, digest, sizeof(ngx_atomic_uint_t));

    return id | 1;
}


void
ngx_wholesale_metrics_enter(ngx_wholesale_metrics_t *metrics)
{
    ngx_wholesale_metrics_worker_sh_t  *worker;

    if ((ngx_uint_t) ngx_process_slot >= metrics->sh->nworkers) {
        return;
    }

    worker = &metrics->sh->workers[ngx_process_slot];

    worker->redis = NGX_WHOLESALE_METRICS_REDIS_NONE;
    worker->connected = 0;
    worker->generation = metrics->generation;
    worker->pid = ngx_pid;

    metrics->worker = worker;
}


void
ngx_wholesale_metrics_leave(ngx_wholesale_metrics_t *metrics)
{
    if (metrics->worker) {
        metrics->worker->pid = 0;
    }
}


void
ngx_wholesale_metrics_show_redis(ngx_wholesale_metrics_t *metrics,
    const ngx_wholesale_redis_t *redis)
{
    ngx_wholesale_metrics_redis_e  state;

    if (metrics->worker == NULL) {
        return;
    }

    switch (ngx_wholesale_redis_breaker(redis)) {

    case NGX_WHOLESALE_REDIS_BREAKER_CLOSED:
        state = NGX_WHOLESALE_METRICS_REDIS_CLOSED;
        break;

    case NGX_WHOLESALE_REDIS_BREAKER_HALF_OPEN:
        state = NGX_WHOLESALE_METRICS_REDIS_HALF_OPEN;
        break;

    default: /* NGX_WHOLESALE_REDIS_BREAKER_OPEN */
        state = NGX_WHOLESALE_METRICS_REDIS_OPEN;
    }

    metrics->worker->redis = state;
    metrics->worker->connected = ngx_wholesale_redis_connected(redis);
}


void
ngx_wholesale_metrics_workers(ngx_wholesale_metrics_t *metrics,
    ngx_wholesale_metrics_workers_t *workers)
{
    ngx_pid_t                           pid;
    ngx_uint_t                          i;
    ngx_wholesale_metrics_redis_e       state;
    ngx_wholesale_metrics_worker_sh_t  *worker;

    ngx_memzero(workers, sizeof(ngx_wholesale_metrics_workers_t));

    for (i = 0; i < metrics->sh->nworkers; i++) {
        worker = &metrics->sh->workers[i];

        pid = worker->pid;

        if (pid == 0
            || worker->generation != metrics->generation
            || (kill(pid, 0) == -1 && ngx_errno == ESRCH))
        {
            continue;
        }

        workers->workers++;

        if (worker->connected) {
            workers->connected++;
        }

        state = worker->redis;
        workers->worst = ngx_max(workers->worst, state);
    }
}


void
ngx_wholesale_metrics_time(ngx_wholesale_metrics_t *metrics,
    ngx_wholesale_metrics_duration_e duration, int64_t microseconds)
{
    ngx_uint_t                          i;
    ngx_wholesale_metrics_histogram_t  *histogram;

    histogram = &metrics->sh->durations[duration];

    microseconds = ngx_max(microseconds, 0);

    for (i = 0; i < NGX_WHOLESALE_METRICS_BUCKETS - 1; i++) {
        if (microseconds <= ngx_wholesale_metrics_bounds[i]) {
            break;
        }
    }

    ngx_wholesale_metrics_count(&histogram->buckets[i]);

    (void) ngx_atomic_fetch_add(&histogram->sum,
                                (ngx_atomic_int_t) microseconds);
}


int64_t
ngx_wholesale_metrics_upper(ngx_uint_t bucket)
{
    return bucket < NGX_WHOLESALE_METRICS_BUCKETS - 1
           ? ngx_wholesale_metrics_bounds[bucket] : 0;
}


ngx_uint_t
ngx_wholesale_metrics_near(const ngx_wholesale_counter_t *counter)
{
    return counter->verdict.reset
           && counter->verdict.retry_after == 0
           && counter->verdict.remaining * 100
              <= counter->limit->quota * NGX_WHOLESALE_METRICS_NEAR;
}


void
ngx_wholesale_metrics_left(ngx_wholesale_metrics_limit_sh_t *sh,
    const ngx_wholesale_counter_t *counter)
{
    if (counter->verdict.reset == 0) {
        return;
    }

    sh->remaining = counter->verdict.remaining + 1;
    sh->whole = ngx_time() + (ngx_wholesale_metrics_whole(counter)
                              + WHOLESALE_SECOND - 1) / WHOLESALE_SECOND;
}


/* microseconds, at most, until all of the limit is there again */

static int64_t
ngx_wholesale_metrics_whole(const ngx_wholesale_counter_t *counter)
{
    int64_t                           now;
    ngx_time_t                       *tp;
    const wholesale_limit_t          *limit;
    const wholesale_limit_verdict_t  *verdict;

    limit = counter->limit;
    verdict = &counter->verdict;

    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        return limit->window - (verdict->remaining + 1) * limit->interval
               + verdict->reset;
    }

    /* what is counted now weighs until the end of the next window */

    tp = ngx_timeofday();

    now = (int64_t) tp->sec * WHOLESALE_SECOND + tp->msec * 1000;

    return (now / limit->window + 2) * limit->window - now;
}


void
ngx_wholesale_metrics_gauge(ngx_wholesale_metrics_limit_sh_t *sh,
    const wholesale_limit_t *limit, ngx_wholesale_metrics_gauge_t *gauge)
{
    int64_t  remaining, reset;

    gauge->remaining = NGX_WHOLESALE_METRICS_UNKNOWN;
    gauge->reset = NGX_WHOLESALE_METRICS_UNKNOWN;

    remaining = sh->remaining;
    reset = (int64_t) sh->whole - ngx_time();

    if (remaining == 0 || limit->per == WHOLESALE_LIMIT_PER_CUSTOMER) {
        return;
    }

    remaining--;

    if (reset <= 0) {
        reset = 0;
        remaining = limit->quota;
    }

    gauge->remaining = ngx_min(remaining, limit->quota);
    gauge->reset = reset;
}


ngx_uint_t
ngx_wholesale_metrics_spell(ngx_wholesale_metrics_spell_t *spell)
{
    spell->last = ngx_time();

    return ngx_atomic_fetch_add(&spell->count, 1) == 0;
}


ngx_uint_t
ngx_wholesale_metrics_spell_over(ngx_wholesale_metrics_spell_t *spell)
{
    ngx_atomic_uint_t  count;

    count = spell->count;

    if (count == 0
        || ngx_time() - (time_t) spell->last < NGX_WHOLESALE_METRICS_QUIET)
    {
        return 0;
    }

    /* of several workers, the one that ends it tells of it */

    return ngx_atomic_cmp_set(&spell->count, count, 0) ? count : 0;
}


ngx_uint_t
ngx_wholesale_metrics_seen(ngx_wholesale_metrics_tenant_sh_t *sh)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WHOLESALE_METRICS_OUTCOMES; i++) {
        if (sh->outcomes[i]) {
            return 1;
        }
    }

    return 0;
}
