
/*
 * Copyright (C) The wholesale gateway authors
 */


#define _GNU_SOURCE                        /* memfd_create() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include <wholesale_catalogue.h>
#include <wholesale_catalogue_data.h>

#include "test_pool.h"


#define TEST_EXAMPLE    "ngx_wholesale_module/contract/catalogue.json"

/* there is no such file, so that the time zones are those built in */
#define TEST_TZDATA     "tests/unit/cases/no_tzdata"

#define TEST_PATH       64
#define TEST_NAMES_MAX  12

#define TEST_64                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123"

/* more mistakes than a client would be told of */
#define TEST_MISTAKES   1001


typedef struct {
    const char  *text;
    const char  *mistakes[TEST_NAMES_MAX];
} test_file_t;


static wholesale_catalogue_t *test_parse(test_pool_t *pool, const char *text,
    wholesale_problems_t *problems);
static json_t *test_json(const wholesale_catalogue_t *catalogue);
static void test_write(const char *path, const char *text);


static const test_file_t  test_files[] = {
    { "", { "the catalogue is empty, but has to be a JSON object" } },
    { "[]", { "the catalogue has to be a JSON object, not an array" } },
    { "{\n\"packages\":{}\n,}", { "line 3, column 2: a member's name in "
      "double quotes is expected, not \"}\"" } },
    { "{\"packages\":{\"a\":{},\"a\":{}}}", { "packages.a: line 1, column "
      "21: the name that begins here is in its object twice; what follows "
      "it was not looked at" } },
    { "{\"package\":{},\"\":1}",
      { "package: \"package\" is no part of a catalogue, which has packages, "
        "countries, requiredAddressMembers, languages, timezones; did you "
        "mean \"packages\"?",
        "[\"\"]: \"\" is no part of a catalogue, which has packages, "
        "countries, requiredAddressMembers, languages, timezones" } },

    /* a long name is cut */
    { "{\"packages\":{\"" TEST_64 "x\":{},\"a\":{\"" TEST_64 "x\":1}}}",
      { "packages[\"" TEST_64 "\"...]: \"" TEST_64 "\"... is no name of a "
        "package: 1 to 64 of A-Z a-z 0-9 _ -",
        "packages.a[\"" TEST_64 "\"...]: a package has no member but "
        "\"needs\"" } },

    { "{\"packages\":{\"b\":{},\"c\":{},\"a\":{\"needs\":"
      "[\"b\",\"c\",\"b\"]}}}",
      { "packages.a.needs[2]: \"b\" is here twice" } },
    { "{\"requiredAddressMembers\":{\"US\":[\"zipOrPostalCode\","
      "\"stateOrProvince\",\"zipOrPostalCode\"]}}",
      { "requiredAddressMembers.US[2]: \"zipOrPostalCode\" is here twice" }
    },

    { "{\"packages\":[],\"countries\":{},\"languages\":\"en\","
      "\"timezones\":5,\"requiredAddressMembers\":true}",
      { "packages: has to be an object, not an array",
        "countries: has to be an array, not an object",
        "requiredAddressMembers: has to be an object, not true",
        "languages: has to be an array, not the string \"en\"",
        "timezones: has to be an array, not the number 5" } },
    { "{\"packages\":{},\"countries\":[],\"languages\":[],"
      "\"timezones\":[]}",
      { "packages: has no entry; leave it out to keep what is built in",
        "countries: has no entry; leave it out to keep what is built in",
        "languages: has no entry; leave it out to keep what is built in",
        "timezones: has no entry; leave it out to keep what is built in" }
    },

    { "{\"packages\":{\"a\":null,\"b\":{\"need\":1,\"needs\":[]},"
      "\"c d\":{},\"\":{},\"e\":{\"needs\":\"a\"},"
      "\"f\":{\"needs\":[\"f\",5,\"\\u0000\",\"aaa\"]}}}",
      { "packages[\"c d\"]: \"c d\" is no name of a package: 1 to 64 of "
        "A-Z a-z 0-9 _ -",
        "packages[\"\"]: \"\" is no name of a package: 1 to 64 of "
        "A-Z a-z 0-9 _ -",
        "packages.a: has to be an object, not null",
        "packages.b.need: a package has no member but \"needs\"",
        "packages.b.needs: has to be an array of packages, not an empty "
        "one",
        "packages.e.needs: has to be an array of packages, not the string "
        "\"a\"",
        "packages.f.needs[0]: \"f\" cannot need itself",
        "packages.f.needs[1]: has to be a name, not the number 5",
        "packages.f.needs[2]: has to be a name, not the string \"\\u0000\"",
        "packages.f.needs[3]: \"aaa\" is not a package of this catalogue" }
    },
    { "{\"packages\":{\"webex_calling\":{},\"plan\":{\"needs\":"
      "[\"webex_caling\",\"teams\"]}}}",
      { "packages.plan.needs[0]: \"webex_caling\" is not a package of "
        "this catalogue; did you mean \"webex_calling\"?",
        "packages.plan.needs[1]: \"teams\" is not a package of this "
        "catalogue" } },

    { "{\"countries\":[\"DE\",\"USA\",\"us\",\"U\",\"\",\"DE\",null,"
      "\"@A\",\"US\\u0000x\"]}",
      { "countries[1]: \"USA\" is not two letters of A-Z",
        "countries[2]: \"us\" is not two letters of A-Z",
        "countries[3]: \"U\" is not two letters of A-Z",
        "countries[4]: \"\" is not two letters of A-Z",
        "countries[5]: \"DE\" is here twice",
        "countries[6]: has to be a name, not null",
        "countries[7]: \"@A\" is not two letters of A-Z",
        "countries[8]: has to be a name, not the string \"US\\u0000x\"" } },
    { "{\"requiredAddressMembers\":{\"us\":[],\"XX\":[],\"DE\":{},"
      "\"CA\":[\"city\",1]}}",
      { "requiredAddressMembers.us: \"us\" is not a country of this "
        "catalogue; did you mean \"US\"?",
        "requiredAddressMembers.XX: \"XX\" is not a country of this "
        "catalogue",
        "requiredAddressMembers.DE: has to be an array, not an object",
        "requiredAddressMembers.CA[0]: \"city\" is neither "
        "\"stateOrProvince\" nor \"zipOrPostalCode\"",
        "requiredAddressMembers.CA[1]: has to be a name, not the number "
        "1" } },
    { "{\"countries\":[\"US\"],\"requiredAddressMembers\":{\"DE\":[]}}",
      { "requiredAddressMembers.DE: \"DE\" is not a country of this "
        "catalogue" } },
    { "{\"languages\":[\"en_us\",\"EN_US\",\"en us\",\"\",{}]}",
      { "languages[1]: \"EN_US\" is here twice",
        "languages[2]: \"en us\" is no name: 1 to 64 letters, digits and _-",
        "languages[3]: \"\" is no name: 1 to 64 letters, digits and _-",
        "languages[4]: has to be a name, not an object" } },
    { "{\"timezones\":[\"Mars/Olympus\",\"Mars/Olympus\","
      "\"Los Angeles\"]}",
      { "timezones[1]: \"Mars/Olympus\" is here twice",
        "timezones[2]: \"Los Angeles\" is no name: 1 to 64 letters, digits "
        "and _-+/" } }
};


