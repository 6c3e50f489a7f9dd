
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_wholesale_redis.h>
#include <ngx_wholesale_redis_connection.h>
#include <ngx_wholesale_redis_reply.h>


/* milliseconds before a dead Redis is tried again, doubled each time */
#define NGX_WHOLESALE_REDIS_BACKOFF_MIN  100
#define NGX_WHOLESALE_REDIS_BACKOFF_MAX  3200

/* a peer that hangs up sooner than so many milliseconds has failed */
#define NGX_WHOLESALE_REDIS_LIFE_MIN     1000


struct ngx_wholesale_redis_query_s {
    ngx_queue_t                        queue;
    ngx_wholesale_redis_t             *redis;

    /* NULL once it has been copied to the connection; redisFreeCommand() */
    char                              *command;
    size_t                             len;

    ngx_msec_t                         deadline;

    /* NULL: cancelled */
    ngx_wholesale_redis_handler_pt     handler;
    void                              *data;
};


struct ngx_wholesale_redis_s {
    ngx_wholesale_redis_connection_t   connection;
    ngx_wholesale_redis_counters_t    *counters;
    ngx_log_t                         *log;

    /*
     * CLOSED: commands are accepted.  A connection is there or being made.
     *
     * OPEN: commands are declined.  A connection is being made, or the retry
     * timer runs towards that.
     *
     * HALF_OPEN: one command at a time is accepted, the first of them the
     * probe.  The connection has answered its greeting.
     *
     * CLOSED, HALF_OPEN -> OPEN: a command or a connect took too long, the
     * connection was lost, or what came was wrong or anyone's error.
     *
     * CLOSED -> CLOSED: an idle connection was closed, as Redis does after
     * its own time-out: the next is made at once.
     *
     * OPEN -> HALF_OPEN: the next connection has answered its greeting.
     *
     * HALF_OPEN -> CLOSED: a command was answered, but not by NOSCRIPT: what
     * is sent next, with the script, may be refused.
     */
    ngx_wholesale_redis_breaker_e      breaker;
    ngx_wholesale_redis_error_e        last_error;

    /* there has been a connection that was usable */
    ngx_uint_t                         met;

    /* the next pause before another attempt to connect */
    ngx_msec_t                         backoff;
    ngx_event_t                        retry;

    /* not yet copied to the connection, and copied, in the order of replies */
    ngx_queue_t                        accepted;
    ngx_queue_t                        sent;
    ngx_uint_t                         waiting;     /* in both */

    /* fires at the earliest deadline, or before it */
    ngx_event_t                        deadline;

    /* what is left to the end of this turn of the event loop */
    ngx_event_t                        turn;
    ngx_uint_t                         turns;

    /* the data of the timers, for debug logs */
    ngx_connection_t                   dummy;
};


static void ngx_wholesale_redis_cleanup(void *data);
static ngx_int_t ngx_wholesale_redis_may_send(ngx_wholesale_redis_t *redis);
static void ngx_wholesale_redis_arm(ngx_wholesale_redis_t *redis,
    ngx_msec_t deadline);
static void ngx_wholesale_redis_settle(ngx_wholesale_redis_t *redis);
static void ngx_wholesale_redis_turn_handler(ngx_event_t *ev);
static void ngx_wholesale_redis_forgive(ngx_wholesale_redis_t *redis);
static ngx_int_t ngx_wholesale_redis_copy_accepted(
    ngx_wholesale_redis_t *redis);
static void ngx_wholesale_redis_deadline_handler(ngx_event_t *ev);
static void ngx_wholesale_redis_overdue(ngx_wholesale_redis_t *redis);
static ngx_uint_t ngx_wholesale_redis_earliest(ngx_queue_t *queue,
    ngx_msec_t *deadline);
static void ngx_wholesale_redis_retry_handler(ngx_event_t *ev);
static void ngx_wholesale_redis_ready(void *data);
static void ngx_wholesale_redis_writable(void *data);
static ngx_wholesale_redis_error_e ngx_wholesale_redis_reply(void *data,
    redisReply *reply);
