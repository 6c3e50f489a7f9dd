
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static ngx_int_t ngx_http_wholesale_make_counters(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_peek(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_prolong(ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_ask_redis(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_redis_handler(void *data,
    ngx_wholesale_redis_limits_t *limits, ngx_int_t rc);
static ngx_int_t ngx_http_wholesale_count_too(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_without_redis(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_count_here(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_cannot_count(
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_verdict(ngx_http_wholesale_ctx_t *ctx,
    ngx_int_t rc);
static void ngx_http_wholesale_forget_verdicts(
    ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_uncount(ngx_http_wholesale_ctx_t *ctx);
static ngx_uint_t ngx_http_wholesale_find_refused(
    ngx_http_wholesale_ctx_t *ctx, ngx_uint_t dry_run);


/* seconds */
#define NGX_HTTP_WHOLESALE_COUNTERS_RETRY  1


/* the reason and the message are those of the limit that refused */

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_limited = {
    NGX_HTTP_TOO_MANY_REQUESTS, NGX_HTTP_WHOLESALE_LIMITED,
    ngx_string("limit"), ngx_null_string
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_uncounted = {
    NGX_HTTP_SERVICE_UNAVAILABLE, NGX_HTTP_WHOLESALE_UNAVAILABLE,
    ngx_string("counters"),
    ngx_string("The gateway cannot count this request now; nothing was sent; "
               "try again later.")
};


ngx_int_t
ngx_http_wholesale_limit(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    switch (ctx->redis) {

    case NGX_HTTP_WHOLESALE_REDIS_UNASKED:

        if (ngx_http_wholesale_make_counters(r, ctx) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_wholesale_check_pause(r, ctx);

        if (rc != NGX_OK) {
            ngx_http_wholesale_peek(r, ctx);
            ngx_http_wholesale_prolong(ctx);
            return rc;
        }

        if (ctx->ncounters == 0) {
            return NGX_OK;
        }

        if (wmcf->redis == NULL) {
            return ngx_http_wholesale_count_here(r, ctx);
        }

        if (ngx_wholesale_refusals_find(&wmcf->counters, ctx->counters,
                                        ctx->ncounters)
            == NGX_BUSY)
        {
            ctx->counted = NGX_HTTP_WHOLESALE_COUNTED_REDIS;
            return ngx_http_wholesale_verdict(ctx, NGX_BUSY);
        }

        rc = ngx_http_wholesale_ask_redis(r, ctx);

        if (rc == NGX_DECLINED) {
            return ngx_http_wholesale_without_redis(r, ctx);
        }

        return rc;

    case NGX_HTTP_WHOLESALE_REDIS_ASKED:
        return NGX_DONE;

    default: /* NGX_HTTP_WHOLESALE_REDIS_ANSWERED */
        break;
    }

    r->read_event_handler = ngx_http_block_reading;

    if (ctx->redis_rc == NGX_ERROR) {
        return ngx_http_wholesale_without_redis(r, ctx);
    }

    ctx->counted = NGX_HTTP_WHOLESALE_COUNTED_REDIS;

    if (ctx->redis_rc == NGX_OK) {
        return ngx_http_wholesale_count_too(r, ctx);
    }

    /* ctx->redis_rc == NGX_BUSY */

    ngx_wholesale_refusals_remember(&wmcf->counters, ctx->counters,
                                    ctx->ncounters, ctx->redis_answered);

    ngx_http_wholesale_uncount(ctx);

    rc = ngx_http_wholesale_redis_pause(r, ctx);

    if (rc != NGX_OK) {
        ngx_http_wholesale_prolong(ctx);
        return rc;
    }

    return ngx_http_wholesale_verdict(ctx, NGX_BUSY);
}


ngx_str_t
ngx_http_wholesale_counted_customer(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t  customer;

    ngx_str_set(&customer, "");

    if (ctx->customer.len) {
        customer.data = ctx->customer.data;
        customer.len = wholesale_id_unpadded((char *) ctx->customer.data,
                                             ctx->customer.len);
    }

    return customer;
}


/* jittered, so that the refused do not all come back at once */

time_t
ngx_http_wholesale_retry_after(int64_t microseconds)
{
    time_t  seconds;

    seconds = (microseconds + WHOLESALE_SECOND - 1) / WHOLESALE_SECOND;

    return seconds + ngx_random() % (seconds / 10 + 1);
}


static ngx_int_t
ngx_http_wholesale_make_counters(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t   tenant, customer;
    ngx_uint_t  i;

    ctx->ncounters = ctx->tenant->nlimits;

    if (ctx->ncounters == 0) {
        return NGX_OK;
    }

    ctx->counters = ngx_pcalloc(r->pool, ctx->ncounters
                                         * sizeof(ngx_wholesale_counter_t));
    if (ctx->counters == NULL) {
        return NGX_ERROR;
    }

    tenant.data = (u_char *) ctx->tenant->name;
    tenant.len = ctx->tenant->name_len;

    customer = ngx_http_wholesale_counted_customer(ctx);

    for (i = 0; i < ctx->ncounters; i++) {
        ngx_wholesale_counter_name(&ctx->counters[i], &ctx->tenant->limits[i],
                                   &tenant, &customer);
    }

    return NGX_OK;
}


/*
 * What is left, to tell it.  Where Redis counts, nobody knows without asking,
 * but for the limits that are known to be reached.
 */

static void
ngx_http_wholesale_peek(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    if (wmcf->redis == NULL
        || (wmcf->redis_conf.on_failure == NGX_HTTP_WHOLESALE_REDIS_LOCAL
            && ngx_wholesale_redis_breaker(wmcf->redis)
               == NGX_WHOLESALE_REDIS_BREAKER_OPEN))
    {
        ngx_wholesale_counters_peek(&wmcf->counters, ctx->counters,
                                    ctx->ncounters);

        ngx_http_wholesale_uncount(ctx);
    }

    if (wmcf->redis) {
        (void) ngx_wholesale_refusals_find(&wmcf->counters, ctx->counters,
                                           ctx->ncounters);
    }
}


/* a request that a pause refuses has to wait for its limits as well */

static void
ngx_http_wholesale_prolong(ngx_http_wholesale_ctx_t *ctx)
{
    time_t      retry_after;
    ngx_uint_t  i;

    for (i = 0; i < ctx->ncounters; i++) {

        if (ctx->counters[i].limit->dry_run) {
            continue;
        }

        retry_after = ngx_http_wholesale_retry_after(
                                         ctx->counters[i].verdict.retry_after);

        ctx->retry_after = ngx_max(ctx->retry_after, retry_after);
    }
}


/* returns NGX_DONE, NGX_DECLINED: do without Redis, or a status */

static ngx_int_t
ngx_http_wholesale_ask_redis(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_wholesale_redis_limits_t    *limits;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    limits = ngx_pcalloc(r->pool, sizeof(ngx_wholesale_redis_limits_t));
    if (limits == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    limits->redis = wmcf->redis;
    limits->pool = r->pool;
    limits->counters = ctx->counters;
    limits->n = ctx->ncounters;
    limits->tenant.data = (u_char *) ctx->tenant->name;
    limits->tenant.len = ctx->tenant->name_len;
    limits->customer = ngx_http_wholesale_counted_customer(ctx);
    limits->npauses = ngx_http_wholesale_npauses(r, ctx);
    limits->handler = ngx_http_wholesale_redis_handler;
    limits->data = r;

    if (ngx_wholesale_redis_limits_take(limits) != NGX_OK) {
        return NGX_DECLINED;
    }

    ctx->redis = NGX_HTTP_WHOLESALE_REDIS_ASKED;
    ctx->redis_limits = limits;
    ctx->redis_started = ngx_wholesale_counters_now();

    return ngx_http_wholesale_watch_client(r);
}


/* the phases are not run here, in the middle of other requests' replies */

static void
ngx_http_wholesale_redis_handler(void *data,
    ngx_wholesale_redis_limits_t *limits, ngx_int_t rc)
{
    ngx_http_request_t  *r = data;

    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r);

    ctx->redis = NGX_HTTP_WHOLESALE_REDIS_ANSWERED;
    ctx->redis_rc = rc;
    ctx->redis_answered = ngx_wholesale_counters_now();

    ngx_post_event(r->connection->write, &ngx_posted_events);
}


/*
 * Redis has let the request in, and these counters are to know of it.  They
 * know of what Redis does not: of those that came when it could not be asked.
 */

static ngx_int_t
ngx_http_wholesale_count_too(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    if (wmcf->redis_conf.on_failure != NGX_HTTP_WHOLESALE_REDIS_LOCAL
        || ngx_wholesale_counters_record(&wmcf->counters, ctx->counters,
                                         ctx->ncounters)
           != NGX_BUSY)
    {
        return ngx_http_wholesale_verdict(ctx, NGX_OK);
    }

    ngx_wholesale_refusals_remember(&wmcf->counters, ctx->counters,
                                    ctx->ncounters,
                                    ngx_wholesale_counters_now());

    return ngx_http_wholesale_verdict(ctx, NGX_BUSY);
}


static ngx_int_t
ngx_http_wholesale_without_redis(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    switch (wmcf->redis_conf.on_failure) {

    case NGX_HTTP_WHOLESALE_REDIS_ALLOW:
        ngx_http_wholesale_forget_verdicts(ctx);
        return NGX_OK;

    case NGX_HTTP_WHOLESALE_REDIS_DENY:
        return ngx_http_wholesale_cannot_count(ctx);

    default: /* NGX_HTTP_WHOLESALE_REDIS_LOCAL */
        return ngx_http_wholesale_count_here(r, ctx);
    }
}


static ngx_int_t
ngx_http_wholesale_count_here(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    rc = ngx_wholesale_counters_take(&wmcf->counters, ctx->counters,
                                     ctx->ncounters);

    if (rc == NGX_ERROR) {
        ngx_http_wholesale_log_crowded(ctx);

        return ngx_http_wholesale_cannot_count(ctx);
    }

    ctx->counted = NGX_HTTP_WHOLESALE_COUNTED_LOCAL;

    ngx_http_wholesale_log_uncrowded(ctx);

    if (rc == NGX_BUSY) {
        ngx_http_wholesale_uncount(ctx);
    }

    return ngx_http_wholesale_verdict(ctx, rc);
}


static ngx_int_t
ngx_http_wholesale_cannot_count(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_wholesale_forget_verdicts(ctx);

    ctx->reduced = 1;
    ctx->retry_after = NGX_HTTP_WHOLESALE_COUNTERS_RETRY;

    return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_uncounted);
}


static ngx_int_t
ngx_http_wholesale_verdict(ngx_http_wholesale_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_wholesale_show_limits(ctx);

    if (rc == NGX_OK) {

        /* a limit in dry run would have refused, perhaps */

        if (ngx_http_wholesale_find_refused(ctx, 1)) {
            ngx_http_wholesale_note(ctx, &ngx_http_wholesale_limited);
        }

        return NGX_OK;
    }

    ngx_http_wholesale_find_refused(ctx, 0);

    rc = ngx_http_wholesale_refuse_or_note(ctx, &ngx_http_wholesale_limited);

    if (rc != NGX_OK) {
        ctx->retry_after = ngx_http_wholesale_retry_after(
                                           ctx->refused->verdict.retry_after);
    }

    return rc;
}


/* whoever was to count has set some of them, perhaps, and then failed */

static void
ngx_http_wholesale_forget_verdicts(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->ncounters; i++) {
        ngx_memzero(&ctx->counters[i].verdict,
                    sizeof(wholesale_limit_verdict_t));
    }
}


/*
 * A verdict speaks of the time after the request is counted, but this one was
 * not, by any limit.
 */

static void
ngx_http_wholesale_uncount(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t                  i;
    wholesale_limit_verdict_t  *verdict;

    for (i = 0; i < ctx->ncounters; i++) {
        verdict = &ctx->counters[i].verdict;

        if (verdict->reset && verdict->retry_after == 0) {
            verdict->remaining++;
        }
    }
}


/* sets ctx->refused: of several that refuse, the one that does so longest */

static ngx_uint_t
ngx_http_wholesale_find_refused(ngx_http_wholesale_ctx_t *ctx,
    ngx_uint_t dry_run)
{
    ngx_uint_t                i;
    ngx_wholesale_counter_t  *counter;

    for (i = 0; i < ctx->ncounters; i++) {
        counter = &ctx->counters[i];

        if (counter->limit->dry_run != dry_run
            || counter->verdict.retry_after == 0)
        {
            continue;
        }

        if (ctx->refused == NULL
            || counter->verdict.retry_after
               > ctx->refused->verdict.retry_after)
        {
            ctx->refused = counter;
        }
    }

    return ctx->refused != NULL;
}
