
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_SECRET_H_INCLUDED_
#define _NGX_WHOLESALE_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <wholesale_token_answer.h>


/*
 * Files that hold one secret each: a token, or a client's secret.
 */


#define NGX_WHOLESALE_SECRET_MAX      WHOLESALE_TOKEN_MAX

/* what a file is read into; the blanks around a secret need room, too */
#define NGX_WHOLESALE_SECRET_BUFFER   (NGX_WHOLESALE_SECRET_MAX + 1)


/* which file it is, and in which state; all 0: there is none */

typedef struct {
    ngx_file_uniq_t   uniq;
    struct timespec   mtime;            /* to the nanosecond */
    off_t             size;
} ngx_wholesale_secret_id_t;


/* one that is being written */

typedef struct {
    ngx_str_t        *file;
    const char       *secret;
    size_t            len;

    ngx_atomic_t      done;
    const char       *trouble;
    ngx_err_t         err;
} ngx_wholesale_secret_write_t;


/*
 * Reads the file into "buffer" of NGX_WHOLESALE_SECRET_BUFFER bytes and sets
 * "secret" to the part of it that is the secret, blanks and line ends around
 * it left out.  "id" is set as far as the file could be examined.
 *
 * Returns NULL, or what is wrong with the file as a static half-sentence, to
 * follow its name; "err" is then the system's error, or 0.
 */
const char *ngx_wholesale_secret_read(ngx_str_t *file, u_char *buffer,
    ngx_str_t *secret, ngx_wholesale_secret_id_t *id, ngx_err_t *err);

/* whether the file is another than "id", or cannot be examined */
ngx_uint_t ngx_wholesale_secret_changed(ngx_str_t *file,
    const ngx_wholesale_secret_id_t *id);

ngx_uint_t ngx_wholesale_secret_same(const ngx_wholesale_secret_id_t *one,
    const ngx_wholesale_secret_id_t *other);

/*
 * Puts a secret into the file: whoever reads it, even after a crash, finds
 * either the old one or the new one, whole.  The file is nobody's but the
 * worker's user's then.  "trouble" and "err" are set as
 * ngx_wholesale_secret_read() does, and then "done".
 *
 * It is done in a thread, for a disk may take its time: until then, nothing
 * of "w", nor what it points to, may go away.
 */
void ngx_wholesale_secret_write(ngx_wholesale_secret_write_t *w);


#endif /* _NGX_WHOLESALE_SECRET_H_INCLUDED_ */
