
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <wholesale_catalogue.h>
#include <wholesale_json.h>


typedef struct {
    wholesale_catalogue_t   *catalogue;
    const wholesale_pool_t  *pool;
    wholesale_problems_t    *problems;
} wholesale_catalogue_file_t;


/*
 * One part of the file: it is not empty, or it may be.  Replaces the built-in
 * part; mistakes go to file->problems.
 */
typedef void (*wholesale_part_pt)(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value);

typedef struct {
    const char              *name;
    json_type                type;
    unsigned                 may_be_empty;
    wholesale_part_pt        read;
} wholesale_part_t;


static void wholesale_catalogue_read_unknown(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *root);
static void wholesale_catalogue_read_part(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, const wholesale_part_t *part,
    json_t *value);
static void wholesale_catalogue_read_packages(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value);
static void wholesale_catalogue_read_package_names(
    wholesale_catalogue_file_t *file, const wholesale_place_t *place,
    json_t *value);
static void wholesale_catalogue_read_package(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, size_t package, json_t *value);
static void wholesale_catalogue_read_needs(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, size_t package, json_t *value);
static size_t wholesale_catalogue_read_need(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, size_t package, json_t *value);
static void wholesale_catalogue_read_countries(
    wholesale_catalogue_file_t *file, const wholesale_place_t *place,
    json_t *value);
static void wholesale_catalogue_read_required(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value);
static void wholesale_catalogue_read_asked(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, uint8_t *country, json_t *value);
static void wholesale_catalogue_read_languages(
    wholesale_catalogue_file_t *file, const wholesale_place_t *place,
    json_t *value);
static void wholesale_catalogue_read_timezones(
    wholesale_catalogue_file_t *file, const wholesale_place_t *place,
    json_t *value);
static void wholesale_catalogue_read_names(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value, wholesale_names_t *names,
    size_t max, const char *allowed);
static const char *wholesale_catalogue_element(
    wholesale_catalogue_file_t *file, const wholesale_place_t *place,
    json_t *value);
static int wholesale_catalogue_is_name(const char *text, size_t len,
    const char *allowed);
static void wholesale_catalogue_lower(char *text);
static char *wholesale_catalogue_copy(wholesale_catalogue_file_t *file,
    const char *text, size_t len);


/* sentences of ours, and the one with the list of parts */
#define WHOLESALE_SENTENCE_MAX    64
#define WHOLESALE_PARTS_MAX       (WHOLESALE_LIST_MAX + WHOLESALE_SENTENCE_MAX)

/* what names may have in them besides letters and digits */
#define WHOLESALE_PACKAGE_MARKS   "_-"
#define WHOLESALE_LANGUAGE_MARKS  "_-"
#define WHOLESALE_TIMEZONE_MARKS  "_-+/"


/* an operator reads them at leisure, and mends them together */
#define WHOLESALE_CATALOGUE_MISTAKES_MAX  1000


/* in the order in which they are read: what one needs comes before it */

static const wholesale_part_t  wholesale_parts[] = {

    { "packages", JSON_OBJECT, 0, wholesale_catalogue_read_packages },
    { "countries", JSON_ARRAY, 0, wholesale_catalogue_read_countries },
    { "requiredAddressMembers", JSON_OBJECT, 1,
      wholesale_catalogue_read_required },
    { "languages", JSON_ARRAY, 0, wholesale_catalogue_read_languages },
    { "timezones", JSON_ARRAY, 0, wholesale_catalogue_read_timezones },

    { NULL, JSON_NULL, 0, NULL }
};


