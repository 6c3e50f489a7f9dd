
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/* so long are answers without problems; a longer one is written twice */
#define NGX_HTTP_WHOLESALE_ANSWER  1024


/* as soon as something does not fit before "end" it only measures */

typedef struct {
    u_char     *last;
    u_char     *end;
    size_t      len;
} ngx_http_wholesale_writer_t;


typedef struct {
    ngx_uint_t  status;
    ngx_str_t   title;      /* RFC 9110's reason phrase */
    ngx_str_t   message;    /* where nginx itself refused */
} ngx_http_wholesale_status_t;


static const ngx_http_wholesale_status_t *ngx_http_wholesale_find_status(
    ngx_uint_t status);
static ngx_int_t ngx_http_wholesale_message(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, const ngx_http_wholesale_status_t *status,
    ngx_str_t *message);
static ngx_uint_t ngx_http_wholesale_is_limited(
    ngx_http_wholesale_ctx_t *ctx);
static void ngx_http_wholesale_write_answer(ngx_http_wholesale_writer_t *w,
    ngx_http_wholesale_ctx_t *ctx, const ngx_http_wholesale_status_t *status,
    ngx_uint_t code, ngx_str_t *message);
static void ngx_http_wholesale_write_problem(ngx_http_wholesale_writer_t *w,
    const wholesale_problem_t *problem);
static void ngx_http_wholesale_write(ngx_http_wholesale_writer_t *w,
    const char *text);
static void ngx_http_wholesale_write_bytes(ngx_http_wholesale_writer_t *w,
    const char *text, size_t len);
static void ngx_http_wholesale_write_json(ngx_http_wholesale_writer_t *w,
    const u_char *text, size_t len);
static void ngx_http_wholesale_write_escaped(ngx_http_wholesale_writer_t *w,
    u_char *text, size_t len);
static ngx_int_t ngx_http_wholesale_answer_headers(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx);
static ngx_int_t ngx_http_wholesale_allow(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, ngx_str_t *value);
static ngx_uint_t ngx_http_wholesale_wants_problem(ngx_http_request_t *r);
static ngx_uint_t ngx_http_wholesale_is_problem(u_char *p, u_char *last);


static const ngx_http_wholesale_status_t  ngx_http_wholesale_statuses[] = {

    { 400, ngx_string("Bad Request"),
      ngx_string("The request is not valid HTTP, or a header of it is too "
                 "large, or the client certificate was not accepted.") },

    { 401, ngx_string("Unauthorized"),
      ngx_string("The request needs valid credentials.") },

    { 403, ngx_string("Forbidden"),
      ngx_string("The request is not allowed from here.") },

    { 404, ngx_string("Not Found"),
      ngx_string("There is nothing here.") },

    { 405, ngx_string("Method Not Allowed"),
      ngx_string("The method is not allowed here.") },

    { 408, ngx_string("Request Timeout"),
      ngx_string("The request did not arrive in time.") },

    { 411, ngx_string("Length Required"),
      ngx_string("The request needs a Content-Length.") },

    { 413, ngx_string("Content Too Large"),
      ngx_string("The request is larger than this gateway takes.") },

    { 414, ngx_string("URI Too Long"),
      ngx_string("The request line is longer than this gateway takes.") },

    { 415, ngx_string("Unsupported Media Type"),
      ngx_string("The media type is not supported.") },

    { 421, ngx_string("Misdirected Request"),
      ngx_string("The request came over a connection that is not for it.") },

    { 423, ngx_string("Locked"),
      ngx_string("The customer is locked; try again later.") },

    { 429, ngx_string("Too Many Requests"),
      ngx_string("There were too many requests; try again later.") },

    { 500, ngx_string("Internal Server Error"),
      ngx_string("The gateway failed; nothing is known of the update.") },

    { 501, ngx_string("Not Implemented"),
      ngx_string("The gateway does not know how to do that.") },

    { 502, ngx_string("Bad Gateway"),
      ngx_string("Webex gave no valid answer; the update may or may not have "
                 "been accepted.") },

    { 503, ngx_string("Service Unavailable"),
      ngx_string("The gateway cannot take the request now; try again "
                 "later.") },

    { 504, ngx_string("Gateway Timeout"),
      ngx_string("Webex did not answer in time; the update may or may not "
                 "have been accepted.") },

    { 505, ngx_string("HTTP Version Not Supported"),
      ngx_string("The version of HTTP is not supported.") },

    { 0, ngx_string("Error"),
      ngx_string("The gateway cannot answer this request.") }
};


