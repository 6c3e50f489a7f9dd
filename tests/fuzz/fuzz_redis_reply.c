
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_wholesale_redis_limits.h>
#include "core.h"


/*
 * Whatever Redis, or who has taken its place, sends: each request that asks
 * for its limits gets exactly one verdict, at the time-out at the latest, and
 * one that makes sense.
 *
 * An input is
 *
 *     a byte   0x03: how many limits, 0x0c: pauses to heed, 0x10: the greeting
 *              has been answered, 0x20: Redis closes at the end
 *     a byte   how many bytes come at a time, 0: all at once
 *     bytes    that Redis sends
 */


#define FUZZ_HEAD      2
#define FUZZ_REQUESTS  3
#define FUZZ_LIMITS    3
#define FUZZ_TIMEOUT   50
#define FUZZ_POOL      4096


typedef struct {
    ngx_wholesale_redis_limits_t  limits;
    ngx_wholesale_counter_t       counters[FUZZ_LIMITS];
    ngx_int_t                     asked;
    ngx_uint_t                    answers;
} fuzz_request_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_ask(fuzz_request_t *request, uint8_t flags);
static void fuzz_answered(void *data, ngx_wholesale_redis_limits_t *limits,
    ngx_int_t rc);
static void fuzz_verdict(ngx_wholesale_counter_t *counter);
static void fuzz_send(const uint8_t *data, size_t size, size_t piece);
static void fuzz_assert(int holds);


static const wholesale_limit_t  fuzz_limits[FUZZ_LIMITS] = {

    { .name = "burst", .name_len = 5, .kind = WHOLESALE_LIMIT_RATE,
      .quota = 20, .window = 2000000, .interval = 100000 },

    { .name = "daily", .name_len = 5, .kind = WHOLESALE_LIMIT_QUOTA,
      .quota = 5000, .window = 86400000000 },

    { .name = "trial", .name_len = 5, .kind = WHOLESALE_LIMIT_QUOTA,
      .per = WHOLESALE_LIMIT_PER_CUSTOMER, .dry_run = 1,
      .quota = WHOLESALE_QUOTA_MAX, .window = 1000000 }
};

static ngx_wholesale_redis_t  *fuzz_redis;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t                      i;
    ngx_addr_t                      addr;
    fuzz_request_t                  requests[FUZZ_REQUESTS];
    struct sockaddr                 sockaddr;
    ngx_wholesale_redis_conf_t      conf;
    ngx_wholesale_redis_counters_t  counters;

    if (size < FUZZ_HEAD) {
        return 0;
    }

    ngx_memzero(&addr, sizeof(ngx_addr_t));
    ngx_memzero(&conf, sizeof(ngx_wholesale_redis_conf_t));
    ngx_memzero(&counters, sizeof(ngx_wholesale_redis_counters_t));
    ngx_memzero(requests, sizeof(requests));

    sockaddr.sa_family = AF_UNIX;
    addr.sockaddr = &sockaddr;
    addr.socklen = sizeof(struct sockaddr);
    ngx_str_set(&addr.name, "unix:socket");

    ngx_str_set(&conf.server, "unix:socket");
    ngx_str_set(&conf.key_prefix, "wholesale:");
    conf.addrs = &addr;
    conf.naddrs = 1;
    conf.timeout = FUZZ_TIMEOUT;

    fuzz_core_init();

    fuzz_redis = ngx_wholesale_redis_create(fuzz_core_cycle(), &conf,
                                            &counters);
    fuzz_core_turn();

    fuzz_assert(fuzz_core_connected());

    if (data[0] & 0x10) {
        fuzz_core_receive((uint8_t *) "+PONG\r\n", sizeof("+PONG\r\n") - 1);
        fuzz_assert(ngx_wholesale_redis_connected(fuzz_redis));
    }

    for (i = 0; i < FUZZ_REQUESTS; i++) {
        fuzz_ask(&requests[i], data[0]);
    }

    fuzz_core_turn();

    fuzz_send(data + FUZZ_HEAD, size - FUZZ_HEAD, data[1]);

    if (data[0] & 0x20) {
        fuzz_core_receive(NULL, 0);
    }

    /* nobody waits for longer */

    fuzz_core_wait(FUZZ_TIMEOUT + 1);

    for (i = 0; i < FUZZ_REQUESTS; i++) {
        fuzz_assert(requests[i].answers
                    == (requests[i].asked == NGX_OK ? 1 : 0));
        ngx_destroy_pool(requests[i].limits.pool);
    }

    fuzz_core_done();

    return 0;
}


static void
fuzz_ask(fuzz_request_t *request, uint8_t flags)
{
    ngx_uint_t                     i;
    ngx_wholesale_redis_limits_t  *limits;

    limits = &request->limits;

    limits->redis = fuzz_redis;
    limits->pool = ngx_create_pool(FUZZ_POOL, fuzz_core_cycle()->log);
    limits->counters = request->counters;
    limits->n = flags & 0x03;
    limits->npauses = ((flags >> 2) & 0x03) % 3;
    limits->handler = fuzz_answered;
    limits->data = request;

    ngx_str_set(&limits->tenant, "acme");
    ngx_str_set(&limits->customer, "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvMQ");

    for (i = 0; i < limits->n; i++) {
        request->counters[i].limit = &fuzz_limits[i];
    }

    request->asked = ngx_wholesale_redis_limits_take(limits);

    fuzz_assert(request->asked == NGX_OK || request->asked == NGX_DECLINED);
}


static void
fuzz_answered(void *data, ngx_wholesale_redis_limits_t *limits, ngx_int_t rc)
{
    fuzz_request_t *request = data;

    ngx_uint_t  i;

    fuzz_assert(limits == &request->limits);

    request->answers++;

    if (rc == NGX_ERROR) {
        fuzz_assert(limits->error != NGX_WHOLESALE_REDIS_OK);
        return;
    }

    fuzz_assert(rc == NGX_OK || rc == NGX_BUSY);
    fuzz_assert(limits->error == NGX_WHOLESALE_REDIS_OK);
    fuzz_assert(limits->now > 0);
    fuzz_assert(limits->tenant_pause >= 0 && limits->customer_pause >= 0);

    for (i = 0; i < limits->n; i++) {
        fuzz_verdict(&limits->counters[i]);
    }
}


static void
fuzz_verdict(ngx_wholesale_counter_t *counter)
{
    const wholesale_limit_t          *limit = counter->limit;
    const wholesale_limit_verdict_t  *verdict = &counter->verdict;

    fuzz_assert(verdict->remaining >= 0);
    fuzz_assert(verdict->remaining <= limit->quota);
}


static void
fuzz_send(const uint8_t *data, size_t size, size_t piece)
{
    size_t   n;
    uint8_t  *copy;

    if (piece == 0) {
        piece = size;
    }

    while (size && fuzz_core_connected()) {
        n = ngx_min(size, piece);

        /* exactly as large, so that a sanitizer sees the first byte beyond */

        copy = malloc(n);
        fuzz_assert(copy != NULL);
        ngx_memcpy(copy, data, n);

        fuzz_core_receive(copy, n);

        free(copy);

        data += n;
        size -= n;
    }
}


static void
fuzz_assert(int holds)
{
    if (!holds) {
        abort();
    }
}
