
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_TOKEN_H_INCLUDED_
#define _NGX_WHOLESALE_TOKEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_credential.h>
#include <wholesale_token_answer.h>


/*
 * A token in memory that the workers share, who may refresh it, and how that
 * went.  It outlives reloads: a credential that is configured in the same way
 * finds it again.
 */


#define NGX_WHOLESALE_TOKEN_ID_LEN      16
#define NGX_WHOLESALE_TOKEN_ERROR_MAX   128

/*
 * Milliseconds.  Who has the lease gives up before it ends, so that two never
 * refresh at once; the next one waits for the end only where the holder hangs:
 * of one that died it is known at once.
 */
#define NGX_WHOLESALE_TOKEN_REFRESH_MAX  45000
#define NGX_WHOLESALE_TOKEN_LEASE        60000


typedef enum {
    /* the last refresh succeeded, or there was none */
    NGX_WHOLESALE_TOKEN_FINE = 0,
    /* it failed, and is tried again after a while */
    NGX_WHOLESALE_TOKEN_PASSING,
    /* it is not tried again until one of the files changes */
    NGX_WHOLESALE_TOKEN_FINAL
} ngx_wholesale_token_failure_e;


struct ngx_wholesale_token_sh_s {
    ngx_queue_t                     queue;
    u_char                          id[NGX_WHOLESALE_TOKEN_ID_LEN];

    /*
     * Grows with each new token; 0: there is none yet.  Who has a copy of the
     * same generation needs no lock; everything below is under the zone's.
     */
    ngx_atomic_t                    generation;

    /* milliseconds since the epoch; 0: not known */
    int64_t                         expires;
    int64_t                         due;
    int64_t                         refresh_token_expires;

    ngx_wholesale_token_failure_e   failure;
    ngx_uint_t                      failures;       /* one after the other */
    ngx_msec_t                      retry;          /* ngx_current_msec */
    int64_t                         failed;
    u_char                          error[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    size_t                          error_len;

    /* the files as the last refresh found them */
    ngx_wholesale_secret_id_t       client_secret_id;
    ngx_wholesale_secret_id_t       refresh_token_id;

    /* one refresh at a time; holder 0: none is going on */
    ngx_pid_t                       holder;
    ngx_uint_t                      lease;          /* grows */
    ngx_msec_t                      lease_end;      /* ngx_current_msec */

    /*
     * Webex rejected even a token that was refreshed for that reason: until
     * then no other one is.  0: it did not.
     */
    ngx_msec_t                      futile;         /* ngx_current_msec */

    /* the refresh token could not be written into its file */
    ngx_uint_t                      unsaved;

    /* length 0: the refresh token's file has what is to be used */
    size_t                          refresh_token_len;
    size_t                          token_len;
    u_char                          refresh_token[WHOLESALE_REFRESH_TOKEN_MAX];
    u_char                          token[NGX_WHOLESALE_TOKEN_MAX];
};


/* the right to refresh, from ngx_wholesale_token_lease() on */

typedef struct {
    ngx_uint_t                      number;
    ngx_atomic_uint_t               generation;     /* to be replaced */
    int64_t                         started;
    ngx_uint_t                      rejected;       /* by Webex */

    /* set by ngx_wholesale_token_secrets() */
    ngx_str_t                       client_secret;
    ngx_str_t                       refresh_token;
    ngx_wholesale_secret_id_t       client_secret_id;
    ngx_wholesale_secret_id_t       refresh_token_id;
} ngx_wholesale_lease_t;


/* how a refresh failed */

typedef struct {
    ngx_wholesale_token_failure_e   failure;
    ngx_str_t                       error;

    /* a matter of a file: it is looked at again every second */
    ngx_uint_t                      file;
    ngx_err_t                       err;

    /* how many milliseconds the endpoint wants to be left alone; 0: any */
    ngx_msec_t                      wait;
} ngx_wholesale_token_failed_t;


/* what can be told of a token */

typedef struct {
    /* milliseconds since the epoch; 0: there is none, or not known */
    int64_t                         expires;
    int64_t                         refresh_token_expires;
    int64_t                         failed;
    ngx_wholesale_token_failure_e   failure;
    ngx_uint_t                      refreshing;
    ngx_uint_t                      unsaved;
    u_char                          error[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    size_t                          error_len;
} ngx_wholesale_token_status_t;


/*
 * At configuration time: finds the state of the credential in the queue of
 * ngx_wholesale_token_sh_t, or adds one, and sets credential->sh.
 *
 * Returns NGX_OK, or NGX_ERROR if there is no room in the zone.
 */
ngx_int_t ngx_wholesale_token_attach(ngx_wholesale_credential_t *credential,
    ngx_slab_pool_t *shpool, ngx_queue_t *states);

/*
 * Whether credential->token, which is brought up to date first, is alive and
 * of another generation than "rejected" (0: any will do).
 */
ngx_uint_t ngx_wholesale_token_live(ngx_wholesale_credential_t *credential,
    ngx_atomic_uint_t rejected);

/* whether it is time for a new one */
ngx_uint_t ngx_wholesale_token_due(ngx_wholesale_credential_t *credential);

/*
 * Asks for the right to refresh the token; "rejected" as above.
 *
 * Returns NGX_OK: the caller has it, and has to end it by one of the two
 * functions below; NGX_BUSY: somebody else has, or just had it; NGX_AGAIN: not
 * before "wait" milliseconds; NGX_DECLINED: there is no use in it.
 */
ngx_int_t ngx_wholesale_token_lease(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, ngx_atomic_uint_t rejected,
    ngx_msec_t *wait);

/*
 * Reads what the endpoint has to be told, the refresh token from its file or
 * from the zone, into two buffers of NGX_WHOLESALE_SECRET_BUFFER bytes each.
 *
 * Returns NULL, or what is wrong with which file, by its directive's name.
 */
const char *ngx_wholesale_token_secrets(
    ngx_wholesale_credential_t *credential, ngx_wholesale_lease_t *lease,
    u_char *buffers, const char **file, ngx_err_t *err);

/*
 * The endpoint has answered, perhaps with a new refresh token: keeps it in the
 * zone, where it outlives this worker.
 *
 * Returns whether it has to be written into the file, after which
 * ngx_wholesale_token_written() is to be called, with what was wrong or NULL.
 */
ngx_uint_t ngx_wholesale_token_keep(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer);

void ngx_wholesale_token_written(ngx_wholesale_credential_t *credential,
    const char *trouble, ngx_err_t err, ngx_log_t *log);

/* and only then: gives the new access token to all */
void ngx_wholesale_token_publish(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer,
    ngx_log_t *log);

/* the refresh failed: says so in the log and in the state */
void ngx_wholesale_token_fail(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, ngx_wholesale_token_failed_t *failed,
    ngx_log_t *log);

/* Webex rejected a token that was made because it rejected the one before */
void ngx_wholesale_token_futile(ngx_wholesale_credential_t *credential);

/* forgets a final failure if one of the files is another one since */
void ngx_wholesale_token_look(ngx_wholesale_credential_t *credential,
    ngx_log_t *log);

/* of any credential; "status" has no secret in it */
void ngx_wholesale_token_status(ngx_wholesale_credential_t *credential,
    ngx_wholesale_token_status_t *status);

/* milliseconds since the epoch */
int64_t ngx_wholesale_token_now(void);


#endif /* _NGX_WHOLESALE_TOKEN_H_INCLUDED_ */
