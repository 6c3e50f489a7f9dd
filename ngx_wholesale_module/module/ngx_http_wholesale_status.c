
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>
#include <ngx_http_wholesale_status.h>


/* a status for which nginx has no name */
#define NGX_HTTP_WHOLESALE_NOT_ACCEPTABLE  406

/* thousandths: a range of "Accept" without "q" */
#define NGX_HTTP_WHOLESALE_QUALITY         1000

/* milliseconds between two parts of an answer */
#define NGX_HTTP_WHOLESALE_STATUS_PAUSE    1


typedef struct {
    ngx_str_t                                  name;    /* of ?format= */
    ngx_str_t                                  content_type;

    void                                     (*build)(
                                       ngx_wholesale_writer_t *w,
                                       ngx_http_wholesale_figures_t *figures);

    /* up to one without a name */
    const ngx_http_wholesale_status_header_t  *headers;
} ngx_http_wholesale_format_t;


/* a media range of "Accept", and what serves it */

typedef struct {
    ngx_str_t                                  range;
    const ngx_http_wholesale_format_t         *format;
} ngx_http_wholesale_range_t;


/* an answer that is being written */

typedef struct {
    ngx_http_request_t                        *request;
    const ngx_http_wholesale_format_t         *format;
    ngx_http_wholesale_figures_t               figures;
    ngx_wholesale_writer_t                     writer;

    /*
     * Goes on soon while the figures are unfinished: a timer, since a worker
     * that is to leave waits for timers, and not for posted events.  Not of
     * 0 ms, which would expire in this very turn.
     */
    ngx_event_t                                event;
} ngx_http_wholesale_status_t;


static ngx_int_t ngx_http_wholesale_status_handler(ngx_http_request_t *r);
static void ngx_http_wholesale_status_drive(ngx_http_request_t *r);
static ngx_int_t ngx_http_wholesale_status_begin(ngx_http_request_t *r,
    const ngx_http_wholesale_format_t *format);
static void ngx_http_wholesale_status_event(ngx_event_t *ev);
static void ngx_http_wholesale_status_cleanup(void *data);
static ngx_int_t ngx_http_wholesale_status_end(
    ngx_http_wholesale_status_t *status);
static const ngx_http_wholesale_format_t *ngx_http_wholesale_named_format(
    ngx_str_t *name);
static const ngx_http_wholesale_format_t *ngx_http_wholesale_accepted_format(
    ngx_http_request_t *r);
static const ngx_http_wholesale_format_t *ngx_http_wholesale_best_format(
    ngx_http_request_t *r, ngx_uint_t *refused, ngx_uint_t *said);
static const ngx_http_wholesale_format_t *ngx_http_wholesale_range_format(
    u_char *p, u_char *last, ngx_uint_t *refused, ngx_int_t *quality);
static ngx_int_t ngx_http_wholesale_range_quality(u_char *p, u_char *last);
static ngx_int_t ngx_http_wholesale_status_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *text);
static ngx_int_t ngx_http_wholesale_status_send(ngx_http_request_t *r,
    ngx_uint_t status, const ngx_str_t *content_type,
    ngx_wholesale_writer_t *w);


static const ngx_http_wholesale_status_header_t
    ngx_http_wholesale_no_headers[] = {
    { NULL, ngx_null_string }
};


static const ngx_http_wholesale_status_header_t
    ngx_http_wholesale_common_headers[] = {
    { "Cache-Control", ngx_string("no-store") },
    { "Vary", ngx_string("Accept") },
    { "X-Content-Type-Options", ngx_string("nosniff") },
    { NULL, ngx_null_string }
};


