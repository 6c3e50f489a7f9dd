
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_refusals.h>


static void ngx_wholesale_refusal_name(u_char *id,
    ngx_wholesale_counter_t *counter);
static void ngx_wholesale_pause_name(u_char *id, ngx_str_t *tenant,
    ngx_str_t *customer);
static ngx_int_t ngx_wholesale_refusals_set(
    ngx_wholesale_counters_t *counters, u_char *id, int64_t since,
    int64_t expires);
static int64_t ngx_wholesale_refusals_left(
    ngx_wholesale_counters_t *counters, u_char *id);


void
ngx_wholesale_refusals_remember(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n, int64_t since)
{
    u_char      id[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (counter[i].verdict.retry_after == 0 || counter[i].limit->dry_run) {
            continue;
        }

        ngx_wholesale_refusal_name(id, &counter[i]);

        (void) ngx_wholesale_refusals_set(counters, id, since, since
                                             + counter[i].verdict.retry_after);
    }
}


ngx_int_t
ngx_wholesale_refusals_find(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n)
{
    u_char      id[NGX_WHOLESALE_COUNTER_ID_LEN];
    int64_t     left;
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_OK;

    for (i = 0; i < n; i++) {

        if (counter[i].limit->dry_run) {
            continue;
        }

        ngx_wholesale_refusal_name(id, &counter[i]);

        left = ngx_wholesale_refusals_left(counters, id);

        if (left) {
            counter[i].verdict.remaining = 0;
            counter[i].verdict.reset = left;
            counter[i].verdict.retry_after = left;

            rc = NGX_BUSY;
        }
    }

    return rc;
}


ngx_int_t
ngx_wholesale_refusals_pause(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, int64_t since, int64_t pause)
{
    u_char  id[NGX_WHOLESALE_COUNTER_ID_LEN];

    ngx_wholesale_pause_name(id, tenant, customer);

    return ngx_wholesale_refusals_set(counters, id, since, since + pause);
}


int64_t
ngx_wholesale_refusals_paused(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer)
{
    u_char  id[NGX_WHOLESALE_COUNTER_ID_LEN];

    ngx_wholesale_pause_name(id, tenant, customer);

    return ngx_wholesale_refusals_left(counters, id);
}


/*
 * With all that the verdict depends on: under other numbers, the next request
 * may be let in.
 */

static void
ngx_wholesale_refusal_name(u_char *id, ngx_wholesale_counter_t *counter)
{
    ngx_md5_t                 md5;
    const wholesale_limit_t  *limit;

    limit = counter->limit;

    ngx_md5_init(&md5);
    ngx_wholesale_counter_name_part(&md5, "refusal", sizeof("refusal") - 1);
    ngx_wholesale_counter_name_part(&md5, counter->id,
                                    NGX_WHOLESALE_COUNTER_ID_LEN);
    ngx_wholesale_counter_name_part(&md5, &limit->quota, sizeof(int64_t));
    ngx_wholesale_counter_name_part(&md5, &limit->window, sizeof(int64_t));
    ngx_wholesale_counter_name_part(&md5, &limit->interval, sizeof(int64_t));
    ngx_md5_final(id, &md5);
}


static void
ngx_wholesale_pause_name(u_char *id, ngx_str_t *tenant, ngx_str_t *customer)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_wholesale_counter_name_part(&md5, "pause", sizeof("pause") - 1);
    ngx_wholesale_counter_name_part(&md5, tenant->data, tenant->len);
    ngx_wholesale_counter_name_part(&md5, customer->data, customer->len);
    ngx_md5_final(id, &md5);
}


static ngx_int_t
ngx_wholesale_refusals_set(ngx_wholesale_counters_t *counters, u_char *id,
    int64_t since, int64_t expires)
{
    int64_t                        now;
    ngx_int_t                      rc;
    ngx_wholesale_counter_node_t  *node;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&counters->shpool->mutex);

    now = ngx_wholesale_counters_now();

    node = ngx_wholesale_counters_get(counters, id, NULL, now);

    if (node && (expires > node->expires || now < node->u.since)) {
        node->expires = expires;
        node->u.since = since;

        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return rc;
}


static int64_t
ngx_wholesale_refusals_left(ngx_wholesale_counters_t *counters, u_char *id)
{
    int64_t                        left, now;
    ngx_wholesale_counter_node_t  *node;

    left = 0;

    ngx_shmtx_lock(&counters->shpool->mutex);

    now = ngx_wholesale_counters_now();

    node = ngx_wholesale_counters_lookup(counters, id);

    if (node && now >= node->u.since && now < node->expires) {
        left = node->expires - now;
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return left;
}
