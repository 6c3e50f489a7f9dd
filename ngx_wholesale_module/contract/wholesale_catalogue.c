
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_catalogue.h>
#include <wholesale_catalogue_data.h>
#include <wholesale_timezones.h>


/* "ll" and "ll_cc" */
#define WHOLESALE_LANGUAGE_SHORT  2
#define WHOLESALE_LANGUAGE_LONG   5

/* the last part of a time zone's name is a slip with one character wrong ... */
#define WHOLESALE_ZONE_SHORT      5

/* ... and from here on with two; shorter ones are all alike */
#define WHOLESALE_ZONE_LONG       9


typedef struct {
    const char  *name;
    const char  *code;
} wholesale_alias_t;


static int wholesale_catalogue_add_packages(wholesale_catalogue_t *catalogue,
    const wholesale_pool_t *pool);
static int wholesale_catalogue_add_timezones(wholesale_catalogue_t *catalogue,
    const wholesale_pool_t *pool, const char *tzdata);
static const wholesale_name_t *wholesale_catalogue_nearest_zone(
    const wholesale_names_t *timezones, const char *text, size_t len,
    int alone);
static const char *wholesale_catalogue_zone(const char *text, size_t len);
static size_t wholesale_catalogue_zone_tolerance(size_t len);
static const char *wholesale_catalogue_trim(const char *text, size_t *len);
static int wholesale_catalogue_is_letter(char c);
static size_t wholesale_catalogue_lower(char *lower, const char *text,
    size_t len);
static size_t wholesale_catalogue_meant(const wholesale_name_t *name,
    char *meant);


/* what is often taken for the code of a country */

static const wholesale_alias_t  wholesale_country_aliases[] = {
    { "UK", "GB" },
    { "USA", "US" },

    { NULL, NULL }
};


wholesale_catalogue_t *
wholesale_catalogue_create(const wholesale_pool_t *pool, const char *tzdata)
{
    const char             *code;
    wholesale_catalogue_t  *catalogue;

    catalogue = wholesale_palloc(pool, sizeof(wholesale_catalogue_t));
    if (catalogue == NULL) {
        return NULL;
    }

    memset(catalogue, 0, sizeof(wholesale_catalogue_t));

    for (code = wholesale_built_in_countries; *code; code += 2) {
        catalogue->countries[wholesale_country(code)] =
            WHOLESALE_ADDRESS_KNOWN;
    }

    if (wholesale_catalogue_add_packages(catalogue, pool) != 0
        || wholesale_catalogue_add_timezones(catalogue, pool, tzdata) != 0
        || wholesale_names_init(&catalogue->languages, pool, 0) != 0)
    {
        return NULL;
    }

    return catalogue;
}


size_t
wholesale_catalogue_package(const wholesale_catalogue_t *catalogue,
    const char *name, size_t len)
{
    return wholesale_names_find(&catalogue->packages, name, len);
}


unsigned
wholesale_catalogue_country(const wholesale_catalogue_t *catalogue,
    const char *code, size_t len)
{
    if (len != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A'
        || code[1] > 'Z')
    {
        return 0;
    }

    return catalogue->countries[wholesale_country(code)];
}


int
wholesale_catalogue_language(const wholesale_catalogue_t *catalogue,
    const char *language, size_t len)
{
    char  lower[WHOLESALE_NAME_MAX + 1];

    if (catalogue->languages.n) {
        len = wholesale_catalogue_lower(lower, language, len);

        return wholesale_names_find(&catalogue->languages, lower, len)
               != WHOLESALE_NAMES_NONE;
    }

    if (len != WHOLESALE_LANGUAGE_SHORT
        && (len != WHOLESALE_LANGUAGE_LONG || language[2] != '_'
            || !wholesale_catalogue_is_letter(language[3])
            || !wholesale_catalogue_is_letter(language[4])))
    {
        return 0;
    }

    return wholesale_catalogue_is_letter(language[0])
           && wholesale_catalogue_is_letter(language[1]);
}