wholesale_catalogue_t *
wholesale_catalogue_parse(const wholesale_pool_t *pool, const char *text,
    size_t len, const char *tzdata, wholesale_problems_t *problems)
{
    json_t                      *root, *value;
    wholesale_place_t            place, child;
    const wholesale_part_t      *part;
    wholesale_catalogue_file_t   file;

    problems->most = WHOLESALE_CATALOGUE_MISTAKES_MAX;

    root = wholesale_json_read(text, len, "the catalogue", problems);
    if (root == NULL) {
        return NULL;
    }

    file.pool = pool;
    file.problems = problems;
    file.catalogue = wholesale_catalogue_create(pool, tzdata);

    if (file.catalogue == NULL) {
        problems->failed = 1;
        json_decref(root);
        return NULL;
    }

    memset(&place, 0, sizeof(wholesale_place_t));
    memset(&child, 0, sizeof(wholesale_place_t));

    child.parent = &place;

    for (part = wholesale_parts; part->name != NULL; part++) {
        value = json_object_get(root, part->name);
        child.name = part->name;

        if (value != NULL && !json_is_null(value)) {
            wholesale_catalogue_read_part(&file, &child, part, value);
        }
    }

    wholesale_catalogue_read_unknown(&file, &place, root);

    json_decref(root);

    return (problems->failed || problems->total) ? NULL : file.catalogue;
}


/* what is not in the table above */

static void
wholesale_catalogue_read_unknown(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *root)
{
    char                     sentence[WHOLESALE_PARTS_MAX];
    void                    *iter;
    size_t                   len, max;
    const char              *meant;
    wholesale_place_t        child;
    const wholesale_part_t  *part;
    wholesale_text_list_t    list;

    wholesale_text_list_init(&list);

    for (part = wholesale_parts; part->name != NULL; part++) {
        wholesale_text_list_add(&list, part->name, strlen(part->name));
    }

    (void) snprintf(sentence, sizeof(sentence), "is no part of a catalogue, "
                    "which has %s", list.data);

    memset(&child, 0, sizeof(wholesale_place_t));
    child.parent = place;

    for (iter = json_object_iter(root);
         iter != NULL;
         iter = json_object_iter_next(root, iter))
    {
        child.name = json_object_iter_key(iter);
        len = strlen(child.name);
        max = wholesale_names_tolerance(len);
        meant = "";

        for (part = wholesale_parts; part->name != NULL; part++) {
            if (strcmp(part->name, child.name) == 0) {
                break;
            }

            if (wholesale_names_distance(child.name, len, part->name,
                                         strlen(part->name), max)
                <= max)
            {
                meant = part->name;
            }
        }

        if (part->name == NULL) {
            wholesale_problems_add_text(file->problems, &child, child.name,
                                        len, sentence, meant);
        }
    }
}


static void
wholesale_catalogue_read_part(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, const wholesale_part_t *part,
    json_t *value)
{
    char    described[WHOLESALE_JSON_DESCRIBED_MAX];
    size_t  n;

    if (json_typeof(value) != part->type) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_OTHER,
                               "has to be %s, not %s",
                               (part->type == JSON_OBJECT) ? "an object"
                                                           : "an array",
                               wholesale_json_describe(described, value));
        return;
    }

    n = (part->type == JSON_OBJECT) ? json_object_size(value)
                                    : json_array_size(value);

    if (n == 0 && !part->may_be_empty) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_SIZE,
                               "has no entry; leave it out to keep what is "
                               "built in");
        return;
    }

    part->read(file, place, value);
}


static void
wholesale_catalogue_read_packages(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    void                   *iter;
    size_t                  n, package;
    wholesale_place_t       child;
    wholesale_names_t      *packages;
    wholesale_catalogue_t  *catalogue;

    catalogue = file->catalogue;
    packages = &catalogue->packages;
    n = json_object_size(value);

    if (n > WHOLESALE_PACKAGES_MAX) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_SIZE,
                               "%zu packages, at most %d are allowed", n,
                               WHOLESALE_PACKAGES_MAX);
        return;
    }

    catalogue->addons = wholesale_palloc(file->pool,
                                         n * sizeof(wholesale_addon_t));

    if (catalogue->addons == NULL
        || wholesale_names_init(packages, file->pool, n) != 0)
    {
        file->problems->failed = 1;
        return;
    }

    memset(catalogue->addons, 0, n * sizeof(wholesale_addon_t));

    /* all names come first, for an add-on may stand before what it needs */

    wholesale_catalogue_read_package_names(file, place, value);

    child.parent = place;
    child.index = 0;
    child.foreign = 0;

    for (iter = json_object_iter(value);
         iter != NULL;
         iter = json_object_iter_next(value, iter))
    {
        child.name = json_object_iter_key(iter);
        package = wholesale_names_find(packages, child.name,
                                       strlen(child.name));

        if (package != WHOLESALE_NAMES_NONE) {
            wholesale_catalogue_read_package(file, &child, package,
                                             json_object_iter_value(iter));
        }
    }
}


