
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/*
 * The request to the token endpoint is a subrequest to an internal location:
 * TLS, names, time-outs and kept connections are nginx's.  But its parent is
 * no client's request: a client that leaves ends its subrequests, and with the
 * answer a new refresh token could be lost, for good.  So the parent is made
 * here, on a connection without a socket, as HTTP/2 makes one for each stream;
 * nothing of a client's is in it.
 *
 * Neither is the subrequest one of those that keep their answer in memory:
 * these take as much as proxy_buffer_size leaves, and no answer is worth an
 * alert in the log.  Our filters take the answer up.
 */


/* bytes of an answer; a longer one is of no use */
#define NGX_HTTP_WHOLESALE_REFRESH_ANSWER  (64 * 1024)

/* seconds that are read of a Retry-After */
#define NGX_HTTP_WHOLESALE_REFRESH_RETRY   3600


typedef struct {
    /* has to be the first: nginx takes it for the log's data */
    ngx_http_log_ctx_t           log_ctx;

    ngx_wholesale_credential_t  *credential;
    ngx_wholesale_lease_t        lease;

    ngx_pool_t                  *pool;
    ngx_connection_t             connection;
    ngx_event_t                  read;
    ngx_event_t                  write;
    ngx_log_t                    log;
    ngx_http_connection_t        http_connection;
    ngx_http_post_subrequest_t   post;

    /*
     * NULL: to be sent by the next event; else on its way, or, if "done", to
     * be judged by the next event.  The event's timer is the whole's.
     */
    ngx_http_request_t          *request;
    ngx_event_t                  event;

    /* secrets, as read and as sent; both are cleared at the end */
    u_char                      *secrets;
    ngx_str_t                    form;

    /* NGX_OK, or the status where nginx itself failed */
    ngx_int_t                    rc;
    ngx_uint_t                   status;        /* the endpoint's; 0: none */
    ngx_msec_t                   retry_after;
    u_char                      *answer;
    size_t                       len;

    unsigned                     done:1;
    unsigned                     whole:1;       /* the end of it came */
    unsigned                     too_large:1;
    unsigned                     encoded:1;
} ngx_http_wholesale_refresh_t;


static void ngx_http_wholesale_refresh_handler(ngx_event_t *ev);
static void ngx_http_wholesale_refresh_send(
    ngx_http_wholesale_refresh_t *refresh);
static ngx_int_t ngx_http_wholesale_refresh_form(
    ngx_http_wholesale_refresh_t *refresh);
static u_char *ngx_http_wholesale_refresh_pair(u_char *p, const char *name,
    ngx_str_t *value);
static void ngx_http_wholesale_refresh_connect(
    ngx_http_wholesale_refresh_t *refresh);
static ngx_int_t ngx_http_wholesale_refresh_request(
    ngx_http_wholesale_refresh_t *refresh);
static ngx_int_t ngx_http_wholesale_refresh_headers(ngx_http_request_t *sr,
    ngx_http_wholesale_refresh_t *refresh);
static ngx_int_t ngx_http_wholesale_refresh_add(ngx_http_request_t *sr,
    const char *key, const char *lowcase, const char *value);
