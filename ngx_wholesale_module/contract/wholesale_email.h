
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_EMAIL_H_INCLUDED_
#define _WHOLESALE_EMAIL_H_INCLUDED_


#include <stddef.h>


/* in characters; RFC 5321, 4.5.3.1, and its erratum 1690 */
#define WHOLESALE_EMAIL_MAX        254
#define WHOLESALE_EMAIL_LOCAL_MAX  64


typedef enum {
    WHOLESALE_EMAIL_VALID = 0,
    WHOLESALE_EMAIL_MALFORMED,

    /* whatever else it is: the whole, or what precedes "@" */
    WHOLESALE_EMAIL_LONG,
    WHOLESALE_EMAIL_LOCAL_LONG
} wholesale_email_e;


/*
 * Judges one address as people write it, name@example.com: RFC 5322's
 * dot-atom, and a domain name of at least two labels, the last of which is not
 * all digits.  No display name, no comment, no quotes, no space, no address
 * literal.  The lengths are looked at first.  Letters beyond ASCII may
 * stand on both sides, RFC 6531.  "len" bytes of UTF-8.
 */
wholesale_email_e wholesale_email_check(const char *email, size_t len);


#endif /* _WHOLESALE_EMAIL_H_INCLUDED_ */
