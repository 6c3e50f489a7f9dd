
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <openssl/evp.h>
#include <ngx_http_wholesale_module.h>


/* a longer one is nobody's, and is not worth a hash */
#define NGX_HTTP_WHOLESALE_KEY_MAX  512

/* a shorter one than anybody should have would be found everywhere */
#define NGX_HTTP_WHOLESALE_KEY_MIN  16


static ngx_int_t ngx_http_wholesale_identify_by_name(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_http_complex_value_t *value);
static const wholesale_tenant_t *ngx_http_wholesale_by_certificate(
    ngx_http_request_t *r, const wholesale_tenants_t *tenants);
static ngx_int_t ngx_http_wholesale_find_key(ngx_http_request_t *r,
    ngx_str_t *key);
static ngx_int_t ngx_http_wholesale_digest(ngx_str_t *key, u_char *digest);
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

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_two_tenants = {
    NGX_HTTP_UNAUTHORIZED, NGX_HTTP_WHOLESALE_UNAUTHENTICATED,
    ngx_string("two_tenants"), NGX_HTTP_WHOLESALE_KEY_NEEDED
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_key_in_url = {
    NGX_HTTP_UNAUTHORIZED, NGX_HTTP_WHOLESALE_UNAUTHENTICATED,
    ngx_string("key_in_url"),
    ngx_string("The gateway key stands in the URL, where logs keep it: take "
               "it out, and have it replaced.")
};

static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_unknown_name = {
    NGX_HTTP_UNAUTHORIZED, NGX_HTTP_WHOLESALE_UNAUTHENTICATED,
    ngx_string("unknown_tenant"),
    ngx_string("This call needs the credentials of a known partner.")
};


ngx_int_t
ngx_http_wholesale_identify(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    u_char                           digest[WHOLESALE_DIGEST_LEN];
    const wholesale_tenant_t        *certified;
    ngx_http_wholesale_loc_conf_t   *wlcf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    if (wlcf->tenant) {
        return ngx_http_wholesale_identify_by_name(r, ctx, wlcf->tenant);
    }

    if (ngx_http_wholesale_find_key(r, &ctx->key) != NGX_OK) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_two_keys);
    }

    if (ngx_http_wholesale_has_key(ctx, &r->unparsed_uri)) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_key_in_url);
    }

    certified = ngx_http_wholesale_by_certificate(r, wmcf->tenants);

    if (ctx->key.len == 0) {

        if (certified == NULL) {
            return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_key);
        }

        ctx->tenant = certified;

        return NGX_OK;
    }

    if (ctx->key.len <= NGX_HTTP_WHOLESALE_KEY_MAX) {

        if (ngx_http_wholesale_digest(&ctx->key, digest) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->tenant = wholesale_tenants_by_key(wmcf->tenants, digest);
    }

    if (ctx->tenant == NULL) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_unknown_key);
    }

    if (certified && certified != ctx->tenant) {
        ctx->tenant = NULL;
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_two_tenants);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_wholesale_has_key(ngx_http_wholesale_ctx_t *ctx, ngx_str_t *text)
{
    u_char  *p, *last;

    if (ctx->key.len < NGX_HTTP_WHOLESALE_KEY_MIN
        || text->len < ctx->key.len)
    {
        return 0;
    }

    last = text->data + text->len - ctx->key.len;

    for (p = text->data; p <= last; p++) {

        /* the first byte, or one that has the same but for its case */

        if (((*p ^ *ctx->key.data) & ~0x20) == 0
            && ngx_strncasecmp(p, ctx->key.data, ctx->key.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* somebody else has verified who this is, and tells it in a variable */

static ngx_int_t
ngx_http_wholesale_identify_by_name(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_http_complex_value_t *value)
{
    ngx_str_t                        name;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    if (ngx_http_complex_value(r, value, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->tenant = wholesale_tenants_by_name(wmcf->tenants, (char *) name.data,
                                            name.len);
    if (ctx->tenant == NULL) {
        return ngx_http_wholesale_refuse(ctx,
                                         &ngx_http_wholesale_unknown_name);
    }

    return NGX_OK;
}


/* of a certificate that nginx has verified, and of no other; or NULL */

static const wholesale_tenant_t *
ngx_http_wholesale_by_certificate(ngx_http_request_t *r,
    const wholesale_tenants_t *tenants)
{
#if (NGX_HTTP_SSL)

    X509                      *certificate;
    u_char                     digest[EVP_MAX_MD_SIZE];
    unsigned int               len;
    const wholesale_tenant_t  *tenant;

    if (r->connection->ssl == NULL
        || SSL_get_verify_result(r->connection->ssl->connection) != X509_V_OK)
    {
        return NULL;
    }

    certificate = SSL_get_peer_certificate(r->connection->ssl->connection);
    if (certificate == NULL) {
        return NULL;
    }

    tenant = NULL;

    if (X509_digest(certificate, EVP_sha256(), digest, &len) == 1
        && len == WHOLESALE_DIGEST_LEN)
    {
        tenant = wholesale_tenants_by_certificate(tenants, digest);
    }

    X509_free(certificate);

    return tenant;

#else

    return NULL;

#endif
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


/*
 * The worker keeps what it needs for that: to look SHA-256 up, and to make a
 * context, takes OpenSSL longer than to compute it.
 */

static ngx_int_t
ngx_http_wholesale_digest(ngx_str_t *key, u_char *digest)
{
    unsigned int  len;

    static EVP_MD_CTX    *context;
    static const EVP_MD  *sha256;

    if (sha256 == NULL) {
#if (OPENSSL_VERSION_NUMBER >= 0x30000000L)
        sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
#else
        sha256 = EVP_sha256();
#endif

        if (sha256 == NULL) {
            return NGX_ERROR;
        }
    }

    if (context == NULL) {
        context = EVP_MD_CTX_new();
        if (context == NULL) {
            return NGX_ERROR;
        }
    }

    if (EVP_DigestInit_ex(context, sha256, NULL) != 1
        || EVP_DigestUpdate(context, key->data, key->len) != 1
        || EVP_DigestFinal_ex(context, digest, &len) != 1
        || len != WHOLESALE_DIGEST_LEN)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
