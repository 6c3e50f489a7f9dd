
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_near.h>


/* longer ones are not compared */
#define WHOLESALE_NEAR_MAX  64


static size_t wholesale_near_distance(const char *one, size_t one_len,
    const char *two, size_t two_len);
static size_t wholesale_near_min(size_t one, size_t two);
static char wholesale_near_lower(char c);


void
wholesale_near_start(wholesale_near_t *near, const char *text, size_t len)
{
    near->text = text;
    near->len = len;
    near->name = NULL;
    near->distance = (len + 2) / 3 + 1;
}


void
wholesale_near_try(wholesale_near_t *near, const char *name)
{
    size_t  len, distance;

    len = strlen(name);

    if (len > WHOLESALE_NEAR_MAX || near->len > WHOLESALE_NEAR_MAX) {
        return;
    }

    distance = wholesale_near_distance(near->text, near->len, name, len);

    if (distance < near->distance && distance < near->len) {
        near->name = name;
        near->distance = distance;
    }
}


/* Levenshtein's, one row at a time */

static size_t
wholesale_near_distance(const char *one, size_t one_len, const char *two,
    size_t two_len)
{
    size_t  i, j, diagonal, above, row[WHOLESALE_NEAR_MAX + 1];

    for (j = 0; j <= two_len; j++) {
        row[j] = j;
    }

    for (i = 1; i <= one_len; i++) {
        diagonal = row[0];
        row[0] = i;

        for (j = 1; j <= two_len; j++) {
            above = row[j];

            if (wholesale_near_lower(one[i - 1])
                != wholesale_near_lower(two[j - 1]))
            {
                diagonal++;
            }

            row[j] = wholesale_near_min(diagonal,
                                 wholesale_near_min(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }

    return row[two_len];
}


static size_t
wholesale_near_min(size_t one, size_t two)
{
    return one < two ? one : two;
}


static char
wholesale_near_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}
