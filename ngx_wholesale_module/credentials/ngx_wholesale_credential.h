
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_CREDENTIAL_H_INCLUDED_
#define _NGX_WHOLESALE_CREDENTIAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * A credential gives the token that Webex asks for.  Each worker keeps its own
 * copy of it and looks at the file again every second, in a timer: no request
 * waits for a disk, and a token that somebody renews is taken up without a
 * reload.
 */


/* Webex's tokens are opaque or JWTs of up to about 2 kB */
#define NGX_WHOLESALE_TOKEN_MAX      8192
#define NGX_WHOLESALE_TOKEN_CHECK    1000


typedef struct {
    ngx_str_t         name;
    ngx_str_t         access_token_file;    /* full name, NUL-terminated */

    /* what follows is this worker's: written by its timer, and nobody else */

    ngx_str_t         token;                /* length 0: there is none */
    u_char           *buffer;               /* room for it and for the next */
    ngx_event_t       event;

    /* the file as it was last read; what was wrong with it, or NULL */
    ngx_file_uniq_t   uniq;
    struct timespec   mtime;                /* to the nanosecond */
    off_t             size;
    const char       *trouble;
} ngx_wholesale_credential_t;


/*
 * In a worker: reads the token and begins to watch the file.  A file that
 * cannot be used is logged, once per state, and never what it holds; it is
 * tried again with every look.
 *
 * Returns NGX_OK, or NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_wholesale_credential_watch(ngx_wholesale_credential_t *credential,
    ngx_cycle_t *cycle);

/*
 * Reads the file into "buffer" of NGX_WHOLESALE_TOKEN_MAX + 1 bytes and sets
 * "token" to the part of it that is the token, blanks and line ends around it
 * left out.
 *
 * Returns NULL, or what is wrong with the file as a static half-sentence, to
 * follow its name; "err" is then the system's error, or 0.
 */
const char *ngx_wholesale_credential_read(ngx_str_t *file, u_char *buffer,
    ngx_str_t *token, ngx_file_info_t *fi, ngx_err_t *err);


#endif /* _NGX_WHOLESALE_CREDENTIAL_H_INCLUDED_ */
