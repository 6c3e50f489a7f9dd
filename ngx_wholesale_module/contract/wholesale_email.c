
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_email.h>
#include <wholesale_text.h>


/* in bytes; RFC 1035, 2.3.4 */
#define WHOLESALE_EMAIL_LABEL_MAX  63


static int wholesale_email_local(const char *p, const char *end);
static int wholesale_email_domain(const char *p, const char *end);
static int wholesale_email_visible(const char *p, const char *end);
static int wholesale_email_is_word(char c);


wholesale_email_e
wholesale_email_check(const char *email, size_t len)
{
    const char  *at, *end;

    end = email + len;
    at = memchr(email, '@', len);

    if (wholesale_text_length(email, len) > WHOLESALE_EMAIL_MAX) {
        return WHOLESALE_EMAIL_LONG;
    }

    if (at != NULL
        && wholesale_text_length(email, at - email)
           > WHOLESALE_EMAIL_LOCAL_MAX)
    {
        return WHOLESALE_EMAIL_LOCAL_LONG;
    }

    if (at == NULL
        || !wholesale_email_local(email, at)
        || !wholesale_email_domain(at + 1, end)
        || !wholesale_email_visible(email, end))
    {
        return WHOLESALE_EMAIL_MALFORMED;
    }

    return WHOLESALE_EMAIL_VALID;
}


/* words with single dots between them */

static int
wholesale_email_local(const char *p, const char *end)
{
    char  last;

    last = '.';

    for ( /* void */ ; p < end; p++) {

        if (*p == '.') {
            if (last == '.') {
                return 0;
            }

        } else if (!wholesale_email_is_word(*p)
                   && (*p == '\0' || strchr("!#$%&'*+/=?^_`{|}~-", *p) == NULL))
        {
            return 0;
        }

        last = *p;
    }

    return last != '.';
}


/*
 * Two labels or more, with single dots between them.  The last is no number,
 * which would make it an IPv4 address.
 */

static int
wholesale_email_domain(const char *p, const char *end)
{
    int          number;
    size_t       labels;
    const char  *label;

    labels = 1;
    number = 1;
    label = p;

    for ( /* void */ ; p <= end; p++) {

        if (p < end && *p != '.') {
            if (!wholesale_email_is_word(*p) && *p != '-') {
                return 0;
            }

            number &= (*p >= '0' && *p <= '9');
            continue;
        }

        if (p == label || p - label > WHOLESALE_EMAIL_LABEL_MAX
            || *label == '-' || p[-1] == '-')
        {
            return 0;
        }

        if (p < end) {
            labels++;
            label = p + 1;
            number = 1;
        }
    }

    return labels > 1 && !number;
}


/* beyond ASCII, which the two before have judged, there are spaces, too */

static int
wholesale_email_visible(const char *p, const char *end)
{
    while (p < end) {
        if (!(*p & 0x80)) {
            p++;
            continue;
        }

        if (wholesale_text_invisible(wholesale_text_decode(&p, end))) {
            return 0;
        }
    }

    return 1;
}


/* a letter or a digit, or a byte of a letter beyond ASCII */

static int
wholesale_email_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (unsigned char) c >= 0x80;
}
