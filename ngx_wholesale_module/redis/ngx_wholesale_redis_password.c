
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_password.h>


static const char *ngx_wholesale_redis_first_line(u_char *buf, ssize_t n,
    ngx_str_t *password);


const char *
ngx_wholesale_redis_password(const ngx_str_t *name, u_char *buf,
    ngx_str_t *password, ngx_err_t *err)
{
    ssize_t   n;
    ngx_fd_t  fd;

    *err = 0;

    /* a pipe that nobody writes to must not hold the worker up */

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        *err = ngx_errno;
        return "cannot be opened";
    }

    n = ngx_read_fd(fd, buf, NGX_WHOLESALE_REDIS_PASSWORD_MAX);

    if (n == -1) {
        *err = ngx_errno;
    }

    (void) ngx_close_file(fd);

    if (n == -1) {
        return "cannot be read";
    }

    return ngx_wholesale_redis_first_line(buf, n, password);
}


static const char *
ngx_wholesale_redis_first_line(u_char *buf, ssize_t n, ngx_str_t *password)
{
    u_char  *last;

    last = ngx_strlchr(buf, buf + n, LF);

    if (last == NULL) {

        if (n == NGX_WHOLESALE_REDIS_PASSWORD_MAX) {
            return "holds a line of 1024 bytes or more, which is too long "
                   "for a password";
        }

        last = buf + n;
    }

    if (last > buf && last[-1] == CR) {
        last--;
    }

    if (last == buf) {
        return "is empty, or its first line is: the password is expected "
               "there";
    }

    password->data = buf;
    password->len = last - buf;

    return NULL;
}
