
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include <ngx_wholesale_grant.h>
#include <ngx_wholesale_token.h>
#include <ngx_wholesale_token_zone.h>


typedef struct {
    ngx_queue_t  queue;
    ngx_pid_t    pid;
    uint64_t     configuration;
} ngx_wholesale_token_worker_t;


static ngx_wholesale_token_sh_t *ngx_wholesale_token_zone_state(
    ngx_wholesale_token_zone_t *zone, ngx_slab_pool_t *shpool,
    ngx_wholesale_credential_t *credential);
static ngx_wholesale_grant_sh_t *ngx_wholesale_token_zone_grant(
    ngx_wholesale_token_zone_t *zone, ngx_slab_pool_t *shpool,
    ngx_wholesale_credential_t *credential);
static void ngx_wholesale_token_zone_digest(ngx_str_t **part, ngx_uint_t n,
    u_char *id);
static void ngx_wholesale_token_zone_sweep(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool);
static uint64_t ngx_wholesale_token_zone_oldest(
    ngx_wholesale_token_zone_t *zone, ngx_slab_pool_t *shpool);


void
ngx_wholesale_token_zone_init(ngx_wholesale_token_zone_t *zone)
{
    ngx_memzero(zone, sizeof(ngx_wholesale_token_zone_t));

    ngx_queue_init(&zone->tokens);
    ngx_queue_init(&zone->grants);
    ngx_queue_init(&zone->workers);
}


uint64_t
ngx_wholesale_token_zone_configure(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool)
{
    uint64_t  configuration;

    ngx_shmtx_lock(&shpool->mutex);

    ngx_wholesale_token_zone_sweep(zone, shpool);

    configuration = ++zone->configuration;

    ngx_shmtx_unlock(&shpool->mutex);

    return configuration;
}


