
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


#define NGX_HTTP_WHOLESALE_ZONE_SIZE  (16 * 1024 * 1024)
#define NGX_HTTP_WHOLESALE_ZONE_MIN   (8 * ngx_pagesize)

/* what tenants with figures of their own may take of it, one part of so many */
#define NGX_HTTP_WHOLESALE_ZONE_SHARE  2


static ngx_int_t ngx_http_wholesale_bound_tenants(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf);
static ngx_int_t ngx_http_wholesale_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_wholesale_check_kept(ngx_shm_zone_t *shm_zone);
static ngx_int_t ngx_http_wholesale_create_sh(
    ngx_http_wholesale_main_conf_t *wmcf);
static ngx_int_t ngx_http_wholesale_attach_metrics(
    ngx_http_wholesale_main_conf_t *wmcf, ngx_log_t *log);


char *
ngx_http_wholesale_zone_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *size = data;

    if (*size < (size_t) NGX_HTTP_WHOLESALE_ZONE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"wholesale_zone\" must be at least %uz bytes",
                           (size_t) NGX_HTTP_WHOLESALE_ZONE_MIN);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_wholesale_add_zone(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    static ngx_str_t  zone = ngx_string("wholesale");

    ngx_conf_init_size_value(wmcf->zone_size, NGX_HTTP_WHOLESALE_ZONE_SIZE);

    if (ngx_http_wholesale_bound_tenants(cf, wmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    wmcf->zone = ngx_shared_memory_add(cf, &zone, wmcf->zone_size,
                                       &ngx_http_wholesale_module);
    if (wmcf->zone == NULL) {
        return NGX_ERROR;
    }

    wmcf->zone->init = ngx_http_wholesale_init_zone;
    wmcf->zone->data = wmcf;

    wmcf->pool = cf->pool;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_bound_tenants(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    size_t  size;

    if (wmcf->status_tenants == NGX_CONF_UNSET) {
        wmcf->metrics.bound = ngx_wholesale_metrics_default(wmcf->zone_size);
        return NGX_OK;
    }

    size = sizeof(ngx_wholesale_metrics_tenant_sh_t);

    if ((size_t) wmcf->status_tenants
        > wmcf->zone_size / NGX_HTTP_WHOLESALE_ZONE_SHARE / size)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"wholesale_status_tenants\" is too many for a "
                           "\"wholesale_zone\" of %uz bytes: there is room "
                           "for %uz", wmcf->zone_size,
                           wmcf->zone_size / NGX_HTTP_WHOLESALE_ZONE_SHARE
                           / size);
        return NGX_ERROR;
    }

    wmcf->metrics.bound = wmcf->status_tenants;

    return NGX_OK;
}


/*
 * nginx hands the old zone over only if its size is the same; its layout is
 * that of the binary which made it.
 */

static ngx_int_t
ngx_http_wholesale_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_wholesale_main_conf_t  *owmcf = data;

    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = shm_zone->data;

    wmcf->counters.shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (owmcf) {
        wmcf->sh = owmcf->sh;

    } else if (shm_zone->shm.exists) {
        wmcf->sh = wmcf->counters.shpool->data;

    } else if (ngx_http_wholesale_check_kept(shm_zone) != NGX_OK
               || ngx_http_wholesale_create_sh(wmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    wmcf->counters.sh = wmcf->sh->counters;

    if (ngx_http_wholesale_attach_metrics(wmcf, shm_zone->shm.log) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_wholesale_attach_credentials(wmcf, shm_zone->shm.log);
}


/*
 * The new zone begins empty: a refresh token that is in the old one only would
 * be lost.  Until the reload is over the cycle is still the old one; at the
 * start there are no zones in it.
 */

static ngx_int_t
ngx_http_wholesale_check_kept(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t                i;
    ngx_shm_zone_t           *zone;
    ngx_list_part_t          *part;
    ngx_slab_pool_t          *shpool;
    ngx_http_wholesale_sh_t  *sh;

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (&zone[i] == shm_zone || zone[i].tag != shm_zone->tag) {
                continue;
            }

            shpool = (ngx_slab_pool_t *) zone[i].shm.addr;
            sh = shpool->data;

            if (ngx_wholesale_token_zone_keeps(&sh->tokens, shpool)) {
                ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                              "\"wholesale_zone\" cannot have another size "
                              "now: a refresh token is in memory only, see "
                              "\"advice\" of \"wholesale_ready\"");
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_create_sh(ngx_http_wholesale_main_conf_t *wmcf)
{
    ngx_slab_pool_t  *shpool;

    shpool = wmcf->counters.shpool;

    wmcf->sh = ngx_slab_alloc(shpool, sizeof(ngx_http_wholesale_sh_t));
    if (wmcf->sh == NULL) {
        return NGX_ERROR;
    }

    ngx_wholesale_token_zone_init(&wmcf->sh->tokens);

    wmcf->sh->counters = ngx_wholesale_counters_create(shpool);
    if (wmcf->sh->counters == NULL) {
        return NGX_ERROR;
    }

    wmcf->sh->metrics = ngx_wholesale_metrics_create(shpool, wmcf->zone_size,
                                                     wmcf->metrics.bound);
    if (wmcf->sh->metrics == NULL) {
        return NGX_ERROR;
    }

    shpool->data = wmcf->sh;

    /* a full zone is an everyday event: the oldest counters make room */

    shpool->log_nomem = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_attach_metrics(ngx_http_wholesale_main_conf_t *wmcf,
    ngx_log_t *log)
{
    ngx_uint_t                bound;
    ngx_wholesale_metrics_t  *metrics;

    metrics = &wmcf->metrics;

    metrics->sh = wmcf->sh->metrics;
    bound = metrics->bound;

    if (ngx_wholesale_metrics_attach(metrics, wmcf->tenants, wmcf->pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (bound > metrics->bound) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "\"wholesale_status_tenants\" stays at %ui until the "
                      "gateway is restarted or \"wholesale_zone\" changes",
                      metrics->bound);
    }

    return NGX_OK;
}
