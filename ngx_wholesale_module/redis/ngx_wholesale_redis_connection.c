
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_connection.h>
#include <ngx_wholesale_redis_reply.h>


/*
 * One attempt at one address takes no longer than this, or than conf->timeout
 * where that is longer.  Commands do not wait for so long: it is for a Redis
 * that takes its time to be reached, and is quick then.
 */
#define NGX_WHOLESALE_REDIS_ATTEMPT_TIMEOUT  1000

#define NGX_WHOLESALE_REDIS_POOL_SIZE        512


static void ngx_wholesale_redis_resolve(ngx_wholesale_redis_connection_t *rc);
static void ngx_wholesale_redis_resolve_handler(ngx_resolver_ctx_t *ctx);
static void ngx_wholesale_redis_resolved(ngx_wholesale_redis_connection_t *rc,
    ngx_resolver_ctx_t *ctx);
static void ngx_wholesale_redis_connect_next(
    ngx_wholesale_redis_connection_t *rc);
static ngx_addr_t *ngx_wholesale_redis_addr(
    ngx_wholesale_redis_connection_t *rc, ngx_uint_t tried);
static ngx_int_t ngx_wholesale_redis_connect_addr(
    ngx_wholesale_redis_connection_t *rc, ngx_addr_t *addr);
static ngx_int_t ngx_wholesale_redis_prepare(
    ngx_wholesale_redis_connection_t *rc);
static void ngx_wholesale_redis_connect_handler(ngx_event_t *ev);
static void ngx_wholesale_redis_reached(
    ngx_wholesale_redis_connection_t *rc);
static void ngx_wholesale_redis_timer_handler(ngx_event_t *ev);
static ngx_msec_t ngx_wholesale_redis_attempt_timeout(
    ngx_wholesale_redis_connection_t *rc);


void
ngx_wholesale_redis_connection_init(ngx_wholesale_redis_connection_t *rc)
{
    rc->quiet = *rc->log;

    if (!(rc->quiet.log_level & NGX_LOG_DEBUG_ALL)) {
        rc->quiet.log_level = ngx_min(rc->quiet.log_level, NGX_LOG_ALERT);
    }

    rc->dummy.fd = (ngx_socket_t) -1;
    rc->dummy.data = rc;

    rc->timer.handler = ngx_wholesale_redis_timer_handler;
    rc->timer.data = &rc->dummy;
    rc->timer.log = rc->log;
    rc->timer.cancelable = 1;

    rc->idle = 1;
}


void
ngx_wholesale_redis_connect(ngx_wholesale_redis_connection_t *rc)
{
    rc->tried = 0;

    if (rc->conf->naddrs == 0) {
        ngx_wholesale_redis_resolve(rc);
        return;
    }

    rc->naddrs = rc->conf->naddrs;

    ngx_wholesale_redis_connect_next(rc);
}


void
ngx_wholesale_redis_disconnect(ngx_wholesale_redis_connection_t *rc)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    rc->state = NGX_WHOLESALE_REDIS_DOWN;

    if (rc->timer.timer_set) {
        ngx_del_timer(&rc->timer);
    }

    if (rc->resolving) {
        ngx_resolve_name_done(rc->resolving);
        rc->resolving = NULL;
    }

    if (rc->reader) {
        redisReaderFree(rc->reader);
        rc->reader = NULL;
    }

    c = rc->peer.connection;

    if (c == NULL) {
        return;
    }

    rc->peer.connection = NULL;

#if (NGX_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


void
ngx_wholesale_redis_fail(ngx_wholesale_redis_connection_t *rc,
    ngx_wholesale_redis_error_e error, ngx_err_t err, const char *text)
{
    ngx_wholesale_redis_set_failure(rc, error, err, "%s", text);
    ngx_wholesale_redis_drop(rc);
}


void
ngx_wholesale_redis_set_idle(ngx_wholesale_redis_connection_t *rc,
    ngx_uint_t idle)
{
    rc->idle = idle;

    if (rc->peer.connection && rc->state != NGX_WHOLESALE_REDIS_SECURING) {
        rc->peer.connection->idle = idle;
    }
}


ngx_uint_t
ngx_wholesale_redis_closing(ngx_wholesale_redis_connection_t *rc)
{
    if (rc->idle && (rc->peer.connection->close || ngx_exiting)) {
        ngx_wholesale_redis_disconnect(rc);
        return 1;
    }

    if (rc->peer.connection->close) {

        /* there will be no time for another address */

        rc->tried = rc->naddrs;

        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CLOSED, 0,
                                 "the worker process shuts down");
        return 1;
    }

    return 0;
}


