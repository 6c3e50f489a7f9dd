
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


#define NGX_HTTP_WHOLESALE_SUB_PARTNER  "onBehalfOfSubPartnerOrgId"


static ngx_int_t ngx_http_wholesale_check_sub_partner(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_no_sub_partner(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_add_sub_partner(ngx_http_request_t *r,
    const char *id);


static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_disabled = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("disabled"),
    ngx_string("This account is disabled at the gateway; ask the service "
               "provider.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_not_customer = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("customer"),
    ngx_string("This account may not act on this customer.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_unchecked = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("packages"),
    ngx_string("This account may use certain packages only, and the gateway "
               "does not check them in this call.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_not_partner = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("sub_partner"),
    ngx_string("This account may not act for the organisation in "
               NGX_HTTP_WHOLESALE_SUB_PARTNER ".")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_which_partner = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("sub_partner_missing"),
    ngx_string("This account acts for several organisations: the query must "
               "name one in " NGX_HTTP_WHOLESALE_SUB_PARTNER ".")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_two_partners = {
    NGX_HTTP_BAD_REQUEST, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("sub_partner_doubled"),
    ngx_string("The query must name " NGX_HTTP_WHOLESALE_SUB_PARTNER
               " once.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_hidden = {
    NGX_HTTP_BAD_REQUEST, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("sub_partner_hidden"),
    ngx_string("The query must spell " NGX_HTTP_WHOLESALE_SUB_PARTNER
               " as it is written here.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_bad_partner = {
    NGX_HTTP_BAD_REQUEST, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("sub_partner_id"),
    ngx_string("What stands in " NGX_HTTP_WHOLESALE_SUB_PARTNER
               " is not the id of an organisation.")
};


ngx_int_t
ngx_http_wholesale_authorise(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    size_t  len;

    if (!ctx->tenant->enabled) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_disabled);
    }

    if (ctx->tenant->packages && !ctx->update
        && ctx->call->packages && (r->method & (NGX_HTTP_POST|NGX_HTTP_PUT)))
    {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_unchecked);
    }

    if (ctx->tenant->customers) {

        /*
         * Without the padding, which a client may write as it likes.  A call
         * that names no customer may be about any: "" is none of the list.
         */

        len = wholesale_id_check((char *) ctx->customer.data,
                                 ctx->customer.len);

        if (!wholesale_tenant_may_update(ctx->tenant,
                                         (char *) ctx->customer.data, len))
        {
            return ngx_http_wholesale_refuse(ctx,
                                             &ngx_http_wholesale_not_customer);
        }
    }

    return ngx_http_wholesale_check_sub_partner(r, ctx);
}


static ngx_int_t
ngx_http_wholesale_check_sub_partner(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    size_t             len;
    wholesale_slice_t  id;

    switch (wholesale_query_sub_partner((char *) r->args.data, r->args.len,
                                        &id))
    {

    case WHOLESALE_SUB_PARTNER_ONE:
        break;

    case WHOLESALE_SUB_PARTNER_NONE:
        return ngx_http_wholesale_no_sub_partner(r, ctx);

    case WHOLESALE_SUB_PARTNER_DOUBLED:
        return ngx_http_wholesale_refuse(ctx,
                                         &ngx_http_wholesale_two_partners);

    case WHOLESALE_SUB_PARTNER_HIDDEN:
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_hidden);

    default: /* WHOLESALE_SUB_PARTNER_BAD_ID */
        return ngx_http_wholesale_refuse(ctx,
                                         &ngx_http_wholesale_bad_partner);
    }

    len = wholesale_id_check(id.data, id.len);

    if (!wholesale_tenant_may_act_for(ctx->tenant, id.data, len)) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_not_partner);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_no_sub_partner(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    if (ctx->tenant->any_sub_partner || ctx->tenant->nsub_partners == 0) {
        return NGX_OK;
    }

    if (ctx->tenant->nsub_partners > 1) {
        return ngx_http_wholesale_refuse(ctx,
                                         &ngx_http_wholesale_which_partner);
    }

    return ngx_http_wholesale_add_sub_partner(r,
                                              ctx->tenant->sub_partners[0]);
}


/*
 * To the raw URI too: that is what proxy_pass forwards, and all else in it
 * goes on untouched.
 */

static ngx_int_t
ngx_http_wholesale_add_sub_partner(ngx_http_request_t *r, const char *id)
{
    size_t      len, n;
    u_char     *p;
    ngx_str_t   uri, argument;

    static ngx_str_t  name = ngx_string(NGX_HTTP_WHOLESALE_SUB_PARTNER "=");

    n = ngx_strlen(id);
    len = n + 2 * ngx_escape_uri(NULL, (u_char *) id, n,
                                 NGX_ESCAPE_URI_COMPONENT);

    argument.data = ngx_pnalloc(r->pool, name.len + len);
    if (argument.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(argument.data, name.data, name.len);
    p = (u_char *) ngx_escape_uri(p, (u_char *) id, n,
                                  NGX_ESCAPE_URI_COMPONENT);
    argument.len = p - argument.data;

    /* an empty query may have left its "?" behind */

    uri = r->unparsed_uri;

    if (r->args.len == 0 && uri.len && uri.data[uri.len - 1] == '?') {
        uri.len--;
    }

    len = uri.len + 1 + argument.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->unparsed_uri.data = p;
    r->unparsed_uri.len = len;

    p = ngx_cpymem(p, uri.data, uri.len);
    *p++ = r->args.len ? '&' : '?';
    ngx_memcpy(p, argument.data, argument.len);

    len = r->args.len ? r->args.len + 1 : 0;

    p = ngx_pnalloc(r->pool, len + argument.len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    uri.data = p;
    uri.len = len + argument.len;

    if (len) {
        p = ngx_cpymem(p, r->args.data, r->args.len);
        *p++ = '&';
    }

    ngx_memcpy(p, argument.data, argument.len);

    r->args = uri;

    return NGX_OK;
}
