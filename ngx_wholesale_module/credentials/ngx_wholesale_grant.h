
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_GRANT_H_INCLUDED_
#define _NGX_WHOLESALE_GRANT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_credential.h>
#include <wholesale_token_answer.h>


/*
 * What a credential was granted: a refresh token, which is in its file, and,
 * from the endpoint's answer until it is in that file, in memory that the
 * workers share.  It is known by its file alone: whoever configures another
 * endpoint or client finds it again.  It outlives reloads.
 */


#define NGX_WHOLESALE_GRANT_TROUBLE_MAX  64


struct ngx_wholesale_grant_sh_s {
    ngx_queue_t                     queue;
    u_char                          id[NGX_WHOLESALE_DIGEST_LEN];

    /* the last configuration that has it */
    uint64_t                        configuration;

    /*
     * One refresh at a time, of whatever configuration: an endpoint may kill
     * the refresh token that is used.  holder 0: none is going on.
     */
    ngx_pid_t                       holder;
    ngx_uint_t                      lease;          /* grows */
    ngx_msec_t                      lease_end;      /* ngx_current_msec */

    /*
     * writer 0: nobody is at the file.  Then, from "retry" on, anyone may
     * write what is kept.
     */
    ngx_pid_t                       writer;
    ngx_msec_t                      retry;          /* ngx_current_msec */

    /*
     * Digests of refresh tokens older than the one that is kept: of the one
     * that the file had, and of the one that was last to be written.  A file
     * with any other one in it is somebody's who knows better.
     */
    u_char                          had[NGX_WHOLESALE_DIGEST_LEN];
    u_char                          written[NGX_WHOLESALE_DIGEST_LEN];

    /* it could not be written, and why, to follow the file's name */
    ngx_uint_t                      unsaved;
    u_char                          trouble[NGX_WHOLESALE_GRANT_TROUBLE_MAX];
    size_t                          trouble_len;

    /* what is kept; length 0: the file has what is to be used */
    ngx_uint_t                      version;        /* grows */
    size_t                          len;
    u_char                          token[WHOLESALE_REFRESH_TOKEN_MAX];
};


/*
 * After the file was read, in vain if "digest", of its refresh token, is NULL:
 * replaces "token", in "buffer", by the one that is kept, if the file's is
 * older than that, or forgets the kept one, if the file's is not.
 *
 * Returns whether the kept one is to be used.
 */
ngx_uint_t ngx_wholesale_grant_use(ngx_wholesale_credential_t *credential,
    u_char *digest, u_char *buffer, ngx_str_t *token);

/*
 * Keeps what a worker that died was about to put into the file, whose digest
 * is given, if nothing else is kept and nobody writes it.
 */
void ngx_wholesale_grant_recover(ngx_wholesale_credential_t *credential,
    u_char *digest);

/*
 * Takes what is kept for another file, which no configuration as new as this
 * one has, if the digest is that of a refresh token older than it: somebody has
 * copied the file to where it can be written.
 */
void ngx_wholesale_grant_adopt(ngx_wholesale_credential_t *credential,
    u_char *digest);

/*
 * Keeps a new refresh token; "digest" is of the file's at the time of the
 * question, or NULL if the one that was kept then was used.
 */
void ngx_wholesale_grant_keep(ngx_wholesale_credential_t *credential,
    const char *token, size_t len, u_char *digest);

/*
 * Puts what is kept into the file, if that is to be done and nobody does it;
 * to be called again for what has become of it.  If the file has a refresh
 * token by then that is none of ours, it stays, and ours is forgotten.
 *
 * Returns NGX_OK: nothing is left to be done; NGX_AGAIN: it is being done, or
 * not yet time for the next try; NGX_ERROR: it could not be done, which is in
 * the log and in grant->unsaved.
 */
ngx_int_t ngx_wholesale_grant_save(ngx_wholesale_credential_t *credential,
    ngx_log_t *log);

/* nobody waits any longer for it to be done: says so in the log */
void ngx_wholesale_grant_late(ngx_wholesale_credential_t *credential,
    ngx_log_t *log);


#endif /* _NGX_WHOLESALE_GRANT_H_INCLUDED_ */
