
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


#define NGX_HTTP_WHOLESALE_MAX_BODY   (64 * 1024)

/* seconds */
#define NGX_HTTP_WHOLESALE_PAUSE_MAX  60


/* one step, and whether it comes before the body is read */

typedef struct {
    ngx_http_wholesale_step_pt   handler;
    ngx_uint_t                   access;
} ngx_http_wholesale_step_t;


static ngx_int_t ngx_http_wholesale_access_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_precontent_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_run_steps(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_uint_t access);
static ngx_int_t ngx_http_wholesale_still_refused(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_log_handler(ngx_http_request_t *r);

static void *ngx_http_wholesale_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_wholesale_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_wholesale_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_wholesale_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_wholesale_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_wholesale_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_wholesale_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_wholesale_init_process(ngx_cycle_t *cycle);
static void ngx_http_wholesale_exit_process(ngx_cycle_t *cycle);


/*
 * The way of a request.  What is marked as access runs in nginx's access
 * phase, after nginx's own modules there; nothing unauthenticated is ever
 * buffered.
 */

static ngx_http_wholesale_step_t  ngx_http_wholesale_steps[] = {
    { ngx_http_wholesale_route,         1 },    /* 404, 405 */
    { ngx_http_wholesale_identify,      1 },    /* 401 */
    { ngx_http_wholesale_authorise,     1 },    /* 403 */
    { ngx_http_wholesale_limit,         1 },    /* 429 */
    { ngx_http_wholesale_read_body,     0 },    /* 415, 413, 408 */
    { ngx_http_wholesale_validate,      0 },    /* 400, 403 */
    { ngx_http_wholesale_token,         0 },    /* 503 */
    { ngx_http_wholesale_rewrite,       0 },
    { NULL, 0 }
};


static ngx_conf_enum_t  ngx_http_wholesale_unknown_fields[] = {
    { ngx_string("allow"), NGX_HTTP_WHOLESALE_UNKNOWN_ALLOW },
    { ngx_string("reject"), NGX_HTTP_WHOLESALE_UNKNOWN_REJECT },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_wholesale_ratelimit_headers[] = {
    { ngx_string("off"), NGX_HTTP_WHOLESALE_RATELIMIT_OFF },
    { ngx_string("draft"), NGX_HTTP_WHOLESALE_RATELIMIT_DRAFT },
    { ngx_string("legacy"), NGX_HTTP_WHOLESALE_RATELIMIT_LEGACY },
    { ngx_string("both"), NGX_HTTP_WHOLESALE_RATELIMIT_BOTH },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_wholesale_zone_post = {
    ngx_http_wholesale_zone_size
};


static ngx_conf_num_bounds_t  ngx_http_wholesale_status_tenants_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_MAX_INT32_VALUE
};


static ngx_command_t  ngx_http_wholesale_commands[] = {

    { ngx_string("wholesale"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, enable),
      NULL },

    { ngx_string("wholesale_tenants"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_wholesale_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wholesale_main_conf_t, tenants_file),
      NULL },

    { ngx_string("wholesale_catalogue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_wholesale_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wholesale_main_conf_t, catalogue_file),
      NULL },

    { ngx_string("wholesale_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wholesale_main_conf_t, zone_size),
      &ngx_http_wholesale_zone_post },

    { ngx_string("wholesale_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_http_wholesale_redis_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wholesale_main_conf_t, redis_conf),
      NULL },

    { ngx_string("wholesale_credential"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_wholesale_credential_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wholesale_tenant"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, tenant),
      NULL },

    { ngx_string("wholesale_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, dry_run),
      NULL },

    { ngx_string("wholesale_passthrough"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, passthrough),
      NULL },

    { ngx_string("wholesale_unknown_fields"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, unknown_fields),
      ngx_http_wholesale_unknown_fields },

    { ngx_string("wholesale_max_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, max_body),
      NULL },

    { ngx_string("wholesale_ratelimit_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, ratelimit_headers),
      ngx_http_wholesale_ratelimit_headers },

    { ngx_string("wholesale_pause_max"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wholesale_loc_conf_t, pause_max),
      NULL },

    { ngx_string("wholesale_ready"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_wholesale_ready,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wholesale_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_wholesale_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wholesale_status_tenants"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wholesale_main_conf_t, status_tenants),
      &ngx_http_wholesale_status_tenants_bounds },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_wholesale_module_ctx = {
    ngx_http_wholesale_add_variables,      /* preconfiguration */
    ngx_http_wholesale_init,               /* postconfiguration */

    ngx_http_wholesale_create_main_conf,   /* create main configuration */
    ngx_http_wholesale_init_main_conf,     /* init main configuration */

    ngx_http_wholesale_create_srv_conf,    /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_wholesale_create_loc_conf,    /* create location configuration */
    ngx_http_wholesale_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_wholesale_module = {
    NGX_MODULE_V1,
    &ngx_http_wholesale_module_ctx,        /* module context */
    ngx_http_wholesale_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_wholesale_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_wholesale_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_wholesale_access_handler(ngx_http_request_t *r)
{
    ngx_http_wholesale_ctx_t       *ctx;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    if (!wlcf->enable) {
        return NGX_DECLINED;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {

        /*
         * The phase may still end with a refusal by all of nginx's modules,
         * which must not cost the tenant anything, or without us, when one
         * of them grants access; what they grant is not an identity.
         */

        return NGX_DECLINED;
    }

    ctx = ngx_http_wholesale_create_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_wholesale_run_steps(r, ctx, 1);
}


/* under "satisfy any" this is where the steps of the access phase run, too */

static ngx_int_t
ngx_http_wholesale_precontent_handler(ngx_http_request_t *r)
{
    ngx_http_wholesale_ctx_t       *ctx;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wholesale_module);

    if (!wlcf->enable) {
        return NGX_DECLINED;
    }

    if (r != r->main) {
        /* the access phase knows no subrequests: nobody has checked this one */

        ngx_http_wholesale_log_subrequest(r);

        return NGX_HTTP_FORBIDDEN;
    }

    ctx = ngx_http_wholesale_create_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_wholesale_run_steps(r, ctx, 0);
}


/*
 * Returns NGX_DECLINED, on which nginx goes on, NGX_DONE, or the status of a
 * refusal.  Never NGX_OK: in the access phase that would grant access in the
 * name of all modules.
 */

static ngx_int_t
ngx_http_wholesale_run_steps(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_uint_t access)
{
    ngx_int_t                   rc;
    ngx_http_wholesale_step_t  *step;

    if (ctx->spent) {
        return ngx_http_wholesale_still_refused(r, ctx);
    }

    if (!ctx->forwarded
        && (ctx->refusal || r->err_status
            || (ctx->body_started && !ctx->body_read)))
    {
        return ngx_http_wholesale_still_refused(r, ctx);
    }

    if (r->err_status) {
        ctx->error_page = 1;
    }

    for ( ;; ) {
        step = &ngx_http_wholesale_steps[ctx->step];

        if (step->handler == NULL) {
            ctx->forwarded = 1;
            ngx_http_wholesale_choose_headers(r, 1);
            return NGX_DECLINED;
        }

        if (access && !step->access) {
            return NGX_DECLINED;
        }

        rc = step->handler(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        ctx->step++;
    }
}


/*
 * An error page leads back to us.  What has been refused before all steps were
 * done, by us or by nginx, stays so: the body may have come in part only.  And
 * what was sent may have been accepted, whatever the answer is.  The answer
 * goes out here, for nginx would end a 408 without one.
 */

static ngx_int_t
ngx_http_wholesale_still_refused(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->spent) {
        rc = ctx->spent;

    } else if (ctx->refusal) {
        rc = ctx->refusal->status;

    } else {
        /* "error_page 400 = @name" has nginx forget the status */
        rc = r->err_status ? r->err_status : NGX_HTTP_BAD_REQUEST;
    }

    r->error_page = 1;

    ngx_http_finalize_request(r, ngx_http_special_response_handler(r, rc));

    return NGX_DONE;
}


static ngx_int_t
ngx_http_wholesale_log_handler(ngx_http_request_t *r)
{
    ngx_http_wholesale_srv_conf_t  *wscf;

    if (ngx_http_wholesale_is_refresh(r)) {

        /* "log_subrequest on", and the secrets are what was sent */

        r->request_body = NULL;

        return NGX_OK;
    }

    ngx_http_wholesale_account(r);

    wscf = ngx_http_get_module_srv_conf(r, ngx_http_wholesale_module);

    if (wscf->guarded) {
        ngx_http_wholesale_forget_credentials(r);
    }

    return NGX_OK;
}


static void *
ngx_http_wholesale_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_wholesale_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     wmcf->tenants_file = { 0, NULL };
     *     wmcf->tenants = NULL;
     *     wmcf->catalogue_file = { 0, NULL };
     *     wmcf->catalogue = NULL;
     *     wmcf->credentials = NULL;
     *     wmcf->zone = NULL;
     *     wmcf->sh = NULL;
     *     wmcf->configuration = 0;
     *     wmcf->pool = NULL;
     *     wmcf->ready = 0;
     *     wmcf->status = 0;
     *     wmcf->locations = NULL;
     *     wmcf->counters = { NULL, NULL };
     *     wmcf->metrics = { NULL, 0, 0, NULL, 0, NULL };
     *     wmcf->metrics_event = { 0 };
     *     wmcf->redis = NULL;
     *     wmcf->redis_conf = { 0 };
     */

    wmcf->zone_size = NGX_CONF_UNSET_SIZE;
    wmcf->status_tenants = NGX_CONF_UNSET;

    return wmcf;
}


static char *
ngx_http_wholesale_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_wholesale_main_conf_t  *wmcf = conf;

    if (wmcf->tenants_file.data == NULL) {
        return NGX_CONF_OK;
    }

    if (wmcf->credentials == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"wholesale_credential\" is defined for "
                           "\"wholesale_tenants\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_http_wholesale_load_catalogue(cf, wmcf) != NGX_OK
        || ngx_http_wholesale_load_tenants(cf, wmcf) != NGX_OK
        || ngx_http_wholesale_add_zone(cf, wmcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_wholesale_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_wholesale_srv_conf_t));
}


static void *
ngx_http_wholesale_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_wholesale_loc_conf_t  *wlcf;

    wlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_wholesale_loc_conf_t));
    if (wlcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     wlcf->tenant = NULL;
     */

    wlcf->enable = NGX_CONF_UNSET;
    wlcf->dry_run = NGX_CONF_UNSET;
    wlcf->passthrough = NGX_CONF_UNSET;
    wlcf->unknown_fields = NGX_CONF_UNSET_UINT;
    wlcf->max_body = NGX_CONF_UNSET_SIZE;
    wlcf->ratelimit_headers = NGX_CONF_UNSET_UINT;
    wlcf->pause_max = NGX_CONF_UNSET;

    return wlcf;
}


static char *
ngx_http_wholesale_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_wholesale_loc_conf_t  *prev = parent;
    ngx_http_wholesale_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_wholesale_srv_conf_t   *wscf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_value(conf->passthrough, prev->passthrough, 0);
    ngx_conf_merge_uint_value(conf->unknown_fields, prev->unknown_fields,
                              NGX_HTTP_WHOLESALE_UNKNOWN_ALLOW);
    ngx_conf_merge_size_value(conf->max_body, prev->max_body,
                              NGX_HTTP_WHOLESALE_MAX_BODY);
    ngx_conf_merge_uint_value(conf->ratelimit_headers,
                              prev->ratelimit_headers,
                              NGX_HTTP_WHOLESALE_RATELIMIT_BOTH);
    ngx_conf_merge_sec_value(conf->pause_max, prev->pause_max,
                             NGX_HTTP_WHOLESALE_PAUSE_MAX);

    if (conf->tenant == NULL) {
        conf->tenant = prev->tenant;
    }

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wholesale_module);

    if (ngx_http_wholesale_collect_location(cf, wmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (wmcf->tenants) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

        if (ngx_http_wholesale_redact_log(cf, clcf->error_log) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    if (wmcf->tenants == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"wholesale_tenants\" is defined "
                           "for \"wholesale on\"");
        return NGX_CONF_ERROR;
    }

    wscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_wholesale_module);

    wscf->guarded = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t  *value, *file;

    file = (ngx_str_t *) (p + cmd->offset);

    if (file->data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the name of a file";
    }

    *file = value[1];

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_wholesale_init(ngx_conf_t *cf)
{
    ngx_uint_t                       n;
    ngx_http_handler_pt             *h;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wholesale_module);

    if (ngx_http_wholesale_redis_init(cf, &wmcf->redis_conf) != NGX_OK) {
        return NGX_ERROR;
    }

    if ((wmcf->ready || wmcf->status) && wmcf->tenants == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"wholesale_tenants\" is defined "
                           "for \"wholesale_%s\"",
                           wmcf->ready ? "ready" : "status");
        return NGX_ERROR;
    }

    if (ngx_http_wholesale_check_locations(cf, wmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_wholesale_rewrite_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_wholesale_access_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_wholesale_precontent_handler;

    /* this phase runs in order, and the access log must not come before us */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.elts;
    n = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.nelts;

    ngx_memmove(&h[1], &h[0], (n - 1) * sizeof(ngx_http_handler_pt));

    h[0] = ngx_http_wholesale_log_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_wholesale_credential_t      *credential;
    ngx_http_wholesale_main_conf_t  *wmcf;

    /* the cache manager and loader come here too */

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wholesale_module);

    if (wmcf == NULL || wmcf->tenants == NULL) {
        return NGX_OK;
    }

    ngx_wholesale_token_zone_enter(&wmcf->sh->tokens, wmcf->counters.shpool,
                                   wmcf->configuration);

    credential = wmcf->credentials->elts;

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (ngx_wholesale_credential_watch(&credential[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (wmcf->redis_conf.redis.server.len) {
        wmcf->redis = ngx_wholesale_redis_create(cycle,
                                                 &wmcf->redis_conf.redis,
                                                 &wmcf->metrics.sh->redis);
        if (wmcf->redis == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_http_wholesale_start_metrics(wmcf, cycle);

    return NGX_OK;
}


static void
ngx_http_wholesale_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_wholesale_module);

    if (wmcf && wmcf->tenants) {
        ngx_wholesale_token_zone_leave(&wmcf->sh->tokens,
                                       wmcf->counters.shpool);
        ngx_wholesale_metrics_leave(&wmcf->metrics);
    }
}
