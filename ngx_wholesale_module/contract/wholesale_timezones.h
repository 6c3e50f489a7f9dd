
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _WHOLESALE_TIMEZONES_H_INCLUDED_
#define _WHOLESALE_TIMEZONES_H_INCLUDED_


#include <wholesale_names.h>
#include <wholesale_pool.h>


/*
 * Makes the set of the names, zones and links, in the tz database's tzdata.zi
 * at "path", its memory from "pool".  A blocking read.
 *
 * Returns 0 if the set is made, 1 if there is no such file or it is not one,
 * -1 if an allocation failed.
 */
int wholesale_timezones_read(wholesale_names_t *timezones,
    const wholesale_pool_t *pool, const char *path);


#endif /* _WHOLESALE_TIMEZONES_H_INCLUDED_ */
