
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_sha1.h>
#include <ngx_wholesale_redis_limits.h>
#include <ngx_wholesale_redis_reply.h>
#include <ngx_wholesale_redis_script.h>


/* arguments before the keys, and for each limit */
#define NGX_WHOLESALE_REDIS_ARGS_BEFORE     3
#define NGX_WHOLESALE_REDIS_ARGS_PER_LIMIT  4

/* "EVAL", the script, 1, the key and the pause */
#define NGX_WHOLESALE_REDIS_PAUSE_ARGS      5

/* elements of the answer before the counters */
#define NGX_WHOLESALE_REDIS_ANSWER_BEFORE   2

/* what a double holds exactly, and how many digits that has */
#define NGX_WHOLESALE_REDIS_NUMBER_MAX      ((int64_t) 1 << 53)
#define NGX_WHOLESALE_REDIS_NUMBER_LEN      (sizeof("9007199254740992") - 1)


static ngx_int_t ngx_wholesale_redis_limits_command(
    ngx_wholesale_redis_limits_t *limits);
static ngx_int_t ngx_wholesale_redis_limits_key(
    ngx_wholesale_redis_limits_t *limits, const wholesale_limit_t *limit);
static ngx_int_t ngx_wholesale_redis_limits_pauses(
    ngx_wholesale_redis_limits_t *limits);
static ngx_int_t ngx_wholesale_redis_pause_key(ngx_wholesale_redis_t *redis,
    ngx_pool_t *pool, ngx_str_t *tenant, ngx_str_t *customer, ngx_str_t *key);
static ngx_int_t ngx_wholesale_redis_limits_args(
    ngx_wholesale_redis_limits_t *limits, const wholesale_limit_t *limit);
static void ngx_wholesale_redis_limits_arg(
    ngx_wholesale_redis_limits_t *limits, const void *data, size_t len);
static void ngx_wholesale_redis_limits_sha1(void);
static void ngx_wholesale_redis_limits_cleanup(void *data);
static ngx_int_t ngx_wholesale_redis_limits_handler(void *data,
    ngx_wholesale_redis_error_e error, redisReply *reply);
static ngx_int_t ngx_wholesale_redis_limits_evaluate(
    ngx_wholesale_redis_limits_t *limits, const redisReply *reply);
static void ngx_wholesale_redis_limits_log(
    ngx_wholesale_redis_limits_t *limits, const u_char *text, size_t len);
static ngx_uint_t ngx_wholesale_redis_limits_is_answer(
    ngx_wholesale_redis_limits_t *limits, const redisReply *reply);
static ngx_int_t ngx_wholesale_redis_limits_answer(
    ngx_wholesale_redis_limits_t *limits, const redisReply *reply);
static ngx_int_t ngx_wholesale_redis_limits_paused(
    ngx_wholesale_redis_limits_t *limits, const redisReply *reply);
static ngx_int_t ngx_wholesale_redis_limits_state(
    const wholesale_limit_t *limit, const redisReply *reply,
    wholesale_limit_state_t *state);
static const char *ngx_wholesale_redis_limits_number(const char *p,
    int64_t max, int64_t *number);
static ngx_int_t ngx_wholesale_redis_pause_handler(void *data,
    ngx_wholesale_redis_error_e error, redisReply *reply);


/* of the script, in hexadecimal; computed when it is needed first */

static u_char  ngx_wholesale_redis_script_sha1[40];

static time_t  ngx_wholesale_redis_limits_logged;


