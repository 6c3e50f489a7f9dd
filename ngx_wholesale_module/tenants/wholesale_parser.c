
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdio.h>
#include <string.h>

#include <wholesale_near.h>
#include <wholesale_parser.h>


#define WHOLESALE_PARSER_KNOWN_SIZE  512


static const wholesale_member_t *wholesale_parser_member(
    const wholesale_member_t *members, const char *name);


void
wholesale_parser_members(wholesale_parser_t *parser, json_t *object,
    const wholesale_member_t *members, void *into)
{
    json_t                    *value;
    const char                *name;
    const wholesale_member_t  *member;

    json_object_foreach(object, name, value) {
        wholesale_path_member(&parser->mistakes, name);

        member = wholesale_parser_member(members, name);

        if (member != NULL) {
            member->set(parser, into, value);

        } else {
            wholesale_parser_unknown(parser, name, members);
        }

        wholesale_path_leave(&parser->mistakes);
    }
}


void
wholesale_parser_unknown(wholesale_parser_t *parser, const char *name,
    const wholesale_member_t *members)
{
    char               known[WHOLESALE_PARSER_KNOWN_SIZE];
    size_t             len;
    wholesale_near_t   near;

    len = 0;
    wholesale_near_start(&near, name, strlen(name));

    for ( /* void */ ; members->name != NULL; members++) {
        wholesale_near_try(&near, members->name);

        len += snprintf(known + len, sizeof(known) - len, "%s\"%s\"",
                        len ? ", " : "", members->name);
    }

    if (near.name != NULL) {
        wholesale_mistake(&parser->mistakes,
                          "is not known; did you mean \"%s\"?", near.name);
        return;
    }

    wholesale_mistake(&parser->mistakes, "is not known; there may be %s",
                      known);
}


void
wholesale_parser_wrong(wholesale_parser_t *parser, const json_t *value,
    const char *expected)
{
    char  found[WHOLESALE_QUOTED_SIZE];

    wholesale_mistake(&parser->mistakes, "%s is not %s",
                      wholesale_parser_found(found, value), expected);
}


const char *
wholesale_parser_found(char *buf, const json_t *value)
{
    size_t       len;
    const char  *text;

    switch (json_typeof(value)) {

    case JSON_OBJECT:
        text = "an object";
        break;

    case JSON_ARRAY:
        text = "a list";
        break;

    case JSON_STRING:
        return wholesale_quote(buf, json_string_value(value),
                               json_string_length(value));

    case JSON_INTEGER:
    case JSON_REAL:
        len = json_dumpb(value, buf, WHOLESALE_QUOTED_SIZE - 1,
                         JSON_ENCODE_ANY);
        buf[len] = '\0';
        return buf;

    case JSON_TRUE:
        text = "true";
        break;

    case JSON_FALSE:
        text = "false";
        break;

    default: /* JSON_NULL */
        text = "null";
        break;
    }

    (void) snprintf(buf, WHOLESALE_QUOTED_SIZE, "%s", text);

    return buf;
}


unsigned
wholesale_parser_flag(wholesale_parser_t *parser, const json_t *value,
    unsigned otherwise)
{
    if (!json_is_boolean(value)) {
        wholesale_parser_wrong(parser, value, "true or false");
        return otherwise;
    }

    return json_is_true(value);
}


int
wholesale_parser_is_name(wholesale_parser_t *parser, const char *name,
    size_t len, const char *whose)
{
    char  quoted[WHOLESALE_QUOTED_SIZE];

    if (wholesale_parser_is_word(name, len, WHOLESALE_TENANTS_NAME_MAX,
                                 "_.-"))
    {
        return 1;
    }

    wholesale_mistake(&parser->mistakes,
                      "%s is not %s name: 1 to %d of A-Z a-z 0-9 _ . - "
                      "are expected",
                      wholesale_quote(quoted, name, len), whose,
                      WHOLESALE_TENANTS_NAME_MAX);

    return 0;
}


const char *
wholesale_parser_name(wholesale_parser_t *parser, const json_t *value,
    const char *whose)
{
    char  found[WHOLESALE_QUOTED_SIZE];

    if (!json_is_string(value)) {
        wholesale_mistake(&parser->mistakes, "%s is not %s name",
                          wholesale_parser_found(found, value), whose);
        return NULL;
    }

    if (!wholesale_parser_is_name(parser, json_string_value(value),
                                  json_string_length(value), whose))
    {
        return NULL;
    }

    return wholesale_parser_text(parser, json_string_value(value),
                                 json_string_length(value));
}


int
wholesale_parser_is_word(const char *text, size_t len, size_t max,
    const char *more)
{
    char    c;
    size_t  i;

    if (len < 1 || len > max) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        c = text[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9'))
        {
            continue;
        }

        if (c == '\0' || strchr(more, c) == NULL) {
            return 0;
        }
    }

    return 1;
}


void *
wholesale_parser_alloc(wholesale_parser_t *parser, size_t size)
{
    void  *p;

    p = wholesale_arena_alloc(parser->arena, size);

    if (p == NULL) {
        parser->mistakes.no_memory = 1;
    }

    return p;
}


char *
wholesale_parser_text(wholesale_parser_t *parser, const char *text, size_t len)
{
    char  *copy;

    copy = wholesale_arena_text(parser->arena, text, len);

    if (copy == NULL) {
        parser->mistakes.no_memory = 1;
    }

    return copy;
}


static const wholesale_member_t *
wholesale_parser_member(const wholesale_member_t *members, const char *name)
{
    for ( /* void */ ; members->name != NULL; members++) {

        if (strcmp(members->name, name) == 0) {
            return members;
        }
    }

    return NULL;
}
