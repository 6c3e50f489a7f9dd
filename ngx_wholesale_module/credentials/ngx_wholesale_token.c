
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_token.h>


/* milliseconds: how long to leave an endpoint alone that failed */
#define NGX_WHOLESALE_TOKEN_RETRY_MIN  1000
#define NGX_WHOLESALE_TOKEN_RETRY_MAX  60000

/* the same, where it asks for that and there is no live token */
#define NGX_WHOLESALE_TOKEN_RETRY_ASKED  300000


static ngx_int_t ngx_wholesale_token_may_lease(
    ngx_wholesale_credential_t *credential, ngx_msec_t *wait);
static ngx_uint_t ngx_wholesale_token_is_failed(
    ngx_wholesale_credential_t *credential);
static void ngx_wholesale_token_expire(ngx_wholesale_token_sh_t *sh);
static ngx_uint_t ngx_wholesale_token_is_new(ngx_wholesale_lease_t *lease,
    wholesale_token_answer_t *answer);
static int64_t ngx_wholesale_token_ahead(
    ngx_wholesale_credential_t *credential, int64_t started, int64_t end);
static ngx_uint_t ngx_wholesale_token_release(
    ngx_wholesale_credential_t *credential, ngx_wholesale_lease_t *lease);
static ngx_msec_t ngx_wholesale_token_asked(ngx_wholesale_token_sh_t *sh,
    ngx_wholesale_lease_t *lease, ngx_msec_t wait);
static ngx_msec_t ngx_wholesale_token_backoff(ngx_uint_t failures);
static ngx_uint_t ngx_wholesale_token_is_long(ngx_wholesale_token_sh_t *sh);


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
    ngx_wholesale_grant_sh_t  *grant;

    sh = credential->sh;
    grant = credential->grant;

    ngx_memzero(lease, sizeof(ngx_wholesale_lease_t));

    ngx_shmtx_lock(&credential->shpool->mutex);

    rc = (sh->generation != credential->generation)
         ? NGX_BUSY : ngx_wholesale_token_may_lease(credential, wait);

    if (rc == NGX_OK) {
        grant->holder = ngx_pid;
        grant->lease++;
        grant->lease_end = ngx_current_msec + NGX_WHOLESALE_TOKEN_LEASE;

        lease->number = grant->lease;
        lease->generation = sh->generation;
        lease->started = ngx_wholesale_token_now();
        lease->rejected = (rejected != 0);

    } else if (rc == NGX_DECLINED && rejected && rejected == sh->generation) {
        ngx_wholesale_token_expire(sh);
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    return rc;
}