static void
wholesale_catalogue_read_package_names(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    char               *copy;
    void               *iter;
    size_t              len;
    wholesale_place_t   child;

    child.parent = place;
    child.index = 0;
    child.foreign = 0;

    for (iter = json_object_iter(value);
         iter != NULL;
         iter = json_object_iter_next(value, iter))
    {
        child.name = json_object_iter_key(iter);
        len = strlen(child.name);

        if (!wholesale_catalogue_is_name(child.name, len,
                                         WHOLESALE_PACKAGE_MARKS))
        {
            wholesale_problems_add_text(file->problems, &child, child.name,
                                        len, "is no name of a package: 1 to "
                                        "64 of A-Z a-z 0-9 _ -", "");
            continue;
        }

        copy = wholesale_catalogue_copy(file, child.name, len);

        if (copy == NULL) {
            return;
        }

        wholesale_names_add(&file->catalogue->packages, copy, len);
    }
}


static void
wholesale_catalogue_read_package(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, size_t package, json_t *value)
{
    char               described[WHOLESALE_JSON_DESCRIBED_MAX];
    void              *iter;
    wholesale_place_t  child;

    if (!json_is_object(value)) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_OTHER,
                               "has to be an object, not %s",
                               wholesale_json_describe(described, value));
        return;
    }

    child.parent = place;
    child.index = 0;
    child.foreign = 0;

    for (iter = json_object_iter(value);
         iter != NULL;
         iter = json_object_iter_next(value, iter))
    {
        child.name = json_object_iter_key(iter);

        if (strcmp(child.name, "needs") == 0) {
            wholesale_catalogue_read_needs(file, &child, package,
                                           json_object_iter_value(iter));
            continue;
        }

        wholesale_problems_add(file->problems, &child, WHOLESALE_PROBLEM_OTHER,
                               "a package has no member but \"needs\"");
    }
}


static void
wholesale_catalogue_read_needs(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, size_t package, json_t *value)
{
    char                described[WHOLESALE_JSON_DESCRIBED_MAX];
    size_t              i, n, need, *needs;
    json_t             *element;
    uint8_t             listed[WHOLESALE_PACKAGES_MAX / 8];
    wholesale_addon_t  *addon;
    wholesale_place_t   child;

    n = json_array_size(value);

    if (n == 0) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_OTHER,
                               "has to be an array of packages, not %s",
                               json_is_array(value) ? "an empty one"
                               : wholesale_json_describe(described, value));
        return;
    }

    needs = wholesale_palloc(file->pool, n * sizeof(size_t));

    if (needs == NULL) {
        file->problems->failed = 1;
        return;
    }

    addon = &file->catalogue->addons[package];
    addon->needs = needs;

    memset(listed, 0, sizeof(listed));

    child.parent = place;
    child.name = NULL;
    child.foreign = 0;

    for (i = 0; i < n; i++) {
        child.index = i;
        element = json_array_get(value, i);

        need = wholesale_catalogue_read_need(file, &child, package, element);

        if (need == WHOLESALE_NAMES_NONE) {
            continue;
        }

        if (listed[need / 8] & (1 << (need % 8))) {
            wholesale_problems_add_text(file->problems, &child,
                                        json_string_value(element),
                                        json_string_length(element),
                                        "is here twice", "");
            continue;
        }

        listed[need / 8] |= 1 << (need % 8);
        needs[addon->needs_n++] = need;
    }
}


/* returns the package that is needed, or WHOLESALE_NAMES_NONE and has told */

