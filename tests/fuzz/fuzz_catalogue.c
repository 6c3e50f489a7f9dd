
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <wholesale_catalogue.h>

#include "../unit/test_pool.h"


/*
 * Any text is either refused, with problems that can be logged, or makes a
 * catalogue whose lists can be looked through; and it is one JSON object by
 * jansson's own judgement, too.
 */


/* there is no such file, so that the time zones are those built in */
#define FUZZ_TZDATA  "tests/fuzz/no_tzdata"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static wholesale_catalogue_t *fuzz_parse(const wholesale_pool_t *pool,
    const uint8_t *data, size_t size, wholesale_problems_t *problems);
static void fuzz_look(const wholesale_catalogue_t *catalogue);
static void fuzz_problems(const wholesale_problems_t *problems);
static void fuzz_assert(int holds);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t                 *json;
    test_pool_t             pool;
    wholesale_problems_t    problems, again;
    wholesale_catalogue_t  *catalogue;

    test_pool_init(&pool);

    catalogue = fuzz_parse(&pool.pool, data, size, &problems);

    fuzz_assert(!problems.failed);
    fuzz_assert((catalogue == NULL) == (problems.total > 0));
    fuzz_problems(&problems);

    if (catalogue != NULL) {
        json = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES,
                          NULL);
        fuzz_assert(json_is_object(json));
        json_decref(json);

        fuzz_look(catalogue);
    }

    fuzz_assert((fuzz_parse(&pool.pool, data, size, &again) == NULL)
                == (catalogue == NULL));
    fuzz_assert(again.total == problems.total);

    test_pool_free(&pool);

    return 0;
}


static wholesale_catalogue_t *
fuzz_parse(const wholesale_pool_t *pool, const uint8_t *data, size_t size,
    wholesale_problems_t *problems)
{
    wholesale_problems_init(problems, pool);

    return wholesale_catalogue_parse(pool, (const char *) data, size,
                                     FUZZ_TZDATA, problems);
}


static void
fuzz_look(const wholesale_catalogue_t *catalogue)
{
    size_t                    i, k;
    const wholesale_name_t   *name;
    const wholesale_addon_t  *addon;

    fuzz_assert(catalogue->packages.n > 0);
    fuzz_assert(catalogue->packages.n <= WHOLESALE_PACKAGES_MAX);

    for (i = 0; i < catalogue->packages.n; i++) {
        name = &catalogue->packages.names[i];
        addon = &catalogue->addons[i];

        fuzz_assert(wholesale_catalogue_package(catalogue, name->data,
                                                name->len)
                    == i);

        for (k = 0; k < addon->needs_n; k++) {
            fuzz_assert(addon->needs[k] < catalogue->packages.n);
            fuzz_assert(addon->needs[k] != i);
        }
    }

    for (i = 0; i < catalogue->languages.n; i++) {
        name = &catalogue->languages.names[i];
        fuzz_assert(wholesale_catalogue_language(catalogue, name->data,
                                                 name->len));
    }

    for (i = 0; i < catalogue->timezones.n; i++) {
        name = &catalogue->timezones.names[i];
        fuzz_assert(wholesale_catalogue_timezone(catalogue, name->data,
                                                 name->len));
    }
}


static void
fuzz_problems(const wholesale_problems_t *problems)
{
    size_t                      i;
    const wholesale_problem_t  *problem;

    fuzz_assert(problems->stored <= problems->most);
    fuzz_assert(problems->stored <= problems->total);

    for (i = 0; i < problems->stored; i++) {
        problem = &problems->items[i];

        fuzz_assert(strlen(problem->pointer) == problem->pointer_len);
        fuzz_assert(strlen(problem->description) == problem->description_len);
        fuzz_assert(wholesale_text_control(problem->description,
                                           problem->description_len)
                    == NULL);
    }
}


static void
fuzz_assert(int holds)
{
    if (!holds) {
        abort();
    }
}
