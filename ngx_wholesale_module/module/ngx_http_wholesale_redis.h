
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_HTTP_WHOLESALE_REDIS_H_INCLUDED_
#define _NGX_HTTP_WHOLESALE_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_wholesale_redis.h>


/* what decides when Redis does not */

typedef enum {
    NGX_HTTP_WHOLESALE_REDIS_LOCAL = 0,     /* the counters of this machine */
    NGX_HTTP_WHOLESALE_REDIS_ALLOW,         /* nothing: all are let in */
    NGX_HTTP_WHOLESALE_REDIS_DENY           /* nobody is let in */
} ngx_http_wholesale_redis_failure_e;


/* zeroed until the block is read; embedded in the main configuration */

typedef struct {
    /* redis.server.len == 0: there is no wholesale_redis block */
    ngx_wholesale_redis_conf_t   redis;

    ngx_uint_t                   on_failure;

    /* as the block's directives have it; the above is made of it */
    ngx_url_t                    url;
    ngx_int_t                    database;
#if (NGX_SSL)
    ngx_flag_t                   ssl;
    ngx_flag_t                   ssl_verify;
    ngx_str_t                    ssl_trusted_certificate;
    ngx_str_t                    ssl_certificate;
    ngx_str_t                    ssl_certificate_key;
#endif
} ngx_http_wholesale_redis_conf_t;


/*
 * The setter of the wholesale_redis block, for a command with cmd->offset at
 * a ngx_http_wholesale_redis_conf_t.
 */
char *ngx_http_wholesale_redis_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * To be called from postconfiguration: a server that is given by name will be
 * resolved by the resolver of the http block, and is resolved here and now if
 * there is none.
 *
 * Returns NGX_OK, also if there is no block, or NGX_ERROR, having said why.
 */
ngx_int_t ngx_http_wholesale_redis_init(ngx_conf_t *cf,
    ngx_http_wholesale_redis_conf_t *rcf);


#endif /* _NGX_HTTP_WHOLESALE_REDIS_H_INCLUDED_ */
