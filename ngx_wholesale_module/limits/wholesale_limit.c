
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <wholesale_limit.h>


/* as the counter stands at some time, windows that have passed dropped */

typedef struct {
    int64_t  number;
    int64_t  current;
    int64_t  previous;

    /* the time, not before the window's beginning */
    int64_t  now;
} wholesale_limit_quota_view_t;


static int wholesale_limit_check_rate(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_verdict_t *verdict);
static int64_t wholesale_limit_arrival(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now);
static int wholesale_limit_check_quota(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_verdict_t *verdict);
static void wholesale_limit_quota_view(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_quota_view_t *view);
static int64_t wholesale_limit_wait(int64_t window,
    const wholesale_limit_quota_view_t *view, int64_t current, int64_t room);
static int64_t wholesale_limit_elapsed(int64_t window, int64_t previous,
    int64_t elapsed, int64_t room);
static int64_t wholesale_limit_weighted(int64_t window, int64_t previous,
    int64_t elapsed);
static size_t wholesale_limit_number(const char *text, size_t len,
    int64_t max, int64_t *number);
static int64_t wholesale_limit_unit(char c);


const char *
wholesale_limit_set_rate(wholesale_limit_t *limit, const char *rate,
    size_t len, int64_t burst)
{
    size_t   n;
    int64_t  count, period, interval;

    n = wholesale_limit_number(rate, len, WHOLESALE_DAY, &count);

    period = len - n == 2 ? wholesale_limit_unit(rate[n + 1]) : 0;

    if (n == 0 || period == 0 || rate[n] != '/') {
        return "is not a rate: a whole number from 1 and one of /s, /m, /h "
               "and /d are expected, as in \"10/s\"";
    }

    if (count > period) {
        return "is too fast: a rate is at most one per microsecond";
    }

    if (burst < 1 || burst > WHOLESALE_BURST_MAX) {
        return "is out of bounds: a burst is a whole number from 1 "
               "to 1000000";
    }

    interval = (period + count - 1) / count;

    if (burst > WHOLESALE_TOLERANCE_MAX / interval) {
        return "is too large for the rate: the whole burst has to come back "
               "within 366 days";
    }

    limit->kind = WHOLESALE_LIMIT_RATE;
    limit->quota = burst;
    limit->window = burst * interval;
    limit->interval = interval;

    return NULL;
}


const char *
wholesale_limit_set_quota(wholesale_limit_t *limit, int64_t quota,
    const char *window, size_t len)
{
    size_t   n;
    int64_t  count, unit;

    n = wholesale_limit_number(window, len, WHOLESALE_WINDOW_MAX, &count);

    unit = len - n == 1 ? wholesale_limit_unit(window[n]) : 0;

    if (n == 0 || unit == 0) {
        return "is not a window: a whole number from 1 and one of s, m, h "
               "and d are expected, as in \"30s\"";
    }

    if (count > WHOLESALE_WINDOW_MAX / unit
        || count * unit < WHOLESALE_WINDOW_MIN)
    {
        return "is out of bounds: a window is from one second to 366 days";
    }

    if (quota < 1 || quota > WHOLESALE_QUOTA_MAX) {
        return "is out of bounds: a quota is a whole number from 1 "
               "to 1000000000";
    }

    limit->kind = WHOLESALE_LIMIT_QUOTA;
    limit->quota = quota;
    limit->window = count * unit;
    limit->interval = 0;

    return NULL;
}


int
wholesale_limit_check(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_verdict_t *verdict)
{
    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        return wholesale_limit_check_rate(limit, state, now, verdict);
    }

    return wholesale_limit_check_quota(limit, state, now, verdict);
}


void
wholesale_limit_commit(const wholesale_limit_t *limit,
    wholesale_limit_state_t *state, int64_t now)
{
    wholesale_limit_quota_view_t  view;

    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        state->arrival = wholesale_limit_arrival(limit, state, now);
        return;
    }

    wholesale_limit_quota_view(limit, state, now, &view);

    state->number = view.number;
    state->current = view.current + 1;
    state->previous = view.previous;
}


void
wholesale_limit_record(const wholesale_limit_t *limit,
    wholesale_limit_state_t *state, int64_t now)
{
    int64_t  full, before;

    before = state->arrival;

    wholesale_limit_commit(limit, state, now);

    if (limit->kind == WHOLESALE_LIMIT_RATE) {

        /* further ahead, it would be taken for one whose clock was set back */

        full = now + limit->window;

        if (state->arrival > full) {
            state->arrival = before > full ? before : full;
        }

        return;
    }

    if (state->current > WHOLESALE_QUOTA_MAX) {
        state->current = WHOLESALE_QUOTA_MAX;
    }
}


int64_t
wholesale_limit_expires(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state)
{
    if (limit->kind == WHOLESALE_LIMIT_RATE) {
        return state->arrival;
    }

    /* the count weighs until the end of the window after its own */

    return (state->number + 2) * limit->window;
}


