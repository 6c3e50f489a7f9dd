
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static unsigned ngx_http_wholesale_method(ngx_http_request_t *r);


static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_no_call = {
    NGX_HTTP_NOT_FOUND, NGX_HTTP_WHOLESALE_NOT_FOUND,
    ngx_string("path"),
    ngx_string("This is no call that the gateway takes; it takes "
               "PUT .../wholesale/customers/{customerId}.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_bad_id = {
    NGX_HTTP_NOT_FOUND, NGX_HTTP_WHOLESALE_NOT_FOUND,
    ngx_string("customer_id"),
    ngx_string("What ends the path is not an id as Webex has them.")
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
    ngx_string("The call is not made by this method; see Allow.")
};


ngx_int_t
ngx_http_wholesale_route(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx)
{
    unsigned                        method;
    ngx_str_t                       raw;
    wholesale_path_e                path;
    wholesale_slice_t               id;
    const wholesale_call_t         *call;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    /* what proxy_pass forwards: the client's own bytes, unless rewritten */

    raw = r->valid_unparsed_uri ? r->unparsed_uri : r->uri;

    /* nginx leaves a fragment out of the query, and forwards it all the same */

    if (memchr(raw.data, '#', raw.len)) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_ambiguous);
    }

    path = wholesale_path_call((char *) r->uri.data, r->uri.len,
                               (char *) raw.data, raw.len, &call, &id);

    switch (path) {

    case WHOLESALE_PATH_CALL:
        break;

    case WHOLESALE_PATH_BAD_ID:
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_bad_id);

    case WHOLESALE_PATH_AMBIGUOUS:
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_ambiguous);

    default: /* WHOLESALE_PATH_OTHER */
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_call);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    ctx->call = call;
    ctx->methods = call->methods;

    if (!wlcf->passthrough) {

        if (!call->customer) {
            return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_call);
        }

        ctx->methods &= WHOLESALE_GET|WHOLESALE_PUT;
    }

    method = ngx_http_wholesale_method(r);

    if (!(ctx->methods & method)) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_bad_method);
    }

    ctx->update = call->customer && method == WHOLESALE_PUT;

    if (call->customer) {
        ctx->customer.data = (u_char *) id.data;
        ctx->customer.len = id.len;
    }

    return NGX_OK;
}


/* HEAD is as good as the GET that it stands for */

static unsigned
ngx_http_wholesale_method(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        return WHOLESALE_GET;

    case NGX_HTTP_POST:
        return WHOLESALE_POST;

    case NGX_HTTP_PUT:
        return WHOLESALE_PUT;

    case NGX_HTTP_DELETE:
        return WHOLESALE_DELETE;

    default:
        return 0;
    }
}
