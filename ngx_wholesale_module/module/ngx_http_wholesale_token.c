
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* seconds; what clients are told where nobody knows */
#define NGX_HTTP_WHOLESALE_TOKEN_RETRY        5
#define NGX_HTTP_WHOLESALE_TOKEN_RETRY_FINAL  60

/*
 * Milliseconds.  Another worker's refresh is noticed by looking at a number in
 * the zone: as often as this, and only while a request waits.  That a worker
 * died in it, or that it is time to try again, is asked for less often: it
 * takes the zone's lock.
 */
#define NGX_HTTP_WHOLESALE_TOKEN_POLL         20
#define NGX_HTTP_WHOLESALE_TOKEN_LOOK         200


static ngx_int_t ngx_http_wholesale_want_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_wait_for_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_token_poll(ngx_event_t *ev);
static void ngx_http_wholesale_leave(void *data);
static ngx_uint_t ngx_http_wholesale_may_replay(ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_replay_handler(ngx_http_request_t *r);


static const ngx_http_wholesale_refusal_t  ngx_http_wholesale_no_token = {
    NGX_HTTP_SERVICE_UNAVAILABLE, NGX_HTTP_WHOLESALE_UNAVAILABLE,
    ngx_string("token"),
    ngx_string("The gateway has no valid access to Webex now; nothing was "
               "accepted; try again later.")
};


ngx_int_t
ngx_http_wholesale_token(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_wholesale_main_conf_t  *wmcf;

    if (ctx->token == NGX_HTTP_WHOLESALE_TOKEN_WAITING) {
        return NGX_DONE;
    }

    if (ctx->token == NGX_HTTP_WHOLESALE_TOKEN_UNASKED) {
        wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);

        ctx->credential = ngx_http_wholesale_find_credential(wmcf,
                                                    ctx->tenant->credential);
        ctx->token_end = ngx_current_msec + ctx->credential->refresh_wait;
    }

    rc = ngx_http_wholesale_want_token(r, ctx);

    if (rc == NGX_AGAIN) {
        return ngx_http_wholesale_wait_for_token(r, ctx);
    }

    if (ctx->token == NGX_HTTP_WHOLESALE_TOKEN_WOKEN) {
        r->read_event_handler = ngx_http_block_reading;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_wholesale_refuse(ctx, &ngx_http_wholesale_no_token);
    }

    return NGX_OK;
}


/*
 * Returns NGX_OK: there is one; NGX_AGAIN: there may be one in time;
 * NGX_DECLINED: there will be none, and ctx->retry_after is set.
 */

static ngx_int_t
ngx_http_wholesale_want_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_uint_t                   live;
    ngx_msec_t                   wait;
    ngx_msec_int_t               left;
    ngx_wholesale_lease_t        lease;
    ngx_wholesale_credential_t  *credential;

    credential = ctx->credential;

    live = ngx_wholesale_token_live(credential, ctx->token_rejected);

    if (live && !ngx_wholesale_token_due(credential)) {
        return NGX_OK;
    }

    if (credential->sh == NULL) {
        ctx->retry_after = NGX_HTTP_WHOLESALE_TOKEN_RETRY;
        return NGX_DECLINED;
    }

    wait = 0;

    rc = ngx_wholesale_token_lease(credential, &lease, ctx->token_rejected,
                                   &wait);

    if (rc == NGX_OK) {
        rc = ngx_http_wholesale_refresh(r, credential, &lease);
    }

    if (live) {
        /* it goes on serving meanwhile */
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        ctx->retry_after = NGX_HTTP_WHOLESALE_TOKEN_RETRY_FINAL;
        return NGX_DECLINED;
    }

    left = (ngx_msec_int_t) (ctx->token_end - ngx_current_msec);

    if (left <= 0 || (ngx_msec_int_t) wait > left) {
        ctx->retry_after = ngx_max(wait / 1000 + 1,
                                   (ngx_msec_t) NGX_HTTP_WHOLESALE_TOKEN_RETRY);
        return NGX_DECLINED;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_wholesale_wait_for_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    ngx_event_t         *poll;
    ngx_http_cleanup_t  *cln;

    if (ctx->token == NGX_HTTP_WHOLESALE_TOKEN_UNASKED) {
        cln = ngx_http_cleanup_add(r, 0);
        if (cln == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = ngx_http_wholesale_leave;
        cln->data = ctx;
    }

    ngx_queue_insert_tail(&ctx->credential->waiters, &ctx->token_queue);
    ctx->token = NGX_HTTP_WHOLESALE_TOKEN_WAITING;

    poll = &ctx->credential->poll;
    poll->handler = ngx_http_wholesale_token_poll;

    if (!poll->timer_set) {
        ngx_add_timer(poll, NGX_HTTP_WHOLESALE_TOKEN_POLL);
    }

    return ngx_http_wholesale_watch_client(r);
}


/*
 * Whoever need not wait any longer is woken, and finds out by itself what has
 * become of the token: the phases are not run here.
 */

static void
ngx_http_wholesale_token_poll(ngx_event_t *ev)
{
    ngx_uint_t                   ask, changes;
    ngx_queue_t                 *q, *next;
    ngx_http_request_t          *r;
    ngx_http_wholesale_ctx_t    *ctx;
    ngx_wholesale_credential_t  *credential;

    credential = (ngx_wholesale_credential_t *)
                ((u_char *) ev - offsetof(ngx_wholesale_credential_t, poll));

    changes = credential->sh->changes;

    ask = (changes != credential->changes
           || (ngx_msec_int_t) (credential->look - ngx_current_msec) <= 0);

    if (ask) {
        credential->changes = changes;
        credential->look = ngx_current_msec + NGX_HTTP_WHOLESALE_TOKEN_LOOK;
    }

    for (q = ngx_queue_head(&credential->waiters);
         q != ngx_queue_sentinel(&credential->waiters);
         q = next)
    {
        next = ngx_queue_next(q);

        ctx = ngx_queue_data(q, ngx_http_wholesale_ctx_t, token_queue);
        r = ctx->request;

        if (!ngx_wholesale_token_live(credential, ctx->token_rejected)
            && (ngx_msec_int_t) (ctx->token_end - ngx_current_msec) > 0)
        {
            if (!ask) {
                continue;
            }

            if (ngx_http_wholesale_want_token(r, ctx) == NGX_AGAIN) {

                /* whoever came later has no more reason to end its wait */

                ask = 0;
                continue;
            }
        }

        ngx_queue_remove(q);
        ctx->token = NGX_HTTP_WHOLESALE_TOKEN_WOKEN;
        ngx_post_event(r->connection->write, &ngx_posted_events);
    }

    if (!ngx_queue_empty(&credential->waiters) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_WHOLESALE_TOKEN_POLL);
    }
}


