
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


#define NGX_HTTP_WHOLESALE_REFRESH_BEFORE  86400
#define NGX_HTTP_WHOLESALE_REFRESH_WAIT    5000


typedef enum {
    NGX_HTTP_WHOLESALE_MEMBER_TEXT = 0,
    NGX_HTTP_WHOLESALE_MEMBER_FILE,
    NGX_HTTP_WHOLESALE_MEMBER_URI,
    NGX_HTTP_WHOLESALE_MEMBER_SEC,
    NGX_HTTP_WHOLESALE_MEMBER_MSEC
} ngx_http_wholesale_member_e;


typedef struct {
    ngx_str_t                    name;
    ngx_http_wholesale_member_e  type;
    ngx_uint_t                   offset;
} ngx_http_wholesale_member_t;


static char *ngx_http_wholesale_credential_member(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_wholesale_credential_text(ngx_conf_t *cf,
    const ngx_http_wholesale_member_t *member, ngx_str_t *text);
static char *ngx_http_wholesale_credential_time(ngx_conf_t *cf,
    const ngx_http_wholesale_member_t *member, void *time);
static char *ngx_http_wholesale_credential_check(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential);
static char *ngx_http_wholesale_credential_check_static(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential);
static char *ngx_http_wholesale_credential_check_file(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential);
static ngx_uint_t ngx_http_wholesale_is_same_file(ngx_str_t *one,
    ngx_str_t *other);
static ngx_int_t ngx_http_wholesale_folder_info(ngx_str_t *file,
    ngx_file_info_t *fi);
static char *ngx_http_wholesale_credential_look(ngx_conf_t *cf,
    const char *name, ngx_str_t *file);


static const ngx_http_wholesale_member_t  ngx_http_wholesale_members[] = {

    { ngx_string("access_token_file"), NGX_HTTP_WHOLESALE_MEMBER_FILE,
      offsetof(ngx_wholesale_credential_t, access_token_file) },

    { ngx_string("token_endpoint"), NGX_HTTP_WHOLESALE_MEMBER_URI,
      offsetof(ngx_wholesale_credential_t, token_endpoint) },

    { ngx_string("client_id"), NGX_HTTP_WHOLESALE_MEMBER_TEXT,
      offsetof(ngx_wholesale_credential_t, client_id) },

    { ngx_string("client_secret_file"), NGX_HTTP_WHOLESALE_MEMBER_FILE,
      offsetof(ngx_wholesale_credential_t, client_secret_file) },

    { ngx_string("refresh_token_file"), NGX_HTTP_WHOLESALE_MEMBER_FILE,
      offsetof(ngx_wholesale_credential_t, refresh_token_file) },

    { ngx_string("refresh_before"), NGX_HTTP_WHOLESALE_MEMBER_SEC,
      offsetof(ngx_wholesale_credential_t, refresh_before) },

    { ngx_string("refresh_wait"), NGX_HTTP_WHOLESALE_MEMBER_MSEC,
      offsetof(ngx_wholesale_credential_t, refresh_wait) },

    { ngx_null_string, 0, 0 }
};


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
    credential->refresh_before = NGX_CONF_UNSET;
    credential->refresh_wait = NGX_CONF_UNSET_MSEC;

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
    char  *credential = conf;

    ngx_str_t                          *value;
    const ngx_http_wholesale_member_t  *member;

    value = cf->args->elts;

    for (member = ngx_http_wholesale_members; member->name.len; member++) {

        if (ngx_strcmp(value[0].data, member->name.data) == 0) {
            break;
        }
    }

    if (member->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown directive \"%V\" in wholesale_credential, "
                           "it must be \"access_token_file\", or "
                           "\"token_endpoint\", \"client_id\", "
                           "\"client_secret_file\", \"refresh_token_file\", "
                           "\"refresh_before\" or \"refresh_wait\"",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts != 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive",
                           &value[0]);
        return NGX_CONF_ERROR;
    }

    switch (member->type) {

    case NGX_HTTP_WHOLESALE_MEMBER_SEC:
    case NGX_HTTP_WHOLESALE_MEMBER_MSEC:
        return ngx_http_wholesale_credential_time(cf, member,
                                                credential + member->offset);

    default:
        return ngx_http_wholesale_credential_text(cf, member,
                                (ngx_str_t *) (credential + member->offset));
    }
}


