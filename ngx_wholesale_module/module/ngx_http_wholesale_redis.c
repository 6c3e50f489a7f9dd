
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_redis.h>
#include <ngx_wholesale_redis_password.h>
#include <ngx_wholesale_redis_probe.h>


#define NGX_HTTP_WHOLESALE_REDIS_PORT          6379
#define NGX_HTTP_WHOLESALE_REDIS_DATABASE_MAX  65535
#define NGX_HTTP_WHOLESALE_REDIS_PREFIX        "wholesale:"
#define NGX_HTTP_WHOLESALE_REDIS_PREFIX_MAX    64

/* milliseconds */
#define NGX_HTTP_WHOLESALE_REDIS_TIMEOUT       50
#define NGX_HTTP_WHOLESALE_REDIS_TIMEOUT_MAX   10000

/* certificates between the server's and a trusted one */
#define NGX_HTTP_WHOLESALE_REDIS_SSL_DEPTH     9


static char *ngx_http_wholesale_redis_member(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_wholesale_redis_server(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_wholesale_redis_on_failure(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_wholesale_redis_check_file(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_wholesale_redis_check_prefix(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_wholesale_redis_check_timeout(ngx_conf_t *cf,
    void *post, void *data);
static char *ngx_http_wholesale_redis_complete(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);
static char *ngx_http_wholesale_redis_check_password(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);
#if (NGX_SSL)
static char *ngx_http_wholesale_redis_without_ssl(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);
static char *ngx_http_wholesale_redis_set_ssl(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);
static char *ngx_http_wholesale_redis_set_ssl_verify(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);
static char *ngx_http_wholesale_redis_set_ssl_name(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);
#endif
static ngx_int_t ngx_http_wholesale_redis_resolve(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);


static ngx_conf_num_bounds_t  ngx_http_wholesale_redis_database_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_HTTP_WHOLESALE_REDIS_DATABASE_MAX
};

static ngx_conf_post_t  ngx_http_wholesale_redis_file_post = {
    ngx_http_wholesale_redis_check_file
};

static ngx_conf_post_t  ngx_http_wholesale_redis_prefix_post = {
    ngx_http_wholesale_redis_check_prefix
};

static ngx_conf_post_t  ngx_http_wholesale_redis_timeout_post = {
    ngx_http_wholesale_redis_check_timeout
};


/* each takes one argument */

static ngx_command_t  ngx_http_wholesale_redis_members[] = {

    { ngx_string("server"),
      NGX_CONF_TAKE1,
      ngx_http_wholesale_redis_server,
      0,
      0,
      NULL },

    { ngx_string("username"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, redis.username),
      NULL },

    { ngx_string("password_file"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, redis.password_file),
      &ngx_http_wholesale_redis_file_post },

    { ngx_string("database"),
      NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, database),
      &ngx_http_wholesale_redis_database_bounds },

    { ngx_string("key_prefix"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, redis.key_prefix),
      &ngx_http_wholesale_redis_prefix_post },

    { ngx_string("timeout"),
      NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, redis.timeout),
      &ngx_http_wholesale_redis_timeout_post },

    { ngx_string("on_failure"),
      NGX_CONF_TAKE1,
      ngx_http_wholesale_redis_on_failure,
      0,
      0,
      NULL },

#if (NGX_SSL)

    { ngx_string("ssl"),
      NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, ssl),
      NULL },

    { ngx_string("ssl_name"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, redis.ssl_name),
      NULL },

    { ngx_string("ssl_verify"),
      NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, ssl_verify),
      NULL },

    { ngx_string("ssl_trusted_certificate"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, ssl_trusted_certificate),
      NULL },

    { ngx_string("ssl_certificate"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, ssl_certificate),
      NULL },

    { ngx_string("ssl_certificate_key"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_wholesale_redis_conf_t, ssl_certificate_key),
      NULL },

#endif

      ngx_null_command
};


char *
ngx_http_wholesale_redis_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    char                             *rv;
    ngx_conf_t                        save;
    ngx_http_wholesale_redis_conf_t  *rcf;

    rcf = (ngx_http_wholesale_redis_conf_t *) (p + cmd->offset);

    if (rcf->redis.server.len) {
        return "is duplicate: all limits are counted in one Redis";
    }

    rcf->redis.timeout = NGX_CONF_UNSET_MSEC;
    rcf->on_failure = NGX_CONF_UNSET_UINT;
    rcf->database = NGX_CONF_UNSET;
#if (NGX_SSL)
    rcf->ssl = NGX_CONF_UNSET;
    rcf->ssl_verify = NGX_CONF_UNSET;
#endif

    save = *cf;
    cf->handler = ngx_http_wholesale_redis_member;
    cf->handler_conf = rcf;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_wholesale_redis_complete(cf, rcf);
}