int
wholesale_catalogue_timezone(const wholesale_catalogue_t *catalogue,
    const char *timezone, size_t len)
{
    return wholesale_names_find(&catalogue->timezones, timezone, len)
           != WHOLESALE_NAMES_NONE;
}


size_t
wholesale_catalogue_meant_package(const wholesale_catalogue_t *catalogue,
    const char *text, size_t len, char *meant)
{
    return wholesale_catalogue_meant(
               wholesale_names_nearest(&catalogue->packages, text, len),
               meant);
}


size_t
wholesale_catalogue_meant_country(const wholesale_catalogue_t *catalogue,
    const char *text, size_t len, char *meant)
{
    size_t                    i;
    const wholesale_alias_t  *alias;

    text = wholesale_catalogue_trim(text, &len);
    len = wholesale_catalogue_lower(meant, text, len);

    for (i = 0; i < len; i++) {
        if (wholesale_catalogue_is_letter(meant[i])) {
            meant[i] &= ~0x20;
        }
    }

    for (alias = wholesale_country_aliases; alias->name != NULL; alias++) {
        if (strcmp(meant, alias->name) == 0) {
            len = strlen(alias->code);
            memcpy(meant, alias->code, len + 1);
            break;
        }
    }

    if (wholesale_catalogue_country(catalogue, meant, len)) {
        return len;
    }

    meant[0] = '\0';

    return 0;
}


size_t
wholesale_catalogue_meant_language(const wholesale_catalogue_t *catalogue,
    const char *text, size_t len, char *meant)
{
    size_t  i;

    text = wholesale_catalogue_trim(text, &len);

    if (catalogue->languages.n) {
        return wholesale_catalogue_meant(
                   wholesale_names_nearest(&catalogue->languages, text, len),
                   meant);
    }

    len = wholesale_catalogue_lower(meant, text, len);

    for (i = 0; i < len; i++) {
        if (meant[i] == '-' || meant[i] == ' ') {
            meant[i] = '_';
        }
    }

    if (wholesale_catalogue_language(catalogue, meant, len)) {
        return len;
    }

    meant[0] = '\0';

    return 0;
}


size_t
wholesale_catalogue_meant_timezone(const wholesale_catalogue_t *catalogue,
    const char *text, size_t len, char *meant)
{
    const wholesale_name_t  *name;

    text = wholesale_catalogue_trim(text, &len);

    name = wholesale_catalogue_nearest_zone(&catalogue->timezones, text, len,
                                            0);
    if (name == NULL && len >= WHOLESALE_ZONE_SHORT) {
        name = wholesale_catalogue_nearest_zone(&catalogue->timezones, text,
                                                len, 1);
    }

    return wholesale_catalogue_meant(name, meant);
}


static int
wholesale_catalogue_add_packages(wholesale_catalogue_t *catalogue,
    const wholesale_pool_t *pool)
{
    size_t                               i, k, n, *needs;
    const char                          *need;
    wholesale_names_t                   *packages;
    const wholesale_built_in_package_t  *built_in;

    packages = &catalogue->packages;
    built_in = wholesale_built_in_packages;
    n = wholesale_built_in_packages_n;

    if (wholesale_names_init(packages, pool, n) != 0) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        wholesale_names_add(packages, built_in[i].name,
                            strlen(built_in[i].name));
    }

    catalogue->addons = wholesale_palloc(pool, n * sizeof(wholesale_addon_t));
    needs = wholesale_palloc(pool, n * WHOLESALE_BUILT_IN_NEEDS_MAX
                                   * sizeof(size_t));

    if (catalogue->addons == NULL || needs == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        catalogue->addons[i].needs = needs;

        for (k = 0; built_in[i].needs[k] != NULL; k++) {
            need = built_in[i].needs[k];
            needs[k] = wholesale_names_find(packages, need, strlen(need));
        }

        catalogue->addons[i].needs_n = k;
        needs += k;
    }

    return 0;
}


