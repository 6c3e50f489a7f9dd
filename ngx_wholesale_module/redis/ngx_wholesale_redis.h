
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <hiredis/hiredis.h>


/*
 * A worker's connection to Redis or Valkey, speaking RESP2: one connection,
 * over which all commands of one turn of the event loop leave in one write.
 * Commands and replies go by hiredis, bytes, names, timers and TLS by nginx.
 *
 * Nobody waits longer than the configured time-out, and nobody waits at all
 * for a Redis that is known not to answer: then ngx_wholesale_redis_send()
 * declines, and the connection is tried again in the background.
 */


/* commands that wait for a reply; one more is declined */
#define NGX_WHOLESALE_REDIS_WAITING_MAX    4096

/* bytes of one command; a longer one is an error */
#define NGX_WHOLESALE_REDIS_COMMAND_MAX    32768

/* bytes of one reply, elements of an array, arrays in arrays */
#define NGX_WHOLESALE_REDIS_REPLY_MAX      65536
#define NGX_WHOLESALE_REDIS_ELEMENTS_MAX   64
#define NGX_WHOLESALE_REDIS_DEPTH_MAX      2


/* why there is no reply, or what kind of an error reply there is */

typedef enum {
    NGX_WHOLESALE_REDIS_OK = 0,

    /* nothing came in time */
    NGX_WHOLESALE_REDIS_TIMEOUT,
    /* the name, the address or TLS failed; nothing has been sent */
    NGX_WHOLESALE_REDIS_CONNECT,
    /* the peer closed or reset the connection */
    NGX_WHOLESALE_REDIS_CLOSED,
    /* what came is not RESP2, too much, not asked for, or of a wrong type */
    NGX_WHOLESALE_REDIS_PROTOCOL,
    /* NOAUTH, WRONGPASS, NOPERM */
    NGX_WHOLESALE_REDIS_AUTH,
    /* LOADING, READONLY, OOM and others that this Redis says to anyone */
    NGX_WHOLESALE_REDIS_STATE,
    /* any other error reply, about this command alone */
    NGX_WHOLESALE_REDIS_COMMAND,

    NGX_WHOLESALE_REDIS_ERRORS
} ngx_wholesale_redis_error_e;


typedef enum {
    NGX_WHOLESALE_REDIS_BREAKER_CLOSED = 0,
    NGX_WHOLESALE_REDIS_BREAKER_OPEN,
    NGX_WHOLESALE_REDIS_BREAKER_HALF_OPEN
} ngx_wholesale_redis_breaker_e;


typedef struct ngx_wholesale_redis_s        ngx_wholesale_redis_t;
typedef struct ngx_wholesale_redis_query_s  ngx_wholesale_redis_query_t;


/* everything in it outlives the handles made of it; nothing is copied */

typedef struct {
    /* as configured, for log lines */
    ngx_str_t                          server;

    /*
     * Every address is tried.  naddrs == 0: "host" is resolved each time
     * that a connection is made.
     */
    ngx_addr_t                        *addrs;
    ngx_uint_t                         naddrs;
    ngx_resolver_t                    *resolver;
    ngx_str_t                          host;
    in_port_t                          port;

    /*
     * The file is read each time that a connection is made, and where the
     * worker may not read it, "password" is used, which the master read.
     * An empty file name: no AUTH.  An empty user name: the default user.
     */
    ngx_str_t                          username;
    ngx_str_t                          password_file;   /* NUL-terminated */
    ngx_str_t                          password;

    ngx_uint_t                         database;
    ngx_str_t                          key_prefix;

    /*
     * From the command to its reply, connecting included, but not what the
     * worker takes for other events before it can write the command.
     */
    ngx_msec_t                         timeout;

    /*
     * Called when the breaker becomes half-open, to send one command by whose
     * answer it closes, without waiting for anybody else's; or NULL.
     */
    void                             (*probe)(ngx_wholesale_redis_t *redis);

#if (NGX_SSL)
    /* NULL: no TLS.  Verification is a matter of the context. */
    ngx_ssl_t                         *ssl;

    /* sent as SNI and looked for in the certificate; may be empty */
    ngx_str_t                          ssl_name;        /* NUL-terminated */
#endif
} ngx_wholesale_redis_conf_t;


