
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
static int64_t ngx_wholesale_refusals_left(ngx_wholesale_counter_node_t *node,
    int64_t now);


void
ngx_wholesale_refusals_remember(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n, int64_t since)
{
    u_char      id[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_uint_t  i;

    ngx_shmtx_lock(&counters->shpool->mutex);

    for (i = 0; i < n; i++) {

        if (counter[i].verdict.retry_after == 0 || counter[i].limit->dry_run) {
            continue;
        }

        ngx_wholesale_refusal_name(id, &counter[i]);

        (void) ngx_wholesale_refusals_set(counters, id, since, since
                                             + counter[i].verdict.retry_after);
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);
}


ngx_int_t
ngx_wholesale_refusals_find(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n)
{
    u_char      id[NGX_WHOLESALE_COUNTER_ID_LEN];
    int64_t     left, now;
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_OK;

    ngx_shmtx_lock(&counters->shpool->mutex);

    now = ngx_wholesale_counters_now();

    for (i = 0; i < n; i++) {

        if (counter[i].limit->dry_run) {
            continue;
        }

        ngx_wholesale_refusal_name(id, &counter[i]);

        left = ngx_wholesale_refusals_left(
                           ngx_wholesale_counters_lookup(counters, id), now);

        if (left) {
            counter[i].verdict.remaining = 0;
            counter[i].verdict.reset = left;
            counter[i].verdict.retry_after = left;

            rc = NGX_BUSY;
        }
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return rc;
}


ngx_int_t
ngx_wholesale_refusals_pause(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, int64_t since, int64_t pause)
{
    u_char             id[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_int_t          rc;
    ngx_atomic_uint_t  end;

    ngx_wholesale_pause_name(id, tenant, customer);

    ngx_shmtx_lock(&counters->shpool->mutex);

    rc = ngx_wholesale_refusals_set(counters, id, since, since + pause);

    end = (since + pause) / WHOLESALE_SECOND + 1;

    if (end > counters->sh->paused) {
        counters->sh->paused = end;
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return rc;
}


int64_t
ngx_wholesale_refusals_paused(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, ngx_uint_t *untold)
{
    u_char                         id[NGX_WHOLESALE_COUNTER_ID_LEN];
    int64_t                        left;
    ngx_wholesale_counter_node_t  *node;

    *untold = 0;

    /* mostly nobody is */

    if ((ngx_atomic_uint_t) ngx_time() >= counters->sh->paused) {
        return 0;
    }

    ngx_wholesale_pause_name(id, tenant, customer);

    ngx_shmtx_lock(&counters->shpool->mutex);

    node = ngx_wholesale_counters_lookup(counters, id);

    left = ngx_wholesale_refusals_left(node, ngx_wholesale_counters_now());

    if (left) {
        *untold = node->u.refusal.untold;
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return left;
}


void
ngx_wholesale_refusals_tell(ngx_wholesale_counters_t *counters,
    ngx_str_t *tenant, ngx_str_t *customer, ngx_uint_t told)
{
    u_char                         id[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_wholesale_counter_node_t  *node;

    ngx_wholesale_pause_name(id, tenant, customer);

    ngx_shmtx_lock(&counters->shpool->mutex);

    node = ngx_wholesale_counters_lookup(counters, id);

    if (node) {
        node->u.refusal.untold = !told;
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);
}


/*
 * A counter's id is a digest; with all else in it that the verdict depends on
 * it is as good a one: under other numbers, the next request may be let in.
 * None of them is 0, so it is not the counter's own.
 */

static void
ngx_wholesale_refusal_name(u_char *id, ngx_wholesale_counter_t *counter)
{
    u_char      number[NGX_WHOLESALE_COUNTER_ID_LEN];
    ngx_uint_t  i;

    /* of a rate, these two say the interval as well */

    ngx_memcpy(number, &counter->limit->quota, sizeof(int64_t));
    ngx_memcpy(&number[sizeof(int64_t)], &counter->limit->window,
               sizeof(int64_t));

    for (i = 0; i < NGX_WHOLESALE_COUNTER_ID_LEN; i++) {
        id[i] = counter->id[i] ^ number[i];
    }
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


/* to be called with the mutex held, as the next one */

static ngx_int_t
ngx_wholesale_refusals_set(ngx_wholesale_counters_t *counters, u_char *id,
    int64_t since, int64_t expires)
{
    int64_t                        now;
    ngx_wholesale_counter_node_t  *node;

    now = ngx_wholesale_counters_now();

    node = ngx_wholesale_counters_get(counters, id, now);

    if (node && (expires > node->expires || now < node->u.refusal.since)) {
        node->expires = expires;
        node->u.refusal.since = since;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* "node" may be NULL */

static int64_t
ngx_wholesale_refusals_left(ngx_wholesale_counter_node_t *node, int64_t now)
{
    if (node && now >= node->u.refusal.since && now < node->expires) {
        return node->expires - now;
    }

    return 0;
}
