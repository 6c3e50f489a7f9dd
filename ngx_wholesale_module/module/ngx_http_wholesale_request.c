
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <openssl/rand.h>
#include <ngx_http_wholesale_module.h>


static void ngx_http_wholesale_cleanup(void *data);
static ngx_int_t ngx_http_wholesale_set_tracking_id(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_uint_t ngx_http_wholesale_is_tracking_id(ngx_str_t *value);
static u_char *ngx_http_wholesale_random(void);
static ngx_table_elt_t *ngx_http_wholesale_find_in_list(ngx_list_t *list,
    const char *name, ngx_table_elt_t *after);
static size_t ngx_http_wholesale_plain_name(u_char *name, ngx_str_t *key);
static void ngx_http_wholesale_forget(ngx_list_t *headers);
static void ngx_http_wholesale_log_refusal(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal, ngx_uint_t dry_run);


extern ngx_module_t  ngx_http_proxy_module;


/* a longer name has these in it by chance, or to hide something */
#define NGX_HTTP_WHOLESALE_NAME_MAX  64

/* bytes, of a UUID, and fetched at a time */
#define NGX_HTTP_WHOLESALE_UUID      16
#define NGX_HTTP_WHOLESALE_RANDOM    (64 * NGX_HTTP_WHOLESALE_UUID)


/*
 * What the name of a header that carries a credential has in it, in lower case
 * and without separators: Proxy-Authorization, X_API_KEY, X-Auth-Token.  There
 * is a "k" or a "z" in each, as in "token" alone, and in few other names.
 */

static ngx_str_t  ngx_http_wholesale_credentials[] = {
    ngx_string("authorization"),
    ngx_string("apikey"),
    ngx_string("apitoken"),
    ngx_string("authkey"),
    ngx_string("authtoken"),
    ngx_string("accesstoken"),
    ngx_string("cookie"),
    ngx_null_string
};


ngx_http_wholesale_ctx_t *
ngx_http_wholesale_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wholesale_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        for (cln = r->pool->cleanup; cln; cln = cln->next) {

            if (cln->handler == ngx_http_wholesale_cleanup) {
                ctx = cln->data;
                ngx_http_set_ctx(r, ctx, ngx_http_wholesale_module);
                break;
            }
        }
    }

    return ctx;
}


ngx_http_wholesale_ctx_t *
ngx_http_wholesale_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r);
    if (ctx) {
        return ctx;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_wholesale_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;

    ngx_memzero(ctx, sizeof(ngx_http_wholesale_ctx_t));

    ctx->request = r;
    ctx->started = ngx_http_wholesale_started(r);
    ctx->http_version = r->http_version;

    if (ngx_http_wholesale_set_tracking_id(r, ctx) != NGX_OK) {
        return NULL;
    }

    cln->handler = ngx_http_wholesale_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_wholesale_module);

    return ctx;
}


static void
ngx_http_wholesale_cleanup(void *data)
{
    /* its address is what ngx_http_wholesale_get_ctx() looks for */
}


