
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_PROBLEMS_H_INCLUDED_
#define _WHOLESALE_PROBLEMS_H_INCLUDED_


#include <stddef.h>

#include <wholesale_pool.h>
#include <wholesale_text.h>


/*
 * What is wrong with a document: a list that costs nothing while it is empty.
 */


/* so many are told, unless "most" says otherwise; the rest are only counted */
#define WHOLESALE_PROBLEMS_MAX      32

/* of the names in a pointer that the client chose, in bytes together */
#define WHOLESALE_PLACE_SHOWN_MAX   32

/* the numbers that Webex itself gives to these problems; 0: it has none */
#define WHOLESALE_PROBLEM_OTHER     0
#define WHOLESALE_PROBLEM_MISSING   1001
#define WHOLESALE_PROBLEM_SIZE      1002


/*
 * A value's place in a document: the way to it from the root, which is the
 * place that has no parent.  Lives on the stack of whoever walks the document.
 */
typedef struct wholesale_place_s  wholesale_place_t;

struct wholesale_place_s {
    const wholesale_place_t  *parent;

    /* a member's name, NUL-terminated UTF-8; NULL: an element of an array */
    const char               *name;
    size_t                    index;

    /*
     * The name is the client's own choice.  Of such names a pointer shows
     * WHOLESALE_PLACE_SHOWN_MAX bytes at most: it ends at the last ancestor
     * which it can name in full.
     */
    unsigned                  foreign;
};


typedef struct {
    /* RFC 6901, NUL-terminated UTF-8; "" is the document itself */
    const char               *pointer;
    size_t                    pointer_len;

    /*
     * One sentence, NUL-terminated UTF-8 without control characters.  Begins
     * with the place as a developer writes it: address.country, packages[1].
     */
    const char               *description;
    size_t                    description_len;

    /* one of WHOLESALE_PROBLEM_... */
    int                       code;
} wholesale_problem_t;


typedef struct {
    const wholesale_pool_t   *pool;

    /* NULL until there is one */
    wholesale_problem_t      *items;

    /* for how many there is room in "items"; may be set while it is NULL */
    size_t                    most;

    /* how many "items" has, at most "most" */
    size_t                    stored;

    /* how many there are, those that are not stored included */
    size_t                    total;

    /* an allocation failed: the list is not to be trusted */
    unsigned                  failed;
} wholesale_problems_t;


/*
 * Makes an empty list.  Problems and their texts are allocated from "pool"
 * and live as long as it does.
 */
void wholesale_problems_init(wholesale_problems_t *problems,
    const wholesale_pool_t *pool);

/*
 * Adds a problem; "format" and what follows, as in printf(), is the sentence
 * without the place, which is put before it.  What the arguments hold of the
 * client's text has to be quoted already.
 *
 * On an allocation failure sets "failed".
 */
void wholesale_problems_add(wholesale_problems_t *problems,
    const wholesale_place_t *place, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Adds a problem without a number: the client's "text", "len" bytes, quoted;
 * then the sentence; then, unless it is empty, what may have been meant.
 */
void wholesale_problems_add_text(wholesale_problems_t *problems,
    const wholesale_place_t *place, const char *text, size_t len,
    const char *sentence, const char *meant);


/*
 * The next problem will only be counted, so that there is no sense in looking
 * for what may have been meant.
 */
#define wholesale_problems_full(problems)                                     \
    ((problems)->stored == (problems)->most)


#endif /* _WHOLESALE_PROBLEMS_H_INCLUDED_ */
