
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include <pthread.h>
#include <ngx_wholesale_secret.h>


#define NGX_WHOLESALE_SECRET_SUFFIX  ".wholesale.new"


static void ngx_wholesale_secret_look(ngx_str_t *file,
    ngx_wholesale_secret_id_t *id);
static void ngx_wholesale_secret_identify(ngx_file_info_t *fi,
    ngx_wholesale_secret_id_t *id);
static const char *ngx_wholesale_secret_parse(u_char *buffer, size_t len,
    ngx_str_t *secret);
static char *ngx_wholesale_secret_name(ngx_str_t *file);
static ngx_uint_t ngx_wholesale_secret_is_missing(ngx_str_t *file);
static char *ngx_wholesale_secret_spare(const char *name);
static void *ngx_wholesale_secret_thread(void *data);
static const char *ngx_wholesale_secret_store(
    ngx_wholesale_secret_write_t *w);
static const char *ngx_wholesale_secret_replace(
    ngx_wholesale_secret_write_t *w, const char *name, const char *spare);
static const char *ngx_wholesale_secret_make(ngx_wholesale_secret_write_t *w,
    const char *spare);
static const char *ngx_wholesale_secret_compare(
    ngx_wholesale_secret_write_t *w, ngx_uint_t *same);
static ngx_int_t ngx_wholesale_secret_write_all(ngx_fd_t fd,
    ngx_str_t *secret);
static void ngx_wholesale_secret_sync_folder(const char *name);


static const char  ngx_wholesale_secret_empty[] = "is empty";


const char *
ngx_wholesale_secret_read(ngx_str_t *file, u_char *buffer, ngx_str_t *secret,
    ngx_wholesale_secret_id_t *id, ngx_err_t *err)
{
    ssize_t           n;
    ngx_fd_t          fd;
    const char       *trouble;
    ngx_file_info_t   fi;

    ngx_memzero(id, sizeof(ngx_wholesale_secret_id_t));

    /* without waiting: the name may be that of a pipe */

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        ngx_wholesale_secret_look(file, id);
        return "cannot be opened";
    }

    *err = 0;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        *err = ngx_errno;
        trouble = "cannot be examined";
        goto done;
    }

    ngx_wholesale_secret_identify(&fi, id);

    if (!ngx_is_file(&fi)) {
        trouble = "is not a regular file";
        goto done;
    }

    if (ngx_file_size(&fi) > NGX_WHOLESALE_SECRET_MAX) {
        trouble = "is too large for a token or secret";
        goto done;
    }

    n = ngx_read_fd(fd, buffer, NGX_WHOLESALE_SECRET_MAX);

    if (n == -1) {
        *err = ngx_errno;
        trouble = "cannot be read";
        goto done;
    }

    trouble = ngx_wholesale_secret_parse(buffer, n, secret);

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR && trouble == NULL) {
        *err = ngx_errno;
        trouble = "cannot be closed";
    }

    return trouble;
}


static void
ngx_wholesale_secret_look(ngx_str_t *file, ngx_wholesale_secret_id_t *id)
{
    ngx_file_info_t  fi;

    ngx_memzero(id, sizeof(ngx_wholesale_secret_id_t));

    if (ngx_file_info(file->data, &fi) != NGX_FILE_ERROR) {
        ngx_wholesale_secret_identify(&fi, id);
    }
}


static void
ngx_wholesale_secret_identify(ngx_file_info_t *fi,
    ngx_wholesale_secret_id_t *id)
{
    id->uniq = ngx_file_uniq(fi);
    id->mtime = fi->st_mtim;
    id->size = ngx_file_size(fi);
}


static const char *
ngx_wholesale_secret_parse(u_char *buffer, size_t len, ngx_str_t *secret)
{
    u_char  *p, *last;

    p = buffer;
    last = buffer + len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    while (last > p
           && (last[-1] == ' ' || last[-1] == '\t'
               || last[-1] == CR || last[-1] == LF))
    {
        last--;
    }

    if (p == last) {
        return ngx_wholesale_secret_empty;
    }

    secret->data = p;
    secret->len = last - p;

    if (!wholesale_token_is_valid((char *) p, secret->len,
                                  NGX_WHOLESALE_SECRET_MAX))
    {
        return "holds characters that a token cannot have";
    }

    return NULL;
}


ngx_uint_t
ngx_wholesale_secret_changed(ngx_str_t *file,
    const ngx_wholesale_secret_id_t *id)
{
    ngx_wholesale_secret_id_t  current;

    ngx_wholesale_secret_look(file, &current);

    return !ngx_wholesale_secret_same(&current, id);
}


ngx_uint_t
ngx_wholesale_secret_same(const ngx_wholesale_secret_id_t *one,
    const ngx_wholesale_secret_id_t *other)
{
    return one->uniq == other->uniq
           && one->mtime.tv_sec == other->mtime.tv_sec
           && one->mtime.tv_nsec == other->mtime.tv_nsec
           && one->size == other->size;
}


