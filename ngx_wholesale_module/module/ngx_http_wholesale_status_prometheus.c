
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_http_wholesale_status.h>


/* of each series, the last ones of each of its limits */

typedef enum {
    NGX_HTTP_WHOLESALE_SERIES_REQUESTS = 0,
    NGX_HTTP_WHOLESALE_SERIES_PAUSED,
    NGX_HTTP_WHOLESALE_LIMIT_REFUSED,
    NGX_HTTP_WHOLESALE_LIMIT_NEAR,
    NGX_HTTP_WHOLESALE_LIMIT_DRY_RUN,
    NGX_HTTP_WHOLESALE_LIMIT_QUOTA,
    NGX_HTTP_WHOLESALE_LIMIT_REMAINING,
    NGX_HTTP_WHOLESALE_LIMIT_RESET
} ngx_http_wholesale_series_figure_e;


typedef struct {
    ngx_http_wholesale_series_figure_e   figure;
    const char                         *name;
    const char                         *type;
    const char                         *help;
} ngx_http_wholesale_series_family_t;


/* a gauge of credentials, one of ngx_http_wholesale_token_figures_t */

typedef struct {
    size_t                              offset;
    const char                         *name;
    const char                         *help;
} ngx_http_wholesale_credential_family_t;


static void ngx_http_wholesale_family(ngx_wholesale_writer_t *w,
    const char *name, const char *type, const char *help);
static void ngx_http_wholesale_one(ngx_wholesale_writer_t *w,
    const char *name, const char *type, const char *help,
    ngx_atomic_uint_t number);