ngx_int_t
ngx_http_wholesale_redis_init(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    ngx_resolver_t            *resolver;
    ngx_http_core_loc_conf_t  *clcf;

    if (rcf->redis.server.len == 0 || rcf->redis.naddrs) {
        return NGX_OK;
    }

    /* it is a name; nginx has a resolver without servers where none is set */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    resolver = clcf->resolver;

    if (resolver && resolver->connections.nelts) {
        rcf->redis.resolver = resolver;
        return NGX_OK;
    }

    return ngx_http_wholesale_redis_resolve(cf, rcf);
}


static char *
ngx_http_wholesale_redis_member(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf)
{
    char           *rv;
    ngx_str_t      *value;
    ngx_command_t  *cmd;

    value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "include") == 0 && cf->args->nelts == 2) {
        return ngx_conf_include(cf, dummy, conf);
    }

    for (cmd = ngx_http_wholesale_redis_members; cmd->name.len; cmd++) {

        if (ngx_strcmp(value[0].data, cmd->name.data) == 0) {
            break;
        }
    }

    if (cmd->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" in wholesale_redis",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts != 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive "
                           "of wholesale_redis, it takes one", &value[0]);
        return NGX_CONF_ERROR;
    }

    rv = cmd->set(cf, cmd, conf);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" directive of wholesale_redis %s",
                       &value[0], rv);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_wholesale_redis_server(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wholesale_redis_conf_t  *rcf = conf;

    ngx_str_t  *value;

    if (rcf->redis.server.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rcf->url.url = value[1];
    rcf->url.default_port = NGX_HTTP_WHOLESALE_REDIS_PORT;
    rcf->url.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &rcf->url) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"%V\" of \"server\", it must be host:port, "
                           "a host alone for port %d, or unix:/path",
                           rcf->url.err ? rcf->url.err : "invalid address",
                           &value[1], NGX_HTTP_WHOLESALE_REDIS_PORT);
        return NGX_CONF_ERROR;
    }

    rcf->redis.server = value[1];
    rcf->redis.addrs = rcf->url.addrs;
    rcf->redis.naddrs = rcf->url.naddrs;
    rcf->redis.host = rcf->url.host;
    rcf->redis.port = rcf->url.port;

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_redis_on_failure(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_wholesale_redis_conf_t  *rcf = conf;

    ngx_str_t  *value;

    if (rcf->on_failure != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "local") == 0) {
        rcf->on_failure = NGX_HTTP_WHOLESALE_REDIS_LOCAL;

    } else if (ngx_strcmp(value[1].data, "allow") == 0) {
        rcf->on_failure = NGX_HTTP_WHOLESALE_REDIS_ALLOW;

    } else if (ngx_strcmp(value[1].data, "deny") == 0) {
        rcf->on_failure = NGX_HTTP_WHOLESALE_REDIS_DENY;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"on_failure\", it must "
                           "be \"local\", \"allow\" or \"deny\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_redis_check_file(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *name = data;

    if (name->len == 0) {
        return "is empty, it must be a file's name";
    }

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* a brace would move the hash tag */

static char *
ngx_http_wholesale_redis_check_prefix(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *prefix = data;

    size_t  i;
    u_char  ch;

    if (prefix->len > NGX_HTTP_WHOLESALE_REDIS_PREFIX_MAX) {
        return "is too long, it must be at most 64 characters";
    }

    for (i = 0; i < prefix->len; i++) {
        ch = prefix->data[i];

        if (ch <= ' ' || ch > '~' || ch == '{' || ch == '}') {
            return "must be printable ASCII without blanks and braces";
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_redis_check_timeout(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t  *timeout = data;

    if (*timeout == 0 || *timeout > NGX_HTTP_WHOLESALE_REDIS_TIMEOUT_MAX) {
        return "is out of bounds, it must be from 1ms to 10s";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_redis_complete(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    if (rcf->redis.server.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"server\" in wholesale_redis, it must be "
                           "host:port or unix:/path");
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(rcf->database, 0);
    rcf->redis.database = rcf->database;

    ngx_conf_init_msec_value(rcf->redis.timeout,
                             NGX_HTTP_WHOLESALE_REDIS_TIMEOUT);
    ngx_conf_init_uint_value(rcf->on_failure, NGX_HTTP_WHOLESALE_REDIS_LOCAL);

    rcf->redis.probe = ngx_wholesale_redis_probe;

    if (rcf->redis.key_prefix.data == NULL) {
        ngx_str_set(&rcf->redis.key_prefix, NGX_HTTP_WHOLESALE_REDIS_PREFIX);
    }

    if (ngx_http_wholesale_redis_check_password(cf, rcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

#if (NGX_SSL)

    ngx_conf_init_value(rcf->ssl, 0);

    return rcf->ssl ? ngx_http_wholesale_redis_set_ssl(cf, rcf)
                    : ngx_http_wholesale_redis_without_ssl(cf, rcf);

#else

    return NGX_CONF_OK;

#endif
}


static char *
ngx_http_wholesale_redis_check_password(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    u_char       buf[NGX_WHOLESALE_REDIS_PASSWORD_MAX];
    ngx_err_t    err;
    ngx_str_t    password;
    const char  *failed;

    if (rcf->redis.password_file.len == 0) {

        if (rcf->redis.username.data) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"username\" in wholesale_redis without "
                               "\"password_file\"");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    failed = ngx_wholesale_redis_password(&rcf->redis.password_file, buf,
                                          &password, &err);
    if (failed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           "\"password_file\" \"%V\" %s",
                           &rcf->redis.password_file, failed);
        return NGX_CONF_ERROR;
    }

    rcf->redis.password.len = password.len;
    rcf->redis.password.data = ngx_pstrdup(cf->pool, &password);

    ngx_explicit_memzero(buf, NGX_WHOLESALE_REDIS_PASSWORD_MAX);

    if (rcf->redis.password.data == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


#if (NGX_SSL)

static char *
ngx_http_wholesale_redis_without_ssl(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    if (rcf->ssl_verify == NGX_CONF_UNSET
        && rcf->redis.ssl_name.data == NULL
        && rcf->ssl_trusted_certificate.data == NULL
        && rcf->ssl_certificate.data == NULL
        && rcf->ssl_certificate_key.data == NULL)
    {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "directives about TLS in wholesale_redis without "
                       "\"ssl on\"");

    return NGX_CONF_ERROR;
}


static char *
ngx_http_wholesale_redis_set_ssl(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ngx_conf_init_value(rcf->ssl_verify, 1);

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_CONF_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    rcf->redis.ssl = ssl;

    if ((rcf->ssl_certificate.len == 0)
        != (rcf->ssl_certificate_key.len == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl_certificate\" and \"ssl_certificate_key\" "
                           "in wholesale_redis must be used together");
        return NGX_CONF_ERROR;
    }

    if (rcf->ssl_certificate.len
        && ngx_ssl_certificate(cf, ssl, &rcf->ssl_certificate,
                               &rcf->ssl_certificate_key, NULL)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ssl_certificate\" \"%V\" in wholesale_redis "
                           "cannot be used", &rcf->ssl_certificate);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_wholesale_redis_set_ssl_verify(cf, rcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_wholesale_redis_set_ssl_name(cf, rcf);
}


static char *
ngx_http_wholesale_redis_set_ssl_verify(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    SSL_CTX  *ctx;

    if (!rcf->ssl_verify) {

        if (rcf->ssl_trusted_certificate.len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ssl_trusted_certificate\" in "
                               "wholesale_redis with \"ssl_verify off\"");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    ctx = rcf->redis.ssl->ctx;

    if (rcf->ssl_trusted_certificate.len) {

        if (ngx_ssl_trusted_certificate(cf, rcf->redis.ssl,
                                        &rcf->ssl_trusted_certificate,
                                        NGX_HTTP_WHOLESALE_REDIS_SSL_DEPTH)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ssl_trusted_certificate\" \"%V\" in "
                               "wholesale_redis cannot be used",
                               &rcf->ssl_trusted_certificate);
            return NGX_CONF_ERROR;
        }

    } else if (SSL_CTX_set_default_verify_paths(ctx) == 0) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_CONF_ERROR;
    }

    /* nginx's own callback lets everything pass, to be looked at later */

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_redis_set_ssl_name(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *name;

    name = &rcf->redis.ssl_name;

    if (name->len) {
        return NGX_CONF_OK;
    }

    if (rcf->url.family == AF_UNIX) {

        if (rcf->ssl_verify) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no \"ssl_name\" in wholesale_redis: the "
                               "certificate of a Unix socket's server cannot "
                               "be verified without it");
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    p = rcf->url.host.data;
    len = rcf->url.host.len;

    if (len > 2 && p[0] == '[') {
        p++;
        len -= 2;
    }

    name->data = ngx_pnalloc(cf->pool, len + 1);
    if (name->data == NULL) {
        return NGX_CONF_ERROR;
    }

    name->len = len;
    (void) ngx_cpystrn(name->data, p, len + 1);

    return NGX_CONF_OK;
}

#endif


static ngx_int_t
ngx_http_wholesale_redis_resolve(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf)
{
    ngx_url_t  url;

    ngx_memzero(&url, sizeof(ngx_url_t));

    url.url = rcf->redis.server;
    url.default_port = NGX_HTTP_WHOLESALE_REDIS_PORT;

    if (ngx_parse_url(cf->pool, &url) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%s in \"%V\" of \"server\" in wholesale_redis; with a "
                      "\"resolver\" in the http block it is looked up when "
                      "it is needed",
                      url.err ? url.err : "invalid address",
                      &rcf->redis.server);
        return NGX_ERROR;
    }

    rcf->redis.addrs = url.addrs;
    rcf->redis.naddrs = url.naddrs;

    return NGX_OK;
}