static ngx_int_t
ngx_wholesale_token_may_lease(ngx_wholesale_credential_t *credential,
    ngx_msec_t *wait)
{
    ngx_wholesale_token_sh_t  *sh;
    ngx_wholesale_grant_sh_t  *grant;

    sh = credential->sh;
    grant = credential->grant;

    if (grant->holder
        && (ngx_msec_int_t) (grant->lease_end - ngx_current_msec) > 0
        && (kill(grant->holder, 0) == 0 || ngx_errno != ESRCH))
    {
        return NGX_BUSY;
    }

    if (!ngx_wholesale_token_is_failed(credential)) {
        return NGX_OK;
    }

    if (sh->failure == NGX_WHOLESALE_TOKEN_FINAL) {
        return NGX_DECLINED;
    }

    if ((ngx_msec_int_t) (sh->retry - ngx_current_msec) > 0) {
        *wait = sh->retry - ngx_current_msec;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/* as far as the credential's configuration is concerned */

static ngx_uint_t
ngx_wholesale_token_is_failed(ngx_wholesale_credential_t *credential)
{
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    return sh->failure != NGX_WHOLESALE_TOKEN_FINE
           && credential->configuration <= sh->failed_configuration;
}


/* Webex does not take it any more, and there will be no other one */

static void
ngx_wholesale_token_expire(ngx_wholesale_token_sh_t *sh)
{
    sh->expires = ngx_wholesale_token_now();
    sh->generation++;
    sh->changes++;
}


const char *
ngx_wholesale_token_secrets(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, u_char *buffers, const char **file,
    ngx_err_t *err)
{
    u_char      *buffer, *digest;
    const char  *trouble;

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

    if (trouble == NULL
        && lease->refresh_token.len > WHOLESALE_REFRESH_TOKEN_MAX)
    {
        trouble = "is too large for a refresh token";
    }

    digest = NULL;

    if (trouble == NULL) {
        digest = lease->digest;

        ngx_wholesale_secret_digest(lease->refresh_token.data,
                                    lease->refresh_token.len, digest);
        ngx_wholesale_grant_recover(credential, digest);
        ngx_wholesale_grant_adopt(credential, digest);
    }

    lease->kept = ngx_wholesale_grant_use(credential, digest, buffer,
                                          &lease->refresh_token);

    return lease->kept ? NULL : trouble;
}


void
ngx_wholesale_token_keep(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer)
{
    if (!ngx_wholesale_token_is_new(lease, answer)) {
        /* the one that was used is as good as before, wherever it is */
        return;
    }

    ngx_wholesale_grant_keep(credential, answer->refresh_token,
                             answer->refresh_token_len,
                             lease->kept ? NULL : lease->digest);
}


/* whether the answer has another refresh token than the one that was used */

static ngx_uint_t
ngx_wholesale_token_is_new(ngx_wholesale_lease_t *lease,
    wholesale_token_answer_t *answer)
{
    return answer->refresh_token
           && (answer->refresh_token_len != lease->refresh_token.len
               || ngx_memcmp(answer->refresh_token, lease->refresh_token.data,
                             lease->refresh_token.len)
                  != 0);
}


void
ngx_wholesale_token_publish(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease, wholesale_token_answer_t *answer,
    ngx_log_t *log)
{
    int64_t                    due;
    ngx_uint_t                 recovered;
    ngx_wholesale_token_sh_t  *sh;

    sh = credential->sh;

    ngx_shmtx_lock(&credential->shpool->mutex);

    /* counted from the question, which came before the token */

    sh->expires = lease->started + answer->expires_in * 1000;
    sh->due = ngx_wholesale_token_ahead(credential, lease->started,
                                        sh->expires);

    if (answer->refresh_token_expires_in) {
        sh->refresh_token_expires = lease->started
                                + answer->refresh_token_expires_in * 1000;

    } else if (ngx_wholesale_token_is_new(lease, answer)) {
        sh->refresh_token_expires = 0;
    }

    if (sh->refresh_token_expires > lease->started) {

        /* it must not lapse before it is used again */

        due = ngx_wholesale_token_ahead(credential, lease->started,
                                        sh->refresh_token_expires);
        sh->due = ngx_min(sh->due, due);
    }

    ngx_explicit_memzero(sh->token, sh->token_len);
    ngx_memcpy(sh->token, answer->access_token, answer->access_token_len);

    sh->token_len = answer->access_token_len;

    recovered = (sh->failure != NGX_WHOLESALE_TOKEN_FINE);

    sh->failure = NGX_WHOLESALE_TOKEN_FINE;
    sh->failures = 0;
    sh->error_len = 0;
    sh->ended[NGX_WHOLESALE_TOKEN_FINE]++;

    sh->generation++;

    (void) ngx_wholesale_token_release(credential, lease);

    ngx_shmtx_unlock(&credential->shpool->mutex);

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "wholesale credential \"%V\": refreshed%s, the token lives "
                  "for %L seconds", &credential->name,
                  recovered ? " at last" : "", answer->expires_in);
}


/*
 * When to renew what ends then: earlier by up to a half, so that a fleet does
 * not come all at once.
 */

static int64_t
ngx_wholesale_token_ahead(ngx_wholesale_credential_t *credential,
    int64_t started, int64_t end)
{
    int64_t  margin;

    margin = ngx_min((int64_t) credential->refresh_before * 1000,
                     (end - started) / 10);

    return end - margin - ngx_random() % (margin / 2 + 1);
}


/* whether it was still ours; under the lock */

static ngx_uint_t
ngx_wholesale_token_release(ngx_wholesale_credential_t *credential,
    ngx_wholesale_lease_t *lease)
{
    ngx_wholesale_grant_sh_t  *grant;

    grant = credential->grant;

    credential->sh->changes++;

    if (grant->holder != ngx_pid || grant->lease != lease->number) {
        return 0;
    }

    grant->holder = 0;

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

    if (!ngx_wholesale_token_release(credential, lease)) {

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
    sh->failed_configuration = ngx_max(sh->failed_configuration,
                                       credential->configuration);
    sh->ended[failed->failure]++;
    sh->client_secret_id = lease->client_secret_id;
    sh->refresh_token_id = lease->refresh_token_id;

    if (failed->failure == NGX_WHOLESALE_TOKEN_FINAL && lease->rejected
        && sh->generation == lease->generation)
    {
        ngx_wholesale_token_expire(sh);
    }

    wait = NGX_WHOLESALE_TOKEN_RETRY_MIN;

    if (!failed->file) {
        backoff = ngx_wholesale_token_backoff(sh->failures++);
        wait = ngx_wholesale_token_asked(sh, lease, failed->wait);
        wait = ngx_max(wait, backoff);
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


/* a mistake in what the endpoint asks for must not outlive the token by much */

static ngx_msec_t
ngx_wholesale_token_asked(ngx_wholesale_token_sh_t *sh,
    ngx_wholesale_lease_t *lease, ngx_msec_t wait)
{
    int64_t  left;

    left = sh->expires - ngx_wholesale_token_now();

    if (lease->rejected && sh->generation == lease->generation) {
        left = 0;
    }

    left = ngx_max(left, NGX_WHOLESALE_TOKEN_RETRY_ASKED);

    return (ngx_msec_t) ngx_min((int64_t) wait, left);
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
ngx_wholesale_token_look(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    ngx_uint_t                  again;
    ngx_wholesale_token_sh_t   *sh;
    ngx_wholesale_secret_id_t   client_secret_id, refresh_token_id;

    sh = credential->sh;

    if (!ngx_wholesale_token_is_long(sh)) {
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

    again = ngx_wholesale_token_is_long(sh);

    if (again) {
        sh->failure = NGX_WHOLESALE_TOKEN_FINE;
        sh->failures = 0;
        sh->changes++;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (again) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "wholesale credential \"%V\": one of its files has "
                      "changed, the refresh is tried again",
                      &credential->name);
    }
}


/* what is tried again soon anyway keeps its pace, whatever the files do */

static ngx_uint_t
ngx_wholesale_token_is_long(ngx_wholesale_token_sh_t *sh)
{
    return sh->failure == NGX_WHOLESALE_TOKEN_FINAL
           || (sh->failure == NGX_WHOLESALE_TOKEN_PASSING
               && (ngx_msec_int_t) (sh->retry - ngx_current_msec)
                  > NGX_WHOLESALE_TOKEN_RETRY_MAX);
}


void
ngx_wholesale_token_status(ngx_wholesale_credential_t *credential,
    ngx_wholesale_token_status_t *status)
{
    ngx_wholesale_token_sh_t  *sh;
    ngx_wholesale_grant_sh_t  *grant;

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

    grant = credential->grant;

    ngx_shmtx_lock(&credential->shpool->mutex);

    status->expires = sh->expires;
    status->refresh_token_expires = sh->refresh_token_expires;
    status->failed = sh->failed;
    status->failure = sh->failure;

    if (status->failure == NGX_WHOLESALE_TOKEN_PASSING
        && ngx_wholesale_token_is_failed(credential)
        && (ngx_msec_int_t) (sh->retry - ngx_current_msec) > 0)
    {
        status->wait = sh->retry - ngx_current_msec;
    }

    status->refreshing = grant->holder
                 && (ngx_msec_int_t) (grant->lease_end - ngx_current_msec) > 0;
    status->unsaved = grant->unsaved;
    status->trouble_len = grant->trouble_len;
    status->error_len = sh->error_len;

    ngx_memcpy(status->ended, sh->ended, sizeof(sh->ended));
    ngx_memcpy(status->error, sh->error, sh->error_len);
    ngx_memcpy(status->trouble, grant->trouble, grant->trouble_len);

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


int64_t
ngx_wholesale_token_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}
