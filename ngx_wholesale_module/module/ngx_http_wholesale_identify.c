
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <openssl/sha.h>
#include <ngx_http_wholesale_module.h>


/* a longer one is nobody's, and is not worth a hash */
#define NGX_HTTP_WHOLESALE_KEY_MAX  512


static ngx_int_t ngx_http_wholesale_find_key(ngx_http_request_t *r,
    ngx_str_t *key);
static void ngx_http_wholesale_bearer(ngx_str_t *value, ngx_str_t *key);
static void ngx_http_wholesale_trim(ngx_str_t *value);


/*
 * To the client these are all the same: an answer that tells a missing key
 * from a wrong one helps only who guesses keys.
 */

#define NGX_HTTP_WHOLESALE_KEY_NEEDED                                        \
    ngx_string("This call needs a valid gateway key, as "                    \
               "\"Authorization: Bearer KEY\" or \"X-API-Key: KEY\".")

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_no_key = {
    NGX_HTTP_UNAUTHORIZED, NGX_HTTP_WHOLESALE_UNAUTHENTICATED,
    ngx_string("no_key"), NGX_HTTP_WHOLESALE_KEY_NEEDED
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_unknown_key = {
    NGX_HTTP_UNAUTHORIZED, NGX_HTTP_WHOLESALE_UNAUTHENTICATED,
    ngx_string("unknown_key"), NGX_HTTP_WHOLESALE_KEY_NEEDED
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_two_keys = {
    NGX_HTTP_UNAUTHORIZED, NGX_HTTP_WHOLESALE_UNAUTHENTICATED,
    ngx_string("two_keys"), NGX_HTTP_WHOLESALE_KEY_NEEDED
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_disabled = {
    NGX_HTTP_FORBIDDEN, NGX_HTTP_WHOLESALE_FORBIDDEN,
    ngx_string("disabled"),
    ngx_string("This account is disabled at the gateway; ask the service "
               "provider.")
};


ngx_int_t
ngx_http_wholesale_identify(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    u_char                           digest[WHOLESALE_DIGEST_LEN];
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    if (ngx_http_wholesale_find_key(r, &ctx->key) != NGX_OK) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_two_keys);
    }

    if (ctx->key.len == 0) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_key);
    }

    if (ctx->key.len <= NGX_HTTP_WHOLESALE_KEY_MAX) {
        SHA256(ctx->key.data, ctx->key.len, digest);
        ctx->tenant = wholesale_tenants_by_key(wmcf->tenants, digest);
    }

    if (ctx->tenant == NULL) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_unknown_key);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_wholesale_authorise(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    if (!ctx->tenant->enabled) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_disabled);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_find_key(ngx_http_request_t *r, ngx_str_t *key)
{
    ngx_str_t         value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
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

        if (h[i].key.len == sizeof("authorization") - 1
            && ngx_strncmp(h[i].lowcase_key, "authorization", h[i].key.len)
               == 0)
        {
            ngx_http_wholesale_bearer(&h[i].value, &value);

        } else if (h[i].key.len == sizeof("x-api-key") - 1
                   && ngx_strncmp(h[i].lowcase_key, "x-api-key", h[i].key.len)
                      == 0)
        {
            value = h[i].value;
            ngx_http_wholesale_trim(&value);

        } else {
            continue;
        }

        if (value.len == 0) {
            continue;
        }

        if (key->len == 0) {
            *key = value;
            continue;
        }

        if (key->len != value.len
            || ngx_memcmp(key->data, value.data, value.len) != 0)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* "Bearer KEY"; other schemes are other modules' business: length 0 */

static void
ngx_http_wholesale_bearer(ngx_str_t *value, ngx_str_t *key)
{
    *key = *value;

    ngx_http_wholesale_trim(key);

    if (key->len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(key->data, (u_char *) "Bearer", 6) != 0
        || (key->data[6] != ' ' && key->data[6] != '\t'))
    {
        ngx_str_null(key);
        return;
    }

    key->data += 6;
    key->len -= 6;

    ngx_http_wholesale_trim(key);
}


static void
ngx_http_wholesale_trim(ngx_str_t *value)
{
    while (value->len
           && (value->data[0] == ' ' || value->data[0] == '\t'))
    {
        value->data++;
        value->len--;
    }

    while (value->len
           && (value->data[value->len - 1] == ' '
               || value->data[value->len - 1] == '\t'))
    {
        value->len--;
    }
}
