
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <wholesale_json.h>
#include <wholesale_json_fault.h>
#include <wholesale_json_token.h>


#define WHOLESALE_JSON_BOM        "\xef\xbb\xbf"

/* a name that is longer is not shown, so there is no room for it */
#define WHOLESALE_JSON_NAME_ROOM  (WHOLESALE_PLACE_SHOWN_MAX + 2)

/* a sentence of ours with one text of the client in it */
#define WHOLESALE_JSON_SENTENCE   (WHOLESALE_QUOTED_MAX + 128)


typedef enum {
    WHOLESALE_JSON_VALUE = 0,
    WHOLESALE_JSON_VALUE_OR_END,        /* after "[" */
    WHOLESALE_JSON_NAME,
    WHOLESALE_JSON_NAME_OR_END,         /* after "{" */
    WHOLESALE_JSON_COLON,
    WHOLESALE_JSON_COMMA_OR_END,        /* in an array */
    WHOLESALE_JSON_COMMA_OR_BRACE,      /* in an object */
    WHOLESALE_JSON_DONE
} wholesale_json_state_e;


/* an array or object which is not closed yet */

typedef struct {
    char                     bracket;
    size_t                   index;     /* of an array's element */
    const char              *name;      /* of an object's member, its quote */
} wholesale_json_level_t;


typedef struct {
    const char              *text;
    const char              *p;
    const char              *end;

    wholesale_json_fault_e   fault;
    size_t                   position;

    wholesale_json_state_e   state;
    wholesale_json_level_t   levels[WHOLESALE_JSON_DEPTH];
    size_t                   depth;

    wholesale_problems_t    *problems;
} wholesale_json_reader_t;


/* a string's text, decoded: as much of it as there is room for, and a zero */

typedef struct {
    char                     data[WHOLESALE_JSON_NAME_ROOM];
    size_t                   len;
} wholesale_json_text_t;


static void wholesale_json_start(wholesale_json_reader_t *reader,
    const char *text, size_t len, wholesale_problems_t *problems);
static int wholesale_json_run(wholesale_json_reader_t *reader,
    const char *end);
static int wholesale_json_step(wholesale_json_reader_t *reader);
static int wholesale_json_value(wholesale_json_reader_t *reader);
static int wholesale_json_open(wholesale_json_reader_t *reader);
static int wholesale_json_close(wholesale_json_reader_t *reader);
static int wholesale_json_name(wholesale_json_reader_t *reader);
static void wholesale_json_after(wholesale_json_reader_t *reader);
static int wholesale_json_literal(wholesale_json_reader_t *reader);
static int wholesale_json_string(wholesale_json_reader_t *reader,
    wholesale_json_text_t *decoded);
static int wholesale_json_escape(wholesale_json_reader_t *reader,
    wholesale_json_text_t *decoded);
static int wholesale_json_unicode(wholesale_json_reader_t *reader,
    wholesale_json_text_t *decoded);
static void wholesale_json_append(wholesale_json_text_t *decoded,
    uint32_t c);