ngx_int_t
ngx_wholesale_secret_recover(ngx_str_t *file, u_char *buffer,
    ngx_str_t *secret)
{
    char                       *name, *spare;
    ngx_int_t                   rc;
    ngx_str_t                   path;
    ngx_err_t                   err;
    ngx_file_info_t             fi, sfi;
    ngx_wholesale_secret_id_t   id;

    rc = NGX_DECLINED;
    spare = NULL;

    name = realpath((char *) file->data, NULL);

    if (name) {
        spare = ngx_wholesale_secret_spare(name);
    }

    if (spare == NULL
        || ngx_file_info(spare, &sfi) == NGX_FILE_ERROR
        || ngx_file_info(name, &fi) == NGX_FILE_ERROR)
    {
        goto done;
    }

    /* the time of the last change is also that of a file's being moved */

    if (sfi.st_ctim.tv_sec < fi.st_ctim.tv_sec
        || (sfi.st_ctim.tv_sec == fi.st_ctim.tv_sec
            && sfi.st_ctim.tv_nsec < fi.st_ctim.tv_nsec))
    {
        goto done;
    }

    path.data = (u_char *) spare;
    path.len = ngx_strlen(spare);

    /* ours are whole if they end with a newline */

    ngx_memzero(buffer, NGX_WHOLESALE_SECRET_BUFFER);

    if (ngx_wholesale_secret_read(&path, buffer, secret, &id, &err) == NULL
        && secret->data[secret->len] == LF)
    {
        rc = NGX_OK;
    }

done:

    free(spare);
    free(name);

    return rc;
}


/*
 * What is to be replaced: behind a symbolic link the file itself, in its
 * folder, for the link may be all that other programs know.  One that is
 * missing is made anew.  NULL: errno says why.
 */

static char *
ngx_wholesale_secret_name(ngx_str_t *file)
{
    char    *name, *folder, *last, *path;
    size_t   size;

    size = 0;

    name = realpath((char *) file->data, NULL);

    if (name || !ngx_wholesale_secret_is_missing(file)) {
        return name;
    }

    name = NULL;

    folder = strdup((char *) file->data);
    if (folder == NULL) {
        return NULL;
    }

    /* the name is a full one */

    last = strrchr(folder, '/');
    *last++ = '\0';

    path = realpath(*folder ? folder : "/", NULL);

    if (path) {
        size = ngx_strlen(path) + ngx_strlen(last) + sizeof("/");
        name = malloc(size);
    }

    if (name) {
        (void) ngx_snprintf((u_char *) name, size, "%s/%s%Z", path, last);
    }

    free(path);
    free(folder);

    return name;
}


/* a symbolic link that leads nowhere is not: it is somebody's */

static ngx_uint_t
ngx_wholesale_secret_is_missing(ngx_str_t *file)
{
    ngx_file_info_t  fi;

    return ngx_link_info(file->data, &fi) == NGX_FILE_ERROR
           && ngx_errno == NGX_ENOENT;
}


static char *
ngx_wholesale_secret_spare(const char *name)
{
    char    *spare;
    size_t   size;

    size = ngx_strlen(name) + sizeof(NGX_WHOLESALE_SECRET_SUFFIX);

    spare = malloc(size);

    if (spare) {
        (void) ngx_snprintf((u_char *) spare, size, "%s%s%Z", name,
                            NGX_WHOLESALE_SECRET_SUFFIX);
    }

    return spare;
}


void
ngx_wholesale_secret_digest(const u_char *secret, size_t len, u_char *digest)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, secret, len);
    ngx_md5_final(digest, &md5);
}


ngx_wholesale_secret_write_t *
ngx_wholesale_secret_write_create(ngx_str_t *file, const u_char *secret,
    size_t len)
{
    u_char                        *p;
    ngx_wholesale_secret_write_t  *w;

    w = calloc(1, sizeof(ngx_wholesale_secret_write_t) + file->len + 1 + len);
    if (w == NULL) {
        return NULL;
    }

    p = (u_char *) w + sizeof(ngx_wholesale_secret_write_t);

    w->file.data = p;
    w->file.len = file->len;

    p = ngx_cpymem(p, file->data, file->len + 1);

    w->secret.data = p;
    w->secret.len = len;

    ngx_memcpy(p, secret, len);

    return w;
}


void
ngx_wholesale_secret_write_free(ngx_wholesale_secret_write_t *w)
{
    ngx_explicit_memzero(w->secret.data, w->secret.len);
    free(w);
}


void
ngx_wholesale_secret_write(ngx_wholesale_secret_write_t *w)
{
    int             err;
    sigset_t        all, old;
    pthread_t       tid;
    pthread_attr_t  attr;

    if (pthread_attr_init(&attr) != 0) {
        (void) ngx_wholesale_secret_thread(w);
        return;
    }

    (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);

    /* signals are for the event loop */

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    err = pthread_create(&tid, &attr, ngx_wholesale_secret_thread, w);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void) pthread_attr_destroy(&attr);

    if (err) {
        /* the token matters more than the time that it takes */
        (void) ngx_wholesale_secret_thread(w);
    }
}


/* nothing of nginx's that is not for threads: no log, no pool, no time */

