
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_HTTP_WHOLESALE_MODULE_H_INCLUDED_
#define _NGX_HTTP_WHOLESALE_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <wholesale_pool.h>
#include <wholesale_problems.h>
#include <wholesale_catalogue.h>
#include <wholesale_update.h>
#include <wholesale_path.h>
#include <wholesale_tenants.h>
#include <ngx_wholesale_counters.h>
#include <ngx_wholesale_refusals.h>
#include <ngx_wholesale_redis_limits.h>
#include <ngx_wholesale_credential.h>
#include <ngx_wholesale_token.h>
#include <ngx_wholesale_token_zone.h>
#include <ngx_wholesale_metrics.h>
#include <ngx_http_wholesale_redis.h>


/* wholesale_unknown_fields */
#define NGX_HTTP_WHOLESALE_UNKNOWN_ALLOW   0
#define NGX_HTTP_WHOLESALE_UNKNOWN_REJECT  1

/* wholesale_ratelimit_headers, bits */
#define NGX_HTTP_WHOLESALE_RATELIMIT_OFF     0
#define NGX_HTTP_WHOLESALE_RATELIMIT_DRAFT   1
#define NGX_HTTP_WHOLESALE_RATELIMIT_LEGACY  2
#define NGX_HTTP_WHOLESALE_RATELIMIT_BOTH    3

/* where Webex says it is, in Location, Link and the body's url */
#define NGX_HTTP_WHOLESALE_WEBEX         "https://webexapis.com"

/* a status for which nginx has no name */
#define NGX_HTTP_WHOLESALE_LOCKED        423

#define NGX_HTTP_WHOLESALE_TRACKING_MAX  128


/* what a refusal makes of a request */

typedef enum {
    NGX_HTTP_WHOLESALE_UNAUTHENTICATED = NGX_WHOLESALE_METRICS_UNAUTHENTICATED,
    NGX_HTTP_WHOLESALE_FORBIDDEN = NGX_WHOLESALE_METRICS_FORBIDDEN,
    NGX_HTTP_WHOLESALE_LIMITED = NGX_WHOLESALE_METRICS_LIMITED,
    NGX_HTTP_WHOLESALE_INVALID = NGX_WHOLESALE_METRICS_INVALID,
    NGX_HTTP_WHOLESALE_UNAVAILABLE = NGX_WHOLESALE_METRICS_UNAVAILABLE,
    NGX_HTTP_WHOLESALE_NOT_FOUND = NGX_WHOLESALE_METRICS_NOT_FOUND
} ngx_http_wholesale_outcome_e;


/* $wholesale_counters */

typedef enum {
    NGX_HTTP_WHOLESALE_COUNTED_NOWHERE = 0,
    NGX_HTTP_WHOLESALE_COUNTED_LOCAL,
    NGX_HTTP_WHOLESALE_COUNTED_REDIS
} ngx_http_wholesale_counted_e;


/* one way to refuse a request; these stand as tables in the files of steps */

typedef struct {
    ngx_uint_t                       status;
    ngx_http_wholesale_outcome_e     outcome;
    ngx_str_t                        reason;    /* $wholesale_reason */
    ngx_str_t                        message;   /* a sentence for the client */
} ngx_http_wholesale_refusal_t;


/* what the workers share; it survives reloads */

typedef struct {
    ngx_wholesale_counters_sh_t     *counters;
    ngx_wholesale_token_zone_t       tokens;
    ngx_wholesale_metrics_sh_t      *metrics;
} ngx_http_wholesale_sh_t;


