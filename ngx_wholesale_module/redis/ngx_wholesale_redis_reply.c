
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_reply.h>


/* hiredis counts elements in an int before its version 1 */

#if (HIREDIS_MAJOR >= 1)
typedef size_t  ngx_wholesale_redis_elements_t;
#else
typedef int  ngx_wholesale_redis_elements_t;
#endif


typedef struct {
    ngx_str_t                    code;
    ngx_wholesale_redis_error_e  error;
} ngx_wholesale_redis_code_t;


static void *ngx_wholesale_redis_create_array(const redisReadTask *task,
    ngx_wholesale_redis_elements_t elements);
static ngx_uint_t ngx_wholesale_redis_has_code(const redisReply *reply,
    const ngx_str_t *code);


/* hiredis's own functions, and the same with ours for arrays */

static redisReplyObjectFunctions  ngx_wholesale_redis_default_functions;
static redisReplyObjectFunctions  ngx_wholesale_redis_functions;


/*
 * What a Redis says of itself or of us, whatever the command.  Anything else
 * is about one command.
 */

static const ngx_wholesale_redis_code_t  ngx_wholesale_redis_codes[] = {

    { ngx_string("NOAUTH"), NGX_WHOLESALE_REDIS_AUTH },
    { ngx_string("WRONGPASS"), NGX_WHOLESALE_REDIS_AUTH },
    { ngx_string("NOPERM"), NGX_WHOLESALE_REDIS_AUTH },

    /*
     * NOPERM of a command inside of a script: Redis 6.2, 7.0, and later ones
     * and Valkey
     */

    { ngx_string("The user executing the script"), NGX_WHOLESALE_REDIS_AUTH },
    { ngx_string("ERR The user executing the script"),
      NGX_WHOLESALE_REDIS_AUTH },
    { ngx_string("ERR ACL failure in"), NGX_WHOLESALE_REDIS_AUTH },

    { ngx_string("LOADING"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("READONLY"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("OOM"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("MISCONF"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("MASTERDOWN"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("NOREPLICAS"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("BUSY"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("CLUSTERDOWN"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("TRYAGAIN"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("MOVED"), NGX_WHOLESALE_REDIS_STATE },
    { ngx_string("ASK"), NGX_WHOLESALE_REDIS_STATE },

    { ngx_null_string, NGX_WHOLESALE_REDIS_COMMAND }
};


/* by ngx_wholesale_redis_error_e */

static ngx_str_t  ngx_wholesale_redis_error_names[] = {
    ngx_string("ok"),
    ngx_string("timeout"),
    ngx_string("connect"),
    ngx_string("closed"),
    ngx_string("protocol"),
    ngx_string("auth"),
    ngx_string("state"),
    ngx_string("command")
};


redisReader *
ngx_wholesale_redis_reader(void)
{
    redisReader  *reader;

    reader = redisReaderCreate();

    if (reader == NULL) {
        return NULL;
    }

    ngx_wholesale_redis_default_functions = *reader->fn;

    ngx_wholesale_redis_functions = *reader->fn;
    ngx_wholesale_redis_functions.createArray =
                                              ngx_wholesale_redis_create_array;

    reader->fn = &ngx_wholesale_redis_functions;

    return reader;
}


ngx_wholesale_redis_error_e
ngx_wholesale_redis_reply_error(const redisReply *reply)
{
    const ngx_wholesale_redis_code_t  *code;

    for (code = ngx_wholesale_redis_codes; code->code.len; code++) {

        if (ngx_wholesale_redis_has_code(reply, &code->code)) {
            break;
        }
    }

    return code->error;
}


ngx_uint_t
ngx_wholesale_redis_reply_noscript(const redisReply *reply)
{
    static ngx_str_t  noscript = ngx_string("NOSCRIPT");

    return reply->type == REDIS_REPLY_ERROR
           && ngx_wholesale_redis_has_code(reply, &noscript);
}


u_char *
ngx_wholesale_redis_reply_text(u_char *buf, const redisReply *reply)
{
    size_t  i, len;

    len = ngx_min(reply->len, NGX_WHOLESALE_REDIS_TEXT_MAX);

    for (i = 0; i < len; i++) {
        buf[i] = (reply->str[i] >= 0x20 && reply->str[i] <= 0x7e)
                 ? (u_char) reply->str[i] : '?';
    }

    return buf + len;
}


u_char *
ngx_wholesale_redis_reply_code(u_char *buf, const redisReply *reply)
{
    size_t  i, len;

    len = ngx_min(reply->len, NGX_WHOLESALE_REDIS_TEXT_MAX);

    for (i = 0; i < len; i++) {

        if (reply->str[i] < 'A' || reply->str[i] > 'Z') {
            break;
        }

        buf[i] = (u_char) reply->str[i];
    }

    return buf + i;
}


ngx_str_t *
ngx_wholesale_redis_error_name(ngx_wholesale_redis_error_e error)
{
    return &ngx_wholesale_redis_error_names[error];
}


static void *
ngx_wholesale_redis_create_array(const redisReadTask *task,
    ngx_wholesale_redis_elements_t elements)
{
    ngx_uint_t            depth;
    const redisReadTask  *parent;

    /* compared as unsigned, a negative number is too large */

    if ((size_t) elements > NGX_WHOLESALE_REDIS_ELEMENTS_MAX) {
        return NULL;
    }

    depth = 1;

    for (parent = task->parent; parent; parent = parent->parent) {
        depth++;
    }

    if (depth > NGX_WHOLESALE_REDIS_DEPTH_MAX) {
        return NULL;
    }

    return ngx_wholesale_redis_default_functions.createArray(task, elements);
}


/*
 * The code is the first word.  What fails inside of a script is wrapped by
 * Redis before 7.0: "ERR Error running script (call to f_...):
 * @user_script:7: -READONLY You can't write ..."; there, with or without the
 * dash, it stands after a colon and a space.
 */

static ngx_uint_t
ngx_wholesale_redis_has_code(const redisReply *reply, const ngx_str_t *code)
{
    char  *p, *last;

    p = reply->str;
    last = p + reply->len;

    for ( ;; ) {

        if (p < last && *p == '-') {
            p++;
        }

        if ((size_t) (last - p) >= code->len
            && ngx_strncmp(p, code->data, code->len) == 0
            && ((size_t) (last - p) == code->len || p[code->len] == ' '))
        {
            return 1;
        }

        do {
            p = memchr(p, ':', last - p);

            if (p == NULL || last - p < 2) {
                return 0;
            }

            p++;

        } while (*p != ' ');

        p++;
    }
}