static const ngx_http_wholesale_format_t  ngx_http_wholesale_formats[] = {

    { ngx_string("prometheus"),
      ngx_string("text/plain; version=0.0.4; charset=utf-8"),
      ngx_http_wholesale_status_prometheus,
      ngx_http_wholesale_no_headers },

    { ngx_string("json"),
      ngx_string("application/json"),
      ngx_http_wholesale_status_json,
      ngx_http_wholesale_no_headers },

    { ngx_string("html"),
      ngx_string("text/html; charset=utf-8"),
      ngx_http_wholesale_status_page,
      ngx_http_wholesale_status_page_headers },

    { ngx_null_string, ngx_null_string, NULL, NULL }
};


/*
 * The first one is that of a client that does not say what it takes.  One that
 * serves several formats is there for each, the one that is preferred first.
 */

static const ngx_http_wholesale_range_t  ngx_http_wholesale_ranges[] = {
    { ngx_string("*/*"), &ngx_http_wholesale_formats[0] },
    { ngx_string("*/*"), &ngx_http_wholesale_formats[1] },
    { ngx_string("*/*"), &ngx_http_wholesale_formats[2] },
    { ngx_string("text/*"), &ngx_http_wholesale_formats[0] },
    { ngx_string("text/*"), &ngx_http_wholesale_formats[2] },
    { ngx_string("text/plain"), &ngx_http_wholesale_formats[0] },
    { ngx_string("application/openmetrics-text"),
      &ngx_http_wholesale_formats[0] },
    { ngx_string("application/*"), &ngx_http_wholesale_formats[1] },
    { ngx_string("application/json"), &ngx_http_wholesale_formats[1] },
    { ngx_string("text/html"), &ngx_http_wholesale_formats[2] },
    { ngx_null_string, NULL }
};


char *
ngx_http_wholesale_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wholesale_loc_conf_t *wlcf = conf;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_wholesale_status_handler;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wholesale_module);
    wmcf->status = 1;

    /* a page of ours, which "wholesale on" further out is not about */

    if (wlcf->enable == NGX_CONF_UNSET) {
        wlcf->enable = 0;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_wholesale_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                           rc;
    ngx_str_t                           name;
    const ngx_http_wholesale_format_t  *format;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        ngx_str_set(&name, "GET, HEAD");

        if (ngx_http_wholesale_answer_header(r, "Allow", &name) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_wholesale_status_refuse(r, NGX_HTTP_NOT_ALLOWED,
                                                "There is only something to "
                                                "GET here");
    }

    if (ngx_http_arg(r, (u_char *) "format", sizeof("format") - 1, &name)
        == NGX_OK)
    {
        format = ngx_http_wholesale_named_format(&name);

        if (format == NULL) {
            return ngx_http_wholesale_status_refuse(r, NGX_HTTP_BAD_REQUEST,
                                                    "There is no such format");
        }

    } else {
        format = ngx_http_wholesale_accepted_format(r);

        if (format == NULL) {
            return ngx_http_wholesale_status_refuse(r,
                                             NGX_HTTP_WHOLESALE_NOT_ACCEPTABLE,
                                             "There is no format that is "
                                             "acceptable by \"Accept\"");
        }
    }

    ngx_http_wholesale_status_drive(r);

    return ngx_http_wholesale_status_begin(r, format);
}


/*
 * A scrape, too, renews a token that nobody else asks for.  Not in a server
 * where ngx_http_wholesale_check_locations() has not looked for the endpoint.
 */

static void
ngx_http_wholesale_status_drive(ngx_http_request_t *r)
{
    ngx_uint_t                       i;
    ngx_wholesale_credential_t      *credential;
    ngx_http_wholesale_srv_conf_t   *wscf;
    ngx_http_wholesale_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wholesale_module);
    wscf = ngx_http_get_module_srv_conf(r, ngx_http_wholesale_module);

    credential = wmcf->credentials->elts;

    for (i = 0; i < wmcf->credentials->nelts; i++) {

        if (wscf->ready || (wscf->guarded && credential[i].used)) {
            ngx_http_wholesale_drive_token(r, &credential[i]);
        }
    }
}


