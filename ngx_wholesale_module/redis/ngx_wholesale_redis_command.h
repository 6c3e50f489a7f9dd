
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_COMMAND_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_COMMAND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A command as Redis takes it: an array of strings, with all lengths.  hiredis
 * has this too, and calls printf() for each length, which took longer than all
 * else that is done for a command.
 */


/* returns the bytes that the command takes */
size_t ngx_wholesale_redis_command_len(ngx_int_t argc, const size_t *argvlen);

/* writes so many bytes to "p", and returns where they end */
u_char *ngx_wholesale_redis_command_write(u_char *p, ngx_int_t argc,
    const char **argv, const size_t *argvlen);


#endif /* _NGX_WHOLESALE_REDIS_COMMAND_H_INCLUDED_ */
