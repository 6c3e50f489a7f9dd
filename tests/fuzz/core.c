
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_sha1.h>
#include <ngx_wholesale_redis_connection.h>
#include "core.h"


#define FUZZ_TIMERS    8
#define FUZZ_LINE_MAX  2048


/* one allocation of a pool; in front of what it gave */

typedef struct fuzz_block_s  fuzz_block_t;

struct fuzz_block_s {
    fuzz_block_t       *next;
    ngx_pool_cleanup_t  cleanup;
};


static ssize_t fuzz_send(ngx_connection_t *c, u_char *buf, size_t size);
static ssize_t fuzz_recv(ngx_connection_t *c, u_char *buf, size_t size);
static u_char *fuzz_format(u_char *p, u_char *last, const char **fmt,
    va_list *args);
static u_char *fuzz_copy(u_char *p, u_char *last, const void *data,
    size_t len);
static ngx_event_t *fuzz_due(void);
static void fuzz_never(void);


/* what nginx's other sources would have */

volatile ngx_cycle_t  *ngx_cycle;
ngx_pid_t              ngx_pid;
ngx_uint_t             ngx_exiting;
volatile ngx_msec_t    ngx_current_msec;
volatile ngx_time_t   *ngx_cached_time;
ngx_event_actions_t    ngx_event_actions;
ngx_queue_t            ngx_posted_events;
ngx_queue_t            ngx_posted_next_events;
ngx_rbtree_t           ngx_event_timer_rbtree;


static ngx_log_t           fuzz_log;
static ngx_open_file_t     fuzz_log_file;
static ngx_time_t          fuzz_time;
static ngx_cycle_t         fuzz_cycle;
static ngx_connection_t    fuzz_connection;
static ngx_event_t         fuzz_read_event;
static ngx_event_t         fuzz_write_event;
static ngx_uint_t          fuzz_connected;
static ngx_rbtree_node_t  *fuzz_timers[FUZZ_TIMERS];

/* what the peer has sent and nobody has read */
static const uint8_t      *fuzz_data;
static size_t              fuzz_size;


void
fuzz_core_init(void)
{
    ngx_exiting = 0;
    ngx_current_msec = 1000000;

    fuzz_time.sec = 1795432909;
    ngx_cached_time = &fuzz_time;

    fuzz_log.log_level = NGX_LOG_INFO;
    fuzz_log.file = &fuzz_log_file;

    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);
    ngx_memzero(fuzz_timers, sizeof(fuzz_timers));

    fuzz_connected = 0;
    fuzz_data = NULL;
    fuzz_size = 0;

    ngx_memzero(&fuzz_cycle, sizeof(ngx_cycle_t));
    fuzz_cycle.log = &fuzz_log;
    fuzz_cycle.pool = ngx_create_pool(0, &fuzz_log);

    ngx_cycle = &fuzz_cycle;
}


ngx_cycle_t *
fuzz_core_cycle(void)
{
    return &fuzz_cycle;
}


void
fuzz_core_done(void)
{
    ngx_destroy_pool(fuzz_cycle.pool);
}


void
fuzz_core_turn(void)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    ngx_queue_add(&ngx_posted_events, &ngx_posted_next_events);
    ngx_queue_init(&ngx_posted_next_events);

    while (!ngx_queue_empty(&ngx_posted_events)) {
        q = ngx_queue_head(&ngx_posted_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


void
fuzz_core_receive(const uint8_t *data, size_t size)
{
    if (!fuzz_connected) {
        return;
    }

    fuzz_data = data;
    fuzz_size = size;

    fuzz_read_event.ready = 1;
    fuzz_read_event.eof = (size == 0);
    fuzz_read_event.handler(&fuzz_read_event);

    fuzz_core_turn();
}


ngx_uint_t
fuzz_core_connected(void)
{
    return fuzz_connected;
}


void
fuzz_core_wait(ngx_msec_t msec)
{
    ngx_event_t  *ev;

    ngx_current_msec += msec;

    for ( ;; ) {
        ev = fuzz_due();

        if (ev == NULL) {
            break;
        }

        ngx_del_timer(ev);
        ev->timedout = 1;
        ev->handler(ev);
    }

    fuzz_core_turn();
}


static ngx_event_t *
fuzz_due(void)
{
    ngx_uint_t          i;
    ngx_rbtree_node_t  *node;

    for (i = 0; i < FUZZ_TIMERS; i++) {
        node = fuzz_timers[i];

        if (node && (ngx_msec_int_t) (node->key - ngx_current_msec) <= 0) {
            return ngx_rbtree_data(node, ngx_event_t, timer);
        }
    }

    return NULL;
}


/* timers are few: the tree is an array */

void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_uint_t  i;

    for (i = 0; i < FUZZ_TIMERS; i++) {

        if (fuzz_timers[i] == NULL) {
            fuzz_timers[i] = node;
            return;
        }
    }

    fuzz_never();
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_uint_t  i;

    for (i = 0; i < FUZZ_TIMERS; i++) {

        if (fuzz_timers[i] == node) {
            fuzz_timers[i] = NULL;
            return;
        }
    }

    fuzz_never();
}


static ssize_t
fuzz_send(ngx_connection_t *c, u_char *buf, size_t size)
{
    return size;
}


static ssize_t
fuzz_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n;

    if (fuzz_size == 0) {
        c->read->ready = 0;
        return c->read->eof ? 0 : NGX_AGAIN;
    }

    n = ngx_min(size, fuzz_size);

    ngx_memcpy(buf, fuzz_data, n);

    fuzz_data += n;
    fuzz_size -= n;

    return n;
}


