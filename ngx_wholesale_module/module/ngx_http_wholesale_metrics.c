
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* milliseconds between two looks at how this worker stands with Redis */
#define NGX_HTTP_WHOLESALE_METRICS_LOOK  1000


static void ngx_http_wholesale_metrics_handler(ngx_event_t *ev);
static void ngx_http_wholesale_account_limits(
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_metrics_tenant_t *tenant);
static void ngx_http_wholesale_account_upstream(ngx_http_request_t *r,
    ngx_wholesale_metrics_t *metrics);
static ngx_wholesale_metrics_class_e ngx_http_wholesale_class(
    ngx_http_upstream_state_t *state);


/* a timer's data is read as a connection by debug logging */

static ngx_connection_t  ngx_http_wholesale_metrics_dummy;


void
ngx_http_wholesale_start_metrics(ngx_http_wholesale_main_conf_t *wmcf,
    ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;

    ngx_wholesale_metrics_enter(&wmcf->metrics);

    if (wmcf->redis == NULL) {
        return;
    }

    ngx_http_wholesale_metrics_dummy.fd = (ngx_socket_t) -1;

    ev = &wmcf->metrics_event;

    ev->handler = ngx_http_wholesale_metrics_handler;
    ev->data = &ngx_http_wholesale_metrics_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_http_wholesale_metrics_handler(ev);
}


static void
ngx_http_wholesale_metrics_handler(ngx_event_t *ev)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = (ngx_http_wholesale_main_conf_t *)
               ((u_char *) ev - offsetof(ngx_http_wholesale_main_conf_t,
                                         metrics_event));

    ngx_wholesale_metrics_show_redis(&wmcf->metrics, wmcf->redis);

    ngx_add_timer(ev, NGX_HTTP_WHOLESALE_METRICS_LOOK);
}


int64_t
ngx_http_wholesale_started(ngx_http_request_t *r)
{
    int64_t      before;
    ngx_time_t  *tp;

    /* what has passed until this turn of the loop, and then by the clock */

    tp = ngx_timeofday();

    before = (int64_t) (tp->sec - r->start_sec) * 1000
             + (int64_t) tp->msec - (int64_t) r->start_msec;

    return ngx_wholesale_counters_now() - ngx_max(before, 0) * 1000;
}


ngx_wholesale_metrics_outcome_e
ngx_http_wholesale_outcome(ngx_http_wholesale_ctx_t *ctx)
{
    if (ctx->refusal) {
        return (ngx_wholesale_metrics_outcome_e) ctx->refusal->outcome;
    }

    if (ctx->noted) {

        switch (ctx->noted->outcome) {

        case NGX_HTTP_WHOLESALE_LIMITED:
            return NGX_WHOLESALE_METRICS_LIMITED_DRY_RUN;

        case NGX_HTTP_WHOLESALE_INVALID:
            return NGX_WHOLESALE_METRICS_INVALID_DRY_RUN;

        default: /* NGX_HTTP_WHOLESALE_FORBIDDEN */
            return NGX_WHOLESALE_METRICS_FORBIDDEN_DRY_RUN;
        }
    }

    return ctx->forwarded ? NGX_WHOLESALE_METRICS_FORWARDED
                          : NGX_WHOLESALE_METRICS_OTHER;
}


/* at once: a request that takes long would tell of the past at its end */

void
ngx_http_wholesale_show_limits(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t                       i;
    ngx_wholesale_metrics_tenant_t  *tenant;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_wholesale_module);

    tenant = &wmcf->metrics.tenants[ctx->tenant->index];

    for (i = 0; i < ctx->ncounters; i++) {
        ngx_wholesale_metrics_left(&tenant->sh->limits[tenant->limits[i]],
                                   &ctx->counters[i]);
    }
}