typedef struct {
    ngx_str_t                        tenants_file;
    wholesale_tenants_t             *tenants;

    ngx_str_t                        catalogue_file;
    wholesale_catalogue_t           *catalogue;

    ngx_array_t                     *credentials;
                                     /* of ngx_wholesale_credential_t */

    size_t                           zone_size;
    ngx_shm_zone_t                  *zone;
    ngx_http_wholesale_sh_t         *sh;
    ngx_wholesale_counters_t         counters;
    uint64_t                         configuration;     /* its number there */

    /* how many tenants have figures of their own at most */
    ngx_int_t                        status_tenants;
    ngx_wholesale_metrics_t          metrics;
    ngx_event_t                      metrics_event;

    /* the configuration's */
    ngx_pool_t                      *pool;

    /* some location has "wholesale_ready", "wholesale_status" */
    ngx_uint_t                       ready;
    ngx_uint_t                       status;

    /* for ngx_http_wholesale_check_locations() */
    ngx_array_t                     *locations;

    /* this worker's connection; NULL: there is no wholesale_redis block */
    ngx_wholesale_redis_t           *redis;
    ngx_http_wholesale_redis_conf_t  redis_conf;
} ngx_http_wholesale_main_conf_t;


typedef struct {
    /*
     * Some location of this server is guarded.  Then what nginx refuses
     * before it knows the location (a request line that is too long, say) is
     * answered in our form too.
     */
    ngx_uint_t                       guarded;

    /* some location of it has "wholesale_ready" */
    ngx_uint_t                       ready;
} ngx_http_wholesale_srv_conf_t;


typedef struct {
    ngx_flag_t                       enable;
    ngx_flag_t                       dry_run;
    ngx_flag_t                       passthrough;

    /* whose value names the tenant; NULL: a key or a certificate does */
    ngx_http_complex_value_t        *tenant;

    ngx_uint_t                       unknown_fields;
    size_t                           max_body;

    ngx_uint_t                       ratelimit_headers;
    time_t                           pause_max;     /* 0: no pauses */
} ngx_http_wholesale_loc_conf_t;


typedef struct ngx_http_wholesale_ctx_s  ngx_http_wholesale_ctx_t;


/*
 * A step of the way of a request.
 *
 * Returns NGX_OK: the next one; NGX_DONE: the request will be back when what
 * it waits for is there; otherwise the status of a refusal.
 */
typedef ngx_int_t (*ngx_http_wholesale_step_pt)(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);


struct ngx_http_wholesale_ctx_s {
    ngx_http_request_t              *request;

    /* microseconds since the epoch, when nginx began to read it */
    int64_t                          started;

    /* the client's; nginx overwrites its own with what the upstream speaks */
    ngx_uint_t                       http_version;

    /*
     * The index in ngx_http_wholesale_steps[] of the step that is next; it
     * only grows, so that phases that run again, for whatever reason, do not
     * identify, count or validate a request twice.
     */
    ngx_uint_t                       step;

    /* and the methods by which it may be made here, WHOLESALE_GET and so on */
    const wholesale_call_t          *call;
    unsigned                         methods;

    /* the customer's id as it stands in the path; it may have none */
    ngx_str_t                        customer;
    ngx_str_t                        tracking_id;

    const wholesale_tenant_t        *tenant;
    ngx_wholesale_credential_t      *credential;

    /* as the client sent it, until the rewrite; length 0: none, or gone */
    ngx_str_t                        key;

    /*
     * When "rewritten": what the client sent, what Webex gets of it, and what
     * anybody else gets to whom the request may still go.
     */
    ngx_list_t                       client_headers;
    ngx_list_t                       upstream_headers;
    ngx_list_t                       other_headers;
    ngx_table_elt_t                 *authorization;

    /*
     * UNASKED: the limit step has not run, or does without Redis
     * ASKED: the request waits, for the configured time-out at most
     * ANSWERED: redis_rc is what ngx_wholesale_redis_limits_take() told
     */
    enum {
        NGX_HTTP_WHOLESALE_REDIS_UNASKED = 0,
        NGX_HTTP_WHOLESALE_REDIS_ASKED,
        NGX_HTTP_WHOLESALE_REDIS_ANSWERED
    }                                redis;

    ngx_int_t                        redis_rc;

    /* microseconds since the epoch; an error counts as an answer, too */
    int64_t                          redis_started;
    int64_t                          redis_answered;