ngx_int_t
ngx_wholesale_token_zone_attach(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool, ngx_wholesale_credential_t *credential)
{
    ngx_shmtx_lock(&shpool->mutex);

    credential->grants = &zone->grants;
    credential->shpool = shpool;
    credential->configuration = zone->configuration;
    credential->sh = ngx_wholesale_token_zone_state(zone, shpool, credential);
    credential->grant = ngx_wholesale_token_zone_grant(zone, shpool,
                                                       credential);

    if (credential->sh && credential->grant) {
        credential->sh->configuration = zone->configuration;
        credential->grant->configuration = zone->configuration;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return (credential->sh && credential->grant) ? NGX_OK : NGX_ERROR;
}


/*
 * Who changes the client or a file means another token: it gets a state of
 * its own, and workers of the configuration before keep theirs.
 */

static ngx_wholesale_token_sh_t *
ngx_wholesale_token_zone_state(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool, ngx_wholesale_credential_t *credential)
{
    u_char                     id[NGX_WHOLESALE_DIGEST_LEN];
    ngx_str_t                 *part[5];
    ngx_queue_t               *q;
    ngx_wholesale_token_sh_t  *sh;

    part[0] = &credential->name;
    part[1] = &credential->token_endpoint;
    part[2] = &credential->client_id;
    part[3] = &credential->client_secret_file;
    part[4] = &credential->refresh_token_file;

    ngx_wholesale_token_zone_digest(part, 5, id);

    for (q = ngx_queue_head(&zone->tokens);
         q != ngx_queue_sentinel(&zone->tokens);
         q = ngx_queue_next(q))
    {
        sh = ngx_queue_data(q, ngx_wholesale_token_sh_t, queue);

        if (ngx_memcmp(sh->id, id, NGX_WHOLESALE_DIGEST_LEN) == 0) {
            return sh;
        }
    }

    sh = ngx_slab_calloc_locked(shpool, sizeof(ngx_wholesale_token_sh_t));

    if (sh) {
        ngx_memcpy(sh->id, id, NGX_WHOLESALE_DIGEST_LEN);
        ngx_queue_insert_tail(&zone->tokens, &sh->queue);
    }

    return sh;
}


static ngx_wholesale_grant_sh_t *
ngx_wholesale_token_zone_grant(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool, ngx_wholesale_credential_t *credential)
{
    u_char                     id[NGX_WHOLESALE_DIGEST_LEN];
    ngx_str_t                 *part;
    ngx_queue_t               *q;
    ngx_wholesale_grant_sh_t  *grant;

    part = &credential->refresh_token_file;

    ngx_wholesale_token_zone_digest(&part, 1, id);

    for (q = ngx_queue_head(&zone->grants);
         q != ngx_queue_sentinel(&zone->grants);
         q = ngx_queue_next(q))
    {
        grant = ngx_queue_data(q, ngx_wholesale_grant_sh_t, queue);

        if (ngx_memcmp(grant->id, id, NGX_WHOLESALE_DIGEST_LEN) == 0) {
            return grant;
        }
    }

    grant = ngx_slab_calloc_locked(shpool, sizeof(ngx_wholesale_grant_sh_t));

    if (grant) {
        ngx_memcpy(grant->id, id, NGX_WHOLESALE_DIGEST_LEN);
        ngx_queue_insert_tail(&zone->grants, &grant->queue);
    }

    return grant;
}


static void
ngx_wholesale_token_zone_digest(ngx_str_t **part, ngx_uint_t n, u_char *id)
{
    ngx_md5_t   md5;
    ngx_uint_t  i;

    ngx_md5_init(&md5);

    for (i = 0; i < n; i++) {
        ngx_md5_update(&md5, &part[i]->len, sizeof(size_t));
        ngx_md5_update(&md5, part[i]->data, part[i]->len);
    }

    ngx_md5_final(id, &md5);
}


ngx_uint_t
ngx_wholesale_token_zone_keeps(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool)
{
    ngx_uint_t                 keeps;
    ngx_queue_t               *q;
    ngx_wholesale_grant_sh_t  *grant;

    keeps = 0;

    ngx_shmtx_lock(&shpool->mutex);

    for (q = ngx_queue_head(&zone->grants);
         q != ngx_queue_sentinel(&zone->grants);
         q = ngx_queue_next(q))
    {
        grant = ngx_queue_data(q, ngx_wholesale_grant_sh_t, queue);

        if (grant->configuration == zone->configuration && grant->len) {
            keeps = 1;
            break;
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return keeps;
}


void
ngx_wholesale_token_zone_enter(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool, uint64_t configuration)
{
    ngx_wholesale_token_worker_t  *worker;

    ngx_shmtx_lock(&shpool->mutex);

    worker = ngx_slab_alloc_locked(shpool,
                                   sizeof(ngx_wholesale_token_worker_t));

    if (worker) {
        worker->pid = ngx_pid;
        worker->configuration = configuration;

        ngx_queue_insert_tail(&zone->workers, &worker->queue);

    } else {
        zone->blind = 1;
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_wholesale_token_zone_leave(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool)
{
    ngx_queue_t                   *q;
    ngx_wholesale_token_worker_t  *worker;

    ngx_shmtx_lock(&shpool->mutex);

    for (q = ngx_queue_head(&zone->workers);
         q != ngx_queue_sentinel(&zone->workers);
         q = ngx_queue_next(q))
    {
        worker = ngx_queue_data(q, ngx_wholesale_token_worker_t, queue);

        if (worker->pid == ngx_pid) {
            ngx_queue_remove(q);
            ngx_slab_free_locked(shpool, worker);
            break;
        }
    }

    ngx_wholesale_token_zone_sweep(zone, shpool);

    ngx_shmtx_unlock(&shpool->mutex);
}


/*
 * A configuration that has workers, or may get some again, is not older than
 * the oldest that has one.  What some configuration before it was the last to
 * have is nobody's, but for a refresh token that is nowhere else.
 */

static void
ngx_wholesale_token_zone_sweep(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool)
{
    uint64_t                   oldest;
    ngx_queue_t               *q, *next;
    ngx_wholesale_token_sh_t  *sh;
    ngx_wholesale_grant_sh_t  *grant;

    oldest = ngx_wholesale_token_zone_oldest(zone, shpool);

    if (zone->blind) {
        return;
    }

    for (q = ngx_queue_head(&zone->tokens);
         q != ngx_queue_sentinel(&zone->tokens);
         q = next)
    {
        next = ngx_queue_next(q);
        sh = ngx_queue_data(q, ngx_wholesale_token_sh_t, queue);

        if (sh->configuration < oldest) {
            ngx_queue_remove(q);
            ngx_explicit_memzero(sh, sizeof(ngx_wholesale_token_sh_t));
            ngx_slab_free_locked(shpool, sh);
        }
    }

    for (q = ngx_queue_head(&zone->grants);
         q != ngx_queue_sentinel(&zone->grants);
         q = next)
    {
        next = ngx_queue_next(q);
        grant = ngx_queue_data(q, ngx_wholesale_grant_sh_t, queue);

        if (grant->configuration < oldest && grant->len == 0) {
            ngx_queue_remove(q);
            ngx_slab_free_locked(shpool, grant);
        }
    }
}


/* that has a worker; 0: none has */

static uint64_t
ngx_wholesale_token_zone_oldest(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool)
{
    uint64_t                       oldest;
    ngx_queue_t                   *q, *next;
    ngx_wholesale_token_worker_t  *worker;

    oldest = 0;

    for (q = ngx_queue_head(&zone->workers);
         q != ngx_queue_sentinel(&zone->workers);
         q = next)
    {
        next = ngx_queue_next(q);
        worker = ngx_queue_data(q, ngx_wholesale_token_worker_t, queue);

        if (kill(worker->pid, 0) == -1 && ngx_errno == ESRCH) {

            /* it died */

            ngx_queue_remove(q);
            ngx_slab_free_locked(shpool, worker);
            continue;
        }

        if (oldest == 0 || worker->configuration < oldest) {
            oldest = worker->configuration;
        }
    }

    return oldest;
}
