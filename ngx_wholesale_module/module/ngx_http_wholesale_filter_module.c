
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static ngx_int_t ngx_http_wholesale_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_wholesale_request_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_uint_t ngx_http_wholesale_is_ours(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_filter_answer(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_filter_upstream(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_rewrite_links(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_rewrite_link(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_wholesale_filter_init(ngx_conf_t *cf);


static ngx_http_module_t  ngx_http_wholesale_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_wholesale_filter_init,        /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_wholesale_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_wholesale_filter_module_ctx, /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;
static ngx_http_request_body_filter_pt   ngx_http_next_request_body_filter;


static ngx_int_t
ngx_http_wholesale_header_filter(ngx_http_request_t *r)
{
    ngx_http_wholesale_ctx_t  *ctx;

    if (r != r->main && ngx_http_wholesale_is_refresh(r)) {
        return ngx_http_wholesale_refresh_header(r);
    }

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_wholesale_get_ctx(r);

    if (ctx) {
        ngx_http_wholesale_learn_pause(r, ctx);
    }

    if (!ngx_http_wholesale_is_ours(r) || (ctx && ctx->answered)) {
        return ngx_http_next_header_filter(r);
    }

    if (r->err_status >= NGX_HTTP_BAD_REQUEST
        && (ctx == NULL || !ctx->error_page))
    {
        return ngx_http_wholesale_filter_answer(r);
    }

    if (ctx && r->upstream) {
        return ngx_http_wholesale_filter_upstream(r, ctx);
    }

    return ngx_http_next_header_filter(r);
}


/*
 * A guarded location, or no location yet: nginx refuses some requests before
 * it has looked for one.
 */

static ngx_uint_t
ngx_http_wholesale_is_ours(ngx_http_request_t *r)
{
    ngx_http_wholesale_loc_conf_t  *wlcf;
    ngx_http_wholesale_srv_conf_t  *wscf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    if (wlcf->enable) {
        return 1;
    }

    wscf = ngx_http_get_module_srv_conf(r, ngx_http_wholesale_module);

    return wscf->guarded && r->write_event_handler == NULL;
}


/*
 * nginx has a refusal, its own or of one of our steps, to answer with a page
 * of its own.  The answer becomes ours; what nginx does about the connection
 * and the rest of the body stays.
 */

static ngx_int_t
ngx_http_wholesale_filter_answer(ngx_http_request_t *r)
{
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_create_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->answered = 1;

    if (ngx_http_wholesale_make_answer(r, ctx) != NGX_OK
        || ngx_http_wholesale_ratelimit(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nginx closes after any 400, as if the request could not be parsed */

    if (ctx->refusal && ctx->keepalive
        && (ctx->body_read
            || (r->headers_in.content_length_n <= 0
                && !r->headers_in.chunked)))
    {
        r->keepalive = 1;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_wholesale_filter_upstream(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    if (r->http_version < NGX_HTTP_VERSION_10
        && ctx->http_version >= NGX_HTTP_VERSION_10)
    {
        /*
         * What came was no HTTP, and proxy_pass is about to pass it on as
         * HTTP/0.9: to the client, a 200 of whatever it was.
         */

        r->http_version = ctx->http_version;

        /* as nginx itself tells of an answer without a valid header */

        r->upstream->state->status = NGX_HTTP_BAD_GATEWAY;
        r->upstream->state->header_time = (ngx_msec_t) -1;

        return ngx_http_filter_finalize_request(r, &ngx_http_wholesale_module,
                                                NGX_HTTP_BAD_GATEWAY);
    }

    if (r->headers_out.status != NGX_HTTP_UNAUTHORIZED) {
        ngx_http_wholesale_token_taken(ctx);

    } else if (ngx_http_wholesale_replay(r, ctx) == NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_wholesale_rewrite_links(r) != NGX_OK
        || ngx_http_wholesale_tell_pause(r, ctx) != NGX_OK
        || ngx_http_wholesale_ratelimit(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

#if (NGX_HTTP_GZIP)

    /*
     * What is compressed cannot be rewritten: whatever the client would take,
     * the gunzip filter, where it is on, is to unpack it.
     */

    if (r->headers_out.content_encoding) {
        r->gzip_tested = 1;
        r->gzip_ok = 0;
    }

#endif

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_wholesale_rewrite_links(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_out.headers.part;
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

        if (h[i].hash
            && h[i].key.len == sizeof("Link") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Link",
                               sizeof("Link") - 1)
               == 0
            && ngx_http_wholesale_rewrite_link(r, &h[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* every <https://webexapis.com/...> of the field becomes the gateway's */

static ngx_int_t
ngx_http_wholesale_rewrite_link(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    size_t      len;
    u_char     *p, *last, *found;
    ngx_str_t   origin, value;
    ngx_uint_t  n;

    static ngx_str_t  webex = ngx_string("<" NGX_HTTP_WHOLESALE_WEBEX "/");

    last = h->value.data + h->value.len;
    n = 0;

    for (p = h->value.data; /* void */ ; p = found + webex.len) {

        found = ngx_strlcasestrn(p, last, webex.data, webex.len - 1);
        if (found == NULL) {
            break;
        }

        n++;
    }

    if (n == 0) {
        return NGX_OK;
    }

    origin = ngx_http_wholesale_origin(r);
    if (origin.data == NULL) {
        return NGX_ERROR;
    }

    value.data = ngx_pnalloc(r->pool, h->value.len + n * origin.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    len = 0;

    for (p = h->value.data; /* void */ ; p = found + webex.len) {

        found = ngx_strlcasestrn(p, last, webex.data, webex.len - 1);
        if (found == NULL) {
            break;
        }

        len = ngx_sprintf(value.data + len, "%*s<%V/", (size_t) (found - p), p,
                          &origin)
              - value.data;
    }

    value.len = ngx_cpymem(value.data + len, p, last - p) - value.data;

    h->value = value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                 *b;
    ngx_chain_t                out, *cl;
    ngx_http_wholesale_ctx_t  *ctx;

    if (r != r->main && ngx_http_wholesale_is_refresh(r)) {
        return ngx_http_wholesale_refresh_body(r, in);
    }

    ctx = (r == r->main) ? ngx_http_get_module_ctx(r, ngx_http_wholesale_module)
                         : NULL;

    if (ctx == NULL || ctx->answer.data == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    /* nginx's own page is dropped, whatever it is */

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
    }

    if (ctx->sent) {
        return ngx_http_next_body_filter(r, NULL);
    }

    ctx->sent = 1;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->answer.data;
    b->last = ctx->answer.data + ctx->answer.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}


/*
 * nginx's own bound on bodies is client_max_body_size; ours is checked as the
 * body arrives, so that a chunked one cannot grow past it.
 */

static ngx_int_t
ngx_http_wholesale_request_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                  rc;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wholesale_module);

    if (ctx) {
        rc = ngx_http_wholesale_count_body(r, ctx, in);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


static ngx_int_t
ngx_http_wholesale_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_wholesale_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_wholesale_body_filter;

    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_wholesale_request_body_filter;

    return NGX_OK;
}