static size_t
wholesale_catalogue_read_need(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, size_t package, json_t *value)
{
    char         meant[WHOLESALE_NAME_MAX + 1];
    size_t       need, len;
    const char  *name;

    name = wholesale_catalogue_element(file, place, value);
    if (name == NULL) {
        return WHOLESALE_NAMES_NONE;
    }

    len = strlen(name);
    need = wholesale_catalogue_package(file->catalogue, name, len);

    if (need == WHOLESALE_NAMES_NONE) {
        (void) wholesale_catalogue_meant_package(file->catalogue, name, len,
                                                 meant);

        wholesale_problems_add_text(file->problems, place, name, len,
                                    "is not a package of this catalogue",
                                    meant);
        return WHOLESALE_NAMES_NONE;
    }

    if (need == package) {
        wholesale_problems_add_text(file->problems, place, name, len,
                                    "cannot need itself", "");
        return WHOLESALE_NAMES_NONE;
    }

    return need;
}


static void
wholesale_catalogue_read_countries(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    size_t              i;
    uint8_t            *country;
    const char         *code;
    wholesale_place_t   child;

    memset(file->catalogue->countries, 0, WHOLESALE_COUNTRIES);

    child.parent = place;
    child.name = NULL;
    child.foreign = 0;

    for (i = 0; i < json_array_size(value); i++) {
        child.index = i;
        code = wholesale_catalogue_element(file, &child,
                                           json_array_get(value, i));
        if (code == NULL) {
            continue;
        }

        if (strlen(code) != 2 || code[0] < 'A' || code[0] > 'Z'
            || code[1] < 'A' || code[1] > 'Z')
        {
            wholesale_problems_add_text(file->problems, &child, code,
                                        strlen(code),
                                        "is not two letters of A-Z", "");
            continue;
        }

        country = &file->catalogue->countries[wholesale_country(code)];

        if (*country) {
            wholesale_problems_add_text(file->problems, &child, code,
                                        strlen(code), "is here twice", "");
        }

        *country = WHOLESALE_ADDRESS_KNOWN;
    }
}


static void
wholesale_catalogue_read_required(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    char                meant[WHOLESALE_NAME_MAX + 1];
    void               *iter;
    size_t              len;
    uint8_t            *country;
    const char         *code;
    wholesale_place_t   child;

    child.parent = place;
    child.index = 0;
    child.foreign = 0;

    for (iter = json_object_iter(value);
         iter != NULL;
         iter = json_object_iter_next(value, iter))
    {
        code = json_object_iter_key(iter);
        len = strlen(code);
        child.name = code;

        if (wholesale_catalogue_country(file->catalogue, code, len)) {
            country = &file->catalogue->countries[wholesale_country(code)];

            wholesale_catalogue_read_asked(file, &child, country,
                                           json_object_iter_value(iter));
            continue;
        }

        (void) wholesale_catalogue_meant_country(file->catalogue, code, len,
                                                 meant);

        wholesale_problems_add_text(file->problems, &child, code, len,
                                    "is not a country of this catalogue",
                                    meant);
    }
}


static void
wholesale_catalogue_read_asked(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, uint8_t *country, json_t *value)
{
    char                described[WHOLESALE_JSON_DESCRIBED_MAX];
    size_t              i;
    unsigned            asked;
    const char         *name;
    wholesale_place_t   child;

    if (!json_is_array(value)) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_OTHER,
                               "has to be an array, not %s",
                               wholesale_json_describe(described, value));
        return;
    }

    child.parent = place;
    child.name = NULL;
    child.foreign = 0;

    for (i = 0; i < json_array_size(value); i++) {
        child.index = i;
        name = wholesale_catalogue_element(file, &child,
                                           json_array_get(value, i));
        if (name == NULL) {
            continue;
        }

        if (strcmp(name, "stateOrProvince") == 0) {
            asked = WHOLESALE_ADDRESS_STATE;

        } else if (strcmp(name, "zipOrPostalCode") == 0) {
            asked = WHOLESALE_ADDRESS_ZIP;

        } else {
            wholesale_problems_add_text(file->problems, &child, name,
                                        strlen(name), "is neither "
                                        "\"stateOrProvince\" nor "
                                        "\"zipOrPostalCode\"", "");
            continue;
        }

        if (*country & asked) {
            wholesale_problems_add_text(file->problems, &child, name,
                                        strlen(name), "is here twice", "");
            continue;
        }

        *country |= asked;
        file->catalogue->asks = 1;
    }
}


