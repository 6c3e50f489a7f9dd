
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_token_answer.h>


/*
 * Whatever the token endpoint answers is either of no use, for a reason that
 * has no part of the answer in it, or has a token that a header can hold, for
 * a time that can be added to now.  A refresh token may come with either.
 */


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_token(const char *token, size_t len, size_t max);
static void fuzz_assert(int holds);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char                *trouble;
    wholesale_token_answer_t   answer, again;

    trouble = wholesale_token_answer_parse(&answer, (const char *) data, size);

    fuzz_assert((trouble == NULL) == (answer.access_token != NULL));

    if (trouble == NULL) {
        fuzz_token(answer.access_token, answer.access_token_len,
                   WHOLESALE_TOKEN_MAX);
        fuzz_assert(answer.expires_in >= 1
                    && answer.expires_in <= WHOLESALE_TOKEN_SECONDS_MAX);
    }

    if (answer.refresh_token) {
        fuzz_token(answer.refresh_token, answer.refresh_token_len,
                   WHOLESALE_REFRESH_TOKEN_MAX);
    }

    fuzz_assert(answer.refresh_token_expires_in >= 0
                && answer.refresh_token_expires_in
                   <= WHOLESALE_TOKEN_SECONDS_MAX);

    /* the reason is a constant: there is nothing of the answer in it */

    fuzz_assert(wholesale_token_answer_parse(&again, (const char *) data, size)
                == trouble);

    wholesale_token_answer_free(&again);
    wholesale_token_answer_free(&answer);

    return 0;
}


static void
fuzz_token(const char *token, size_t len, size_t max)
{
    size_t  i;

    fuzz_assert(len > 0 && len <= max);
    fuzz_assert(strlen(token) == len);

    for (i = 0; i < len; i++) {
        fuzz_assert(token[i] > ' ' && token[i] < 0x7f);
    }
}


static void
fuzz_assert(int holds)
{
    if (!holds) {
        abort();
    }
}