static void ngx_wholesale_redis_failed(void *data);
static void ngx_wholesale_redis_open(ngx_wholesale_redis_t *redis,
    ngx_wholesale_redis_error_e error);
static void ngx_wholesale_redis_close_breaker(ngx_wholesale_redis_t *redis);
static ngx_int_t ngx_wholesale_redis_finish(
    ngx_wholesale_redis_query_t *query, ngx_wholesale_redis_error_e error,
    redisReply *reply);
static void ngx_wholesale_redis_free_query(ngx_wholesale_redis_query_t *query);


static const ngx_wholesale_redis_events_t  ngx_wholesale_redis_events = {
    ngx_wholesale_redis_ready,
    ngx_wholesale_redis_writable,
    ngx_wholesale_redis_reply,
    ngx_wholesale_redis_failed
};


ngx_wholesale_redis_t *
ngx_wholesale_redis_create(ngx_cycle_t *cycle,
    const ngx_wholesale_redis_conf_t *conf,
    ngx_wholesale_redis_counters_t *counters)
{
    ngx_pool_cleanup_t     *cln;
    ngx_wholesale_redis_t  *redis;

    redis = ngx_pcalloc(cycle->pool, sizeof(ngx_wholesale_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_wholesale_redis_cleanup;
    cln->data = redis;

    redis->counters = counters;
    redis->log = cycle->log;
    redis->backoff = NGX_WHOLESALE_REDIS_BACKOFF_MIN;

    ngx_queue_init(&redis->accepted);
    ngx_queue_init(&redis->sent);

    redis->dummy.fd = (ngx_socket_t) -1;
    redis->dummy.data = redis;

    redis->retry.handler = ngx_wholesale_redis_retry_handler;
    redis->retry.data = &redis->dummy;
    redis->retry.log = redis->log;
    redis->retry.cancelable = 1;

    redis->deadline.handler = ngx_wholesale_redis_deadline_handler;
    redis->deadline.data = &redis->dummy;
    redis->deadline.log = redis->log;
    redis->deadline.cancelable = 1;

    redis->turn.handler = ngx_wholesale_redis_turn_handler;
    redis->turn.data = &redis->dummy;
    redis->turn.log = redis->log;

    redis->connection.conf = conf;
    redis->connection.events = &ngx_wholesale_redis_events;
    redis->connection.data = redis;
    redis->connection.log = redis->log;

    ngx_wholesale_redis_connection_init(&redis->connection);

    /* posted otherwise, it would wait for the worker's first event */

    ngx_post_event(&redis->turn, &ngx_posted_next_events);

    return redis;
}


ngx_int_t
ngx_wholesale_redis_send(ngx_wholesale_redis_t *redis,
    const ngx_wholesale_redis_command_t *command,
    ngx_wholesale_redis_query_t **query)
{
    long long                     len;
    ngx_wholesale_redis_query_t  *q;

    if (ngx_wholesale_redis_may_send(redis) != NGX_OK) {
        (void) ngx_atomic_fetch_add(&redis->counters->declined, 1);
        return NGX_DECLINED;
    }

    q = ngx_alloc(sizeof(ngx_wholesale_redis_query_t), redis->log);
    if (q == NULL) {
        return NGX_ERROR;
    }

    q->redis = redis;
    q->handler = command->handler;
    q->data = command->data;
    q->deadline = command->deadline;

    if (q->deadline == 0) {
        q->deadline = ngx_current_msec + redis->connection.conf->timeout;
    }

    len = redisFormatCommandArgv(&q->command, command->argc, command->argv,
                                 command->argvlen);
    if (len < 0) {
        ngx_free(q);
        return NGX_ERROR;
    }

    q->len = len;

    if (q->len > NGX_WHOLESALE_REDIS_COMMAND_MAX) {
        redisFreeCommand(q->command);
        ngx_free(q);
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&redis->accepted, &q->queue);
    redis->waiting++;

    (void) ngx_atomic_fetch_add(&redis->counters->commands, 1);

    ngx_wholesale_redis_arm(redis, q->deadline);
    ngx_wholesale_redis_settle(redis);

    *query = q;

    return NGX_OK;
}


void
ngx_wholesale_redis_cancel(ngx_wholesale_redis_query_t *query)
{
    ngx_wholesale_redis_t  *redis;

    query->handler = NULL;

    if (query->command == NULL) {

        /* replies come in order: it keeps its place */

        return;
    }

    redis = query->redis;

    ngx_wholesale_redis_free_query(query);
    ngx_wholesale_redis_settle(redis);
}


ngx_wholesale_redis_breaker_e
ngx_wholesale_redis_breaker(const ngx_wholesale_redis_t *redis)
{
    return redis->breaker;
}


ngx_wholesale_redis_error_e
ngx_wholesale_redis_last_error(const ngx_wholesale_redis_t *redis)
{
    return redis->last_error;
}


ngx_uint_t
ngx_wholesale_redis_connected(const ngx_wholesale_redis_t *redis)
{
    return redis->connection.state == NGX_WHOLESALE_REDIS_READY;
}


const ngx_wholesale_redis_conf_t *
ngx_wholesale_redis_conf(const ngx_wholesale_redis_t *redis)
{
    return redis->connection.conf;
}


static void
ngx_wholesale_redis_cleanup(void *data)
{
    ngx_wholesale_redis_t *redis = data;

    ngx_queue_t                  *q;
    ngx_wholesale_redis_query_t  *query;

    ngx_wholesale_redis_disconnect(&redis->connection);

    if (redis->retry.timer_set) {
        ngx_del_timer(&redis->retry);
    }

    if (redis->deadline.timer_set) {
        ngx_del_timer(&redis->deadline);
    }

    if (redis->turn.posted) {
        ngx_delete_posted_event(&redis->turn);
    }

    ngx_queue_add(&redis->accepted, &redis->sent);

    q = ngx_queue_head(&redis->accepted);

    while (q != ngx_queue_sentinel(&redis->accepted)) {
        query = ngx_queue_data(q, ngx_wholesale_redis_query_t, queue);
        q = ngx_queue_next(q);
        ngx_wholesale_redis_free_query(query);
    }
}


static ngx_int_t
ngx_wholesale_redis_may_send(ngx_wholesale_redis_t *redis)
{
    switch (redis->breaker) {

    case NGX_WHOLESALE_REDIS_BREAKER_CLOSED:
        return (redis->waiting < NGX_WHOLESALE_REDIS_WAITING_MAX)
               ? NGX_OK : NGX_DECLINED;

    case NGX_WHOLESALE_REDIS_BREAKER_HALF_OPEN:
        return (redis->waiting == 0) ? NGX_OK : NGX_DECLINED;

    default: /* NGX_WHOLESALE_REDIS_BREAKER_OPEN */
        return NGX_DECLINED;
    }
}


/*
 * The timer is left as it is where it fires early enough: it is set about
 * once in a time-out, not with each command.
 */

static void
ngx_wholesale_redis_arm(ngx_wholesale_redis_t *redis, ngx_msec_t deadline)
{
    ngx_msec_int_t  timer;

    if (redis->deadline.timer_set) {

        if ((ngx_msec_int_t) (deadline - redis->deadline.timer.key) >= 0) {
            return;
        }

        ngx_del_timer(&redis->deadline);
    }

    timer = (ngx_msec_int_t) (deadline - ngx_current_msec);

    ngx_add_timer(&redis->deadline, (ngx_msec_t) ngx_max(timer, 0));
}


/* to be called where "waiting" has changed */

static void
ngx_wholesale_redis_settle(ngx_wholesale_redis_t *redis)
{
    ngx_uint_t  idle;

    idle = (redis->waiting == 0);

    redis->deadline.cancelable = idle;

    ngx_wholesale_redis_set_idle(&redis->connection, idle);

    if (!ngx_queue_empty(&redis->accepted) || (idle && ngx_exiting)) {
        ngx_post_event(&redis->turn, &ngx_posted_events);
    }
}


/*
 * Is called after the other events of a turn.  Those may post events in their
 * turn, which send commands too: then it lets them go first, once.
 */

static void
ngx_wholesale_redis_turn_handler(ngx_event_t *ev)
{
    ngx_connection_t       *dummy;
    ngx_wholesale_redis_t  *redis;

    dummy = ev->data;
    redis = dummy->data;

    if (!ngx_queue_empty(&ngx_posted_events) && redis->turns++ == 0) {
        ngx_post_event(ev, &ngx_posted_events);
        return;
    }

    redis->turns = 0;

    if (redis->waiting == 0 && ngx_exiting) {
        ngx_wholesale_redis_disconnect(&redis->connection);
        return;
    }

    if (redis->connection.state == NGX_WHOLESALE_REDIS_READY) {

        ngx_wholesale_redis_forgive(redis);

        while (ngx_wholesale_redis_copy_accepted(redis) == NGX_AGAIN) {

            if (ngx_wholesale_redis_flush(&redis->connection) != NGX_OK
                || redis->connection.pos != redis->connection.last)
            {
                return;
            }
        }

        (void) ngx_wholesale_redis_flush(&redis->connection);

        return;
    }

    if (redis->connection.state == NGX_WHOLESALE_REDIS_DOWN
        && redis->breaker == NGX_WHOLESALE_REDIS_BREAKER_CLOSED)
    {
        ngx_wholesale_redis_connect(&redis->connection);
    }
}


/*
 * The clock stands still during a turn, which takes its time where many
 * requests came at once.  That is not Redis's fault, and must not open the
 * breaker.
 */

static void
ngx_wholesale_redis_forgive(ngx_wholesale_redis_t *redis)
{
    ngx_msec_t                    busy;
    ngx_queue_t                  *q;
    ngx_wholesale_redis_query_t  *query;

    busy = ngx_current_msec;
    ngx_time_update();
    busy = ngx_current_msec - busy;

    if (busy == 0) {
        return;
    }

    for (q = ngx_queue_head(&redis->accepted);
         q != ngx_queue_sentinel(&redis->accepted);
         q = ngx_queue_next(q))
    {
        query = ngx_queue_data(q, ngx_wholesale_redis_query_t, queue);
        query->deadline += busy;
    }
}


static ngx_int_t
ngx_wholesale_redis_copy_accepted(ngx_wholesale_redis_t *redis)
{
    ngx_queue_t                  *q;
    ngx_wholesale_redis_query_t  *query;

    while (!ngx_queue_empty(&redis->accepted)) {
        q = ngx_queue_head(&redis->accepted);

        query = ngx_queue_data(q, ngx_wholesale_redis_query_t, queue);

        if (ngx_wholesale_redis_write(&redis->connection,
                                      (u_char *) query->command, query->len)
            != NGX_OK)
        {
            return NGX_AGAIN;
        }

        redisFreeCommand(query->command);
        query->command = NULL;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&redis->sent, q);
    }

    return NGX_OK;
}


static void
ngx_wholesale_redis_deadline_handler(ngx_event_t *ev)
{
    ngx_msec_t              deadline;
    ngx_uint_t              waiting;
    ngx_connection_t       *dummy;
    ngx_wholesale_redis_t  *redis;

    dummy = ev->data;
    redis = dummy->data;

    deadline = ngx_current_msec + NGX_MAX_INT_T_VALUE / 2;

    waiting = ngx_wholesale_redis_earliest(&redis->sent, &deadline);
    waiting |= ngx_wholesale_redis_earliest(&redis->accepted, &deadline);

    if (!waiting) {
        return;
    }

    if ((ngx_msec_int_t) (deadline - ngx_current_msec) > 0) {
        ngx_wholesale_redis_arm(redis, deadline);
        return;
    }

    ngx_wholesale_redis_overdue(redis);
}


static void
ngx_wholesale_redis_overdue(ngx_wholesale_redis_t *redis)
{
    if (redis->connection.state == NGX_WHOLESALE_REDIS_READY) {
        ngx_wholesale_redis_fail(&redis->connection,
                                 NGX_WHOLESALE_REDIS_TIMEOUT, NGX_ETIMEDOUT,
                                 "it took too long to answer a command");
        return;
    }

    /*
     * The attempt to connect goes on; it may be that only this takes longer
     * than a command may wait.
     */

    ngx_wholesale_redis_set_failure(&redis->connection,
                                    NGX_WHOLESALE_REDIS_TIMEOUT,
                                    NGX_ETIMEDOUT,
                                    "it took too long to be reached");

    ngx_wholesale_redis_open(redis, NGX_WHOLESALE_REDIS_TIMEOUT);
}


/* lowers "deadline"; returns whether there is any query */

static ngx_uint_t
ngx_wholesale_redis_earliest(ngx_queue_t *queue, ngx_msec_t *deadline)
{
    ngx_queue_t                  *q;
    ngx_wholesale_redis_query_t  *query;

    for (q = ngx_queue_head(queue);
         q != ngx_queue_sentinel(queue);
         q = ngx_queue_next(q))
    {
        query = ngx_queue_data(q, ngx_wholesale_redis_query_t, queue);

        if ((ngx_msec_int_t) (query->deadline - *deadline) < 0) {
            *deadline = query->deadline;
        }
    }

    return !ngx_queue_empty(queue);
}


static void
ngx_wholesale_redis_retry_handler(ngx_event_t *ev)
{
    ngx_connection_t       *dummy;
    ngx_wholesale_redis_t  *redis;

    dummy = ev->data;
    redis = dummy->data;

    ngx_wholesale_redis_connect(&redis->connection);
}


static void
ngx_wholesale_redis_ready(void *data)
{
    ngx_wholesale_redis_t *redis = data;

    (void) ngx_atomic_fetch_add(&redis->counters->connects, 1);
    (void) ngx_atomic_fetch_add(&redis->counters->reconnects, redis->met);

    redis->met = 1;

    if (redis->breaker == NGX_WHOLESALE_REDIS_BREAKER_OPEN) {
        redis->breaker = NGX_WHOLESALE_REDIS_BREAKER_HALF_OPEN;

        if (redis->connection.conf->probe) {
            redis->connection.conf->probe(redis);
        }
    }

    ngx_post_event(&redis->turn, &ngx_posted_events);
}


static void
ngx_wholesale_redis_writable(void *data)
{
    ngx_wholesale_redis_t *redis = data;

    ngx_post_event(&redis->turn, &ngx_posted_events);
}


static ngx_wholesale_redis_error_e
ngx_wholesale_redis_reply(void *data, redisReply *reply)
{
    ngx_wholesale_redis_t *redis = data;

    ngx_uint_t                    noscript;
    ngx_queue_t                  *q;
    ngx_wholesale_redis_error_e   error;
    ngx_wholesale_redis_query_t  *query;

    if (ngx_queue_empty(&redis->sent)) {
        return NGX_WHOLESALE_REDIS_PROTOCOL;
    }

    q = ngx_queue_head(&redis->sent);
    query = ngx_queue_data(q, ngx_wholesale_redis_query_t, queue);

    error = NGX_WHOLESALE_REDIS_OK;

    if (reply->type == REDIS_REPLY_ERROR) {
        error = ngx_wholesale_redis_reply_error(reply);
    }

    if (error != NGX_WHOLESALE_REDIS_OK
        && error != NGX_WHOLESALE_REDIS_COMMAND)
    {
        return error;
    }

    noscript = ngx_wholesale_redis_reply_noscript(reply);

    if (ngx_wholesale_redis_finish(query, error, reply) != NGX_OK) {
        return NGX_WHOLESALE_REDIS_PROTOCOL;
    }

    if (!noscript) {
        ngx_wholesale_redis_close_breaker(redis);
    }

    return NGX_WHOLESALE_REDIS_OK;
}


static void
ngx_wholesale_redis_failed(void *data)
{
    ngx_wholesale_redis_t *redis = data;

    ngx_msec_t                         timer;
    ngx_wholesale_redis_connection_t  *rc;

    rc = &redis->connection;

    if (rc->lost
        && rc->failure.error == NGX_WHOLESALE_REDIS_CLOSED
        && redis->breaker == NGX_WHOLESALE_REDIS_BREAKER_CLOSED
        && ngx_queue_empty(&redis->sent)
        && ngx_current_msec - rc->since >= NGX_WHOLESALE_REDIS_LIFE_MIN)
    {
        ngx_log_error(NGX_LOG_INFO, redis->log, rc->failure.err,
                      "redis \"%V\": %V while idle, connecting anew",
                      &rc->conf->server, &rc->failure.text);

        ngx_post_event(&redis->turn, &ngx_posted_events);
        return;
    }

    timer = redis->backoff / 2 + ngx_random() % (redis->backoff / 2 + 1);

    redis->backoff = ngx_min(redis->backoff * 2,
                             NGX_WHOLESALE_REDIS_BACKOFF_MAX);

    ngx_add_timer(&redis->retry, timer);

    ngx_wholesale_redis_open(redis, rc->failure.error);
}


static void
ngx_wholesale_redis_open(ngx_wholesale_redis_t *redis,
    ngx_wholesale_redis_error_e error)
{
    ngx_uint_t    level;
    ngx_queue_t  *q, queue;

    level = NGX_LOG_INFO;

    if (redis->breaker == NGX_WHOLESALE_REDIS_BREAKER_CLOSED) {
        level = ngx_exiting ? NGX_LOG_INFO : NGX_LOG_ERR;

        (void) ngx_atomic_fetch_add(&redis->counters->opened, 1);
    }

    ngx_log_error(level, redis->log, redis->connection.failure.err,
                  "redis \"%V\" cannot be used: %V",
                  &redis->connection.conf->server,
                  &redis->connection.failure.text);

    /* a failure where there is no command, either */
    (void) ngx_atomic_fetch_add(&redis->counters->replies[error],
                                redis->waiting == 0);

    redis->breaker = NGX_WHOLESALE_REDIS_BREAKER_OPEN;
    redis->last_error = error;
    redis->connection.hushed = 1;

    /* handlers may cancel others of these; none can be accepted meanwhile */

    ngx_queue_init(&queue);
    ngx_queue_add(&queue, &redis->sent);
    ngx_queue_init(&redis->sent);
    ngx_queue_add(&queue, &redis->accepted);
    ngx_queue_init(&redis->accepted);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);

        (void) ngx_wholesale_redis_finish(
                   ngx_queue_data(q, ngx_wholesale_redis_query_t, queue),
                   error, NULL);
    }
}


