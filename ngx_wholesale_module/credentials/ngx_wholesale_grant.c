
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_grant.h>
#include <ngx_wholesale_secret.h>


/* milliseconds between two tries to write a file, of all workers */
#define NGX_WHOLESALE_GRANT_RETRY  1000


static ngx_uint_t ngx_wholesale_grant_is_older(
    ngx_wholesale_grant_sh_t *grant, u_char *digest);
static void ngx_wholesale_grant_set(ngx_wholesale_grant_sh_t *grant,
    u_char *token, size_t len, u_char *digest);
static void ngx_wholesale_grant_claim(ngx_wholesale_credential_t *credential);
static ngx_int_t ngx_wholesale_grant_written(
    ngx_wholesale_credential_t *credential, ngx_log_t *log);
static void ngx_wholesale_grant_not_saved(ngx_wholesale_grant_sh_t *grant,
    const char *trouble);
static void ngx_wholesale_grant_forget(ngx_wholesale_grant_sh_t *grant);


ngx_uint_t
ngx_wholesale_grant_use(ngx_wholesale_credential_t *credential, u_char *digest,
    u_char *buffer, ngx_str_t *token)
{
    ngx_uint_t                 kept;
    ngx_wholesale_grant_sh_t  *grant;

    grant = credential->grant;

    ngx_shmtx_lock(&credential->shpool->mutex);

    if (grant->len && digest && !ngx_wholesale_grant_is_older(grant, digest)) {
        ngx_wholesale_grant_forget(grant);
    }

    kept = (grant->len != 0);

    if (kept) {
        ngx_memcpy(buffer, grant->token, grant->len);

        token->data = buffer;
        token->len = grant->len;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    return kept;
}


/* whether a file with this in it is known to be older than what is kept */

static ngx_uint_t
ngx_wholesale_grant_is_older(ngx_wholesale_grant_sh_t *grant, u_char *digest)
{
    u_char  kept[NGX_WHOLESALE_DIGEST_LEN];

    ngx_wholesale_secret_digest(grant->token, grant->len, kept);

    return ngx_memcmp(digest, kept, NGX_WHOLESALE_DIGEST_LEN) != 0
           && (ngx_memcmp(digest, grant->had, NGX_WHOLESALE_DIGEST_LEN) == 0
               || ngx_memcmp(digest, grant->written, NGX_WHOLESALE_DIGEST_LEN)
                  == 0);
}


void
ngx_wholesale_grant_recover(ngx_wholesale_credential_t *credential,
    u_char *digest)
{
    u_char                     buffer[NGX_WHOLESALE_SECRET_BUFFER];
    ngx_str_t                  token;
    ngx_uint_t                 recovered;
    ngx_wholesale_grant_sh_t  *grant;

    grant = credential->grant;

    if (ngx_wholesale_secret_recover(&credential->refresh_token_file, buffer,
                                     &token)
        != NGX_OK
        || token.len > WHOLESALE_REFRESH_TOKEN_MAX)
    {
        return;
    }

    ngx_shmtx_lock(&credential->shpool->mutex);

    recovered = (grant->len == 0 && grant->writer == 0);

    if (recovered) {
        ngx_wholesale_grant_set(grant, token.data, token.len, digest);
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    ngx_explicit_memzero(buffer, NGX_WHOLESALE_SECRET_BUFFER);

    if (recovered) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "wholesale credential \"%V\": took up the refresh token "
                      "that was about to be put into file \"%V\" when the "
                      "gateway was killed", &credential->name,
                      &credential->refresh_token_file);
    }
}


void
ngx_wholesale_grant_adopt(ngx_wholesale_credential_t *credential,
    u_char *digest)
{
    ngx_uint_t                 adopted;
    ngx_queue_t               *q;
    ngx_wholesale_grant_sh_t  *grant, *other;

    adopted = 0;
    grant = credential->grant;

    ngx_shmtx_lock(&credential->shpool->mutex);

    for (q = ngx_queue_head(credential->grants);
         q != ngx_queue_sentinel(credential->grants) && grant->len == 0;
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_wholesale_grant_sh_t, queue);

        if (other->len == 0
            || other->configuration >= grant->configuration
            || !ngx_wholesale_grant_is_older(other, digest))
        {
            continue;
        }

        ngx_wholesale_grant_set(grant, other->token, other->len, digest);
        ngx_wholesale_grant_forget(other);

        adopted = 1;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (adopted) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "wholesale credential \"%V\": took up the refresh token "
                      "that could not be put into the file from which \"%V\" "
                      "was copied", &credential->name,
                      &credential->refresh_token_file);
    }
}


