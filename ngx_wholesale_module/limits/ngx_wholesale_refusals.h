
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _NGX_WHOLESALE_REFUSALS_H_INCLUDED_
#define _NGX_WHOLESALE_REFUSALS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_counters.h>


/*
 * What is known to be refused, in the memory that the workers share: a limit
 * that Redis has said is reached, until a request fits it again, and tenants
 * and customers for whom Webex has asked for a pause.  Whoever is known here
 * costs Redis nothing.
 *
 * Each is a node among the counters, so all of them together are bounded; one
 * that had to go for another is asked for again.  A clock that was set back
 * ends them.
 *
 * Times are microseconds since the epoch of ngx_wholesale_counters_now().
 */


/*
 * Remembers those of the n limits that refused, but for those in dry run.
 * "since" is when Redis had answered: counted from then, a refusal never ends
 * earlier than its verdict said, and later only by what the answer took.
 */
void ngx_wholesale_refusals_remember(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n, int64_t since);

/*
 * Asks for n limits whether they are known to refuse.  A limit that has been
 * configured anew is not.
 *
 * Returns NGX_BUSY: at least one does, and the verdicts of those that do are
 * set, to what is left of the time; NGX_OK: none does.
 */
ngx_int_t ngx_wholesale_refusals_find(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n);

/*
 * Pauses a tenant, or one customer of it ("customer" is not empty), for so
 * many microseconds from "since" on.  Of two pauses the longer one holds.
 *
 * Returns NGX_OK; NGX_DECLINED: one that is as long was known already, or
 * there is no room.
 */
ngx_int_t ngx_wholesale_refusals_pause(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, int64_t since, int64_t pause);

/*
 * Returns microseconds that are left of a pause; 0: there is none.  Sets
 * "untold" to whether ngx_wholesale_refusals_tell() has said so of it.
 */
int64_t ngx_wholesale_refusals_paused(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, ngx_uint_t *untold);

/* remembers of a pause whether the fleet has been told it; if not, it should */
void ngx_wholesale_refusals_tell(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, ngx_uint_t told);


#endif /* _NGX_WHOLESALE_REFUSALS_H_INCLUDED_ */
