
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static ngx_int_t ngx_http_wholesale_join_body(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_wholesale_copy_body(ngx_http_request_t *r,
    ngx_str_t *body);


/* how many problems there are, and which, is told after the message */

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_invalid = {
    NGX_HTTP_BAD_REQUEST, NGX_HTTP_WHOLESALE_INVALID,
    ngx_string("invalid"),
    ngx_string("The update is not valid")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_packages = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("packages"),
    ngx_string("The update is not allowed")
};


ngx_int_t
ngx_http_wholesale_validate(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_str_t                        body;
    wholesale_update_rules_t         rules;
    ngx_http_wholesale_loc_conf_t   *wlcf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    if (!ctx->update) {
        return NGX_OK;
    }

    if (ngx_http_wholesale_join_body(r, &body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    rules.catalogue = wmcf->catalogue;
    rules.allowed_packages = ctx->tenant->packages;
    rules.allowed_packages_n = ctx->tenant->npackages;
    rules.reject_unknown_fields = wlcf->unknown_fields
                                  == NGX_HTTP_WHOLESALE_UNKNOWN_REJECT;
    rules.allow_empty_packages = ctx->tenant->empty_packages_allowed;

    ctx->pool.alloc = ngx_http_wholesale_palloc;
    ctx->pool.data = r->pool;

    wholesale_problems_init(&ctx->problems, &ctx->pool);

    switch (wholesale_update_validate(&rules, (char *) body.data, body.len,
                                      &ctx->problems))
    {

    case WHOLESALE_UPDATE_VALID:
        return NGX_OK;

    case WHOLESALE_UPDATE_INVALID:
        ngx_http_wholesale_account_problems(r, ctx);
        rc = ngx_http_wholesale_refuse_or_note(ctx,
                                               &ngx_http_wholesale_invalid);
        break;

    case WHOLESALE_UPDATE_FORBIDDEN:
        ngx_http_wholesale_account_problems(r, ctx);
        rc = ngx_http_wholesale_refuse_or_note(ctx,
                                               &ngx_http_wholesale_packages);
        break;

    default: /* WHOLESALE_UPDATE_FAILED */
        wholesale_problems_init(&ctx->problems, &ctx->pool);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        /* in dry run; should the answer be ours after all, it is not of this */
        wholesale_problems_init(&ctx->problems, &ctx->pool);
    }

    return rc;
}


/*
 * The body is where nginx has put it: in one buffer, in several, or in a file.
 * Only the first needs no copy; what is forwarded is never the copy.
 */

static ngx_int_t
ngx_http_wholesale_join_body(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;
    b = cl->buf;

    if (cl->next == NULL && ngx_buf_in_memory(b)) {
        body->data = b->pos;
        body->len = b->last - b->pos;

        return NGX_OK;
    }

    for ( /* void */ ; cl; cl = cl->next) {
        body->len += ngx_buf_size(cl->buf);
    }

    if (body->len == 0) {
        return NGX_OK;
    }

    body->data = ngx_pnalloc(r->pool, body->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_wholesale_copy_body(r, body);
}


static ngx_int_t
ngx_http_wholesale_copy_body(ngx_http_request_t *r, ngx_str_t *body)
{
    size_t        size;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    p = body->data;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        size = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, size);
            continue;
        }

        if (size == 0) {
            continue;
        }

        /* what cannot be read whole cannot be judged */

        if (ngx_read_file(b->file, p, size, b->file_pos) != (ssize_t) size) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "wholesale: the buffered request body "
                          "could not be read whole");
            return NGX_ERROR;
        }

        p += size;
    }

    return NGX_OK;
}