static wholesale_catalogue_t *
test_parse(test_pool_t *pool, const char *text, wholesale_problems_t *problems)
{
    char                   *copy;
    size_t                  len;
    wholesale_catalogue_t  *catalogue;

    /* without a zero at its end, and gone afterwards */

    len = strlen(text);
    copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);

    wholesale_problems_init(problems, &pool->pool);

    catalogue = wholesale_catalogue_parse(&pool->pool, copy, len, TEST_TZDATA,
                                          problems);
    free(copy);

    return catalogue;
}


/* the catalogue as one would write it in a file */

static json_t *
test_json(const wholesale_catalogue_t *catalogue)
{
    char                      code[3];
    size_t                    i, k;
    json_t                   *root, *packages, *package, *needs, *countries;
    const wholesale_addon_t  *addon;
    const wholesale_names_t  *names;

    names = &catalogue->packages;
    packages = json_object();

    for (i = 0; i < names->n; i++) {
        addon = &catalogue->addons[i];
        package = json_object();

        if (addon->needs_n) {
            needs = json_array();

            for (k = 0; k < addon->needs_n; k++) {
                json_array_append_new(needs,
                    json_string(names->names[addon->needs[k]].data));
            }

            json_object_set_new(package, "needs", needs);
        }

        json_object_set_new(packages, names->names[i].data, package);
    }

    countries = json_array();

    for (i = 0; i < WHOLESALE_COUNTRIES; i++) {
        if (catalogue->countries[i]) {
            assert_int_equal(catalogue->countries[i], WHOLESALE_ADDRESS_KNOWN);

            code[0] = (char) ('A' + i / 26);
            code[1] = (char) ('A' + i % 26);
            code[2] = '\0';
            json_array_append_new(countries, json_string(code));
        }
    }

    assert_int_equal(catalogue->asks, 0);
    assert_int_equal(catalogue->languages.n, 0);

    root = json_object();
    json_object_set_new(root, "packages", packages);
    json_object_set_new(root, "countries", countries);
    json_object_set_new(root, "requiredAddressMembers", json_object());
    json_object_set_new(root, "languages", json_null());
    json_object_set_new(root, "timezones", json_null());

    return root;
}


