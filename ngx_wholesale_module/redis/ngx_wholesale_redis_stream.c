
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_connection.h>
#include <ngx_wholesale_redis_reply.h>


static void ngx_wholesale_redis_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_wholesale_redis_send_out(
    ngx_wholesale_redis_connection_t *rc);
static void ngx_wholesale_redis_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_wholesale_redis_read(
    ngx_wholesale_redis_connection_t *rc);
static ngx_int_t ngx_wholesale_redis_parse(
    ngx_wholesale_redis_connection_t *rc, size_t n);
static ngx_wholesale_redis_error_e ngx_wholesale_redis_take(
    ngx_wholesale_redis_connection_t *rc, redisReply *reply);


void
ngx_wholesale_redis_stream(ngx_wholesale_redis_connection_t *rc)
{
    ngx_connection_t  *c;

    c = rc->peer.connection;

    c->idle = rc->idle;
    c->read->handler = ngx_wholesale_redis_read_handler;
    c->write->handler = ngx_wholesale_redis_write_handler;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }
}


ngx_int_t
ngx_wholesale_redis_write(ngx_wholesale_redis_connection_t *rc,
    const u_char *command, size_t len)
{
    /*
     * Nothing is moved to make room: OpenSSL wants to see the same bytes at
     * the same place when it tries again.
     */

    if (len > (size_t) (rc->out + NGX_WHOLESALE_REDIS_OUT_SIZE - rc->last)) {
        return NGX_AGAIN;
    }

    rc->last = ngx_cpymem(rc->last, command, len);

    return NGX_OK;
}


ngx_int_t
ngx_wholesale_redis_flush(ngx_wholesale_redis_connection_t *rc)
{
    if (ngx_wholesale_redis_send_out(rc) == NGX_OK) {
        return NGX_OK;
    }

    ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CLOSED, ngx_socket_errno,
                             "writing to it failed");
    return NGX_ERROR;
}


static void
ngx_wholesale_redis_write_handler(ngx_event_t *wev)
{
    ngx_uint_t                         pending;
    ngx_connection_t                  *c;
    ngx_wholesale_redis_connection_t  *rc;

    c = wev->data;
    rc = c->data;

    pending = (rc->pos != rc->last);

    if (ngx_wholesale_redis_flush(rc) != NGX_OK) {
        return;
    }

    if (pending
        && rc->pos == rc->last
        && rc->state == NGX_WHOLESALE_REDIS_READY)
    {
        rc->events->writable(rc->data);
    }
}


static ngx_int_t
ngx_wholesale_redis_send_out(ngx_wholesale_redis_connection_t *rc)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = rc->peer.connection;

    while (rc->pos != rc->last) {

        n = c->send(c, rc->pos, rc->last - rc->pos);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN || n == 0) {
            break;
        }

        rc->pos += n;
    }

    if (rc->pos == rc->last) {

        if (rc->state == NGX_WHOLESALE_REDIS_GREETING) {

            /* there was a password in it */

            ngx_explicit_memzero(rc->out, rc->last - rc->out);
        }

        rc->pos = rc->out;
        rc->last = rc->out;
    }

    return ngx_handle_write_event(c->write, 0);
}


static void
ngx_wholesale_redis_read_handler(ngx_event_t *rev)
{
    ngx_connection_t                  *c;
    ngx_wholesale_redis_connection_t  *rc;

    c = rev->data;
    rc = c->data;

    if (ngx_wholesale_redis_closing(rc)) {
        return;
    }

    if (ngx_wholesale_redis_read(rc) != NGX_OK) {
        ngx_wholesale_redis_drop(rc);
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_wholesale_redis_fail(rc, NGX_WHOLESALE_REDIS_CLOSED, 0,
                                 "reading from it failed");
    }
}


/* NGX_ERROR: the connection is to be dropped, the failure is set */

static ngx_int_t
ngx_wholesale_redis_read(ngx_wholesale_redis_connection_t *rc)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = rc->peer.connection;

    do {
        n = c->recv(c, rc->in, NGX_WHOLESALE_REDIS_IN_SIZE);

        if (n == NGX_AGAIN) {
            return NGX_OK;
        }

        if (n == NGX_ERROR) {
            ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CLOSED,
                                            ngx_socket_errno,
                                            "reading from it failed");
            return NGX_ERROR;
        }

        if (n == 0) {
            ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CLOSED, 0,
                                            "it closed the connection");
            return NGX_ERROR;
        }

        if (ngx_wholesale_redis_parse(rc, n) != NGX_OK) {
            return NGX_ERROR;
        }

    } while (c->read->ready);

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_redis_parse(ngx_wholesale_redis_connection_t *rc, size_t n)
{
    void                         *reply;
    ngx_wholesale_redis_error_e   error;

    rc->unparsed += n;

    if (redisReaderFeed(rc->reader, (char *) rc->in, n) != REDIS_OK) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_PROTOCOL,
                                        NGX_ENOMEM, "no room for its reply");
        return NGX_ERROR;
    }

    for ( ;; ) {

        if (redisReaderGetReply(rc->reader, &reply) != REDIS_OK) {
            ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_PROTOCOL,
                                            0, "what it sends is not RESP2, "
                                            "or is too large");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            break;
        }

        rc->unparsed = 0;

        error = ngx_wholesale_redis_take(rc, reply);

        freeReplyObject(reply);

        if (error != NGX_WHOLESALE_REDIS_OK) {
            return NGX_ERROR;
        }
    }

    if (rc->unparsed > NGX_WHOLESALE_REDIS_REPLY_MAX) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_PROTOCOL, 0,
                                        "its reply is too large");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_wholesale_redis_error_e
ngx_wholesale_redis_take(ngx_wholesale_redis_connection_t *rc,
    redisReply *reply)
{
    u_char                      *last;
    u_char                       text[NGX_WHOLESALE_REDIS_TEXT_MAX];
    ngx_wholesale_redis_error_e  error;

    if (rc->state == NGX_WHOLESALE_REDIS_GREETING) {
        return ngx_wholesale_redis_greeted(rc, reply);
    }

    error = rc->events->reply(rc->data, reply);

    if (error == NGX_WHOLESALE_REDIS_OK) {
        return error;
    }

    if (error == NGX_WHOLESALE_REDIS_PROTOCOL) {
        ngx_wholesale_redis_set_failure(rc, error, 0,
                                        "a reply is of a wrong type, or "
                                        "nobody asked for it");
        return error;
    }

    last = ngx_wholesale_redis_reply_text(text, reply);

    ngx_wholesale_redis_set_failure(rc, error, 0, "it answers \"%*s\"",
                                    (size_t) (last - text), text);

    return error;
}
