
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _FUZZ_CORE_H_INCLUDED_
#define _FUZZ_CORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * As much of nginx's core as the redis room needs, behind nginx's own headers:
 * its sources are not to be had where its headers are.  Each allocation is one
 * of malloc()'s, for a sanitizer to see; there is one connection, whose other
 * side is an array of bytes; time passes when it is told to.
 */


/* a new world: no timers, no posted events, no connection, a clock at rest */
void fuzz_core_init(void);

/* its cycle; the pool is destroyed by fuzz_core_done() */
ngx_cycle_t *fuzz_core_cycle(void);

void fuzz_core_done(void);

/* runs what is posted, until nothing is */
void fuzz_core_turn(void);

/*
 * Gives the worker what the peer sends, and has it read; then a turn.  With
 * size 0, the peer closes the connection.  Nothing happens if there is none.
 */
void fuzz_core_receive(const uint8_t *data, size_t size);

/* whether there is a connection */
ngx_uint_t fuzz_core_connected(void);

/* lets time pass, and all timers fire that are due by then; then a turn */
void fuzz_core_wait(ngx_msec_t msec);


#endif /* _FUZZ_CORE_H_INCLUDED_ */
