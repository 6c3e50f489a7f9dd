
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_PASSWORD_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_PASSWORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a longer password is an error */
#define NGX_WHOLESALE_REDIS_PASSWORD_MAX  1024


/*
 * Reads the file "name", NUL-terminated: its first line, which may be its
 * only one.  "buf" has NGX_WHOLESALE_REDIS_PASSWORD_MAX bytes and is the
 * caller's to clear; "password" will point into it.
 *
 * Returns NULL, or what is wrong as a static sentence, with "err" 0 or the
 * errno that belongs to it.
 */
const char *ngx_wholesale_redis_password(const ngx_str_t *name, u_char *buf,
    ngx_str_t *password, ngx_err_t *err);


#endif /* _NGX_WHOLESALE_REDIS_PASSWORD_H_INCLUDED_ */
