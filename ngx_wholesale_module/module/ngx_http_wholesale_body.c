
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static ngx_uint_t ngx_http_wholesale_is_json(ngx_http_request_t *r);
static ngx_uint_t ngx_http_wholesale_is_plain(ngx_http_request_t *r);
static void ngx_http_wholesale_body_handler(ngx_http_request_t *r);
static void ngx_http_wholesale_body_event(ngx_http_request_t *r);


static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_no_body = {
    NGX_HTTP_BAD_REQUEST, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("body_not_allowed"),
    ngx_string("A GET or HEAD has no body.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_not_json = {
    NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("content_type"),
    ngx_string("The update must come with "
               "\"Content-Type: application/json\".")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_encoded = {
    NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("content_encoding"),
    ngx_string("The update must come without a Content-Encoding.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_too_large = {
    NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("body_size"),
    ngx_string("The update is larger than this gateway takes.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_too_slow = {
    NGX_HTTP_REQUEST_TIME_OUT, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("body_timeout"),
    ngx_string("The rest of the update did not arrive in time.")
};


ngx_int_t
ngx_http_wholesale_read_body(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_wholesale_loc_conf_t   *wlcf;

    if (ctx->body_read) {
        return NGX_OK;
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {

        if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
            return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_body);
        }

        return NGX_OK;
    }

    if (ctx->update && !ngx_http_wholesale_is_json(r)) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_not_json);
    }

    if (ctx->update && !ngx_http_wholesale_is_plain(r)) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_encoded);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    if (r->headers_in.content_length_n > (off_t) wlcf->max_body) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_too_large);
    }

    ctx->body_started = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_wholesale_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    if (ctx->body_read) {
        /* the handler ran inside the call: give its reference back */

        r->main->count--;
        r->write_event_handler = ngx_http_core_run_phases;

        return NGX_OK;
    }

    ctx->read_body = r->read_event_handler;
    r->read_event_handler = ngx_http_wholesale_body_event;

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


ngx_int_t
ngx_http_wholesale_count_body(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    for ( /* void */ ; in; in = in->next) {
        ctx->received += ngx_buf_size(in->buf);
    }

    if (ctx->received > (off_t) wlcf->max_body) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_too_large);
    }

    return NGX_OK;
}


/* exactly application/json: in any case, with any parameters */

static ngx_uint_t
ngx_http_wholesale_is_json(ngx_http_request_t *r)
{
    size_t            len;
    u_char           *p, *last;
    ngx_table_elt_t  *h;

    h = ngx_http_wholesale_find_header(r, "contenttype", NULL);

    if (h == NULL
        || ngx_http_wholesale_find_header(r, "contenttype", h) != NULL)
    {
        return 0;
    }

    len = sizeof("application/json") - 1;

    if (h->value.len < len
        || ngx_strncasecmp(h->value.data, (u_char *) "application/json", len)
           != 0)
    {
        return 0;
    }

    p = h->value.data + len;
    last = h->value.data + h->value.len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p == last || *p == ';';
}


static ngx_uint_t
ngx_http_wholesale_is_plain(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = NULL;

    for ( ;; ) {
        h = ngx_http_wholesale_find_header(r, "contentencoding", h);

        if (h == NULL) {
            return 1;
        }

        if (h->value.len != sizeof("identity") - 1
            || ngx_strncasecmp(h->value.data, (u_char *) "identity",
                               h->value.len)
               != 0)
        {
            return 0;
        }
    }
}


static void
ngx_http_wholesale_body_handler(ngx_http_request_t *r)
{
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r);

    ctx->body_read = 1;

    if (ctx->read_body) {
        r->write_event_handler = ngx_http_core_run_phases;
        ngx_http_core_run_phases(r);
    }
}


/*
 * Stands before nginx's own reader, which closes the connection of a client
 * that is too slow without a word.
 */

static void
ngx_http_wholesale_body_event(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r);

    if (!r->connection->read->timedout) {
        ctx->read_body(r);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                  "client timed out");

    r->connection->read->timedout = 0;
    r->keepalive = 0;

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    rc = ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_too_slow);

    /* of itself, nginx would end this one without an answer */

    ngx_http_finalize_request(r, ngx_http_special_response_handler(r, rc));
}