static void
ngx_http_wholesale_leave(void *data)
{
    ngx_http_wholesale_ctx_t  *ctx = data;

    if (ctx->token == NGX_HTTP_WHOLESALE_TOKEN_WAITING) {
        ngx_queue_remove(&ctx->token_queue);
        ctx->token = NGX_HTTP_WHOLESALE_TOKEN_WOKEN;
    }
}


void
ngx_http_wholesale_wake(ngx_wholesale_credential_t *credential)
{
    if (!ngx_queue_empty(&credential->waiters)) {
        ngx_post_event(&credential->poll, &ngx_posted_events);
    }
}


void
ngx_http_wholesale_drive_token(ngx_http_request_t *r,
    ngx_wholesale_credential_t *credential)
{
    ngx_msec_t             wait;
    ngx_wholesale_lease_t  lease;

    if (credential->sh == NULL
        || (ngx_wholesale_token_live(credential, 0)
            && !ngx_wholesale_token_due(credential)))
    {
        return;
    }

    if (ngx_wholesale_token_lease(credential, &lease, 0, &wait) == NGX_OK) {
        (void) ngx_http_wholesale_refresh(r, credential, &lease);
    }
}


ngx_int_t
ngx_http_wholesale_replay(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx)
{
    ngx_http_upstream_t         *u;
    ngx_wholesale_credential_t  *credential;

    u = r->upstream;
    credential = ctx->credential;

    if (u->cleanup == NULL || !ngx_http_wholesale_may_replay(ctx)) {
        return NGX_DECLINED;
    }

    ctx->token_rejected = ctx->token_used;
    ctx->token_end = ngx_current_msec + credential->refresh_wait;

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "wholesale credential \"%V\": Webex rejected the token; "
                  "%V is sent once more with a new one",
                  &credential->name, &ctx->tracking_id);

    /*
     * Until there is a new token nobody may send it, an error page that leads
     * back to us included.
     */

    ctx->replayed = 1;
    ctx->forwarded = 0;

    /*
     * The upstream is ended here, as for an internal redirect; both this and
     * the caller of the header filter, which then finds it ended, give a
     * reference back.
     */

    r->main->count += 2;

    (*u->cleanup)(r);

    ngx_http_clean_header(r);

    r->write_event_handler = ngx_http_wholesale_replay_handler;

    /* begins the refresh; whether there is any use in that is told later */

    (void) ngx_http_wholesale_want_token(r, ctx);

    /* even a token that is here already is for the next turn of the loop */

    if (ngx_http_wholesale_wait_for_token(r, ctx) == NGX_DONE) {
        ngx_http_wholesale_wake(credential);

    } else {
        ngx_http_wholesale_leave(ctx);
        ngx_post_event(r->connection->write, &ngx_posted_events);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wholesale_may_replay(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t  tenant;

    if (ctx->credential->sh == NULL) {
        return 0;
    }

    tenant.data = (u_char *) ctx->tenant->name;
    tenant.len = ctx->tenant->name_len;

    if (ctx->replayed) {
        ngx_wholesale_token_futile(ctx->credential, &tenant, ctx->token_used);
        return 0;
    }

    return !ngx_wholesale_token_is_futile(ctx->credential, &tenant,
                                          ctx->token_used);
}


static void
ngx_http_wholesale_replay_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_wholesale_ctx_t  *ctx;

    ctx = ngx_http_wholesale_get_ctx(r);

    rc = ngx_http_wholesale_token(r, ctx);

    if (rc == NGX_DONE) {
        return;
    }

    if (rc == NGX_OK && ngx_http_wholesale_set_token(r, ctx) != NGX_OK) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    /* the content phase once more; all that comes before it stands */

    ctx->forwarded = 1;

    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


void
ngx_http_wholesale_token_taken(ngx_http_wholesale_ctx_t *ctx)
{
    ngx_str_t  tenant;

    tenant.data = (u_char *) ctx->tenant->name;
    tenant.len = ctx->tenant->name_len;

    ngx_wholesale_token_taken(ctx->credential, &tenant);
}