void
ngx_http_wholesale_account(ngx_http_request_t *r)
{
    ngx_wholesale_metrics_t            *metrics;
    ngx_http_wholesale_ctx_t           *ctx;
    ngx_wholesale_metrics_tenant_t     *tenant;
    ngx_http_wholesale_main_conf_t     *wmcf;
    ngx_wholesale_metrics_tenant_sh_t  *sh;

    if (r != r->main) {
        return;
    }

    ctx = ngx_http_wholesale_get_ctx(r);

    if (ctx == NULL) {
        return;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    metrics = &wmcf->metrics;
    sh = &metrics->sh->nobody;

    if (ctx->tenant) {
        tenant = &metrics->tenants[ctx->tenant->index];
        sh = tenant->sh;

        ngx_http_wholesale_account_limits(ctx, tenant);
    }

    ngx_wholesale_metrics_count(&sh->outcomes[ngx_http_wholesale_outcome(ctx)]);

    if (ctx->redis == NGX_HTTP_WHOLESALE_REDIS_ANSWERED) {
        ngx_wholesale_metrics_time(metrics, NGX_WHOLESALE_METRICS_REDIS,
                                   ctx->redis_answered - ctx->redis_started);
    }

    ngx_http_wholesale_account_upstream(r, metrics);

    ngx_wholesale_metrics_time(metrics, NGX_WHOLESALE_METRICS_REQUEST,
                               ngx_wholesale_counters_now() - ctx->started);
}


static void
ngx_http_wholesale_account_limits(ngx_http_wholesale_ctx_t *ctx,
    ngx_wholesale_metrics_tenant_t *tenant)
{
    ngx_uint_t                         i, limited, admitted;
    ngx_wholesale_metrics_limit_sh_t  *sh;

    limited = ctx->refusal
              && ctx->refusal->outcome == NGX_HTTP_WHOLESALE_LIMITED;

    if (limited && ctx->refused == NULL) {
        ngx_wholesale_metrics_count(&tenant->sh->paused);
    }

    if (ctx->counted == NGX_HTTP_WHOLESALE_COUNTED_NOWHERE) {
        return;
    }

    admitted = !limited;

    if (ctx->refused) {
        i = ctx->refused - ctx->counters;
        sh = &tenant->sh->limits[tenant->limits[i]];

        if (limited) {
            ngx_wholesale_metrics_count(&sh->refused);
            ngx_http_wholesale_log_over(ctx, &sh->spell);

        } else {
            ngx_wholesale_metrics_count(&sh->dry_run);

            /* a limit in dry run does not keep the others from counting */
            admitted = ctx->refused->limit->dry_run;
        }
    }

    for (i = 0; i < ctx->ncounters; i++) {
        sh = &tenant->sh->limits[tenant->limits[i]];

        if (admitted && ngx_wholesale_metrics_near(&ctx->counters[i])) {
            ngx_wholesale_metrics_count(&sh->near);
        }

        if (ctx->refused == NULL) {
            ngx_http_wholesale_log_within(ctx, &sh->spell,
                                          ctx->counters[i].limit);
        }
    }
}


/* every attempt; between those of two upstreams nginx has one of no peer */

static void
ngx_http_wholesale_account_upstream(ngx_http_request_t *r,
    ngx_wholesale_metrics_t *metrics)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL) {
        return;
    }

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {

        if (state[i].peer == NULL) {
            continue;
        }

        ngx_wholesale_metrics_count(
               &metrics->sh->upstream[ngx_http_wholesale_class(&state[i])]);

        if (state[i].response_time != (ngx_msec_t) -1) {
            ngx_wholesale_metrics_time(metrics, NGX_WHOLESALE_METRICS_UPSTREAM,
                                      (int64_t) state[i].response_time * 1000);
        }
    }
}


/* nginx gives a failed attempt a status of its own, 502 or 504 */

static ngx_wholesale_metrics_class_e
ngx_http_wholesale_class(ngx_http_upstream_state_t *state)
{
    if (state->header_time == (ngx_msec_t) -1) {
        return NGX_WHOLESALE_METRICS_FAILED;
    }

    switch (state->status / 100) {

    case 2:
        return NGX_WHOLESALE_METRICS_2XX;

    case 3:
        return NGX_WHOLESALE_METRICS_3XX;

    case 4:
        return NGX_WHOLESALE_METRICS_4XX;

    case 5:
        return NGX_WHOLESALE_METRICS_5XX;

    default:
        return NGX_WHOLESALE_METRICS_FAILED;
    }
}


void
ngx_http_wholesale_account_problems(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    size_t                           i;
    ngx_uint_t                       member;
    ngx_wholesale_metrics_sh_t      *sh;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    sh = wmcf->metrics.sh;

    for (i = 0; i < ctx->problems.stored; i++) {
        member = ngx_wholesale_metrics_member(ctx->problems.items[i].pointer);
        ngx_wholesale_metrics_count(&sh->members[member]);
    }

    /* what is beyond the list has no pointer */

    (void) ngx_atomic_fetch_add(
                             &sh->members[NGX_WHOLESALE_METRICS_MEMBERS - 1],
                             ctx->problems.total - ctx->problems.stored);
}
