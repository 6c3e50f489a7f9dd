
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* room for one credential beside its name, and for everything else */
#define NGX_HTTP_WHOLESALE_READY_CREDENTIAL  1024
#define NGX_HTTP_WHOLESALE_READY_REST        512


typedef struct {
    u_char      *p;
    u_char      *last;
    ngx_uint_t   ready;
} ngx_http_wholesale_ready_t;


static ngx_int_t ngx_http_wholesale_ready_handler(ngx_http_request_t *r);
static void ngx_http_wholesale_ready_redis(ngx_http_wholesale_ready_t *page,
    ngx_http_wholesale_main_conf_t *wmcf);
static void ngx_http_wholesale_ready_credential(
    ngx_http_wholesale_ready_t *page, ngx_wholesale_credential_t *credential);
static void ngx_http_wholesale_ready_advice(ngx_http_wholesale_ready_t *page,
    ngx_wholesale_token_status_t *status);
static void ngx_http_wholesale_ready_seconds(ngx_http_wholesale_ready_t *page,
    const char *name, int64_t until);
static ngx_int_t ngx_http_wholesale_ready_send(ngx_http_request_t *r,
    ngx_http_wholesale_ready_t *page, ngx_buf_t *b);


char *
ngx_http_wholesale_ready(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wholesale_loc_conf_t *wlcf = conf;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_wholesale_srv_conf_t   *wscf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_wholesale_ready_handler;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wholesale_module);
    wmcf->ready = 1;

    wscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_wholesale_module);
    wscf->ready = 1;

    /* a page of ours, which "wholesale on" further out is not about */

    if (wlcf->enable == NGX_CONF_UNSET) {
        wlcf->enable = 0;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_wholesale_ready_handler(ngx_http_request_t *r)
{
    size_t                           size;
    ngx_int_t                        rc;
    ngx_buf_t                       *b;
    ngx_uint_t                       i;
    ngx_wholesale_credential_t      *credential;
    ngx_http_wholesale_ready_t       page;
    ngx_http_wholesale_main_conf_t  *wmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

    credential = wmcf->credentials->elts;

    size = NGX_HTTP_WHOLESALE_READY_REST;

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        /* a probe is what renews a token that nobody else asks for */

        ngx_http_wholesale_drive_token(r, &credential[i]);

        size += NGX_HTTP_WHOLESALE_READY_CREDENTIAL
                + 6 * credential[i].name.len;
    }

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    page.p = b->pos;
    page.last = b->end;
    page.ready = 1;

    page.p = ngx_slprintf(page.p, page.last, "{\"tenants\": %uz, \"redis\": ",
                          wholesale_tenants_count(wmcf->tenants));

    ngx_http_wholesale_ready_redis(&page, wmcf);

    page.p = ngx_slprintf(page.p, page.last, ", \"credentials\": [");

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (i) {
            page.p = ngx_slprintf(page.p, page.last, ", ");
        }

        ngx_http_wholesale_ready_credential(&page, &credential[i]);
    }

    page.p = ngx_slprintf(page.p, page.last, "], \"ready\": %s}\n",
                          page.ready ? "true" : "false");

    b->last = page.p;

    return ngx_http_wholesale_ready_send(r, &page, b);
}


/* as this worker sees it */

static void
ngx_http_wholesale_ready_redis(ngx_http_wholesale_ready_t *page,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    ngx_wholesale_redis_error_e  error;

    if (wmcf->redis == NULL) {
        page->p = ngx_slprintf(page->p, page->last, "null");
        return;
    }

    /* half-open, it has not yet answered what requests ask */

    if (ngx_wholesale_redis_connected(wmcf->redis)
        && ngx_wholesale_redis_breaker(wmcf->redis)
           == NGX_WHOLESALE_REDIS_BREAKER_CLOSED)
    {
        page->p = ngx_slprintf(page->p, page->last,
                               "{\"state\": \"connected\"}");
        return;
    }

    error = ngx_wholesale_redis_last_error(wmcf->redis);

    if (error == NGX_WHOLESALE_REDIS_OK) {
        /* it is being connected for the first time */
        page->p = ngx_slprintf(page->p, page->last,
                               "{\"state\": \"down\", \"last_error\": null}");

    } else {
        page->p = ngx_slprintf(page->p, page->last,
                               "{\"state\": \"down\", \"last_error\": \"%V\"}",
                               ngx_wholesale_redis_error_name(error));
    }

    /* then nothing is let in */

    if (wmcf->redis_conf.on_failure == NGX_HTTP_WHOLESALE_REDIS_DENY) {
        page->ready = 0;
    }
}


