
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* of one limit in RateLimit-Policy or RateLimit */
#define NGX_HTTP_WHOLESALE_RATELIMIT_ITEM                                     \
    (sizeof("\"\";q=;w=, ") - 1 + WHOLESALE_LIMIT_NAME_MAX + 2 * NGX_INT64_LEN)


static ngx_int_t ngx_http_wholesale_ratelimit_draft(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_counter_t *tightest);
static ngx_int_t ngx_http_wholesale_ratelimit_legacy(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_counter_t *tightest);
static ngx_wholesale_counter_t *ngx_http_wholesale_tightest(
    ngx_http_wholesale_ctx_t *ctx);
static ngx_uint_t ngx_http_wholesale_ratelimit_stays(ngx_http_request_t *r,
    const char *name, const char *parameter,
    ngx_wholesale_counter_t *tightest);
static int64_t ngx_http_wholesale_ratelimit_remaining(ngx_str_t *value,
    const char *parameter);
static void ngx_http_wholesale_ratelimit_clear(ngx_http_request_t *r,
    const char *name);
static ngx_int_t ngx_http_wholesale_ratelimit_number(ngx_http_request_t *r,
    const char *name, int64_t number);
static int64_t ngx_http_wholesale_ratelimit_seconds(int64_t microseconds);