static void
wholesale_catalogue_read_languages(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    wholesale_catalogue_read_names(file, place, value,
                                   &file->catalogue->languages,
                                   WHOLESALE_LANGUAGES_MAX,
                                   WHOLESALE_LANGUAGE_MARKS);
}


static void
wholesale_catalogue_read_timezones(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    file->catalogue->timezones_from = WHOLESALE_TIMEZONES_FILE;

    wholesale_catalogue_read_names(file, place, value,
                                   &file->catalogue->timezones,
                                   WHOLESALE_TIMEZONES_MAX,
                                   WHOLESALE_TIMEZONE_MARKS);
}


static void
wholesale_catalogue_read_names(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value, wholesale_names_t *names,
    size_t max, const char *allowed)
{
    char                sentence[WHOLESALE_SENTENCE_MAX], *copy;
    size_t              i, n, len;
    const char         *name;
    wholesale_place_t   child;

    n = json_array_size(value);

    if (n > max) {
        wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_SIZE,
                               "%zu names, at most %zu are allowed", n, max);
        return;
    }

    if (wholesale_names_init(names, file->pool, n) != 0) {
        file->problems->failed = 1;
        return;
    }

    child.parent = place;
    child.name = NULL;
    child.foreign = 0;

    for (i = 0; i < n; i++) {
        child.index = i;
        name = wholesale_catalogue_element(file, &child,
                                           json_array_get(value, i));
        if (name == NULL) {
            continue;
        }

        len = strlen(name);

        if (!wholesale_catalogue_is_name(name, len, allowed)) {
            (void) snprintf(sentence, sizeof(sentence), "is no name: 1 to %d "
                            "letters, digits and %s", WHOLESALE_NAME_MAX,
                            allowed);

            wholesale_problems_add_text(file->problems, &child, name, len,
                                        sentence, "");
            continue;
        }

        copy = wholesale_catalogue_copy(file, name, len);

        if (copy == NULL) {
            return;
        }

        /* a language may be written in any case, and is kept in lower case */

        if (names == &file->catalogue->languages) {
            wholesale_catalogue_lower(copy);
        }

        if (wholesale_names_find(names, copy, len) != WHOLESALE_NAMES_NONE) {
            wholesale_problems_add_text(file->problems, &child, name,
                                        len, "is here twice", "");
            continue;
        }

        wholesale_names_add(names, copy, len);
    }
}


/*
 * Returns an array's element, which has to be a string without \u0000, or
 * NULL and it has been told of.
 */

static const char *
wholesale_catalogue_element(wholesale_catalogue_file_t *file,
    const wholesale_place_t *place, json_t *value)
{
    char  described[WHOLESALE_JSON_DESCRIBED_MAX];

    if (json_is_string(value)
        && strlen(json_string_value(value)) == json_string_length(value))
    {
        return json_string_value(value);
    }

    wholesale_problems_add(file->problems, place, WHOLESALE_PROBLEM_OTHER,
                           "has to be a name, not %s",
                           wholesale_json_describe(described, value));

    return NULL;
}


static int
wholesale_catalogue_is_name(const char *text, size_t len, const char *allowed)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if ((text[i] >= 'a' && text[i] <= 'z')
            || (text[i] >= 'A' && text[i] <= 'Z')
            || (text[i] >= '0' && text[i] <= '9')
            || strchr(allowed, text[i]) != NULL)
        {
            continue;
        }

        return 0;
    }

    return len > 0 && len <= WHOLESALE_NAME_MAX;
}


static void
wholesale_catalogue_lower(char *text)
{
    for ( /* void */ ; *text; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text |= 0x20;
        }
    }
}


static char *
wholesale_catalogue_copy(wholesale_catalogue_file_t *file, const char *text,
    size_t len)
{
    char  *copy;

    copy = wholesale_palloc(file->pool, len + 1);

    if (copy == NULL) {
        file->problems->failed = 1;
        return NULL;
    }

    memcpy(copy, text, len + 1);

    return copy;
}
