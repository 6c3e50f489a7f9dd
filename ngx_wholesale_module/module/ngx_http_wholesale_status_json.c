
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_http_wholesale_status.h>


static void ngx_http_wholesale_json_head(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_json_tenant(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series);
static void ngx_http_wholesale_json_limit(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series, ngx_uint_t n);
static void ngx_http_wholesale_json_known(ngx_wholesale_writer_t *w,
    const char *name, int64_t number);
static void ngx_http_wholesale_json_validation(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_json_upstream(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_json_durations(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_json_redis(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_json_credentials(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_json_credential(ngx_wholesale_writer_t *w,
    ngx_wholesale_credential_t *credential);


/* in the order of ngx_wholesale_metrics_redis_e */

static const char  *ngx_http_wholesale_breakers[] = {
    "closed", "closed", "half-open", "open"
};


void
ngx_http_wholesale_status_json(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t  last;

    if (figures->position == 0) {
        ngx_http_wholesale_json_head(w, figures);
    }

    last = ngx_min(figures->position + NGX_HTTP_WHOLESALE_STATUS_PIECE,
                   figures->nseries);

    for ( /* void */ ; figures->position < last; figures->position++) {
        ngx_wholesale_writef(w, "%s\n", figures->position ? "," : "");
        ngx_http_wholesale_json_tenant(w, &figures->series[figures->position]);
    }

    figures->unfinished = (figures->position < figures->nseries);

    if (figures->unfinished) {
        return;
    }

    ngx_wholesale_write_text(w, "},\n");

    ngx_http_wholesale_json_validation(w, figures);
    ngx_http_wholesale_json_upstream(w, figures);
    ngx_http_wholesale_json_durations(w, figures);
    ngx_http_wholesale_json_redis(w, figures);
    ngx_http_wholesale_json_credentials(w, figures);

    ngx_wholesale_writef(w, "\"zone\": {\"size\": %uz, \"used\": %uz}}\n",
                         figures->zone_size, figures->zone_used);
}


static void
ngx_http_wholesale_json_head(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    ngx_wholesale_writef(w, "{\"version\": \"%s\", \"nginx\": \"%s\", "
                         "\"time\": %T.%03ui, \"started\": %T,\n",
                         NGX_HTTP_WHOLESALE_VERSION, NGINX_VERSION, tp->sec,
                         tp->msec, figures->sh->started);

    ngx_wholesale_writef(w, "\"workers\": %ui, \"generation\": %ui, "
                         "\"tenantsConfigured\": %ui, \"tenantsShown\": %ui,\n"
                         "\"tenants\": {",
                         figures->workers.workers,
                         figures->conf->metrics.generation,
                         figures->conf->metrics.ntenants,
                         figures->conf->metrics.bound);
}


static void
ngx_http_wholesale_json_tenant(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series)
{
    ngx_uint_t  i, n;

    ngx_wholesale_writef(w, "\"%s\": {\"outcomes\": {", series->name);

    for (i = 0; i < NGX_WHOLESALE_METRICS_OUTCOMES; i++) {
        ngx_wholesale_writef(w, "%s\"%V\": %uA", i ? ", " : "",
                             ngx_wholesale_metrics_outcome_name(i),
                             series->sh->outcomes[i]);
    }

    ngx_wholesale_writef(w, "}, \"paused\": %uA, \"limits\": {",
                         series->sh->paused);

    n = ngx_http_wholesale_series_nlimits(series);

    for (i = 0; i < n; i++) {

        if (i) {
            ngx_wholesale_write_text(w, ", ");
        }

        ngx_http_wholesale_json_limit(w, series, i);
    }

    ngx_wholesale_write_text(w, "}}");
}


static void
ngx_http_wholesale_json_limit(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series, ngx_uint_t n)
{
    const wholesale_limit_t           *limit;
    ngx_wholesale_metrics_gauge_t      gauge;
    ngx_wholesale_metrics_limit_sh_t  *sh;

    sh = ngx_http_wholesale_series_limit(series, n);

    ngx_wholesale_writef(w, "\"%s\": {\"refused\": %uA, \"nearLimit\": %uA, "
                         "\"dryRunRefused\": %uA",
                         ngx_http_wholesale_series_limit_name(series, n),
                         sh->refused, sh->near, sh->dry_run);

    if (series->tenant) {
        limit = &series->tenant->limits[n];

        ngx_wholesale_metrics_gauge(sh, limit, &gauge);

        ngx_wholesale_writef(w, ", \"per\": \"%s\", \"dryRun\": %s, "
                             "\"quota\": %L",
                             limit->per == WHOLESALE_LIMIT_PER_CUSTOMER
                                 ? "customer" : "tenant",
                             limit->dry_run ? "true" : "false", limit->quota);

        ngx_http_wholesale_json_known(w, "remaining", gauge.remaining);
        ngx_http_wholesale_json_known(w, "reset", gauge.reset);
    }

    ngx_wholesale_write_text(w, "}");
}


static void
ngx_http_wholesale_json_known(ngx_wholesale_writer_t *w, const char *name,
    int64_t number)
{
    if (number == NGX_WHOLESALE_METRICS_UNKNOWN) {
        ngx_wholesale_writef(w, ", \"%s\": null", name);

    } else {
        ngx_wholesale_writef(w, ", \"%s\": %L", name, number);
    }
}


static void
ngx_http_wholesale_json_validation(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t  i;

    ngx_wholesale_write_text(w, "\"validation\": {");

    for (i = 0; i < NGX_WHOLESALE_METRICS_MEMBERS; i++) {
        ngx_wholesale_writef(w, "%s\"%V\": %uA", i ? ", " : "",
                             ngx_wholesale_metrics_member_name(i),
                             figures->sh->members[i]);
    }

    ngx_wholesale_write_text(w, "},\n");
}


static void
ngx_http_wholesale_json_upstream(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t  i;

    ngx_wholesale_write_text(w, "\"upstream\": {");

    for (i = 0; i < NGX_WHOLESALE_METRICS_CLASSES; i++) {
        ngx_wholesale_writef(w, "%s\"%V\": %uA", i ? ", " : "",
                             ngx_wholesale_metrics_class_name(i),
                             figures->sh->upstream[i]);
    }

    ngx_wholesale_write_text(w, "},\n");
}


static void
ngx_http_wholesale_json_durations(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t                      i, n;
    ngx_http_wholesale_histogram_t  histogram;

    ngx_wholesale_write_text(w, "\"durations\": {");

    for (i = 0; i < NGX_WHOLESALE_METRICS_DURATIONS; i++) {

        ngx_http_wholesale_histogram(figures, i, &histogram);

        ngx_wholesale_writef(w, "%s\"%V\": {\"count\": %uA, \"sum\": ",
                             i ? ",\n" : "",
                             ngx_wholesale_metrics_duration_name(i),
                             histogram.count[NGX_WHOLESALE_METRICS_BUCKETS
                                             - 1]);

        ngx_wholesale_write_seconds(w, histogram.sum);
        ngx_wholesale_write_text(w, ", \"buckets\": [");

        for (n = 0; n < NGX_WHOLESALE_METRICS_BUCKETS - 1; n++) {
            ngx_wholesale_write_text(w, "[");
            ngx_wholesale_write_seconds(w, ngx_wholesale_metrics_upper(n));
            ngx_wholesale_writef(w, ", %uA], ", histogram.count[n]);
        }

        ngx_wholesale_writef(w, "[null, %uA]]}", histogram.count[n]);
    }

    ngx_wholesale_write_text(w, "},\n");
}


static void
ngx_http_wholesale_json_redis(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t                        i;
    ngx_wholesale_redis_counters_t   *redis;
    ngx_wholesale_metrics_workers_t  *workers;

    if (figures->conf->redis == NULL) {
        ngx_wholesale_write_text(w, "\"redis\": null,\n");
        return;
    }

    redis = &figures->sh->redis;
    workers = &figures->workers;

    ngx_wholesale_writef(w, "\"redis\": {\"up\": %s, \"connected\": %ui, "
                         "\"breaker\": \"%s\", \"failures\": {",
                         workers->connected == workers->workers
                             ? "true" : "false",
                         workers->connected,
                         ngx_http_wholesale_breakers[workers->worst]);

    for (i = NGX_WHOLESALE_REDIS_OK + 1; i < NGX_WHOLESALE_REDIS_ERRORS; i++) {
        ngx_wholesale_writef(w, "%s\"%V\": %uA",
                             i == NGX_WHOLESALE_REDIS_OK + 1 ? "" : ", ",
                             ngx_wholesale_redis_error_name(i),
                             redis->replies[i]);
    }

    ngx_wholesale_writef(w, "}, \"declined\": %uA, \"opened\": %uA, "
                         "\"reconnects\": %uA, \"commands\": %uA},\n",
                         redis->declined, redis->opened, redis->reconnects,
                         redis->commands);
}


static void
ngx_http_wholesale_json_credentials(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t                   i;
    ngx_wholesale_credential_t  *credential;

    credential = figures->conf->credentials->elts;

    ngx_wholesale_write_text(w, "\"credentials\": {");

    for (i = 0; i < figures->conf->credentials->nelts; i++) {
        ngx_wholesale_writef(w, "%s\n", i ? "," : "");
        ngx_http_wholesale_json_credential(w, &credential[i]);
    }

    ngx_wholesale_write_text(w, "},\n");
}


static void
ngx_http_wholesale_json_credential(ngx_wholesale_writer_t *w,
    ngx_wholesale_credential_t *credential)
{
    ngx_wholesale_token_status_t        *status;
    ngx_http_wholesale_token_figures_t   token;

    ngx_http_wholesale_token_figures(credential, &token);

    status = &token.status;

    ngx_wholesale_write_json(w, credential->name.data, credential->name.len);

    ngx_wholesale_writef(w, ": {\"state\": \"%s\", \"used\": %s, "
                         "\"refreshing\": %s", token.state,
                         credential->used ? "true" : "false",
                         status->refreshing ? "true" : "false");

    ngx_http_wholesale_json_known(w, "expires", token.expires);
    ngx_http_wholesale_json_known(w, "refreshTokenExpires",
                                  token.refresh_token_expires);

    if (credential->sh) {
        ngx_wholesale_writef(w, ", \"refreshes\": {\"succeeded\": %ui, "
                             "\"failed\": %ui, \"final\": %ui}",
                             status->ended[NGX_WHOLESALE_TOKEN_FINE],
                             status->ended[NGX_WHOLESALE_TOKEN_PASSING],
                             status->ended[NGX_WHOLESALE_TOKEN_FINAL]);

    } else {
        ngx_wholesale_write_text(w, ", \"refreshes\": null");
    }

    ngx_wholesale_write_text(w, ", \"lastError\": ");

    if (status->error_len) {
        ngx_wholesale_write_json(w, status->error, status->error_len);

    } else {
        ngx_wholesale_write_text(w, "null");
    }

    ngx_wholesale_write_text(w, "}");
}