static void
test_built_in(void **state)
{
    size_t                  i, n;
    test_pool_t             pool;
    wholesale_catalogue_t  *catalogue;

    test_pool_init(&pool);

    catalogue = wholesale_catalogue_create(&pool.pool, TEST_TZDATA);
    assert_non_null(catalogue);

    assert_int_equal(catalogue->packages.n, 14);
    assert_int_equal(wholesale_catalogue_package(catalogue, "webex_ai_agent",
                                                 14), 13);
    assert_int_equal(wholesale_catalogue_package(catalogue, "webex", 5),
                     WHOLESALE_NAMES_NONE);

    n = 0;

    for (i = 0; i < WHOLESALE_COUNTRIES; i++) {
        n += (catalogue->countries[i] != 0);
    }

    assert_int_equal(n, 249);
    assert_int_equal(strlen(wholesale_built_in_countries), 2 * n);
    assert_int_equal(wholesale_catalogue_country(catalogue, "DE", 2),
                     WHOLESALE_ADDRESS_KNOWN);
    assert_int_equal(wholesale_catalogue_country(catalogue, "UK", 2), 0);
    assert_int_equal(wholesale_catalogue_country(catalogue, "DEU", 3), 0);
    assert_int_equal(wholesale_catalogue_country(catalogue, "D", 1), 0);
    assert_int_equal(wholesale_catalogue_country(catalogue, "[D", 2), 0);
    assert_int_equal(wholesale_catalogue_country(catalogue, "D@", 2), 0);

    assert_int_equal(catalogue->timezones_from, WHOLESALE_TIMEZONES_BUILT_IN);
    assert_int_equal(catalogue->timezones.n, wholesale_built_in_timezones_n);
    assert_true(wholesale_catalogue_timezone(catalogue, "Europe/Berlin", 13));
    assert_true(wholesale_catalogue_timezone(catalogue, "US/Pacific", 10));
    assert_false(wholesale_catalogue_timezone(catalogue, "europe/berlin", 13));

    for (i = 1; i < wholesale_built_in_timezones_n; i++) {
        assert_true(strcmp(wholesale_built_in_timezones[i - 1],
                           wholesale_built_in_timezones[i]) < 0);
    }

    test_pool_free(&pool);
}


/* catalogue.json says what is built in, and so changes nothing */

