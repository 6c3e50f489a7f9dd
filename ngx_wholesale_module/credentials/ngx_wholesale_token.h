
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_TOKEN_H_INCLUDED_
#define _NGX_WHOLESALE_TOKEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_credential.h>
#include <ngx_wholesale_grant.h>
#include <wholesale_token_answer.h>


/*
 * A token in memory that the workers share, and how its refreshes went; who may
 * refresh it is said by the grant.  It outlives reloads: a credential that is
 * configured in the same way finds it again.
 */


#define NGX_WHOLESALE_TOKEN_ERROR_MAX   128

/* tenants whose rejections by Webex are remembered, of each credential */
#define NGX_WHOLESALE_TOKEN_FUTILE_MAX  32

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
    /* it is not tried again until one of the files changes, or a reload */
    NGX_WHOLESALE_TOKEN_FINAL
} ngx_wholesale_token_failure_e;


/*
 * A tenant for whom Webex rejected even a token that was made because it
 * rejected the one before: a third one would hardly help.  None is made for
 * rejections of this generation, and until "end" for those of any.  It ends
 * with the first answer that is not a rejection.
 */

typedef struct {
    u_char                          tenant[NGX_WHOLESALE_DIGEST_LEN];
    ngx_atomic_uint_t               generation;     /* 0: it is free */
    ngx_uint_t                      times;          /* one after the other */
    ngx_msec_t                      end;            /* ngx_current_msec */
} ngx_wholesale_token_futile_t;


struct ngx_wholesale_token_sh_s {
    ngx_queue_t                     queue;
    u_char                          id[NGX_WHOLESALE_DIGEST_LEN];

    /* the last configuration that has it */
    uint64_t                        configuration;

    /*
     * Grows with each new token; 0: there is none yet.  Who has a copy of the
     * same generation needs no lock; everything below is under the zone's.
     */
    ngx_atomic_t                    generation;

    /* grows when a refresh ends, or one may be tried again */
    ngx_atomic_t                    changes;

    /* milliseconds since the epoch; 0: not known */
    int64_t                         expires;
    int64_t                         due;
    int64_t                         refresh_token_expires;

    /* refreshes, by what they led to */
    ngx_uint_t                      ended[NGX_WHOLESALE_TOKEN_FINAL + 1];

    /*
     * With a newer configuration than any that failed it is tried at once:
     * that may be what was mended.
     */
    ngx_wholesale_token_failure_e   failure;
    uint64_t                        failed_configuration;
    ngx_uint_t                      failures;       /* one after the other */
    ngx_msec_t                      retry;          /* ngx_current_msec */
    int64_t                         failed;
    u_char                          error[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    size_t                          error_len;

    /* the files as the last refresh found them */
    ngx_wholesale_secret_id_t       client_secret_id;
    ngx_wholesale_secret_id_t       refresh_token_id;

    /* how many of them are not free, for who looks without the lock */
    ngx_atomic_t                    nfutile;
    ngx_wholesale_token_futile_t    futile[NGX_WHOLESALE_TOKEN_FUTILE_MAX];

    size_t                          token_len;
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
    ngx_uint_t                      kept;           /* it was, in the zone */
    u_char                          digest[NGX_WHOLESALE_DIGEST_LEN];
                                    /* of the file's */
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
    ngx_msec_t                      wait;       /* until it may be tried */
    ngx_uint_t                      refreshing;
    /* the refresh token's file could not be written, and why */
    ngx_uint_t                      unsaved;
    u_char                          trouble[NGX_WHOLESALE_GRANT_TROUBLE_MAX];
    size_t                          trouble_len;

    /* refreshes, by what they led to; of a token in a file there are none */
    ngx_uint_t                      ended[NGX_WHOLESALE_TOKEN_FINAL + 1];

    u_char                          error[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    size_t                          error_len;
} ngx_wholesale_token_status_t;


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
 * Returns NGX_OK: the caller has it, and has to end it by
 * ngx_wholesale_token_publish() or ngx_wholesale_token_fail(); NGX_BUSY:
 * somebody else has, or just had it; NGX_AGAIN: not before "wait"
 * milliseconds; NGX_DECLINED: there is no use in it before a file changes, and
 * a token that is rejected then is not live any longer.
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
 * zone, where it outlives this worker, for ngx_wholesale_grant_save() to put
 * into the file.
 */
void ngx_wholesale_token_keep(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer);

/* and only then: gives the new access token to all */
void ngx_wholesale_token_publish(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer,
    ngx_log_t *log);

/* the refresh failed: says so in the log and in the state */
void ngx_wholesale_token_fail(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, ngx_wholesale_token_failed_t *failed,
    ngx_log_t *log);

/*
 * Webex rejected, for this tenant, a token that was made because it rejected
 * the one before.
 */
void ngx_wholesale_token_futile(ngx_wholesale_credential_t *credential,
    ngx_str_t *tenant, ngx_atomic_uint_t generation);

/* whether for that reason a rejection of this token makes no new one */
ngx_uint_t ngx_wholesale_token_is_futile(
    ngx_wholesale_credential_t *credential, ngx_str_t *tenant,
    ngx_atomic_uint_t generation);

/* Webex took a token of this tenant's: what it rejected before is forgotten */
void ngx_wholesale_token_taken(ngx_wholesale_credential_t *credential,
    ngx_str_t *tenant);

/*
 * Forgets a failure after which nothing is tried for long, if one of the files
 * is another one since.
 */
void ngx_wholesale_token_look(ngx_wholesale_credential_t *credential,
    ngx_log_t *log);

/* of any credential; "status" has no secret in it */
void ngx_wholesale_token_status(ngx_wholesale_credential_t *credential,
    ngx_wholesale_token_status_t *status);

/* milliseconds since the epoch */
int64_t ngx_wholesale_token_now(void);


#endif /* _NGX_WHOLESALE_TOKEN_H_INCLUDED_ */