static int
wholesale_limit_check_rate(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_verdict_t *verdict)
{
    int64_t  ahead, room;

    ahead = wholesale_limit_arrival(limit, state, now) - now;

    if (ahead > limit->window) {
        verdict->remaining = 0;
        verdict->reset = ahead - limit->window;
        verdict->retry_after = ahead - limit->window;

        return 0;
    }

    room = limit->window - ahead;

    verdict->remaining = room / limit->interval;
    verdict->reset = limit->interval - room % limit->interval;
    verdict->retry_after = 0;

    return 1;
}


/* what the arrival would be after a request at the time "now" */

static int64_t
wholesale_limit_arrival(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now)
{
    if (state->arrival <= now) {
        return now + limit->interval;
    }

    if (state->arrival - now > limit->window + WHOLESALE_CLOCK_SKEW_MAX) {
        return now + limit->window;
    }

    return state->arrival + limit->interval;
}


static int
wholesale_limit_check_quota(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_verdict_t *verdict)
{
    int64_t                       used, skew;
    wholesale_limit_quota_view_t  view;

    wholesale_limit_quota_view(limit, state, now, &view);

    skew = view.now - now;

    used = view.current
           + wholesale_limit_weighted(limit->window, view.previous,
                                      view.now - view.number * limit->window);

    if (used + 1 > limit->quota) {
        verdict->remaining = 0;
        verdict->retry_after = skew + wholesale_limit_wait(limit->window,
                                                           &view, view.current,
                                                           limit->quota - 1);
        verdict->reset = verdict->retry_after;

        return 0;
    }

    verdict->remaining = limit->quota - used - 1;
    verdict->reset = skew + wholesale_limit_wait(limit->window, &view,
                                                 view.current + 1, used);
    verdict->retry_after = 0;

    return 1;
}


static void
wholesale_limit_quota_view(const wholesale_limit_t *limit,
    const wholesale_limit_state_t *state, int64_t now,
    wholesale_limit_quota_view_t *view)
{
    int64_t  number;

    number = now / limit->window;

    view->number = number;
    view->current = 0;
    view->previous = 0;
    view->now = now;

    if (state->number == number) {
        view->current = state->current;
        view->previous = state->previous;

    } else if (state->number == number - 1) {
        view->previous = state->current;

    } else if (state->number > number) {

        if (state->number * limit->window - now > WHOLESALE_CLOCK_SKEW_MAX) {
            view->current = limit->quota - 1;
            return;
        }

        view->number = state->number;
        view->current = state->current;
        view->previous = state->previous;
        view->now = state->number * limit->window;
    }
}


/*
 * How long until no more than "room" are counted, if there are "current" in
 * the view's window and nobody comes.  There are more than that at view->now.
 */

static int64_t
wholesale_limit_wait(int64_t window, const wholesale_limit_quota_view_t *view,
    int64_t current, int64_t room)
{
    int64_t  start, elapsed;

    start = view->number * window;

    if (current <= room) {
        elapsed = wholesale_limit_elapsed(window, view->previous,
                                          view->now - start, room - current);
        if (elapsed < window) {
            return start + elapsed - view->now;
        }
    }

    /* in the next window at the latest, "current" fades from its start */

    elapsed = wholesale_limit_elapsed(window, current, 0, room);

    return start + window + elapsed - view->now;
}


/*
 * The least time into a window, not before "elapsed", at which "previous"
 * weighs no more than "room"; the window's length if it does so nowhere in it.
 *
 * The quotient may be off by a rounding, which the two loops make good: what
 * counts is what wholesale_limit_weighted() says.
 */

static int64_t
wholesale_limit_elapsed(int64_t window, int64_t previous, int64_t elapsed,
    int64_t room)
{
    int64_t  t;

    if (previous <= room) {
        return elapsed;
    }

    t = window - (int64_t) ((double) (room + 1) * (double) window
                            / (double) previous);

    while (t > elapsed
           && wholesale_limit_weighted(window, previous, t - 1) <= room)
    {
        t--;
    }

    while (wholesale_limit_weighted(window, previous, t) > room) {
        t++;
    }

    return t;
}


static int64_t
wholesale_limit_weighted(int64_t window, int64_t previous, int64_t elapsed)
{
    return (int64_t) ((double) previous * (double) (window - elapsed)
                      / (double) window);
}


/*
 * Reads a whole number from 1 with no sign and no leading zero; one that is
 * larger than "max" becomes max + 1.  Returns how many characters it takes,
 * 0 if there is none.
 */

static size_t
wholesale_limit_number(const char *text, size_t len, int64_t max,
    int64_t *number)
{
    size_t   n;
    int64_t  value;

    value = 0;
    *number = 0;

    for (n = 0; n < len && text[n] >= '0' && text[n] <= '9'; n++) {
        value = value * 10 + (text[n] - '0');

        if (value == 0) {
            return 0;
        }

        if (value > max) {
            value = max + 1;
        }
    }

    *number = value;

    return n;
}


static int64_t
wholesale_limit_unit(char c)
{
    switch (c) {

    case 's':
        return WHOLESALE_SECOND;

    case 'm':
        return WHOLESALE_MINUTE;

    case 'h':
        return WHOLESALE_HOUR;

    case 'd':
        return WHOLESALE_DAY;

    default:
        return 0;
    }
}
