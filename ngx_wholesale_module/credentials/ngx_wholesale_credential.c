
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_wholesale_credential.h>


static void ngx_wholesale_credential_handler(ngx_event_t *ev);
static ngx_uint_t ngx_wholesale_credential_changed(
    ngx_wholesale_credential_t *credential);
static void ngx_wholesale_credential_load(
    ngx_wholesale_credential_t *credential, ngx_log_t *log);
static const char *ngx_wholesale_credential_parse(u_char *buffer, size_t len,
    ngx_str_t *token);


/* a timer's data is read as a connection by debug logging */

static ngx_connection_t  ngx_wholesale_credential_dummy;


ngx_int_t
ngx_wholesale_credential_watch(ngx_wholesale_credential_t *credential,
    ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;

    credential->buffer = ngx_pcalloc(cycle->pool,
                                     2 * (NGX_WHOLESALE_TOKEN_MAX + 1));
    if (credential->buffer == NULL) {
        return NGX_ERROR;
    }

    ngx_wholesale_credential_dummy.fd = (ngx_socket_t) -1;

    ev = &credential->event;

    ev->handler = ngx_wholesale_credential_handler;
    ev->data = &ngx_wholesale_credential_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_wholesale_credential_load(credential, cycle->log);
    ngx_add_timer(ev, NGX_WHOLESALE_TOKEN_CHECK);

    return NGX_OK;
}


static void
ngx_wholesale_credential_handler(ngx_event_t *ev)
{
    ngx_wholesale_credential_t  *credential;

    credential = (ngx_wholesale_credential_t *)
               ((u_char *) ev - offsetof(ngx_wholesale_credential_t, event));

    if (ngx_wholesale_credential_changed(credential)) {
        ngx_wholesale_credential_load(credential, ev->log);
    }

    ngx_add_timer(ev, NGX_WHOLESALE_TOKEN_CHECK);
}


static ngx_uint_t
ngx_wholesale_credential_changed(ngx_wholesale_credential_t *credential)
{
    ngx_file_info_t  fi;

    if (credential->trouble) {
        return 1;
    }

    if (ngx_file_info(credential->access_token_file.data, &fi)
        == NGX_FILE_ERROR)
    {
        return 1;
    }

    return ngx_file_uniq(&fi) != credential->uniq
           || fi.st_mtim.tv_sec != credential->mtime.tv_sec
           || fi.st_mtim.tv_nsec != credential->mtime.tv_nsec
           || ngx_file_size(&fi) != credential->size;
}


static void
ngx_wholesale_credential_load(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    u_char           *spare;
    ngx_err_t         err;
    ngx_str_t         token;
    const char       *trouble;
    ngx_file_info_t   fi;

    /*
     * The token in use stays where it is until the new one is known to be
     * good: a file caught in the middle of its writing costs nothing.
     */

    spare = credential->buffer;

    if (credential->token.len
        && credential->token.data < spare + NGX_WHOLESALE_TOKEN_MAX + 1)
    {
        spare += NGX_WHOLESALE_TOKEN_MAX + 1;
    }

    trouble = ngx_wholesale_credential_read(&credential->access_token_file,
                                            spare, &token, &fi, &err);

    if (trouble) {

        if (trouble != credential->trouble) {
            ngx_log_error(NGX_LOG_ERR, log, err,
                          "wholesale credential \"%V\": file \"%V\" %s%s",
                          &credential->name, &credential->access_token_file,
                          trouble, credential->token.len
                                   ? ", the last token stays in use" : "");
        }

        credential->trouble = trouble;
        return;
    }

    if (credential->trouble || credential->token.len) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "wholesale credential \"%V\": took up a token from "
                      "file \"%V\"",
                      &credential->name, &credential->access_token_file);
    }

    if (credential->token.len) {
        ngx_explicit_memzero(credential->token.data, credential->token.len);
    }

    credential->token = token;
    credential->uniq = ngx_file_uniq(&fi);
    credential->mtime = fi.st_mtim;
    credential->size = ngx_file_size(&fi);
    credential->trouble = NULL;
}


const char *
ngx_wholesale_credential_read(ngx_str_t *file, u_char *buffer,
    ngx_str_t *token, ngx_file_info_t *fi, ngx_err_t *err)
{
    ssize_t      n;
    ngx_fd_t     fd;
    const char  *trouble;

    /* without waiting: the name may be that of a pipe */

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        return "cannot be opened";
    }

    *err = 0;

    if (ngx_fd_info(fd, fi) == NGX_FILE_ERROR) {
        *err = ngx_errno;
        trouble = "cannot be examined";
        goto done;
    }

    if (!ngx_is_file(fi)) {
        trouble = "is not a regular file";
        goto done;
    }

    if (ngx_file_size(fi) > NGX_WHOLESALE_TOKEN_MAX) {
        trouble = "is too large for a token";
        goto done;
    }

    n = ngx_read_fd(fd, buffer, NGX_WHOLESALE_TOKEN_MAX);

    if (n == -1) {
        *err = ngx_errno;
        trouble = "cannot be read";
        goto done;
    }

    trouble = ngx_wholesale_credential_parse(buffer, n, token);

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR && trouble == NULL) {
        *err = ngx_errno;
        trouble = "cannot be closed";
    }

    return trouble;
}


static const char *
ngx_wholesale_credential_parse(u_char *buffer, size_t len, ngx_str_t *token)
{
    u_char  *p, *last;

    p = buffer;
    last = buffer + len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    while (last > p
           && (last[-1] == ' ' || last[-1] == '\t'
               || last[-1] == CR || last[-1] == LF))
    {
        last--;
    }

    if (p == last) {
        return "is empty";
    }

    token->data = p;
    token->len = last - p;

    for ( /* void */ ; p < last; p++) {

        /* what is printable and no blank cannot end or split a header */

        if (*p <= ' ' || *p >= 0x7f) {
            return "holds characters that a token cannot have";
        }
    }

    return NULL;
}
