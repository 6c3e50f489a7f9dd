
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis_command.h>


static size_t ngx_wholesale_redis_digits(size_t n);
static u_char *ngx_wholesale_redis_head(u_char *p, u_char type, size_t n);


size_t
ngx_wholesale_redis_command_len(ngx_int_t argc, const size_t *argvlen)
{
    size_t     len;
    ngx_int_t  i;

    len = sizeof("*\r\n") - 1 + ngx_wholesale_redis_digits(argc);

    for (i = 0; i < argc; i++) {
        len += sizeof("$\r\n\r\n") - 1 + ngx_wholesale_redis_digits(argvlen[i])
               + argvlen[i];
    }

    return len;
}


u_char *
ngx_wholesale_redis_command_write(u_char *p, ngx_int_t argc,
    const char **argv, const size_t *argvlen)
{
    ngx_int_t  i;

    p = ngx_wholesale_redis_head(p, '*', argc);

    for (i = 0; i < argc; i++) {
        p = ngx_wholesale_redis_head(p, '$', argvlen[i]);
        p = ngx_cpymem(p, argv[i], argvlen[i]);

        *p++ = CR;
        *p++ = LF;
    }

    return p;
}


static size_t
ngx_wholesale_redis_digits(size_t n)
{
    size_t  digits;

    for (digits = 1; n >= 10; digits++) {
        n /= 10;
    }

    return digits;
}


static u_char *
ngx_wholesale_redis_head(u_char *p, u_char type, size_t n)
{
    u_char  *last, *q;

    *p++ = type;

    last = p + ngx_wholesale_redis_digits(n);
    q = last;

    do {
        *--q = (u_char) ('0' + n % 10);
        n /= 10;
    } while (q > p);

    *last++ = CR;
    *last++ = LF;

    return last;
}
