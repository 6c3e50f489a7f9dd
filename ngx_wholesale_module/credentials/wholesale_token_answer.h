
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_TOKEN_ANSWER_H_INCLUDED_
#define _WHOLESALE_TOKEN_ANSWER_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <jansson.h>


/*
 * What Webex's token endpoint answers to a refresh:
 *
 *     {"access_token": "...", "expires_in": 1209599,
 *      "refresh_token": "...", "refresh_token_expires_in": 7775999,
 *      "token_type": "Bearer"}
 */


/* bytes; Webex's tokens are opaque or JWTs of up to about 2 kB */
#define WHOLESALE_TOKEN_MAX           8192
#define WHOLESALE_REFRESH_TOKEN_MAX   4096

/* seconds; whatever is said to live longer lives as long as this */
#define WHOLESALE_TOKEN_SECONDS_MAX   (10 * 365 * 86400)


typedef struct {
    json_t      *document;              /* owns the strings */

    const char  *access_token;          /* NULL: the answer is of no use */
    size_t       access_token_len;
    int64_t      expires_in;            /* seconds, at least 1 */

    /* NULL: the one that was used stays good */
    const char  *refresh_token;
    size_t       refresh_token_len;
    int64_t      refresh_token_expires_in;      /* seconds; 0: not said */
} wholesale_token_answer_t;


/*
 * Reads the body of an answer with the status 200.  "answer" is always set,
 * and is to be freed.
 *
 * Returns NULL, or what is wrong as a static half-sentence, to follow "the
 * answer": no part of the answer is in it.  Even then a refresh token may be
 * set: the old one may be dead by now, so that the new one is not to be lost.
 */
const char *wholesale_token_answer_parse(wholesale_token_answer_t *answer,
    const char *text, size_t len);

void wholesale_token_answer_free(wholesale_token_answer_t *answer);

/* whether it is 1 to "max" printable characters, none of them a blank */
int wholesale_token_is_valid(const char *token, size_t len, size_t max);


#endif /* _WHOLESALE_TOKEN_ANSWER_H_INCLUDED_ */
