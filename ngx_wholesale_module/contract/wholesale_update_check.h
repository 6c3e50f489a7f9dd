
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_UPDATE_CHECK_H_INCLUDED_
#define _WHOLESALE_UPDATE_CHECK_H_INCLUDED_


#include <wholesale_document.h>
#include <wholesale_update.h>


/*
 * The rules of the update that are about more than a member's type and length.
 * Each check is given a value of the right type and adds what is wrong with it
 * to update->problems; a string is not empty and has no control character.
 */


typedef struct {
    const wholesale_catalogue_t     *catalogue;
    const wholesale_update_rules_t  *rules;
    wholesale_problems_t            *problems;
} wholesale_update_t;


typedef void (*wholesale_check_pt)(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);


/* each is in the catalogue, and an add-on's need is met by the same list */
void wholesale_check_packages(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);

/* an object of whole numbers, however they are written, by package */
void wholesale_check_limits(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);

/* these are strings */
void wholesale_check_country(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);
void wholesale_check_language(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);
void wholesale_check_timezone(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);
void wholesale_check_email(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *value);


#endif /* _WHOLESALE_UPDATE_CHECK_H_INCLUDED_ */
