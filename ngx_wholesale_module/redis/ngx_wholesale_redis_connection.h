
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_CONNECTION_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_CONNECTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_wholesale_redis.h>


/*
 * One connection at a time: it is made, greeted, written to and read from.
 * It knows nothing of whose the replies are, nor when to try again.
 */


/* addresses of one name; what a resolver says beyond that is not used */
#define NGX_WHOLESALE_REDIS_ADDRS_MAX        16

/* bytes that wait to be written, and that are read at once */
#define NGX_WHOLESALE_REDIS_OUT_SIZE         65536
#define NGX_WHOLESALE_REDIS_IN_SIZE          16384

/* what a log line says of a failure */
#define NGX_WHOLESALE_REDIS_FAILURE_MAX      256


typedef struct ngx_wholesale_redis_connection_s
    ngx_wholesale_redis_connection_t;


/*
 * What may happen; none of it inside of ngx_wholesale_redis_write().
 *
 * ready: the state has become READY.
 *
 * writable: all of what ngx_wholesale_redis_flush() could not write at once
 * has been written.
 *
 * reply: returns OK, or for which error the connection is to be dropped.
 *
 * failed: an attempt to connect failed at every address, or the connection is
 * lost; connection->failure says why, and the state is DOWN.
 */

typedef struct {
    void                             (*ready)(void *data);
    void                             (*writable)(void *data);
    ngx_wholesale_redis_error_e      (*reply)(void *data, redisReply *reply);
    void                             (*failed)(void *data);
} ngx_wholesale_redis_events_t;


typedef struct {
    ngx_addr_t                           addr;
    ngx_sockaddr_t                       sockaddr;
    u_char                               name[NGX_SOCKADDR_STRLEN];
} ngx_wholesale_redis_addr_t;


struct ngx_wholesale_redis_connection_s {

    /* set once, by the one who embeds it; all else zeroed */
    const ngx_wholesale_redis_conf_t    *conf;
    const ngx_wholesale_redis_events_t  *events;
    void                                *data;
    ngx_log_t                           *log;

    /*
     * DOWN ----------- connect() ----------> RESOLVING a name, or CONNECTING
     * RESOLVING ------ an answer ----------> CONNECTING, the first address
     * CONNECTING ----- connected ----------> SECURING with TLS, or GREETING
     * SECURING ------- verified -----------> GREETING: AUTH, SELECT, PING
     * GREETING ------- all three answered -> READY, events->ready()
     *
     * CONNECTING, SECURING, GREETING: an error, an error reply, or longer
     * than the time-out: CONNECTING, the next address; DOWN after the last,
     * events->failed().
     *
     * RESOLVING, READY: an error: DOWN, events->failed().
     *
     * Any: ngx_wholesale_redis_disconnect(), or the worker exits while
     * nobody waits: DOWN, in silence.
     */
    enum {
        NGX_WHOLESALE_REDIS_DOWN = 0,
        NGX_WHOLESALE_REDIS_RESOLVING,
        NGX_WHOLESALE_REDIS_CONNECTING,
        NGX_WHOLESALE_REDIS_SECURING,
        NGX_WHOLESALE_REDIS_GREETING,
        NGX_WHOLESALE_REDIS_READY
    }                                    state;

    struct {
        ngx_wholesale_redis_error_e      error;
        ngx_err_t                        err;       /* errno or 0 */
        ngx_str_t                        text;      /* safe to log */
        u_char                           buf[NGX_WHOLESALE_REDIS_FAILURE_MAX];
    }                                    failure;

    /* when it became READY, in terms of ngx_current_msec */
    ngx_msec_t                           since;

    /* nobody waits: a worker that exits need not wait for it either */
    unsigned                             idle:1;

    /* set before events->failed(): whether it had been READY */
    unsigned                             lost:1;

    /* set by the owner: failures are expected, nginx's own lines not wanted */
    unsigned                             hushed:1;

    /* the rest is private */

    ngx_resolver_ctx_t                  *resolving;

    /* conf->addrs, or what the name resolved to */
    ngx_uint_t                           naddrs;
    ngx_uint_t                           first;     /* the last that worked */
    ngx_uint_t                           tried;     /* counted from it */

