
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_CATALOGUE_DATA_H_INCLUDED_
#define _WHOLESALE_CATALOGUE_DATA_H_INCLUDED_


#include <stddef.h>


/*
 * The built-in catalogue: the one place where its lists are written down.
 * catalogue.json says the same for operators to start from.
 */


#define WHOLESALE_BUILT_IN_NEEDS_MAX  8


typedef struct {
    const char  *name;

    /* at least one of these in the same list; NULL ends them */
    const char  *needs[WHOLESALE_BUILT_IN_NEEDS_MAX];
} wholesale_built_in_package_t;


extern const wholesale_built_in_package_t  wholesale_built_in_packages[];
extern const size_t                        wholesale_built_in_packages_n;

/* ISO 3166-1 alpha-2, two letters each without anything between them */
extern const char                          wholesale_built_in_countries[];

/* the names of zones and links in release 2025b of the tz database */
extern const char *const                   wholesale_built_in_timezones[];
extern const size_t                        wholesale_built_in_timezones_n;


#endif /* _WHOLESALE_CATALOGUE_DATA_H_INCLUDED_ */
