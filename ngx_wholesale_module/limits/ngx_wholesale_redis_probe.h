
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REDIS_PROBE_H_INCLUDED_
#define _NGX_WHOLESALE_REDIS_PROBE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_redis.h>


/*
 * The "probe" of a Redis that counts limits: asks what requests ask, for a
 * counter that no tenant has.  One that answers PING may still be unable to
 * write, or to run the script.
 */
void ngx_wholesale_redis_probe(ngx_wholesale_redis_t *redis);


#endif /* _NGX_WHOLESALE_REDIS_PROBE_H_INCLUDED_ */
