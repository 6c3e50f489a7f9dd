
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* the headers of ours, for the upstream alone */
#define NGX_HTTP_WHOLESALE_OURS  2


static void ngx_http_wholesale_note_sent(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_copy_headers(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_uint_t ngx_http_wholesale_is_kept(ngx_http_wholesale_ctx_t *ctx,
    ngx_table_elt_t *h);
static ngx_table_elt_t *ngx_http_wholesale_add_header(ngx_list_t *headers,
    ngx_str_t *key, ngx_str_t *lowcase, ngx_str_t *value);


/*
 * What the upstream gets is a new list.  In the old one nothing is changed:
 * its values lie in the client's buffer, and nginx points to its elements.
 */

ngx_int_t
ngx_http_wholesale_rewrite(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t  value;

    static ngx_str_t  authorization = ngx_string("Authorization");
    static ngx_str_t  authorization_lowcase = ngx_string("authorization");
    static ngx_str_t  tracking_id = ngx_string("TrackingID");
    static ngx_str_t  tracking_id_lowcase = ngx_string("trackingid");

    if (ngx_http_wholesale_copy_headers(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&value);

    ctx->authorization = ngx_http_wholesale_add_header(&ctx->upstream_headers,
                                                       &authorization,
                                                       &authorization_lowcase,
                                                       &value);
    if (ctx->authorization == NULL
        || ngx_http_wholesale_add_header(&ctx->upstream_headers, &tracking_id,
                                         &tracking_id_lowcase,
                                         &ctx->tracking_id)
           == NULL
        || ngx_http_wholesale_set_token(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->client_headers = r->headers_in.headers;
    ctx->rewritten = 1;

    ngx_str_null(&ctx->key);

    return NGX_OK;
}


ngx_int_t
ngx_http_wholesale_set_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    u_char                      *p;
    ngx_wholesale_credential_t  *credential;

    credential = ctx->credential;

    p = ngx_pnalloc(r->pool, sizeof("Bearer ") - 1 + credential->token.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->authorization->value.data = p;
    ctx->authorization->value.len = ngx_sprintf(p, "Bearer %V",
                                                &credential->token)
                                    - p;

    ctx->token_used = credential->generation;

    return NGX_OK;
}


/*
 * On the way into any location: headers that were made for Webex are not for
 * an error page's upstream, a mirror, or whereto else the request is sent on.
 */

ngx_int_t
ngx_http_wholesale_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_wholesale_ctx_t       *ctx;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    if (ngx_http_wholesale_is_refresh(r)) {

        /*
         * It carries the secrets.  A location that answers everybody is not
         * the token endpoint's, and may lead to anyone.
         */

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        return clcf->internal ? NGX_DECLINED : NGX_HTTP_NOT_FOUND;
    }

    if (r == r->main && r->upstream) {

        /* Webex was asked, and an error page takes the place of its answer */

        ctx = ngx_http_wholesale_get_ctx(r);

        if (ctx) {
            ngx_http_wholesale_learn_pause(r, ctx);
            ngx_http_wholesale_note_sent(r, ctx);
        }
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    if (!wlcf->enable) {
        ngx_http_wholesale_choose_headers(r, 0);
    }

    return NGX_DECLINED;
}


/*
 * Whether anything at all was sent is what nginx knows for sure: it was not if
 * there was no connection.  A request whose token was rejected is not
 * "forwarded" until it is sent once more.
 */

static void
ngx_http_wholesale_note_sent(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (!ctx->forwarded || ctx->spent || !u->request_sent) {
        return;
    }

    /* an answer that is no failure led here by X-Accel-Redirect */

    ctx->spent = (u->state && u->state->status >= NGX_HTTP_BAD_REQUEST)
                 ? u->state->status : NGX_HTTP_BAD_GATEWAY;
}


void
ngx_http_wholesale_choose_headers(ngx_http_request_t *r, ngx_uint_t guarded)
{
    ngx_list_t                *headers;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r->main);

    if (ctx == NULL || !ctx->rewritten) {
        return;
    }

    headers = guarded ? &ctx->upstream_headers : &ctx->other_headers;

    r->headers_in.headers = *headers;
    r->headers_in.authorization = guarded ? ctx->authorization : NULL;

    if (headers->last == &headers->part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }
}


/* what is kept of the client's, twice: each list is somebody else's */

static ngx_int_t
ngx_http_wholesale_copy_headers(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *upstream, *other;

    n = NGX_HTTP_WHOLESALE_OURS;
    part = &r->headers_in.headers.part;

    do {
        n += part->nelts;
        part = part->next;
    } while (part);

    if (ngx_list_init(&ctx->upstream_headers, r->pool, n,
                      sizeof(ngx_table_elt_t))
        != NGX_OK
        || ngx_list_init(&ctx->other_headers, r->pool, n,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (!ngx_http_wholesale_is_kept(ctx, &h[i])) {
                continue;
            }

            upstream = ngx_list_push(&ctx->upstream_headers);
            other = ngx_list_push(&ctx->other_headers);

            if (upstream == NULL || other == NULL) {
                return NGX_ERROR;
            }

            *upstream = h[i];
            *other = h[i];
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wholesale_is_kept(ngx_http_wholesale_ctx_t *ctx, ngx_table_elt_t *h)
{
    ngx_uint_t  i;

    /* ours stands for the client's; the rest is between it and us alone */

    static const char  *ours[] = {
        "trackingid", "te", "trailer", "upgrade", "keepalive",
        "proxyconnection", "expect", "xhttpmethodoverride", "xhttpmethod",
        "xmethodoverride", NULL
    };

    if (ngx_http_wholesale_is_credential(h)) {
        return 0;
    }

    for (i = 0; ours[i]; i++) {
        if (ngx_http_wholesale_is_header(h, ours[i])) {
            return 0;
        }
    }

    /* the key itself, whatever the header that repeats it is called */

    return !ngx_http_wholesale_has_key(ctx, &h->value);
}


static ngx_table_elt_t *
ngx_http_wholesale_add_header(ngx_list_t *headers, ngx_str_t *key,
    ngx_str_t *lowcase, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = ngx_hash_key(lowcase->data, lowcase->len);
    h->key = *key;
    h->lowcase_key = lowcase->data;
    h->value = *value;

    return h;
}
