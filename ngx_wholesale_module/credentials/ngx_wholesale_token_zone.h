
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_TOKEN_ZONE_H_INCLUDED_
#define _NGX_WHOLESALE_TOKEN_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_credential.h>


/*
 * What is in the shared memory of all credentials: states of tokens, and
 * grants.  Configurations are numbered; what a configuration does not have any
 * more goes when the last worker of one that has it is gone.
 */


typedef struct {
    ngx_queue_t       tokens;           /* of ngx_wholesale_token_sh_t */
    ngx_queue_t       grants;           /* of ngx_wholesale_grant_sh_t */
    ngx_queue_t       workers;

    uint64_t          configuration;    /* the last number; 0: none yet */

    /* there was no room to note a worker: then nothing ever goes */
    ngx_uint_t        blind;
} ngx_wholesale_token_zone_t;


void ngx_wholesale_token_zone_init(ngx_wholesale_token_zone_t *zone);

/* at configuration time, and before all credentials: returns its number */
uint64_t ngx_wholesale_token_zone_configure(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool);

/*
 * Then, for each: finds the state and the grant of the credential, or adds
 * them, and sets credential->sh and credential->grant.
 *
 * Returns NGX_OK, or NGX_ERROR if there is no room; it can be called again.
 */
ngx_int_t ngx_wholesale_token_zone_attach(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool, ngx_wholesale_credential_t *credential);

/*
 * Whether a refresh token that the last configuration uses is there only, and
 * not in its file yet.
 */
ngx_uint_t ngx_wholesale_token_zone_keeps(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool);

/* a worker begins, of the configuration with this number, or ends */
void ngx_wholesale_token_zone_enter(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool, uint64_t configuration);
void ngx_wholesale_token_zone_leave(ngx_wholesale_token_zone_t *zone,
    ngx_slab_pool_t *shpool);


#endif /* _NGX_WHOLESALE_TOKEN_ZONE_H_INCLUDED_ */