    ngx_wholesale_redis_limits_t    *redis_limits;      /* NULL: unasked */

    /*
     * The limits that spoke on the request; the one that refused, or NULL.
     * COUNTED_REDIS is said of refusals by Redis that were remembered, too.
     */
    ngx_http_wholesale_counted_e     counted;
    ngx_wholesale_counter_t         *counters;
    ngx_uint_t                       ncounters;
    ngx_wholesale_counter_t         *refused;

    /*
     * UNASKED: the token step has not run
     * WAITING: in the credential's queue, until "token_end" at most
     * WOKEN: not in the queue; the step is to look again
     */
    enum {
        NGX_HTTP_WHOLESALE_TOKEN_UNASKED = 0,
        NGX_HTTP_WHOLESALE_TOKEN_WAITING,
        NGX_HTTP_WHOLESALE_TOKEN_WOKEN
    }                                token;

    ngx_queue_t                      token_queue;
    ngx_msec_t                       token_end;

    /* which one went to Webex; which one Webex rejected, 0: none */
    ngx_atomic_uint_t                token_used;
    ngx_atomic_uint_t                token_rejected;

    /*
     * What came of the request when it was sent to Webex, as a status; then
     * it is not sent again.  0: it was not, or Webex rejected the token.
     */
    ngx_uint_t                       spent;

    /* nginx's own reader of the body, while ours stands before it */
    ngx_http_event_handler_pt        read_body;
    off_t                            received;

    /* NULL: not refused; and for what it would have been, in dry run */
    const ngx_http_wholesale_refusal_t  *refusal;
    const ngx_http_wholesale_refusal_t  *noted;

    /* may be empty; else told instead of the refusal's one message */
    wholesale_pool_t                 pool;
    wholesale_problems_t             problems;

    time_t                           retry_after;

    /* seconds; of the location where the request was limited */
    time_t                           pause_max;

    /* the answer's body, from the header filter to the body filter */
    ngx_str_t                        answer;

    /*
     * "error_page": the operator's own page is on its way for an earlier error
     * "rewritten": the lists of headers are set
     * "update": the call is Update a Wholesale Customer, and validated
     * "body_started": nginx has been asked to read it
     * "body_read": all of it is here, nothing is left on the connection
     * "keepalive": the connection could be kept when we refused
     * "forwarded": all steps are done, the request is the upstream's
     * "answered": the header filter has taken the answer over
     * "sent": the body filter has passed "answer" on
     * "reduced": it is refused for a reduced capacity, not for what it is
     */
    unsigned                         error_page:1;
    unsigned                         rewritten:1;
    unsigned                         update:1;
    unsigned                         body_started:1;
    unsigned                         body_read:1;
    unsigned                         keepalive:1;
    unsigned                         forwarded:1;
    unsigned                         answered:1;
    unsigned                         sent:1;
    unsigned                         reduced:1;

    /*
     * "replayed": it was sent a second time, or is about to be
     * "pause_learned": Webex has asked for a pause, and that is remembered
     */
    unsigned                         replayed:1;
    unsigned                         pause_learned:1;
};


/* ngx_http_wholesale_request.c: what is known of a request */

/*
 * The context of a request, in spite of internal redirects, which clear what
 * nginx itself remembers; NULL if there is none yet.
 */
ngx_http_wholesale_ctx_t *ngx_http_wholesale_get_ctx(ngx_http_request_t *r);

/* the same, made if there is none; NULL: no memory */
ngx_http_wholesale_ctx_t *ngx_http_wholesale_create_ctx(
    ngx_http_request_t *r);

/*
 * The next header of this name after "h", or the first if "h" is NULL; NULL:
 * no more.  "name" is in lower case and without separators: "xapikey" finds
 * X-API-Key, x_api_key and any other spelling of it.
 */
ngx_table_elt_t *ngx_http_wholesale_find_header(ngx_http_request_t *r,
    const char *name, ngx_table_elt_t *h);

