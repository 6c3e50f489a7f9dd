
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_counters.h>


#define NGX_WHOLESALE_COUNTERS_MAX     16

/* later than any counter expires */
#define NGX_WHOLESALE_COUNTER_ANY      INT64_MAX


static ngx_wholesale_counter_node_t *ngx_wholesale_counters_check(
    ngx_wholesale_counters_t *counters, ngx_wholesale_counter_t *counter,
    int64_t now);
static ngx_uint_t ngx_wholesale_counters_is_full(
    ngx_wholesale_counter_node_t *node, ngx_wholesale_counter_t *counter,
    int64_t now);
static ngx_int_t ngx_wholesale_counters_make_all(
    ngx_wholesale_counters_t *counters, ngx_wholesale_counter_t *counter,
    ngx_wholesale_counter_node_t **node, ngx_uint_t n, int64_t now);
static ngx_wholesale_counter_node_t *ngx_wholesale_counters_make(
    ngx_wholesale_counters_t *counters, u_char *id,
    ngx_wholesale_counter_node_t *keep, int64_t now);
static void ngx_wholesale_counters_add(ngx_wholesale_counter_node_t *node,
    const wholesale_limit_t *limit, int64_t now);
static void ngx_wholesale_counters_expire(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_node_t *keep, ngx_uint_t n, int64_t now);
static void ngx_wholesale_counters_rbtree_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_rbtree_key_t ngx_wholesale_counters_key(u_char *id);


ngx_wholesale_counters_sh_t *
ngx_wholesale_counters_create(ngx_slab_pool_t *shpool)
{
    ngx_wholesale_counters_sh_t  *sh;

    sh = ngx_slab_alloc(shpool, sizeof(ngx_wholesale_counters_sh_t));
    if (sh == NULL) {
        return NULL;
    }

    ngx_rbtree_init(&sh->rbtree, &sh->sentinel,
                    ngx_wholesale_counters_rbtree_insert);

    ngx_queue_init(&sh->queue);

    sh->paused = 0;

    return sh;
}


void
ngx_wholesale_counter_name(ngx_wholesale_counter_t *counter,
    const wholesale_limit_t *limit, ngx_str_t *tenant, ngx_str_t *customer)
{
    int64_t    kind;
    ngx_md5_t  md5;

    kind = limit->kind;

    ngx_md5_init(&md5);
    ngx_wholesale_counter_name_part(&md5, tenant->data, tenant->len);
    ngx_wholesale_counter_name_part(&md5, limit->name, limit->name_len);
    ngx_wholesale_counter_name_part(&md5, &kind, sizeof(int64_t));

    if (limit->kind == WHOLESALE_LIMIT_QUOTA) {
        ngx_wholesale_counter_name_part(&md5, &limit->window, sizeof(int64_t));
    }

    if (limit->per == WHOLESALE_LIMIT_PER_CUSTOMER) {
        ngx_wholesale_counter_name_part(&md5, customer->data, customer->len);
    }

    ngx_md5_final(counter->id, &md5);

    counter->limit = limit;
}


void
ngx_wholesale_counter_name_part(ngx_md5_t *md5, const void *data, size_t len)
{
    ngx_md5_update(md5, &len, sizeof(size_t));
    ngx_md5_update(md5, data, len);
}


