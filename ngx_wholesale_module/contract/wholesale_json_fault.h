
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_JSON_FAULT_H_INCLUDED_
#define _WHOLESALE_JSON_FAULT_H_INCLUDED_


#include <stddef.h>

#include <wholesale_problems.h>


/*
 * Why jansson refused a text, and where: its own messages say too little, and
 * in words that are not ours.  Nobody reads a good text with this.
 */


/* what is known already: jansson has read a member's name, which is ... */

typedef enum {
    WHOLESALE_JSON_FAULT_SYNTAX = 0,

    /* ... in the same object twice */
    WHOLESALE_JSON_FAULT_TWICE,

    /* ... one with \u0000 in it */
    WHOLESALE_JSON_FAULT_NUL
} wholesale_json_fault_e;


/*
 * Adds the first fault of "len" bytes, of which no value is nested deeper
 * than WHOLESALE_JSON_DEPTH, to "problems".  "what" is as for
 * wholesale_json_read().  "position" is the offset after the name if "fault"
 * is about a name.
 *
 * Returns 0, or -1 if there is none.
 */
int wholesale_json_fault(const char *text, size_t len, const char *what,
    wholesale_json_fault_e fault, size_t position,
    wholesale_problems_t *problems);

/*
 * Adds the first fault of "len" bytes to "problems": one before the offset
 * "position", or else that the bracket there is one level too deep.
 */
void wholesale_json_fault_depth(const char *text, size_t len, size_t position,
    wholesale_problems_t *problems);

/* adds a problem with the number at "position", which has "len" bytes */
void wholesale_json_fault_number(const char *text, size_t position,
    size_t len, wholesale_problems_t *problems);


#endif /* _WHOLESALE_JSON_FAULT_H_INCLUDED_ */
