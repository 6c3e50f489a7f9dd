
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_detached.h>


static void ngx_http_wholesale_detached_forget(ngx_event_t *ev);
static u_char *ngx_http_wholesale_detached_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_wholesale_detached_handler(ngx_event_t *ev);
static ssize_t ngx_http_wholesale_detached_no_io(ngx_connection_t *c,
    u_char *buf, size_t size);
static ngx_chain_t *ngx_http_wholesale_detached_no_chain(ngx_connection_t *c,
    ngx_chain_t *in, off_t limit);


/* nginx's own name for a local client that has no address */

static struct sockaddr  ngx_http_wholesale_detached_sockaddr = { AF_UNIX, "" };
static ngx_str_t        ngx_http_wholesale_detached_addr =
                                                          ngx_string("unix:");


/* what is not set here is 0 */

void
ngx_http_wholesale_detached_init(ngx_http_wholesale_detached_t *d,
    ngx_http_request_t *r, ngx_pool_t *pool)
{
    ngx_connection_t          *c;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    d->http_connection.addr_conf = r->http_connection->addr_conf;
    d->http_connection.conf_ctx = cscf->ctx;

    c = &d->connection;

    d->log = *ngx_cycle->log;
    d->log.handler = ngx_http_wholesale_detached_log;
    d->log.data = &d->log_ctx;

    d->log_ctx.connection = c;

    /* always ready: so nobody asks for events of a socket that is none */

    d->read.data = c;
    d->read.ready = 1;
    d->read.active = 1;
    d->read.handler = ngx_http_wholesale_detached_handler;
    d->read.log = &d->log;

    d->write = d->read;
    d->write.write = 1;

    c->data = &d->http_connection;
    c->read = &d->read;
    c->write = &d->write;
    c->fd = (ngx_socket_t) -1;

    c->recv = ngx_http_wholesale_detached_no_io;
    c->send = ngx_http_wholesale_detached_no_io;
    c->send_chain = ngx_http_wholesale_detached_no_chain;

    c->listening = r->connection->listening;
    c->pool = pool;
    c->log = &d->log;
    c->log_error = NGX_ERROR_INFO;
    c->type = SOCK_STREAM;

    c->sockaddr = &ngx_http_wholesale_detached_sockaddr;
    c->socklen = sizeof(struct sockaddr);
    c->addr_text = ngx_http_wholesale_detached_addr;
    c->local_sockaddr = &ngx_http_wholesale_detached_sockaddr;
    c->local_socklen = sizeof(struct sockaddr);

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;

    d->log.connection = c->number;
}


ngx_int_t
ngx_http_wholesale_detached_create(ngx_http_wholesale_detached_t *d)
{
    ngx_http_request_t  *r;

    static ngx_str_t  uri = ngx_string("/");

    r = ngx_http_create_request(&d->connection);
    if (r == NULL) {
        return NGX_ERROR;
    }

    d->request = r;
    d->connection.data = r;

    r->http_version = NGX_HTTP_VERSION_11;
    r->method = NGX_HTTP_GET;
    r->method_name = ngx_http_core_get_method;
    r->uri = uri;
    r->unparsed_uri = uri;
    ngx_str_set(&r->http_protocol, "HTTP/1.1");

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* neither counted against limits of clients nor logged */

    r->logged = 1;
    r->limit_req_status = 1;
    r->limit_conn_status = 1;

    /* nobody but us frees it */
    r->count++;

    return ngx_list_init(&r->headers_in.headers, r->pool, 2,
                         sizeof(ngx_table_elt_t));
}


void
ngx_http_wholesale_detached_free(ngx_http_wholesale_detached_t *d)
{
    if (d->request) {
        ngx_http_free_request(d->request, 0);
        d->request = NULL;
    }

    ngx_http_wholesale_detached_forget(&d->read);
    ngx_http_wholesale_detached_forget(&d->write);
}


static void
ngx_http_wholesale_detached_forget(ngx_event_t *ev)
{
    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }
}


static u_char *
ngx_http_wholesale_detached_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_wholesale_detached_t  *d;

    d = log->data;

    return ngx_snprintf(buf, len, ", %s: \"%V\"", d->purpose, d->name);
}


static void
ngx_http_wholesale_detached_handler(ngx_event_t *ev)
{
    /* void */
}


static ssize_t
ngx_http_wholesale_detached_no_io(ngx_connection_t *c, u_char *buf,
    size_t size)
{
    return NGX_ERROR;
}


static ngx_chain_t *
ngx_http_wholesale_detached_no_chain(ngx_connection_t *c, ngx_chain_t *in,
    off_t limit)
{
    return NGX_CHAIN_ERROR;
}
