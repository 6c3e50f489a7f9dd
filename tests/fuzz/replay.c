
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


/*
 * Gives a fuzz target the files that are named, once each: what a fuzzer has
 * found is checked by any compiler, in a moment.
 */


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *name);


int
main(int argc, char **argv)
{
    int  i;

    for (i = 1; i < argc; i++) {
        if (replay(argv[i]) != 0) {
            return 1;
        }
    }

    printf("%s: %d inputs\n", argv[0], argc - 1);

    return 0;
}


static int
replay(const char *name)
{
    long      size;
    FILE     *file;
    uint8_t  *data;

    file = fopen(name, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(name);
        return 1;
    }

    size = ftell(file);
    rewind(file);

    /* exactly as large, so that a sanitizer sees the first byte beyond */

    data = malloc(size ? size : 1);

    if (data == NULL || fread(data, 1, size, file) != (size_t) size) {
        perror(name);
        return 1;
    }

    fclose(file);

    LLVMFuzzerTestOneInput(data, size);

    free(data);

    return 0;
}