static ngx_int_t ngx_http_wholesale_refresh_done(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_http_wholesale_refresh_judge(
    ngx_http_wholesale_refresh_t *refresh);
static void ngx_http_wholesale_refresh_take(
    ngx_http_wholesale_refresh_t *refresh);
static void ngx_http_wholesale_refresh_fail(
    ngx_http_wholesale_refresh_t *refresh,
    ngx_wholesale_token_failure_e failure, const char *fmt, ...);
static void ngx_http_wholesale_refresh_end(
    ngx_http_wholesale_refresh_t *refresh);
static void ngx_http_wholesale_refresh_forget(ngx_event_t *ev);
static u_char *ngx_http_wholesale_refresh_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_http_wholesale_refresh_empty_handler(ngx_event_t *ev);
static ssize_t ngx_http_wholesale_refresh_no_io(ngx_connection_t *c,
    u_char *buf, size_t size);
static ngx_chain_t *ngx_http_wholesale_refresh_no_chain(ngx_connection_t *c,
    ngx_chain_t *in, off_t limit);


extern ngx_module_t  ngx_http_wholesale_filter_module;


/* nginx's own name for a local client that has no address */

static struct sockaddr  ngx_http_wholesale_refresh_sockaddr = { AF_UNIX, "" };
static ngx_str_t        ngx_http_wholesale_refresh_addr = ngx_string("unix:");

static ngx_str_t  ngx_http_wholesale_refresh_method = ngx_string("POST");


ngx_int_t
ngx_http_wholesale_refresh(ngx_http_request_t *r,
    ngx_wholesale_credential_t *credential, ngx_wholesale_lease_t *lease)
{
    ngx_str_t                      error;
    ngx_pool_t                    *pool;
    ngx_http_core_srv_conf_t      *cscf;
    ngx_http_wholesale_refresh_t  *refresh;

    refresh = NULL;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);

    if (pool) {
        refresh = ngx_pcalloc(pool, sizeof(ngx_http_wholesale_refresh_t));
    }

    if (refresh == NULL) {
        if (pool) {
            ngx_destroy_pool(pool);
        }

        ngx_str_set(&error, "no memory for a refresh");
        ngx_wholesale_token_fail(credential, lease,
                                 NGX_WHOLESALE_TOKEN_PASSING, 0, 0, &error,
                                 ngx_cycle->log);
        return NGX_ERROR;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    refresh->pool = pool;
    refresh->credential = credential;
    refresh->lease = *lease;

    refresh->http_connection.addr_conf = r->http_connection->addr_conf;
    refresh->http_connection.conf_ctx = cscf->ctx;

    refresh->connection.listening = r->connection->listening;

    ngx_http_wholesale_refresh_connect(refresh);

    /* not in the middle of the client's request */

    ngx_post_event(&refresh->event, &ngx_posted_events);

    return NGX_OK;
}


/* what is not set here is 0 */

static void
ngx_http_wholesale_refresh_connect(ngx_http_wholesale_refresh_t *refresh)
{
    ngx_connection_t  *c;

    c = &refresh->connection;

    refresh->log = *ngx_cycle->log;
    refresh->log.handler = ngx_http_wholesale_refresh_log;
    refresh->log.data = &refresh->log_ctx;
    refresh->log.action = "refreshing a token";

    refresh->log_ctx.connection = c;

    /* always ready: so nobody asks for events of a socket that is none */

    refresh->read.data = c;
    refresh->read.ready = 1;
    refresh->read.active = 1;
    refresh->read.handler = ngx_http_wholesale_refresh_empty_handler;
    refresh->read.log = &refresh->log;

    refresh->write = refresh->read;
    refresh->write.write = 1;

    refresh->event.data = c;
    refresh->event.handler = ngx_http_wholesale_refresh_handler;
    refresh->event.log = &refresh->log;

    c->data = &refresh->http_connection;
    c->read = &refresh->read;
    c->write = &refresh->write;
    c->fd = (ngx_socket_t) -1;

    c->recv = ngx_http_wholesale_refresh_no_io;
    c->send = ngx_http_wholesale_refresh_no_io;
    c->send_chain = ngx_http_wholesale_refresh_no_chain;

    c->pool = refresh->pool;
    c->log = &refresh->log;
    c->log_error = NGX_ERROR_INFO;
    c->type = SOCK_STREAM;

    c->sockaddr = &ngx_http_wholesale_refresh_sockaddr;
    c->socklen = sizeof(struct sockaddr);
    c->addr_text = ngx_http_wholesale_refresh_addr;
    c->local_sockaddr = &ngx_http_wholesale_refresh_sockaddr;
    c->local_socklen = sizeof(struct sockaddr);

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;

    refresh->log.connection = c->number;
}


static void
ngx_http_wholesale_refresh_handler(ngx_event_t *ev)
{
    ngx_http_wholesale_refresh_t  *refresh;

    refresh = (ngx_http_wholesale_refresh_t *)
              ((u_char *) ev - offsetof(ngx_http_wholesale_refresh_t, event));

    if (refresh->request == NULL) {
        ngx_http_wholesale_refresh_send(refresh);
        return;
    }

    if (refresh->done) {
        ngx_http_wholesale_refresh_judge(refresh);

    } else {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint did not answer "
                                        "in time");
    }

    ngx_http_wholesale_refresh_end(refresh);
}


