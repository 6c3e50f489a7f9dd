
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_connection.h>
#include <ngx_wholesale_redis_password.h>
#include <ngx_wholesale_redis_reply.h>


/*
 * What a new connection says first: who we are, which database, and whether
 * anybody is in.  It all leaves in one write, but no command goes with it:
 * after an AUTH or a SELECT that failed it would be executed as the default
 * user, or in the wrong database.
 */


static ngx_int_t ngx_wholesale_redis_greet_auth(
    ngx_wholesale_redis_connection_t *rc);
static ngx_int_t ngx_wholesale_redis_greet_select(
    ngx_wholesale_redis_connection_t *rc);
static ngx_int_t ngx_wholesale_redis_greet_command(
    ngx_wholesale_redis_connection_t *rc, int argc, const char **argv,
    const size_t *argvlen);
static void ngx_wholesale_redis_greet_failed(
    ngx_wholesale_redis_connection_t *rc, ngx_wholesale_redis_error_e error,
    redisReply *reply);


void
ngx_wholesale_redis_greet(ngx_wholesale_redis_connection_t *rc)
{
    const char    *argv[1];
    const size_t   argvlen[1] = { sizeof("PING") - 1 };

    argv[0] = "PING";

    rc->state = NGX_WHOLESALE_REDIS_GREETING;
    rc->auth = 0;
    rc->greeting = 0;

    ngx_wholesale_redis_stream(rc);

    if (rc->conf->password_file.len
        && ngx_wholesale_redis_greet_auth(rc) != NGX_OK)
    {
        ngx_wholesale_redis_drop(rc);
        return;
    }

    if (ngx_wholesale_redis_greet_select(rc) != NGX_OK
        || ngx_wholesale_redis_greet_command(rc, 1, argv, argvlen) != NGX_OK)
    {
        ngx_wholesale_redis_drop(rc);
        return;
    }

    (void) ngx_wholesale_redis_flush(rc);
}


ngx_wholesale_redis_error_e
ngx_wholesale_redis_greeted(ngx_wholesale_redis_connection_t *rc,
    redisReply *reply)
{
    ngx_wholesale_redis_error_e  error;

    if (reply->type == REDIS_REPLY_ERROR) {
        error = ngx_wholesale_redis_reply_error(reply);

        if (error == NGX_WHOLESALE_REDIS_COMMAND) {
            error = rc->auth ? NGX_WHOLESALE_REDIS_AUTH
                             : NGX_WHOLESALE_REDIS_STATE;
        }

        ngx_wholesale_redis_greet_failed(rc, error, reply);

        return error;
    }

    if (reply->type != REDIS_REPLY_STATUS) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_PROTOCOL, 0,
                                        "what answers there is no Redis");
        return NGX_WHOLESALE_REDIS_PROTOCOL;
    }

    rc->auth = 0;

    if (--rc->greeting) {
        return NGX_WHOLESALE_REDIS_OK;
    }

    ngx_del_timer(&rc->timer);

    rc->first = (rc->first + rc->tried - 1) % rc->naddrs;
    rc->since = ngx_current_msec;
    rc->state = NGX_WHOLESALE_REDIS_READY;

    rc->events->ready(rc->data);

    return NGX_WHOLESALE_REDIS_OK;
}


static ngx_int_t
ngx_wholesale_redis_greet_auth(ngx_wholesale_redis_connection_t *rc)
{
    int          argc;
    size_t       argvlen[3];
    u_char       buf[NGX_WHOLESALE_REDIS_PASSWORD_MAX];
    ngx_err_t    err;
    ngx_int_t    n;
    ngx_str_t    password;
    const char  *argv[3], *failed;

    failed = ngx_wholesale_redis_password(&rc->conf->password_file, buf,
                                          &password, &err);

    if (failed && err == NGX_EACCES && rc->conf->password.len) {

        /* it is for the master only, who has read it */

        password = rc->conf->password;

    } else if (failed) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_AUTH, err,
                                        "its password file %s", failed);
        return NGX_ERROR;
    }

    argc = 0;

    argv[argc] = "AUTH";
    argvlen[argc++] = sizeof("AUTH") - 1;

    if (rc->conf->username.len) {
        argv[argc] = (char *) rc->conf->username.data;
        argvlen[argc++] = rc->conf->username.len;
    }

    argv[argc] = (char *) password.data;
    argvlen[argc++] = password.len;

    rc->auth = 1;

    n = ngx_wholesale_redis_greet_command(rc, argc, argv, argvlen);

    ngx_explicit_memzero(buf, NGX_WHOLESALE_REDIS_PASSWORD_MAX);

    return n;
}


static ngx_int_t
ngx_wholesale_redis_greet_select(ngx_wholesale_redis_connection_t *rc)
{
    u_char       buf[NGX_INT_T_LEN];
    size_t       argvlen[2];
    const char  *argv[2];

    if (rc->conf->database == 0) {

        /* every connection begins there, and the right to SELECT is spared */

        return NGX_OK;
    }

    argv[0] = "SELECT";
    argvlen[0] = sizeof("SELECT") - 1;

    argv[1] = (char *) buf;
    argvlen[1] = ngx_sprintf(buf, "%ui", rc->conf->database) - buf;

    return ngx_wholesale_redis_greet_command(rc, 2, argv, argvlen);
}


static ngx_int_t
ngx_wholesale_redis_greet_command(ngx_wholesale_redis_connection_t *rc,
    int argc, const char **argv, const size_t *argvlen)
{
    char       *command;
    long long   len;
    ngx_int_t   n;

    len = redisFormatCommandArgv(&command, argc, argv, argvlen);

    if (len < 0) {
        ngx_wholesale_redis_set_failure(rc, NGX_WHOLESALE_REDIS_CONNECT,
                                        NGX_ENOMEM, "no greeting");
        return NGX_ERROR;
    }

    /* it fits: nothing else is there to be written */

    n = ngx_wholesale_redis_write(rc, (u_char *) command, len);

    ngx_explicit_memzero(command, len);
    redisFreeCommand(command);

    rc->greeting++;

    return n;
}


static void
ngx_wholesale_redis_greet_failed(ngx_wholesale_redis_connection_t *rc,
    ngx_wholesale_redis_error_e error, redisReply *reply)
{
    u_char  *last;
    u_char   text[NGX_WHOLESALE_REDIS_TEXT_MAX];

    /* "unknown command AUTH, with args ..." would tell the password */

    last = rc->auth ? ngx_wholesale_redis_reply_code(text, reply)
                    : ngx_wholesale_redis_reply_text(text, reply);

    ngx_wholesale_redis_set_failure(rc, error, 0, "it answers %s with \"%*s\"",
                                    rc->auth ? "AUTH" : "the greeting",
                                    (size_t) (last - text), text);
}