/* a log line has nothing of the peer's that is not printable */

void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    u_char   line[FUZZ_LINE_MAX], *p, *last;
    va_list  args;

    va_start(args, fmt);
    last = ngx_vslprintf(line, line + FUZZ_LINE_MAX, fmt, args);
    va_end(args);

    for (p = line; p < last; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            abort();
        }
    }

    /* nor is anything of it an alert */

    if (level <= NGX_LOG_ALERT) {
        abort();
    }
}


/* memory */

ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    pool = calloc(1, sizeof(ngx_pool_t));

    if (pool == NULL) {
        fuzz_never();
    }

    return pool;
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    fuzz_block_t        *block, *next;
    ngx_pool_cleanup_t  *cln;

    for (cln = pool->cleanup; cln; cln = cln->next) {

        if (cln->handler) {
            cln->handler(cln->data);
        }
    }

    for (block = (fuzz_block_t *) pool->large; block; block = next) {
        next = block->next;
        free(block);
    }

    free(pool);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    fuzz_block_t  *block;

    block = malloc(sizeof(fuzz_block_t) + size);

    if (block == NULL) {
        fuzz_never();
    }

    block->next = (fuzz_block_t *) pool->large;
    pool->large = (ngx_pool_large_t *) block;

    return block + 1;
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_palloc(pool, size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    return memset(ngx_palloc(pool, size), 0, size);
}


ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    fuzz_block_t  *block;

    block = (fuzz_block_t *) ngx_palloc(pool, size) - 1;

    block->cleanup.handler = NULL;
    block->cleanup.data = block + 1;
    block->cleanup.next = pool->cleanup;

    pool->cleanup = &block->cleanup;

    return &block->cleanup;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return malloc(size);
}


void
ngx_explicit_memzero(void *buf, size_t n)
{
    memset(buf, 0, n);
}


/* text: the formats that the sources under test use, and no other */

u_char * ngx_cdecl
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, (u_char *) -1, fmt, args);
    va_end(args);

    return p;
}


u_char * ngx_cdecl
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, last, fmt, args);
    va_end(args);

    return p;
}


u_char *
ngx_vslprintf(u_char *buf, u_char *last, const char *fmt, va_list args)
{
    u_char   *p;
    va_list   copy;

    p = buf;
    va_copy(copy, args);

    while (*fmt) {

        if (*fmt != '%') {
            p = fuzz_copy(p, last, fmt++, 1);
            continue;
        }

        fmt++;
        p = fuzz_format(p, last, &fmt, &copy);
    }

    va_end(copy);

    return p;
}


static u_char *
fuzz_format(u_char *p, u_char *last, const char **fmt, va_list *args)
{
    int         n;
    char        number[NGX_INT64_LEN + 1];
    size_t      len;
    ngx_str_t  *v;

    static const char  *formats[] = {
        "V", "*s", "s", "uz", "ui", "L", "d", "p", NULL
    };

    for (n = 0; formats[n]; n++) {
        len = strlen(formats[n]);

        if (strncmp(*fmt, formats[n], len) == 0) {
            *fmt += len;
            break;
        }
    }

    switch (n) {

    case 0:
        v = va_arg(*args, ngx_str_t *);
        return fuzz_copy(p, last, v->data, v->len);

    case 1:
        len = va_arg(*args, size_t);
        return fuzz_copy(p, last, va_arg(*args, u_char *), len);

    case 2:
        v = va_arg(*args, void *);
        return fuzz_copy(p, last, v, strlen((char *) v));

    case 3:
    case 4:
        n = sprintf(number, "%zu", va_arg(*args, size_t));
        return fuzz_copy(p, last, number, n);

    case 5:
        n = sprintf(number, "%lld", (long long) va_arg(*args, int64_t));
        return fuzz_copy(p, last, number, n);

    case 6:
        n = sprintf(number, "%d", va_arg(*args, int));
        return fuzz_copy(p, last, number, n);

    case 7:
        (void) va_arg(*args, void *);
        return p;

    default:
        fuzz_never();
        return NULL;
    }
}


