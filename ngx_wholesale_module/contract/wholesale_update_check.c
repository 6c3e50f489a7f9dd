
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <wholesale_email.h>
#include <wholesale_json.h>
#include <wholesale_text.h>
#include <wholesale_update_check.h>


/* the last whole number that every JSON parser keeps as it is: RFC 8259, 6 */
#define WHOLESALE_PACKAGE_LIMIT_MAX  INT64_C(9007199254740991)

/* "is not a known package; known are " and a list */
#define WHOLESALE_KNOWN_MAX          (WHOLESALE_LIST_MAX + 64)


static int wholesale_check_listed(const wholesale_catalogue_t *catalogue,
    json_t *value, uint8_t *listed);
static void wholesale_check_element(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *element, const uint8_t *listed);
static int wholesale_check_is_met(const wholesale_addon_t *addon,
    const uint8_t *listed);
static void wholesale_check_unmet(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value,
    const wholesale_addon_t *addon);
static int wholesale_check_is_limit(const json_t *limit);
static void wholesale_check_package(const wholesale_update_t *update,
    const wholesale_place_t *place, const char *name, size_t len);


/*
 * The list may name a package twice, and an add-on may stand before what it
 * needs.  So the whole list is read first, and a second time if there is
 * something to tell.
 */

void
wholesale_check_packages(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value)
{
    size_t             i, n;
    uint8_t            listed[WHOLESALE_PACKAGES_MAX / 8];
    wholesale_place_t  child;

    n = json_array_size(value);

    if (n == 0) {
        if (!update->rules->allow_empty_packages) {
            wholesale_problems_add(update->problems, place,
                                   WHOLESALE_PROBLEM_SIZE,
                                   "at least one package is required, for an "
                                   "empty list removes all of them");
        }

        return;
    }

    memset(listed, 0, sizeof(listed));

    if (wholesale_check_listed(update->catalogue, value, listed)) {
        return;
    }

    child.parent = place;
    child.name = NULL;
    child.foreign = 0;

    for (i = 0; i < n; i++) {
        child.index = i;
        wholesale_check_element(update, &child, json_array_get(value, i),
                                listed);
    }
}


/* marks what is in the list, returns 1 if nothing is wrong with it */

static int
wholesale_check_listed(const wholesale_catalogue_t *catalogue, json_t *value,
    uint8_t *listed)
{
    int      right;
    size_t   i, n, package;
    json_t  *element;

    right = 1;
    n = json_array_size(value);

    for (i = 0; i < n; i++) {
        element = json_array_get(value, i);
        package = WHOLESALE_NAMES_NONE;

        if (json_is_string(element)) {
            package = wholesale_catalogue_package(catalogue,
                                                  json_string_value(element),
                                                  json_string_length(element));
        }

        if (package == WHOLESALE_NAMES_NONE) {
            right = 0;
            continue;
        }

        listed[package / 8] |= 1 << (package % 8);
    }

    for (package = 0; package < catalogue->packages.n; package++) {
        if (listed[package / 8] & (1 << (package % 8))
            && !wholesale_check_is_met(&catalogue->addons[package], listed))
        {
            right = 0;
        }
    }

    return right;
}


static void
wholesale_check_element(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *element, const uint8_t *listed)
{
    char                      described[WHOLESALE_JSON_DESCRIBED_MAX];
    size_t                    package;
    const wholesale_addon_t  *addon;

    if (!json_is_string(element)) {
        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_OTHER,
                               "has to be a string, not %s",
                               wholesale_json_describe(described, element));
        return;
    }

    package = wholesale_catalogue_package(update->catalogue,
                                          json_string_value(element),
                                          json_string_length(element));

    if (package == WHOLESALE_NAMES_NONE) {
        wholesale_check_package(update, place, json_string_value(element),
                                json_string_length(element));
        return;
    }

    addon = &update->catalogue->addons[package];

    if (!wholesale_check_is_met(addon, listed)) {
        wholesale_check_unmet(update, place, element, addon);
    }
}


static int
wholesale_check_is_met(const wholesale_addon_t *addon, const uint8_t *listed)
{
    size_t  i, need;

    for (i = 0; i < addon->needs_n; i++) {
        need = addon->needs[i];

        if (listed[need / 8] & (1 << (need % 8))) {
            return 1;
        }
    }

    return addon->needs_n == 0;
}


static void
wholesale_check_unmet(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value,
    const wholesale_addon_t *addon)
{
    size_t                   i;
    const wholesale_name_t  *name;
    wholesale_text_list_t    list;

    wholesale_text_list_init(&list);

    for (i = 0; i < addon->needs_n; i++) {
        name = &update->catalogue->packages.names[addon->needs[i]];
        wholesale_text_list_add(&list, name->data, name->len);
    }

    wholesale_problems_add(update->problems, place, WHOLESALE_PROBLEM_OTHER,
                           "\"%s\" needs at least one of %s in the same list",
                           json_string_value(value), list.data);
}