/* the same of the answer: a header that is going to be sent */
ngx_table_elt_t *ngx_http_wholesale_find_sent_header(ngx_http_request_t *r,
    const char *name, ngx_table_elt_t *h);

/* the first one that r->upstream has received; NULL: there is none */
ngx_table_elt_t *ngx_http_wholesale_find_upstream_header(
    ngx_http_request_t *r, const char *name);

/* whether a header's name is "name", whatever its case and separators */
ngx_uint_t ngx_http_wholesale_is_header(ngx_table_elt_t *h, const char *name);

/* whether a header, by its name, carries a credential */
ngx_uint_t ngx_http_wholesale_is_credential(ngx_table_elt_t *h);

/* empties all headers that carry one, before the access log */
void ngx_http_wholesale_forget_credentials(ngx_http_request_t *r);

/*
 * To be called where a request waits: a client that leaves meanwhile, or that
 * closes its side, is noticed, and the request ends, as it does when nginx's
 * proxy waits.  With proxy_ignore_client_abort on it goes on.
 *
 * Returns NGX_DONE, or the status of a failure.
 */
ngx_int_t ngx_http_wholesale_watch_client(ngx_http_request_t *r);

/* nginx's pool, as "data", behind a wholesale_pool_t */
void *ngx_http_wholesale_palloc(void *data, size_t size);

/* refuses: remembers why, and returns the status for nginx to answer with */
ngx_int_t ngx_http_wholesale_refuse(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal);

/* the same, unless in dry run: then notes it, and returns NGX_OK */
ngx_int_t ngx_http_wholesale_refuse_or_note(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal);

/* remembers and logs why the request would have been refused */
void ngx_http_wholesale_note(ngx_http_wholesale_ctx_t *ctx,
    const ngx_http_wholesale_refusal_t *refusal);


/* the steps, each in a file of its name; ngx_http_wholesale_steps[] */

