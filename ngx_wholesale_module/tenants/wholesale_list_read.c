
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdlib.h>
#include <string.h>

#include <wholesale_parser.h>


#define WHOLESALE_ID_PADDING_MAX  2


static int wholesale_list_read_any(wholesale_parser_t *parser,
    const json_t *value, const wholesale_list_kind_t *kind,
    wholesale_list_t *list);
static void wholesale_list_read_elements(wholesale_parser_t *parser,
    const json_t *value, const wholesale_list_kind_t *kind,
    wholesale_list_t *list);
static const char *wholesale_list_read_element(wholesale_parser_t *parser,
    const json_t *value, const wholesale_list_kind_t *kind);
static void wholesale_list_sort(wholesale_parser_t *parser, const char **elts,
    size_t n);
static int wholesale_list_is_id(const char *text, size_t len);
static int wholesale_list_is_package(const char *text, size_t len);
static int wholesale_list_sort_compare(const void *one, const void *two);
static int wholesale_list_compare(const char *one, size_t one_len,
    const char *two, size_t two_len);
static size_t wholesale_list_len(const char *text, size_t len);


const wholesale_list_kind_t  wholesale_list_sub_partners = {
    "an id: 1 to 512 of A-Z a-z 0-9 _ - and up to two \"=\" are expected",
    "is empty; leave it out if the tenant acts for nobody but itself",
    NULL,
    wholesale_list_is_id,
    0
};


const wholesale_list_kind_t  wholesale_list_customers = {
    "an id: 1 to 512 of A-Z a-z 0-9 _ - and up to two \"=\" are expected",
    "is empty; leave it out if the tenant may update any customer, set "
    "\"enabled\" to false if it may update none",
    "\"*\" is not an id; leave \"customers\" out if the tenant may update "
    "any customer",
    wholesale_list_is_id,
    0
};


const wholesale_list_kind_t  wholesale_list_packages = {
    "a package's name: 1 to 64 of A-Z a-z 0-9 _ . - are expected",
    "is empty; leave it out if the tenant may use any package, set "
    "\"enabled\" to false if it may use none",
    "\"*\" is not a package's name; leave \"packages\" out if the tenant may "
    "use any package",
    wholesale_list_is_package,
    1
};


void
wholesale_list_read(wholesale_parser_t *parser, const json_t *value,
    const wholesale_list_kind_t *kind, wholesale_list_t *list)
{
    list->elts = NULL;
    list->nelts = 0;
    list->any = 0;

    if (!json_is_array(value)) {
        wholesale_parser_wrong(parser, value, "a list");
        return;
    }

    if (json_array_size(value) == 0) {
        wholesale_mistake(&parser->mistakes, "%s", kind->empty);
        return;
    }

    if (wholesale_list_read_any(parser, value, kind, list)) {
        return;
    }

    wholesale_list_read_elements(parser, value, kind, list);
}