void
wholesale_check_limits(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value)
{
    char                described[WHOLESALE_JSON_DESCRIBED_MAX];
    void               *iter;
    size_t              len;
    json_t             *limit;
    wholesale_place_t   child;

    child.parent = place;
    child.index = 0;

    for (iter = json_object_iter(value);
         iter != NULL;
         iter = json_object_iter_next(value, iter))
    {
        child.name = json_object_iter_key(iter);
        child.foreign = 0;

        limit = json_object_iter_value(iter);
        len = strlen(child.name);

        if (wholesale_catalogue_package(update->catalogue, child.name, len)
            == WHOLESALE_NAMES_NONE)
        {
            child.foreign = 1;
            wholesale_check_package(update, &child, child.name, len);
            continue;
        }

        if (json_is_null(limit) || wholesale_check_is_limit(limit)) {
            continue;
        }

        wholesale_problems_add(update->problems, &child,
                               json_is_integer(limit)
                               ? WHOLESALE_PROBLEM_SIZE
                               : WHOLESALE_PROBLEM_OTHER,
                               "has to be a whole number from 0 to %lld, "
                               "not %s",
                               (long long) WHOLESALE_PACKAGE_LIMIT_MAX,
                               wholesale_json_describe(described, limit));
    }
}


/* 1.0 and 1e3 are whole numbers, too */

static int
wholesale_check_is_limit(const json_t *limit)
{
    double  real;

    if (json_is_integer(limit)) {
        return json_integer_value(limit) >= 0
               && json_integer_value(limit) <= WHOLESALE_PACKAGE_LIMIT_MAX;
    }

    real = json_real_value(limit);

    return json_is_real(limit) && real >= 0
           && real <= (double) WHOLESALE_PACKAGE_LIMIT_MAX
           && real == (double) (int64_t) real;
}


/* tells of a package that is not in the catalogue */

static void
wholesale_check_package(const wholesale_update_t *update,
    const wholesale_place_t *place, const char *name, size_t len)
{
    char                      meant[WHOLESALE_NAME_MAX + 1];
    char                      sentence[WHOLESALE_KNOWN_MAX];
    size_t                    i;
    wholesale_text_list_t     list;
    const wholesale_names_t  *packages;

    meant[0] = '\0';
    packages = &update->catalogue->packages;

    wholesale_text_list_init(&list);

    /* to look for it costs more than all else: not for what is only counted */

    if (!wholesale_problems_full(update->problems)
        && wholesale_catalogue_meant_package(update->catalogue, name, len,
                                             meant)
           == 0)
    {
        for (i = 0; i < packages->n; i++) {
            wholesale_text_list_add(&list, packages->names[i].data,
                                    packages->names[i].len);
        }
    }

    (void) snprintf(sentence, sizeof(sentence), "is not a known package%s%s",
                    list.len ? "; known are " : "", list.data);

    wholesale_problems_add_text(update->problems, place, name, len, sentence,
                                meant);
}


void
wholesale_check_country(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       len;
    const char  *text;

    text = json_string_value(value);
    len = json_string_length(value);

    if (wholesale_catalogue_country(update->catalogue, text, len)) {
        return;
    }

    (void) wholesale_catalogue_meant_country(update->catalogue, text, len,
                                             meant);

    wholesale_problems_add_text(update->problems, place, text, len,
                                "is not an ISO 3166-1 alpha-2 code", meant);
}


void
wholesale_check_language(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       len;
    const char  *text;

    text = json_string_value(value);
    len = json_string_length(value);

    if (wholesale_catalogue_language(update->catalogue, text, len)) {
        return;
    }

    (void) wholesale_catalogue_meant_language(update->catalogue, text, len,
                                              meant);

    wholesale_problems_add_text(update->problems, place, text, len,
                                update->catalogue->languages.n
                                ? "is not a language of the catalogue"
                                : "is not a language such as en or en_us",
                                meant);
}


void
wholesale_check_timezone(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       len;
    const char  *text;

    text = json_string_value(value);
    len = json_string_length(value);

    if (wholesale_catalogue_timezone(update->catalogue, text, len)) {
        return;
    }

    (void) wholesale_catalogue_meant_timezone(update->catalogue, text, len,
                                              meant);

    wholesale_problems_add_text(update->problems, place, text, len,
                                (update->catalogue->timezones_from
                                 == WHOLESALE_TIMEZONES_FILE)
                                ? "is not a time zone of the catalogue"
                                : "is not a time zone of the IANA database",
                                meant);
}


void
wholesale_check_email(const wholesale_update_t *update,
    const wholesale_place_t *place, json_t *value)
{
    char                quoted[WHOLESALE_QUOTED_MAX];
    size_t              len;
    const char         *text;
    wholesale_email_e   email;

    text = json_string_value(value);
    len = json_string_length(value);
    email = wholesale_email_check(text, len);

    switch (email) {

    case WHOLESALE_EMAIL_VALID:
        return;

    case WHOLESALE_EMAIL_MALFORMED:
        wholesale_problems_add_text(update->problems, place, text, len,
                                    "is not one e-mail address such as "
                                    "name@example.com", "");
        return;

    default:
        (void) wholesale_text_quote(quoted, text, len);

        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_SIZE,
                               "%s is too long: at most %d characters are "
                               "allowed%s", quoted,
                               (email == WHOLESALE_EMAIL_LONG)
                               ? WHOLESALE_EMAIL_MAX
                               : WHOLESALE_EMAIL_LOCAL_MAX,
                               (email == WHOLESALE_EMAIL_LONG)
                               ? "" : " before the \"@\"");
    }
}