static void
ngx_http_wholesale_refresh_send(ngx_http_wholesale_refresh_t *refresh)
{
    u_char                       text[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    ngx_err_t                    err;
    ngx_str_t                    file, error;
    const char                  *trouble;
    ngx_wholesale_credential_t  *credential;

    credential = refresh->credential;

    refresh->secrets = ngx_pcalloc(refresh->pool,
                                   2 * NGX_WHOLESALE_SECRET_BUFFER);
    refresh->answer = ngx_palloc(refresh->pool,
                                 NGX_HTTP_WHOLESALE_REFRESH_ANSWER);

    if (refresh->secrets == NULL || refresh->answer == NULL) {
        goto failed;
    }

    trouble = ngx_wholesale_token_secrets(credential, &refresh->lease,
                                          refresh->secrets, &file, &err);
    if (trouble) {
        error.data = text;
        error.len = ngx_snprintf(text, sizeof(text), "%s %s",
                                 file.data == credential->client_secret_file.data
                                 ? "client_secret_file" : "refresh_token_file",
                                 trouble)
                    - text;

        ngx_wholesale_token_fail(credential, &refresh->lease,
                                 NGX_WHOLESALE_TOKEN_PASSING, 1, 0, &error,
                                 &refresh->log);
        goto end;
    }

    if (ngx_http_wholesale_refresh_form(refresh) != NGX_OK
        || ngx_http_wholesale_refresh_request(refresh) != NGX_OK)
    {
        goto failed;
    }

    ngx_add_timer(&refresh->event, NGX_WHOLESALE_TOKEN_REFRESH_MAX);

    ngx_http_run_posted_requests(&refresh->connection);

    return;

failed:

    ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                    "no memory for a refresh");

end:

    ngx_http_wholesale_refresh_end(refresh);
}


static ngx_int_t
ngx_http_wholesale_refresh_form(ngx_http_wholesale_refresh_t *refresh)
{
    u_char                      *p;
    size_t                       len;
    ngx_wholesale_lease_t       *lease;
    ngx_wholesale_credential_t  *credential;

    lease = &refresh->lease;
    credential = refresh->credential;

    /* each byte becomes three at most */

    len = sizeof("grant_type=refresh_token&client_id=&client_secret="
                 "&refresh_token=")
          + 3 * (credential->client_id.len + lease->client_secret.len
                 + lease->refresh_token.len);

    p = ngx_pnalloc(refresh->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    refresh->form.data = p;

    p = ngx_cpymem(p, "grant_type=refresh_token",
                   sizeof("grant_type=refresh_token") - 1);

    p = ngx_http_wholesale_refresh_pair(p, "&client_id=",
                                        &credential->client_id);
    p = ngx_http_wholesale_refresh_pair(p, "&client_secret=",
                                        &lease->client_secret);
    p = ngx_http_wholesale_refresh_pair(p, "&refresh_token=",
                                        &lease->refresh_token);

    refresh->form.len = p - refresh->form.data;

    return NGX_OK;
}


static u_char *
ngx_http_wholesale_refresh_pair(u_char *p, const char *name, ngx_str_t *value)
{
    p = ngx_cpymem(p, name, ngx_strlen(name));

    return (u_char *) ngx_escape_uri(p, value->data, value->len,
                                     NGX_ESCAPE_URI_COMPONENT);
}


static ngx_int_t
ngx_http_wholesale_refresh_request(ngx_http_wholesale_refresh_t *refresh)
{
    ngx_http_request_t  *r, *sr;

    static ngx_str_t  uri = ngx_string("/");

    r = ngx_http_create_request(&refresh->connection);
    if (r == NULL) {
        return NGX_ERROR;
    }

    refresh->request = r;
    refresh->connection.data = r;

    r->http_version = NGX_HTTP_VERSION_11;
    r->method = NGX_HTTP_POST;
    r->method_name = ngx_http_wholesale_refresh_method;
    r->uri = uri;
    r->unparsed_uri = uri;
    ngx_str_set(&r->http_protocol, "HTTP/1.1");

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* it is no request that anybody made: neither counted nor logged */

    r->logged = 1;
    r->limit_req_status = 1;
    r->limit_conn_status = 1;

    /* nobody but us frees it */
    r->count++;

    if (ngx_list_init(&r->headers_in.headers, r->pool, 2,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_set_ctx(r, refresh, ngx_http_wholesale_filter_module);

    refresh->post.handler = ngx_http_wholesale_refresh_done;
    refresh->post.data = refresh;

    if (ngx_http_subrequest(r, &refresh->credential->token_endpoint, NULL, &sr,
                            &refresh->post, NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sr->method = NGX_HTTP_POST;
    sr->method_name = ngx_http_wholesale_refresh_method;
    sr->filter_need_in_memory = 1;

    return ngx_http_wholesale_refresh_headers(sr, refresh);
}


/* a header list and a body of its own */

static ngx_int_t
ngx_http_wholesale_refresh_headers(ngx_http_request_t *sr,
    ngx_http_wholesale_refresh_t *refresh)
{
    ngx_buf_t                *b;
    ngx_http_request_body_t  *rb;

    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));

    sr->headers_in.content_length_n = refresh->form.len;
    sr->headers_in.keep_alive_n = -1;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool, 4,
                      sizeof(ngx_table_elt_t))
        != NGX_OK
        || ngx_http_wholesale_refresh_add(sr, "Content-Type", "content-type",
                                          "application/x-www-form-urlencoded")
           != NGX_OK
        || ngx_http_wholesale_refresh_add(sr, "Accept", "accept",
                                          "application/json")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    rb = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    b = ngx_calloc_buf(sr->pool);

    if (rb == NULL || b == NULL) {
        return NGX_ERROR;
    }

    rb->bufs = ngx_alloc_chain_link(sr->pool);
    if (rb->bufs == NULL) {
        return NGX_ERROR;
    }

    b->pos = refresh->form.data;
    b->last = b->pos + refresh->form.len;
    b->start = b->pos;
    b->end = b->last;
    b->memory = 1;
    b->last_buf = 1;

    rb->bufs->buf = b;
    rb->bufs->next = NULL;
    rb->buf = b;

    sr->request_body = rb;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wholesale_refresh_add(ngx_http_request_t *sr, const char *key,
    const char *lowcase, const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) key;
    h->key.len = ngx_strlen(key);
    h->lowcase_key = (u_char *) lowcase;
    h->hash = ngx_hash_key(h->lowcase_key, h->key.len);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}


ngx_uint_t
ngx_http_wholesale_is_refresh(ngx_http_request_t *r)
{
    return ngx_http_get_module_ctx(r->main, ngx_http_wholesale_filter_module)
           != NULL;
}


ngx_int_t
ngx_http_wholesale_refresh_header(ngx_http_request_t *r)
{
    ngx_int_t                      seconds;
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    ngx_http_wholesale_refresh_t  *refresh;

    refresh = ngx_http_get_module_ctx(r->main,
                                      ngx_http_wholesale_filter_module);

    r->header_sent = 1;

    refresh->status = r->headers_out.status;
    refresh->encoded = (r->headers_out.content_encoding != NULL);

    if (r->upstream) {
        /* buffers wait for a client that is none */
        r->upstream->buffering = 0;
    }

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash && ngx_http_wholesale_is_header(&h[i], "retryafter")) {
            seconds = ngx_atoi(h[i].value.data, h[i].value.len);

            if (seconds > 0) {
                seconds = ngx_min(seconds, NGX_HTTP_WHOLESALE_REFRESH_RETRY);
                refresh->retry_after = (ngx_msec_t) seconds * 1000;
            }
        }
    }

    return NGX_OK;
}