int
wholesale_list_has(const char *const *elts, size_t nelts, const char *text,
    size_t len)
{
    int     rc;
    size_t  low, high, middle;

    low = 0;
    high = nelts;

    while (low < high) {
        middle = low + (high - low) / 2;

        rc = wholesale_list_compare(text, len, elts[middle],
                                    strlen(elts[middle]));
        if (rc == 0) {
            return 1;
        }

        if (rc < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return 0;
}


/* returns 1 if there is a "*" in a list that may be ["*"] */

static int
wholesale_list_read_any(wholesale_parser_t *parser, const json_t *value,
    const wholesale_list_kind_t *kind, wholesale_list_t *list)
{
    size_t   i;
    json_t  *element;

    if (kind->any != NULL) {
        return 0;
    }

    json_array_foreach(value, i, element) {

        if (!json_is_string(element)
            || strcmp(json_string_value(element), "*") != 0)
        {
            continue;
        }

        list->any = 1;

        if (json_array_size(value) > 1) {
            wholesale_path_element(&parser->mistakes, i);
            wholesale_mistake(&parser->mistakes,
                              "\"*\" stands for all and has to stand alone");
            wholesale_path_leave(&parser->mistakes);
        }

        return 1;
    }

    return 0;
}


static void
wholesale_list_read_elements(wholesale_parser_t *parser, const json_t *value,
    const wholesale_list_kind_t *kind, wholesale_list_t *list)
{
    size_t        i, n;
    json_t       *element;
    const char  **elts;

    elts = wholesale_parser_alloc(parser,
                                  json_array_size(value) * sizeof(char *));
    if (elts == NULL) {
        return;
    }

    n = 0;

    json_array_foreach(value, i, element) {
        wholesale_path_element(&parser->mistakes, i);

        elts[n] = wholesale_list_read_element(parser, element, kind);

        if (elts[n] != NULL) {
            n++;
        }

        wholesale_path_leave(&parser->mistakes);
    }

    wholesale_list_sort(parser, elts, n);

    list->elts = elts;
    list->nelts = n;
}


static const char *
wholesale_list_read_element(wholesale_parser_t *parser, const json_t *value,
    const wholesale_list_kind_t *kind)
{
    size_t       len;
    const char  *text;

    text = json_string_value(value);
    len = json_string_length(value);

    if (text != NULL && kind->any != NULL && strcmp(text, "*") == 0) {
        wholesale_mistake(&parser->mistakes, "%s", kind->any);
        return NULL;
    }

    if (text == NULL || !kind->is_element(text, len)) {
        wholesale_parser_wrong(parser, value, kind->expected);
        return NULL;
    }

    if (kind->packages && parser->known != NULL
        && !parser->known->package(parser->known->data, text, len))
    {
        wholesale_parser_wrong(parser, value, "a package of the catalogue");
        return NULL;
    }

    return wholesale_parser_text(parser, text, len);
}


static void
wholesale_list_sort(wholesale_parser_t *parser, const char **elts, size_t n)
{
    char    quoted[WHOLESALE_QUOTED_SIZE];
    size_t  i;

    qsort(elts, n, sizeof(char *), wholesale_list_sort_compare);

    for (i = 1; i < n; i++) {

        if (wholesale_list_compare(elts[i - 1], strlen(elts[i - 1]),
                                   elts[i], strlen(elts[i]))
            == 0)
        {
            wholesale_mistake(&parser->mistakes, "has %s twice",
                              wholesale_quote(quoted, elts[i],
                                              strlen(elts[i])));
        }
    }
}


static int
wholesale_list_is_id(const char *text, size_t len)
{
    size_t  word;

    word = wholesale_list_len(text, len);

    return len <= WHOLESALE_TENANTS_ID_MAX
           && len - word <= WHOLESALE_ID_PADDING_MAX
           && wholesale_parser_is_word(text, word, WHOLESALE_TENANTS_ID_MAX,
                                       "_-");
}


static int
wholesale_list_is_package(const char *text, size_t len)
{
    return wholesale_parser_is_word(text, len, WHOLESALE_TENANTS_NAME_MAX,
                                    "_.-");
}


/* ids that differ in nothing but the padding are in order, too */

static int
wholesale_list_sort_compare(const void *one, const void *two)
{
    int          rc;
    const char  *a, *b;

    a = *(const char *const *) one;
    b = *(const char *const *) two;

    rc = wholesale_list_compare(a, strlen(a), b, strlen(b));

    return rc ? rc : strcmp(a, b);
}


/* base64 is the same with and without its padding */

static int
wholesale_list_compare(const char *one, size_t one_len, const char *two,
    size_t two_len)
{
    int  rc;

    one_len = wholesale_list_len(one, one_len);
    two_len = wholesale_list_len(two, two_len);

    rc = memcmp(one, two, one_len < two_len ? one_len : two_len);

    if (rc != 0 || one_len == two_len) {
        return rc;
    }

    return one_len < two_len ? -1 : 1;
}


static size_t
wholesale_list_len(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] == '=') {
        len--;
    }

    return len;
}