static int wholesale_json_unexpected(wholesale_json_reader_t *reader);
static size_t wholesale_json_token(const char *p, const char *end);
static int wholesale_json_tell(wholesale_json_reader_t *reader,
    const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int wholesale_json_tell_name(wholesale_json_reader_t *reader,
    const char *at);
static void wholesale_json_where(const char *text, const char *at,
    size_t *line, size_t *column);


static const wholesale_place_t  wholesale_json_root;


/* by wholesale_json_state_e */

static const char *const  wholesale_json_expected[] = {
    "a value",
    "a value or \"]\"",
    "a member's name in double quotes",
    "a member's name in double quotes or \"}\"",
    "\":\" after the member's name",
    "\",\" or \"]\"",
    "\",\" or \"}\"",
    "nothing more"
};


int
wholesale_json_fault(const char *text, size_t len, const char *what,
    wholesale_json_fault_e fault, size_t position,
    wholesale_problems_t *problems)
{
    wholesale_json_reader_t  reader;

    wholesale_json_start(&reader, text, len, problems);

    reader.fault = fault;
    reader.position = position;

    if (wholesale_json_run(&reader, reader.end) != 0) {
        return 0;
    }

    if (reader.state == WHOLESALE_JSON_DONE) {
        return -1;
    }

    (void) wholesale_json_tell(&reader, reader.p, "%s ends here, where %s is "
                               "expected", what,
                               wholesale_json_expected[reader.state]);

    return 0;
}


void
wholesale_json_fault_depth(const char *text, size_t len, size_t position,
    wholesale_problems_t *problems)
{
    wholesale_json_reader_t  reader;

    wholesale_json_start(&reader, text, len, problems);

    if (wholesale_json_run(&reader, text + position) != 0) {
        return;
    }

    if (reader.state != WHOLESALE_JSON_VALUE
        && reader.state != WHOLESALE_JSON_VALUE_OR_END)
    {
        (void) wholesale_json_unexpected(&reader);
        return;
    }

    (void) wholesale_json_tell(&reader, reader.p, "more than %d levels of "
                               "nesting", WHOLESALE_JSON_DEPTH);
}


void
wholesale_json_fault_number(const char *text, size_t position, size_t len,
    wholesale_problems_t *problems)
{
    wholesale_json_reader_t  reader;

    wholesale_json_start(&reader, text, position + len, problems);

    (void) wholesale_json_tell(&reader, text + position, "the number that "
                               "begins here has %zu characters, at most %d "
                               "are allowed", len, WHOLESALE_JSON_NUMBER_MAX);
}


static void
wholesale_json_start(wholesale_json_reader_t *reader, const char *text,
    size_t len, wholesale_problems_t *problems)
{
    memset(reader, 0, sizeof(wholesale_json_reader_t));

    reader->text = text;
    reader->p = text;
    reader->end = text + len;
    reader->problems = problems;
}


/*
 * These return 0, or -1 if there is a fault, which has been told then.  The
 * first reads up to "end", which is in no token unless a fault is before it.
 */

static int
wholesale_json_run(wholesale_json_reader_t *reader, const char *end)
{
    if (reader->end - reader->p >= (ptrdiff_t) sizeof(WHOLESALE_JSON_BOM) - 1
        && memcmp(reader->p, WHOLESALE_JSON_BOM,
                  sizeof(WHOLESALE_JSON_BOM) - 1)
           == 0)
    {
        return wholesale_json_tell(reader, reader->p, "a byte order mark may "
                                   "not stand before JSON");
    }

    for ( ;; ) {

        while (reader->p < end
               && (*reader->p == ' ' || *reader->p == '\t'
                   || *reader->p == '\n' || *reader->p == '\r'))
        {
            reader->p++;
        }

        if (reader->p == end) {
            return 0;
        }

        if (wholesale_json_step(reader) != 0) {
            return -1;
        }
    }
}


static int
wholesale_json_step(wholesale_json_reader_t *reader)
{
    char  c;

    c = *reader->p;

    switch (reader->state) {

    case WHOLESALE_JSON_VALUE_OR_END:
    case WHOLESALE_JSON_NAME_OR_END:
    case WHOLESALE_JSON_COMMA_OR_END:
    case WHOLESALE_JSON_COMMA_OR_BRACE:
        if (c == ']' || c == '}') {
            return wholesale_json_close(reader);
        }

        break;

    default:
        break;
    }

    switch (reader->state) {

    case WHOLESALE_JSON_VALUE:
    case WHOLESALE_JSON_VALUE_OR_END:
        return wholesale_json_value(reader);

    case WHOLESALE_JSON_NAME:
    case WHOLESALE_JSON_NAME_OR_END:
        return wholesale_json_name(reader);

    case WHOLESALE_JSON_COLON:
        if (c == ':') {
            reader->p++;
            reader->state = WHOLESALE_JSON_VALUE;
            return 0;
        }

        break;

    case WHOLESALE_JSON_COMMA_OR_END:
        if (c == ',') {
            reader->p++;
            reader->levels[reader->depth - 1].index++;
            reader->state = WHOLESALE_JSON_VALUE;
            return 0;
        }

        break;

    case WHOLESALE_JSON_COMMA_OR_BRACE:
        if (c == ',') {
            reader->p++;
            reader->state = WHOLESALE_JSON_NAME;
            return 0;
        }

        break;

    default: /* WHOLESALE_JSON_DONE */
        break;
    }

    return wholesale_json_unexpected(reader);
}


static int
wholesale_json_value(wholesale_json_reader_t *reader)
{
    char         quoted[WHOLESALE_QUOTED_MAX];
    const char  *next;

    switch (*reader->p) {

    case '{':
    case '[':
        return wholesale_json_open(reader);

    case '"':
        if (wholesale_json_string(reader, NULL) != 0) {
            return -1;
        }

        break;

    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        next = wholesale_json_number(reader->p, reader->end);

        if (next == NULL) {
            (void) wholesale_text_quote(quoted, reader->p,
                                        wholesale_json_token(reader->p,
                                                             reader->end));

            return wholesale_json_tell(reader, reader->p, "%s is not how JSON "
                                       "writes a number", quoted);
        }

        reader->p = next;
        break;

    default:
        if (wholesale_json_literal(reader) != 0) {
            return -1;
        }
    }

    wholesale_json_after(reader);

    return 0;
}


static int
wholesale_json_open(wholesale_json_reader_t *reader)
{
    wholesale_json_level_t  *level;

    level = &reader->levels[reader->depth++];

    level->bracket = *reader->p++;
    level->index = 0;
    level->name = NULL;

    reader->state = (level->bracket == '[') ? WHOLESALE_JSON_VALUE_OR_END
                                            : WHOLESALE_JSON_NAME_OR_END;
    return 0;
}


static int
wholesale_json_close(wholesale_json_reader_t *reader)
{
    char  bracket;

    bracket = reader->levels[reader->depth - 1].bracket;

    if (*reader->p != ((bracket == '[') ? ']' : '}')) {
        return wholesale_json_unexpected(reader);
    }

    reader->p++;
    reader->depth--;

    wholesale_json_after(reader);

    return 0;
}


static int
wholesale_json_name(wholesale_json_reader_t *reader)
{
    const char  *name;

    name = reader->p;

    if (*name != '"') {
        return wholesale_json_unexpected(reader);
    }

    reader->levels[reader->depth - 1].name = name;

    if (wholesale_json_string(reader, NULL) != 0) {
        return -1;
    }

    if (reader->fault != WHOLESALE_JSON_FAULT_SYNTAX
        && (size_t) (reader->p - reader->text) == reader->position)
    {
        return wholesale_json_tell_name(reader, name);
    }

    reader->state = WHOLESALE_JSON_COLON;

    return 0;
}


static void
wholesale_json_after(wholesale_json_reader_t *reader)
{
    if (reader->depth == 0) {
        reader->state = WHOLESALE_JSON_DONE;
        return;
    }

    reader->state = (reader->levels[reader->depth - 1].bracket == '[')
                    ? WHOLESALE_JSON_COMMA_OR_END
                    : WHOLESALE_JSON_COMMA_OR_BRACE;
}


static int
wholesale_json_literal(wholesale_json_reader_t *reader)
{
    size_t       i, len;
    const char  *p;

    static const char *const  literals[] = { "true", "false", "null" };

    for (p = reader->p;
         p < reader->end && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z';
         p++)
    {
        /* void */
    }

    len = p - reader->p;

    for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        if (len == strlen(literals[i])
            && memcmp(reader->p, literals[i], len) == 0)
        {
            reader->p = p;
            return 0;
        }
    }

    return wholesale_json_unexpected(reader);
}