void ngx_cdecl
ngx_wholesale_redis_set_failure(ngx_wholesale_redis_connection_t *rc,
    ngx_wholesale_redis_error_e error, ngx_err_t err, const char *fmt, ...)
{
    u_char   *p, *last;
    va_list   args;

    rc->failure.error = error;
    rc->failure.err = err;

    last = rc->failure.buf + NGX_WHOLESALE_REDIS_FAILURE_MAX;

    va_start(args, fmt);
    p = ngx_vslprintf(rc->failure.buf, last, fmt, args);
    va_end(args);

    if (rc->naddrs > 1 && rc->peer.name) {
        p = ngx_slprintf(p, last, ", address %V", rc->peer.name);
    }

    rc->failure.text.data = rc->failure.buf;
    rc->failure.text.len = p - rc->failure.buf;
}


void
ngx_wholesale_redis_drop(ngx_wholesale_redis_connection_t *rc)
{
    ngx_uint_t  attempt;

    attempt = rc->state == NGX_WHOLESALE_REDIS_CONNECTING
              || rc->state == NGX_WHOLESALE_REDIS_SECURING
              || rc->state == NGX_WHOLESALE_REDIS_GREETING;

    rc->lost = (rc->state == NGX_WHOLESALE_REDIS_READY);

    ngx_wholesale_redis_disconnect(rc);

    if (attempt) {
        ngx_wholesale_redis_connect_next(rc);
        return;
    }

    rc->events->failed(rc->data);
}


static void
ngx_wholesale_redis_resolve(ngx_wholesale_redis_connection_t *rc)
{
    ngx_resolver_ctx_t  *ctx, temp;

    rc->naddrs = 0;
    rc->peer.name = NULL;
    rc->state = NGX_WHOLESALE_REDIS_RESOLVING;

    ngx_memzero(&temp, sizeof(ngx_resolver_ctx_t));
    temp.name = rc->conf->host;

    ctx = ngx_resolve_start(rc->conf->resolver, &temp);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CONNECT, 0,
                                 "its name cannot be resolved now");
        return;
    }

    ctx->name = rc->conf->host;
    ctx->handler = ngx_wholesale_redis_resolve_handler;
    ctx->data = rc;
    ctx->timeout = ngx_wholesale_redis_attempt_timeout(rc);
    ctx->cancelable = 1;

    rc->resolving = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        rc->resolving = NULL;
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CONNECT, 0,
                                 "its name cannot be resolved now");
    }
}


static void
ngx_wholesale_redis_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_int_t                          state;
    ngx_wholesale_redis_connection_t  *rc;

    rc = ctx->data;
    state = ctx->state;

    if (state == NGX_OK) {
        ngx_wholesale_redis_resolved(rc, ctx);
    }

    ngx_resolve_name_done(ctx);
    rc->resolving = NULL;

    if (state != NGX_OK) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CONNECT, 0,
                                        "its name could not be resolved: %s",
                                        ngx_resolver_strerror(state));
        ngx_wholesale_redis_drop(rc);
        return;
    }

    ngx_wholesale_redis_connect_next(rc);
}


static void
ngx_wholesale_redis_resolved(ngx_wholesale_redis_connection_t *rc,
    ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                   i;
    ngx_wholesale_redis_addr_t  *addr;

    rc->first = 0;
    rc->naddrs = ngx_min(ctx->naddrs, NGX_WHOLESALE_REDIS_ADDRS_MAX);

    for (i = 0; i < rc->naddrs; i++) {
        addr = &rc->resolved[i];

        ngx_memcpy(&addr->sockaddr, ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);

        ngx_inet_set_port(&addr->sockaddr.sockaddr, rc->conf->port);

        addr->addr.sockaddr = &addr->sockaddr.sockaddr;
        addr->addr.socklen = ctx->addrs[i].socklen;
        addr->addr.name.data = addr->name;
        addr->addr.name.len = ngx_sock_ntop(addr->addr.sockaddr,
                                            addr->addr.socklen, addr->name,
                                            NGX_SOCKADDR_STRLEN, 1);
    }
}


static void
ngx_wholesale_redis_connect_next(ngx_wholesale_redis_connection_t *rc)
{
    ngx_addr_t  *addr;

    if (ngx_exiting && rc->idle) {
        return;
    }

    while (rc->tried < rc->naddrs) {

        addr = ngx_wholesale_redis_addr(rc, rc->tried++);

        if (ngx_wholesale_redis_connect_addr(rc, addr) == NGX_OK) {
            return;
        }

        ngx_wholesale_redis_disconnect(rc);
    }

    rc->events->failed(rc->data);
}


static ngx_addr_t *
ngx_wholesale_redis_addr(ngx_wholesale_redis_connection_t *rc,
    ngx_uint_t tried)
{
    ngx_uint_t  i;

    i = (rc->first + tried) % rc->naddrs;

    return rc->conf->naddrs ? &rc->conf->addrs[i] : &rc->resolved[i].addr;
}