static char *
ngx_http_wholesale_credential_text(ngx_conf_t *cf,
    const ngx_http_wholesale_member_t *member, ngx_str_t *text)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (text->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is duplicate", &value[0]);
        return NGX_CONF_ERROR;
    }

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive must not be empty", &value[0]);
        return NGX_CONF_ERROR;
    }

    if (member->type == NGX_HTTP_WHOLESALE_MEMBER_URI
        && value[1].data[0] != '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" \"%V\": it must be the path of an "
                           "internal location, \"/_webex/access_token\", "
                           "which passes on to the endpoint",
                           &value[0], &value[1]);
        return NGX_CONF_ERROR;
    }

    *text = value[1];

    if (member->type == NGX_HTTP_WHOLESALE_MEMBER_FILE
        && ngx_conf_full_name(cf->cycle, text, 1) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_credential_time(ngx_conf_t *cf,
    const ngx_http_wholesale_member_t *member, void *time)
{
    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_msec_t  *msec;
    time_t      *sec;

    value = cf->args->elts;

    sec = time;
    msec = time;

    if (member->type == NGX_HTTP_WHOLESALE_MEMBER_SEC
        ? *sec != NGX_CONF_UNSET : *msec != NGX_CONF_UNSET_MSEC)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" directive is duplicate", &value[0]);
        return NGX_CONF_ERROR;
    }

    n = ngx_parse_time(&value[1],
                       member->type == NGX_HTTP_WHOLESALE_MEMBER_SEC);

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive, it must "
                           "be a time, \"%s\"", &value[1], &value[0],
                           member->type == NGX_HTTP_WHOLESALE_MEMBER_SEC
                           ? "1d" : "5s");
        return NGX_CONF_ERROR;
    }

    if (member->type == NGX_HTTP_WHOLESALE_MEMBER_SEC) {
        *sec = n;

    } else {
        *msec = n;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wholesale_credential_check(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential)
{
    u_char                             *p;
    ngx_str_t                          *text;
    const ngx_http_wholesale_member_t  *member;

    if (credential->access_token_file.data) {
        return ngx_http_wholesale_credential_check_static(cf, credential);
    }

    ngx_conf_init_value(credential->refresh_before,
                        NGX_HTTP_WHOLESALE_REFRESH_BEFORE);
    ngx_conf_init_msec_value(credential->refresh_wait,
                             NGX_HTTP_WHOLESALE_REFRESH_WAIT);

    p = (u_char *) credential;

    for (member = &ngx_http_wholesale_members[1];
         member->type < NGX_HTTP_WHOLESALE_MEMBER_SEC;
         member++)
    {
        text = (ngx_str_t *) (p + member->offset);

        if (text->data == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no \"%V\" in wholesale_credential \"%V\": it "
                               "needs either \"access_token_file\", or "
                               "\"token_endpoint\", \"client_id\", "
                               "\"client_secret_file\" and "
                               "\"refresh_token_file\"",
                               &member->name, &credential->name);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_wholesale_credential_check_file(cf, credential)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_wholesale_credential_look(cf, "client_secret_file",
                                           &credential->client_secret_file)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_wholesale_credential_look(cf, "refresh_token_file",
                                              &credential->refresh_token_file);
}


static char *
ngx_http_wholesale_credential_check_static(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential)
{
    if (credential->token_endpoint.data || credential->client_id.data
        || credential->client_secret_file.data
        || credential->refresh_token_file.data
        || credential->refresh_before != NGX_CONF_UNSET
        || credential->refresh_wait != NGX_CONF_UNSET_MSEC)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "wholesale_credential \"%V\" has an "
                           "\"access_token_file\", which somebody else "
                           "renews: it needs no other directive",
                           &credential->name);
        return NGX_CONF_ERROR;
    }

    credential->refresh_wait = 0;

    return ngx_http_wholesale_credential_look(cf, "access_token_file",
                                              &credential->access_token_file);
}


/*
 * Two that refresh with one token would each kill the other's; and a refresh
 * token would be written over a secret.
 */