static ngx_int_t
ngx_http_wholesale_set_tracking_id(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    u_char           *p, *random;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    static const u_char  parts[] = { 4, 2, 2, 2, 6 };

    h = ngx_http_wholesale_find_header(r, "trackingid", NULL);

    if (h && ngx_http_wholesale_is_tracking_id(&h->value)
        && ngx_http_wholesale_find_header(r, "trackingid", h) == NULL)
    {
        ctx->tracking_id = h->value;
        return NGX_OK;
    }

    random = ngx_http_wholesale_random();
    if (random == NULL) {
        return NGX_ERROR;
    }

    /* a version 4 UUID */

    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;

    p = ngx_pnalloc(r->pool, sizeof("WGW_00000000-0000-4000-8000-000000000000")
                             - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->tracking_id.data = p;

    p = ngx_cpymem(p, "WGW", sizeof("WGW") - 1);

    for (i = 0; i < sizeof(parts); i++) {
        *p++ = i ? '-' : '_';
        p = ngx_hex_dump(p, random, parts[i]);
        random += parts[i];
    }

    ctx->tracking_id.len = p - ctx->tracking_id.data;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wholesale_is_tracking_id(ngx_str_t *value)
{
    size_t  i;
    u_char  ch;

    if (value->len == 0 || value->len > NGX_HTTP_WHOLESALE_TRACKING_MAX) {
        return 0;
    }

    for (i = 0; i < value->len; i++) {
        ch = value->data[i];

        if (!((ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z')
              || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * Returns as many bytes as a UUID has, for the caller to change, or NULL.  To
 * ask for a few of them takes OpenSSL longer than to make a thousand.
 */

static u_char *
ngx_http_wholesale_random(void)
{
    static u_char  random[NGX_HTTP_WHOLESALE_RANDOM];
    static size_t  left;

    if (left == 0) {

        if (RAND_bytes(random, NGX_HTTP_WHOLESALE_RANDOM) != 1) {
            return NULL;
        }

        left = NGX_HTTP_WHOLESALE_RANDOM;
    }

    left -= NGX_HTTP_WHOLESALE_UUID;

    return random + left;
}


ngx_table_elt_t *
ngx_http_wholesale_find_header(ngx_http_request_t *r, const char *name,
    ngx_table_elt_t *after)
{
    return ngx_http_wholesale_find_in_list(&r->headers_in.headers, name,
                                           after);
}


ngx_table_elt_t *
ngx_http_wholesale_find_sent_header(ngx_http_request_t *r, const char *name,
    ngx_table_elt_t *after)
{
    ngx_table_elt_t  *h;

    h = after;

    do {
        h = ngx_http_wholesale_find_in_list(&r->headers_out.headers, name, h);
    } while (h && h->hash == 0);

    return h;
}


ngx_table_elt_t *
ngx_http_wholesale_find_upstream_header(ngx_http_request_t *r,
    const char *name)
{
    return ngx_http_wholesale_find_in_list(&r->upstream->headers_in.headers,
                                           name, NULL);
}


static ngx_table_elt_t *
ngx_http_wholesale_find_in_list(ngx_list_t *list, const char *name,
    ngx_table_elt_t *after)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &list->part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (after) {
            if (after == &h[i]) {
                after = NULL;
            }

            continue;
        }

        if (ngx_http_wholesale_is_header(&h[i], name)) {
            return &h[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_wholesale_is_header(ngx_table_elt_t *h, const char *name)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < h->key.len; i++) {
        ch = ngx_tolower(h->key.data[i]);

        if (ch == (u_char) *name) {
            name++;
            continue;
        }

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
            return 0;
        }
    }

    return *name == '\0';
}


ngx_uint_t
ngx_http_wholesale_is_credential(ngx_table_elt_t *h)
{
    u_char      ch, name[NGX_HTTP_WHOLESALE_NAME_MAX], *p;
    size_t      i, len;
    ngx_str_t  *part;

    if (h->key.len > NGX_HTTP_WHOLESALE_NAME_MAX) {
        return 1;
    }

    for (i = 0; i < h->key.len; i++) {
        ch = h->key.data[i] | 0x20;

        if (ch == 'k' || ch == 'z') {
            break;
        }
    }

    if (i == h->key.len) {
        return 0;
    }

    len = ngx_http_wholesale_plain_name(name, &h->key);

    if (len == sizeof("token") - 1 && ngx_strncmp(name, "token", len) == 0) {
        return 1;
    }

    for (part = ngx_http_wholesale_credentials; part->len; part++) {

        for (p = name; p + part->len <= name + len; p++) {

            if (*p == *part->data
                && ngx_memcmp(p, part->data, part->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


static size_t
ngx_http_wholesale_plain_name(u_char *name, ngx_str_t *key)
{
    u_char  ch;
    size_t  i, len;

    len = 0;

    for (i = 0; i < key->len; i++) {
        ch = ngx_tolower(key->data[i]);

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
            name[len++] = ch;
        }
    }

    return len;
}


/*
 * A log format may name $http_authorization: it shall find neither the
 * client's key nor Webex's token.
 */

void
ngx_http_wholesale_forget_credentials(ngx_http_request_t *r)
{
    ngx_http_wholesale_ctx_t  *ctx;

    ngx_http_wholesale_forget(&r->headers_in.headers);

    ctx = ngx_http_wholesale_get_ctx(r);

    if (ctx && ctx->rewritten) {

        /* nginx still points to elements of the client's, $http_cookie's */

        ngx_http_wholesale_forget(&ctx->client_headers);
    }
}


static void
ngx_http_wholesale_forget(ngx_list_t *headers)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &headers->part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (ngx_http_wholesale_is_credential(&h[i])) {
            ngx_str_null(&h[i].value);
        }
    }
}


ngx_int_t
ngx_http_wholesale_watch_client(ngx_http_request_t *r)
{
    ngx_http_upstream_conf_t  *conf;

    /* the configuration of the proxy module, and of its like, begins so */

    conf = ngx_http_get_module_loc_conf(r, ngx_http_proxy_module);

    if (conf->ignore_client_abort) {
        return NGX_DONE;
    }

    r->read_event_handler = ngx_http_test_reading;

    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DONE;
}


ngx_int_t
ngx_http_wholesale_refuse(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal)
{
    ctx->refusal = refusal;
    ctx->error_page = 0;
    ctx->keepalive = ctx->request->keepalive;

    ngx_http_wholesale_log_refusal(ctx, refusal, 0);

    return refusal->status;
}


ngx_int_t
ngx_http_wholesale_refuse_or_note(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal)
{
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request,
                                        ngx_http_wholesale_module);

    if (wlcf->dry_run || ctx->tenant->dry_run) {
        ngx_http_wholesale_note(ctx, refusal);
        return NGX_OK;
    }

    return ngx_http_wholesale_refuse(ctx, refusal);
}


void
ngx_http_wholesale_note(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal)
{
    /* what would have been refused first is what would have been told */

    if (ctx->noted) {
        return;
    }

    ctx->noted = refusal;

    ngx_http_wholesale_log_refusal(ctx, refusal, 1);
}


static void
ngx_http_wholesale_log_refusal(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal, ngx_uint_t dry_run)
{
    const char  *reason;

    reason = (char *) refusal->reason.data;

    if (refusal->outcome == NGX_HTTP_WHOLESALE_LIMITED && ctx->refused) {
        reason = ctx->refused->limit->name;
    }

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "wholesale%s: tenant \"%s\", %V: %s refused with %ui, %s",
                  dry_run ? " dry run" : "",
                  ctx->tenant ? ctx->tenant->name : "", &ctx->tracking_id,
                  dry_run ? "would be" : "is", refusal->status, reason);
}


void *
ngx_http_wholesale_palloc(void *data, size_t size)
{
    ngx_pool_t  *pool = data;

    return ngx_palloc(pool, size);
}
