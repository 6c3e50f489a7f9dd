
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_HTTP_WHOLESALE_DETACHED_H_INCLUDED_
#define _NGX_HTTP_WHOLESALE_DETACHED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * A request that nobody made, on a connection without a socket, as HTTP/2 has
 * one for each stream: the parent of subrequests that are not to end when a
 * client leaves, and that have nothing of a client's.
 */


typedef struct {
    /* has to be the first: nginx takes it for the log's data */
    ngx_http_log_ctx_t       log_ctx;

    ngx_connection_t         connection;
    ngx_event_t              read;
    ngx_event_t              write;
    ngx_log_t                log;
    ngx_http_connection_t    http_connection;

    /* for log lines: what it is for */
    const char              *purpose;
    ngx_str_t               *name;

    /* NULL before ngx_http_wholesale_detached_create() */
    ngx_http_request_t      *request;
} ngx_http_wholesale_detached_t;


/*
 * Makes a connection of "d", which is all zeros but for "purpose" and "name",
 * and lies in the pool: one to the server that "r" is for.
 */
void ngx_http_wholesale_detached_init(ngx_http_wholesale_detached_t *d,
    ngx_http_request_t *r, ngx_pool_t *pool);

/* makes d->request; returns NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_wholesale_detached_create(
    ngx_http_wholesale_detached_t *d);

/*
 * Ends the request with what of its subrequests is on its way, whose handlers
 * are not called.  Not to be called from inside of them.
 */
void ngx_http_wholesale_detached_free(ngx_http_wholesale_detached_t *d);


#endif /* _NGX_HTTP_WHOLESALE_DETACHED_H_INCLUDED_ */
