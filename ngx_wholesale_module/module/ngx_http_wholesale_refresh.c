
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_http_wholesale_detached.h>


/*
 * The request to the token endpoint is a subrequest to an internal location:
 * TLS, names, time-outs and kept connections are nginx's.  But its parent is
 * no client's request: a client that leaves ends its subrequests, and with the
 * answer a new refresh token could be lost, for good.  So the parent is one
 * that nobody made, and nothing of a client's is in it.
 *
 * Neither is the subrequest one of those that keep their answer in memory:
 * these take as much as proxy_buffer_size leaves, and no answer is worth an
 * alert in the log.  Our filters take the answer up.
 */


/* bytes of an answer; a longer one is of no use */
#define NGX_HTTP_WHOLESALE_REFRESH_ANSWER  (64 * 1024)

/*
 * Milliseconds between two looks at a file that is being written, and after
 * which the token is used all the same: the disk may never answer.  One that
 * did not the last time is given less.
 */
#define NGX_HTTP_WHOLESALE_REFRESH_WRITE       2
#define NGX_HTTP_WHOLESALE_REFRESH_WRITE_MAX   5000
#define NGX_HTTP_WHOLESALE_REFRESH_WRITE_LATE  200

/* seconds that are read of a Retry-After: a day */
#define NGX_HTTP_WHOLESALE_REFRESH_RETRY      86400


typedef struct {
    ngx_wholesale_credential_t     *credential;
    ngx_wholesale_lease_t           lease;

    ngx_pool_t                     *pool;
    ngx_http_post_subrequest_t      post;

    /*
     * Without a request: to be sent by the next event; else on its way, or,
     * if "done", to be judged by the next event; or, if "writing", to be
     * used as soon as the new refresh token is in its file.  The event's
     * timer is that of the whole, and then that of the looks at the file.
     */
    ngx_http_wholesale_detached_t   parent;
    ngx_event_t                     event;

    /* secrets, as read and as sent; both are cleared at the end */
    u_char                         *secrets;
    ngx_str_t                       form;

    /* NGX_OK, or the status where nginx itself failed */
    ngx_int_t                       rc;
    ngx_uint_t                      status;     /* the endpoint's; 0: none */
    ngx_msec_t                      retry_after;
    u_char                         *answer;
    size_t                          len;

    /* of the answer: what it is, and why it is of no use, or NULL */
    wholesale_token_answer_t        parsed;
    const char                     *unusable;
    ngx_msec_t                      writing_end;

    unsigned                        done:1;
    unsigned                        writing:1;
    unsigned                        whole:1;    /* the end of it came */
    unsigned                        too_large:1;
    unsigned                        encoded:1;

    /* nothing was sent, for one of the files could not be used */
    unsigned                        file:1;
    ngx_err_t                       err;
} ngx_http_wholesale_refresh_t;


static void ngx_http_wholesale_refresh_handler(ngx_event_t *ev);
static void ngx_http_wholesale_refresh_send(
    ngx_http_wholesale_refresh_t *refresh);
static ngx_int_t ngx_http_wholesale_refresh_form(
    ngx_http_wholesale_refresh_t *refresh);
static u_char *ngx_http_wholesale_refresh_pair(u_char *p, const char *name,
    ngx_str_t *value);
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
static void ngx_http_wholesale_refresh_written(
    ngx_http_wholesale_refresh_t *refresh);
static void ngx_http_wholesale_refresh_use(
    ngx_http_wholesale_refresh_t *refresh);
static void ngx_http_wholesale_refresh_fail(
    ngx_http_wholesale_refresh_t *refresh,
    ngx_wholesale_token_failure_e failure, const char *fmt, ...);
static void ngx_http_wholesale_refresh_end(
    ngx_http_wholesale_refresh_t *refresh);


extern ngx_module_t  ngx_http_wholesale_filter_module;


static ngx_str_t  ngx_http_wholesale_refresh_method = ngx_string("POST");


ngx_int_t
ngx_http_wholesale_refresh(ngx_http_request_t *r,
    ngx_wholesale_credential_t *credential, ngx_wholesale_lease_t *lease)
{
    ngx_pool_t                    *pool;
    ngx_wholesale_token_failed_t   failed;
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

        ngx_memzero(&failed, sizeof(ngx_wholesale_token_failed_t));

        failed.failure = NGX_WHOLESALE_TOKEN_PASSING;
        ngx_str_set(&failed.error, "no memory for a refresh");

        ngx_wholesale_token_fail(credential, lease, &failed, ngx_cycle->log);
        return NGX_ERROR;
    }

    refresh->pool = pool;
    refresh->credential = credential;
    refresh->lease = *lease;

    refresh->parent.purpose = "refreshing wholesale credential";
    refresh->parent.name = &credential->name;

    ngx_http_wholesale_detached_init(&refresh->parent, r, pool);

    refresh->event.data = &refresh->parent.connection;
    refresh->event.handler = ngx_http_wholesale_refresh_handler;
    refresh->event.log = &refresh->parent.log;

    /* not in the middle of the client's request */

    ngx_post_event(&refresh->event, &ngx_posted_events);

    return NGX_OK;
}


