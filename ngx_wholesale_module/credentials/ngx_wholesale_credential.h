
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_CREDENTIAL_H_INCLUDED_
#define _NGX_WHOLESALE_CREDENTIAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_wholesale_secret.h>


/*
 * A credential gives the token that Webex asks for.  It comes
 *
 *   - from a file that somebody else renews: each worker keeps its own copy
 *     of it and looks at the file again every second, in a timer: no request
 *     waits for a disk, and a new token is taken up without a reload;
 *
 *   - or from Webex's token endpoint, for a refresh token: then the token is
 *     in memory that the workers share (ngx_wholesale_token.h), and a worker's
 *     copy is of what is there.
 */


#define NGX_WHOLESALE_TOKEN_MAX      WHOLESALE_TOKEN_MAX

/* milliseconds between two looks at files */
#define NGX_WHOLESALE_TOKEN_CHECK    1000


typedef struct ngx_wholesale_token_sh_s  ngx_wholesale_token_sh_t;
typedef struct ngx_wholesale_grant_sh_s  ngx_wholesale_grant_sh_t;


typedef struct {
    ngx_str_t                   name;

    /*
     * As configured; either the first one, or all others.  Names of files are
     * full and NUL-terminated.
     */
    ngx_str_t                   access_token_file;

    ngx_str_t                   token_endpoint;
    ngx_str_t                   client_id;
    ngx_str_t                   client_secret_file;
    ngx_str_t                   refresh_token_file;
    time_t                      refresh_before;     /* the token's end */
    ngx_msec_t                  refresh_wait;       /* of a request, for it */

    /* some enabled tenant needs it */
    ngx_uint_t                  used;

    /* NULL: the token comes from a file */
    ngx_wholesale_token_sh_t   *sh;
    ngx_wholesale_grant_sh_t   *grant;
    ngx_queue_t                *grants;             /* all of the zone */
    ngx_slab_pool_t            *shpool;

    /* the number of the configuration that it is of */
    uint64_t                    configuration;

    /* what follows is this worker's, and nobody else's */

    ngx_str_t                   token;              /* length 0: none */
    u_char                     *buffer;             /* room for it */
    ngx_event_t                 event;

    /* where it comes from a file: that file; what was wrong, or NULL */
    ngx_wholesale_secret_id_t   id;
    const char                 *trouble;

    /* else: which token it is, 0: none; milliseconds since the epoch */
    ngx_atomic_uint_t           generation;
    int64_t                     expires;
    int64_t                     due;

    /* of a new refresh token into its file; NULL: there is none going on */
    ngx_wholesale_secret_write_t  *write;

    /*
     * Requests that wait for a token, and who looks after them.  Whether a
     * refresh is to be begun is asked when sh->changes is another number than
     * at the last time, and at "look" at the latest.
     */
    ngx_queue_t                 waiters;
    ngx_event_t                 poll;
    ngx_atomic_uint_t           changes;
    ngx_msec_t                  look;           /* ngx_current_msec */
} ngx_wholesale_credential_t;


/*
 * In a worker: reads the token, where it comes from a file, and begins to
 * watch the files.  A file that cannot be used is logged, once per state, and
 * never what it holds; it is tried again with every look.
 *
 * Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_wholesale_credential_watch(ngx_wholesale_credential_t *credential,
    ngx_cycle_t *cycle);


#endif /* _NGX_WHOLESALE_CREDENTIAL_H_INCLUDED_ */
