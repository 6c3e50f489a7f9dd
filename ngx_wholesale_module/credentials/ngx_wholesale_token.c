
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include <ngx_wholesale_token.h>


/* milliseconds: how long to leave an endpoint alone that failed */
#define NGX_WHOLESALE_TOKEN_RETRY_MIN  1000
#define NGX_WHOLESALE_TOKEN_RETRY_MAX  60000

/* how long a rejection of a new token keeps others from being refreshed */
#define NGX_WHOLESALE_TOKEN_FUTILE     30000


static void ngx_wholesale_token_digest(ngx_wholesale_credential_t *credential,
    u_char *id);
static ngx_int_t ngx_wholesale_token_may_lease(ngx_wholesale_token_sh_t *sh,
    ngx_atomic_uint_t rejected, ngx_msec_t *wait);
static ngx_uint_t ngx_wholesale_token_release(ngx_wholesale_token_sh_t *sh,
    ngx_wholesale_lease_t *lease);
static ngx_msec_t ngx_wholesale_token_backoff(ngx_uint_t failures);


ngx_int_t
ngx_wholesale_token_attach(ngx_wholesale_credential_t *credential,
    ngx_slab_pool_t *shpool, ngx_queue_t *states)
{
    u_char                     id[NGX_WHOLESALE_TOKEN_ID_LEN];
    ngx_queue_t               *q;
    ngx_wholesale_token_sh_t  *sh;

    ngx_wholesale_token_digest(credential, id);

    credential->shpool = shpool;

    for (q = ngx_queue_head(states);
         q != ngx_queue_sentinel(states);
         q = ngx_queue_next(q))
    {
        sh = ngx_queue_data(q, ngx_wholesale_token_sh_t, queue);

        if (ngx_memcmp(sh->id, id, NGX_WHOLESALE_TOKEN_ID_LEN) == 0) {
            credential->sh = sh;
            return NGX_OK;
        }
    }

    sh = ngx_slab_calloc(shpool, sizeof(ngx_wholesale_token_sh_t));
    if (sh == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(sh->id, id, NGX_WHOLESALE_TOKEN_ID_LEN);
    ngx_queue_insert_tail(states, &sh->queue);

    credential->sh = sh;

    return NGX_OK;
}


/*
 * Who changes the client or a file means another token: it gets a state of
 * its own, and workers of the configuration before keep theirs.
 */

static void
ngx_wholesale_token_digest(ngx_wholesale_credential_t *credential, u_char *id)
{
    ngx_md5_t    md5;
    ngx_str_t   *part[5];
    ngx_uint_t   i;

    part[0] = &credential->name;
    part[1] = &credential->token_endpoint;
    part[2] = &credential->client_id;
    part[3] = &credential->client_secret_file;
    part[4] = &credential->refresh_token_file;

    ngx_md5_init(&md5);

    for (i = 0; i < 5; i++) {
        ngx_md5_update(&md5, &part[i]->len, sizeof(size_t));
        ngx_md5_update(&md5, part[i]->data, part[i]->len);
    }

    ngx_md5_final(id, &md5);
}


ngx_uint_t
ngx_wholesale_token_live(ngx_wholesale_credential_t *credential,
    ngx_atomic_uint_t rejected)
{
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    if (sh == NULL) {
        return credential->token.len != 0;
    }

    if (sh->generation != credential->generation) {

        ngx_shmtx_lock(&credential->shpool->mutex);

        ngx_memcpy(credential->buffer, sh->token, sh->token_len);

        credential->token.data = credential->buffer;
        credential->token.len = sh->token_len;
        credential->generation = sh->generation;
        credential->expires = sh->expires;
        credential->due = sh->due;

        ngx_shmtx_unlock(&credential->shpool->mutex);
    }

    return credential->generation != 0
           && credential->generation != rejected
           && ngx_wholesale_token_now() < credential->expires;
}


ngx_uint_t
ngx_wholesale_token_due(ngx_wholesale_credential_t *credential)
{
    return credential->sh && ngx_wholesale_token_now() >= credential->due;
}


ngx_int_t
ngx_wholesale_token_lease(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, ngx_atomic_uint_t rejected, ngx_msec_t *wait)
{
    ngx_int_t                  rc;
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    ngx_memzero(lease, sizeof(ngx_wholesale_lease_t));

    ngx_shmtx_lock(&credential->shpool->mutex);

    rc = (sh->generation != credential->generation)
         ? NGX_BUSY : ngx_wholesale_token_may_lease(sh, rejected, wait);

    if (rc == NGX_OK) {
        sh->holder = ngx_pid;
        sh->lease++;
        sh->lease_end = ngx_current_msec + NGX_WHOLESALE_TOKEN_LEASE;

        lease->number = sh->lease;
        lease->generation = sh->generation;
        lease->started = ngx_wholesale_token_now();
        lease->rejected = (rejected != 0);
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    return rc;
}


static ngx_int_t
ngx_wholesale_token_may_lease(ngx_wholesale_token_sh_t *sh,
    ngx_atomic_uint_t rejected, ngx_msec_t *wait)
{
    if (sh->holder
        && (ngx_msec_int_t) (sh->lease_end - ngx_current_msec) > 0
        && (kill(sh->holder, 0) == 0 || ngx_errno != ESRCH))
    {
        return NGX_BUSY;
    }

    if (sh->failure == NGX_WHOLESALE_TOKEN_FINAL) {
        return NGX_DECLINED;
    }

    if (rejected && sh->futile
        && (ngx_msec_int_t) (sh->futile - ngx_current_msec) > 0)
    {
        return NGX_DECLINED;
    }

    if (sh->failure == NGX_WHOLESALE_TOKEN_PASSING
        && (ngx_msec_int_t) (sh->retry - ngx_current_msec) > 0)
    {
        *wait = sh->retry - ngx_current_msec;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


const char *
ngx_wholesale_token_secrets(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, u_char *buffers, const char **file,
    ngx_err_t *err)
{
    u_char                    *buffer;
    const char                *trouble;
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    *file = "client_secret_file";

    trouble = ngx_wholesale_secret_read(&credential->client_secret_file,
                                        buffers, &lease->client_secret,
                                        &lease->client_secret_id, err);
    if (trouble) {
        return trouble;
    }

    *file = "refresh_token_file";

    buffer = buffers + NGX_WHOLESALE_SECRET_BUFFER;

    trouble = ngx_wholesale_secret_read(&credential->refresh_token_file,
                                        buffer, &lease->refresh_token,
                                        &lease->refresh_token_id, err);

    ngx_shmtx_lock(&credential->shpool->mutex);

    if (sh->refresh_token_len
        && ngx_wholesale_secret_same(&sh->refresh_token_id,
                                     &lease->refresh_token_id))
    {
        /* the file is still the one that the zone's is newer than */

        ngx_memcpy(buffer, sh->refresh_token, sh->refresh_token_len);

        lease->refresh_token.data = buffer;
        lease->refresh_token.len = sh->refresh_token_len;
        trouble = NULL;

    } else if (trouble == NULL) {

        /* somebody has put a new one there */

        ngx_explicit_memzero(sh->refresh_token, sh->refresh_token_len);
        sh->refresh_token_len = 0;
        sh->unsaved = 0;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (trouble == NULL
        && lease->refresh_token.len > WHOLESALE_REFRESH_TOKEN_MAX)
    {
        *err = 0;
        trouble = "is too large for a refresh token";
    }

    return trouble;
}


ngx_uint_t
ngx_wholesale_token_keep(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer)
{
    ngx_uint_t                 same;
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    if (answer->refresh_token == NULL) {
        return 0;
    }

    same = (answer->refresh_token_len == lease->refresh_token.len
            && ngx_memcmp(answer->refresh_token, lease->refresh_token.data,
                          lease->refresh_token.len)
               == 0);

    ngx_shmtx_lock(&credential->shpool->mutex);

    /* one that is known is written only if it could not be, so far */

    if (same && !sh->unsaved) {
        ngx_shmtx_unlock(&credential->shpool->mutex);
        return 0;
    }

    ngx_explicit_memzero(sh->refresh_token, sh->refresh_token_len);
    ngx_memcpy(sh->refresh_token, answer->refresh_token,
               answer->refresh_token_len);

    sh->refresh_token_len = answer->refresh_token_len;
    sh->refresh_token_id = lease->refresh_token_id;

    ngx_shmtx_unlock(&credential->shpool->mutex);

    return 1;
}


void
ngx_wholesale_token_written(ngx_wholesale_credential_t *credential,
    const char *trouble, ngx_err_t err, ngx_log_t *log)
{
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    if (trouble) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "wholesale credential \"%V\": file \"%V\" %s: the new "
                      "refresh token is in memory only, and is lost when the "
                      "gateway stops", &credential->name,
                      &credential->refresh_token_file, trouble);
    }

    ngx_shmtx_lock(&credential->shpool->mutex);

    sh->unsaved = (trouble != NULL);

    if (trouble == NULL) {
        ngx_explicit_memzero(sh->refresh_token, sh->refresh_token_len);
        sh->refresh_token_len = 0;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


void
ngx_wholesale_token_publish(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer,
    ngx_log_t *log)
{
    int64_t                    lifetime, margin;
    ngx_uint_t                 recovered;
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    lifetime = answer->expires_in * 1000;

    margin = ngx_min((int64_t) credential->refresh_before * 1000,
                     lifetime / 10);

    /* earlier by up to a half, so that a fleet does not come all at once */

    margin += ngx_random() % (margin / 2 + 1);

    ngx_shmtx_lock(&credential->shpool->mutex);

    /* counted from the question, which came before the token */

    sh->expires = lease->started + lifetime;
    sh->due = sh->expires - margin;

    if (answer->refresh_token_expires_in) {
        sh->refresh_token_expires = lease->started
                                + answer->refresh_token_expires_in * 1000;
    }

    ngx_explicit_memzero(sh->token, sh->token_len);
    ngx_memcpy(sh->token, answer->access_token, answer->access_token_len);

    sh->token_len = answer->access_token_len;

    recovered = (sh->failure != NGX_WHOLESALE_TOKEN_FINE);

    sh->failure = NGX_WHOLESALE_TOKEN_FINE;
    sh->failures = 0;
    sh->error_len = 0;

    sh->generation++;

    (void) ngx_wholesale_token_release(sh, lease);

    ngx_shmtx_unlock(&credential->shpool->mutex);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "wholesale credential \"%V\": refreshed%s, the token lives "
                  "for %L seconds", &credential->name,
                  recovered ? " at last" : "", answer->expires_in);
}


/* whether it was still ours; under the lock */

static ngx_uint_t
ngx_wholesale_token_release(ngx_wholesale_token_sh_t *sh,
    ngx_wholesale_lease_t *lease)
{
    if (sh->holder != ngx_pid || sh->lease != lease->number) {
        return 0;
    }

    sh->holder = 0;

    return 1;
}


void
ngx_wholesale_token_fail(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, ngx_wholesale_token_failed_t *failed,
    ngx_log_t *log)
{
    size_t                     len;
    ngx_uint_t                 same;
    ngx_msec_t                 wait, backoff;
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    len = ngx_min(failed->error.len, NGX_WHOLESALE_TOKEN_ERROR_MAX);

    ngx_shmtx_lock(&credential->shpool->mutex);

    if (!ngx_wholesale_token_release(sh, lease)) {

        /* somebody else tries, or has tried, since */

        ngx_shmtx_unlock(&credential->shpool->mutex);
        return;
    }

    same = (sh->error_len == len
            && ngx_memcmp(sh->error, failed->error.data, len) == 0);

    ngx_memcpy(sh->error, failed->error.data, len);

    sh->error_len = len;
    sh->failed = ngx_wholesale_token_now();
    sh->failure = failed->failure;
    sh->client_secret_id = lease->client_secret_id;
    sh->refresh_token_id = lease->refresh_token_id;

    if (failed->failure == NGX_WHOLESALE_TOKEN_FINAL && lease->rejected
        && sh->generation == lease->generation)
    {
        /* Webex does not take it any more, and there will be no other one */
        sh->expires = sh->failed;
        sh->generation++;
    }

    wait = NGX_WHOLESALE_TOKEN_RETRY_MIN;

    if (!failed->file) {
        backoff = ngx_wholesale_token_backoff(sh->failures++);
        wait = ngx_max(failed->wait, backoff);
    }

    sh->retry = ngx_current_msec + wait;

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (failed->failure == NGX_WHOLESALE_TOKEN_FINAL) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "wholesale credential \"%V\": %V; a person has to "
                      "authorise anew: no refresh is tried until file \"%V\" "
                      "or \"%V\" changes",
                      &credential->name, &failed->error,
                      &credential->refresh_token_file,
                      &credential->client_secret_file);

    } else if (!failed->file || !same) {
        ngx_log_error(NGX_LOG_ERR, log, failed->err,
                      "wholesale credential \"%V\": %V; the next refresh is "
                      "in %M ms at the earliest",
                      &credential->name, &failed->error, wait);
    }
}


/* doubles each time, and at least half of it is a matter of chance */

static ngx_msec_t
ngx_wholesale_token_backoff(ngx_uint_t failures)
{
    ngx_msec_t  wait;

    wait = (ngx_msec_t) NGX_WHOLESALE_TOKEN_RETRY_MIN << ngx_min(failures, 6);
    wait = ngx_min(wait, NGX_WHOLESALE_TOKEN_RETRY_MAX);

    return wait / 2 + ngx_random() % (wait / 2 + 1);
}


void
ngx_wholesale_token_futile(ngx_wholesale_credential_t *credential)
{
    ngx_shmtx_lock(&credential->shpool->mutex);

    credential->sh->futile = ngx_current_msec + NGX_WHOLESALE_TOKEN_FUTILE;

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


void
ngx_wholesale_token_look(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    ngx_uint_t                  final;
    ngx_wholesale_token_sh_t   *sh;
    ngx_wholesale_secret_id_t   client_secret_id, refresh_token_id;

    sh = credential->sh;

    if (sh->failure != NGX_WHOLESALE_TOKEN_FINAL) {
        return;
    }

    ngx_shmtx_lock(&credential->shpool->mutex);

    client_secret_id = sh->client_secret_id;
    refresh_token_id = sh->refresh_token_id;

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (!ngx_wholesale_secret_changed(&credential->client_secret_file,
                                      &client_secret_id)
        && !ngx_wholesale_secret_changed(&credential->refresh_token_file,
                                         &refresh_token_id))
    {
        return;
    }

    ngx_shmtx_lock(&credential->shpool->mutex);

    final = (sh->failure == NGX_WHOLESALE_TOKEN_FINAL);

    if (final) {
        sh->failure = NGX_WHOLESALE_TOKEN_FINE;
        sh->failures = 0;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (final) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "wholesale credential \"%V\": one of its files has "
                      "changed, the refresh is tried again",
                      &credential->name);
    }
}


void
ngx_wholesale_token_status(ngx_wholesale_credential_t *credential,
    ngx_wholesale_token_status_t *status)
{
    ngx_wholesale_token_sh_t  *sh;

    ngx_memzero(status, sizeof(ngx_wholesale_token_status_t));

    sh = credential->sh;

    if (sh == NULL) {

        if (credential->trouble) {
            status->failure = NGX_WHOLESALE_TOKEN_PASSING;
            status->error_len = ngx_snprintf(status->error,
                                             NGX_WHOLESALE_TOKEN_ERROR_MAX,
                                             "access_token_file %s",
                                             credential->trouble)
                                - status->error;
        }

        return;
    }

    ngx_shmtx_lock(&credential->shpool->mutex);

    status->expires = sh->expires;
    status->refresh_token_expires = sh->refresh_token_expires;
    status->failed = sh->failed;
    status->failure = sh->failure;
    status->refreshing = sh->holder
                    && (ngx_msec_int_t) (sh->lease_end - ngx_current_msec) > 0;
    status->unsaved = sh->unsaved;
    status->error_len = sh->error_len;

    ngx_memcpy(status->error, sh->error, sh->error_len);

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


int64_t
ngx_wholesale_token_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}