/* reads the string at reader->p; "decoded" may be NULL */

static int
wholesale_json_string(wholesale_json_reader_t *reader,
    wholesale_json_text_t *decoded)
{
    uint32_t     c;
    const char  *start, *at;

    start = reader->p++;

    while (reader->p < reader->end) {
        at = reader->p;

        if (*at == '"') {
            reader->p++;
            return 0;
        }

        if (*at == '\\') {
            if (wholesale_json_escape(reader, decoded) != 0) {
                return -1;
            }

            continue;
        }

        if (*at == '\n' || *at == '\r') {
            return wholesale_json_tell(reader, start, "the string that begins "
                                       "here has no end on its line");
        }

        c = wholesale_text_decode(&reader->p, reader->end);

        if (c == WHOLESALE_NOT_UTF8) {
            return wholesale_json_tell(reader, at, "the byte 0x%02X is not "
                                       "UTF-8", (unsigned char) *at);
        }

        if (c < 0x20) {
            return wholesale_json_tell(reader, at, "the control character "
                                       "U+%04X has to be escaped in a string",
                                       (unsigned) c);
        }

        wholesale_json_append(decoded, c);
    }

    return wholesale_json_tell(reader, start, "the string that begins here "
                               "has no end");
}


static int
wholesale_json_escape(wholesale_json_reader_t *reader,
    wholesale_json_text_t *decoded)
{
    char         quoted[WHOLESALE_QUOTED_MAX];
    const char  *p, *at, *found;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  meanings[] = "\"\\/\b\f\n\r\t";

    at = reader->p;

    if (reader->end - at < 2) {
        reader->p = reader->end;
        return 0;
    }

    if (at[1] == 'u') {
        return wholesale_json_unicode(reader, decoded);
    }

    found = (at[1] == '\0') ? NULL : strchr(escapes, at[1]);

    if (found == NULL) {
        p = at + 1;
        (void) wholesale_text_decode(&p, reader->end);
        (void) wholesale_text_quote(quoted, at, p - at);

        return wholesale_json_tell(reader, at, "%s is no escape of JSON",
                                   quoted);
    }

    wholesale_json_append(decoded,
                          (unsigned char) meanings[found - escapes]);
    reader->p += 2;

    return 0;
}


