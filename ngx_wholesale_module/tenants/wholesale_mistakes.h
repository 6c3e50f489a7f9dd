
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_MISTAKES_H_INCLUDED_
#define _WHOLESALE_MISTAKES_H_INCLUDED_


#include <stddef.h>

#include <wholesale_arena.h>
#include <wholesale_tenants.h>


/*
 * The mistakes of one file: where each is, kept until all are known, so that
 * those found late (a plan that is not there, a key that two tenants have)
 * are told in their place.
 */


/* a quoted text: each byte at most as \u and 4 digits, quotes, "..." , NUL */
#define WHOLESALE_QUOTED_SIZE     (WHOLESALE_TENANTS_QUOTED_MAX * 6 + 6)

/* tenants, NAME, limits, [n], rate */
#define WHOLESALE_PATH_STEPS_MAX  5


typedef struct {
    const char                    *name;      /* NULL: an element */
    size_t                         element;
} wholesale_path_step_t;


typedef struct {
    size_t                         offset;
    size_t                         order;     /* of its finding */
    const char                    *path;
    const char                    *sentence;
} wholesale_mistake_t;


/* all zeros but "arena" is a file without a mistake */

typedef struct {
    wholesale_arena_t             *arena;

    /* where the reader is: set by it, told with each mistake */
    wholesale_path_step_t          steps[WHOLESALE_PATH_STEPS_MAX];
    size_t                         nsteps;

    /* the mistakes are told in this order: where in the text they belong */
    size_t                         offset;

    wholesale_mistake_t            kept[WHOLESALE_MISTAKES_MAX];
    size_t                         count;     /* those not kept included */

    unsigned                       no_memory:1;
} wholesale_mistakes_t;


/* enter a member or an element, and leave it; the name is not copied */
void wholesale_path_member(wholesale_mistakes_t *mistakes, const char *name);
void wholesale_path_element(wholesale_mistakes_t *mistakes, size_t element);
void wholesale_path_leave(wholesale_mistakes_t *mistakes);

/* notes a mistake at the reader's path */
void wholesale_mistake(wholesale_mistakes_t *mistakes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* notes a mistake at a place that is no path */
void wholesale_mistake_at(wholesale_mistakes_t *mistakes, const char *place,
    const char *sentence);

/* tells all of them, in order */
void wholesale_mistakes_tell(wholesale_mistakes_t *mistakes,
    wholesale_mistake_pt mistake, void *data);

/*
 * Writes the text, which is UTF-8, into "buf" of WHOLESALE_QUOTED_SIZE bytes
 * as printable ASCII in quotes, cut to WHOLESALE_TENANTS_QUOTED_MAX bytes,
 * never inside a character.  Returns "buf".
 */
const char *wholesale_quote(char *buf, const char *text, size_t len);


#endif /* _WHOLESALE_MISTAKES_H_INCLUDED_ */
