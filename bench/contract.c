
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include <wholesale_catalogue.h>
#include <wholesale_json.h>
#include <wholesale_update.h>


/*
 * What the judgement of one update costs, in microseconds and allocations, the
 * least of several rounds: jansson's own parse, our reading of it (which is
 * that parse, and before it the look at depth and zero bytes), and the checks
 * of the contract.
 */


#define BENCH_ROUNDS   20
#define BENCH_REPEATS  5000


typedef void (*bench_pt)(void);


static double bench_time(bench_pt run);
static size_t bench_allocations(bench_pt run);
static void bench_jansson(void);
static void bench_read(void);
static void bench_validate(void);
static void *bench_malloc(size_t size);
static void *bench_alloc(void *data, size_t size);


static char                      body[65536];
static size_t                    body_len;
static size_t                    allocations;
static wholesale_pool_t          pool = { bench_alloc, NULL };
static wholesale_update_rules_t  rules;


int
main(int argc, char **argv)
{
    FILE    *file;
    double   parse, read, validate;
    size_t   parse_n, read_n, validate_n;

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

    parse = bench_time(bench_jansson);
    read = bench_time(bench_read);
    validate = bench_time(bench_validate);

    json_set_alloc_funcs(bench_malloc, free);

    parse_n = bench_allocations(bench_jansson);
    read_n = bench_allocations(bench_read);
    validate_n = bench_allocations(bench_validate);

    printf("\nThe contract, per update of %zu bytes\n\n"
           "%26s%8s%14s%10s\n"
           "%-26s%8.2f%14zu%10.2f\n"
           "%-26s%8.2f%14zu%10.2f\n"
           "%-26s%8.2f%14zu%10.2f\n",
           body_len,
           "", "us", "allocations", "ratio",
           "parse, by jansson alone", parse, parse_n, 1.0,
           "look at depth and zeros", read - parse, read_n - parse_n,
           (read - parse) / parse,
           "checks", validate - read, validate_n - read_n,
           (validate - read) / parse);

    return 0;
}


static double
bench_time(bench_pt run)
{
    int              i, round;
    double           us, least;
    struct timespec  start, end;

    least = 0;

    for (round = 0; round < BENCH_ROUNDS; round++) {

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);

        for (i = 0; i < BENCH_REPEATS; i++) {
            run();
        }

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);

        us = ((end.tv_sec - start.tv_sec) * 1e6
              + (end.tv_nsec - start.tv_nsec) / 1e3) / BENCH_REPEATS;

        if (round == 0 || us < least) {
            least = us;
        }
    }

    return least;
}


static size_t
bench_allocations(bench_pt run)
{
    allocations = 0;
    run();

    return allocations;
}


static void
bench_jansson(void)
{
    json_decref(json_loadb(body, body_len, JSON_REJECT_DUPLICATES, NULL));
}


static void
bench_read(void)
{
    wholesale_problems_t  problems;

    wholesale_problems_init(&problems, &pool);

    json_decref(wholesale_json_read(body, body_len, "the body", &problems));
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
bench_malloc(size_t size)
{
    allocations++;

    return malloc(size);
}


static void *
bench_alloc(void *data, size_t size)
{
    return bench_malloc(size);
}
