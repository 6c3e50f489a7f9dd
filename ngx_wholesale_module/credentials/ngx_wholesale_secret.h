
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
 *
 * They are examined and read where the event loop runs: they are small regular
 * files, of which no more than NGX_WHOLESALE_SECRET_MAX bytes are read, by one
 * call, on a memory or local file system, which is where secrets are mounted;
 * and opened so that a pipe in their place does not hold up either.  A file
 * system that may hang, a network's, is no place for secrets.  What waits for
 * a disk, writing, is done in a thread.
 */


#define NGX_WHOLESALE_SECRET_MAX      WHOLESALE_TOKEN_MAX

/* what a file is read into; the blanks around a secret need room, too */
#define NGX_WHOLESALE_SECRET_BUFFER   (NGX_WHOLESALE_SECRET_MAX + 1)

#define NGX_WHOLESALE_DIGEST_LEN      16


/* which file it is, and in which state; all 0: none that could be examined */

typedef struct {
    ngx_file_uniq_t   uniq;
    struct timespec   mtime;            /* to the nanosecond */
    off_t             size;
} ngx_wholesale_secret_id_t;


/* one that is being written; all but "done" is the thread's until it is set */

typedef struct {
    ngx_str_t         file;
    ngx_str_t         secret;

    /* digests of what may be replaced; for the caller: which secret it is */
    u_char            known[2][NGX_WHOLESALE_DIGEST_LEN];
    ngx_uint_t        version;

    /* set before "done", as ngx_wholesale_secret_read() does */
    const char       *trouble;
    ngx_err_t         err;

    /* the trouble is that the file has a secret that is none of "known" */
    ngx_uint_t        foreign;

    ngx_atomic_t      done;
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

/* whether the file is another than "id" */
ngx_uint_t ngx_wholesale_secret_changed(ngx_str_t *file,
    const ngx_wholesale_secret_id_t *id);

ngx_uint_t ngx_wholesale_secret_same(const ngx_wholesale_secret_id_t *one,
    const ngx_wholesale_secret_id_t *other);

/*
 * A secret whose writing came to an end, but for the old one being replaced by
 * it: whoever did it died there.  Reads it into "buffer" as above.
 *
 * Returns NGX_OK, or NGX_DECLINED: there is none, it is not whole, or the file
 * was put in place later.
 */
ngx_int_t ngx_wholesale_secret_recover(ngx_str_t *file, u_char *buffer,
    ngx_str_t *secret);

/* of a secret, by which it is known again; NGX_WHOLESALE_DIGEST_LEN bytes */
void ngx_wholesale_secret_digest(const u_char *secret, size_t len,
    u_char *digest);

/*
 * A writing with copies of the name and of the secret, all of it outside of
 * nginx's pools: a thread may outlive what began it.  NULL: no memory.
 */
ngx_wholesale_secret_write_t *ngx_wholesale_secret_write_create(
    ngx_str_t *file, const u_char *secret, size_t len);

void ngx_wholesale_secret_write_free(ngx_wholesale_secret_write_t *w);

/*
 * Puts the secret into the file: whoever reads it, even after a crash, finds
 * either the old one or the new one, whole.  The file is nobody's but the
 * worker's user's then.  One that is missing or empty is made anew; one that
 * cannot be read, or has a secret which is none of "known", is left as it is.
 *
 * It is done in a thread, for a disk may take its time; "done" is set then.
 */
void ngx_wholesale_secret_write(ngx_wholesale_secret_write_t *w);


#endif /* _NGX_WHOLESALE_SECRET_H_INCLUDED_ */
