
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
static u_char *ngx_http_wholesale_ratelimit_policy(
    ngx_http_wholesale_ctx_t *ctx, u_char *p);
static u_char *ngx_http_wholesale_ratelimit_state(
    ngx_http_wholesale_ctx_t *ctx, u_char *p);
static ngx_int_t ngx_http_wholesale_ratelimit_legacy(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_counter_t *tightest);
static ngx_wholesale_counter_t *ngx_http_wholesale_tightest(
    ngx_http_wholesale_ctx_t *ctx);
static const wholesale_limit_t *ngx_http_wholesale_smallest(
    ngx_http_wholesale_ctx_t *ctx);
static ngx_uint_t ngx_http_wholesale_ratelimit_stays(ngx_http_request_t *r,
    const char *name, const char *parameter,
    ngx_wholesale_counter_t *tightest);
static int64_t ngx_http_wholesale_ratelimit_remaining(ngx_str_t *value,
    const char *parameter);
static u_char *ngx_http_wholesale_ratelimit_semicolon(u_char *p, u_char *last);
static void ngx_http_wholesale_ratelimit_clear(ngx_http_request_t *r,
    const char *name);
static ngx_int_t ngx_http_wholesale_ratelimit_number(ngx_http_request_t *r,
    const char *name, int64_t number);
static u_char *ngx_http_wholesale_ratelimit_item(u_char *p,
    const wholesale_limit_t *limit, u_char name, int64_t number, u_char other,
    int64_t other_number);
static u_char *ngx_http_wholesale_ratelimit_digits(u_char *p, int64_t number);
static int64_t ngx_http_wholesale_ratelimit_seconds(int64_t microseconds);


ngx_int_t
ngx_http_wholesale_ratelimit(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_wholesale_counter_t        *tightest;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    /* what is not enforced is not told, or clients would keep to it */

    if (ctx->tenant == NULL || ctx->tenant->nlimits == 0
        || ctx->tenant->dry_run || wlcf->dry_run)
    {
        return NGX_OK;
    }

    tightest = ngx_http_wholesale_tightest(ctx);

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
    ngx_str_t  value;

    if (ngx_http_wholesale_ratelimit_stays(r, "ratelimit", "r", tightest)) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, ctx->tenant->nlimits
                                      * NGX_HTTP_WHOLESALE_RATELIMIT_ITEM);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_http_wholesale_ratelimit_policy(ctx, value.data)
                - value.data;

    if (value.len == 0) {
        return NGX_OK;
    }

    ngx_http_wholesale_ratelimit_clear(r, "ratelimitpolicy");

    if (ngx_http_wholesale_answer_header(r, "RateLimit-Policy", &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (tightest == NULL) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, ctx->ncounters
                                      * NGX_HTTP_WHOLESALE_RATELIMIT_ITEM);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_http_wholesale_ratelimit_state(ctx, value.data)
                - value.data;

    ngx_http_wholesale_ratelimit_clear(r, "ratelimit");

    return ngx_http_wholesale_answer_header(r, "RateLimit", &value);
}


/* returns where the list of all limits ends; "p" itself, if there is none */

static u_char *
ngx_http_wholesale_ratelimit_policy(ngx_http_wholesale_ctx_t *ctx, u_char *p)
{
    u_char                   *last;
    ngx_uint_t                i;
    const wholesale_limit_t  *limit;

    last = p;

    for (i = 0; i < ctx->tenant->nlimits; i++) {
        limit = &ctx->tenant->limits[i];

        if (limit->dry_run) {
            continue;
        }

        if (last != p) {
            last = ngx_cpymem(last, ", ", sizeof(", ") - 1);
        }

        last = ngx_http_wholesale_ratelimit_item(last, limit,
                         'q', limit->quota,
                         'w', ngx_http_wholesale_ratelimit_seconds(
                                                              limit->window));
    }

    return last;
}


/* the same of those limits of which it is known what is left */

static u_char *
ngx_http_wholesale_ratelimit_state(ngx_http_wholesale_ctx_t *ctx, u_char *p)
{
    u_char                           *last;
    ngx_uint_t                        i;
    const wholesale_limit_t          *limit;
    const wholesale_limit_verdict_t  *verdict;

    last = p;

    for (i = 0; i < ctx->ncounters; i++) {
        limit = ctx->counters[i].limit;
        verdict = &ctx->counters[i].verdict;

        if (limit->dry_run || verdict->reset == 0) {
            continue;
        }

        if (last != p) {
            last = ngx_cpymem(last, ", ", sizeof(", ") - 1);
        }

        last = ngx_http_wholesale_ratelimit_item(last, limit,
                         'r', verdict->remaining,
                         't', ngx_http_wholesale_ratelimit_seconds(
                                                             verdict->reset));
    }

    return last;
}


