
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_HTTP_WHOLESALE_STATUS_H_INCLUDED_
#define _NGX_HTTP_WHOLESALE_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_wholesale_writer.h>


/*
 * Of many series so many are written in one turn of the event loop, which
 * takes less than a millisecond: other requests do not wait for a scrape.
 */
#define NGX_HTTP_WHOLESALE_STATUS_PIECE  512

/* the module's, in "version" */
#define NGX_HTTP_WHOLESALE_VERSION       "0.1.0"


/*
 * A series of figures: of a tenant, of the requests of which no tenant is
 * known, or of all tenants that have none of their own.
 */

typedef struct {
    const char                         *name;       /* needs no escapes */
    ngx_wholesale_metrics_tenant_sh_t  *sh;

    /* NULL: "sh" has one limit, "*", which is that of all that share it */
    ngx_wholesale_metrics_tenant_t     *figures;

    /* NULL: it has no limits, but for that one */
    const wholesale_tenant_t           *tenant;
} ngx_http_wholesale_series_t;


/* what is told, in whatever format, and once for an answer */

typedef struct {
    ngx_http_wholesale_main_conf_t     *conf;
    ngx_wholesale_metrics_sh_t         *sh;

    ngx_wholesale_metrics_workers_t     workers;

    /* those that have had a request, in the order of the tenants file */
    ngx_http_wholesale_series_t        *series;
    ngx_uint_t                          nseries;

    size_t                              zone_size;
    size_t                              zone_used;

    /*
     * Where a format goes on that left something to be written, at first 0,
     * and whether it did.
     */
    ngx_uint_t                          position;
    ngx_uint_t                          unfinished;
} ngx_http_wholesale_figures_t;


/* of one credential; the same that "wholesale_ready" tells */

typedef struct {
    const char                         *state;      /* "live", ... */

    /* 1 or 0: it is; some enabled tenant needs it */
    int64_t                             live;
    int64_t                             used;

    /* seconds from now; NGX_WHOLESALE_METRICS_UNKNOWN: not known */
    int64_t                             expires;
    int64_t                             refresh_token_expires;

    ngx_wholesale_token_status_t        status;
} ngx_http_wholesale_token_figures_t;


/* a histogram as it is told: the numbers are cumulative */

typedef struct {
    ngx_atomic_uint_t                   count[NGX_WHOLESALE_METRICS_BUCKETS];
    ngx_atomic_uint_t                   sum;        /* microseconds */
} ngx_http_wholesale_histogram_t;


/* a header field that goes with one format only */

typedef struct {
    const char                         *name;
    ngx_str_t                           value;
} ngx_http_wholesale_status_header_t;


/*
 * The formats, each in a file of its name.  One that is unfinished is called
 * once more in the next turn of the loop.
 */
void ngx_http_wholesale_status_json(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
void ngx_http_wholesale_status_prometheus(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);

/* the page asks for the figures itself, as JSON */
void ngx_http_wholesale_status_page(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);

/* what may run in the page; up to a header without a name */
extern const ngx_http_wholesale_status_header_t
    ngx_http_wholesale_status_page_headers[];


/* ngx_http_wholesale_figures.c */

/* returns NGX_OK, or NGX_ERROR if there is no memory */
ngx_int_t ngx_http_wholesale_figures(ngx_http_request_t *r,
    ngx_http_wholesale_figures_t *figures);

void ngx_http_wholesale_token_figures(ngx_wholesale_credential_t *credential,
    ngx_http_wholesale_token_figures_t *token);

void ngx_http_wholesale_histogram(ngx_http_wholesale_figures_t *figures,
    ngx_wholesale_metrics_duration_e duration,
    ngx_http_wholesale_histogram_t *histogram);

/* how many limits a series has, and the figures of one of them */
ngx_uint_t ngx_http_wholesale_series_nlimits(
    ngx_http_wholesale_series_t *series);
ngx_wholesale_metrics_limit_sh_t *ngx_http_wholesale_series_limit(
    ngx_http_wholesale_series_t *series, ngx_uint_t n);

/* what it is called */
const char *ngx_http_wholesale_series_limit_name(
    ngx_http_wholesale_series_t *series, ngx_uint_t n);


#endif /* _NGX_HTTP_WHOLESALE_STATUS_H_INCLUDED_ */