    ngx_wholesale_redis_addr_t           resolved[
                                                NGX_WHOLESALE_REDIS_ADDRS_MAX];

    ngx_peer_connection_t                peer;
    redisReader                         *reader;

    /* what is to be written, and where bytes are read; the connection's */
    u_char                              *out;
    u_char                              *pos;
    u_char                              *last;
    u_char                              *in;

    /* bytes read since the last whole reply */
    size_t                               unparsed;

    /* replies to the greeting that are still to come */
    ngx_uint_t                           greeting;
    unsigned                             auth:1;    /* the first is AUTH's */

    /* the limit of an attempt at one address */
    ngx_event_t                          timer;
    ngx_connection_t                     dummy;

    /* says nothing but alerts, or all where it is a log for debugging */
    ngx_log_t                            quiet;
};


/* to be called once, before anything else */
void ngx_wholesale_redis_connection_init(
    ngx_wholesale_redis_connection_t *rc);

/* the state is DOWN; events->failed() may be called from inside of it */
void ngx_wholesale_redis_connect(ngx_wholesale_redis_connection_t *rc);

/* to DOWN from any state, in silence; not from inside of an event */
void ngx_wholesale_redis_disconnect(ngx_wholesale_redis_connection_t *rc);

/*
 * Drops the connection; where that was an attempt, the next address is tried,
 * otherwise events->failed() is called.  Not from inside of an event.
 */
void ngx_wholesale_redis_fail(ngx_wholesale_redis_connection_t *rc,
    ngx_wholesale_redis_error_e error, ngx_err_t err, const char *text);

/* says whether somebody waits, for the exit of the worker */
void ngx_wholesale_redis_set_idle(ngx_wholesale_redis_connection_t *rc,
    ngx_uint_t idle);


/* ngx_wholesale_redis_stream.c */

/*
 * Copies a command of at most NGX_WHOLESALE_REDIS_COMMAND_MAX bytes to be
 * written by the next ngx_wholesale_redis_flush(); there is a connection.
 * Returns NGX_OK, or NGX_AGAIN if there is no room until some of what is
 * there has been written.
 */
ngx_int_t ngx_wholesale_redis_write(ngx_wholesale_redis_connection_t *rc,
    const u_char *command, size_t len);

/*
 * Writes what there is, as far as it can be written now.  Not from inside of
 * an event.  Returns NGX_OK, or NGX_ERROR if the connection was dropped by
 * ngx_wholesale_redis_fail().
 */
ngx_int_t ngx_wholesale_redis_flush(ngx_wholesale_redis_connection_t *rc);


/* between the files of the connection only */

/* reads and writes from now on */
void ngx_wholesale_redis_stream(ngx_wholesale_redis_connection_t *rc);

/* begins to greet; the connection is there, and private if it should be */
void ngx_wholesale_redis_greet(ngx_wholesale_redis_connection_t *rc);

/* takes a reply to the greeting; returns as events->reply() does */
ngx_wholesale_redis_error_e ngx_wholesale_redis_greeted(
    ngx_wholesale_redis_connection_t *rc, redisReply *reply);

#if (NGX_SSL)
/* makes the connection private, and goes on with the greeting */
void ngx_wholesale_redis_secure(ngx_wholesale_redis_connection_t *rc);
#endif

/* whether the connection is asked to go: then it is gone, or has failed */
ngx_uint_t ngx_wholesale_redis_closing(ngx_wholesale_redis_connection_t *rc);

/* sets rc->failure; the format is nginx's */
void ngx_cdecl ngx_wholesale_redis_set_failure(
    ngx_wholesale_redis_connection_t *rc, ngx_wholesale_redis_error_e error,
    ngx_err_t err, const char *fmt, ...);

/* ngx_wholesale_redis_fail(), with the failure that has been set */
void ngx_wholesale_redis_drop(ngx_wholesale_redis_connection_t *rc);


#endif /* _NGX_WHOLESALE_REDIS_CONNECTION_H_INCLUDED_ */
