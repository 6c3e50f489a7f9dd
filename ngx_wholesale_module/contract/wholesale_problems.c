
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <wholesale_problems.h>


/* the decimal digits of a size_t */
#define WHOLESALE_INDEX_MAX  20

/* what a step of the way adds at most besides its name: [""] */
#define WHOLESALE_STEP_MAX   (sizeof("[]") + WHOLESALE_INDEX_MAX)


static const wholesale_place_t *wholesale_place_shown(
    const wholesale_place_t *place);
static size_t wholesale_place_depth(const wholesale_place_t *place);
static const wholesale_place_t *wholesale_place_ancestor(
    const wholesale_place_t *place, size_t generations);
static char *wholesale_place_pointer(const wholesale_pool_t *pool,
    const wholesale_place_t *place, size_t *len);
static char *wholesale_place_description(const wholesale_pool_t *pool,
    const wholesale_place_t *place, size_t *len, const char *format,
    va_list args);
static size_t wholesale_place_step(char *dst, const wholesale_place_t *place);
static int wholesale_place_is_word(const char *name);


void
wholesale_problems_init(wholesale_problems_t *problems,
    const wholesale_pool_t *pool)
{
    memset(problems, 0, sizeof(wholesale_problems_t));

    problems->pool = pool;
    problems->most = WHOLESALE_PROBLEMS_MAX;
}


void
wholesale_problems_add(wholesale_problems_t *problems,
    const wholesale_place_t *place, int code, const char *format, ...)
{
    va_list               args;
    wholesale_problem_t  *problem;

    if (wholesale_problems_full(problems)) {
        problems->total++;
        return;
    }

    if (problems->items == NULL) {
        problems->items = wholesale_palloc(problems->pool,
                                           problems->most
                                           * sizeof(wholesale_problem_t));
        if (problems->items == NULL) {
            problems->failed = 1;
            return;
        }
    }

    problem = &problems->items[problems->stored];
    place = wholesale_place_shown(place);

    problem->code = code;
    problem->pointer = wholesale_place_pointer(problems->pool, place,
                                               &problem->pointer_len);

    va_start(args, format);
    problem->description = wholesale_place_description(problems->pool, place,
                                                    &problem->description_len,
                                                    format, args);
    va_end(args);

    if (problem->pointer == NULL || problem->description == NULL) {
        problems->failed = 1;
        return;
    }

    problems->stored++;
    problems->total++;
}


void
wholesale_problems_add_text(wholesale_problems_t *problems,
    const wholesale_place_t *place, const char *text, size_t len,
    const char *sentence, const char *meant)
{
    char  quoted[WHOLESALE_QUOTED_MAX];

    (void) wholesale_text_quote(quoted, text, len);

    wholesale_problems_add(problems, place, WHOLESALE_PROBLEM_OTHER,
                           "%s %s%s%s%s", quoted, sentence,
                           *meant ? "; did you mean \"" : "", meant,
                           *meant ? "\"?" : "");
}


/* the last place on the way which can be named in full */

static const wholesale_place_t *
wholesale_place_shown(const wholesale_place_t *place)
{
    size_t                    i, room, len;
    const wholesale_place_t  *step;

    room = WHOLESALE_PLACE_SHOWN_MAX;

    for (i = wholesale_place_depth(place); i > 0; i--) {
        step = wholesale_place_ancestor(place, i - 1);

        if (!step->foreign) {
            continue;
        }

        len = strlen(step->name);

        if (len > room) {
            return step->parent;
        }

        room -= len;
    }

    return place;
}


static size_t
wholesale_place_depth(const wholesale_place_t *place)
{
    size_t  depth;

    depth = 0;

    while (place->parent != NULL) {
        place = place->parent;
        depth++;
    }

    return depth;
}


static const wholesale_place_t *
wholesale_place_ancestor(const wholesale_place_t *place, size_t generations)
{
    while (generations) {
        place = place->parent;
        generations--;
    }

    return place;
}


static char *
wholesale_place_pointer(const wholesale_pool_t *pool,
    const wholesale_place_t *place, size_t *len)
{
    char                     *pointer, *dst;
    size_t                    i, size;
    const char               *p;
    const wholesale_place_t  *step;

    size = 1;

    for (step = place; step->parent != NULL; step = step->parent) {
        size += 1 + (step->name ? 2 * strlen(step->name)
                                : WHOLESALE_INDEX_MAX);
    }

    pointer = wholesale_palloc(pool, size);
    if (pointer == NULL) {
        return NULL;
    }

    dst = pointer;

    for (i = wholesale_place_depth(place); i > 0; i--) {
        step = wholesale_place_ancestor(place, i - 1);

        *dst++ = '/';

        if (step->name == NULL) {
            dst += sprintf(dst, "%zu", step->index);
            continue;
        }

        for (p = step->name; *p; p++) {
            if (*p == '~' || *p == '/') {
                *dst++ = '~';
                *dst++ = (*p == '~') ? '0' : '1';

            } else {
                *dst++ = *p;
            }
        }
    }

    *dst = '\0';
    *len = dst - pointer;

    return pointer;
}


static char *
wholesale_place_description(const wholesale_pool_t *pool,
    const wholesale_place_t *place, size_t *len, const char *format,
    va_list args)
{
    int                       n;
    char                     *description, *dst;
    size_t                    i, size;
    va_list                   again;
    const wholesale_place_t  *step;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);

    if (n < 0) {
        return NULL;
    }

    size = sizeof(": ") + n;

    for (step = place; step->parent != NULL; step = step->parent) {
        size += WHOLESALE_STEP_MAX + (step->name ? WHOLESALE_QUOTED_MAX
                                                   + strlen(step->name) : 0);
    }

    description = wholesale_palloc(pool, size);
    if (description == NULL) {
        return NULL;
    }

    dst = description;

    for (i = wholesale_place_depth(place); i > 0; i--) {
        step = wholesale_place_ancestor(place, i - 1);

        if (dst != description && step->name
            && wholesale_place_is_word(step->name))
        {
            *dst++ = '.';
        }

        dst += wholesale_place_step(dst, step);
    }

    if (dst != description) {
        *dst++ = ':';
        *dst++ = ' ';
    }

    dst += vsnprintf(dst, n + 1, format, args);
    *len = dst - description;

    return description;
}


static size_t
wholesale_place_step(char *dst, const wholesale_place_t *place)
{
    size_t  len;

    if (place->name == NULL) {
        return sprintf(dst, "[%zu]", place->index);
    }

    len = strlen(place->name);

    if (wholesale_place_is_word(place->name)) {
        memcpy(dst, place->name, len);
        return len;
    }

    dst[0] = '[';
    len = wholesale_text_quote(dst + 1, place->name, len);
    dst[len + 1] = ']';

    return len + 2;
}


/* a name that can be written after a dot as it is, and in full */

static int
wholesale_place_is_word(const char *name)
{
    const char  *p;

    for (p = name; *p; p++) {
        if ((*p >= 'a' && *p <= 'z')
            || (*p >= 'A' && *p <= 'Z')
            || (*p >= '0' && *p <= '9')
            || *p == '_')
        {
            continue;
        }

        return 0;
    }

    return p > name && p - name <= WHOLESALE_SHOWN_MAX;
}