/*
 * Never fails: nginx would take it for the client's connection.  An answer
 * that is too large is ended by the event.
 */

ngx_int_t
ngx_http_wholesale_refresh_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    size_t                         size;
    ngx_buf_t                     *b;
    ngx_http_wholesale_refresh_t  *refresh;

    refresh = ngx_http_get_module_ctx(r->main,
                                      ngx_http_wholesale_filter_module);

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (b->last_buf || b->last_in_chain) {
            refresh->whole = 1;
        }

        if (!ngx_buf_in_memory(b)) {
            continue;
        }

        size = b->last - b->pos;

        if (size > NGX_HTTP_WHOLESALE_REFRESH_ANSWER - refresh->len) {
            refresh->too_large = 1;
            (void) ngx_http_wholesale_refresh_done(r, refresh, NGX_ERROR);

        } else {
            ngx_memcpy(refresh->answer + refresh->len, b->pos, size);
            refresh->len += size;
        }

        b->pos = b->last;
    }

    return NGX_OK;
}


/* must not end the request: nginx is still in it */

static ngx_int_t
ngx_http_wholesale_refresh_done(ngx_http_request_t *sr, void *data,
    ngx_int_t rc)
{
    ngx_http_wholesale_refresh_t  *refresh = data;

    /* there is no connection that could have failed, nor be closed for that */

    sr->connection->error = 0;

    if (!refresh->done) {
        refresh->done = 1;
        refresh->rc = rc;

        ngx_post_event(&refresh->event, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_http_wholesale_refresh_judge(ngx_http_wholesale_refresh_t *refresh)
{
    if (refresh->too_large) {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint's answer is "
                                        "larger than %d bytes",
                                        NGX_HTTP_WHOLESALE_REFRESH_ANSWER);
        return;
    }

    if (refresh->status == 0) {

        /* the location's own doing */

        if (refresh->rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_wholesale_refresh_fail(refresh,
                                            NGX_WHOLESALE_TOKEN_PASSING,
                                            "no answer from the token "
                                            "endpoint: its location failed "
                                            "with %i", refresh->rc);
            return;
        }

        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "no answer from the token endpoint");
        return;
    }

    switch (refresh->status) {

    case NGX_HTTP_OK:
        ngx_http_wholesale_refresh_take(refresh);
        return;

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_UNAUTHORIZED:
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_FINAL,
                                        "the token endpoint refused the "
                                        "refresh token or the client "
                                        "with %ui", refresh->status);
        return;

    default:
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint answered %ui",
                                        refresh->status);
    }
}


