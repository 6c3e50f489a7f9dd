
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdio.h>
#include <string.h>

#include <wholesale_reader.h>


#define WHOLESALE_READER_PLACE_SIZE  64


static json_t *wholesale_reader_name(wholesale_reader_t *reader);
static int wholesale_reader_expect(wholesale_reader_t *reader, char c,
    const char *sentence);
static void wholesale_reader_blanks(wholesale_reader_t *reader);
static int wholesale_reader_wrong(wholesale_reader_t *reader,
    const json_error_t *error);
static void wholesale_reader_place(const wholesale_reader_t *reader,
    const json_error_t *error, char *place);


int
wholesale_reader_at_object(wholesale_reader_t *reader)
{
    wholesale_reader_blanks(reader);

    return reader->pos < reader->len && reader->text[reader->pos] == '{';
}


int
wholesale_reader_object(wholesale_reader_t *reader,
    wholesale_reader_member_pt member, void *data)
{
    int      rc;
    json_t  *name;

    if (wholesale_reader_expect(reader, '{', "'{' expected") != 0) {
        return -1;
    }

    wholesale_reader_blanks(reader);

    if (reader->pos < reader->len && reader->text[reader->pos] == '}') {
        reader->pos++;
        return 0;
    }

    for ( ;; ) {
        name = wholesale_reader_name(reader);
        if (name == NULL) {
            return -1;
        }

        rc = member(reader, data, json_string_value(name));

        json_decref(name);

        if (rc != 0) {
            return -1;
        }

        wholesale_reader_blanks(reader);

        if (reader->pos < reader->len && reader->text[reader->pos] == '}') {
            reader->pos++;
            return 0;
        }

        if (wholesale_reader_expect(reader, ',', "',' or '}' expected") != 0) {
            return -1;
        }
    }
}


json_t *
wholesale_reader_value(wholesale_reader_t *reader)
{
    char           place[WHOLESALE_READER_PLACE_SIZE];
    size_t         flags;
    json_t        *value;
    const char    *text;
    json_error_t   error;

    wholesale_reader_blanks(reader);

    text = reader->text + reader->pos;
    flags = JSON_DECODE_ANY|JSON_DISABLE_EOF_CHECK;

    value = json_loadb(text, reader->len - reader->pos,
                       flags|JSON_REJECT_DUPLICATES, &error);

    /* without a text there is no code: jansson had no memory */

    if (value == NULL && error.text[0] != '\0'
        && json_error_code(&error) == json_error_duplicate_key)
    {
        wholesale_reader_place(reader, &error, place);
        wholesale_mistake(reader->mistakes, "has a member twice: %s", place);

        value = json_loadb(text, reader->len - reader->pos, flags, &error);
    }

    if (value == NULL) {
        (void) wholesale_reader_wrong(reader, &error);
        return NULL;
    }

    reader->pos += (size_t) error.position;

    return value;
}


int
wholesale_reader_end(wholesale_reader_t *reader)
{
    json_error_t  error;

    wholesale_reader_blanks(reader);

    if (reader->pos == reader->len) {
        return 0;
    }

    error.line = 1;
    error.column = 1;
    (void) snprintf(error.text, sizeof(error.text), "end of file expected");

    return wholesale_reader_wrong(reader, &error);
}


/* a member's name and the colon; returns a new reference or NULL */

static json_t *
wholesale_reader_name(wholesale_reader_t *reader)
{
    json_t  *name;

    if (wholesale_reader_expect(reader, '"', "a name expected") != 0) {
        return NULL;
    }

    reader->pos--;

    name = wholesale_reader_value(reader);
    if (name == NULL) {
        return NULL;
    }

    if (wholesale_reader_expect(reader, ':', "':' expected") != 0) {
        json_decref(name);
        return NULL;
    }

    return name;
}


static int
wholesale_reader_expect(wholesale_reader_t *reader, char c,
    const char *sentence)
{
    json_error_t  error;

    wholesale_reader_blanks(reader);

    if (reader->pos < reader->len && reader->text[reader->pos] == c) {
        reader->pos++;
        return 0;
    }

    error.line = 1;
    error.column = 1;
    (void) snprintf(error.text, sizeof(error.text), "%s", sentence);

    return wholesale_reader_wrong(reader, &error);
}


static void
wholesale_reader_blanks(wholesale_reader_t *reader)
{
    char  c;

    while (reader->pos < reader->len) {
        c = reader->text[reader->pos];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return;
        }

        reader->pos++;
    }
}


/* notes an error of jansson, or one like it, relative to the position */

static int
wholesale_reader_wrong(wholesale_reader_t *reader, const json_error_t *error)
{
    char         place[WHOLESALE_READER_PLACE_SIZE], sentence[256];
    const char  *near;

    if (error->text[0] == '\0') {
        reader->mistakes->no_memory = 1;
        return -1;
    }

    wholesale_reader_place(reader, error, place);

    /* what it says to be near may be a part of a key */

    near = strstr(error->text, " near '");

    (void) snprintf(sentence, sizeof(sentence), "is not JSON: %.*s",
                    near ? (int) (near - error->text) : JSON_ERROR_TEXT_LENGTH,
                    error->text);

    reader->mistakes->offset = reader->pos;

    wholesale_mistake_at(reader->mistakes, place, sentence);

    return -1;
}


static void
wholesale_reader_place(const wholesale_reader_t *reader,
    const json_error_t *error, char *place)
{
    size_t  i, line, column;

    line = 1;
    column = 0;

    for (i = 0; i < reader->pos; i++) {

        if (reader->text[i] == '\n') {
            line++;
            column = 0;

        } else if ((reader->text[i] & 0xc0) != 0x80) {

            /* a byte that goes on with a character is no column */

            column++;
        }
    }

    if (error->line > 1) {
        column = 0;
    }

    (void) snprintf(place, WHOLESALE_READER_PLACE_SIZE,
                    "line %zu, column %zu", line + (size_t) error->line - 1,
                    column + (size_t) error->column);
}