/* may lie in memory that workers share; only ever grow */

typedef struct {
    ngx_atomic_t                       connects;    /* that became usable */
    ngx_atomic_t                       reconnects;  /* those after the first */
    ngx_atomic_t                       opened;      /* times of the breaker */
    ngx_atomic_t                       commands;    /* accepted */
    ngx_atomic_t                       declined;    /* not even accepted */

    /*
     * Commands by what came of them; OK: a reply that is no error.  NOSCRIPT,
     * on which the same is asked once more, is none of these.  Connections
     * that fail or are lost while there is no command are among them.
     */
    ngx_atomic_t                       replies[NGX_WHOLESALE_REDIS_ERRORS];
} ngx_wholesale_redis_counters_t;


/*
 * Is called exactly once for each accepted command that is not cancelled, at
 * the time-out at the latest, and never from inside of a function below.  It
 * may send and cancel other commands; to go on with a request it should post
 * an event.  From this call on the query does not exist any more.
 *
 * "reply" is the connection's and is gone after the call; it is NULL unless
 * "error" is OK or COMMAND, where its type is REDIS_REPLY_ERROR.
 *
 * Returns NGX_OK, or NGX_ERROR if the reply is not of the type that answers
 * this command: the connection is then dropped, for it may have got out of
 * step.
 */
typedef ngx_int_t (*ngx_wholesale_redis_handler_pt)(void *data,
    ngx_wholesale_redis_error_e error, redisReply *reply);


/* is copied */

typedef struct {
    int                                argc;
    const char                       **argv;
    const size_t                      *argvlen;

    /* in terms of ngx_current_msec; 0: the configured time-out from now */
    ngx_msec_t                         deadline;

    ngx_wholesale_redis_handler_pt     handler;
    void                              *data;
} ngx_wholesale_redis_command_t;


/*
 * To be called in a worker, once for a configuration; starts to connect.
 * The counters outlive the handle.  The handle goes with the cycle's pool;
 * commands that wait then are dropped without their handlers being called.
 *
 * Returns NULL if there is no memory.
 */
ngx_wholesale_redis_t *ngx_wholesale_redis_create(ngx_cycle_t *cycle,
    const ngx_wholesale_redis_conf_t *conf,
    ngx_wholesale_redis_counters_t *counters);

/*
 * Accepts a command and sets "query", by which it may be cancelled.
 *
 * Returns NGX_OK; NGX_DECLINED: Redis is not usable now or too many commands
 * wait, do without it at once; NGX_ERROR: no memory, or the command is too
 * long.  The handler is called only after NGX_OK.
 */
ngx_int_t ngx_wholesale_redis_send(ngx_wholesale_redis_t *redis,
    const ngx_wholesale_redis_command_t *command,
    ngx_wholesale_redis_query_t **query);

/*
 * Nobody wants the reply any more: the handler will not be called.  A command
 * that has left is executed all the same.
 */
void ngx_wholesale_redis_cancel(ngx_wholesale_redis_query_t *query);

/* closed and half-open: Redis answers, as far as this worker knows */
ngx_wholesale_redis_breaker_e ngx_wholesale_redis_breaker(
    const ngx_wholesale_redis_t *redis);

/* why the breaker opened last; OK: it never did */
ngx_wholesale_redis_error_e ngx_wholesale_redis_last_error(
    const ngx_wholesale_redis_t *redis);

/* whether there is a connection that has answered its greeting */
ngx_uint_t ngx_wholesale_redis_connected(const ngx_wholesale_redis_t *redis);

const ngx_wholesale_redis_conf_t *ngx_wholesale_redis_conf(
    const ngx_wholesale_redis_t *redis);

/* one word in lower case, for metrics and variables; static */
ngx_str_t *ngx_wholesale_redis_error_name(ngx_wholesale_redis_error_e error);


#endif /* _NGX_WHOLESALE_REDIS_H_INCLUDED_ */
