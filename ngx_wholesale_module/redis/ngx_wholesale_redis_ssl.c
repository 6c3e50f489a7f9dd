
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_connection.h>


#if (NGX_SSL)


static ngx_int_t ngx_wholesale_redis_ssl_name(
    ngx_wholesale_redis_connection_t *rc);
static void ngx_wholesale_redis_ssl_handler(ngx_connection_t *c);
static void ngx_wholesale_redis_ssl_failed(
    ngx_wholesale_redis_connection_t *rc);


void
ngx_wholesale_redis_secure(ngx_wholesale_redis_connection_t *rc)
{
    ngx_int_t          n;
    ngx_connection_t  *c;

    c = rc->peer.connection;

    rc->state = NGX_WHOLESALE_REDIS_SECURING;

    /*
     * While nginx itself handles the events nobody looks at c->close, so a
     * worker that exits has to wait; there is a limit to that.
     */

    c->idle = 0;
    rc->timer.cancelable = 0;

    if (!rc->hushed) {
        c->log = rc->log;
    }

    if (ngx_ssl_create_connection(rc->conf->ssl, c, NGX_SSL_CLIENT) != NGX_OK
        || ngx_wholesale_redis_ssl_name(rc) != NGX_OK)
    {
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CONNECT, 0,
                                 "TLS could not be begun");
        return;
    }

    n = ngx_ssl_handshake(c);

    if (n == NGX_AGAIN) {
        c->ssl->handler = ngx_wholesale_redis_ssl_handler;
        return;
    }

    ngx_wholesale_redis_ssl_handler(c);
}


/*
 * OpenSSL itself compares the name, or the address, with the certificate's:
 * the handshake fails before a password could be sent.
 */

static ngx_int_t
ngx_wholesale_redis_ssl_name(ngx_wholesale_redis_connection_t *rc)
{
    char               *name;
    SSL                *ssl;
    ngx_addr_t          addr;
    X509_VERIFY_PARAM  *param;

    if (rc->conf->ssl_name.len == 0) {
        return NGX_OK;
    }

    name = (char *) rc->conf->ssl_name.data;
    ssl = rc->peer.connection->ssl->connection;
    param = SSL_get0_param(ssl);

    if (ngx_parse_addr(rc->peer.connection->pool, &addr,
                       rc->conf->ssl_name.data, rc->conf->ssl_name.len)
        == NGX_OK)
    {
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) ? NGX_OK : NGX_ERROR;
    }

    if (SSL_set_tlsext_host_name(ssl, name) == 0) {
        return NGX_ERROR;
    }

    X509_VERIFY_PARAM_set_hostflags(param,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);

    return X509_VERIFY_PARAM_set1_host(param, name, rc->conf->ssl_name.len)
           ? NGX_OK : NGX_ERROR;
}


static void
ngx_wholesale_redis_ssl_handler(ngx_connection_t *c)
{
    ngx_wholesale_redis_connection_t  *rc;

    rc = c->data;

    c->log = &rc->quiet;
    rc->timer.cancelable = 1;

    if (ngx_wholesale_redis_closing(rc)) {
        return;
    }

    if (!c->ssl->handshaked) {
        ngx_wholesale_redis_ssl_failed(rc);
        return;
    }

    ngx_wholesale_redis_greet(rc);
}


static void
ngx_wholesale_redis_ssl_failed(ngx_wholesale_redis_connection_t *rc)
{
    long  verified;

    verified = SSL_get_verify_result(rc->peer.connection->ssl->connection);

    if (verified != X509_V_OK) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CONNECT, 0,
                                        "its certificate was not accepted: %s",
                                        X509_verify_cert_error_string(
                                                                  verified));
    } else {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CONNECT, 0,
                                        "the TLS handshake failed");
    }

    ngx_wholesale_redis_drop(rc);
}


#endif
