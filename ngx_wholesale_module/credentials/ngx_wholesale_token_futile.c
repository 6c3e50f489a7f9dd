
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_secret.h>
#include <ngx_wholesale_token.h>


/* milliseconds: how long a tenant whom Webex keeps rejecting makes no token */
#define NGX_WHOLESALE_TOKEN_FUTILE_TIME      1000
#define NGX_WHOLESALE_TOKEN_FUTILE_TIME_MAX  30000


static ngx_wholesale_token_futile_t *ngx_wholesale_token_futile_find(
    ngx_wholesale_token_sh_t *sh, u_char *digest);
static ngx_wholesale_token_futile_t *ngx_wholesale_token_futile_add(
    ngx_wholesale_token_sh_t *sh, u_char *digest);


void
ngx_wholesale_token_futile(ngx_wholesale_credential_t *credential,
    ngx_str_t *tenant, ngx_atomic_uint_t generation)
{
    u_char                         digest[NGX_WHOLESALE_DIGEST_LEN];
    ngx_msec_t                     wait;
    ngx_wholesale_token_sh_t      *sh;
    ngx_wholesale_token_futile_t  *futile;

    sh = credential->sh;

    ngx_wholesale_secret_digest(tenant->data, tenant->len, digest);

    ngx_shmtx_lock(&credential->shpool->mutex);

    futile = ngx_wholesale_token_futile_find(sh, digest);

    if (futile == NULL) {
        futile = ngx_wholesale_token_futile_add(sh, digest);
    }

    if (futile->generation != generation) {

        /*
         * The first time only this one is known to be futile; two tenants
         * that are rejected in turn must not refresh for each other for ever.
         */

        wait = 0;

        if (futile->times) {
            wait = (ngx_msec_t) NGX_WHOLESALE_TOKEN_FUTILE_TIME
                   << ngx_min(futile->times, 6);
            wait = ngx_min(wait, NGX_WHOLESALE_TOKEN_FUTILE_TIME_MAX);
        }

        futile->generation = generation;
        futile->times++;
        futile->end = ngx_current_msec + wait;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


ngx_uint_t
ngx_wholesale_token_is_futile(ngx_wholesale_credential_t *credential,
    ngx_str_t *tenant, ngx_atomic_uint_t generation)
{
    u_char                         digest[NGX_WHOLESALE_DIGEST_LEN];
    ngx_uint_t                     rc;
    ngx_wholesale_token_sh_t      *sh;
    ngx_wholesale_token_futile_t  *futile;

    sh = credential->sh;

    if (sh->nfutile == 0) {
        return 0;
    }

    ngx_wholesale_secret_digest(tenant->data, tenant->len, digest);

    ngx_shmtx_lock(&credential->shpool->mutex);

    futile = ngx_wholesale_token_futile_find(sh, digest);

    rc = futile
         && (futile->generation == generation
             || (ngx_msec_int_t) (futile->end - ngx_current_msec) > 0);

    ngx_shmtx_unlock(&credential->shpool->mutex);

    return rc;
}


void
ngx_wholesale_token_taken(ngx_wholesale_credential_t *credential,
    ngx_str_t *tenant)
{
    u_char                         digest[NGX_WHOLESALE_DIGEST_LEN];
    ngx_wholesale_token_sh_t      *sh;
    ngx_wholesale_token_futile_t  *futile;

    sh = credential->sh;

    if (sh == NULL || sh->nfutile == 0) {
        return;
    }

    ngx_wholesale_secret_digest(tenant->data, tenant->len, digest);

    ngx_shmtx_lock(&credential->shpool->mutex);

    futile = ngx_wholesale_token_futile_find(sh, digest);

    if (futile) {
        futile->generation = 0;
        sh->nfutile--;
    }

    ngx_shmtx_unlock(&credential->shpool->mutex);
}


/* both under the lock */

static ngx_wholesale_token_futile_t *
ngx_wholesale_token_futile_find(ngx_wholesale_token_sh_t *sh, u_char *digest)
{
    ngx_uint_t                     i;
    ngx_wholesale_token_futile_t  *futile;

    for (i = 0; i < NGX_WHOLESALE_TOKEN_FUTILE_MAX; i++) {
        futile = &sh->futile[i];

        if (futile->generation
            && ngx_memcmp(futile->tenant, digest, NGX_WHOLESALE_DIGEST_LEN)
               == 0)
        {
            return futile;
        }
    }

    return NULL;
}


static ngx_wholesale_token_futile_t *
ngx_wholesale_token_futile_add(ngx_wholesale_token_sh_t *sh, u_char *digest)
{
    ngx_uint_t                     i;
    ngx_wholesale_token_futile_t  *futile, *other;

    /* one that is free, or the one of which the end is nearest */

    futile = &sh->futile[0];

    for (i = 1; i < NGX_WHOLESALE_TOKEN_FUTILE_MAX && futile->generation; i++)
    {
        other = &sh->futile[i];

        if (other->generation == 0
            || (ngx_msec_int_t) (other->end - futile->end) < 0)
        {
            futile = other;
        }
    }

    if (futile->generation == 0) {
        sh->nfutile++;
    }

    ngx_memzero(futile, sizeof(ngx_wholesale_token_futile_t));
    ngx_memcpy(futile->tenant, digest, NGX_WHOLESALE_DIGEST_LEN);

    return futile;
}