static int
wholesale_json_unicode(wholesale_json_reader_t *reader,
    wholesale_json_text_t *decoded)
{
    uint32_t     c, low;
    const char  *at;

    at = reader->p;
    c = wholesale_json_escaped(at, reader->end);

    if (c == WHOLESALE_JSON_NOT_HEX) {
        return wholesale_json_tell(reader, at, "the escape that begins here "
                                   "needs four hexadecimal digits");
    }

    reader->p += WHOLESALE_JSON_ESCAPE;

    if (c >= WHOLESALE_JSON_HIGH && c < WHOLESALE_JSON_LOW) {
        low = wholesale_json_escaped(reader->p, reader->end);

        if (low < WHOLESALE_JSON_LOW || low >= WHOLESALE_JSON_LOW_END) {
            return wholesale_json_tell(reader, at, "the escape that begins "
                                       "here is half of a surrogate pair");
        }

        c = 0x10000 + ((c - WHOLESALE_JSON_HIGH) << 10)
            + (low - WHOLESALE_JSON_LOW);

        reader->p += WHOLESALE_JSON_ESCAPE;

    } else if (c >= WHOLESALE_JSON_LOW && c < WHOLESALE_JSON_LOW_END) {
        return wholesale_json_tell(reader, at, "the escape that begins here "
                                   "is half of a surrogate pair");
    }

    wholesale_json_append(decoded, c);

    return 0;
}