ngx_int_t
ngx_http_wholesale_ratelimit(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_wholesale_counter_t        *tightest;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    /* what is not enforced is not told, or clients would keep to it */

    if (ctx->ncounters == 0 || ctx->tenant->dry_run || wlcf->dry_run) {
        return NGX_OK;
    }

    tightest = ngx_http_wholesale_tightest(ctx);

    if (tightest == NULL) {
        return NGX_OK;
    }

    if ((wlcf->ratelimit_headers & NGX_HTTP_WHOLESALE_RATELIMIT_DRAFT)
        && ngx_http_wholesale_ratelimit_draft(r, ctx, tightest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (wlcf->ratelimit_headers & NGX_HTTP_WHOLESALE_RATELIMIT_LEGACY) {
        return ngx_http_wholesale_ratelimit_legacy(r, ctx, tightest);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_ratelimit_draft(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_counter_t *tightest)
{
    u_char                     *p, *q;
    ngx_str_t                   policy, state;
    ngx_uint_t                  i;
    const wholesale_limit_t    *limit;
    wholesale_limit_verdict_t  *verdict;

    if (ngx_http_wholesale_ratelimit_stays(r, "ratelimit", "r", tightest)) {
        return NGX_OK;
    }

    policy.data = ngx_pnalloc(r->pool, ctx->ncounters
                                       * NGX_HTTP_WHOLESALE_RATELIMIT_ITEM);
    state.data = ngx_pnalloc(r->pool, ctx->ncounters
                                      * NGX_HTTP_WHOLESALE_RATELIMIT_ITEM);

    if (policy.data == NULL || state.data == NULL) {
        return NGX_ERROR;
    }

    p = policy.data;
    q = state.data;

    for (i = 0; i < ctx->ncounters; i++) {
        limit = ctx->counters[i].limit;
        verdict = &ctx->counters[i].verdict;

        if (limit->dry_run) {
            continue;
        }

        p = ngx_sprintf(p, "\"%s\";q=%L;w=%L, ", limit->name, limit->quota,
                        ngx_http_wholesale_ratelimit_seconds(limit->window));

        /* of a refusal that was known, nothing is known of other limits */

        if (verdict->reset) {
            q = ngx_sprintf(q, "\"%s\";r=%L;t=%L, ", limit->name,
                            verdict->remaining,
                            ngx_http_wholesale_ratelimit_seconds(
                                                             verdict->reset));
        }
    }

    policy.len = p - policy.data - (sizeof(", ") - 1);
    state.len = q - state.data - (sizeof(", ") - 1);

    ngx_http_wholesale_ratelimit_clear(r, "ratelimitpolicy");
    ngx_http_wholesale_ratelimit_clear(r, "ratelimit");

    if (ngx_http_wholesale_answer_header(r, "RateLimit-Policy", &policy)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wholesale_answer_header(r, "RateLimit", &state);
}


static ngx_int_t
ngx_http_wholesale_ratelimit_legacy(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_counter_t *tightest)
{
    int64_t  reset;

    if (ngx_http_wholesale_ratelimit_stays(r, "xratelimitremaining", NULL,
                                           tightest))
    {
        return NGX_OK;
    }

    ngx_http_wholesale_ratelimit_clear(r, "xratelimitlimit");
    ngx_http_wholesale_ratelimit_clear(r, "xratelimitremaining");
    ngx_http_wholesale_ratelimit_clear(r, "xratelimitreset");

    reset = ngx_http_wholesale_ratelimit_seconds(tightest->verdict.reset);

    if (ngx_http_wholesale_ratelimit_number(r, "X-RateLimit-Limit",
                                            tightest->limit->quota)
        != NGX_OK
        || ngx_http_wholesale_ratelimit_number(r, "X-RateLimit-Remaining",
                                               tightest->verdict.remaining)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wholesale_ratelimit_number(r, "X-RateLimit-Reset", reset);
}


/* what has least left, and of several of these the one that takes longest */

static ngx_wholesale_counter_t *
ngx_http_wholesale_tightest(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_wholesale_counter_t    *tightest;
    wholesale_limit_verdict_t  *verdict;

    tightest = NULL;

    for (i = 0; i < ctx->ncounters; i++) {
        verdict = &ctx->counters[i].verdict;

        if (ctx->counters[i].limit->dry_run || verdict->reset == 0) {
            continue;
        }

        if (tightest == NULL
            || verdict->remaining < tightest->verdict.remaining
            || (verdict->remaining == tightest->verdict.remaining
                && verdict->reset > tightest->verdict.reset))
        {
            tightest = &ctx->counters[i];
        }
    }

    return tightest;
}


/* whether the upstream has said this, and we have nothing stricter to say */

static ngx_uint_t
ngx_http_wholesale_ratelimit_stays(ngx_http_request_t *r, const char *name,
    const char *parameter, ngx_wholesale_counter_t *tightest)
{
    ngx_table_elt_t  *h;

    for (h = ngx_http_wholesale_find_sent_header(r, name, NULL);
         h;
         h = ngx_http_wholesale_find_sent_header(r, name, h))
    {
        if (ngx_http_wholesale_ratelimit_remaining(&h->value, parameter)
            <= tightest->verdict.remaining)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * The least of all numbers "parameter" in a list, or the one number that is
 * the value; -1 if there is none: then it cannot be compared.
 */

static int64_t
ngx_http_wholesale_ratelimit_remaining(ngx_str_t *value, const char *parameter)
{
    u_char   *p, *last;
    int64_t   number, least;

    least = -1;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        if (parameter) {
            p = ngx_strlchr(p, last, ';');
            if (p == NULL) {
                break;
            }

            do {
                p++;
            } while (p < last && *p == ' ');

            if (last - p < 2 || *p != (u_char) *parameter || p[1] != '=') {
                continue;
            }

            p += 2;
        }

        if (p == last || *p < '0' || *p > '9') {
            return -1;
        }

        for (number = 0; p < last && *p >= '0' && *p <= '9'; p++) {

            if (number <= WHOLESALE_QUOTA_MAX) {
                number = number * 10 + (*p - '0');
            }
        }

        least = (least == -1) ? number : ngx_min(least, number);

        if (parameter == NULL) {
            return (p == last) ? least : -1;
        }
    }

    return least;
}


static void
ngx_http_wholesale_ratelimit_clear(ngx_http_request_t *r, const char *name)
{
    ngx_table_elt_t  *h;

    for (h = ngx_http_wholesale_find_sent_header(r, name, NULL);
         h;
         h = ngx_http_wholesale_find_sent_header(r, name, h))
    {
        h->hash = 0;
    }
}


static ngx_int_t
ngx_http_wholesale_ratelimit_number(ngx_http_request_t *r, const char *name,
    int64_t number)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%L", number) - value.data;

    return ngx_http_wholesale_answer_header(r, name, &value);
}


/* rounded up */

static int64_t
ngx_http_wholesale_ratelimit_seconds(int64_t microseconds)
{
    return (microseconds + WHOLESALE_SECOND - 1) / WHOLESALE_SECOND;
}
