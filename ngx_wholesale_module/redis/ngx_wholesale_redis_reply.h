
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_REPLY_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis.h>


/* what of a peer's text may stand in a log line */
#define NGX_WHOLESALE_REDIS_TEXT_MAX  128


/*
 * hiredis's reader, which refuses arrays that have more than
 * NGX_WHOLESALE_REDIS_ELEMENTS_MAX elements or are nested deeper than
 * NGX_WHOLESALE_REDIS_DEPTH_MAX.  Freed by redisReaderFree().
 *
 * Returns NULL if there is no memory.
 */
redisReader *ngx_wholesale_redis_reader(void);

/* what kind of an error an error reply is: AUTH, STATE or COMMAND */
ngx_wholesale_redis_error_e ngx_wholesale_redis_reply_error(
    const redisReply *reply);

/* whether Redis does not know a script: no failure, it is to be told it */
ngx_uint_t ngx_wholesale_redis_reply_noscript(const redisReply *reply);

/*
 * Copies text of the peer for a log line: all but printable ASCII becomes a
 * question mark.  "buf" has NGX_WHOLESALE_REDIS_TEXT_MAX bytes.  Returns the
 * end of the copy.
 */
u_char *ngx_wholesale_redis_reply_text(u_char *buf, const redisReply *reply);

/*
 * The same, but of an error reply only its code, the first word: the rest may
 * repeat what was sent, and that was a password.
 */
u_char *ngx_wholesale_redis_reply_code(u_char *buf, const redisReply *reply);


#endif /* _NGX_WHOLESALE_REDIS_REPLY_H_INCLUDED_ */
