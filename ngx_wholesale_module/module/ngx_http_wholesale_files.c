
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


#define NGX_HTTP_WHOLESALE_CATALOGUE_MAX  (1024 * 1024)


typedef struct {
    ngx_conf_t  *cf;
    ngx_str_t   *file;
} ngx_http_wholesale_mistakes_t;


static ngx_uint_t ngx_http_wholesale_may_be_json(ngx_str_t *text);
static ngx_int_t ngx_http_wholesale_read_file(ngx_conf_t *cf, ngx_str_t *file,
    off_t max, ngx_str_t *text);
static void ngx_http_wholesale_mistake(void *data, const char *path,
    const char *sentence);
static void ngx_http_wholesale_tenants_cleanup(void *data);
static int ngx_http_wholesale_has_package(void *data, const char *name,
    size_t len);
static int ngx_http_wholesale_has_credential(void *data, const char *name);


ngx_int_t
ngx_http_wholesale_load_tenants(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    size_t                          i, n;
    ngx_str_t                       text;
    ngx_pool_cleanup_t             *cln;
    wholesale_tenants_known_t       known;
    const wholesale_tenant_t       *tenant;
    ngx_wholesale_credential_t     *credential;
    ngx_http_wholesale_mistakes_t   mistakes;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_wholesale_read_file(cf, &wmcf->tenants_file,
                                     WHOLESALE_TENANTS_TEXT_MAX, &text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mistakes.cf = cf;
    mistakes.file = &wmcf->tenants_file;

    known.package = ngx_http_wholesale_has_package;
    known.credential = ngx_http_wholesale_has_credential;
    known.data = wmcf;

    wmcf->tenants = wholesale_tenants_parse((char *) text.data, text.len,
                                            &known, ngx_http_wholesale_mistake,
                                            &mistakes);
    ngx_free(text.data);

    if (wmcf->tenants == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the tenants file \"%V\" was not loaded",
                           &wmcf->tenants_file);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_wholesale_tenants_cleanup;
    cln->data = wmcf->tenants;

    n = wholesale_tenants_count(wmcf->tenants);

    for (i = 0; i < n; i++) {
        tenant = wholesale_tenants_nth(wmcf->tenants, i);
        credential = ngx_http_wholesale_find_credential(wmcf,
                                                        tenant->credential);
        credential->used |= tenant->enabled;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_wholesale_load_catalogue(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf)
{
    size_t                i;
    ngx_str_t             text;
    wholesale_pool_t      pool;
    wholesale_problems_t  problems;

    pool.alloc = ngx_http_wholesale_palloc;
    pool.data = cf->pool;

    if (wmcf->catalogue_file.data == NULL) {
        wmcf->catalogue = wholesale_catalogue_create(&pool, WHOLESALE_TZDATA);

        return wmcf->catalogue ? NGX_OK : NGX_ERROR;
    }

    if (ngx_http_wholesale_read_file(cf, &wmcf->catalogue_file,
                                     NGX_HTTP_WHOLESALE_CATALOGUE_MAX, &text)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_wholesale_may_be_json(&text)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": the catalogue has to be a JSON object, "
                           "which begins with \"{\"", &wmcf->catalogue_file);
        ngx_free(text.data);
        return NGX_ERROR;
    }

    wholesale_problems_init(&problems, &pool);

    wmcf->catalogue = wholesale_catalogue_parse(&pool, (char *) text.data,
                                                text.len, WHOLESALE_TZDATA,
                                                &problems);
    ngx_free(text.data);

    for (i = 0; i < problems.stored; i++) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %s",
                           &wmcf->catalogue_file,
                           problems.items[i].description);
    }

    if (problems.total > problems.stored) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": and %uz more",
                           &wmcf->catalogue_file,
                           problems.total - problems.stored);
    }

    return wmcf->catalogue ? NGX_OK : NGX_ERROR;
}


/*
 * A file that was named by mistake may be a token's: of what is no JSON from
 * its first character on, nothing is repeated.
 */

static ngx_uint_t
ngx_http_wholesale_may_be_json(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        switch (text->data[i]) {

        case ' ':
        case '\t':
        case CR:
        case LF:
            break;

        case '{':
        case '[':
            return 1;

        default:
            return 0;
        }
    }

    return 1;
}


/* the text is the caller's to free with ngx_free() */

static ngx_int_t
ngx_http_wholesale_read_file(ngx_conf_t *cf, ngx_str_t *file, off_t max,
    ngx_str_t *text)
{
    ssize_t          n;
    ngx_file_t       f;
    ngx_file_info_t  fi;

    ngx_memzero(&f, sizeof(ngx_file_t));
    ngx_str_null(text);

    f.name = *file;
    f.log = cf->log;

    f.fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                         NGX_FILE_OPEN, 0);

    if (f.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    if (ngx_fd_info(f.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", file);
        goto failed;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", file);
        goto failed;
    }

    if (ngx_file_size(&fi) > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is larger than %O bytes", file, max);
        goto failed;
    }

    text->len = ngx_file_size(&fi);

    text->data = ngx_alloc(text->len + 1, cf->log);
    if (text->data == NULL) {
        goto failed;
    }

    n = ngx_read_file(&f, text->data, text->len, 0);

    if (n != (ssize_t) text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, (n == NGX_ERROR) ? ngx_errno : 0,
                           "\"%V\" could not be read whole", file);
        ngx_free(text->data);
        goto failed;
    }

    (void) ngx_close_file(f.fd);

    return NGX_OK;

failed:

    (void) ngx_close_file(f.fd);

    return NGX_ERROR;
}


static void
ngx_http_wholesale_mistake(void *data, const char *path, const char *sentence)
{
    ngx_http_wholesale_mistakes_t  *mistakes = data;

    ngx_conf_log_error(NGX_LOG_EMERG, mistakes->cf, 0, "\"%V\": %s: %s",
                       mistakes->file, path, sentence);
}


static void
ngx_http_wholesale_tenants_cleanup(void *data)
{
    wholesale_tenants_destroy(data);
}


static int
ngx_http_wholesale_has_package(void *data, const char *name, size_t len)
{
    ngx_http_wholesale_main_conf_t  *wmcf = data;

    return wholesale_catalogue_package(wmcf->catalogue, name, len)
           != WHOLESALE_NAMES_NONE;
}


static int
ngx_http_wholesale_has_credential(void *data, const char *name)
{
    return ngx_http_wholesale_find_credential(data, name) != NULL;
}