static void
ngx_wholesale_redis_close_breaker(ngx_wholesale_redis_t *redis)
{
    redis->backoff = NGX_WHOLESALE_REDIS_BACKOFF_MIN;

    if (redis->breaker == NGX_WHOLESALE_REDIS_BREAKER_CLOSED) {
        return;
    }

    redis->breaker = NGX_WHOLESALE_REDIS_BREAKER_CLOSED;
    redis->connection.hushed = 0;

    ngx_log_error(NGX_LOG_NOTICE, redis->log, 0, "redis \"%V\" is used again",
                  &redis->connection.conf->server);
}


static ngx_int_t
ngx_wholesale_redis_finish(ngx_wholesale_redis_query_t *query,
    ngx_wholesale_redis_error_e error, redisReply *reply)
{
    void                            *data;
    ngx_int_t                        rc;
    ngx_wholesale_redis_t           *redis;
    ngx_wholesale_redis_handler_pt   handler;

    redis = query->redis;
    handler = query->handler;
    data = query->data;

    ngx_wholesale_redis_free_query(query);

    if (reply == NULL || !ngx_wholesale_redis_reply_noscript(reply)) {
        (void) ngx_atomic_fetch_add(&redis->counters->replies[error], 1);
    }

    rc = handler ? handler(data, error, reply) : NGX_OK;

    ngx_wholesale_redis_settle(redis);

    return rc;
}


static void
ngx_wholesale_redis_free_query(ngx_wholesale_redis_query_t *query)
{
    ngx_queue_remove(&query->queue);

    query->redis->waiting--;

    if (query->command) {
        redisFreeCommand(query->command);
    }

    ngx_free(query);
}