static void ngx_http_wholesale_prometheus_gateway(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_prometheus_series(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series, ngx_uint_t first,
    const ngx_http_wholesale_series_family_t *family);
static void ngx_http_wholesale_prometheus_limits(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series,
    const ngx_http_wholesale_series_family_t *family);
static int64_t ngx_http_wholesale_limit_figure(
    ngx_http_wholesale_series_t *series, ngx_uint_t n,
    ngx_http_wholesale_series_figure_e figure);
static void ngx_http_wholesale_prometheus_names(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_prometheus_duration(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures,
    ngx_wholesale_metrics_duration_e duration, const char *help);
static void ngx_http_wholesale_prometheus_redis(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_prometheus_credentials(
    ngx_wholesale_writer_t *w, ngx_http_wholesale_figures_t *figures);
static void ngx_http_wholesale_prometheus_refreshes(
    ngx_wholesale_writer_t *w, ngx_wholesale_credential_t *credential,
    ngx_wholesale_token_status_t *status);


static const ngx_http_wholesale_series_family_t
    ngx_http_wholesale_series_families[] = {
    { NGX_HTTP_WHOLESALE_SERIES_REQUESTS,
      "wholesale_requests_total", "counter",
      "Requests by what came of them." },

    { NGX_HTTP_WHOLESALE_SERIES_PAUSED,
      "wholesale_paused_total", "counter",
      "Requests refused as Webex had asked for a pause." },

    { NGX_HTTP_WHOLESALE_LIMIT_REFUSED,
      "wholesale_refusals_total", "counter",
      "Requests that a limit refused." },

    { NGX_HTTP_WHOLESALE_LIMIT_NEAR,
      "wholesale_near_limit_total", "counter",
      "Admitted requests that left 20 % or less of a limit." },

    { NGX_HTTP_WHOLESALE_LIMIT_DRY_RUN,
      "wholesale_dry_run_refusals_total", "counter",
      "Requests that a limit would have refused, but for the dry run." },

    { NGX_HTTP_WHOLESALE_LIMIT_QUOTA,
      "wholesale_limit_quota", "gauge",
      "Requests that a limit lets in at once." },

    { NGX_HTTP_WHOLESALE_LIMIT_REMAINING,
      "wholesale_limit_remaining", "gauge",
      "Requests that a limit would still let in, as last seen." },

    { NGX_HTTP_WHOLESALE_LIMIT_RESET,
      "wholesale_limit_reset_seconds", "gauge",
      "Time until a limit that is left alone is whole again." }
};


static const ngx_http_wholesale_credential_family_t
    ngx_http_wholesale_credential_families[] = {
    { offsetof(ngx_http_wholesale_token_figures_t, live),
      "wholesale_credential_live",
      "Whether there is a token that can be used." },

    { offsetof(ngx_http_wholesale_token_figures_t, used),
      "wholesale_credential_used",
      "Whether some enabled tenant needs it." },

    { offsetof(ngx_http_wholesale_token_figures_t, expires),
      "wholesale_credential_expiry_seconds",
      "Time that the token lives on." },

    { offsetof(ngx_http_wholesale_token_figures_t, refresh_token_expires),
      "wholesale_credential_refresh_token_expiry_seconds",
      "Time that the refresh token lives on." },

    { 0, NULL, NULL }
};


/* all of one family stand together: the position goes through each in turn */

void
ngx_http_wholesale_status_prometheus(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t  i, last, nfamilies;

    nfamilies = sizeof(ngx_http_wholesale_series_families)
                / sizeof(ngx_http_wholesale_series_family_t);

    if (figures->position == 0) {
        ngx_http_wholesale_prometheus_gateway(w, figures);
    }

    last = ngx_min(figures->position + NGX_HTTP_WHOLESALE_STATUS_PIECE,
                   nfamilies * figures->nseries);

    for ( /* void */ ; figures->position < last; figures->position++) {
        i = figures->position % figures->nseries;

        ngx_http_wholesale_prometheus_series(w, &figures->series[i], i == 0,
             &ngx_http_wholesale_series_families[figures->position
                                                 / figures->nseries]);
    }

    figures->unfinished = (figures->position < nfamilies * figures->nseries);

    if (figures->unfinished) {
        return;
    }

    ngx_http_wholesale_prometheus_names(w, figures);

    ngx_http_wholesale_prometheus_duration(w, figures,
                                           NGX_WHOLESALE_METRICS_REQUEST,
                                           "Time that a request took.");
    ngx_http_wholesale_prometheus_duration(w, figures,
                                           NGX_WHOLESALE_METRICS_REDIS,
                                           "Time that a request waited for "
                                           "Redis.");
    ngx_http_wholesale_prometheus_duration(w, figures,
                                           NGX_WHOLESALE_METRICS_UPSTREAM,
                                           "Time that Webex took for an "
                                           "answer.");

    ngx_http_wholesale_prometheus_redis(w, figures);
    ngx_http_wholesale_prometheus_credentials(w, figures);
}


static void
ngx_http_wholesale_prometheus_gateway(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_http_wholesale_family(w, "wholesale_build_info", "gauge",
                              "The gateway's version, and nginx's.");
    ngx_wholesale_writef(w, "wholesale_build_info{version=\"%s\","
                         "nginx=\"%s\"} 1\n",
                         NGX_HTTP_WHOLESALE_VERSION, NGINX_VERSION);

    ngx_http_wholesale_one(w, "wholesale_start_time_seconds", "gauge",
                           "When the counters were zero, since the epoch.",
                           figures->sh->started);
    ngx_http_wholesale_one(w, "wholesale_workers", "gauge",
                           "Worker processes of this configuration.",
                           figures->workers.workers);
    ngx_http_wholesale_one(w, "wholesale_tenants", "gauge",
                           "Tenants that are configured.",
                           figures->conf->metrics.ntenants);
    ngx_http_wholesale_one(w, "wholesale_zone_size_bytes", "gauge",
                           "Size of the zone that the workers share.",
                           figures->zone_size);
    ngx_http_wholesale_one(w, "wholesale_zone_used_bytes", "gauge",
                           "Pages of the zone that are in use.",
                           figures->zone_used);
}


static void
ngx_http_wholesale_family(ngx_wholesale_writer_t *w, const char *name,
    const char *type, const char *help)
{
    ngx_wholesale_writef(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                         type);
}


static void
ngx_http_wholesale_one(ngx_wholesale_writer_t *w, const char *name,
    const char *type, const char *help, ngx_atomic_uint_t number)
{
    ngx_http_wholesale_family(w, name, type, help);
    ngx_wholesale_writef(w, "%s %uA\n", name, number);
}


static void
ngx_http_wholesale_prometheus_series(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series, ngx_uint_t first,
    const ngx_http_wholesale_series_family_t *family)
{
    ngx_uint_t  n;

    if (first) {
        ngx_http_wholesale_family(w, family->name, family->type, family->help);
    }

    switch (family->figure) {

    case NGX_HTTP_WHOLESALE_SERIES_REQUESTS:

        for (n = 0; n < NGX_WHOLESALE_METRICS_OUTCOMES; n++) {
            ngx_wholesale_writef(w, "%s{tenant=\"%s\",outcome=\"%V\"} %uA\n",
                                 family->name, series->name,
                                 ngx_wholesale_metrics_outcome_name(n),
                                 series->sh->outcomes[n]);
        }

        break;

    case NGX_HTTP_WHOLESALE_SERIES_PAUSED:

        ngx_wholesale_writef(w, "%s{tenant=\"%s\"} %uA\n", family->name,
                             series->name, series->sh->paused);
        break;

    default:
        ngx_http_wholesale_prometheus_limits(w, series, family);
    }
}


static void
ngx_http_wholesale_prometheus_limits(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_series_t *series,
    const ngx_http_wholesale_series_family_t *family)
{
    int64_t     figure;
    ngx_uint_t  n, nlimits;

    nlimits = ngx_http_wholesale_series_nlimits(series);

    for (n = 0; n < nlimits; n++) {

        figure = ngx_http_wholesale_limit_figure(series, n, family->figure);

        if (figure == NGX_WHOLESALE_METRICS_UNKNOWN) {
            continue;
        }

        ngx_wholesale_writef(w, "%s{tenant=\"%s\",limit=\"%s\"} %L\n",
                             family->name, series->name,
                             ngx_http_wholesale_series_limit_name(series, n),
                             figure);
    }
}


static int64_t
ngx_http_wholesale_limit_figure(ngx_http_wholesale_series_t *series,
    ngx_uint_t n, ngx_http_wholesale_series_figure_e figure)
{
    const wholesale_limit_t           *limit;
    ngx_wholesale_metrics_gauge_t      gauge;
    ngx_wholesale_metrics_limit_sh_t  *sh;

    sh = ngx_http_wholesale_series_limit(series, n);

    switch (figure) {

    case NGX_HTTP_WHOLESALE_LIMIT_REFUSED:
        return sh->refused;

    case NGX_HTTP_WHOLESALE_LIMIT_NEAR:
        return sh->near;

    case NGX_HTTP_WHOLESALE_LIMIT_DRY_RUN:
        return sh->dry_run;

    default:
        break;
    }

    if (series->tenant == NULL) {
        return NGX_WHOLESALE_METRICS_UNKNOWN;
    }

    limit = &series->tenant->limits[n];

    if (figure == NGX_HTTP_WHOLESALE_LIMIT_QUOTA) {
        return limit->quota;
    }

    ngx_wholesale_metrics_gauge(sh, limit, &gauge);

    return figure == NGX_HTTP_WHOLESALE_LIMIT_REMAINING ? gauge.remaining
                                                        : gauge.reset;
}


static void
ngx_http_wholesale_prometheus_names(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t  i;

    ngx_http_wholesale_family(w, "wholesale_validation_problems_total",
                              "counter",
                              "What was wrong with updates, by member.");

    for (i = 0; i < NGX_WHOLESALE_METRICS_MEMBERS; i++) {
        ngx_wholesale_writef(w, "wholesale_validation_problems_total"
                             "{member=\"%V\"} %uA\n",
                             ngx_wholesale_metrics_member_name(i),
                             figures->sh->members[i]);
    }

    ngx_http_wholesale_family(w, "wholesale_upstream_responses_total",
                              "counter",
                              "What Webex answered, by class of status.");

    for (i = 0; i < NGX_WHOLESALE_METRICS_CLASSES; i++) {
        ngx_wholesale_writef(w, "wholesale_upstream_responses_total"
                             "{class=\"%V\"} %uA\n",
                             ngx_wholesale_metrics_class_name(i),
                             figures->sh->upstream[i]);
    }
}


static void
ngx_http_wholesale_prometheus_duration(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures,
    ngx_wholesale_metrics_duration_e duration, const char *help)
{
    ngx_str_t                       *name;
    ngx_uint_t                       i;
    ngx_http_wholesale_histogram_t   histogram;

    name = ngx_wholesale_metrics_duration_name(duration);

    ngx_http_wholesale_histogram(figures, duration, &histogram);

    ngx_wholesale_writef(w, "# HELP wholesale_%V_duration_seconds %s\n"
                         "# TYPE wholesale_%V_duration_seconds histogram\n",
                         name, help, name);

    for (i = 0; i < NGX_WHOLESALE_METRICS_BUCKETS - 1; i++) {
        ngx_wholesale_writef(w, "wholesale_%V_duration_seconds_bucket{le=\"",
                             name);
        ngx_wholesale_write_seconds(w, ngx_wholesale_metrics_upper(i));
        ngx_wholesale_writef(w, "\"} %uA\n", histogram.count[i]);
    }

    ngx_wholesale_writef(w, "wholesale_%V_duration_seconds_bucket"
                         "{le=\"+Inf\"} %uA\n"
                         "wholesale_%V_duration_seconds_sum ",
                         name, histogram.count[i], name);
    ngx_wholesale_write_seconds(w, histogram.sum);
    ngx_wholesale_writef(w, "\nwholesale_%V_duration_seconds_count %uA\n",
                         name, histogram.count[i]);
}


static void
ngx_http_wholesale_prometheus_redis(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    ngx_uint_t                        i;
    ngx_wholesale_redis_counters_t   *redis;
    ngx_wholesale_metrics_workers_t  *workers;

    if (figures->conf->redis == NULL) {
        return;
    }

    redis = &figures->sh->redis;
    workers = &figures->workers;

    ngx_http_wholesale_one(w, "wholesale_redis_up", "gauge",
                           "Whether every worker has a connection to Redis.",
                           workers->connected == workers->workers);
    ngx_http_wholesale_one(w, "wholesale_redis_connected_workers", "gauge",
                           "Workers that have a connection to Redis.",
                           workers->connected);
    ngx_http_wholesale_one(w, "wholesale_redis_breaker_open", "gauge",
                           "Whether some worker does without Redis.",
                       workers->worst >= NGX_WHOLESALE_METRICS_REDIS_HALF_OPEN);

    ngx_http_wholesale_family(w, "wholesale_redis_failures_total", "counter",
                              "Commands without an answer, or with an error, "
                              "and connections that failed, by reason.");

    for (i = NGX_WHOLESALE_REDIS_OK + 1; i < NGX_WHOLESALE_REDIS_ERRORS; i++) {
        ngx_wholesale_writef(w, "wholesale_redis_failures_total"
                             "{reason=\"%V\"} %uA\n",
                             ngx_wholesale_redis_error_name(i),
                             redis->replies[i]);
    }

    ngx_http_wholesale_one(w, "wholesale_redis_declined_total", "counter",
                           "Commands that were not sent, as Redis was known "
                           "not to answer.", redis->declined);
    ngx_http_wholesale_one(w, "wholesale_redis_breaker_opened_total",
                           "counter",
                           "Times that a worker began to do without Redis.",
                           redis->opened);
    ngx_http_wholesale_one(w, "wholesale_redis_reconnects_total", "counter",
                           "Connections to Redis after a worker's first.",
                           redis->reconnects);
    ngx_http_wholesale_one(w, "wholesale_redis_commands_total", "counter",
                           "Commands for Redis.", redis->commands);
}


static void
ngx_http_wholesale_prometheus_credentials(ngx_wholesale_writer_t *w,
    ngx_http_wholesale_figures_t *figures)
{
    int64_t                                        *number;
    ngx_uint_t                                      i, n;
    ngx_wholesale_credential_t                     *credential;
    ngx_http_wholesale_token_figures_t             *token;
    const ngx_http_wholesale_credential_family_t   *family;

    n = figures->conf->credentials->nelts;
    credential = figures->conf->credentials->elts;

    token = ngx_palloc(w->pool,
                       n * sizeof(ngx_http_wholesale_token_figures_t));
    if (token == NULL) {
        w->failed = 1;
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_http_wholesale_token_figures(&credential[i], &token[i]);
    }

    for (family = ngx_http_wholesale_credential_families;
         family->name;
         family++)
    {
        ngx_http_wholesale_family(w, family->name, "gauge", family->help);

        for (i = 0; i < n; i++) {
            number = (int64_t *) ((u_char *) &token[i] + family->offset);

            if (*number == NGX_WHOLESALE_METRICS_UNKNOWN) {
                continue;
            }

            ngx_wholesale_writef(w, "%s{credential=", family->name);
            ngx_wholesale_write_label(w, credential[i].name.data,
                                      credential[i].name.len);
            ngx_wholesale_writef(w, "} %L\n", *number);
        }
    }

    ngx_http_wholesale_family(w, "wholesale_credential_refreshes_total",
                              "counter", "Refreshes by how they ended.");

    for (i = 0; i < n; i++) {
        if (credential[i].sh) {
            ngx_http_wholesale_prometheus_refreshes(w, &credential[i],
                                                    &token[i].status);
        }
    }
}


static void
ngx_http_wholesale_prometheus_refreshes(ngx_wholesale_writer_t *w,
    ngx_wholesale_credential_t *credential,
    ngx_wholesale_token_status_t *status)
{
    ngx_uint_t  i;

    /* in the order of ngx_wholesale_token_failure_e */

    static const char  *results[] = { "succeeded", "failed", "final" };

    for (i = 0; i <= NGX_WHOLESALE_TOKEN_FINAL; i++) {
        ngx_wholesale_write_text(w, "wholesale_credential_refreshes_total"
                                    "{credential=");
        ngx_wholesale_write_label(w, credential->name.data,
                                  credential->name.len);
        ngx_wholesale_writef(w, ",result=\"%s\"} %ui\n", results[i],
                             status->ended[i]);
    }
}
