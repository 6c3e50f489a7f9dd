
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <wholesale_text.h>
#include <wholesale_limit.h>
#include <ngx_wholesale_writer.h>


/* U+FFFD, the replacement character */
#define NGX_WHOLESALE_WRITER_NO_UTF8  "\xef\xbf\xbd"


static ngx_buf_t *ngx_wholesale_writer_buf(ngx_wholesale_writer_t *w,
    size_t size);
static void ngx_wholesale_writer_append(ngx_wholesale_writer_t *w,
    ngx_buf_t *b);
static void ngx_wholesale_write_quoted(ngx_wholesale_writer_t *w,
    const u_char *text, size_t len, ngx_uint_t json);
static void ngx_wholesale_write_ascii(ngx_wholesale_writer_t *w, u_char ch,
    ngx_uint_t json);


void
ngx_wholesale_writer_init(ngx_wholesale_writer_t *w, ngx_pool_t *pool)
{
    ngx_memzero(w, sizeof(ngx_wholesale_writer_t));

    w->pool = pool;
    w->last = &w->out;
}


void
ngx_wholesale_write(ngx_wholesale_writer_t *w, const void *text, size_t len)
{
    size_t         n;
    ngx_buf_t     *b;
    const u_char  *p;

    p = text;

    while (len) {
        b = ngx_wholesale_writer_buf(w, 1);
        if (b == NULL) {
            return;
        }

        n = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, p, n);

        w->len += n;
        p += n;
        len -= n;
    }
}


void ngx_cdecl
ngx_wholesale_writef(ngx_wholesale_writer_t *w, const char *fmt, ...)
{
    u_char     *p;
    va_list     args;
    ngx_buf_t  *b;

    b = ngx_wholesale_writer_buf(w, NGX_WHOLESALE_WRITER_LINE);
    if (b == NULL) {
        return;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(b->last, b->last + NGX_WHOLESALE_WRITER_LINE, fmt, args);
    va_end(args);

    w->len += p - b->last;
    b->last = p;
}


void
ngx_wholesale_write_static(ngx_wholesale_writer_t *w, const void *text,
    size_t len)
{
    ngx_buf_t  *b;

    if (len == 0) {
        return;
    }

    b = ngx_calloc_buf(w->pool);
    if (b == NULL) {
        w->failed = 1;
        return;
    }

    b->pos = (u_char *) text;
    b->last = b->pos + len;
    b->memory = 1;

    ngx_wholesale_writer_append(w, b);

    w->b = NULL;
    w->len += len;
}


/* with room for "size" bytes; or NULL */

static ngx_buf_t *
ngx_wholesale_writer_buf(ngx_wholesale_writer_t *w, size_t size)
{
    if (w->failed) {
        return NULL;
    }

    if (w->b && (size_t) (w->b->end - w->b->last) >= size) {
        return w->b;
    }

    w->b = ngx_create_temp_buf(w->pool, NGX_WHOLESALE_WRITER_BUFFER);
    if (w->b == NULL) {
        w->failed = 1;
        return NULL;
    }

    ngx_wholesale_writer_append(w, w->b);

    return w->failed ? NULL : w->b;
}


static void
ngx_wholesale_writer_append(ngx_wholesale_writer_t *w, ngx_buf_t *b)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(w->pool);
    if (cl == NULL) {
        w->failed = 1;
        return;
    }

    cl->buf = b;
    cl->next = NULL;

    *w->last = cl;
    w->last = &cl->next;
}


void
ngx_wholesale_write_seconds(ngx_wholesale_writer_t *w, int64_t microseconds)
{
    u_char   digits[sizeof(".000000")], *last;
    int64_t  fraction;

    fraction = microseconds % WHOLESALE_SECOND;

    if (fraction == 0) {
        ngx_wholesale_writef(w, "%L", microseconds / WHOLESALE_SECOND);
        return;
    }

    last = ngx_sprintf(digits, ".%06L", fraction);

    while (last[-1] == '0') {
        last--;
    }

    ngx_wholesale_writef(w, "%L%*s", microseconds / WHOLESALE_SECOND,
                         (size_t) (last - digits), digits);
}


void
ngx_wholesale_write_json(ngx_wholesale_writer_t *w, const u_char *text,
    size_t len)
{
    ngx_wholesale_write_quoted(w, text, len, 1);
}


void
ngx_wholesale_write_label(ngx_wholesale_writer_t *w, const u_char *text,
    size_t len)
{
    ngx_wholesale_write_quoted(w, text, len, 0);
}


static void
ngx_wholesale_write_quoted(ngx_wholesale_writer_t *w, const u_char *text,
    size_t len, ngx_uint_t json)
{
    const char  *p, *end, *next;

    p = (const char *) text;
    end = p + len;

    ngx_wholesale_write_text(w, "\"");

    for ( /* void */ ; p < end; p = next) {
        next = p;

        if (wholesale_text_decode(&next, end) == WHOLESALE_NOT_UTF8) {
            ngx_wholesale_write_text(w, NGX_WHOLESALE_WRITER_NO_UTF8);

        } else if (next - p == 1) {
            ngx_wholesale_write_ascii(w, *p, json);

        } else {
            ngx_wholesale_write(w, p, next - p);
        }
    }

    ngx_wholesale_write_text(w, "\"");
}


static void
ngx_wholesale_write_ascii(ngx_wholesale_writer_t *w, u_char ch,
    ngx_uint_t json)
{
    if (ch == '"' || ch == '\\') {
        ngx_wholesale_write_text(w, "\\");
        ngx_wholesale_write(w, &ch, 1);

    } else if (ch == '\n') {
        ngx_wholesale_write_text(w, "\\n");

    } else if (ch < 0x20 && json) {
        ngx_wholesale_writef(w, "\\u%04xd", ch);

    } else {
        ngx_wholesale_write(w, &ch, 1);
    }
}
