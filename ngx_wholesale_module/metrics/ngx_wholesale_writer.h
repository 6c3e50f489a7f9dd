
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_WRITER_H_INCLUDED_
#define _NGX_WHOLESALE_WRITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Writes a text of any length into a chain of buffers: none of it is moved,
 * and no more than the last buffer is not full.
 */


/* bytes of one buffer, and of what ngx_wholesale_writef() writes at most */
#define NGX_WHOLESALE_WRITER_BUFFER  16384
#define NGX_WHOLESALE_WRITER_LINE    512


typedef struct {
    ngx_pool_t    *pool;

    /* what has been written, and how much */
    ngx_chain_t   *out;
    off_t          len;

    /* there was no memory: the text is not whole, and gets no longer */
    ngx_uint_t     failed;

    /* private */
    ngx_chain_t  **last;
    ngx_buf_t     *b;       /* NULL: none that has room */
} ngx_wholesale_writer_t;


void ngx_wholesale_writer_init(ngx_wholesale_writer_t *w, ngx_pool_t *pool);

void ngx_wholesale_write(ngx_wholesale_writer_t *w, const void *text,
    size_t len);

#define ngx_wholesale_write_text(w, text)                                     \
    ngx_wholesale_write(w, text, sizeof(text) - 1)

/* as ngx_sprintf(); for what is surely no longer than a line */
void ngx_cdecl ngx_wholesale_writef(ngx_wholesale_writer_t *w,
    const char *fmt, ...);

/* what stays where it is, for as long as there are processes */
void ngx_wholesale_write_static(ngx_wholesale_writer_t *w, const void *text,
    size_t len);

/* seconds, with as many digits as they need: 0.0025 */
void ngx_wholesale_write_seconds(ngx_wholesale_writer_t *w,
    int64_t microseconds);

/*
 * A string of JSON, and the value of a Prometheus label, in quotes; any bytes
 * will do: what is not UTF-8 becomes U+FFFD.
 */
void ngx_wholesale_write_json(ngx_wholesale_writer_t *w, const u_char *text,
    size_t len);
void ngx_wholesale_write_label(ngx_wholesale_writer_t *w, const u_char *text,
    size_t len);


#endif /* _NGX_WHOLESALE_WRITER_H_INCLUDED_ */
