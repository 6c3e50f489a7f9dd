
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* bytes of what the client sent that a log is to hold */
#define NGX_HTTP_WHOLESALE_PATH_MAX        1024
#define NGX_HTTP_WHOLESALE_USER_AGENT_MAX  256


static ngx_int_t ngx_http_wholesale_tenant_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_str_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_reason_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_remaining_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_counters_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_redis_time_variable(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_origin_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_path_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_wholesale_user_agent_variable(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_wholesale_set_variable(ngx_http_variable_value_t *v,
    const void *data, size_t len);
static ngx_uint_t ngx_http_wholesale_is_host(ngx_str_t *host);


static ngx_http_variable_t  ngx_http_wholesale_variables[] = {

    { ngx_string("wholesale_tenant"), NULL,
      ngx_http_wholesale_tenant_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_customer"), NULL,
      ngx_http_wholesale_str_variable,
      offsetof(ngx_http_wholesale_ctx_t, customer),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_tracking_id"), NULL,
      ngx_http_wholesale_str_variable,
      offsetof(ngx_http_wholesale_ctx_t, tracking_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_outcome"), NULL,
      ngx_http_wholesale_outcome_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_reason"), NULL,
      ngx_http_wholesale_reason_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_remaining"), NULL,
      ngx_http_wholesale_remaining_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_counters"), NULL,
      ngx_http_wholesale_counters_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_redis_time"), NULL,
      ngx_http_wholesale_redis_time_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wholesale_origin"), NULL,
      ngx_http_wholesale_origin_variable, 0, 0, 0 },

    { ngx_string("wholesale_path"), NULL,
      ngx_http_wholesale_path_variable, 0, 0, 0 },

    { ngx_string("wholesale_user_agent"), NULL,
      ngx_http_wholesale_user_agent_variable, 0, 0, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_wholesale_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_wholesale_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_tenant_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    if (ctx == NULL || ctx->tenant == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_wholesale_set_variable(v, ctx->tenant->name,
                                    ctx->tenant->name_len);
    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_str_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 *value;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    value = (ngx_str_t *) ((char *) ctx + data);

    if (value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_wholesale_set_variable(v, value->data, value->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                        *name;
    ngx_http_wholesale_ctx_t         *ctx;
    ngx_wholesale_metrics_outcome_e   outcome;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    outcome = ctx ? ngx_http_wholesale_outcome(ctx)
                  : NGX_WHOLESALE_METRICS_OTHER;

    if (outcome == NGX_WHOLESALE_METRICS_OTHER) {
        v->not_found = 1;
        return NGX_OK;
    }

    name = ngx_wholesale_metrics_outcome_name(outcome);

    ngx_http_wholesale_set_variable(v, name->data, name->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_reason_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_wholesale_ctx_t            *ctx;
    const ngx_http_wholesale_refusal_t  *refusal;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    refusal = NULL;

    if (ctx) {
        refusal = ctx->refusal ? ctx->refusal : ctx->noted;
    }

    if (refusal == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (refusal->outcome == NGX_HTTP_WHOLESALE_LIMITED && ctx->refused) {
        ngx_http_wholesale_set_variable(v, ctx->refused->limit->name,
                                        ctx->refused->limit->name_len);
        return NGX_OK;
    }

    ngx_http_wholesale_set_variable(v, refusal->reason.data,
                                    refusal->reason.len);
    return NGX_OK;
}


/* of the limit that has least left, of those that are enforced */

static ngx_int_t
ngx_http_wholesale_remaining_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                    *p;
    int64_t                    remaining;
    ngx_uint_t                 i;
    ngx_wholesale_counter_t   *counter;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    if (ctx == NULL || ctx->counted == NGX_HTTP_WHOLESALE_COUNTED_NOWHERE) {
        v->not_found = 1;
        return NGX_OK;
    }

    remaining = -1;

    for (i = 0; i < ctx->ncounters; i++) {
        counter = &ctx->counters[i];

        if (!counter->limit->dry_run
            && (remaining < 0 || counter->verdict.remaining < remaining))
        {
            remaining = counter->verdict.remaining;
        }
    }

    if (remaining < 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wholesale_set_variable(v, p, ngx_sprintf(p, "%L", remaining) - p);

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_counters_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    if (ctx == NULL || ctx->counted == NGX_HTTP_WHOLESALE_COUNTED_NOWHERE) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (ctx->counted == NGX_HTTP_WHOLESALE_COUNTED_REDIS) {
        ngx_http_wholesale_set_variable(v, "redis", sizeof("redis") - 1);
        return NGX_OK;
    }

    ngx_http_wholesale_set_variable(v, "local", sizeof("local") - 1);

    return NGX_OK;
}


/* seconds with microseconds, from the question to the answer or time-out */

static ngx_int_t
ngx_http_wholesale_redis_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                    *p;
    int64_t                    time;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    if (ctx == NULL || ctx->redis != NGX_HTTP_WHOLESALE_REDIS_ANSWERED) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + sizeof(".000000") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* the clock may have been set back meanwhile */

    time = ngx_max(ctx->redis_answered - ctx->redis_started, 0);

    ngx_http_wholesale_set_variable(v, p,
                                    ngx_sprintf(p, "%L.%06L",
                                                time / WHOLESALE_SECOND,
                                                time % WHOLESALE_SECOND)
                                    - p);
    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_origin_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  origin;

    origin = ngx_http_wholesale_origin(r);
    if (origin.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wholesale_set_variable(v, origin.data, origin.len);

    return NGX_OK;
}


/*
 * As the client sent it, without the query, which may have secrets in it; what
 * is not printable, or a quote, is written as %XX.
 */

static ngx_int_t
ngx_http_wholesale_path_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    size_t   i, len;
    u_char  *p, *last, ch;

    static u_char  hex[] = "0123456789ABCDEF";

    len = ngx_min(r->unparsed_uri.len, NGX_HTTP_WHOLESALE_PATH_MAX);

    p = ngx_pnalloc(r->pool, 3 * len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = p;

    for (i = 0; i < len; i++) {
        ch = r->unparsed_uri.data[i];

        if (ch == '?') {
            break;
        }

        if (ch > ' ' && ch < 0x7f && ch != '"' && ch != '\\') {
            *last++ = ch;
            continue;
        }

        *last++ = '%';
        *last++ = hex[ch >> 4];
        *last++ = hex[ch & 0xf];
    }

    ngx_http_wholesale_set_variable(v, p, last - p);

    return NGX_OK;
}


/* what is not UTF-8 in it is U+FFFD */

static ngx_int_t
ngx_http_wholesale_user_agent_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    size_t       len;
    u_char      *start, *last;
    ngx_str_t   *value;
    const char  *p, *end, *next;

    if (r->headers_in.user_agent == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    value = &r->headers_in.user_agent->value;

    len = ngx_min(value->len, NGX_HTTP_WHOLESALE_USER_AGENT_MAX);

    start = ngx_pnalloc(r->pool, 3 * len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    last = start;
    end = (char *) value->data + len;

    for (p = (char *) value->data; p < end; p = next) {
        next = p;

        if (wholesale_text_decode(&next, end) == WHOLESALE_NOT_UTF8) {
            last = ngx_cpymem(last, "\xef\xbf\xbd", 3);

        } else {
            last = ngx_cpymem(last, p, next - p);
        }
    }

    ngx_http_wholesale_set_variable(v, start, last - start);

    return NGX_OK;
}


static void
ngx_http_wholesale_set_variable(ngx_http_variable_value_t *v,
    const void *data, size_t len)
{
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = len;
    v->data = (u_char *) data;
}


ngx_str_t
ngx_http_wholesale_origin(ngx_http_request_t *r)
{
    u_char      address[NGX_SOCKADDR_STRLEN];
    ngx_str_t   host, scheme, origin;

    ngx_str_set(&scheme, "http");
    ngx_str_null(&origin);

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&scheme, "https");
    }
#endif

    if (r->headers_in.host
        && ngx_http_wholesale_is_host(&r->headers_in.host->value))
    {
        host = r->headers_in.host->value;

    } else if (ngx_http_wholesale_is_host(&r->headers_in.server)) {
        host = r->headers_in.server;

    } else {
        host.data = address;
        host.len = NGX_SOCKADDR_STRLEN;

        if (ngx_connection_local_sockaddr(r->connection, &host, 1) != NGX_OK) {
            return origin;
        }
    }

    origin.data = ngx_pnalloc(r->pool, scheme.len + sizeof("://") - 1
                                       + host.len);
    if (origin.data == NULL) {
        return origin;
    }

    origin.len = ngx_sprintf(origin.data, "%V://%V", &scheme, &host)
                 - origin.data;

    return origin;
}


/* nginx lets a Host hold what would break out of a JSON string */

static ngx_uint_t
ngx_http_wholesale_is_host(ngx_str_t *host)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < host->len; i++) {
        ch = ngx_tolower(host->data[i]);

        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')
              || ch == '.' || ch == '-' || ch == '_' || ch == ':'
              || ch == '[' || ch == ']'))
        {
            return 0;
        }
    }

    return host->len != 0;
}
