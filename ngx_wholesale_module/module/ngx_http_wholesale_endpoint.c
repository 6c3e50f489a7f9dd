
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/*
 * What is asked of locations can be looked at when all of them are merged only:
 * until then they are collected.
 */


typedef struct {
    ngx_http_core_srv_conf_t  *cscf;
    void                     **loc_conf;
} ngx_http_wholesale_location_t;


static ngx_int_t ngx_http_wholesale_check_next(ngx_conf_t *cf,
    ngx_http_wholesale_location_t *location);
static ngx_int_t ngx_http_wholesale_check_server(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf, ngx_http_core_srv_conf_t *cscf);
static ngx_int_t ngx_http_wholesale_check_endpoint(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf, ngx_http_core_srv_conf_t *cscf,
    ngx_wholesale_credential_t *credential);
static void **ngx_http_wholesale_find_location(
    ngx_http_wholesale_main_conf_t *wmcf, ngx_http_core_srv_conf_t *cscf,
    ngx_str_t *uri);
static ngx_int_t ngx_http_wholesale_check_replay(ngx_conf_t *cf,
    ngx_http_wholesale_location_t *location);
static ngx_http_upstream_conf_t *ngx_http_wholesale_find_proxy(ngx_conf_t *cf,
    ngx_http_wholesale_location_t *location);


ngx_int_t
ngx_http_wholesale_collect_location(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    ngx_http_conf_ctx_t            *ctx;
    ngx_http_wholesale_location_t  *location;

    if (wmcf->locations == NULL) {
        wmcf->locations = ngx_array_create(cf->temp_pool, 16,
                                       sizeof(ngx_http_wholesale_location_t));
        if (wmcf->locations == NULL) {
            return NGX_ERROR;
        }
    }

    location = ngx_array_push(wmcf->locations);
    if (location == NULL) {
        return NGX_ERROR;
    }

    ctx = cf->ctx;

    location->cscf = ngx_http_conf_get_module_srv_conf(cf,
                                                       ngx_http_core_module);
    location->loc_conf = ctx->loc_conf;

    return NGX_OK;
}