void
ngx_wholesale_grant_keep(ngx_wholesale_credential_t *credential,
    const char *token, size_t len, u_char *digest)
{
    ngx_shmtx_lock(&credential->shpool->mutex);

    ngx_wholesale_grant_set(credential->grant, (u_char *) token, len, digest);

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


/* under the lock */

static void
ngx_wholesale_grant_set(ngx_wholesale_grant_sh_t *grant, u_char *token,
    size_t len, u_char *digest)
{
    ngx_explicit_memzero(grant->token, grant->len);
    ngx_memcpy(grant->token, token, len);

    grant->len = len;
    grant->version++;
    grant->retry = ngx_current_msec;

    if (digest == NULL) {
        return;
    }

    ngx_memcpy(grant->had, digest, NGX_WHOLESALE_DIGEST_LEN);

    if (grant->writer == 0) {
        ngx_memcpy(grant->written, digest, NGX_WHOLESALE_DIGEST_LEN);
    }
}


ngx_int_t
ngx_wholesale_grant_save(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    ngx_int_t                  rc;
    ngx_wholesale_grant_sh_t  *grant;

    if (credential->write) {
        return credential->write->done
               ? ngx_wholesale_grant_written(credential, log) : NGX_AGAIN;
    }

    grant = credential->grant;

    if (grant->len == 0) {
        return NGX_OK;
    }

    ngx_shmtx_lock(&credential->shpool->mutex);

    if (grant->len == 0) {
        rc = NGX_OK;

    } else if ((ngx_msec_int_t) (grant->retry - ngx_current_msec) > 0
               || (grant->writer && grant->writer != ngx_pid
                   && (kill(grant->writer, 0) == 0 || ngx_errno != ESRCH)))
    {
        rc = NGX_AGAIN;

    } else {
        ngx_wholesale_grant_claim(credential);
        rc = NGX_AGAIN;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (credential->write) {
        ngx_wholesale_secret_write(credential->write);
    }

    return rc;
}


/* under the lock: the writing is this worker's, unless there is no memory */

static void
ngx_wholesale_grant_claim(ngx_wholesale_credential_t *credential)
{
    ngx_wholesale_grant_sh_t      *grant;
    ngx_wholesale_secret_write_t  *w;

    grant = credential->grant;
    grant->retry = ngx_current_msec + NGX_WHOLESALE_GRANT_RETRY;

    w = ngx_wholesale_secret_write_create(&credential->refresh_token_file,
                                          grant->token, grant->len);
    if (w == NULL) {
        return;
    }

    w->version = grant->version;

    ngx_memcpy(w->known[0], grant->had, NGX_WHOLESALE_DIGEST_LEN);
    ngx_memcpy(w->known[1], grant->written, NGX_WHOLESALE_DIGEST_LEN);

    ngx_wholesale_secret_digest(grant->token, grant->len, grant->written);

    grant->writer = ngx_pid;
    credential->write = w;
}


static ngx_int_t
ngx_wholesale_grant_written(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    ngx_uint_t                     again, current;
    ngx_wholesale_grant_sh_t      *grant;
    ngx_wholesale_secret_write_t  *w;

    ngx_memory_barrier();

    w = credential->write;
    grant = credential->grant;

    ngx_shmtx_lock(&credential->shpool->mutex);

    again = grant->unsaved;
    current = (grant->version == w->version);

    grant->writer = 0;

    if (w->trouble && !w->foreign) {
        ngx_wholesale_grant_not_saved(grant, w->trouble);

    } else if (current) {
        ngx_wholesale_grant_forget(grant);

    } else if (!w->foreign) {

        /* there is a newer one already */

        ngx_memcpy(grant->had, grant->written, NGX_WHOLESALE_DIGEST_LEN);
    }

    if (!current) {
        /* the newer one has not been tried yet */
        grant->retry = ngx_current_msec;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (w->foreign) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "wholesale credential \"%V\": file \"%V\" %s: that one "
                      "is used from now on, and the one that the token "
                      "endpoint has given is not", &credential->name,
                      &credential->refresh_token_file, w->trouble);

    } else if (w->trouble && !again) {
        ngx_log_error(NGX_LOG_ERR, log, w->err,
                      "wholesale credential \"%V\": file \"%V\" %s: the new "
                      "refresh token is in memory only, and is lost when the "
                      "gateway stops; it is tried again every second",
                      &credential->name, &credential->refresh_token_file,
                      w->trouble);

    } else if (w->trouble == NULL && again && current) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "wholesale credential \"%V\": the new refresh token is "
                      "in file \"%V\" at last", &credential->name,
                      &credential->refresh_token_file);
    }

    again = (w->trouble && !w->foreign);

    credential->write = NULL;
    ngx_wholesale_secret_write_free(w);

    if (!current) {
        return NGX_AGAIN;
    }

    return again ? NGX_ERROR : NGX_OK;
}


/* under the lock */

static void
ngx_wholesale_grant_not_saved(ngx_wholesale_grant_sh_t *grant,
    const char *trouble)
{
    grant->unsaved = 1;
    grant->trouble_len = ngx_min(ngx_strlen(trouble),
                                 NGX_WHOLESALE_GRANT_TROUBLE_MAX);

    ngx_memcpy(grant->trouble, trouble, grant->trouble_len);
}


static void
ngx_wholesale_grant_forget(ngx_wholesale_grant_sh_t *grant)
{
    ngx_explicit_memzero(grant->token, grant->len);

    grant->len = 0;
    grant->unsaved = 0;
}


void
ngx_wholesale_grant_late(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    ngx_uint_t                 again;
    ngx_wholesale_grant_sh_t  *grant;

    grant = credential->grant;

    ngx_shmtx_lock(&credential->shpool->mutex);

    again = grant->unsaved;

    if (grant->len) {
        ngx_wholesale_grant_not_saved(grant, "takes too long to be written");
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);

    if (!again) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "wholesale credential \"%V\": writing file \"%V\" takes "
                      "too long: the new refresh token is in memory only so "
                      "far", &credential->name,
                      &credential->refresh_token_file);
    }
}
