
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_CATALOGUE_H_INCLUDED_
#define _WHOLESALE_CATALOGUE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include <wholesale_names.h>
#include <wholesale_pool.h>
#include <wholesale_problems.h>


/*
 * The lists which the contract speaks of, and which change more often than it
 * does: packages and what an add-on needs, countries, languages, time zones,
 * and what an address needs in a country.
 *
 * The built-in lists are those in wholesale_catalogue_data.c.  The time zones
 * are the machine's, links included, as tzdata.zi of its tz database names
 * them; on a machine that has none, which is so in most container images, the
 * list in wholesale_timezones_data.c, made from release 2025b, serves instead.
 *
 * A catalogue is made when the configuration is read.  It never changes
 * afterwards, and processes may share it.
 */


/* the machine's tz database, in its own compact form: since 2017 everywhere */
#define WHOLESALE_TZDATA                "/usr/share/zoneinfo/tzdata.zi"

#define WHOLESALE_PACKAGES_MAX          1024
#define WHOLESALE_LANGUAGES_MAX         1024
#define WHOLESALE_TIMEZONES_MAX         4096

/* countries are counted from AA to ZZ; "code" is two letters of A-Z */
#define WHOLESALE_COUNTRIES             ((size_t) 26 * 26)

#define wholesale_country(code)                                               \
    ((size_t) 26 * ((code)[0] - 'A') + ((code)[1] - 'A'))

/* what an address can be asked for beyond the contract, by country */
#define WHOLESALE_ADDRESS_STATE         0x01
#define WHOLESALE_ADDRESS_ZIP           0x02

/* a country that is in the catalogue */
#define WHOLESALE_ADDRESS_KNOWN         0x80


typedef enum {
    /* tzdata.zi was read */
    WHOLESALE_TIMEZONES_MACHINE = 0,

    /* there is none, or it is not to be read */
    WHOLESALE_TIMEZONES_BUILT_IN,

    /* the catalogue's file lists them */
    WHOLESALE_TIMEZONES_FILE
} wholesale_timezones_e;


/*
 * What a package needs: at least one of these others in the same list.  They
 * are indices into "packages"; a package that is no add-on has none.
 */
typedef struct {
    const size_t           *needs;
    size_t                  needs_n;
} wholesale_addon_t;


typedef struct {
    wholesale_names_t       packages;

    wholesale_addon_t      *addons;     /* by package */

    /* by country: 0, or WHOLESALE_ADDRESS_KNOWN and what it asks for */
    uint8_t                 countries[WHOLESALE_COUNTRIES];

    /* there is a country that asks for something */
    unsigned                asks;

    /* lower case; none: any word of the form "ll" or "ll_cc" is a language */
    wholesale_names_t       languages;

    wholesale_names_t       timezones;
    wholesale_timezones_e   timezones_from;
} wholesale_catalogue_t;


/*
 * Makes the built-in catalogue in "pool".  "tzdata" is the path of the tz
 * database, as a rule WHOLESALE_TZDATA; a blocking read.
 *
 * Returns NULL if an allocation failed.
 */
wholesale_catalogue_t *wholesale_catalogue_create(const wholesale_pool_t *pool,
    const char *tzdata);

/*
 * Makes a catalogue in "pool" from "len" bytes of JSON:
 *
 *     {
 *       "packages": {
 *         "webex_calling": {},
 *         "cisco_calling_plan": { "needs": ["webex_calling", ...] }
 *       },
 *       "countries": ["AD", "AE", ...],
 *       "requiredAddressMembers": { "US": ["stateOrProvince",
 *                                          "zipOrPostalCode"] },
 *       "languages": ["en_us", ...],
 *       "timezones": ["America/Los_Angeles", ...]
 *     }
 *
 * Each of the five replaces the built-in part of that name as a whole; one
 * that is null or not there leaves it as it is.  Every member that is not
 * described here is a mistake, and so is a list with no entry, or with one
 * twice.
 *
 * The text is not kept.  "problems" has been initialised, and is given room
 * for 1000; each of the file's mistakes is one, and its description begins
 * with the JSON path.
 *
 * Returns NULL if there are problems or an allocation failed, which
 * problems->failed tells apart.
 */
wholesale_catalogue_t *wholesale_catalogue_parse(const wholesale_pool_t *pool,
    const char *text, size_t len, const char *tzdata,
    wholesale_problems_t *problems);


/* returns the package's index, or WHOLESALE_NAMES_NONE */
size_t wholesale_catalogue_package(const wholesale_catalogue_t *catalogue,
    const char *name, size_t len);

/*
 * Returns what the country, an ISO 3166-1 alpha-2 code in upper case, asks of
 * an address: flags of which WHOLESALE_ADDRESS_KNOWN is one; 0: no country.
 */
unsigned wholesale_catalogue_country(const wholesale_catalogue_t *catalogue,
    const char *code, size_t len);

/* these two return 1 if the catalogue has it, 0 if not */
int wholesale_catalogue_language(const wholesale_catalogue_t *catalogue,
    const char *language, size_t len);
int wholesale_catalogue_timezone(const wholesale_catalogue_t *catalogue,
    const char *timezone, size_t len);

/*
 * What somebody who wrote a wrong "text" is likely to have meant.  Write it,
 * NUL-terminated, into "meant", which has WHOLESALE_NAME_MAX + 1 bytes.
 *
 * Return its length; it is 0, and "meant" empty, if nothing is near.
 */
size_t wholesale_catalogue_meant_package(
    const wholesale_catalogue_t *catalogue, const char *text, size_t len,
    char *meant);
size_t wholesale_catalogue_meant_country(
    const wholesale_catalogue_t *catalogue, const char *text, size_t len,
    char *meant);
size_t wholesale_catalogue_meant_language(
    const wholesale_catalogue_t *catalogue, const char *text, size_t len,
    char *meant);
size_t wholesale_catalogue_meant_timezone(
    const wholesale_catalogue_t *catalogue, const char *text, size_t len,
    char *meant);


#endif /* _WHOLESALE_CATALOGUE_H_INCLUDED_ */
