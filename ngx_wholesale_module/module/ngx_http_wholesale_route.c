
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_no_call = {
    NGX_HTTP_NOT_FOUND, NGX_HTTP_WHOLESALE_NOT_FOUND,
    ngx_string("path"),
    ngx_string("This gateway takes one call only: "
               "PUT .../wholesale/customers/{customerId}.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_bad_id = {
    NGX_HTTP_NOT_FOUND, NGX_HTTP_WHOLESALE_NOT_FOUND,
    ngx_string("customer_id"),
    ngx_string("What stands in the path is not the id of a customer.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_ambiguous = {
    NGX_HTTP_NOT_FOUND, NGX_HTTP_WHOLESALE_NOT_FOUND,
    ngx_string("ambiguous_path"),
    ngx_string("The path must be written plainly: without \"//\", \"..\", "
               "\"#\" or needless percent-encoding.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_bad_method = {
    NGX_HTTP_NOT_ALLOWED, NGX_HTTP_WHOLESALE_NOT_FOUND,
    ngx_string("method"),
    ngx_string("A customer is updated by PUT and read by GET or HEAD.")
};


ngx_int_t
ngx_http_wholesale_route(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t          raw;
    wholesale_path_e   path;
    wholesale_slice_t  id;

    /* what proxy_pass forwards: the client's own bytes, unless rewritten */

    raw = r->valid_unparsed_uri ? r->unparsed_uri : r->uri;

    /* nginx leaves a fragment out of the query, and forwards it all the same */

    if (ngx_strlchr(raw.data, raw.data + raw.len, '#')) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_ambiguous);
    }

    path = wholesale_path_customer((char *) r->uri.data, r->uri.len,
                                   (char *) raw.data, raw.len, &id);

    switch (path) {

    case WHOLESALE_PATH_CUSTOMER:
        break;

    case WHOLESALE_PATH_BAD_ID:
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_bad_id);

    case WHOLESALE_PATH_AMBIGUOUS:
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_ambiguous);

    default: /* WHOLESALE_PATH_OTHER */
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_call);
    }

    if (!(r->method & (NGX_HTTP_PUT|NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_bad_method);
    }

    ctx->customer.data = (u_char *) id.data;
    ctx->customer.len = id.len;

    return NGX_OK;
}
