
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_wholesale_credential.h>
#include <ngx_wholesale_grant.h>
#include <ngx_wholesale_token.h>


static void ngx_wholesale_credential_handler(ngx_event_t *ev);
static void ngx_wholesale_credential_load(
    ngx_wholesale_credential_t *credential, ngx_log_t *log);


/* a timer's data is read as a connection by debug logging */

static ngx_connection_t  ngx_wholesale_credential_dummy;


ngx_int_t
ngx_wholesale_credential_watch(ngx_wholesale_credential_t *credential,
    ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;

    credential->buffer = ngx_pcalloc(cycle->pool,
                                     2 * NGX_WHOLESALE_SECRET_BUFFER);
    if (credential->buffer == NULL) {
        return NGX_ERROR;
    }

    ngx_wholesale_credential_dummy.fd = (ngx_socket_t) -1;

    ngx_queue_init(&credential->waiters);

    ev = &credential->poll;

    ev->data = &ngx_wholesale_credential_dummy;
    ev->log = cycle->log;

    ev = &credential->event;

    ev->handler = ngx_wholesale_credential_handler;
    ev->data = &ngx_wholesale_credential_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    if (credential->sh == NULL) {
        ngx_wholesale_credential_load(credential, cycle->log);
    }

    ngx_add_timer(ev, NGX_WHOLESALE_TOKEN_CHECK);

    return NGX_OK;
}


static void
ngx_wholesale_credential_handler(ngx_event_t *ev)
{
    ngx_wholesale_credential_t  *credential;

    credential = (ngx_wholesale_credential_t *)
               ((u_char *) ev - offsetof(ngx_wholesale_credential_t, event));

    if (credential->sh) {
        ngx_wholesale_token_look(credential, ev->log);
        (void) ngx_wholesale_grant_save(credential, ev->log);

    } else if (credential->trouble
               || ngx_wholesale_secret_changed(&credential->access_token_file,
                                               &credential->id))
    {
        ngx_wholesale_credential_load(credential, ev->log);
    }

    ngx_add_timer(ev, NGX_WHOLESALE_TOKEN_CHECK);
}


static void
ngx_wholesale_credential_load(ngx_wholesale_credential_t *credential,
    ngx_log_t *log)
{
    u_char                     *spare;
    ngx_err_t                   err;
    ngx_str_t                   token;
    const char                 *trouble;
    ngx_wholesale_secret_id_t   id;

    /*
     * The token in use stays where it is until the new one is known to be
     * good: a file caught in the middle of its writing costs nothing.
     */

    spare = credential->buffer;

    if (credential->token.len
        && credential->token.data < spare + NGX_WHOLESALE_SECRET_BUFFER)
    {
        spare += NGX_WHOLESALE_SECRET_BUFFER;
    }

    trouble = ngx_wholesale_secret_read(&credential->access_token_file,
                                        spare, &token, &id, &err);

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
    credential->id = id;
    credential->trouble = NULL;
}
