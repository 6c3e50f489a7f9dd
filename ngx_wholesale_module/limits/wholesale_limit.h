
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_LIMIT_H_INCLUDED_
#define _WHOLESALE_LIMIT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * The arithmetic of limits, in whole microseconds.
 *
 * A limit is either a rate (the generic cell rate algorithm: one number per
 * counter, no window edge to exploit) or a quota (a sliding-window counter).
 * The functions below are pure: they are given the time and the state of one
 * counter, and know neither where the state is kept nor whose it is.
 *
 * Every quantity stays below 2^53, so that the script which does the same
 * arithmetic inside Redis, where each number is a double, agrees to the
 * microsecond.
 */


#define WHOLESALE_SECOND           ((int64_t) 1000000)
#define WHOLESALE_MINUTE           (60 * WHOLESALE_SECOND)
#define WHOLESALE_HOUR             (60 * WHOLESALE_MINUTE)
#define WHOLESALE_DAY              (24 * WHOLESALE_HOUR)

/* a name stands in header fields and in metrics: 1 to 32 of A-Z a-z 0-9 _ - */
#define WHOLESALE_LIMIT_NAME_MAX   32

#define WHOLESALE_BURST_MAX        1000000
#define WHOLESALE_QUOTA_MAX        1000000000
#define WHOLESALE_WINDOW_MIN       WHOLESALE_SECOND
#define WHOLESALE_WINDOW_MAX       (366 * WHOLESALE_DAY)
#define WHOLESALE_TOLERANCE_MAX    (366 * WHOLESALE_DAY)

/*
 * Two processes, or a Redis and the one that takes over from it, do not have
 * quite the same time.  A counter that is ahead of now by no more than this
 * was written by another clock and is right; further ahead, the clock has
 * been set back.
 */
#define WHOLESALE_CLOCK_SKEW_MAX   WHOLESALE_SECOND


typedef enum {
    WHOLESALE_LIMIT_RATE = 0,
    WHOLESALE_LIMIT_QUOTA
} wholesale_limit_kind_e;


typedef enum {
    WHOLESALE_LIMIT_PER_TENANT = 0,
    WHOLESALE_LIMIT_PER_CUSTOMER
} wholesale_limit_per_e;


typedef struct {
    const char              *name;      /* NUL-terminated; owner: tenants */
    size_t                   name_len;

    wholesale_limit_kind_e   kind;
    wholesale_limit_per_e    per;
    unsigned                 dry_run;   /* decided and counted, not enforced */

    /*
     * How many may come at once, and in how many microseconds all of that
     * comes back: a rate's burst and burst * interval, or a quota and its
     * window.  These two are "q" and "w" of the RateLimit-Policy field.
     */
    int64_t                  quota;
    int64_t                  window;

    /* a rate only: microseconds between two requests, rounded up */
    int64_t                  interval;
} wholesale_limit_t;


/*
 * One counter; all zeros is a counter that nobody has used yet.  A rate's
 * counter keeps its meaning when the rate or the burst is configured anew, a
 * quota's when the quota is; under another window, or another kind, it has
 * none: whoever keeps counters begins a new one then.
 */

typedef struct {
    /*
     * A rate: when the next request would come if all came evenly spaced.
     * At or before now, all of the burst is there; window ahead of now, none
     * of it is.
     */
    int64_t                  arrival;

    /*
     * A quota: the number of the window (windows are aligned at multiples of
     * their length since the epoch), the count in it and in the one before.
     * The latter weighs as much as is left of the window:
     *
     *     floor((double) previous * (double) (window - elapsed)
     *           / (double) window)
     *
     * in exactly this order, for a double rounds, and the script that does
     * the same has to round to the same.
     */
    int64_t                  number;
    int64_t                  current;
    int64_t                  previous;
} wholesale_limit_state_t;


typedef struct {
    /* requests that could follow at once; on a refusal: 0 */
    int64_t                  remaining;

    /* microseconds until "remaining" grows again, from 1 */
    int64_t                  reset;

    /* microseconds until this request would be let in, 0: it may come now */
    int64_t                  retry_after;
} wholesale_limit_verdict_t;


/*
 * Sets the kind, interval, quota and window of "limit" from "10/s" and the
 * like: a whole number from 1 and one of /s, /m, /h and /d.  The burst is
 * 1 to WHOLESALE_BURST_MAX.
 *
 * Returns NULL, or what is wrong with it as a static sentence.
 */
const char *wholesale_limit_set_rate(wholesale_limit_t *limit,
    const char *rate, size_t len, int64_t burst);

/*
 * Sets the kind, quota and window of "limit"; the window is "30s", "5m", "1h"
 * or "1d", from WHOLESALE_WINDOW_MIN to WHOLESALE_WINDOW_MAX, the quota
 * is 1 to WHOLESALE_QUOTA_MAX.
 *
 * Returns NULL, or what is wrong with it as a static sentence.
 */
const char *wholesale_limit_set_quota(wholesale_limit_t *limit,
    int64_t quota, const char *window, size_t len);

/*
 * Tells what would become of one request at the time "now" (microseconds
 * since the epoch, from 1).  Changes nothing but "verdict", which on success
 * speaks of the time after wholesale_limit_commit().
 *
 * A counter that is ahead of now within WHOLESALE_CLOCK_SKEW_MAX is honoured,
 * and the wait is longer by as much.  One that is further ahead is taken for
 * a counter with a single request left: a refusal writes nothing, so if such
 * a counter refused, it would do so until the clock is back where it was.
 * This way a clock that was set back lets one request in, and refuses for
 * no longer than a full window after that.
 *
 * Returns 1 if the request may come, 0 if it may not.
 */
int wholesale_limit_check(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_verdict_t *verdict);

/*
 * Counts one request that wholesale_limit_check() let in with the same state
 * at the same time.
 */
void wholesale_limit_commit(const wholesale_limit_t *limit,
    wholesale_limit_state_t *state, int64_t now);

/*
 * Counts one request that another counter of the same limit let in, whether
 * there is room for it here or not: the two do not have quite the same time,
 * and may know of different requests.  Where there is no room, a rate's
 * counter is full afterwards, and a quota's counts beyond the quota.
 */
void wholesale_limit_record(const wholesale_limit_t *limit,
    wholesale_limit_state_t *state, int64_t now);

/*
 * The time, in microseconds since the epoch, from which the counter means
 * nothing any more: it may be forgotten then without anyone gaining by it.
 */
int64_t wholesale_limit_expires(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state);


#endif /* _WHOLESALE_LIMIT_H_INCLUDED_ */
