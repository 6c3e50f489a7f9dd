
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include <wholesale_catalogue.h>
#include <wholesale_document.h>
#include <wholesale_update.h>


/*
 * What the judgement of one update costs, in microseconds and allocations, the
 * least of several rounds: jansson's own parse, our reading, which needs it for
 * what is not plain, and the checks of the contract.
 *
 * The three take turns, so that a machine that is slow for a while is slow for
 * all of them.
 */


#define BENCH_ROUNDS   100
#define BENCH_REPEATS  1000


typedef struct {
    void    (*run)(void);
    double    us;
    size_t    allocations;
} bench_t;


/* glibc's own, for the malloc() below that counts */
void *__libc_malloc(size_t size);

static void bench_measure(bench_t *bench);
static void bench_count(bench_t *bench);
static void bench_jansson(void);
static void bench_read(void);
static void bench_validate(void);
static void *bench_alloc(void *data, size_t size);


static char                      body[65536];
static size_t                    body_len;
static size_t                    allocations;
static wholesale_pool_t          pool = { bench_alloc, NULL };
static wholesale_update_rules_t  rules;


int
main(int argc, char **argv)
{
    int       i, round;
    FILE     *file;
    bench_t  *parse, *read, *validate;

    bench_t  benches[] = {
        { bench_jansson, 0, 0 },
        { bench_read, 0, 0 },
        { bench_validate, 0, 0 }
    };

    parse = &benches[0];
    read = &benches[1];
    validate = &benches[2];

    file = (argc == 2) ? fopen(argv[1], "rb") : NULL;

    if (file == NULL) {
        fprintf(stderr, "usage: bench_contract UPDATE.json\n");
        return 1;
    }

    body_len = fread(body, 1, sizeof(body), file);
    fclose(file);

    rules.catalogue = wholesale_catalogue_create(&pool, WHOLESALE_TZDATA);
    if (rules.catalogue == NULL) {
        return 1;
    }

    for (round = 0; round < BENCH_ROUNDS; round++) {
        for (i = 0; i < 3; i++) {
            bench_measure(&benches[i]);
        }
    }

    for (i = 0; i < 3; i++) {
        bench_count(&benches[i]);
    }

    printf("\nThe contract, per update of %zu bytes\n\n"
           "%26s%8s%14s%10s\n"
           "%-26s%8.2f%14zu%10.2f\n"
           "%-26s%8.2f%14zu%10.2f\n"
           "%-26s%8.2f%14zu%10.2f\n",
           body_len,
           "", "us", "allocations", "ratio",
           "parse, by jansson alone", parse->us, parse->allocations, 1.0,
           "parse, by the gateway", read->us, read->allocations,
           read->us / parse->us,
           "checks", validate->us - read->us,
           validate->allocations - read->allocations,
           (validate->us - read->us) / parse->us);

    return 0;
}


static void
bench_measure(bench_t *bench)
{
    int              i;
    double           us;
    struct timespec  start, end;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);

    for (i = 0; i < BENCH_REPEATS; i++) {
        bench->run();
    }

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);

    us = ((end.tv_sec - start.tv_sec) * 1e6
          + (end.tv_nsec - start.tv_nsec) / 1e3) / BENCH_REPEATS;

    if (bench->us == 0 || us < bench->us) {
        bench->us = us;
    }
}


static void
bench_count(bench_t *bench)
{
    allocations = 0;
    bench->run();

    bench->allocations = allocations;
}


static void
bench_jansson(void)
{
    json_decref(json_loadb(body, body_len, JSON_REJECT_DUPLICATES, NULL));
}


static void
bench_read(void)
{
    wholesale_document_t  document;
    wholesale_problems_t  problems;

    wholesale_problems_init(&problems, &pool);

    (void) wholesale_document_read(&document, body, body_len, "the body",
                                   &problems);

    wholesale_document_free(&document);
}


static void
bench_validate(void)
{
    wholesale_problems_t  problems;

    wholesale_problems_init(&problems, &pool);

    if (wholesale_update_validate(&rules, body, body_len, &problems)
        != WHOLESALE_UPDATE_VALID)
    {
        abort();
    }
}


static void *
bench_alloc(void *data, size_t size)
{
    return malloc(size);
}


/* jansson's allocations and our own */

void *
malloc(size_t size)
{
    allocations++;

    return __libc_malloc(size);
}