ngx_int_t
ngx_http_wholesale_check_locations(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    ngx_uint_t                       i, refreshed;
    ngx_http_core_srv_conf_t       **cscfp;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_wholesale_credential_t      *credential;
    ngx_http_wholesale_location_t   *location;

    if (wmcf->locations == NULL) {
        return NGX_OK;
    }

    location = wmcf->locations->elts;

    for (i = 0; i < wmcf->locations->nelts; i++) {

        if (ngx_http_wholesale_check_next(cf, &location[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    refreshed = 0;

    if (wmcf->tenants) {
        credential = wmcf->credentials->elts;

        for (i = 0; i < wmcf->credentials->nelts; i++) {
            refreshed |= (credential[i].token_endpoint.data != NULL);
        }
    }

    if (!refreshed) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        if (ngx_http_wholesale_check_server(cf, wmcf, cscfp[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < wmcf->locations->nelts; i++) {

        if (ngx_http_wholesale_check_replay(cf, &location[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * An update is as good as a PUT to nginx, which it sends to another peer, or
 * over another connection to the same one, although the first may have taken
 * it.  It is asked of whatever has a handler: that of the proxy module is not
 * known to others.
 */

static ngx_int_t
ngx_http_wholesale_check_next(ngx_conf_t *cf,
    ngx_http_wholesale_location_t *location)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_upstream_conf_t       *proxy;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    clcf = location->loc_conf[ngx_http_core_module.ctx_index];
    wlcf = location->loc_conf[ngx_http_wholesale_module.ctx_index];

    if (!wlcf->enable || clcf->handler == NULL) {
        return NGX_OK;
    }

    proxy = ngx_http_wholesale_find_proxy(cf, location);

    if (proxy == NULL || (proxy->next_upstream & NGX_HTTP_UPSTREAM_FT_OFF)) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "the guarded location \"%V\" of the server in %s:%ui may "
                  "send an update twice: it needs \"proxy_next_upstream off\", "
                  "which \"include wholesale_proxy.conf\" has",
                  &clcf->name, location->cscf->file_name,
                  location->cscf->line);

    return NGX_ERROR;
}


/* a guarded one refreshes what tenants use, and a readiness page everything */

static ngx_int_t
ngx_http_wholesale_check_server(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf, ngx_http_core_srv_conf_t *cscf)
{
    ngx_uint_t                      i;
    ngx_wholesale_credential_t     *credential;
    ngx_http_wholesale_srv_conf_t  *wscf;

    wscf = cscf->ctx->srv_conf[ngx_http_wholesale_module.ctx_index];

    credential = wmcf->credentials->elts;

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (credential[i].token_endpoint.data == NULL) {
            continue;
        }

        if (!wscf->ready && !(wscf->guarded && credential[i].used)) {
            continue;
        }

        if (ngx_http_wholesale_check_endpoint(cf, wmcf, cscf, &credential[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_check_endpoint(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf, ngx_http_core_srv_conf_t *cscf,
    ngx_wholesale_credential_t *credential)
{
    void                           **loc_conf;
    const char                      *wrong;
    ngx_str_t                       *uri;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_wholesale_loc_conf_t   *wlcf;

    uri = &credential->token_endpoint;

    loc_conf = ngx_http_wholesale_find_location(wmcf, cscf, uri);

    if (loc_conf == NULL) {
        wrong = "is not the path of any location";

    } else {
        clcf = loc_conf[ngx_http_core_module.ctx_index];
        wlcf = loc_conf[ngx_http_wholesale_module.ctx_index];

        if (!clcf->internal) {
            wrong = "is a location that is not \"internal\"";

        } else if (wlcf->enable) {
            wrong = "is a location with \"wholesale on\"";

        } else if (clcf->handler == NULL) {
            wrong = "is a location without a \"proxy_pass\"";

        } else {
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "the \"token_endpoint\" of wholesale_credential \"%V\" %s "
                  "in the server in %s:%ui, which needs \"location = %V { "
                  "internal; wholesale off; ... }\" that passes on to the "
                  "endpoint", &credential->name, wrong, cscf->file_name,
                  cscf->line, uri);

    return NGX_ERROR;
}


/* by its very path; where another one serves it, that is seen at run time */

static void **
ngx_http_wholesale_find_location(ngx_http_wholesale_main_conf_t *wmcf,
    ngx_http_core_srv_conf_t *cscf, ngx_str_t *uri)
{
    void                           **found;
    ngx_uint_t                       i;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_wholesale_location_t   *location;

    found = NULL;
    location = wmcf->locations->elts;

    for (i = 0; i < wmcf->locations->nelts; i++) {
        clcf = location[i].loc_conf[ngx_http_core_module.ctx_index];

        if (location[i].cscf != cscf || clcf->noname || clcf->named
#if (NGX_PCRE)
            || clcf->regex
#endif
            || clcf->name.len != uri->len
            || ngx_strncmp(clcf->name.data, uri->data, uri->len) != 0)
        {
            continue;
        }

        if (clcf->exact_match) {
            return location[i].loc_conf;
        }

        found = location[i].loc_conf;
    }

    return found;
}


/*
 * An error page that nginx puts in the place of Webex's 401 comes before all
 * filters: nobody would see that the token was rejected.
 */

static ngx_int_t
ngx_http_wholesale_check_replay(ngx_conf_t *cf,
    ngx_http_wholesale_location_t *location)
{
    ngx_uint_t                      i;
    ngx_http_err_page_t            *page;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_upstream_conf_t       *proxy;
    ngx_http_wholesale_loc_conf_t  *wlcf;

    clcf = location->loc_conf[ngx_http_core_module.ctx_index];
    wlcf = location->loc_conf[ngx_http_wholesale_module.ctx_index];

    proxy = ngx_http_wholesale_find_proxy(cf, location);

    if (!wlcf->enable || clcf->error_pages == NULL || proxy == NULL
        || proxy->intercept_errors != 1)
    {
        return NGX_OK;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {

        if (page[i].status != NGX_HTTP_UNAUTHORIZED) {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"error_page 401\" with \"proxy_intercept_errors on\" "
                      "in the guarded location \"%V\" of the server in "
                      "%s:%ui hides that Webex rejects a token, which then is "
                      "not refreshed: leave 401 out, or turn "
                      "\"proxy_intercept_errors\" off",
                      &clcf->name, location->cscf->file_name,
                      location->cscf->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what the proxy module is told of upstreams there; NULL: there is no such */

static ngx_http_upstream_conf_t *
ngx_http_wholesale_find_proxy(ngx_conf_t *cf,
    ngx_http_wholesale_location_t *location)
{
    ngx_uint_t     i;
    ngx_module_t  *module;

    for (i = 0; cf->cycle->modules[i]; i++) {
        module = cf->cycle->modules[i];

        if (ngx_strcmp(module->name, "ngx_http_proxy_module") == 0) {

            /* this is how its configuration begins */

            return location->loc_conf[module->ctx_index];
        }
    }

    return NULL;
}