static int
wholesale_catalogue_add_timezones(wholesale_catalogue_t *catalogue,
    const wholesale_pool_t *pool, const char *tzdata)
{
    int                 rc;
    size_t              i;
    const char         *name;
    wholesale_names_t  *timezones;

    timezones = &catalogue->timezones;

    rc = wholesale_timezones_read(timezones, pool, tzdata);

    if (rc <= 0) {
        catalogue->timezones_from = WHOLESALE_TIMEZONES_MACHINE;
        return rc;
    }

    catalogue->timezones_from = WHOLESALE_TIMEZONES_BUILT_IN;

    if (wholesale_names_init(timezones, pool, wholesale_built_in_timezones_n)
        != 0)
    {
        return -1;
    }

    for (i = 0; i < wholesale_built_in_timezones_n; i++) {
        name = wholesale_built_in_timezones[i];
        wholesale_names_add(timezones, name, strlen(name));
    }

    return 0;
}


/*
 * The place, which is the last part of a name, tells zones of one continent
 * from each other, and places that are alike are often not the same.  "alone":
 * the text is the place without what stands before it: Los Angeles.  Those of
 * Etc are no places: what people call GMT+2 is Etc/GMT-2.
 */

static const wholesale_name_t *
wholesale_catalogue_nearest_zone(const wholesale_names_t *timezones,
    const char *text, size_t len, int alone)
{
    size_t                   i, zone_len, distance, max, zone_max;
    const char              *zone, *other;
    const wholesale_name_t  *name, *nearest;

    zone = alone ? text : wholesale_catalogue_zone(text, len);
    zone_len = text + len - zone;
    zone_max = wholesale_catalogue_zone_tolerance(zone_len);

    max = alone ? zone_max : wholesale_names_tolerance(len);
    nearest = NULL;

    for (i = 0; i < timezones->n; i++) {
        name = &timezones->names[i];
        other = wholesale_catalogue_zone(name->data, name->len);

        if (alone && strncmp(name->data, "Etc/", 4) == 0) {
            continue;
        }

        distance = wholesale_names_distance(zone, zone_len, other,
                                     name->data + name->len - other, zone_max);

        if (distance > zone_max) {
            continue;
        }

        if (!alone) {
            distance = wholesale_names_distance(text, len, name->data,
                                                name->len, max);
        }

        if (distance > max) {
            continue;
        }

        nearest = name;

        if (distance == 0) {
            break;
        }

        /* the next one has to be nearer */
        max = distance - 1;
    }

    return nearest;
}


/* returns where the last part of a time zone's name begins */

static const char *
wholesale_catalogue_zone(const char *text, size_t len)
{
    const char  *zone;

    for (zone = text + len; zone > text && zone[-1] != '/'; zone--) {
        /* void */
    }

    return zone;
}


static size_t
wholesale_catalogue_zone_tolerance(size_t len)
{
    if (len < WHOLESALE_ZONE_SHORT) {
        return 0;
    }

    return (len < WHOLESALE_ZONE_LONG) ? 1 : 2;
}


/* returns the text without blanks around it */

static const char *
wholesale_catalogue_trim(const char *text, size_t *len)
{
    while (*len && *text == ' ') {
        text++;
        (*len)--;
    }

    while (*len && text[*len - 1] == ' ') {
        (*len)--;
    }

    return text;
}


static int
wholesale_catalogue_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}


/* returns the length, or 0 if the text is longer than any name */

static size_t
wholesale_catalogue_lower(char *lower, const char *text, size_t len)
{
    size_t  i;

    if (len > WHOLESALE_NAME_MAX) {
        len = 0;
    }

    for (i = 0; i < len; i++) {
        lower[i] = text[i];

        if (text[i] >= 'A' && text[i] <= 'Z') {
            lower[i] |= 0x20;
        }
    }

    lower[len] = '\0';

    return len;
}


static size_t
wholesale_catalogue_meant(const wholesale_name_t *name, char *meant)
{
    if (name == NULL) {
        meant[0] = '\0';
        return 0;
    }

    memcpy(meant, name->data, name->len + 1);

    return name->len;
}