/* NGX_OK: it is under way, or has already come to some end */

static ngx_int_t
ngx_wholesale_redis_connect_addr(ngx_wholesale_redis_connection_t *rc,
    ngx_addr_t *addr)
{
    ngx_int_t               n;
    ngx_peer_connection_t  *peer;

    rc->state = NGX_WHOLESALE_REDIS_CONNECTING;

    peer = &rc->peer;

    ngx_memzero(peer, sizeof(ngx_peer_connection_t));

    peer->sockaddr = addr->sockaddr;
    peer->socklen = addr->socklen;
    peer->name = &addr->name;
    peer->get = ngx_event_get_peer;
    peer->log = &rc->quiet;
    peer->log_error = NGX_ERROR_INFO;
    peer->so_keepalive = 1;

    ngx_set_socket_errno(0);

    n = ngx_event_connect_peer(peer);

    if (n != NGX_OK && n != NGX_AGAIN) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CONNECT,
                                        ngx_socket_errno, "connect() failed");
        return NGX_DECLINED;
    }

    if (ngx_wholesale_redis_prepare(rc) != NGX_OK) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CONNECT,
                                        NGX_ENOMEM, "connect() failed");
        return NGX_DECLINED;
    }

    ngx_add_timer(&rc->timer, ngx_wholesale_redis_attempt_timeout(rc));

    if (n == NGX_OK) {
        ngx_wholesale_redis_reached(rc);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_redis_prepare(ngx_wholesale_redis_connection_t *rc)
{
    ngx_connection_t  *c;

    c = rc->peer.connection;

    c->pool = ngx_create_pool(NGX_WHOLESALE_REDIS_POOL_SIZE, rc->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    rc->out = ngx_palloc(c->pool, NGX_WHOLESALE_REDIS_OUT_SIZE);
    if (rc->out == NULL) {
        return NGX_ERROR;
    }

    rc->in = ngx_palloc(c->pool, NGX_WHOLESALE_REDIS_IN_SIZE);
    if (rc->in == NULL) {
        return NGX_ERROR;
    }

    rc->reader = ngx_wholesale_redis_reader();
    if (rc->reader == NULL) {
        return NGX_ERROR;
    }

    rc->pos = rc->out;
    rc->last = rc->out;
    rc->unparsed = 0;

    c->data = rc;
    c->idle = rc->idle;
    c->read->handler = ngx_wholesale_redis_connect_handler;
    c->write->handler = ngx_wholesale_redis_connect_handler;

    return NGX_OK;
}


static void
ngx_wholesale_redis_connect_handler(ngx_event_t *ev)
{
    int                                err;
    socklen_t                          len;
    ngx_connection_t                  *c;
    ngx_wholesale_redis_connection_t  *rc;

    c = ev->data;
    rc = c->data;

    if (ngx_wholesale_redis_closing(rc)) {
        return;
    }

    /*
     * BSDs and Linux return 0 and set a pending error in err
     * Solaris returns -1 and sets errno
     */

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CONNECT, err,
                                 "connect() failed");
        return;
    }

    ngx_wholesale_redis_reached(rc);
}


static void
ngx_wholesale_redis_reached(ngx_wholesale_redis_connection_t *rc)
{
    ngx_connection_t  *c;

    c = rc->peer.connection;

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CONNECT,
                                 ngx_socket_errno,
                                 "setsockopt(TCP_NODELAY) failed");
        return;
    }

#if (NGX_SSL)

    if (rc->conf->ssl) {
        ngx_wholesale_redis_secure(rc);
        return;
    }

#endif

    ngx_wholesale_redis_greet(rc);
}


static void
ngx_wholesale_redis_timer_handler(ngx_event_t *ev)
{
    ngx_connection_t                  *dummy;
    ngx_wholesale_redis_connection_t  *rc;

    dummy = ev->data;
    rc = dummy->data;

    switch (rc->state) {

    case NGX_WHOLESALE_REDIS_CONNECTING:
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_TIMEOUT,
                                 NGX_ETIMEDOUT, "connect() took too long");
        break;

    case NGX_WHOLESALE_REDIS_SECURING:
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_TIMEOUT,
                                 NGX_ETIMEDOUT, "TLS took too long");
        break;

    default: /* NGX_WHOLESALE_REDIS_GREETING */
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_TIMEOUT,
                                 NGX_ETIMEDOUT,
                                 "it took too long to answer the greeting");
    }
}


static ngx_msec_t
ngx_wholesale_redis_attempt_timeout(ngx_wholesale_redis_connection_t *rc)
{
    return ngx_max(rc->conf->timeout, NGX_WHOLESALE_REDIS_ATTEMPT_TIMEOUT);
}