ngx_int_t
ngx_wholesale_redis_limits_take(ngx_wholesale_redis_limits_t *limits)
{
    ngx_int_t            rc;
    ngx_pool_cleanup_t  *cln;

    if (limits->n > NGX_WHOLESALE_REDIS_LIMITS_MAX) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(limits->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    if (ngx_wholesale_redis_limits_command(limits) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_wholesale_redis_send(limits->redis, &limits->command,
                                  &limits->query);
    if (rc != NGX_OK) {
        return rc;
    }

    cln->handler = ngx_wholesale_redis_limits_cleanup;
    cln->data = limits;

    return NGX_OK;
}


ngx_int_t
ngx_wholesale_redis_limits_pause(ngx_wholesale_redis_t *redis,
    ngx_pool_t *pool, ngx_str_t *tenant, ngx_str_t *customer, int64_t pause)
{
    u_char                         *p;
    size_t                          argvlen[NGX_WHOLESALE_REDIS_PAUSE_ARGS];
    ngx_str_t                       key;
    const char                     *argv[NGX_WHOLESALE_REDIS_PAUSE_ARGS];
    ngx_wholesale_redis_query_t    *query;
    ngx_wholesale_redis_command_t   command;

    if (ngx_wholesale_redis_pause_key(redis, pool, tenant, customer, &key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* pauses are rare: by EVAL, there is no NOSCRIPT to see to */

    argv[0] = "EVAL";
    argvlen[0] = sizeof("EVAL") - 1;

    argv[1] = NGX_WHOLESALE_REDIS_PAUSE_SCRIPT;
    argvlen[1] = sizeof(NGX_WHOLESALE_REDIS_PAUSE_SCRIPT) - 1;

    argv[2] = "1";
    argvlen[2] = 1;

    argv[3] = (char *) key.data;
    argvlen[3] = key.len;

    argv[4] = (char *) p;
    argvlen[4] = ngx_sprintf(p, "%L", pause) - p;

    ngx_memzero(&command, sizeof(ngx_wholesale_redis_command_t));

    command.argc = NGX_WHOLESALE_REDIS_PAUSE_ARGS;
    command.argv = argv;
    command.argvlen = argvlen;
    command.handler = ngx_wholesale_redis_pause_handler;

    return ngx_wholesale_redis_send(redis, &command, &query);
}


static ngx_int_t
ngx_wholesale_redis_limits_command(ngx_wholesale_redis_limits_t *limits)
{
    u_char                         *p;
    ngx_uint_t                      argc, i;
    ngx_wholesale_redis_command_t  *command;

    ngx_wholesale_redis_limits_sha1();

    argc = NGX_WHOLESALE_REDIS_ARGS_BEFORE
           + limits->n * (1 + NGX_WHOLESALE_REDIS_ARGS_PER_LIMIT)
           + limits->npauses;

    limits->argv = ngx_palloc(limits->pool, argc * sizeof(char *));
    limits->argvlen = ngx_palloc(limits->pool, argc * sizeof(size_t));
    p = ngx_pnalloc(limits->pool, NGX_INT_T_LEN);

    if (limits->argv == NULL || limits->argvlen == NULL || p == NULL) {
        return NGX_ERROR;
    }

    command = &limits->command;

    command->argc = 0;
    command->argv = limits->argv;
    command->argvlen = limits->argvlen;
    command->handler = ngx_wholesale_redis_limits_handler;
    command->data = limits;

    /* of both EVALSHA and, should it come to that, EVAL */

    command->deadline = ngx_current_msec
                        + ngx_wholesale_redis_conf(limits->redis)->timeout;

    ngx_wholesale_redis_limits_arg(limits, "EVALSHA", sizeof("EVALSHA") - 1);
    ngx_wholesale_redis_limits_arg(limits, ngx_wholesale_redis_script_sha1,
                                   sizeof(ngx_wholesale_redis_script_sha1));
    ngx_wholesale_redis_limits_arg(limits, p,
                                   ngx_sprintf(p, "%ui", limits->n
                                                         + limits->npauses)
                                   - p);

    for (i = 0; i < limits->n; i++) {

        if (ngx_wholesale_redis_limits_key(limits, limits->counters[i].limit)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_wholesale_redis_limits_pauses(limits) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < limits->n; i++) {

        if (ngx_wholesale_redis_limits_args(limits, limits->counters[i].limit)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_redis_limits_key(ngx_wholesale_redis_limits_t *limits,
    const wholesale_limit_t *limit)
{
    size_t            len;
    u_char           *key, *p;
    ngx_str_t         name;
    const ngx_str_t  *prefix;

    prefix = &ngx_wholesale_redis_conf(limits->redis)->key_prefix;

    name.len = limit->name_len;
    name.data = (u_char *) limit->name;

    len = prefix->len
          + sizeof("{:}:quota::::") - 1 + 3 * NGX_SIZE_T_LEN + NGX_INT64_LEN
          + limits->tenant.len + name.len + limits->customer.len + 1;

    key = ngx_pnalloc(limits->pool, len);
    if (key == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(key, "%V{%uz:%V}:", prefix, limits->tenant.len,
                    &limits->tenant);

    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        p = ngx_sprintf(p, "rate:%L", limit->interval);

    } else {
        p = ngx_sprintf(p, "quota:%L", limit->window);
    }

    p = ngx_sprintf(p, ":%uz:%V", name.len, &name);

    if (limit->per == WHOLESALE_LIMIT_PER_CUSTOMER) {
        p = ngx_sprintf(p, ":%uz:%V", limits->customer.len,
                        &limits->customer);
    }

    ngx_wholesale_redis_limits_arg(limits, key, p - key);

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_redis_limits_pauses(ngx_wholesale_redis_limits_t *limits)
{
    ngx_str_t   key, *customer;
    ngx_uint_t  i;

    static ngx_str_t  nobody = ngx_string("");

    for (i = 0; i < limits->npauses; i++) {
        customer = (i == 0) ? &nobody : &limits->customer;

        if (ngx_wholesale_redis_pause_key(limits->redis, limits->pool,
                                          &limits->tenant, customer, &key)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_wholesale_redis_limits_arg(limits, key.data, key.len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_redis_pause_key(ngx_wholesale_redis_t *redis, ngx_pool_t *pool,
    ngx_str_t *tenant, ngx_str_t *customer, ngx_str_t *key)
{
    u_char           *p;
    const ngx_str_t  *prefix;

    prefix = &ngx_wholesale_redis_conf(redis)->key_prefix;

    key->data = ngx_pnalloc(pool, prefix->len
                                  + sizeof("{:}:pause::") - 1
                                  + 2 * NGX_SIZE_T_LEN
                                  + tenant->len + customer->len);
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(key->data, "%V{%uz:%V}:pause", prefix, tenant->len,
                    tenant);

    if (customer->len) {
        p = ngx_sprintf(p, ":%uz:%V", customer->len, customer);
    }

    key->len = p - key->data;

    return NGX_OK;
}


static ngx_int_t
ngx_wholesale_redis_limits_args(ngx_wholesale_redis_limits_t *limits,
    const wholesale_limit_t *limit)
{
    u_char   *p, *last;
    int64_t   a, b;

    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        ngx_wholesale_redis_limits_arg(limits, "rate", sizeof("rate") - 1);

        a = limit->window;
        b = limit->interval;

    } else {
        ngx_wholesale_redis_limits_arg(limits, "quota", sizeof("quota") - 1);

        a = limit->quota;
        b = limit->window;
    }

    p = ngx_pnalloc(limits->pool, 2 * NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(p, "%L", a);
    ngx_wholesale_redis_limits_arg(limits, p, last - p);

    p = last;

    last = ngx_sprintf(p, "%L", b);
    ngx_wholesale_redis_limits_arg(limits, p, last - p);

    ngx_wholesale_redis_limits_arg(limits, limit->dry_run ? "0" : "1", 1);

    return NGX_OK;
}


static void
ngx_wholesale_redis_limits_arg(ngx_wholesale_redis_limits_t *limits,
    const void *data, size_t len)
{
    limits->argv[limits->command.argc] = data;
    limits->argvlen[limits->command.argc] = len;
    limits->command.argc++;
}


static void
ngx_wholesale_redis_limits_sha1(void)
{
    u_char      digest[20];
    ngx_sha1_t  sha1;

    if (ngx_wholesale_redis_script_sha1[0]) {
        return;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, NGX_WHOLESALE_REDIS_SCRIPT,
                    sizeof(NGX_WHOLESALE_REDIS_SCRIPT) - 1);
    ngx_sha1_final(digest, &sha1);

    ngx_hex_dump(ngx_wholesale_redis_script_sha1, digest, sizeof(digest));
}


static void
ngx_wholesale_redis_limits_cleanup(void *data)
{
    ngx_wholesale_redis_limits_t *limits = data;

    if (limits->query) {
        ngx_wholesale_redis_cancel(limits->query);
        limits->query = NULL;
    }
}


static ngx_int_t
ngx_wholesale_redis_limits_handler(void *data,
    ngx_wholesale_redis_error_e error, redisReply *reply)
{
    ngx_wholesale_redis_limits_t *limits = data;

    u_char     *last;
    u_char      text[NGX_WHOLESALE_REDIS_TEXT_MAX];
    ngx_int_t   rc;

    limits->query = NULL;
    limits->error = error;

    rc = NGX_ERROR;

    if (error == NGX_WHOLESALE_REDIS_COMMAND) {

        if (ngx_wholesale_redis_limits_evaluate(limits, reply) == NGX_OK) {
            return NGX_OK;
        }

        last = ngx_wholesale_redis_reply_text(text, reply);
        ngx_wholesale_redis_limits_log(limits, text, last - text);

    } else if (error == NGX_WHOLESALE_REDIS_OK) {

        if (ngx_wholesale_redis_limits_is_answer(limits, reply)) {
            rc = ngx_wholesale_redis_limits_answer(limits, reply);

        } else {
            limits->error = NGX_WHOLESALE_REDIS_PROTOCOL;
        }
    }

    error = limits->error;

    limits->handler(limits->data, limits, rc);

    return (error == NGX_WHOLESALE_REDIS_PROTOCOL) ? NGX_ERROR : NGX_OK;
}


/*
 * Redis forgets its scripts when it is restarted, or told to.  Then the same
 * command once more, with the script itself.
 */

static ngx_int_t
ngx_wholesale_redis_limits_evaluate(ngx_wholesale_redis_limits_t *limits,
    const redisReply *reply)
{
    if (limits->evaluated || !ngx_wholesale_redis_reply_noscript(reply)) {
        return NGX_DECLINED;
    }

    limits->evaluated = 1;

    limits->argv[0] = "EVAL";
    limits->argvlen[0] = sizeof("EVAL") - 1;

    limits->argv[1] = NGX_WHOLESALE_REDIS_SCRIPT;
    limits->argvlen[1] = sizeof(NGX_WHOLESALE_REDIS_SCRIPT) - 1;

    return ngx_wholesale_redis_send(limits->redis, &limits->command,
                                    &limits->query);
}


/* once a second at most: every request may come to the same error */

static void
ngx_wholesale_redis_limits_log(ngx_wholesale_redis_limits_t *limits,
    const u_char *text, size_t len)
{
    if (ngx_wholesale_redis_limits_logged == ngx_time()) {
        return;
    }

    ngx_wholesale_redis_limits_logged = ngx_time();

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "redis \"%V\" answers for the limits of tenant \"%V\": "
                  "\"%*s\"",
                  &ngx_wholesale_redis_conf(limits->redis)->server,
                  &limits->tenant, len, text);
}


static ngx_uint_t
ngx_wholesale_redis_limits_is_answer(ngx_wholesale_redis_limits_t *limits,
    const redisReply *reply)
{
    ngx_uint_t  i;

    if (reply->type != REDIS_REPLY_ARRAY
        || reply->elements != NGX_WHOLESALE_REDIS_ANSWER_BEFORE + limits->n
                              + limits->npauses
        || reply->element[0]->type != REDIS_REPLY_INTEGER
        || reply->element[0]->integer < 0
        || reply->element[0]->integer > 1)
    {
        return 0;
    }

    for (i = 1; i < reply->elements; i++) {

        if (reply->element[i]->type != REDIS_REPLY_STRING) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_wholesale_redis_limits_answer(ngx_wholesale_redis_limits_t *limits,
    const redisReply *reply)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    const char               *last;
    const redisReply         *element;
    wholesale_limit_state_t   state;
    ngx_wholesale_counter_t  *counter;

    static ngx_str_t  impossible = ngx_string("a counter that cannot be");

    element = reply->element[1];

    last = ngx_wholesale_redis_limits_number(element->str,
                                             NGX_WHOLESALE_REDIS_NUMBER_MAX,
                                             &limits->now);

    if (last != element->str + element->len || limits->now == 0) {
        limits->error = NGX_WHOLESALE_REDIS_PROTOCOL;
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; i < limits->n; i++) {
        counter = &limits->counters[i];
        element = reply->element[NGX_WHOLESALE_REDIS_ANSWER_BEFORE + i];

        if (ngx_wholesale_redis_limits_state(counter->limit, element, &state)
            != NGX_OK)
        {
            rc = NGX_ERROR;
            break;
        }

        if (!wholesale_limit_check(counter->limit, &state, limits->now,
                                   &counter->verdict)
            && !counter->limit->dry_run)
        {
            rc = NGX_BUSY;
        }
    }

    if (rc != NGX_ERROR) {

        switch (ngx_wholesale_redis_limits_paused(limits, reply)) {

        case NGX_OK:
            break;

        case NGX_BUSY:
            rc = NGX_BUSY;
            break;

        default: /* NGX_ERROR */
            rc = NGX_ERROR;
            break;
        }
    }

    if (rc == (reply->element[0]->integer ? NGX_OK : NGX_BUSY)) {
        return rc;
    }

    /* somebody else has written to a counter: nothing is made of it */

    ngx_wholesale_redis_limits_log(limits, impossible.data, impossible.len);

    limits->error = NGX_WHOLESALE_REDIS_COMMAND;

    return NGX_ERROR;
}


/* returns NGX_OK, NGX_BUSY: there is a pause, or NGX_ERROR */

static ngx_int_t
ngx_wholesale_redis_limits_paused(ngx_wholesale_redis_limits_t *limits,
    const redisReply *reply)
{
    int64_t            until, *left;
    ngx_int_t          rc;
    ngx_uint_t         i;
    const char        *last;
    const redisReply  *element;

    rc = NGX_OK;

    for (i = 0; i < limits->npauses; i++) {
        left = (i == 0) ? &limits->tenant_pause : &limits->customer_pause;

        element = reply->element[NGX_WHOLESALE_REDIS_ANSWER_BEFORE + limits->n
                                 + i];

        if (element->len == 0) {
            continue;
        }

        last = ngx_wholesale_redis_limits_number(element->str,
                                                NGX_WHOLESALE_REDIS_NUMBER_MAX,
                                                &until);

        if (last != element->str + element->len) {
            return NGX_ERROR;
        }

        if (until > limits->now) {
            *left = until - limits->now;
            rc = NGX_BUSY;
        }
    }

    return rc;
}


/*
 * The bounds are those of what the script writes.  Within them the arithmetic
 * does not overflow, whatever else the counter says.
 */

static ngx_int_t
ngx_wholesale_redis_limits_state(const wholesale_limit_t *limit,
    const redisReply *reply, wholesale_limit_state_t *state)
{
    const char  *p;

    ngx_memzero(state, sizeof(wholesale_limit_state_t));

    if (reply->len == 0) {
        return NGX_OK;
    }

    p = reply->str;

    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        p = ngx_wholesale_redis_limits_number(p,
                                              NGX_WHOLESALE_REDIS_NUMBER_MAX,
                                              &state->arrival);

        return (p == reply->str + reply->len) ? NGX_OK : NGX_ERROR;
    }

    p = ngx_wholesale_redis_limits_number(p, NGX_WHOLESALE_REDIS_NUMBER_MAX
                                             / limit->window,
                                          &state->number);

    if (p == NULL || *p++ != ' ') {
        return NGX_ERROR;
    }

    p = ngx_wholesale_redis_limits_number(p, WHOLESALE_QUOTA_MAX,
                                          &state->current);

    if (p == NULL || *p++ != ' ') {
        return NGX_ERROR;
    }

    p = ngx_wholesale_redis_limits_number(p, WHOLESALE_QUOTA_MAX,
                                          &state->previous);

    return (p == reply->str + reply->len) ? NGX_OK : NGX_ERROR;
}


/*
 * Reads a whole number from 0 to "max".  What hiredis hands over ends with a
 * NUL.  Returns where the number ends, or NULL if there is none.
 */

static const char *
ngx_wholesale_redis_limits_number(const char *p, int64_t max, int64_t *number)
{
    size_t   n;
    int64_t  value;

    value = 0;

    for (n = 0; p[n] >= '0' && p[n] <= '9'; n++) {

        if (n == NGX_WHOLESALE_REDIS_NUMBER_LEN) {
            return NULL;
        }

        value = value * 10 + (p[n] - '0');
    }

    if (n == 0 || value > max) {
        return NULL;
    }

    *number = value;

    return p + n;
}


/* what an error means for others, the connection has seen to */

static ngx_int_t
ngx_wholesale_redis_pause_handler(void *data,
    ngx_wholesale_redis_error_e error, redisReply *reply)
{
    return (error == NGX_WHOLESALE_REDIS_OK
            && reply->type != REDIS_REPLY_INTEGER)
           ? NGX_ERROR : NGX_OK;
}
