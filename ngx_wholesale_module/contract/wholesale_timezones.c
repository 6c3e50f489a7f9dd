
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_catalogue.h>
#include <wholesale_timezones.h>


/* release 2025b has 112 kilobytes */
#define WHOLESALE_TZDATA_MAX  ((size_t) 1024 * 1024)


static int wholesale_timezones_load(const char *path, char **text,
    size_t *len);
static size_t wholesale_timezones_count(const char *text, size_t len);
static size_t wholesale_timezones_name(const char *line, const char *end,
    const char **name);


int
wholesale_timezones_read(wholesale_names_t *timezones,
    const wholesale_pool_t *pool, const char *path)
{
    int          rc;
    char        *text, *dst;
    size_t       len, n, max;
    const char  *line, *end, *name;

    rc = wholesale_timezones_load(path, &text, &len);

    if (rc != 0) {
        return rc;
    }

    max = wholesale_timezones_count(text, len);

    if (max == 0) {
        free(text);
        return 1;
    }

    rc = -1;

    dst = wholesale_palloc(pool, max * (WHOLESALE_NAME_MAX + 1));

    if (dst == NULL || wholesale_names_init(timezones, pool, max) != 0) {
        goto done;
    }

    for (line = text; line < text + len; line = end + 1) {

        end = memchr(line, '\n', text + len - line);

        if (end == NULL) {
            end = text + len;
        }

        n = wholesale_timezones_name(line, end, &name);

        if (n == 0
            || timezones->n == max
            || wholesale_names_find(timezones, name, n)
               != WHOLESALE_NAMES_NONE)
        {
            continue;
        }

        memcpy(dst, name, n);
        dst[n] = '\0';

        wholesale_names_add(timezones, dst, n);

        dst += n + 1;
    }

    rc = (timezones->n == 0) ? 1 : 0;

done:

    free(text);

    return rc;
}


static int
wholesale_timezones_load(const char *path, char **text, size_t *len)
{
    FILE  *file;

    file = fopen(path, "rb");

    if (file == NULL) {
        return 1;
    }

    *text = malloc(WHOLESALE_TZDATA_MAX);

    if (*text == NULL) {
        fclose(file);
        return -1;
    }

    *len = fread(*text, 1, WHOLESALE_TZDATA_MAX, file);

    fclose(file);

    return 0;
}


/* how many lines may have a name in them, up to what is allowed */

static size_t
wholesale_timezones_count(const char *text, size_t len)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len && n < WHOLESALE_TIMEZONES_MAX; i++) {
        if ((text[i] == 'Z' || text[i] == 'L')
            && (i == 0 || text[i - 1] == '\n'))
        {
            n++;
        }
    }

    return n;
}


/*
 * Finds the name in "Z America/Los_Angeles -7:52:58 ..." and in
 * "L America/Los_Angeles US/Pacific"; other lines have none.
 */

static size_t
wholesale_timezones_name(const char *line, const char *end, const char **name)
{
    size_t       field, len;
    const char  *p;

    if (end - line < 2 || (line[0] != 'Z' && line[0] != 'L') || line[1] != ' ')
    {
        return 0;
    }

    p = line;

    for (field = (line[0] == 'Z') ? 1 : 2; field; field--) {
        p = memchr(p, ' ', end - p);

        if (p == NULL) {
            return 0;
        }

        p++;
    }

    *name = p;

    while (p < end && *p > ' ' && *p < 0x7f) {
        p++;
    }

    len = p - *name;

    return (len <= WHOLESALE_NAME_MAX) ? len : 0;
}