static ngx_int_t
ngx_http_wholesale_ratelimit_legacy(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_wholesale_counter_t *tightest)
{
    int64_t                   reset;
    const wholesale_limit_t  *limit;

    if (ngx_http_wholesale_ratelimit_stays(r, "xratelimitremaining", NULL,
                                           tightest))
    {
        return NGX_OK;
    }

    limit = tightest ? tightest->limit : ngx_http_wholesale_smallest(ctx);

    if (limit == NULL) {
        return NGX_OK;
    }

    ngx_http_wholesale_ratelimit_clear(r, "xratelimitlimit");
    ngx_http_wholesale_ratelimit_clear(r, "xratelimitremaining");
    ngx_http_wholesale_ratelimit_clear(r, "xratelimitreset");

    if (ngx_http_wholesale_ratelimit_number(r, "X-RateLimit-Limit",
                                            limit->quota)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (tightest == NULL) {
        return NGX_OK;
    }

    reset = ngx_http_wholesale_ratelimit_seconds(tightest->verdict.reset);

    if (ngx_http_wholesale_ratelimit_number(r, "X-RateLimit-Remaining",
                                            tightest->verdict.remaining)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_wholesale_ratelimit_number(r, "X-RateLimit-Reset", reset);
}


/*
 * What has least left, and of several of these the one that takes longest;
 * NULL: of none it is known.
 */

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


/* what comes nearest to that where nothing is known of what is left */

static const wholesale_limit_t *
ngx_http_wholesale_smallest(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t                i;
    const wholesale_limit_t  *limit, *smallest;

    smallest = NULL;

    for (i = 0; i < ctx->tenant->nlimits; i++) {
        limit = &ctx->tenant->limits[i];

        if (!limit->dry_run
            && (smallest == NULL || limit->quota < smallest->quota))
        {
            smallest = limit;
        }
    }

    return smallest;
}


/* whether the upstream has said this, and we have nothing stricter to say */

static ngx_uint_t
ngx_http_wholesale_ratelimit_stays(ngx_http_request_t *r, const char *name,
    const char *parameter, ngx_wholesale_counter_t *tightest)
{
    ngx_table_elt_t  *h;

    if (r->upstream == NULL) {
        return 0;
    }

    for (h = ngx_http_wholesale_find_sent_header(r, name, NULL);
         h;
         h = ngx_http_wholesale_find_sent_header(r, name, h))
    {
        if (tightest == NULL
            || ngx_http_wholesale_ratelimit_remaining(&h->value, parameter)
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
            p = ngx_http_wholesale_ratelimit_semicolon(p, last);
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


/* the next one that is in no string, or NULL; names of limits are strings */

static u_char *
ngx_http_wholesale_ratelimit_semicolon(u_char *p, u_char *last)
{
    ngx_uint_t  quoted;

    quoted = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (quoted && *p == '\\') {
            p++;

        } else if (!quoted && *p == ';') {
            return p;
        }
    }

    return NULL;
}


static void
ngx_http_wholesale_ratelimit_clear(ngx_http_request_t *r, const char *name)
{
    ngx_table_elt_t  *h;

    if (r->upstream == NULL) {
        return;
    }

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

    value.len = ngx_http_wholesale_ratelimit_digits(value.data, number)
                - value.data;

    return ngx_http_wholesale_answer_header(r, name, &value);
}


/* "burst";q=20;w=2 */

static u_char *
ngx_http_wholesale_ratelimit_item(u_char *p, const wholesale_limit_t *limit,
    u_char name, int64_t number, u_char other, int64_t other_number)
{
    *p++ = '"';
    p = ngx_cpymem(p, limit->name, limit->name_len);
    *p++ = '"';

    *p++ = ';';
    *p++ = name;
    *p++ = '=';
    p = ngx_http_wholesale_ratelimit_digits(p, number);

    *p++ = ';';
    *p++ = other;
    *p++ = '=';

    return ngx_http_wholesale_ratelimit_digits(p, other_number);
}


/* none of these is negative; every answer has seven of them, or more */

static u_char *
ngx_http_wholesale_ratelimit_digits(u_char *p, int64_t number)
{
    u_char  digits[NGX_INT64_LEN], *first;

    first = digits + NGX_INT64_LEN;

    do {
        *--first = (u_char) ('0' + number % 10);
        number /= 10;
    } while (number);

    return ngx_cpymem(p, first, digits + NGX_INT64_LEN - first);
}


/* rounded up */

static int64_t
ngx_http_wholesale_ratelimit_seconds(int64_t microseconds)
{
    return (microseconds + WHOLESALE_SECOND - 1) / WHOLESALE_SECOND;
}