static char *
ngx_http_wholesale_credential_check_file(ngx_conf_t *cf,
    ngx_wholesale_credential_t *credential)
{
    ngx_str_t                       *file;
    ngx_uint_t                       i;
    const char                      *name;
    ngx_wholesale_credential_t      *another;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wholesale_module);
    another = wmcf->credentials->elts;

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (another[i].refresh_token_file.data == NULL) {
            continue;
        }

        file = &another[i].refresh_token_file;

        if (ngx_http_wholesale_is_same_file(&credential->client_secret_file,
                                            file))
        {
            name = "client_secret_file";

        } else if (ngx_http_wholesale_is_same_file(
                                              &credential->refresh_token_file,
                                              &another[i].client_secret_file)
                   || (&another[i] != credential
                       && ngx_http_wholesale_is_same_file(
                                    &credential->refresh_token_file, file)))
        {
            name = "refresh_token_file";

        } else {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" of wholesale_credential \"%V\" is a file "
                           "of wholesale_credential \"%V\" already: each "
                           "\"refresh_token_file\" is for itself alone",
                           name, &credential->name, &another[i].name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* where one is not there yet: whether it would be */

static ngx_uint_t
ngx_http_wholesale_is_same_file(ngx_str_t *one, ngx_str_t *other)
{
    char             *name, *other_name;
    ngx_file_info_t   fi, ofi;

    if (ngx_file_info(one->data, &fi) != NGX_FILE_ERROR
        && ngx_file_info(other->data, &ofi) != NGX_FILE_ERROR)
    {
        return fi.st_dev == ofi.st_dev
               && ngx_file_uniq(&fi) == ngx_file_uniq(&ofi);
    }

    /* names are full ones */

    name = strrchr((char *) one->data, '/') + 1;
    other_name = strrchr((char *) other->data, '/') + 1;

    return ngx_strcmp(name, other_name) == 0
           && ngx_http_wholesale_folder_info(one, &fi) == NGX_OK
           && ngx_http_wholesale_folder_info(other, &ofi) == NGX_OK
           && fi.st_dev == ofi.st_dev
           && ngx_file_uniq(&fi) == ngx_file_uniq(&ofi);
}


static ngx_int_t
ngx_http_wholesale_folder_info(ngx_str_t *file, ngx_file_info_t *fi)
{
    char       *last, c;
    ngx_int_t   rc;

    last = strrchr((char *) file->data, '/') + 1;

    c = *last;
    *last = '\0';

    rc = (ngx_file_info(file->data, fi) == NGX_FILE_ERROR) ? NGX_ERROR : NGX_OK;

    *last = c;

    return rc;
}


/*
 * A file that is not there yet is no mistake: who renews the token may come
 * later.  It is told all the same, for "nginx -t" is when one looks.
 */

static char *
ngx_http_wholesale_credential_look(ngx_conf_t *cf, const char *name,
    ngx_str_t *file)
{
    u_char                     *buffer;
    ngx_err_t                   err;
    ngx_str_t                   secret;
    const char                 *trouble;
    ngx_wholesale_secret_id_t   id;

    buffer = ngx_alloc(NGX_WHOLESALE_SECRET_BUFFER, cf->log);
    if (buffer == NULL) {
        return NGX_CONF_ERROR;
    }

    trouble = ngx_wholesale_secret_read(file, buffer, &secret, &id, &err);

    if (trouble) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, err, "%s \"%V\" %s",
                           name, file, trouble);
    }

    ngx_explicit_memzero(buffer, NGX_WHOLESALE_SECRET_BUFFER);
    ngx_free(buffer);

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_wholesale_attach_credentials(ngx_http_wholesale_main_conf_t *wmcf,
    ngx_log_t *log)
{
    ngx_uint_t                   i;
    ngx_slab_pool_t             *shpool;
    ngx_wholesale_credential_t  *credential;

    shpool = wmcf->counters.shpool;
    credential = wmcf->credentials->elts;

    wmcf->configuration = ngx_wholesale_token_zone_configure(
                                                  &wmcf->sh->tokens, shpool);

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (credential[i].access_token_file.data) {
            continue;
        }

        while (ngx_wholesale_token_zone_attach(&wmcf->sh->tokens, shpool,
                                               &credential[i])
               != NGX_OK)
        {
            if (ngx_wholesale_counters_evict(&wmcf->counters)) {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "\"wholesale_zone\" has no room for the token of "
                          "wholesale_credential \"%V\"",
                          &credential[i].name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
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