static void
wholesale_json_append(wholesale_json_text_t *decoded, uint32_t c)
{
    char    encoded[WHOLESALE_UTF8_MAX];
    size_t  i, n;

    if (decoded == NULL) {
        return;
    }

    n = wholesale_text_encode(encoded, c);

    for (i = 0; i < n && decoded->len < sizeof(decoded->data) - 1; i++) {
        decoded->data[decoded->len++] = encoded[i];
    }

    decoded->data[decoded->len] = '\0';
}


static int
wholesale_json_unexpected(wholesale_json_reader_t *reader)
{
    char         quoted[WHOLESALE_QUOTED_MAX];
    const char  *p;

    p = reader->p;

    if (wholesale_text_decode(&p, reader->end) == WHOLESALE_NOT_UTF8) {
        return wholesale_json_tell(reader, reader->p, "the byte 0x%02X is not "
                                   "UTF-8", (unsigned char) *reader->p);
    }

    (void) wholesale_text_quote(quoted, reader->p,
                                wholesale_json_token(reader->p, reader->end));

    return wholesale_json_tell(reader, reader->p, "%s is expected, not %s",
                               wholesale_json_expected[reader->state], quoted);
}


/* returns the length of what a reader would take for one word */

static size_t
wholesale_json_token(const char *p, const char *end)
{
    const char  *start;

    for (start = p; p < end; p++) {
        if ((unsigned char) *p <= ' ' || strchr("{}[],:\"", *p)) {
            break;
        }
    }

    return (p == start) ? 1 : p - start;
}


static int
wholesale_json_tell(wholesale_json_reader_t *reader, const char *at,
    const char *format, ...)
{
    char     sentence[WHOLESALE_JSON_SENTENCE];
    size_t   line, column;
    va_list  args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);

    wholesale_json_where(reader->text, at, &line, &column);

    wholesale_problems_add(reader->problems, &wholesale_json_root,
                           WHOLESALE_PROBLEM_OTHER, "line %zu, column %zu: %s",
                           line, column, sentence);
    return -1;
}


/* tells of the name at "at", by the way to it from the root */

static int
wholesale_json_tell_name(wholesale_json_reader_t *reader, const char *at)
{
    size_t                   i, depth, line, column;
    wholesale_place_t        places[WHOLESALE_JSON_DEPTH + 1];
    wholesale_json_text_t    names[WHOLESALE_JSON_DEPTH];
    wholesale_json_level_t  *level;

    depth = reader->depth;

    if (reader->fault == WHOLESALE_JSON_FAULT_NUL) {
        /* that name has no place: it cannot be written */
        depth--;
    }

    memset(places, 0, sizeof(places));

    for (i = 0; i < depth; i++) {
        level = &reader->levels[i];

        places[i + 1].parent = &places[i];
        places[i + 1].index = level->index;

        if (level->bracket == '[') {
            continue;
        }

        names[i].len = 0;
        names[i].data[0] = '\0';

        reader->p = level->name;
        (void) wholesale_json_string(reader, &names[i]);

        places[i + 1].name = names[i].data;
        places[i + 1].foreign = 1;
    }

    wholesale_json_where(reader->text, at, &line, &column);

    wholesale_problems_add(reader->problems, &places[depth],
                           WHOLESALE_PROBLEM_OTHER,
                           "line %zu, column %zu: %s", line, column,
                           (reader->fault == WHOLESALE_JSON_FAULT_NUL)
                           ? "the name that begins here has \\u0000 in it"
                           : "the name that begins here is in its object "
                             "twice; what follows it was not looked at");
    return -1;
}


/* counts from 1; a column is a character */

static void
wholesale_json_where(const char *text, const char *at, size_t *line,
    size_t *column)
{
    const char  *p, *start;

    *line = 1;
    start = text;

    for (p = text; p < at; p++) {
        if (*p == '\n') {
            (*line)++;
            start = p + 1;
        }
    }

    *column = wholesale_text_length(start, at - start) + 1;
}
