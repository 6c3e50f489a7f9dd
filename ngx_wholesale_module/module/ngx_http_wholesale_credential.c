
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


static char *ngx_http_wholesale_credential_member(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_wholesale_credential_check(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential);


char *
ngx_http_wholesale_credential_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_wholesale_main_conf_t  *wmcf = conf;

    char                        *rv;
    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_conf_t                   save;
    ngx_wholesale_credential_t  *credential;

    value = cf->args->elts;

    if (wmcf->credentials == NULL) {
        wmcf->credentials = ngx_array_create(cf->pool, 1,
                                          sizeof(ngx_wholesale_credential_t));
        if (wmcf->credentials == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    credential = wmcf->credentials->elts;

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (credential[i].name.len == value[1].len
            && ngx_strncmp(credential[i].name.data, value[1].data,
                           value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate wholesale_credential \"%V\"",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    credential = ngx_array_push(wmcf->credentials);
    if (credential == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(credential, sizeof(ngx_wholesale_credential_t));

    credential->name = value[1];

    save = *cf;
    cf->handler = ngx_http_wholesale_credential_member;
    cf->handler_conf = (char *) credential;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_wholesale_credential_check(cf, credential);
}


static char *
ngx_http_wholesale_credential_member(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_wholesale_credential_t  *credential = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[0].data, "access_token_file") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" in wholesale_credential, "
                           "it must be \"access_token_file\"", &value[0]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts != 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (credential->access_token_file.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is duplicate", &value[0]);
        return NGX_CONF_ERROR;
    }

    credential->access_token_file = value[1];

    if (ngx_conf_full_name(cf->cycle, &credential->access_token_file, 1)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * A file that is not there yet is no mistake: who renews the token may come
 * later.  It is told all the same, for "nginx -t" is when one looks.
 */

static char *
ngx_http_wholesale_credential_check(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential)
{
    u_char           *buffer;
    ngx_err_t         err;
    ngx_str_t         token;
    const char       *trouble;
    ngx_file_info_t   fi;

    if (credential->access_token_file.data == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"access_token_file\" in wholesale_credential "
                           "\"%V\"", &credential->name);
        return NGX_CONF_ERROR;
    }

    buffer = ngx_alloc(NGX_WHOLESALE_TOKEN_MAX + 1, cf->log);
    if (buffer == NULL) {
        return NGX_CONF_ERROR;
    }

    trouble = ngx_wholesale_credential_read(&credential->access_token_file,
                                            buffer, &token, &fi, &err);
    if (trouble) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, err,
                           "access_token_file \"%V\" %s",
                           &credential->access_token_file, trouble);
    }

    ngx_explicit_memzero(buffer, NGX_WHOLESALE_TOKEN_MAX + 1);
    ngx_free(buffer);

    return NGX_CONF_OK;
}


ngx_wholesale_credential_t *
ngx_http_wholesale_find_credential(ngx_http_wholesale_main_conf_t *wmcf,
    const char *name)
{
    size_t                       len;
    ngx_uint_t                   i;
    ngx_wholesale_credential_t  *credential;

    credential = wmcf->credentials->elts;

    if (name == NULL) {
        return (wmcf->credentials->nelts == 1) ? credential : NULL;
    }

    len = ngx_strlen(name);

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (credential[i].name.len == len
            && ngx_strncmp(credential[i].name.data, name, len) == 0)
        {
            return &credential[i];
        }
    }

    return NULL;
}
