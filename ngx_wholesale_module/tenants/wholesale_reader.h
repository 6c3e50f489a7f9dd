
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_READER_H_INCLUDED_
#define _WHOLESALE_READER_H_INCLUDED_


#include <stddef.h>

#include <jansson.h>

#include <wholesale_mistakes.h>


/*
 * Reads a large JSON text member by member: jansson parses one value at a
 * time, so that there is never a tree of the whole.
 */


typedef struct {
    const char            *text;
    size_t                 len;
    size_t                 pos;
    wholesale_mistakes_t  *mistakes;
} wholesale_reader_t;


/*
 * Is called with each member's name, the reader standing at its value, and
 * reads that with one of the functions below.  Returns 0, or -1 to stop.
 */
typedef int (*wholesale_reader_member_pt)(wholesale_reader_t *reader,
    void *data, const char *name);


/* whether the next value is an object: 1 or 0; reads nothing but blanks */
int wholesale_reader_at_object(wholesale_reader_t *reader);

/*
 * Reads an object, whose members may have the same names.  Returns 0, or -1
 * if the text is no JSON, which is noted as a mistake, if there is no memory,
 * or if "member" said to stop.
 */
int wholesale_reader_object(wholesale_reader_t *reader,
    wholesale_reader_member_pt member, void *data);

/*
 * Reads a value whole.  A member that stands twice in it is noted as a
 * mistake, and the last one taken.  Returns a new reference, or NULL as above
 * for -1.
 */
json_t *wholesale_reader_value(wholesale_reader_t *reader);

/* notes a mistake if there is something more than blanks; 0 or -1 */
int wholesale_reader_end(wholesale_reader_t *reader);


#endif /* _WHOLESALE_READER_H_INCLUDED_ */
