
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>
#include <ngx_wholesale_secret.h>


#define NGX_WHOLESALE_SECRET_SUFFIX  ".wholesale.new"


static void ngx_wholesale_secret_identify(ngx_file_info_t *fi,
    ngx_wholesale_secret_id_t *id);
static const char *ngx_wholesale_secret_parse(u_char *buffer, size_t len,
    ngx_str_t *secret);
static void *ngx_wholesale_secret_thread(void *data);
static const char *ngx_wholesale_secret_store(ngx_str_t *file,
    const char *secret, size_t len, ngx_err_t *err);
static const char *ngx_wholesale_secret_replace(const char *name,
    const char *spare, const char *secret, size_t len, ngx_err_t *err);
static ngx_int_t ngx_wholesale_secret_write_all(ngx_fd_t fd,
    const char *secret, size_t len);
static void ngx_wholesale_secret_sync_folder(const char *name);


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
        return "is empty";
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
    ngx_file_info_t            fi;
    ngx_wholesale_secret_id_t  current;

    if (ngx_file_info(file->data, &fi) == NGX_FILE_ERROR) {
        return 1;
    }

    ngx_wholesale_secret_identify(&fi, &current);

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


void
ngx_wholesale_secret_write(ngx_wholesale_secret_write_t *w)
{
    int             err;
    sigset_t        all, old;
    pthread_t       tid;
    pthread_attr_t  attr;

    w->done = 0;

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

    w->err = 0;
    w->trouble = ngx_wholesale_secret_store(w->file, w->secret, w->len,
                                            &w->err);
    ngx_memory_barrier();

    w->done = 1;

    return NULL;
}


static const char *
ngx_wholesale_secret_store(ngx_str_t *file, const char *secret, size_t len,
    ngx_err_t *err)
{
    char        *name, *spare;
    size_t       size;
    const char  *trouble;

    /*
     * Behind a symbolic link the file itself is replaced, in its folder: the
     * link may be all that other programs know.
     */

    name = realpath((char *) file->data, NULL);
    if (name == NULL) {
        *err = ngx_errno;
        return "cannot be found";
    }

    size = ngx_strlen(name) + sizeof(NGX_WHOLESALE_SECRET_SUFFIX);

    spare = malloc(size);
    if (spare == NULL) {
        *err = ngx_errno;
        free(name);
        return "cannot be written";
    }

    (void) ngx_snprintf((u_char *) spare, size, "%s%s%Z", name,
                        NGX_WHOLESALE_SECRET_SUFFIX);

    trouble = ngx_wholesale_secret_replace(name, spare, secret, len, err);

    free(spare);
    free(name);

    return trouble;
}


static const char *
ngx_wholesale_secret_replace(const char *name, const char *spare,
    const char *secret, size_t len, ngx_err_t *err)
{
    ngx_fd_t     fd;
    const char  *trouble;

    /* one that was left by a worker that died here, if any */

    (void) ngx_delete_file(spare);

    fd = open(spare, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        return "cannot be replaced: no file can be made beside it";
    }

    trouble = NULL;

    if (ngx_wholesale_secret_write_all(fd, secret, len) != NGX_OK
        || fsync(fd) == -1)
    {
        *err = ngx_errno;
        trouble = "cannot be replaced: the new file cannot be written";
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR && trouble == NULL) {
        *err = ngx_errno;
        trouble = "cannot be replaced: the new file cannot be closed";
    }

    if (trouble == NULL && ngx_rename_file(spare, name) == NGX_FILE_ERROR) {
        *err = ngx_errno;
        trouble = "cannot be replaced";
    }

    if (trouble) {
        (void) ngx_delete_file(spare);
        return trouble;
    }

    ngx_wholesale_secret_sync_folder(name);

    return NULL;
}


static ngx_int_t
ngx_wholesale_secret_write_all(ngx_fd_t fd, const char *secret, size_t len)
{
    struct iovec  iov[2];

    iov[0].iov_base = (void *) secret;
    iov[0].iov_len = len;
    iov[1].iov_base = "\n";
    iov[1].iov_len = 1;

    if (writev(fd, iov, 2) != (ssize_t) len + 1) {
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