/* returns NGX_DONE where what there is to tell takes more than this turn */

static ngx_int_t
ngx_http_wholesale_status_begin(ngx_http_request_t *r,
    const ngx_http_wholesale_format_t *format)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_wholesale_status_t  *status;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_wholesale_status_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    status = cln->data;

    ngx_memzero(status, sizeof(ngx_http_wholesale_status_t));

    cln->handler = ngx_http_wholesale_status_cleanup;

    status->request = r;
    status->format = format;

    if (ngx_http_wholesale_figures(r, &status->figures) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_wholesale_writer_init(&status->writer, r->pool);

    format->build(&status->writer, &status->figures);

    if (!status->figures.unfinished) {
        return ngx_http_wholesale_status_end(status);
    }

    status->event.handler = ngx_http_wholesale_status_event;
    status->event.data = status;
    status->event.log = r->connection->log;

    ngx_add_timer(&status->event, NGX_HTTP_WHOLESALE_STATUS_PAUSE);

    r->main->count++;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static void
ngx_http_wholesale_status_event(ngx_event_t *ev)
{
    ngx_connection_t             *c;
    ngx_http_request_t           *r;
    ngx_http_wholesale_status_t  *status;

    status = ev->data;

    r = status->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (c->error) {
        ngx_http_finalize_request(r, NGX_ERROR);

    } else {
        status->format->build(&status->writer, &status->figures);

        if (status->figures.unfinished) {
            ngx_add_timer(ev, NGX_HTTP_WHOLESALE_STATUS_PAUSE);
            return;
        }

        ngx_http_finalize_request(r, ngx_http_wholesale_status_end(status));
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_wholesale_status_cleanup(void *data)
{
    ngx_http_wholesale_status_t *status = data;

    if (status->event.timer_set) {
        ngx_del_timer(&status->event);
    }
}


static ngx_int_t
ngx_http_wholesale_status_end(ngx_http_wholesale_status_t *status)
{
    ngx_str_t                                  value;
    const ngx_http_wholesale_format_t         *format;
    const ngx_http_wholesale_status_header_t  *header;

    format = status->format;

    for (header = format->headers; header->name; header++) {

        value = header->value;

        if (ngx_http_wholesale_answer_header(status->request, header->name,
                                             &value)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_http_wholesale_status_send(status->request, NGX_HTTP_OK,
                                          &format->content_type,
                                          &status->writer);
}


static const ngx_http_wholesale_format_t *
ngx_http_wholesale_named_format(ngx_str_t *name)
{
    const ngx_http_wholesale_format_t  *format;

    for (format = ngx_http_wholesale_formats; format->name.len; format++) {

        if (format->name.len == name->len
            && ngx_strncmp(format->name.data, name->data, name->len) == 0)
        {
            return format;
        }
    }

    return NULL;
}


/* of those that are wanted most, the one that is named first; or NULL */

static const ngx_http_wholesale_format_t *
ngx_http_wholesale_accepted_format(ngx_http_request_t *r)
{
    ngx_uint_t  refused, said;

    refused = 0;

    /* what is refused by its name is not served by a wildcard, either */

    (void) ngx_http_wholesale_best_format(r, &refused, &said);

    if (!said) {
        return ngx_http_wholesale_ranges[0].format;
    }

    return ngx_http_wholesale_best_format(r, &refused, &said);
}


/* adds what is refused to "refused"; sets whether anything is said at all */

static const ngx_http_wholesale_format_t *
ngx_http_wholesale_best_format(ngx_http_request_t *r, ngx_uint_t *refused,
    ngx_uint_t *said)
{
    u_char                             *p, *last, *end;
    ngx_int_t                           quality, best;
    ngx_table_elt_t                    *h;
    const ngx_http_wholesale_format_t  *format, *found;

    best = 0;
    found = NULL;
    *said = 0;

    for (h = ngx_http_wholesale_find_header(r, "accept", NULL);
         h;
         h = ngx_http_wholesale_find_header(r, "accept", h))
    {
        last = h->value.data + h->value.len;

        for (p = h->value.data; p < last; p = end + 1) {

            *said = 1;

            end = ngx_strlchr(p, last, ',');
            end = end ? end : last;

            format = ngx_http_wholesale_range_format(p, end, refused,
                                                     &quality);

            if (format && quality > best) {
                best = quality;
                found = format;
            }
        }
    }

    return found;
}


static const ngx_http_wholesale_format_t *
ngx_http_wholesale_range_format(u_char *p, u_char *last, ngx_uint_t *refused,
    ngx_int_t *quality)
{
    size_t                             len;
    u_char                            *end;
    ngx_uint_t                         bit;
    const ngx_http_wholesale_range_t  *range;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    for (end = p; end < last; end++) {
        if (*end == ';' || *end == ' ' || *end == '\t') {
            break;
        }
    }

    len = end - p;

    for (range = ngx_http_wholesale_ranges; range->format; range++) {

        if (range->range.len != len
            || ngx_strncasecmp(range->range.data, p, len) != 0)
        {
            continue;
        }

        *quality = ngx_http_wholesale_range_quality(end, last);

        bit = (ngx_uint_t) 1 << (range->format - ngx_http_wholesale_formats);

        /* by its own name, with which its content type begins */

        if (*quality == 0
            && ngx_strncmp(range->format->content_type.data,
                           range->range.data, len) == 0)
        {
            *refused |= bit;
        }

        if (!(*refused & bit)) {
            return range->format;
        }
    }

    return NULL;
}


/* of ";version=0.0.4;q=0.5": 500 */

static ngx_int_t
ngx_http_wholesale_range_quality(u_char *p, u_char *last)
{
    u_char     *end;
    ngx_int_t   quality;

    while (p < last) {

        while (p < last && (*p == ';' || *p == ' ' || *p == '\t')) {
            p++;
        }

        for (end = p; end < last; end++) {
            if (*end == ';' || *end == ' ' || *end == '\t') {
                break;
            }
        }

        if (end - p > 2 && (*p == 'q' || *p == 'Q') && p[1] == '=') {
            quality = ngx_atofp(p + 2, end - p - 2, 3);

            return (quality == NGX_ERROR) ? 0 : quality;
        }

        p = end;
    }

    return NGX_HTTP_WHOLESALE_QUALITY;
}


/* with the formats that there are after the text */

static ngx_int_t
ngx_http_wholesale_status_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *text)
{
    ngx_wholesale_writer_t              w;
    const ngx_http_wholesale_format_t  *format;

    static const ngx_str_t  plain = ngx_string("text/plain");

    ngx_wholesale_writer_init(&w, r->pool);

    ngx_wholesale_write(&w, text, ngx_strlen(text));

    ngx_wholesale_write_text(&w, "; there are:");

    for (format = ngx_http_wholesale_formats; format->name.len; format++) {
        ngx_wholesale_writef(&w, " ?format=%V", &format->name);
    }

    ngx_wholesale_write_text(&w, "\n");

    return ngx_http_wholesale_status_send(r, status, &plain, &w);
}


static ngx_int_t
ngx_http_wholesale_status_send(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_str_t *content_type, ngx_wholesale_writer_t *w)
{
    ngx_int_t                                  rc;
    ngx_str_t                                  value;
    ngx_chain_t                               *cl;
    const ngx_http_wholesale_status_header_t  *header;

    if (w->failed || w->out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = w->len;
    r->headers_out.content_type = *content_type;
    r->headers_out.content_type_len = content_type->len;

    for (header = ngx_http_wholesale_common_headers; header->name; header++) {

        value = header->value;

        if (ngx_http_wholesale_answer_header(r, header->name, &value)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    for (cl = w->out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main) ? 1 : 0;
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, w->out);
}