static void
ngx_http_wholesale_ready_credential(ngx_http_wholesale_ready_t *page,
    ngx_wholesale_credential_t *credential)
{
    u_char                        *p;
    ngx_uint_t                     live;
    ngx_wholesale_token_status_t   status;

    live = ngx_wholesale_token_live(credential, 0);

    ngx_wholesale_token_status(credential, &status);

    if (!live && credential->used) {
        page->ready = 0;
    }

    p = ngx_slprintf(page->p, page->last, "{\"name\": \"");
    p = (u_char *) ngx_escape_json(p, credential->name.data,
                                   credential->name.len);
    page->p = ngx_slprintf(p, page->last,
                           "\", \"state\": \"%s\", \"used\": %s, "
                           "\"refreshing\": %s",
                           ngx_http_wholesale_token_state(&status, live),
                           credential->used ? "true" : "false",
                           status.refreshing ? "true" : "false");

    ngx_http_wholesale_ready_seconds(page, "expires_in", status.expires);
    ngx_http_wholesale_ready_seconds(page, "refresh_token_expires_in",
                                     status.refresh_token_expires);

    if (status.error_len) {
        p = ngx_slprintf(page->p, page->last, ", \"last_error\": \"");
        p = (u_char *) ngx_escape_json(p, status.error, status.error_len);
        page->p = ngx_slprintf(p, page->last, "\"");

    } else {
        page->p = ngx_slprintf(page->p, page->last, ", \"last_error\": null");
    }

    if (status.wait) {
        page->p = ngx_slprintf(page->p, page->last, ", \"next_try_in\": %M",
                               (status.wait + 999) / 1000);
    }

    ngx_http_wholesale_ready_advice(page, &status);

    page->p = ngx_slprintf(page->p, page->last, "}");
}


const char *
ngx_http_wholesale_token_state(ngx_wholesale_token_status_t *status,
    ngx_uint_t live)
{
    if (live) {
        return "live";
    }

    if (status->failure == NGX_WHOLESALE_TOKEN_FINAL) {
        return "refused";
    }

    return status->expires ? "expired" : "missing";
}


/* what a person has to do, if there is anything */

static void
ngx_http_wholesale_ready_advice(ngx_http_wholesale_ready_t *page,
    ngx_wholesale_token_status_t *status)
{
    if (status->failure == NGX_WHOLESALE_TOKEN_FINAL) {
        page->p = ngx_slprintf(page->p, page->last,
               ", \"advice\": \"authorise anew, and put the new refresh token "
               "into refresh_token_file, or the right secret into "
               "client_secret_file; it is taken up without a reload; or mend "
               "the location of token_endpoint, and reload\"");

    } else if (status->unsaved) {
        page->p = ngx_slprintf(page->p, page->last,
               ", \"advice\": \"refresh_token_file %*s: mend that (the workers "
               "have to be able to write into its folder); until then the "
               "newest refresh token is in memory only, and is lost when the "
               "gateway stops\"", status->trouble_len, status->trouble);
    }
}


static void
ngx_http_wholesale_ready_seconds(ngx_http_wholesale_ready_t *page,
    const char *name, int64_t until)
{
    if (until == 0) {
        page->p = ngx_slprintf(page->p, page->last, ", \"%s\": null", name);
        return;
    }

    page->p = ngx_slprintf(page->p, page->last, ", \"%s\": %L", name,
                    ngx_max(until - ngx_wholesale_token_now(), 0) / 1000);
}


static ngx_int_t
ngx_http_wholesale_ready_send(ngx_http_request_t *r,
    ngx_http_wholesale_ready_t *page, ngx_buf_t *b)
{
    ngx_int_t         rc;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    r->headers_out.status = page->ready ? NGX_HTTP_OK
                                        : NGX_HTTP_SERVICE_UNAVAILABLE;
    r->headers_out.content_length_n = b->last - b->pos;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
