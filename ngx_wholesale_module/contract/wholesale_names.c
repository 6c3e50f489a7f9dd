
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_names.h>


/* a slip of the pen: one in so many bytes, and never more than these */
#define WHOLESALE_SLIP_BYTES  6
#define WHOLESALE_SLIPS_MAX   2

/* 32-bit FNV-1a */
#define WHOLESALE_FNV_BASIS  2166136261u
#define WHOLESALE_FNV_PRIME  16777619u


static uint32_t wholesale_names_hash(const char *name, size_t len);
static void wholesale_names_fold(unsigned char *folded, const char *name,
    size_t len);
static size_t wholesale_names_cost(unsigned char c, size_t max);
static size_t wholesale_names_least(size_t one, size_t other);


int
wholesale_names_init(wholesale_names_t *set, const wholesale_pool_t *pool,
    size_t max)
{
    size_t  slots;

    /* at most half of the slots are taken */

    for (slots = 2; slots < 2 * max; slots *= 2) { /* void */ }

    set->n = 0;
    set->mask = slots - 1;

    set->names = wholesale_palloc(pool, (max + 1) * sizeof(wholesale_name_t));
    set->slots = wholesale_palloc(pool, slots * sizeof(uint32_t));

    if (set->names == NULL || set->slots == NULL) {
        return -1;
    }

    memset(set->slots, 0, slots * sizeof(uint32_t));

    return 0;
}


void
wholesale_names_add(wholesale_names_t *set, const char *name, size_t len)
{
    size_t  slot;

    slot = wholesale_names_hash(name, len) & set->mask;

    while (set->slots[slot]) {
        slot = (slot + 1) & set->mask;
    }

    set->names[set->n].data = name;
    set->names[set->n].len = len;
    set->n++;

    set->slots[slot] = (uint32_t) set->n;
}


size_t
wholesale_names_find(const wholesale_names_t *set, const char *name,
    size_t len)
{
    size_t                   slot;
    const wholesale_name_t  *found;

    if (len > WHOLESALE_NAME_MAX) {
        return WHOLESALE_NAMES_NONE;
    }

    slot = wholesale_names_hash(name, len) & set->mask;

    while (set->slots[slot]) {
        found = &set->names[set->slots[slot] - 1];

        if (found->len == len && memcmp(found->data, name, len) == 0) {
            return set->slots[slot] - 1;
        }

        slot = (slot + 1) & set->mask;
    }

    return WHOLESALE_NAMES_NONE;
}


size_t
wholesale_names_distance(const char *one, size_t one_len, const char *other,
    size_t other_len, size_t max)
{
    size_t         i, k, n, m, cost, other_cost, both;
    size_t         memory[3][WHOLESALE_NAME_MAX + 1];
    size_t        *swapped, *last, *row, *rows[3];
    unsigned char  a[WHOLESALE_NAME_MAX], b[WHOLESALE_NAME_MAX];

    if (one_len > WHOLESALE_NAME_MAX || other_len > WHOLESALE_NAME_MAX) {
        return max + 1;
    }

    n = one_len;
    m = other_len;

    if (n > m + max || m > n + max) {
        return max + 1;
    }

    wholesale_names_fold(a, one, n);
    wholesale_names_fold(b, other, m);

    for (i = 0; i < 3; i++) {
        rows[i] = memory[i];
    }

    rows[0][0] = 0;

    for (k = 1; k <= m; k++) {
        rows[0][k] = rows[0][k - 1] + wholesale_names_cost(b[k - 1], max);
    }

    for (i = 1; i <= n; i++) {
        row = rows[i % 3];
        last = rows[(i - 1) % 3];
        swapped = rows[(i + 1) % 3];

        cost = wholesale_names_cost(a[i - 1], max);
        row[0] = last[0] + cost;

        for (k = 1; k <= m; k++) {
            other_cost = wholesale_names_cost(b[k - 1], max);

            row[k] = wholesale_names_least(last[k] + cost,
                                           row[k - 1] + other_cost);

            if (a[i - 1] == b[k - 1]) {
                row[k] = wholesale_names_least(row[k], last[k - 1]);
                continue;
            }

            both = (cost > other_cost) ? cost : other_cost;
            row[k] = wholesale_names_least(row[k], last[k - 1] + both);

            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
            {
                row[k] = wholesale_names_least(row[k], swapped[k - 2] + both);
            }
        }
    }

    return wholesale_names_least(rows[n % 3][m], max + 1);
}


size_t
wholesale_names_tolerance(size_t len)
{
    return wholesale_names_least(len / WHOLESALE_SLIP_BYTES,
                                 WHOLESALE_SLIPS_MAX);
}


const wholesale_name_t *
wholesale_names_nearest(const wholesale_names_t *set, const char *name,
    size_t len)
{
    size_t                   i, distance, max;
    const wholesale_name_t  *nearest;

    nearest = NULL;
    max = wholesale_names_tolerance(len);

    for (i = 0; i < set->n; i++) {
        distance = wholesale_names_distance(name, len, set->names[i].data,
                                            set->names[i].len, max);
        if (distance > max) {
            continue;
        }

        nearest = &set->names[i];

        if (distance == 0) {
            break;
        }

        /* the next one has to be nearer */
        max = distance - 1;
    }

    return nearest;
}


static uint32_t
wholesale_names_hash(const char *name, size_t len)
{
    size_t    i;
    uint32_t  hash;

    hash = WHOLESALE_FNV_BASIS;

    for (i = 0; i < len; i++) {
        hash ^= (unsigned char) name[i];
        hash *= WHOLESALE_FNV_PRIME;
    }

    return hash ^ (hash >> 16);
}


static void
wholesale_names_fold(unsigned char *folded, const char *name, size_t len)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < len; i++) {
        c = (unsigned char) name[i];

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;

        } else if (c == '-' || c == ' ') {
            c = '_';
        }

        folded[i] = c;
    }
}


/* what it costs to insert, delete or replace a character, or to move it */

static size_t
wholesale_names_cost(unsigned char c, size_t max)
{
    return (c >= '0' && c <= '9') ? max + 1 : 1;
}


static size_t
wholesale_names_least(size_t one, size_t other)
{
    return (one < other) ? one : other;
}