static void
test_example(void **state)
{
    char                   *text;
    json_t                 *file, *built_in, *parsed;
    test_pool_t             pool;
    wholesale_problems_t    problems;
    wholesale_catalogue_t  *catalogue;

    test_pool_init(&pool);

    catalogue = wholesale_catalogue_create(&pool.pool, TEST_TZDATA);
    assert_non_null(catalogue);

    file = json_load_file(TEST_EXAMPLE, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(file);

    built_in = test_json(catalogue);
    assert_true(json_equal(file, built_in));

    text = json_dumps(file, 0);
    catalogue = test_parse(&pool, text, &problems);
    assert_non_null(catalogue);

    parsed = test_json(catalogue);
    assert_true(json_equal(file, parsed));

    free(text);
    json_decref(file);
    json_decref(built_in);
    json_decref(parsed);
    test_pool_free(&pool);
}


static void
test_timezones_of_machine(void **state)
{
    int                     fd;
    char                    path[TEST_PATH];
    size_t                  i;
    test_pool_t             pool;
    wholesale_catalogue_t  *catalogue;

    static const struct {
        const char  *text;
        size_t       n;
    } files[] = {
        { "# version 2025b\n"
          "R d 1916 o - Jun 14 23s 1 S\n"
          "Z Mars/Olympus 0:36:4 - LMT 1911 May 24\n"
          "0 d WE%sT 1940 Feb 25 2\n"
          "Z Mars/Olympus 1\n"
          "L Mars/Olympus Mars/Link\n"
          "L Mars/Olympus\n"
          "Zoo x\n"
          "Z\n"
          "L \n"
          "Z 01234567890123456789012345678901234567890123456789012345678901234"
          " 1\n"
          "L Mars/Olympus Mars/Last", 3 },

        /* these are not it, so that the built-in list serves */
        { "", 0 },
        { "\n\n", 0 },
        { "TZif2", 0 },
        { "Z", 0 },
        { "Z ", 0 },
        { "L a", 0 }
    };

    test_pool_init(&pool);

    /* a file that is nowhere but in memory */

    fd = memfd_create("tzdata.zi", 0);
    assert_true(fd >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        test_write(path, files[i].text);

        catalogue = wholesale_catalogue_create(&pool.pool, path);
        assert_non_null(catalogue);

        if (files[i].n == 0) {
            assert_int_equal(catalogue->timezones_from,
                             WHOLESALE_TIMEZONES_BUILT_IN);
            assert_int_equal(catalogue->timezones.n,
                             wholesale_built_in_timezones_n);
            continue;
        }

        assert_int_equal(catalogue->timezones_from,
                         WHOLESALE_TIMEZONES_MACHINE);
        assert_int_equal(catalogue->timezones.n, files[i].n);
        assert_true(wholesale_catalogue_timezone(catalogue, "Mars/Olympus",
                                                 12));
        assert_true(wholesale_catalogue_timezone(catalogue, "Mars/Link", 9));
        assert_true(wholesale_catalogue_timezone(catalogue, "Mars/Last", 9));
    }

    close(fd);

    /* a folder */

    catalogue = wholesale_catalogue_create(&pool.pool, "tests/unit");
    assert_non_null(catalogue);
    assert_int_equal(catalogue->timezones_from, WHOLESALE_TIMEZONES_BUILT_IN);

    test_pool_free(&pool);
}


static void
test_write(const char *path, const char *text)
{
    FILE  *file;

    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}


static void
test_parts(void **state)
{
    size_t                  package;
    test_pool_t             pool;
    wholesale_problems_t    problems;
    wholesale_catalogue_t  *catalogue;

    test_pool_init(&pool);

    /* nothing is replaced */

    catalogue = test_parse(&pool, "{}", &problems);
    assert_non_null(catalogue);
    assert_int_equal(catalogue->packages.n, 14);

    catalogue = test_parse(&pool, "{\"packages\":null,\"countries\":null,"
                           "\"requiredAddressMembers\":null,"
                           "\"languages\":null,\"timezones\":null}",
                           &problems);
    assert_non_null(catalogue);
    assert_int_equal(catalogue->packages.n, 14);
    assert_int_equal(wholesale_catalogue_country(catalogue, "DE", 2),
                     WHOLESALE_ADDRESS_KNOWN);

    /* one part of it is */

    catalogue = test_parse(&pool, "{\"packages\":{\"addon\":{\"needs\":"
                           "[\"new-1\"]},\"new-1\":{}}}", &problems);
    assert_non_null(catalogue);
    assert_int_equal(catalogue->packages.n, 2);

    package = wholesale_catalogue_package(catalogue, "addon", 5);
    assert_int_equal(package, 0);
    assert_int_equal(catalogue->addons[package].needs_n, 1);
    assert_int_equal(catalogue->addons[package].needs[0], 1);
    assert_int_equal(catalogue->addons[1].needs_n, 0);
    assert_int_equal(wholesale_catalogue_country(catalogue, "DE", 2),
                     WHOLESALE_ADDRESS_KNOWN);

    catalogue = test_parse(&pool, "{\"requiredAddressMembers\":{\"XK\":"
                           "[\"zipOrPostalCode\"],\"AA\":[],\"ZZ\":"
                           "[\"stateOrProvince\",\"zipOrPostalCode\"]},"
                           "\"countries\":[\"ZZ\",\"AA\",\"XK\"]}",
                           &problems);
    assert_non_null(catalogue);
    assert_int_equal(catalogue->asks, 1);
    assert_int_equal(wholesale_catalogue_country(catalogue, "DE", 2), 0);
    assert_int_equal(wholesale_catalogue_country(catalogue, "AA", 2),
                     WHOLESALE_ADDRESS_KNOWN);
    assert_int_equal(wholesale_catalogue_country(catalogue, "XK", 2),
                     WHOLESALE_ADDRESS_KNOWN|WHOLESALE_ADDRESS_ZIP);
    assert_int_equal(wholesale_catalogue_country(catalogue, "ZZ", 2),
                     WHOLESALE_ADDRESS_KNOWN|WHOLESALE_ADDRESS_ZIP
                     |WHOLESALE_ADDRESS_STATE);

    catalogue = test_parse(&pool, "{\"languages\":[\"en_US\",\"zh_hant\"],"
                           "\"timezones\":[\"Mars/Olympus\",\"Etc/GMT+5\"]}",
                           &problems);
    assert_non_null(catalogue);
    assert_true(wholesale_catalogue_language(catalogue, "EN_us", 5));
    assert_true(wholesale_catalogue_language(catalogue, "zh_Hant", 7));
    assert_false(wholesale_catalogue_language(catalogue, "en", 2));
    assert_int_equal(catalogue->timezones_from, WHOLESALE_TIMEZONES_FILE);
    assert_true(wholesale_catalogue_timezone(catalogue, "Etc/GMT+5", 9));
    assert_false(wholesale_catalogue_timezone(catalogue, "Europe/Berlin", 13));

    test_pool_free(&pool);
}


static void
test_mistakes(void **state)
{
    size_t                i, k;
    test_pool_t           pool;
    wholesale_problems_t  problems;

    test_pool_init(&pool);

    for (i = 0; i < sizeof(test_files) / sizeof(test_files[0]); i++) {
        assert_null(test_parse(&pool, test_files[i].text, &problems));
        assert_int_equal(problems.failed, 0);

        for (k = 0; k < TEST_NAMES_MAX && test_files[i].mistakes[k]; k++) {
            assert_true(k < problems.stored);
            assert_string_equal(problems.items[k].description,
                                test_files[i].mistakes[k]);
        }

        assert_true(k < TEST_NAMES_MAX);
        assert_int_equal(problems.total, k);
    }

    test_pool_free(&pool);
}


/* an operator is told of more than a client is */

static void
test_many_mistakes(void **state)
{
    char                  text[TEST_MISTAKES * 2 + 32], *p;
    size_t                i;
    test_pool_t           pool;
    wholesale_problems_t  problems;

    test_pool_init(&pool);

    p = text + sprintf(text, "{\"countries\":[");

    for (i = 0; i < TEST_MISTAKES; i++) {
        p += sprintf(p, i ? ",1" : "1");
    }

    (void) sprintf(p, "]}");

    assert_null(test_parse(&pool, text, &problems));
    assert_int_equal(problems.total, TEST_MISTAKES);
    assert_int_equal(problems.stored, TEST_MISTAKES - 1);
    assert_string_equal(problems.items[TEST_MISTAKES - 2].description,
                        "countries[999]: has to be a name, not the number 1");

    test_pool_free(&pool);
}


/* no part is larger than what it may be */

static void
test_sizes(void **state)
{
    char                   *text, *p;
    size_t                  i, part, n;
    test_pool_t             pool;
    wholesale_problems_t    problems;
    wholesale_catalogue_t  *catalogue;

    static const struct {
        const char  *start;
        const char  *entry;
        const char  *end;
        size_t       most;
        const char  *mistake;
    } parts[] = {
        { "{\"packages\":{", "\"p%zu\":{}", "}}", WHOLESALE_PACKAGES_MAX,
          "packages: 1025 packages, at most 1024 are allowed" },
        { "{\"languages\":[", "\"l%zu\"", "]}", WHOLESALE_LANGUAGES_MAX,
          "languages: 1025 names, at most 1024 are allowed" },
        { "{\"timezones\":[", "\"z%zu\"", "]}", WHOLESALE_TIMEZONES_MAX,
          "timezones: 4097 names, at most 4096 are allowed" }
    };

    test_pool_init(&pool);

    for (part = 0; part < sizeof(parts) / sizeof(parts[0]); part++) {
        for (n = parts[part].most; n <= parts[part].most + 1; n++) {
            text = malloc(n * 32 + 64);
            assert_non_null(text);

            p = text + sprintf(text, "%s", parts[part].start);

            for (i = 0; i < n; i++) {
                p += sprintf(p, i ? "," : "");
                p += sprintf(p, parts[part].entry, i);
            }

            sprintf(p, "%s", parts[part].end);

            catalogue = test_parse(&pool, text, &problems);

            if (n == parts[part].most) {
                assert_non_null(catalogue);

            } else {
                assert_null(catalogue);
                assert_int_equal(problems.total, 1);
                assert_string_equal(problems.items[0].description,
                                    parts[part].mistake);
            }

            free(text);
        }
    }

    test_pool_free(&pool);
}


static void
test_meant(void **state)
{
    char                    meant[WHOLESALE_NAME_MAX + 1];
    size_t                  i, len;
    test_pool_t             pool;
    wholesale_catalogue_t  *catalogue;

    size_t (*const functions[])(const wholesale_catalogue_t *, const char *,
                                size_t, char *) = {
        wholesale_catalogue_meant_package,
        wholesale_catalogue_meant_country,
        wholesale_catalogue_meant_language,
        wholesale_catalogue_meant_timezone
    };

    static const struct {
        size_t       function;
        const char  *text;
        const char  *meant;
    } texts[] = {
        { 0, "Webex-Suite", "webex_suite" },
        { 0, "suite", "" },
        { 0, "webex_caling", "webex_calling" },
        { 0, "webex_ai_calling", "" },
        { 0, "webex_calling1", "" },
        { 1, "us", "US" },
        { 1, "US ", "US" },
        { 1, "  us", "US" },
        { 1, "usa", "US" },
        { 1, "UK", "GB" },
        { 1, "xx", "" },
        { 1, "1a", "" },
        { 1, "", "" },
        { 1, "   ", "" },
        { 1, "usaa", "" },
        { 1, "U S", "" },
        { 2, "EN-us", "en_us" },
        { 2, "en us", "en_us" },
        { 2, " en_us  ", "en_us" },
        { 2, "en us us", "" },
        { 2, "english", "" },
        { 2, "0123456789012345678901234567890123456789012345678901234567890"
             "1234567890", "" },
        { 3, "Los Angeles", "America/Los_Angeles" },
        { 3, "Europe/Pariss", "Europe/Paris" },
        { 3, " Europe/Paris ", "Europe/Paris" },
        { 3, "America/Los Angeles", "America/Los_Angeles" },
        { 3, "america/los angles", "America/Los_Angeles" },
        { 3, "Amercia/Chicago", "America/Chicago" },
        { 3, "America/NewYork", "America/New_York" },
        { 3, "NewYork", "America/New_York" },
        { 3, "new york", "America/New_York" },
        { 3, "Moskow", "Europe/Moscow" },
        { 3, "utc", "UTC" },
        { 3, "Asia/Dubia", "Asia/Dubai" },

        /* other places, not slips of the pen */
        { 3, "Asia/Mumbai", "" },
        { 3, "Mumbai", "" },
        { 3, "Asia/Osaka", "" },
        { 3, "Osaka", "" },
        { 3, "GMT+2", "" },
        { 3, "Etc/GMT+15", "" },
        { 3, "WEST", "" },
        { 3, "Europe/Rom", "" },
        { 3, "Rome", "" },
        { 3, "Mars/Olympus", "" }
    };

    test_pool_init(&pool);

    catalogue = wholesale_catalogue_create(&pool.pool, TEST_TZDATA);
    assert_non_null(catalogue);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len = functions[texts[i].function](catalogue, texts[i].text,
                                           strlen(texts[i].text), meant);

        assert_string_equal(meant, texts[i].meant);
        assert_int_equal(len, strlen(meant));
    }

    test_pool_free(&pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_timezones_of_machine),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_meant)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
