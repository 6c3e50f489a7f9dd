
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _TEST_LIMIT_RANDOM_H_INCLUDED_
#define _TEST_LIMIT_RANDOM_H_INCLUDED_


#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <wholesale_limit.h>


/* Limits and numbers by chance, the same ones for the same seed. */


/* a day of 2023 */
#define TEST_NOW      ((int64_t) 1700000000000000)


static uint64_t  test_seed;


/* a number from 0, below "max" */

static int64_t
test_random(int64_t max)
{
    static uint64_t  number, seed;

    if (seed != test_seed) {
        seed = test_seed;
        number = seed * 0x9e3779b97f4a7c15ULL;
    }

    number = number * 6364136223846793005ULL + 1442695040888963407ULL;

    return max > 0 ? (int64_t) ((number >> 16) % (uint64_t) max) : 0;
}


static void
test_limit_random(wholesale_limit_t *limit)
{
    char         text[32];
    const char  *sentence;

    if (test_random(2) == 0) {
        (void) snprintf(text, sizeof(text), "%d/%c",
                        (int) test_random(1000) + 1, "smhd"[test_random(4)]);
        sentence = wholesale_limit_set_rate(limit, text, strlen(text),
                                            test_random(50) + 1);

    } else {
        (void) snprintf(text, sizeof(text), "%d%c", (int) test_random(90) + 1,
                        "smhd"[test_random(4)]);
        sentence = wholesale_limit_set_quota(limit, test_random(50) + 1, text,
                                             strlen(text));
    }

    assert_null(sentence);
}


#endif /* _TEST_LIMIT_RANDOM_H_INCLUDED_ */