static void *
ngx_wholesale_secret_thread(void *data)
{
    ngx_wholesale_secret_write_t  *w = data;

    w->trouble = ngx_wholesale_secret_store(w);

    ngx_memory_barrier();

    w->done = 1;

    return NULL;
}


static const char *
ngx_wholesale_secret_store(ngx_wholesale_secret_write_t *w)
{
    char        *name, *spare;
    const char  *trouble;

    name = ngx_wholesale_secret_name(&w->file);
    if (name == NULL) {
        w->err = ngx_errno;
        return "cannot be found";
    }

    spare = ngx_wholesale_secret_spare(name);
    if (spare == NULL) {
        w->err = ngx_errno;
        free(name);
        return "cannot be written";
    }

    trouble = ngx_wholesale_secret_replace(w, name, spare);

    free(spare);
    free(name);

    return trouble;
}


static const char *
ngx_wholesale_secret_replace(ngx_wholesale_secret_write_t *w,
    const char *name, const char *spare)
{
    ngx_uint_t   same;
    const char  *trouble;

    trouble = ngx_wholesale_secret_make(w, spare);

    if (trouble == NULL) {

        /* as late as can be: somebody else may be about to replace it, too */

        trouble = ngx_wholesale_secret_compare(w, &same);

        if (trouble == NULL && same) {
            (void) ngx_delete_file(spare);
            return NULL;
        }
    }

    if (trouble == NULL && ngx_rename_file(spare, name) == NGX_FILE_ERROR) {
        w->err = ngx_errno;
        trouble = "cannot be replaced";
    }

    if (trouble) {
        (void) ngx_delete_file(spare);
        return trouble;
    }

    ngx_wholesale_secret_sync_folder(name);

    return NULL;
}


static const char *
ngx_wholesale_secret_make(ngx_wholesale_secret_write_t *w, const char *spare)
{
    ngx_fd_t     fd;
    const char  *trouble;

    /* one that was left by a worker that died here: it was recovered */

    (void) ngx_delete_file(spare);

    fd = open(spare, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd == NGX_INVALID_FILE) {
        w->err = ngx_errno;
        return "cannot be replaced: no file can be made beside it";
    }

    trouble = NULL;

    if (ngx_wholesale_secret_write_all(fd, &w->secret) != NGX_OK
        || fsync(fd) == -1)
    {
        w->err = ngx_errno;
        trouble = "cannot be replaced: the new file cannot be written";
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR && trouble == NULL) {
        w->err = ngx_errno;
        trouble = "cannot be replaced: the new file cannot be closed";
    }

    return trouble;
}


/*
 * NULL: the file is ours to be replaced, for it is missing or empty, too; or it
 * has the secret already: "same".
 */

static const char *
ngx_wholesale_secret_compare(ngx_wholesale_secret_write_t *w,
    ngx_uint_t *same)
{
    u_char                     buffer[NGX_WHOLESALE_SECRET_BUFFER];
    u_char                     digest[NGX_WHOLESALE_DIGEST_LEN];
    ngx_str_t                  secret;
    ngx_uint_t                 known;
    const char                *trouble;
    ngx_wholesale_secret_id_t  id;

    trouble = ngx_wholesale_secret_read(&w->file, buffer, &secret, &id,
                                        &w->err);

    *same = 0;

    if (trouble == ngx_wholesale_secret_empty
        || (trouble && ngx_wholesale_secret_is_missing(&w->file)))
    {
        trouble = NULL;

    } else if (trouble == NULL) {
        ngx_wholesale_secret_digest(secret.data, secret.len, digest);

        *same = (secret.len == w->secret.len
                 && ngx_memcmp(secret.data, w->secret.data, secret.len) == 0);

        known = ngx_memcmp(digest, w->known[0], NGX_WHOLESALE_DIGEST_LEN) == 0
                || ngx_memcmp(digest, w->known[1], NGX_WHOLESALE_DIGEST_LEN)
                   == 0;

        if (!*same && !known) {
            w->foreign = 1;
            trouble = "has been replaced meanwhile";
        }
    }

    ngx_explicit_memzero(buffer, NGX_WHOLESALE_SECRET_BUFFER);

    return trouble;
}


static ngx_int_t
ngx_wholesale_secret_write_all(ngx_fd_t fd, ngx_str_t *secret)
{
    struct iovec  iov[2];

    iov[0].iov_base = secret->data;
    iov[0].iov_len = secret->len;
    iov[1].iov_base = "\n";
    iov[1].iov_len = 1;

    if (writev(fd, iov, 2) != (ssize_t) secret->len + 1) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* so that the rename itself outlives a loss of power; where this is possible */

static void
ngx_wholesale_secret_sync_folder(const char *name)
{
    char      *folder, *slash;
    ngx_fd_t   fd;

    folder = strdup(name);
    if (folder == NULL) {
        return;
    }

    slash = strrchr(folder, '/');

    /* "/name": the root's own name ends with its slash */

    slash[slash == folder] = '\0';

    fd = open(folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    free(folder);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    (void) fsync(fd);
    (void) ngx_close_file(fd);
}
