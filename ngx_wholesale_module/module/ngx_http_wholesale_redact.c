
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_wholesale_module.h>


/*
 * nginx writes header fields into its error log: at the level "debug" every
 * one that it reads or sends, at "info" those that it cannot parse.  That is
 * each partner's key, and Webex's token.  Who turns debugging on at night
 * shall not have to change all keys in the morning, so the logs of the http
 * block pass through a writer that blots them out.
 */


typedef struct {
    ngx_log_t          *log;

    /* the log's own, of syslog or a memory buffer; NULL: it is a file */
    ngx_log_writer_pt   writer;
    void               *data;
} ngx_http_wholesale_redact_t;


static void ngx_http_wholesale_redact_cleanup(void *data);
static void ngx_http_wholesale_redact_writer(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len);
static void ngx_http_wholesale_redact(u_char *p, u_char *last);
static void ngx_http_wholesale_redact_field(u_char *p, u_char *last);
static void ngx_http_wholesale_redact_blot(u_char *p, u_char *last);
static u_char *ngx_http_wholesale_redact_mark(u_char *p, u_char *last);


/* what a secret stands behind; it ends with a quote, a line, or the text */

static ngx_str_t  ngx_http_wholesale_redact_marks[] = {
    ngx_string("authorization:"),
    ngx_string("api-key:"),
    ngx_string("auth-token:"),
    ngx_string("access-token:"),
    ngx_string("cookie:"),
    ngx_string("bearer "),
    ngx_string("http script var: \""),
    ngx_string("http map: \""),
    ngx_null_string
};


/* what a whole header field stands behind */

static ngx_str_t  ngx_http_wholesale_redact_fields[] = {
    ngx_string("http header: \""),
    ngx_string("http2 header: \""),
    ngx_string("http2 table add: \""),
    ngx_string("http3 header: \""),
    ngx_null_string
};


/* the fields in which nobody's secret stands */

static ngx_str_t  ngx_http_wholesale_redact_plain[] = {
    ngx_string("host"),
    ngx_string("content-type"),
    ngx_string("content-length"),
    ngx_string("content-encoding"),
    ngx_string("transfer-encoding"),
    ngx_string("connection"),
    ngx_string("expect"),
    ngx_string("accept"),
    ngx_string("accept-encoding"),
    ngx_string("accept-language"),
    ngx_string("user-agent"),
    ngx_string("trackingid"),
    ngx_string(":method"),
    ngx_string(":scheme"),
    ngx_string(":authority"),
    ngx_string(":path"),
    ngx_string(":status"),
    ngx_null_string
};


/* a line that nginx cannot take may be anything, and end anywhere */

static ngx_str_t  ngx_http_wholesale_redact_lines[] = {
    ngx_string("invalid header line: \""),
    ngx_string("too long header line: \""),
    ngx_null_string
};

static ngx_str_t  ngx_http_wholesale_redact_line_end =
    ngx_string("\", client: ");


ngx_int_t
ngx_http_wholesale_redact_log(ngx_conf_t *cf, ngx_log_t *log)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_wholesale_redact_t  *redact;

    for ( /* void */ ; log; log = log->next) {

        if (log->writer == ngx_http_wholesale_redact_writer) {
            continue;
        }

        cln = ngx_pool_cleanup_add(cf->pool,
                                   sizeof(ngx_http_wholesale_redact_t));
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_http_wholesale_redact_cleanup;

        redact = cln->data;
        redact->log = log;
        redact->writer = log->writer;
        redact->data = log->wdata;

        log->writer = ngx_http_wholesale_redact_writer;
        log->wdata = redact;
    }

    return NGX_OK;
}


/* the log is written to even after this module is out of memory */

static void
ngx_http_wholesale_redact_cleanup(void *data)
{
    ngx_http_wholesale_redact_t  *redact = data;

    redact->log->writer = redact->writer;
    redact->log->wdata = redact->data;
}


static void
ngx_http_wholesale_redact_writer(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len)
{
    ngx_log_t                     own;
    ngx_http_wholesale_redact_t  *redact;

    redact = log->wdata;

    ngx_http_wholesale_redact(buf, buf + len);

    if (redact->writer) {
        own = *log;
        own.writer = redact->writer;
        own.wdata = redact->data;

        redact->writer(&own, level, buf, len);
        return;
    }

    /* as ngx_log_error_core() does: a full disk is left alone for a second */

    if (ngx_time() == log->disk_full_time) {
        return;
    }

    if (ngx_write_fd(log->file->fd, buf, len) == -1
        && ngx_errno == NGX_ENOSPC)
    {
        log->disk_full_time = ngx_time();
    }
}


static void
ngx_http_wholesale_redact(u_char *p, u_char *last)
{
    u_char     *found, *end;
    ngx_str_t  *mark;

    for (mark = ngx_http_wholesale_redact_fields; mark->len; mark++) {
        found = ngx_strlcasestrn(p, last, mark->data, mark->len - 1);

        if (found) {
            ngx_http_wholesale_redact_field(found + mark->len, last);
            return;
        }
    }

    for (mark = ngx_http_wholesale_redact_lines; mark->len; mark++) {
        found = ngx_strlcasestrn(p, last, mark->data, mark->len - 1);

        if (found) {
            found += mark->len;
            mark = &ngx_http_wholesale_redact_line_end;
            end = ngx_strlcasestrn(found, last, mark->data, mark->len - 1);

            ngx_http_wholesale_redact_blot(found, end ? end : last - 1);
            return;
        }
    }

    for ( ;; ) {
        p = ngx_http_wholesale_redact_mark(p, last);

        if (p == NULL) {
            return;
        }

        while (p < last && *p == ' ') {
            p++;
        }

        for (end = p; end < last; end++) {
            if (*end == '"' || *end == CR || *end == LF) {
                break;
            }
        }

        ngx_http_wholesale_redact_blot(p, end);
    }
}


static void
ngx_http_wholesale_redact_field(u_char *p, u_char *last)
{
    u_char     *colon;
    ngx_str_t  *name;

    /* a pseudo-header begins with one */

    for (colon = p + 1; colon < last && *colon != ':'; colon++) { /* void */ }

    for (name = ngx_http_wholesale_redact_plain; name->len; name++) {

        if (name->len == (size_t) (colon - p)
            && ngx_strncasecmp(name->data, p, name->len) == 0)
        {
            return;
        }
    }

    for (p = last; p > colon && p[-1] != '"'; p--) { /* void */ }

    if (colon + 2 < p) {
        ngx_http_wholesale_redact_blot(colon + 2, p - 1);
    }
}


static void
ngx_http_wholesale_redact_blot(u_char *p, u_char *last)
{
    while (p < last) {
        *p++ = '*';
    }
}


/* returns the end of the first mark, or NULL */

static u_char *
ngx_http_wholesale_redact_mark(u_char *p, u_char *last)
{
    u_char     *found, *first;
    ngx_str_t  *mark;

    first = NULL;

    for (mark = ngx_http_wholesale_redact_marks; mark->len; mark++) {
        found = ngx_strlcasestrn(p, last, mark->data, mark->len - 1);

        if (found && (first == NULL || found + mark->len < first)) {
            first = found + mark->len;
        }
    }

    return first;
}
