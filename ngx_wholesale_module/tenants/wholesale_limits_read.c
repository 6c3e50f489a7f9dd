
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_parser.h>


/* one limit on its way from the file */

typedef struct {
    wholesale_limit_t  *limit;

    const json_t       *name;
    const json_t       *rate;
    const json_t       *burst;
    const json_t       *quota;
    const json_t       *window;

    unsigned            wrong:1;     /* one of these has the wrong type */
} wholesale_limit_parts_t;


static void wholesale_limit_read(wholesale_parser_t *parser, json_t *value,
    wholesale_limit_t *limit);
static void wholesale_limit_read_name(wholesale_parser_t *parser, void *object,
    const json_t *value);
static void wholesale_limit_read_rate(wholesale_parser_t *parser, void *object,
    const json_t *value);
static void wholesale_limit_read_burst(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_limit_read_quota(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_limit_read_window(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_limit_read_per(wholesale_parser_t *parser, void *object,
    const json_t *value);
static void wholesale_limit_read_dry_run(wholesale_parser_t *parser,
    void *object, const json_t *value);
static void wholesale_limit_parts_type(wholesale_parser_t *parser,
    wholesale_limit_parts_t *parts, const json_t *value, json_type type,
    const char *expected);
static int wholesale_limit_parts_fit(wholesale_parser_t *parser,
    const wholesale_limit_parts_t *parts);
static void wholesale_limit_set(wholesale_parser_t *parser,
    const wholesale_limit_parts_t *parts);
static int wholesale_limit_refused(wholesale_parser_t *parser,
    const char *member, const json_t *value, const char *sentence);
static void wholesale_limits_unique(wholesale_parser_t *parser,
    const wholesale_limit_t *elts, size_t n);


static const wholesale_member_t  wholesale_limit_members[] = {
    { "name", wholesale_limit_read_name },
    { "rate", wholesale_limit_read_rate },
    { "burst", wholesale_limit_read_burst },
    { "quota", wholesale_limit_read_quota },
    { "window", wholesale_limit_read_window },
    { "per", wholesale_limit_read_per },
    { "dryRun", wholesale_limit_read_dry_run },
    { NULL, NULL }
};


void
wholesale_limits_read(wholesale_parser_t *parser, const json_t *value,
    wholesale_limits_t *limits)
{
    size_t              i, n;
    wholesale_limit_t  *elts;

    limits->elts = NULL;
    limits->nelts = 0;

    if (!json_is_array(value)) {
        wholesale_parser_wrong(parser, value, "a list of limits");
        return;
    }

    n = json_array_size(value);

    if (n > WHOLESALE_LIMITS_MAX) {
        wholesale_mistake(&parser->mistakes,
                          "has %zu limits, and %d at most are allowed",
                          n, WHOLESALE_LIMITS_MAX);
        n = WHOLESALE_LIMITS_MAX;
    }

    elts = wholesale_parser_alloc(parser, n * sizeof(wholesale_limit_t));
    if (elts == NULL) {
        return;
    }

    for (i = 0; i < n; i++) {
        wholesale_path_element(&parser->mistakes, i);

        wholesale_limit_read(parser, json_array_get(value, i), &elts[i]);
        wholesale_limits_unique(parser, elts, i);

        wholesale_path_leave(&parser->mistakes);
    }

    limits->elts = elts;
    limits->nelts = n;
}


static void
wholesale_limit_read(wholesale_parser_t *parser, json_t *value,
    wholesale_limit_t *limit)
{
    wholesale_limit_parts_t  parts;

    memset(limit, 0, sizeof(wholesale_limit_t));

    if (!json_is_object(value)) {
        wholesale_parser_wrong(parser, value, "a limit: an object is "
                               "expected");
        return;
    }

    memset(&parts, 0, sizeof(wholesale_limit_parts_t));
    parts.limit = limit;

    wholesale_parser_members(parser, value, wholesale_limit_members, &parts);

    if (parts.name == NULL) {
        wholesale_mistake(&parser->mistakes, "has no \"name\"");
    }

    if (wholesale_limit_parts_fit(parser, &parts) && !parts.wrong) {
        wholesale_limit_set(parser, &parts);
    }
}


static void
wholesale_limit_read_name(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    size_t       len;
    const char  *name;

    parts->name = value;

    name = json_string_value(value);
    len = json_string_length(value);

    if (name == NULL
        || !wholesale_parser_is_word(name, len, WHOLESALE_LIMIT_NAME_MAX,
                                     "_-"))
    {
        wholesale_parser_wrong(parser, value, "a limit's name: 1 to 32 of "
                               "A-Z a-z 0-9 _ - are expected");
        return;
    }

    parts->limit->name = wholesale_parser_text(parser, name, len);
    parts->limit->name_len = len;
}


static void
wholesale_limit_read_rate(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    parts->rate = value;

    wholesale_limit_parts_type(parser, parts, value, JSON_STRING,
                               "a rate: a text like \"10/s\" is expected");
}


static void
wholesale_limit_read_burst(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    parts->burst = value;

    wholesale_limit_parts_type(parser, parts, value, JSON_INTEGER,
                               "a whole number");
}


static void
wholesale_limit_read_quota(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    parts->quota = value;

    wholesale_limit_parts_type(parser, parts, value, JSON_INTEGER,
                               "a whole number");
}


static void
wholesale_limit_read_window(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    parts->window = value;

    wholesale_limit_parts_type(parser, parts, value, JSON_STRING,
                               "a window: a text like \"30s\" is expected");
}


static void
wholesale_limit_read_per(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    const char  *per;

    per = json_string_value(value);

    if (per != NULL && strcmp(per, "tenant") == 0) {
        parts->limit->per = WHOLESALE_LIMIT_PER_TENANT;

    } else if (per != NULL && strcmp(per, "customer") == 0) {
        parts->limit->per = WHOLESALE_LIMIT_PER_CUSTOMER;

    } else {
        wholesale_parser_wrong(parser, value, "\"tenant\" or \"customer\"");
    }
}


static void
wholesale_limit_read_dry_run(wholesale_parser_t *parser, void *object,
    const json_t *value)
{
    wholesale_limit_parts_t  *parts = object;

    parts->limit->dry_run = wholesale_parser_flag(parser, value, 0);
}


static void
wholesale_limit_parts_type(wholesale_parser_t *parser,
    wholesale_limit_parts_t *parts, const json_t *value, json_type type,
    const char *expected)
{
    if (json_typeof(value) != type) {
        wholesale_parser_wrong(parser, value, expected);
        parts->wrong = 1;
    }
}


/* returns 1 if it is a rate or a quota and not something of both */

static int
wholesale_limit_parts_fit(wholesale_parser_t *parser,
    const wholesale_limit_parts_t *parts)
{
    int          rate, quota;
    const char  *sentence;

    rate = parts->rate != NULL || parts->burst != NULL;
    quota = parts->quota != NULL || parts->window != NULL;

    if (rate && quota) {
        sentence = "is a rate and a quota at once: either \"rate\" and "
                   "\"burst\" or \"quota\" and \"window\" are expected";

    } else if (!rate && !quota) {
        sentence = "limits nothing: either \"rate\" and \"burst\" or "
                   "\"quota\" and \"window\" are expected";

    } else if (rate && parts->rate == NULL) {
        sentence = "has \"burst\" and no \"rate\"";

    } else if (quota && parts->quota == NULL) {
        sentence = "has \"window\" and no \"quota\"";

    } else if (quota && parts->window == NULL) {
        sentence = "has \"quota\" and no \"window\"";

    } else {
        return 1;
    }

    wholesale_mistake(&parser->mistakes, "%s", sentence);

    return 0;
}


/*
 * A burst or a quota of 1 fits every rate and window: with it, what is refused
 * is the rate or the window itself.
 */

static void
wholesale_limit_set(wholesale_parser_t *parser,
    const wholesale_limit_parts_t *parts)
{
    size_t              len;
    const char         *text;
    wholesale_limit_t  *limit;

    limit = parts->limit;

    if (parts->rate != NULL) {
        text = json_string_value(parts->rate);
        len = json_string_length(parts->rate);

        if (!wholesale_limit_refused(parser, "rate", parts->rate,
                wholesale_limit_set_rate(limit, text, len, 1))
            && parts->burst != NULL)
        {
            (void) wholesale_limit_refused(parser, "burst", parts->burst,
                       wholesale_limit_set_rate(limit, text, len,
                                            json_integer_value(parts->burst)));
        }

        return;
    }

    text = json_string_value(parts->window);
    len = json_string_length(parts->window);

    if (!wholesale_limit_refused(parser, "window", parts->window,
            wholesale_limit_set_quota(limit, 1, text, len)))
    {
        (void) wholesale_limit_refused(parser, "quota", parts->quota,
                   wholesale_limit_set_quota(limit,
                                             json_integer_value(parts->quota),
                                             text, len));
    }
}


static int
wholesale_limit_refused(wholesale_parser_t *parser, const char *member,
    const json_t *value, const char *sentence)
{
    char  found[WHOLESALE_QUOTED_SIZE];

    if (sentence == NULL) {
        return 0;
    }

    wholesale_path_member(&parser->mistakes, member);
    wholesale_mistake(&parser->mistakes, "%s %s",
                      wholesale_parser_found(found, value), sentence);
    wholesale_path_leave(&parser->mistakes);

    return 1;
}


/* the limit number "n" against those before it */

static void
wholesale_limits_unique(wholesale_parser_t *parser,
    const wholesale_limit_t *elts, size_t n)
{
    size_t  i;

    if (elts[n].name == NULL) {
        return;
    }

    for (i = 0; i < n; i++) {

        if (elts[i].name != NULL && strcmp(elts[i].name, elts[n].name) == 0) {
            wholesale_path_member(&parser->mistakes, "name");
            wholesale_mistake(&parser->mistakes,
                              "\"%s\" is the name of limits[%zu] already",
                              elts[n].name, i);
            wholesale_path_leave(&parser->mistakes);
            return;
        }
    }
}