ngx_int_t
ngx_http_wholesale_make_answer(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    u_char                              buf[NGX_HTTP_WHOLESALE_ANSWER];
    ngx_str_t                           message;
    ngx_uint_t                          code;
    ngx_http_wholesale_writer_t         w;
    const ngx_http_wholesale_status_t  *status;

    code = r->headers_out.status;

    if (ctx->refusal && ctx->refusal->status != code) {
        /* nginx has something else to say since */
        ctx->refusal = NULL;
        ctx->problems.stored = 0;
        ctx->problems.total = 0;
    }

    status = ngx_http_wholesale_find_status(code);

    if (ngx_http_wholesale_message(r, ctx, status, &message) != NGX_OK) {
        return NGX_ERROR;
    }

    w.last = buf;
    w.end = buf + sizeof(buf);
    w.len = 0;

    ngx_http_wholesale_write_answer(&w, ctx, status, code, &message);

    ctx->answer.len = w.len;
    ctx->answer.data = ngx_pnalloc(r->pool, w.len);
    if (ctx->answer.data == NULL) {
        return NGX_ERROR;
    }

    if (w.len <= sizeof(buf)) {
        ngx_memcpy(ctx->answer.data, buf, w.len);

    } else {
        w.last = ctx->answer.data;
        w.end = w.last + w.len;

        ngx_http_wholesale_write_answer(&w, ctx, status, code, &message);
    }

    return ngx_http_wholesale_answer_headers(r, ctx);
}


ngx_int_t
ngx_http_wholesale_answer_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


static const ngx_http_wholesale_status_t *
ngx_http_wholesale_find_status(ngx_uint_t status)
{
    const ngx_http_wholesale_status_t  *s;

    for (s = ngx_http_wholesale_statuses; s->status; s++) {
        if (s->status == status) {
            break;
        }
    }

    return s;
}


