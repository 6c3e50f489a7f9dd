
/*
 * Copyright (C) The wholesale gateway authors
 */


#ifndef _TEST_FILE_H_INCLUDED_
#define _TEST_FILE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>


/*
 * The bytes of a file, for free().  No zero ends them: a reader that goes one
 * byte too far is seen by the sanitizer.
 */

static char *
test_file(const char *path, size_t *len)
{
    long   size;
    char  *text;
    FILE  *file;

    file = fopen(path, "rb");

    if (file == NULL) {
        fail_msg("no file %s", path);
    }

    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_true(size >= 0);
    rewind(file);

    text = malloc(size ? size : 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);

    fclose(file);

    *len = size;

    return text;
}


#endif /* _TEST_FILE_H_INCLUDED_ */