static u_char *
fuzz_copy(u_char *p, u_char *last, const void *data, size_t len)
{
    len = ngx_min(len, (size_t) (last - p));

    return ngx_cpymem(p, data, len);
}


/* which script it is does not matter */

void
ngx_sha1_init(ngx_sha1_t *ctx)
{
}


void
ngx_sha1_update(ngx_sha1_t *ctx, const void *data, size_t size)
{
}


void
ngx_sha1_final(u_char result[20], ngx_sha1_t *ctx)
{
    memset(result, 0, 20);
}


u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    static const u_char  digits[] = "0123456789abcdef";

    while (len--) {
        *dst++ = digits[*src >> 4];
        *dst++ = digits[*src++ & 0xf];
    }

    return dst;
}


/* the connection */

ngx_int_t
ngx_event_connect_peer(ngx_peer_connection_t *pc)
{
    ngx_memzero(&fuzz_connection, sizeof(ngx_connection_t));
    ngx_memzero(&fuzz_read_event, sizeof(ngx_event_t));
    ngx_memzero(&fuzz_write_event, sizeof(ngx_event_t));

    fuzz_connection.fd = (ngx_socket_t) -1;
    fuzz_connection.log = pc->log;
    fuzz_connection.read = &fuzz_read_event;
    fuzz_connection.write = &fuzz_write_event;
    fuzz_connection.send = fuzz_send;
    fuzz_connection.recv = fuzz_recv;

    fuzz_read_event.data = &fuzz_connection;
    fuzz_read_event.log = pc->log;
    fuzz_write_event.data = &fuzz_connection;
    fuzz_write_event.log = pc->log;
    fuzz_write_event.write = 1;
    fuzz_write_event.ready = 1;

    pc->connection = &fuzz_connection;
    fuzz_connected = 1;

    return NGX_OK;
}


ngx_int_t
ngx_event_get_peer(ngx_peer_connection_t *pc, void *data)
{
    return NGX_OK;
}


/* what the peer has sent besides goes with it */

void
ngx_close_connection(ngx_connection_t *c)
{
    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    fuzz_connected = 0;
    fuzz_size = 0;
}


ngx_int_t
ngx_handle_read_event(ngx_event_t *rev, ngx_uint_t flags)
{
    return NGX_OK;
}


ngx_int_t
ngx_handle_write_event(ngx_event_t *wev, size_t lowat)
{
    return NGX_OK;
}


ngx_int_t
ngx_tcp_nodelay(ngx_connection_t *c)
{
    return NGX_OK;
}


void
ngx_time_update(void)
{
}


/* what a connection to a Unix socket, without TLS, does not come to */

ngx_resolver_ctx_t *
ngx_resolve_start(ngx_resolver_t *r, ngx_resolver_ctx_t *temp)
{
    fuzz_never();
    return NULL;
}


ngx_int_t
ngx_resolve_name(ngx_resolver_ctx_t *ctx)
{
    fuzz_never();
    return NGX_ERROR;
}


void
ngx_resolve_name_done(ngx_resolver_ctx_t *ctx)
{
    fuzz_never();
}


char *
ngx_resolver_strerror(ngx_int_t err)
{
    fuzz_never();
    return NULL;
}


size_t
ngx_sock_ntop(struct sockaddr *sa, socklen_t socklen, u_char *text, size_t len,
    ngx_uint_t port)
{
    fuzz_never();
    return 0;
}


void
ngx_inet_set_port(struct sockaddr *sa, in_port_t port)
{
    fuzz_never();
}


#if (NGX_SSL)

ngx_int_t
ngx_ssl_shutdown(ngx_connection_t *c)
{
    fuzz_never();
    return NGX_ERROR;
}


void
ngx_wholesale_redis_secure(ngx_wholesale_redis_connection_t *rc)
{
    fuzz_never();
}

#endif


static void
fuzz_never(void)
{
    abort();
}
