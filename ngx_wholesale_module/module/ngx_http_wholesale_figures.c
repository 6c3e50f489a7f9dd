
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_http_wholesale_status.h>


static void ngx_http_wholesale_add_series(
    ngx_http_wholesale_figures_t *figures, const char *name,
    ngx_wholesale_metrics_tenant_sh_t *sh,
    ngx_wholesale_metrics_tenant_t *tenant_figures,
    const wholesale_tenant_t *tenant);
static int64_t ngx_http_wholesale_seconds_until(int64_t milliseconds);


ngx_int_t
ngx_http_wholesale_figures(ngx_http_request_t *r,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t                       i;
    ngx_slab_pool_t                 *shpool;
    const wholesale_tenant_t        *tenant;
    ngx_wholesale_metrics_t         *metrics;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);
    metrics = &wmcf->metrics;

    figures->conf = wmcf;
    figures->sh = metrics->sh;
    figures->position = 0;
    figures->unfinished = 0;

    if (wmcf->redis) {
        ngx_wholesale_metrics_show_redis(metrics, wmcf->redis);
    }

    ngx_wholesale_metrics_workers(metrics, &figures->workers);

    figures->nseries = 0;
    figures->series = ngx_palloc(r->pool, (metrics->bound + 2)
                                        * sizeof(ngx_http_wholesale_series_t));
    if (figures->series == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < metrics->ntenants; i++) {

        if (metrics->tenants[i].sh == &metrics->sh->rest) {
            continue;
        }

        tenant = wholesale_tenants_nth(wmcf->tenants, i);

        ngx_http_wholesale_add_series(figures, tenant->name,
                                      metrics->tenants[i].sh,
                                      &metrics->tenants[i], tenant);
    }

    ngx_http_wholesale_add_series(figures, "", &metrics->sh->nobody, NULL,
                                  NULL);
    ngx_http_wholesale_add_series(figures, "*", &metrics->sh->rest, NULL,
                                  NULL);

    shpool = wmcf->counters.shpool;

    figures->zone_size = wmcf->zone->shm.size;
    figures->zone_used = figures->zone_size - shpool->pfree * ngx_pagesize;

    return NGX_OK;
}


static void
ngx_http_wholesale_add_series(ngx_http_wholesale_figures_t *figures,
    const char *name, ngx_wholesale_metrics_tenant_sh_t *sh,
    ngx_wholesale_metrics_tenant_t *tenant_figures,
    const wholesale_tenant_t *tenant)
{
    ngx_http_wholesale_series_t  *series;

    if (!ngx_wholesale_metrics_seen(sh)) {
        return;
    }

    series = &figures->series[figures->nseries++];

    series->name = name;
    series->sh = sh;
    series->figures = tenant_figures;
    series->tenant = tenant;
}


void
ngx_http_wholesale_token_figures(ngx_wholesale_credential_t *credential,
    ngx_http_wholesale_token_figures_t *token)
{
    token->live = ngx_wholesale_token_live(credential, 0);
    token->used = credential->used;

    ngx_wholesale_token_status(credential, &token->status);

    token->state = ngx_http_wholesale_token_state(&token->status,
                                                  token->live);
    token->expires = ngx_http_wholesale_seconds_until(token->status.expires);
    token->refresh_token_expires = ngx_http_wholesale_seconds_until(
                                         token->status.refresh_token_expires);
}


static int64_t
ngx_http_wholesale_seconds_until(int64_t milliseconds)
{
    if (milliseconds == 0) {
        return NGX_WHOLESALE_METRICS_UNKNOWN;
    }

    return ngx_max(milliseconds - ngx_wholesale_token_now(), 0) / 1000;
}


void
ngx_http_wholesale_histogram(ngx_http_wholesale_figures_t *figures,
    ngx_wholesale_metrics_duration_e duration,
    ngx_http_wholesale_histogram_t *histogram)
{
    ngx_uint_t                          i;
    ngx_atomic_uint_t                   count;
    ngx_wholesale_metrics_histogram_t  *sh;

    sh = &figures->sh->durations[duration];

    /* first, so that it is never of more than are counted */

    histogram->sum = sh->sum;

    count = 0;

    for (i = 0; i < NGX_WHOLESALE_METRICS_BUCKETS; i++) {
        count += sh->buckets[i];
        histogram->count[i] = count;
    }
}


ngx_uint_t
ngx_http_wholesale_series_nlimits(ngx_http_wholesale_series_t *series)
{
    if (series->tenant) {
        return series->tenant->nlimits;
    }

    return series->name[0] ? 1 : 0;
}


ngx_wholesale_metrics_limit_sh_t *
ngx_http_wholesale_series_limit(ngx_http_wholesale_series_t *series,
    ngx_uint_t n)
{
    return &series->sh->limits[series->figures ? series->figures->limits[n]
                                               : 0];
}


const char *
ngx_http_wholesale_series_limit_name(ngx_http_wholesale_series_t *series,
    ngx_uint_t n)
{
    return series->tenant ? series->tenant->limits[n].name : "*";
}
