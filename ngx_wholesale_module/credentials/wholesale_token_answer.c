
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>
#include <strings.h>
#include <wholesale_token_answer.h>


static const char *wholesale_token_answer_access(
    wholesale_token_answer_t *answer);
static void wholesale_token_answer_refresh(wholesale_token_answer_t *answer);


const char *
wholesale_token_answer_parse(wholesale_token_answer_t *answer,
    const char *text, size_t len)
{
    memset(answer, 0, sizeof(wholesale_token_answer_t));

    if (len == 0) {
        return "is empty";
    }

    answer->document = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

    if (answer->document == NULL) {
        return "is not valid JSON";
    }

    if (!json_is_object(answer->document)) {
        return "is not a JSON object";
    }

    wholesale_token_answer_refresh(answer);

    return wholesale_token_answer_access(answer);
}


static const char *
wholesale_token_answer_access(wholesale_token_answer_t *answer)
{
    json_t  *token, *seconds, *type;

    token = json_object_get(answer->document, "access_token");

    if (token == NULL) {
        return "has no access_token";
    }

    if (!json_is_string(token)) {
        return "has an access_token that is no string";
    }

    if (!wholesale_token_is_valid(json_string_value(token),
                                  json_string_length(token),
                                  WHOLESALE_TOKEN_MAX))
    {
        return "has an access_token that a header cannot hold";
    }

    type = json_object_get(answer->document, "token_type");

    if (type && (!json_is_string(type)
                 || strcasecmp(json_string_value(type), "Bearer") != 0))
    {
        return "has a token_type that is not Bearer";
    }

    seconds = json_object_get(answer->document, "expires_in");

    if (!json_is_integer(seconds)) {
        return "has no expires_in that is a whole number";
    }

    if (json_integer_value(seconds) < 1) {
        return "has an expires_in of less than a second";
    }

    answer->expires_in = json_integer_value(seconds);

    if (answer->expires_in > WHOLESALE_TOKEN_SECONDS_MAX) {
        answer->expires_in = WHOLESALE_TOKEN_SECONDS_MAX;
    }

    answer->access_token = json_string_value(token);
    answer->access_token_len = json_string_length(token);

    return NULL;
}


/* one that makes no sense is as good as none: the old one may still serve */

static void
wholesale_token_answer_refresh(wholesale_token_answer_t *answer)
{
    json_t  *token, *seconds;

    seconds = json_object_get(answer->document, "refresh_token_expires_in");

    if (json_is_integer(seconds) && json_integer_value(seconds) > 0) {
        answer->refresh_token_expires_in = json_integer_value(seconds);

        if (answer->refresh_token_expires_in > WHOLESALE_TOKEN_SECONDS_MAX) {
            answer->refresh_token_expires_in = WHOLESALE_TOKEN_SECONDS_MAX;
        }
    }

    token = json_object_get(answer->document, "refresh_token");

    if (json_is_string(token)
        && wholesale_token_is_valid(json_string_value(token),
                                    json_string_length(token),
                                    WHOLESALE_REFRESH_TOKEN_MAX))
    {
        answer->refresh_token = json_string_value(token);
        answer->refresh_token_len = json_string_length(token);
    }
}


void
wholesale_token_answer_free(wholesale_token_answer_t *answer)
{
    json_decref(answer->document);
    memset(answer, 0, sizeof(wholesale_token_answer_t));
}


int
wholesale_token_is_valid(const char *token, size_t len, size_t max)
{
    size_t  i;

    if (len == 0 || len > max) {
        return 0;
    }

    for (i = 0; i < len; i++) {

        /* what is printable and no blank cannot end or split a header */

        if (token[i] <= ' ' || token[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}
