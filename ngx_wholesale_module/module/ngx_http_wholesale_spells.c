
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


void
ngx_http_wholesale_log_over(ngx_http_wholesale_ctx_t *ctx,
    ngx_wholesale_metrics_spell_t *spell)
{
    if (!ngx_wholesale_metrics_spell(spell)) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                  "wholesale: tenant \"%s\" is over its limit \"%s\": %V and "
                  "what follows is refused with %ui",
                  ctx->tenant->name, ctx->refused->limit->name,
                  &ctx->tracking_id, ctx->refusal->status);
}


void
ngx_http_wholesale_log_within(ngx_http_wholesale_ctx_t *ctx,
    ngx_wholesale_metrics_spell_t *spell, const wholesale_limit_t *limit)
{
    ngx_uint_t  refused;

    refused = ngx_wholesale_metrics_spell_over(spell);

    if (refused == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ctx->request->connection->log, 0,
                  "wholesale: tenant \"%s\" is within its limit \"%s\" "
                  "again with %V, after %ui refusals",
                  ctx->tenant->name, limit->name, &ctx->tracking_id, refused);
}


void
ngx_http_wholesale_log_crowded(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_wholesale_module);

    if (!ngx_wholesale_metrics_spell(&wmcf->metrics.sh->crowded)) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "wholesale zone is too small for the counters of "
                  "tenant \"%s\": %V and others are refused",
                  ctx->tenant->name, &ctx->tracking_id);
}


void
ngx_http_wholesale_log_uncrowded(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_uint_t                       refused;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_wholesale_module);

    refused = ngx_wholesale_metrics_spell_over(&wmcf->metrics.sh->crowded);

    if (refused == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ctx->request->connection->log, 0,
                  "wholesale zone has room for counters again, after %ui "
                  "refusals", refused);
}


void
ngx_http_wholesale_log_subrequest(ngx_http_request_t *r)
{
    ngx_wholesale_metrics_spell_t   *spell;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    spell = &wmcf->metrics.sh->subrequests;

    /* a mistake in the configuration: it is not over, only seen again */

    (void) ngx_wholesale_metrics_spell_over(spell);

    if (!ngx_wholesale_metrics_spell(spell)) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "subrequests to guarded locations are refused, as this one "
                  "to \"%V\"", &r->uri);
}
