
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wholesale_mistakes.h>


/* a step is at most a quoted text in brackets */
#define WHOLESALE_PATH_SIZE                                                   \
    (WHOLESALE_PATH_STEPS_MAX * (WHOLESALE_QUOTED_SIZE + 2) + 1)

#define WHOLESALE_SENTENCE_SIZE  1024


static void wholesale_mistake_keep(wholesale_mistakes_t *mistakes,
    const char *path, const char *sentence);
static void wholesale_path_text(const wholesale_mistakes_t *mistakes,
    char *buf, size_t size);
static int wholesale_path_plain(const char *name);
static int wholesale_mistake_compare(const void *one, const void *two);
static size_t wholesale_quote_char(char *buf, const unsigned char *text,
    size_t len);
static size_t wholesale_char_len(unsigned char first);


void
wholesale_path_member(wholesale_mistakes_t *mistakes, const char *name)
{
    mistakes->steps[mistakes->nsteps].name = name;
    mistakes->nsteps++;
}


void
wholesale_path_element(wholesale_mistakes_t *mistakes, size_t element)
{
    mistakes->steps[mistakes->nsteps].name = NULL;
    mistakes->steps[mistakes->nsteps].element = element;
    mistakes->nsteps++;
}


void
wholesale_path_leave(wholesale_mistakes_t *mistakes)
{
    mistakes->nsteps--;
}


void
wholesale_mistake(wholesale_mistakes_t *mistakes, const char *format, ...)
{
    char     path[WHOLESALE_PATH_SIZE], sentence[WHOLESALE_SENTENCE_SIZE];
    va_list  args;

    if (mistakes->count >= WHOLESALE_MISTAKES_MAX) {
        mistakes->count++;
        return;
    }

    wholesale_path_text(mistakes, path, sizeof(path));

    va_start(args, format);
    (void) vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);

    wholesale_mistake_keep(mistakes, path, sentence);
}


void
wholesale_mistake_at(wholesale_mistakes_t *mistakes, const char *place,
    const char *sentence)
{
    if (mistakes->count >= WHOLESALE_MISTAKES_MAX) {
        mistakes->count++;
        return;
    }

    wholesale_mistake_keep(mistakes, place, sentence);
}


void
wholesale_mistakes_tell(wholesale_mistakes_t *mistakes,
    wholesale_mistake_pt mistake, void *data)
{
    char    sentence[64];
    size_t  i, n;

    n = mistakes->count;

    if (n > WHOLESALE_MISTAKES_MAX) {
        n = WHOLESALE_MISTAKES_MAX;
    }

    qsort(mistakes->kept, n, sizeof(wholesale_mistake_t),
          wholesale_mistake_compare);

    for (i = 0; i < n; i++) {
        mistake(data, mistakes->kept[i].path, mistakes->kept[i].sentence);
    }

    if (mistakes->count > n) {
        (void) snprintf(sentence, sizeof(sentence), "and %zu more",
                        mistakes->count - n);
        mistake(data, "the file", sentence);
    }
}


const char *
wholesale_quote(char *buf, const char *text, size_t len)
{
    char    *p;
    size_t   i, n;

    p = buf;
    *p++ = '"';

    for (i = 0; i < len; i += n) {

        n = wholesale_char_len((unsigned char) text[i]);

        if (i + n > len || i + n > WHOLESALE_TENANTS_QUOTED_MAX) {
            p += snprintf(p, sizeof("..."), "...");
            break;
        }

        p += wholesale_quote_char(p, (const unsigned char *) &text[i], n);
    }

    *p++ = '"';
    *p = '\0';

    return buf;
}


static void
wholesale_mistake_keep(wholesale_mistakes_t *mistakes, const char *path,
    const char *sentence)
{
    wholesale_mistake_t  *kept;

    kept = &mistakes->kept[mistakes->count];

    kept->offset = mistakes->offset;
    kept->order = mistakes->count;
    kept->path = wholesale_arena_text(mistakes->arena, path, strlen(path));
    kept->sentence = wholesale_arena_text(mistakes->arena, sentence,
                                          strlen(sentence));

    if (kept->path == NULL || kept->sentence == NULL) {
        mistakes->no_memory = 1;
        return;
    }

    mistakes->count++;
}


static void
wholesale_path_text(const wholesale_mistakes_t *mistakes, char *buf,
    size_t size)
{
    char                          quoted[WHOLESALE_QUOTED_SIZE];
    char                         *end;
    size_t                        i;
    const wholesale_path_step_t  *step;

    end = buf + size;

    if (mistakes->nsteps == 0) {
        (void) snprintf(buf, size, "the file");
        return;
    }

    for (i = 0; i < mistakes->nsteps; i++) {
        step = &mistakes->steps[i];

        if (step->name == NULL) {
            buf += snprintf(buf, end - buf, "[%zu]", step->element);

        } else if (wholesale_path_plain(step->name)) {
            buf += snprintf(buf, end - buf, "%s%s", i == 0 ? "" : ".",
                            step->name);

        } else {
            (void) wholesale_quote(quoted, step->name, strlen(step->name));
            buf += snprintf(buf, end - buf, "[%s]", quoted);
        }
    }
}


/* a name with a dot in it would read as two */

static int
wholesale_path_plain(const char *name)
{
    size_t  len;

    len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789_-");

    return len >= 1
           && len <= WHOLESALE_TENANTS_QUOTED_MAX
           && name[len] == '\0';
}


static int
wholesale_mistake_compare(const void *one, const void *two)
{
    const wholesale_mistake_t  *a, *b;

    a = one;
    b = two;

    if (a->offset != b->offset) {
        return a->offset < b->offset ? -1 : 1;
    }

    return a->order < b->order ? -1 : 1;
}


/* in JSON's own way, so that what is not ASCII can be found in the file */

static size_t
wholesale_quote_char(char *buf, const unsigned char *text, size_t len)
{
    unsigned  code;

    if (len == 1 && text[0] >= ' ' && text[0] < 0x7f) {

        if (text[0] == '"' || text[0] == '\\') {
            buf[0] = '\\';
            buf[1] = (char) text[0];
            return 2;
        }

        buf[0] = (char) text[0];
        return 1;
    }

    switch (len) {

    case 1:
        code = text[0];
        break;

    case 2:
        code = (text[0] & 0x1f) << 6 | (text[1] & 0x3f);
        break;

    case 3:
        code = (text[0] & 0x0f) << 12 | (text[1] & 0x3f) << 6
               | (text[2] & 0x3f);
        break;

    default:
        code = (text[0] & 0x07) << 18 | (text[1] & 0x3f) << 12
               | (text[2] & 0x3f) << 6 | (text[3] & 0x3f);

        return snprintf(buf, sizeof("\\u0000\\u0000"), "\\u%04x\\u%04x",
                        0xd800 + ((code - 0x10000) >> 10 & 0x3ff),
                        0xdc00 + (code & 0x3ff));
    }

    return snprintf(buf, sizeof("\\u0000"), "\\u%04x", code & 0xffff);
}


static size_t
wholesale_char_len(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }

    if (first < 0xe0) {
        return 2;
    }

    return first < 0xf0 ? 3 : 4;
}
