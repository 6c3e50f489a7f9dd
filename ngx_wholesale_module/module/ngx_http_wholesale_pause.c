
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* seconds, to tell a client where Webex tells none */
#define NGX_HTTP_WHOLESALE_PAUSE_UNKNOWN  5


static int64_t ngx_http_wholesale_known_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_str_t *customer);
static ngx_int_t ngx_http_wholesale_refuse_paused(
    ngx_http_wholesale_ctx_t *ctx, int64_t tenant_pause,
    int64_t customer_pause);
static void ngx_http_wholesale_remember_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_uint_t status, time_t seconds);
static void ngx_http_wholesale_pause_fleet(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_str_t *tenant, ngx_str_t *customer,
    int64_t pause);
static time_t ngx_http_wholesale_parse_retry_after(ngx_str_t *value);
static ngx_int_t ngx_http_wholesale_set_retry_after(ngx_http_request_t *r,
    ngx_table_elt_t *h, time_t seconds);


static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_tenant_paused = {
    NGX_HTTP_TOO_MANY_REQUESTS, NGX_HTTP_WHOLESALE_LIMITED,
    ngx_string("paused"),
    ngx_string("Webex asks for fewer requests; nothing was sent; try again "
               "later.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_locked = {
    NGX_HTTP_WHOLESALE_LOCKED, NGX_HTTP_WHOLESALE_LIMITED,
    ngx_string("paused"),
    ngx_string("Webex has locked this customer for a time; nothing was sent; "
               "try again later.")
};


static ngx_str_t  ngx_http_wholesale_nobody = ngx_string("");


/* a locked customer can still be looked at */

ngx_uint_t
ngx_http_wholesale_npauses(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    if (ctx->pause_max == 0) {
        return 0;
    }

    return (ctx->customer.len && !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)))
           ? 2 : 1;
}


ngx_int_t
ngx_http_wholesale_check_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    int64_t                         tenant_pause, customer_pause;
    ngx_str_t                       customer;
    ngx_uint_t                      npauses;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    ctx->pause_max = wlcf->pause_max;

    npauses = ngx_http_wholesale_npauses(r, ctx);

    if (npauses == 0) {
        return NGX_OK;
    }

    tenant_pause = ngx_http_wholesale_known_pause(r, ctx,
                                                  &ngx_http_wholesale_nobody);
    customer_pause = 0;

    if (npauses == 2) {
        customer = ngx_http_wholesale_counted_customer(ctx);

        customer_pause = ngx_http_wholesale_known_pause(r, ctx, &customer);
    }

    return ngx_http_wholesale_refuse_paused(ctx, tenant_pause, customer_pause);
}


/* one that was learnt while Redis could not be told is told when it can be */

static int64_t
ngx_http_wholesale_known_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_str_t *customer)
{
    int64_t                          pause;
    ngx_str_t                        tenant;
    ngx_uint_t                       untold;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    tenant.data = (u_char *) ctx->tenant->name;
    tenant.len = ctx->tenant->name_len;

    pause = ngx_wholesale_refusals_paused(&wmcf->counters, &tenant, customer,
                                          &untold);

    if (untold && wmcf->redis
        && ngx_wholesale_redis_breaker(wmcf->redis)
           == NGX_WHOLESALE_REDIS_BREAKER_CLOSED)
    {
        ngx_http_wholesale_pause_fleet(r, ctx, &tenant, customer, pause);
    }

    return pause;
}


/* of two pauses, the tenant's is told, and when the longer one is over */

static ngx_int_t
ngx_http_wholesale_refuse_paused(ngx_http_wholesale_ctx_t *ctx,
    int64_t tenant_pause, int64_t customer_pause)
{
    ngx_int_t  rc;

    if (tenant_pause == 0 && customer_pause == 0) {
        return NGX_OK;
    }

    rc = ngx_http_wholesale_refuse_or_note(ctx, tenant_pause
                                           ? &ngx_http_wholesale_tenant_paused
                                           : &ngx_http_wholesale_locked);

    if (rc != NGX_OK) {
        ctx->reduced = 1;
        ctx->retry_after = ngx_http_wholesale_retry_after(
                                       ngx_max(tenant_pause, customer_pause));
    }

    return rc;
}


ngx_int_t
ngx_http_wholesale_redis_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t                        tenant;
    ngx_wholesale_redis_limits_t    *limits;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    tenant.data = (u_char *) ctx->tenant->name;
    tenant.len = ctx->tenant->name_len;

    limits = ctx->redis_limits;

    if (limits->tenant_pause) {
        (void) ngx_wholesale_refusals_pause(&wmcf->counters, &tenant,
                                            &ngx_http_wholesale_nobody,
                                            ctx->redis_answered,
                                            limits->tenant_pause);
    }

    if (limits->customer_pause) {
        (void) ngx_wholesale_refusals_pause(&wmcf->counters, &tenant,
                                            &limits->customer,
                                            ctx->redis_answered,
                                            limits->customer_pause);
    }

    return ngx_http_wholesale_refuse_paused(ctx, limits->tenant_pause,
                                            limits->customer_pause);
}


