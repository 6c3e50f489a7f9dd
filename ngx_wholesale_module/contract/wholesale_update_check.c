
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <wholesale_email.h>
#include <wholesale_document.h>
#include <wholesale_text.h>
#include <wholesale_update_check.h>


/* the last whole number that every JSON parser keeps as it is: RFC 8259, 6 */
#define WHOLESALE_PACKAGE_LIMIT_MAX  INT64_C(9007199254740991)

/* "is not a known package; known are " and a list */
#define WHOLESALE_KNOWN_MAX          (WHOLESALE_LIST_MAX + 64)


static int wholesale_check_listed(const wholesale_catalogue_t *catalogue,
    const wholesale_value_t *value, uint8_t *listed);
static void wholesale_check_element(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *element,
    const uint8_t *listed);
static int wholesale_check_is_met(const wholesale_addon_t *addon,
    const uint8_t *listed);
static void wholesale_check_unmet(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value,
    const wholesale_addon_t *addon);
static int wholesale_check_is_limit(const wholesale_value_t *limit);
static void wholesale_check_package(const wholesale_update_t *update,
    const wholesale_place_t *place, const char *name, size_t len);


/*
 * The list may name a package twice, and an add-on may stand before what it
 * needs.  So the whole list is read first, and a second time if there is
 * something to tell.
 */

void
wholesale_check_packages(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value)
{
    uint8_t                   listed[WHOLESALE_PACKAGES_MAX / 8];
    wholesale_place_t         child;
    const wholesale_value_t  *element;

    if (value->len == 0) {
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
    child.index = 0;
    child.foreign = 0;

    for (element = value->u.first; element != NULL; element = element->next) {
        wholesale_check_element(update, &child, element, listed);

        child.index++;
    }
}


/* marks what is in the list, returns 1 if nothing is wrong with it */

static int
wholesale_check_listed(const wholesale_catalogue_t *catalogue,
    const wholesale_value_t *value, uint8_t *listed)
{
    int                       right;
    size_t                    package;
    const wholesale_value_t  *element;

    right = 1;

    for (element = value->u.first; element != NULL; element = element->next) {
        package = WHOLESALE_NAMES_NONE;

        if (element->type == WHOLESALE_STRING) {
            package = wholesale_catalogue_package(catalogue,
                                                  element->u.string,
                                                  element->len);
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
    const wholesale_place_t *place, const wholesale_value_t *element,
    const uint8_t *listed)
{
    char                      described[WHOLESALE_JSON_DESCRIBED_MAX];
    size_t                    package;
    const wholesale_addon_t  *addon;

    if (element->type != WHOLESALE_STRING) {
        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_OTHER,
                               "has to be a string, not %s",
                               wholesale_value_describe(described, element));
        return;
    }

    package = wholesale_catalogue_package(update->catalogue,
                                          element->u.string,
                                          element->len);

    if (package == WHOLESALE_NAMES_NONE) {
        wholesale_check_package(update, place, element->u.string,
                                element->len);
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
    const wholesale_place_t *place, const wholesale_value_t *value,
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
                           value->u.string, list.data);
}


void
wholesale_check_limits(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value)
{
    char                      described[WHOLESALE_JSON_DESCRIBED_MAX];
    wholesale_place_t         child;
    const wholesale_value_t  *limit;

    child.parent = place;
    child.index = 0;

    for (limit = value->u.first; limit != NULL; limit = limit->next) {
        child.name = limit->name;
        child.foreign = 0;

        if (wholesale_catalogue_package(update->catalogue, limit->name,
                                        limit->name_len)
            == WHOLESALE_NAMES_NONE)
        {
            child.foreign = 1;
            wholesale_check_package(update, &child, limit->name,
                                    limit->name_len);
            continue;
        }

        if (limit->type == WHOLESALE_NULL || wholesale_check_is_limit(limit)) {
            continue;
        }

        wholesale_problems_add(update->problems, &child,
                               (limit->type == WHOLESALE_INTEGER)
                               ? WHOLESALE_PROBLEM_SIZE
                               : WHOLESALE_PROBLEM_OTHER,
                               "has to be a whole number from 0 to %lld, "
                               "not %s",
                               (long long) WHOLESALE_PACKAGE_LIMIT_MAX,
                               wholesale_value_describe(described, limit));
    }
}


/* 1.0 and 1e3 are whole numbers, too */

static int
wholesale_check_is_limit(const wholesale_value_t *limit)
{
    double  real;

    if (limit->type == WHOLESALE_INTEGER) {
        return limit->u.integer >= 0
               && limit->u.integer <= WHOLESALE_PACKAGE_LIMIT_MAX;
    }

    if (limit->type != WHOLESALE_REAL) {
        return 0;
    }

    real = limit->u.real;

    return real >= 0
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
    const wholesale_place_t *place, const wholesale_value_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       len;
    const char  *text;

    text = value->u.string;
    len = value->len;

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
    const wholesale_place_t *place, const wholesale_value_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       len;
    const char  *text;

    text = value->u.string;
    len = value->len;

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
    const wholesale_place_t *place, const wholesale_value_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       len;
    const char  *text;

    text = value->u.string;
    len = value->len;

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
    const wholesale_place_t *place, const wholesale_value_t *value)
{
    char                quoted[WHOLESALE_QUOTED_MAX];
    size_t              len;
    const char         *text;
    wholesale_email_e   email;

    text = value->u.string;
    len = value->len;
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