ngx_int_t ngx_http_wholesale_route(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_identify(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_authorise(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_limit(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_read_body(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_validate(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
ngx_int_t ngx_http_wholesale_rewrite(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/* whether a text has the key in it that the client presented */
ngx_uint_t ngx_http_wholesale_has_key(ngx_http_wholesale_ctx_t *ctx,
    ngx_str_t *text);

/* the handler of nginx's rewrite phase */
ngx_int_t ngx_http_wholesale_rewrite_handler(ngx_http_request_t *r);

/*
 * Puts the request's headers right for the location that it is in: Webex's
 * token is for guarded ones only.  Nothing, before the rewrite.
 */
void ngx_http_wholesale_choose_headers(ngx_http_request_t *r,
    ngx_uint_t guarded);

/*
 * ngx_http_wholesale_limit.c: the id of the customer without the padding,
 * which a client may write as it likes; empty where there is none.
 */
ngx_str_t ngx_http_wholesale_counted_customer(ngx_http_wholesale_ctx_t *ctx);

/* whole seconds, at least 1, never too early, and up to a tenth later */
time_t ngx_http_wholesale_retry_after(int64_t microseconds);

/*
 * Gives the upstream the credential's token as it is now, in the header list
 * that the rewrite made.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_wholesale_set_token(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/*
 * Adds what has arrived of a body, after the transfer coding is off it, to
 * what came before.  Returns NGX_OK, or the status of the refusal of one that
 * has grown too large.
 */
ngx_int_t ngx_http_wholesale_count_body(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_chain_t *in);


/* ngx_http_wholesale_answer.c: the answers that the gateway makes itself */

/*
 * Puts the answer for the status in r->headers_out into ctx->answer and sets
 * the header fields that belong to it.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_wholesale_make_answer(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);


/* adds a field to r->headers_out; "name" is static.  NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_wholesale_answer_header(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);


/*
 * ngx_http_wholesale_ratelimit.c: tells the client of its limits, by
 * draft-ietf-httpapi-ratelimit-headers-10 and by the X-RateLimit fields that
 * were there before, as configured.  What is left is told of those limits
 * of which it is known: of none, for one, where Redis is not asked because of
 * a pause.  Fields of the upstream stay unless ours say less.  Returns NGX_OK
 * or NGX_ERROR.
 */
ngx_int_t ngx_http_wholesale_ratelimit(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);


/*
 * ngx_http_wholesale_pause.c: Webex may ask for a pause, of a tenant by 429
 * and of one customer by 423, in Retry-After.
 */

/* how many there may be: 0, 1: of the tenant; 2: of the customer, too */
ngx_uint_t ngx_http_wholesale_npauses(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/*
 * Refuses a request of who is known to be paused, unless in dry run.  Returns
 * NGX_OK or the status of the refusal.
 */
ngx_int_t ngx_http_wholesale_check_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/* the same of a pause of which Redis has told, which is remembered too */
ngx_int_t ngx_http_wholesale_redis_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/*
 * Learns from the answer of Webex that r->upstream has, if it has one, once.
 * To be called as soon as there may be one: another location, to which an
 * error page leads, may have another upstream.
 */
void ngx_http_wholesale_learn_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/*
 * Sees to it that a 429 of Webex's which is passed on has a Retry-After, in
 * whole seconds.  Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_wholesale_tell_pause(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);


/* ngx_http_wholesale_variables.c */

ngx_int_t ngx_http_wholesale_add_variables(ngx_conf_t *cf);

/*
 * The gateway as this client addressed it, "https://gateway.example:8443";
 * NULL data: no memory.
 */
ngx_str_t ngx_http_wholesale_origin(ngx_http_request_t *r);


/* ngx_http_wholesale_files.c: what the configuration names */

/* each reads a file; mistakes are told as nginx tells its own */
ngx_int_t ngx_http_wholesale_load_tenants(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf);
ngx_int_t ngx_http_wholesale_load_catalogue(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf);


/* ngx_http_wholesale_credential.c */

char *ngx_http_wholesale_credential_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Gives each credential that is refreshed its place in the zone; counters may
 * have to go for it.  NGX_OK, or NGX_ERROR, which is told, if there is no room.
 */
ngx_int_t ngx_http_wholesale_attach_credentials(
    ngx_http_wholesale_main_conf_t *wmcf, ngx_log_t *log);

/* the one of this name; no name: the only one there is; or NULL */
ngx_wholesale_credential_t *ngx_http_wholesale_find_credential(
    ngx_http_wholesale_main_conf_t *wmcf, const char *name);


/* ngx_http_wholesale_endpoint.c: what is asked of locations */

/* notes the one that is being merged; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_wholesale_collect_location(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf);

/*
 * When all are merged: whether no guarded one sends an update twice, whether
 * each server that refreshes has the location of the token endpoint, so that it
 * gets the secrets and nobody else, and whether each that is guarded sees that
 * Webex rejects a token.  NGX_OK or NGX_ERROR; then it is told what would be
 * right.
 */
ngx_int_t ngx_http_wholesale_check_locations(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf);


/* ngx_http_wholesale_token.c: requests that wait for a token */

/*
 * A new token for the credential, if it is time for one and nobody makes it
 * yet; "r" only tells in which server the token endpoint is.
 */
void ngx_http_wholesale_drive_token(ngx_http_request_t *r,
    ngx_wholesale_credential_t *credential);

/* looks after all that wait for the credential's token, soon */
void ngx_http_wholesale_wake(ngx_wholesale_credential_t *credential);

/*
 * To be called by the header filter when Webex rejects the token, before
 * anything of that answer is sent: drops the answer, waits for a new token
 * and sends the same request once more, once.
 *
 * Returns NGX_OK: the request is not the upstream's any more; NGX_DECLINED:
 * the answer is the client's.
 */
ngx_int_t ngx_http_wholesale_replay(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);

/* and when it does not */
void ngx_http_wholesale_token_taken(ngx_http_wholesale_ctx_t *ctx);


/* ngx_http_wholesale_refresh.c: the request to the token endpoint */

/*
 * Begins to refresh; takes the lease over.  The request is nobody's: it goes
 * on when the client leaves that it began for.  At its end those who wait in
 * this worker are woken.
 *
 * Returns NGX_OK; NGX_ERROR: no memory, and the lease is given back.
 */
ngx_int_t ngx_http_wholesale_refresh(ngx_http_request_t *r,
    ngx_wholesale_credential_t *credential, ngx_wholesale_lease_t *lease);

/* for the filters: a header and a body that belong to such a request */
ngx_int_t ngx_http_wholesale_refresh_header(ngx_http_request_t *r);
ngx_int_t ngx_http_wholesale_refresh_body(ngx_http_request_t *r,
    ngx_chain_t *in);

/* whether it is such a request */
ngx_uint_t ngx_http_wholesale_is_refresh(ngx_http_request_t *r);


/* ngx_http_wholesale_ready.c */

char *ngx_http_wholesale_ready(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* one word for a credential's state; "live": there is a token to be used */
const char *ngx_http_wholesale_token_state(
    ngx_wholesale_token_status_t *status, ngx_uint_t live);


/* ngx_http_wholesale_status.c */

char *ngx_http_wholesale_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_http_wholesale_metrics.c: what is counted, and when */

/* in a worker, which has its connection to Redis, if there is to be one */
void ngx_http_wholesale_start_metrics(ngx_http_wholesale_main_conf_t *wmcf,
    ngx_cycle_t *cycle);

/* what ctx->started is to be: nginx itself knows milliseconds only */
int64_t ngx_http_wholesale_started(ngx_http_request_t *r);

/* what came of a request, as far as it has come */
ngx_wholesale_metrics_outcome_e ngx_http_wholesale_outcome(
    ngx_http_wholesale_ctx_t *ctx);

/* keeps what the verdicts on a request leave of its tenant's limits */
void ngx_http_wholesale_show_limits(ngx_http_wholesale_ctx_t *ctx);

/* counts a request, at its end; one that never came to us is none of ours */
void ngx_http_wholesale_account(ngx_http_request_t *r);

/* counts ctx->problems, which are gone by then */
void ngx_http_wholesale_account_problems(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);


/* ngx_http_wholesale_spells.c: what goes on, logged as it begins and ends */

/* the limit ctx->refused has refused this request; this one is within it */
void ngx_http_wholesale_log_over(ngx_http_wholesale_ctx_t *ctx,
    ngx_wholesale_metrics_spell_t *spell);
void ngx_http_wholesale_log_within(ngx_http_wholesale_ctx_t *ctx,
    ngx_wholesale_metrics_spell_t *spell, const wholesale_limit_t *limit);

/* the zone has no room for this request's counters; it has */
void ngx_http_wholesale_log_crowded(ngx_http_wholesale_ctx_t *ctx);
void ngx_http_wholesale_log_uncrowded(ngx_http_wholesale_ctx_t *ctx);

/* a subrequest came to a guarded location */
void ngx_http_wholesale_log_subrequest(ngx_http_request_t *r);


/* ngx_http_wholesale_zone.c: what the workers share, and how much of it */

/* the post handler of "wholesale_zone" */
char *ngx_http_wholesale_zone_size(ngx_conf_t *cf, void *post, void *data);

/* with the tenants loaded; returns NGX_OK, or NGX_ERROR, having said why */
ngx_int_t ngx_http_wholesale_add_zone(ngx_conf_t *cf,
    ngx_http_wholesale_main_conf_t *wmcf);


/* ngx_http_wholesale_redact.c: no secret in an error log, debug included */

/* makes a log, and those chained to it, blot secrets out; twice is fine */
ngx_int_t ngx_http_wholesale_redact_log(ngx_conf_t *cf, ngx_log_t *log);


extern ngx_module_t  ngx_http_wholesale_module;


#endif /* _NGX_HTTP_WHOLESALE_MODULE_H_INCLUDED_ */