/*
 * What came is looked at, not what is sent: that may be the operator's own
 * page (proxy_intercept_errors), or a field may be hidden.
 */

void
ngx_http_wholesale_learn_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    time_t            seconds;
    ngx_uint_t        status;
    ngx_table_elt_t  *h;

    if (!ctx->forwarded || r->upstream == NULL || ctx->pause_learned) {
        return;
    }

    status = r->upstream->headers_in.status_n;

    if (status != NGX_HTTP_TOO_MANY_REQUESTS
        && status != NGX_HTTP_WHOLESALE_LOCKED)
    {
        return;
    }

    ctx->pause_learned = 1;

    h = ngx_http_wholesale_find_upstream_header(r, "retryafter");

    if (h == NULL) {
        return;
    }

    seconds = ngx_http_wholesale_parse_retry_after(&h->value);

    seconds = ngx_min(seconds, ctx->pause_max);

    if (seconds > 0) {
        ngx_http_wholesale_remember_pause(r, ctx, status, seconds);
    }
}


ngx_int_t
ngx_http_wholesale_tell_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    time_t            seconds;
    ngx_table_elt_t  *h;

    if (!ctx->forwarded
        || (r->headers_out.status != NGX_HTTP_TOO_MANY_REQUESTS
            && r->headers_out.status != NGX_HTTP_WHOLESALE_LOCKED))
    {
        return NGX_OK;
    }

    h = ngx_http_wholesale_find_sent_header(r, "retryafter", NULL);

    seconds = h ? ngx_http_wholesale_parse_retry_after(&h->value)
                : (time_t) NGX_ERROR;

    if (seconds != (time_t) NGX_ERROR) {

        /* a date is no use to clients which know of seconds alone */

        return (h->value.data[0] >= '0' && h->value.data[0] <= '9')
               ? NGX_OK : ngx_http_wholesale_set_retry_after(r, h, seconds);
    }

    if (r->headers_out.status == NGX_HTTP_WHOLESALE_LOCKED) {
        return NGX_OK;
    }

    return ngx_http_wholesale_set_retry_after(r, h,
                                             NGX_HTTP_WHOLESALE_PAUSE_UNKNOWN);
}


static void
ngx_http_wholesale_remember_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_uint_t status, time_t seconds)
{
    int64_t                          now, pause;
    ngx_str_t                        tenant, customer;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    tenant.data = (u_char *) ctx->tenant->name;
    tenant.len = ctx->tenant->name_len;

    customer = ngx_http_wholesale_nobody;

    if (status == NGX_HTTP_WHOLESALE_LOCKED) {
        customer = ngx_http_wholesale_counted_customer(ctx);

        if (customer.len == 0) {
            return;
        }
    }

    now = ngx_wholesale_counters_now();
    pause = (int64_t) seconds * WHOLESALE_SECOND;

    if (ngx_wholesale_refusals_pause(&wmcf->counters, &tenant, &customer, now,
                                     pause)
        != NGX_OK)
    {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "webex answers %ui to tenant \"%V\", %V: %s paused for %T s",
                  status, &tenant, &ctx->tracking_id,
                  customer.len ? "the customer is" : "it is", seconds);

    ngx_http_wholesale_pause_fleet(r, ctx, &tenant, &customer, pause);
}


/* nobody asks Redis about a tenant without limits */

static void
ngx_http_wholesale_pause_fleet(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_str_t *tenant, ngx_str_t *customer,
    int64_t pause)
{
    ngx_int_t                        rc;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    if (wmcf->redis == NULL || ctx->tenant->nlimits == 0) {
        return;
    }

    rc = ngx_wholesale_redis_limits_pause(wmcf->redis, r->pool, tenant,
                                          customer, pause);

    ngx_wholesale_refusals_tell(&wmcf->counters, tenant, customer,
                                rc == NGX_OK);
}


/* seconds from now, or NGX_ERROR */

static time_t
ngx_http_wholesale_parse_retry_after(ngx_str_t *value)
{
    size_t  i;
    time_t  seconds;

    seconds = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            break;
        }

        if (seconds < NGX_MAX_INT32_VALUE) {
            seconds = seconds * 10 + (value->data[i] - '0');
        }
    }

    if (i && i == value->len) {
        return ngx_min(seconds, NGX_MAX_INT32_VALUE);
    }

    seconds = ngx_parse_http_time(value->data, value->len);

    if (seconds == (time_t) NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_max(seconds - ngx_time(), 1);
}


static ngx_int_t
ngx_http_wholesale_set_retry_after(ngx_http_request_t *r, ngx_table_elt_t *h,
    time_t seconds)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%T", seconds) - value.data;

    if (h) {
        h->value = value;
        return NGX_OK;
    }

    return ngx_http_wholesale_answer_header(r, "Retry-After", &value);
}
