
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_limits.h>
#include <ngx_wholesale_redis_probe.h>


/* bytes; what one question takes */
#define NGX_WHOLESALE_REDIS_PROBE_POOL  1024


static void ngx_wholesale_redis_probe_handler(void *data,
    ngx_wholesale_redis_limits_t *limits, ngx_int_t rc);


/* it never refuses, and is gone after two seconds */

static const wholesale_limit_t  ngx_wholesale_redis_probe_limit = {
    "probe", sizeof("probe") - 1,
    WHOLESALE_LIMIT_QUOTA, WHOLESALE_LIMIT_PER_TENANT, 1,
    WHOLESALE_QUOTA_MAX, WHOLESALE_WINDOW_MIN, 0
};


void
ngx_wholesale_redis_probe(ngx_wholesale_redis_t *redis)
{
    ngx_pool_t                    *pool;
    ngx_wholesale_counter_t       *counter;
    ngx_wholesale_redis_limits_t  *limits;

    pool = ngx_create_pool(NGX_WHOLESALE_REDIS_PROBE_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    counter = ngx_pcalloc(pool, sizeof(ngx_wholesale_counter_t));
    limits = ngx_pcalloc(pool, sizeof(ngx_wholesale_redis_limits_t));

    if (counter == NULL || limits == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    counter->limit = &ngx_wholesale_redis_probe_limit;

    /* of a tenant without a name, which none is */

    limits->redis = redis;
    limits->pool = pool;
    limits->counters = counter;
    limits->n = 1;
    limits->handler = ngx_wholesale_redis_probe_handler;
    limits->data = pool;

    if (ngx_wholesale_redis_limits_take(limits) != NGX_OK) {
        ngx_destroy_pool(pool);
    }
}


/* the breaker has seen what came of it */

static void
ngx_wholesale_redis_probe_handler(void *data,
    ngx_wholesale_redis_limits_t *limits, ngx_int_t rc)
{
    ngx_pool_t *pool = data;

    ngx_destroy_pool(pool);
}