static void
ngx_http_wholesale_refresh_handler(ngx_event_t *ev)
{
    ngx_http_wholesale_refresh_t  *refresh;

    refresh = (ngx_http_wholesale_refresh_t *)
              ((u_char *) ev - offsetof(ngx_http_wholesale_refresh_t, event));

    if (refresh->parent.request == NULL) {
        ngx_http_wholesale_refresh_send(refresh);
        return;
    }

    if (refresh->writing) {
        ngx_http_wholesale_refresh_written(refresh);

    } else if (refresh->done) {
        ngx_http_wholesale_refresh_judge(refresh);

    } else {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint did not answer "
                                        "in time");
    }

    if (!refresh->writing) {
        ngx_http_wholesale_refresh_end(refresh);
    }
}


static void
ngx_http_wholesale_refresh_send(ngx_http_wholesale_refresh_t *refresh)
{
    ngx_err_t    err;
    const char  *trouble, *file;

    refresh->secrets = ngx_pcalloc(refresh->pool,
                                   2 * NGX_WHOLESALE_SECRET_BUFFER);
    refresh->answer = ngx_palloc(refresh->pool,
                                 NGX_HTTP_WHOLESALE_REFRESH_ANSWER);

    if (refresh->secrets == NULL || refresh->answer == NULL) {
        goto failed;
    }

    trouble = ngx_wholesale_token_secrets(refresh->credential,
                                          &refresh->lease, refresh->secrets,
                                          &file, &err);
    if (trouble) {
        refresh->file = 1;
        refresh->err = err;

        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "%s %s", file, trouble);
        goto end;
    }

    if (ngx_http_wholesale_refresh_form(refresh) != NGX_OK
        || ngx_http_wholesale_refresh_request(refresh) != NGX_OK)
    {
        goto failed;
    }

    ngx_add_timer(&refresh->event, NGX_WHOLESALE_TOKEN_REFRESH_MAX);

    ngx_http_run_posted_requests(&refresh->parent.connection);

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

    if (ngx_http_wholesale_detached_create(&refresh->parent) != NGX_OK) {
        return NGX_ERROR;
    }

    r = refresh->parent.request;

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

    refresh->unusable = wholesale_token_answer_parse(&refresh->parsed,
                                                   (char *) refresh->answer,
                                                   refresh->len);

    /* whatever is wrong, a new refresh token is not to be lost */

    ngx_wholesale_token_keep(refresh->credential, &refresh->lease,
                             &refresh->parsed);

    refresh->writing = 1;
    refresh->writing_end = ngx_current_msec
                           + (refresh->credential->grant->unsaved
                              ? NGX_HTTP_WHOLESALE_REFRESH_WRITE_LATE
                              : NGX_HTTP_WHOLESALE_REFRESH_WRITE_MAX);

    if (refresh->event.timer_set) {
        ngx_del_timer(&refresh->event);
    }

    ngx_http_wholesale_refresh_written(refresh);
}


static void
ngx_http_wholesale_refresh_written(ngx_http_wholesale_refresh_t *refresh)
{
    ngx_log_t                   *log;
    ngx_wholesale_credential_t  *credential;

    log = &refresh->parent.log;
    credential = refresh->credential;

    if (ngx_wholesale_grant_save(credential, log) == NGX_AGAIN) {

        if ((ngx_msec_int_t) (refresh->writing_end - ngx_current_msec) > 0) {
            ngx_add_timer(&refresh->event, NGX_HTTP_WHOLESALE_REFRESH_WRITE);
            return;
        }

        ngx_wholesale_grant_late(credential, log);
    }

    refresh->writing = 0;

    ngx_http_wholesale_refresh_use(refresh);
}


static void
ngx_http_wholesale_refresh_use(ngx_http_wholesale_refresh_t *refresh)
{
    if (refresh->unusable) {
        ngx_http_wholesale_refresh_fail(refresh, NGX_WHOLESALE_TOKEN_PASSING,
                                        "the token endpoint's answer %s",
                                        refresh->unusable);

    } else {
        ngx_wholesale_token_publish(refresh->credential, &refresh->lease,
                                    &refresh->parsed, &refresh->parent.log);
    }

    wholesale_token_answer_free(&refresh->parsed);
}


static void
ngx_http_wholesale_refresh_fail(ngx_http_wholesale_refresh_t *refresh,
    ngx_wholesale_token_failure_e failure, const char *fmt, ...)
{
    u_char                         text[NGX_WHOLESALE_TOKEN_ERROR_MAX];
    va_list                        args;
    ngx_wholesale_token_failed_t   failed;

    va_start(args, fmt);
    failed.error.data = text;
    failed.error.len = ngx_vslprintf(text, text + sizeof(text), fmt, args)
                       - text;
    va_end(args);

    failed.failure = failure;

    /* an answer that should have been of use asks for no pause */

    failed.wait = (refresh->status == NGX_HTTP_OK) ? 0 : refresh->retry_after;

    failed.file = refresh->file;
    failed.err = refresh->err;

    ngx_wholesale_token_fail(refresh->credential, &refresh->lease, &failed,
                             &refresh->parent.log);
}


static void
ngx_http_wholesale_refresh_end(ngx_http_wholesale_refresh_t *refresh)
{
    ngx_pool_t                  *pool;
    ngx_wholesale_credential_t  *credential;

    pool = refresh->pool;
    credential = refresh->credential;

    ngx_http_wholesale_detached_free(&refresh->parent);

    if (refresh->event.timer_set) {
        ngx_del_timer(&refresh->event);
    }

    if (refresh->event.posted) {
        ngx_delete_posted_event(&refresh->event);
    }

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