static void
ngx_http_wholesale_refresh_take(ngx_http_wholesale_refresh_t *refresh)
{
    const char                *trouble;
    wholesale_token_answer_t   answer;

    if (!refresh->whole) {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint's answer was "
                                        "cut off");
        return;
    }

    if (refresh->encoded) {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint's answer is "
                                        "compressed");
        return;
    }

    trouble = wholesale_token_answer_parse(&answer, (char *) refresh->answer,
                                           refresh->len);

    /* whatever is wrong, a new refresh token is not to be lost */

    ngx_wholesale_token_keep(refresh->credential, &refresh->lease, &answer,
                             &refresh->log);

    wholesale_token_answer_free(&answer);

    if (trouble) {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint's answer %s",
                                        trouble);
    }
}


static void
ngx_http_wholesale_refresh_fail(ngx_http_wholesale_refresh_t *refresh,
    ngx_wholesale_token_failure_e failure, const char *fmt, ...)
{
    u_char     text[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    va_list    args;
    ngx_str_t  error;

    va_start(args, fmt);
    error.data = text;
    error.len = ngx_vslprintf(text, text + sizeof(text), fmt, args) - text;
    va_end(args);

    ngx_wholesale_token_fail(refresh->credential, &refresh->lease, failure, 0,
                             refresh->retry_after, &error, &refresh->log);
}


static void
ngx_http_wholesale_refresh_end(ngx_http_wholesale_refresh_t *refresh)
{
    ngx_pool_t                  *pool;
    ngx_wholesale_credential_t  *credential;

    pool = refresh->pool;
    credential = refresh->credential;

    if (refresh->request) {

        /* a subrequest that is still on its way ends by its cleanup */

        refresh->done = 1;
        ngx_http_free_request(refresh->request, 0);
    }

    ngx_http_wholesale_refresh_forget(&refresh->read);
    ngx_http_wholesale_refresh_forget(&refresh->write);
    ngx_http_wholesale_refresh_forget(&refresh->event);

    if (refresh->secrets) {
        ngx_explicit_memzero(refresh->secrets,
                             2 * NGX_WHOLESALE_SECRET_BUFFER);
    }

    if (refresh->form.len) {
        ngx_explicit_memzero(refresh->form.data, refresh->form.len);
    }

    if (refresh->len) {
        ngx_explicit_memzero(refresh->answer, refresh->len);
    }

    ngx_destroy_pool(pool);

    ngx_http_wholesale_wake(credential);
}


static void
ngx_http_wholesale_refresh_forget(ngx_event_t *ev)
{
    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }
}


static u_char *
ngx_http_wholesale_refresh_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                        *p;
    ngx_http_wholesale_refresh_t  *refresh;

    refresh = log->data;
    p = buf;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
    }

    return ngx_snprintf(p, len, ", wholesale credential: \"%V\"",
                        &refresh->credential->name);
}


static void
ngx_http_wholesale_refresh_empty_handler(ngx_event_t *ev)
{
    /* void */
}


static ssize_t
ngx_http_wholesale_refresh_no_io(ngx_connection_t *c, u_char *buf, size_t size)
{
    return NGX_ERROR;
}


static ngx_chain_t *
ngx_http_wholesale_refresh_no_chain(ngx_connection_t *c, ngx_chain_t *in,
    off_t limit)
{
    return NGX_CHAIN_ERROR;
}