static ngx_int_t
ngx_http_wholesale_message(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx, const ngx_http_wholesale_status_t *status,
    ngx_str_t *message)
{
    size_t  len, n;

    if (ctx->refusal == NULL) {
        *message = status->message;
        return NGX_OK;
    }

    *message = ctx->refusal->message;

    n = ctx->problems.total;

    if (!ngx_http_wholesale_is_limited(ctx) && n == 0) {
        return NGX_OK;
    }

    len = sizeof("The limit \"\" is reached; try again in  seconds.") - 1
          + WHOLESALE_LIMIT_NAME_MAX + ctx->refusal->message.len
          + NGX_INT64_LEN;

    message->data = ngx_pnalloc(r->pool, len);
    if (message->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_wholesale_is_limited(ctx)) {
        message->len = ngx_sprintf(message->data,
                                   "The limit \"%s\" is reached; try again "
                                   "in %T second%s.",
                                   ctx->refused->limit->name,
                                   ctx->retry_after,
                                   ctx->retry_after == 1 ? "" : "s")
                       - message->data;
        return NGX_OK;
    }

    message->len = ngx_sprintf(message->data, "%V: %uz problem%s.",
                               &ctx->refusal->message, n,
                               n == 1 ? "" : "s")
                   - message->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wholesale_is_limited(ngx_http_wholesale_ctx_t *ctx)
{
    return ctx->refusal
           && ctx->refusal->outcome == NGX_HTTP_WHOLESALE_LIMITED
           && ctx->refused;
}


static void
ngx_http_wholesale_write_answer(ngx_http_wholesale_writer_t *w,
    ngx_http_wholesale_ctx_t *ctx, const ngx_http_wholesale_status_t *status,
    ngx_uint_t code, ngx_str_t *message)
{
    u_char  number[NGX_INT_T_LEN + 1];
    size_t  i;

    ngx_http_wholesale_write(w, "{\"message\": \"");
    ngx_http_wholesale_write_json(w, message->data, message->len);
    ngx_http_wholesale_write(w, "\", \"errors\": [");

    if (ctx->problems.stored == 0) {
        ngx_http_wholesale_write(w, "{\"description\": \"");
        ngx_http_wholesale_write_json(w, message->data, message->len);
        ngx_http_wholesale_write(w, "\"}");
    }

    for (i = 0; i < ctx->problems.stored; i++) {

        if (i) {
            ngx_http_wholesale_write(w, ", ");
        }

        ngx_http_wholesale_write_problem(w, &ctx->problems.items[i]);
    }

    if (ctx->problems.total > ctx->problems.stored) {
        *ngx_sprintf(number, "%uz", ctx->problems.total - ctx->problems.stored)
            = '\0';

        ngx_http_wholesale_write(w, ", {\"description\": \"and ");
        ngx_http_wholesale_write(w, (char *) number);
        ngx_http_wholesale_write(w, " more\", \"pointer\": \"\"}");
    }

    ngx_http_wholesale_write(w, "], \"trackingId\": \"");
    ngx_http_wholesale_write_json(w, ctx->tracking_id.data,
                                  ctx->tracking_id.len);

    if (ngx_http_wholesale_is_limited(ctx)) {
        ngx_http_wholesale_write(w, "\", \"type\": \"https://iana.org/"
                             "assignments/http-problem-types#quota-exceeded\""
                             ", \"violated-policies\": [\"");
        ngx_http_wholesale_write(w, ctx->refused->limit->name);
        ngx_http_wholesale_write(w, "\"], \"title\": \"");

    } else if (ctx->refusal && ctx->reduced) {
        ngx_http_wholesale_write(w, "\", \"type\": \"https://iana.org/"
                  "assignments/http-problem-types#temporary-reduced-capacity\""
                  ", \"title\": \"");

    } else {
        ngx_http_wholesale_write(w, "\", \"type\": \"about:blank\", "
                                    "\"title\": \"");
    }

    ngx_http_wholesale_write_json(w, status->title.data, status->title.len);
    ngx_http_wholesale_write(w, "\", \"status\": ");

    *ngx_sprintf(number, "%ui", code) = '\0';

    ngx_http_wholesale_write(w, (char *) number);
    ngx_http_wholesale_write(w, "}\n");
}


static void
ngx_http_wholesale_write_problem(ngx_http_wholesale_writer_t *w,
    const wholesale_problem_t *problem)
{
    u_char  number[NGX_INT_T_LEN + 1];

    ngx_http_wholesale_write(w, "{\"description\": \"");
    ngx_http_wholesale_write_json(w, (u_char *) problem->description,
                                  problem->description_len);
    ngx_http_wholesale_write(w, "\", \"pointer\": \"");
    ngx_http_wholesale_write_json(w, (u_char *) problem->pointer,
                                  problem->pointer_len);
    ngx_http_wholesale_write(w, "\"");

    if (problem->code) {
        *ngx_sprintf(number, "%ui", (ngx_uint_t) problem->code) = '\0';

        ngx_http_wholesale_write(w, ", \"errorCode\": ");
        ngx_http_wholesale_write(w, (char *) number);
    }

    ngx_http_wholesale_write(w, "}");
}


static void
ngx_http_wholesale_write(ngx_http_wholesale_writer_t *w, const char *text)
{
    ngx_http_wholesale_write_bytes(w, text, ngx_strlen(text));
}


static void
ngx_http_wholesale_write_bytes(ngx_http_wholesale_writer_t *w,
    const char *text, size_t len)
{
    w->len += len;

    if ((size_t) (w->end - w->last) < len) {
        w->end = w->last;
        return;
    }

    w->last = ngx_cpymem(w->last, text, len);
}


static void
ngx_http_wholesale_write_json(ngx_http_wholesale_writer_t *w,
    const u_char *text, size_t len)
{
    size_t       n;
    uint32_t     ch;
    const char  *p, *end;
    u_char       escaped[sizeof("\\uffff")];

    end = (const char *) text + len;

    for (p = (const char *) text; p < end; p += n) {

        n = wholesale_text_plain(p, end - p);

        if (n) {
            ngx_http_wholesale_write_bytes(w, p, n);
            continue;
        }

        text = (const u_char *) p;
        ch = wholesale_text_decode(&p, end);

        /* one that would not be seen, or would change what is */

        if (ch >= 0x80 && ch <= 0xffff && wholesale_text_invisible(ch)) {
            *ngx_sprintf(escaped, "\\u%04xD", ch) = '\0';
            ngx_http_wholesale_write(w, (char *) escaped);
            continue;
        }

        ngx_http_wholesale_write_escaped(w, (u_char *) text,
                                         (const u_char *) p - text);
    }
}


static void
ngx_http_wholesale_write_escaped(ngx_http_wholesale_writer_t *w, u_char *text,
    size_t len)
{
    size_t  size;

    size = len + ngx_escape_json(NULL, text, len);

    w->len += size;

    if ((size_t) (w->end - w->last) < size) {
        w->end = w->last;
        return;
    }

    w->last = (u_char *) ngx_escape_json(w->last, text, len);
}


static ngx_int_t
ngx_http_wholesale_answer_headers(ngx_http_request_t *r,
    ngx_http_wholesale_ctx_t *ctx)
{
    u_char     *p;
    ngx_str_t   value;

    if (ngx_http_wholesale_wants_problem(r)) {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;

    /*
     * The type under which filters look it up is that of nobody: sub_filter,
     * which rewrites what Webex answers in JSON, has no business here.
     */

    r->headers_out.content_type_lowcase = (u_char *) "";
    r->headers_out.content_type_hash = 0;

    ngx_str_null(&r->headers_out.charset);

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = ctx->answer.len;

    if (ngx_http_wholesale_answer_header(r, "TrackingID", &ctx->tracking_id)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    switch (r->headers_out.status) {

    case NGX_HTTP_UNAUTHORIZED:
        if (r->headers_out.www_authenticate) {
            break;
        }

        ngx_str_set(&value, "Bearer");
        return ngx_http_wholesale_answer_header(r, "WWW-Authenticate", &value);

    case NGX_HTTP_NOT_ALLOWED:
        if (ngx_http_wholesale_allow(r, ctx, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_wholesale_answer_header(r, "Allow", &value);

    default:
        break;
    }

    if (ctx->refusal == NULL || ctx->retry_after == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%T", ctx->retry_after) - p;

    return ngx_http_wholesale_answer_header(r, "Retry-After", &value);
}


static ngx_int_t
ngx_http_wholesale_allow(ngx_http_request_t *r, ngx_http_wholesale_ctx_t *ctx,
    ngx_str_t *value)
{
    u_char    *p;
    unsigned   methods;

    /* nginx itself refuses TRACE, before anybody knows the path */

    methods = ctx->methods ? ctx->methods : WHOLESALE_GET|WHOLESALE_PUT;

    p = ngx_pnalloc(r->pool, sizeof("GET, HEAD, POST, PUT, DELETE, ") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    p = ngx_sprintf(p, "%s%s%s%s",
                    (methods & WHOLESALE_GET) ? "GET, HEAD, " : "",
                    (methods & WHOLESALE_POST) ? "POST, " : "",
                    (methods & WHOLESALE_PUT) ? "PUT, " : "",
                    (methods & WHOLESALE_DELETE) ? "DELETE, " : "");

    value->len = p - value->data - (sizeof(", ") - 1);

    return NGX_OK;
}


/*
 * Only who names the type gets it, "*" does not; and not by "q=0".  Otherwise
 * weights do not matter: the two forms differ by their name alone.
 */

static ngx_uint_t
ngx_http_wholesale_wants_problem(ngx_http_request_t *r)
{
    u_char           *p, *last, *end;
    ngx_table_elt_t  *h;

    h = NULL;

    for ( ;; ) {
        h = ngx_http_wholesale_find_header(r, "accept", h);

        if (h == NULL) {
            return 0;
        }

        p = h->value.data;
        last = p + h->value.len;

        while (p < last) {
            end = ngx_strlchr(p, last, ',');

            if (end == NULL) {
                end = last;
            }

            if (ngx_http_wholesale_is_problem(p, end)) {
                return 1;
            }

            p = end + 1;
        }
    }
}


static ngx_uint_t
ngx_http_wholesale_is_problem(u_char *p, u_char *last)
{
    u_char  *q;
    size_t   len;

    len = sizeof("application/problem+json") - 1;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if ((size_t) (last - p) < len
        || ngx_strncasecmp(p, (u_char *) "application/problem+json", len) != 0)
    {
        return 0;
    }

    p += len;

    if (p < last && *p != ' ' && *p != '\t' && *p != ';') {
        return 0;
    }

    q = ngx_strlcasestrn(p, last, (u_char *) "q=", 1);

    if (q == NULL) {
        return 1;
    }

    for (q += 2; q < last; q++) {
        if (*q >= '1' && *q <= '9') {
            return 1;
        }
    }

    return 0;
}