ngx_int_t
ngx_wholesale_counters_take(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n)
{
    int64_t                        now;
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    const wholesale_limit_t       *limit;
    ngx_wholesale_counter_node_t  *node[NGX_WHOLESALE_COUNTERS_MAX];

    if (n > NGX_WHOLESALE_COUNTERS_MAX) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    ngx_shmtx_lock(&counters->shpool->mutex);

    /* under the lock, so that of two workers the later one is later */

    now = ngx_wholesale_counters_now();

    for (i = 0; i < n; i++) {
        limit = counter[i].limit;

        node[i] = ngx_wholesale_counters_check(counters, &counter[i], now);

        if (counter[i].verdict.retry_after && !limit->dry_run) {
            rc = NGX_BUSY;
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_wholesale_counters_make_all(counters, counter, node, n, now);
    }

    for (i = 0; rc == NGX_OK && i < n; i++) {

        if (counter[i].verdict.retry_after) {
            continue;
        }

        limit = counter[i].limit;

        wholesale_limit_commit(limit, &node[i]->u.state, now);

        node[i]->expires = wholesale_limit_expires(limit, &node[i]->u.state);
        node[i]->alone = node[i]->expires;
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return rc;
}


void
ngx_wholesale_counters_peek(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n)
{
    int64_t     now;
    ngx_uint_t  i;

    ngx_shmtx_lock(&counters->shpool->mutex);

    now = ngx_wholesale_counters_now();

    for (i = 0; i < n; i++) {
        (void) ngx_wholesale_counters_check(counters, &counter[i], now);
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);
}


ngx_int_t
ngx_wholesale_counters_record(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_uint_t n)
{
    int64_t                        now;
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_wholesale_counter_node_t  *node[NGX_WHOLESALE_COUNTERS_MAX];

    if (n > NGX_WHOLESALE_COUNTERS_MAX) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    ngx_shmtx_lock(&counters->shpool->mutex);

    now = ngx_wholesale_counters_now();

    for (i = 0; i < n; i++) {
        node[i] = ngx_wholesale_counters_lookup(counters, counter[i].id);

        if (node[i] && now < node[i]->alone
            && ngx_wholesale_counters_is_full(node[i], &counter[i], now))
        {
            rc = NGX_BUSY;
        }
    }

    if (rc == NGX_OK) {
        (void) ngx_wholesale_counters_make_all(counters, counter, node, n,
                                               now);
    }

    for (i = 0; rc == NGX_OK && i < n; i++) {

        if (node[i] && counter[i].verdict.retry_after == 0) {
            ngx_wholesale_counters_add(node[i], counter[i].limit, now);
        }
    }

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return rc;
}


int64_t
ngx_wholesale_counters_now(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (int64_t) tv.tv_sec * WHOLESALE_SECOND + tv.tv_usec;
}


ngx_wholesale_counter_node_t *
ngx_wholesale_counters_lookup(ngx_wholesale_counters_t *counters, u_char *id)
{
    ngx_int_t                      rc;
    ngx_rbtree_key_t               key;
    ngx_rbtree_node_t             *node, *sentinel;
    ngx_wholesale_counter_node_t  *cn;

    key = ngx_wholesale_counters_key(id);

    node = counters->sh->rbtree.root;
    sentinel = counters->sh->rbtree.sentinel;

    while (node != sentinel) {

        if (key < node->key) {
            node = node->left;
            continue;
        }

        if (key > node->key) {
            node = node->right;
            continue;
        }

        /* key == node->key */

        cn = (ngx_wholesale_counter_node_t *) &node->color;

        rc = ngx_memcmp(id, cn->id, NGX_WHOLESALE_COUNTER_ID_LEN);

        if (rc == 0) {
            ngx_queue_remove(&cn->queue);
            ngx_queue_insert_head(&counters->sh->queue, &cn->queue);

            return cn;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


ngx_wholesale_counter_node_t *
ngx_wholesale_counters_get(ngx_wholesale_counters_t *counters, u_char *id,
    int64_t now)
{
    ngx_wholesale_counter_node_t  *node;

    node = ngx_wholesale_counters_lookup(counters, id);

    return node ? node : ngx_wholesale_counters_make(counters, id, NULL, now);
}


ngx_uint_t
ngx_wholesale_counters_evict(ngx_wholesale_counters_t *counters)
{
    ngx_queue_t  *q, *last;

    q = &counters->sh->queue;

    ngx_shmtx_lock(&counters->shpool->mutex);

    last = ngx_queue_last(q);

    ngx_wholesale_counters_expire(counters, NULL, NGX_WHOLESALE_COUNTERS_MAX,
                                  NGX_WHOLESALE_COUNTER_ANY);

    last = (last == ngx_queue_last(q)) ? NULL : last;

    ngx_shmtx_unlock(&counters->shpool->mutex);

    return last != NULL;
}


/*
 * Sets the verdict.  Returns the counter's node, or NULL: nobody has used it
 * yet, and it takes no room in the zone until somebody is let in.
 */

static ngx_wholesale_counter_node_t *
ngx_wholesale_counters_check(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, int64_t now)
{
    ngx_wholesale_counter_node_t  *node;

    static const wholesale_limit_state_t  unused;

    node = ngx_wholesale_counters_lookup(counters, counter->id);

    (void) wholesale_limit_check(counter->limit,
                                 node ? &node->u.state : &unused, now,
                                 &counter->verdict);

    return node;
}


/* whether it would refuse; then the verdict, Redis's until now, is its own */

static ngx_uint_t
ngx_wholesale_counters_is_full(ngx_wholesale_counter_node_t *node,
    ngx_wholesale_counter_t *counter, int64_t now)
{
    wholesale_limit_verdict_t  verdict;

    if (counter->limit->dry_run
        || wholesale_limit_check(counter->limit, &node->u.state, now,
                                 &verdict))
    {
        return 0;
    }

    counter->verdict = verdict;

    return 1;
}


/*
 * Makes the nodes that are missing.  Those that are there have just been
 * looked up one after the other: the first of them is the least recently used
 * one, so that none of them goes if that one does not.  Returns NGX_ERROR if
 * there is no room for one of them, which stays NULL.
 */

static ngx_int_t
ngx_wholesale_counters_make_all(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_t *counter, ngx_wholesale_counter_node_t **node,
    ngx_uint_t n, int64_t now)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_wholesale_counter_node_t  *keep;

    rc = NGX_OK;
    keep = NULL;

    for (i = 0; i < n && keep == NULL; i++) {
        keep = node[i];
    }

    for (i = 0; i < n; i++) {

        if (node[i]) {
            continue;
        }

        node[i] = ngx_wholesale_counters_make(counters, counter[i].id, keep,
                                              now);
        if (node[i] == NULL) {
            rc = NGX_ERROR;
            continue;
        }

        if (keep == NULL) {
            keep = node[i];
        }
    }

    return rc;
}


/* "keep", if it is not NULL, does not go for it, nor what was used since */

static ngx_wholesale_counter_node_t *
ngx_wholesale_counters_make(ngx_wholesale_counters_t *counters, u_char *id,
    ngx_wholesale_counter_node_t *keep, int64_t now)
{
    size_t                         size;
    ngx_rbtree_node_t             *node;
    ngx_wholesale_counter_node_t  *cn;

    size = offsetof(ngx_rbtree_node_t, color)
           + sizeof(ngx_wholesale_counter_node_t);

    /* two that mean nothing any more, so that the set shrinks by itself */

    ngx_wholesale_counters_expire(counters, keep, 2, now);

    node = ngx_slab_alloc_locked(counters->shpool, size);

    if (node == NULL) {
        ngx_wholesale_counters_expire(counters, keep,
                                      NGX_WHOLESALE_COUNTERS_MAX,
                                      NGX_WHOLESALE_COUNTER_ANY);

        node = ngx_slab_alloc_locked(counters->shpool, size);
        if (node == NULL) {
            return NULL;
        }
    }

    node->key = ngx_wholesale_counters_key(id);

    cn = (ngx_wholesale_counter_node_t *) &node->color;

    ngx_memzero(cn, sizeof(ngx_wholesale_counter_node_t));
    ngx_memcpy(cn->id, id, NGX_WHOLESALE_COUNTER_ID_LEN);

    ngx_rbtree_insert(&counters->sh->rbtree, node);
    ngx_queue_insert_head(&counters->sh->queue, &cn->queue);

    return cn;
}


/* one that Redis has let in */

static void
ngx_wholesale_counters_add(ngx_wholesale_counter_node_t *node,
    const wholesale_limit_t *limit, int64_t now)
{
    wholesale_limit_record(limit, &node->u.state, now);

    node->expires = wholesale_limit_expires(limit, &node->u.state);

    /* what comes later to a rate's counter lies on top of what was there */

    if (now < node->alone && limit->kind == WHOLESALE_LIMIT_RATE) {
        node->alone = node->expires;
    }
}


static void
ngx_wholesale_counters_expire(ngx_wholesale_counters_t *counters,
    ngx_wholesale_counter_node_t *keep, ngx_uint_t n, int64_t now)
{
    ngx_queue_t                   *q;
    ngx_rbtree_node_t             *node;
    ngx_wholesale_counter_node_t  *cn;

    while (n-- && !ngx_queue_empty(&counters->sh->queue)) {

        q = ngx_queue_last(&counters->sh->queue);

        cn = ngx_queue_data(q, ngx_wholesale_counter_node_t, queue);

        if (cn == keep || cn->expires > now) {
            return;
        }

        ngx_queue_remove(q);

        node = (ngx_rbtree_node_t *)
                   ((u_char *) cn - offsetof(ngx_rbtree_node_t, color));

        ngx_rbtree_delete(&counters->sh->rbtree, node);

        ngx_slab_free_locked(counters->shpool, node);
    }
}


static void
ngx_wholesale_counters_rbtree_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t             **p;
    ngx_wholesale_counter_node_t   *cn, *cnt;

    for ( ;; ) {

        if (node->key < temp->key) {
            p = &temp->left;

        } else if (node->key > temp->key) {
            p = &temp->right;

        } else { /* node->key == temp->key */

            cn = (ngx_wholesale_counter_node_t *) &node->color;
            cnt = (ngx_wholesale_counter_node_t *) &temp->color;

            p = (ngx_memcmp(cn->id, cnt->id, NGX_WHOLESALE_COUNTER_ID_LEN) < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static ngx_rbtree_key_t
ngx_wholesale_counters_key(u_char *id)
{
    ngx_rbtree_key_t  key;

    /* the id is a digest: any part of it is as good a key as the whole */

    ngx_memcpy(&key, id, sizeof(ngx_rbtree_key_t));

    return key;
}
