
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <string.h>

#include <wholesale_path.h>


#define WHOLESALE_ID_PADDING_MAX     2

/* a longer query could hide anything; nginx's own bound is 8k by default */
#define WHOLESALE_QUERY_MAX          8192

/* so many levels of percent-encoding are looked through */
#define WHOLESALE_QUERY_DECODED_MAX  5

#define wholesale_literal(text)      { text, sizeof(text) - 1 }


static const wholesale_call_t *wholesale_path_find(const char **tail,
    const char *end);
static size_t wholesale_id_padding(const char *p, const char *end);
static int wholesale_path_plain(const char *path, size_t len);
static int wholesale_path_same(const char *uri, size_t uri_len, size_t prefix,
    const char *raw, size_t raw_len);
static int wholesale_query_hides(const char *query, size_t len);
static int wholesale_query_names(const char *text, size_t len);
static size_t wholesale_query_decode(char *name, size_t len);
static int wholesale_query_hex(char c);


static const char  wholesale_prefix[] = "/wholesale/";

/* what is no id stands before the id whose place it takes */

static const wholesale_call_t  wholesale_calls[] = {

    { "customers/validate", WHOLESALE_POST, 0, 1 },

    { "customers/",
      WHOLESALE_GET|WHOLESALE_PUT|WHOLESALE_DELETE, 1, 1 },

    { "customers", WHOLESALE_GET|WHOLESALE_POST, 0, 1 },

    { "subPartners", WHOLESALE_GET, 0, 0 },

    { "subscribers/validate", WHOLESALE_POST, 0, 1 },

    { "subscribers/",
      WHOLESALE_GET|WHOLESALE_PUT|WHOLESALE_DELETE, 0, 1 },

    { "subscribers", WHOLESALE_GET|WHOLESALE_POST, 0, 1 },

    { "billing/reports/", WHOLESALE_GET|WHOLESALE_DELETE, 0, 0 },

    { "billing/reports", WHOLESALE_GET|WHOLESALE_POST, 0, 0 },

    { NULL, 0, 0, 0 }
};

static const wholesale_slice_t  wholesale_sub_partner =
    wholesale_literal("onBehalfOfSubPartnerOrgId");

/*
 * The part of it that has no letter for which Unicode has another that is the
 * same in lower or upper case, as it has for "s", "k" and "i".
 */

static const char  wholesale_hidden[] = "onbehalfof";


size_t
wholesale_id_check(const char *id, size_t len)
{
    size_t       n, padding;
    const char  *p, *end;

    p = id;
    end = id + len;

    while (p < end
           && (((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
               || (*p >= '0' && *p <= '9') || *p == '_' || *p == '-'))
    {
        p++;
    }

    n = p - id;

    if (n == 0 || n > WHOLESALE_ID_MAX) {
        return 0;
    }

    for (padding = 0; p < end; padding++) {
        if (padding == WHOLESALE_ID_PADDING_MAX
            || wholesale_id_padding(p, end) == 0)
        {
            return 0;
        }

        p += wholesale_id_padding(p, end);
    }

    return n;
}


size_t
wholesale_id_unpadded(const char *id, size_t len)
{
    /* in the id itself there is neither of them */

    for ( ;; ) {

        if (len >= 1 && id[len - 1] == '=') {
            len -= 1;

        } else if (len >= 3 && id[len - 3] == '%') {
            len -= 3;

        } else {
            return len;
        }
    }
}


int
wholesale_id_equal(const char *one, size_t one_len, const char *other,
    size_t other_len)
{
    size_t  len;

    len = wholesale_id_check(one, one_len);

    return len != 0
           && len == wholesale_id_check(other, other_len)
           && memcmp(one, other, len) == 0;
}


wholesale_path_e
wholesale_path_call(const char *uri, size_t uri_len, const char *raw,
    size_t raw_len, const wholesale_call_t **call, wholesale_slice_t *id)
{
    const char  *p, *end, *tail, *query;

    id->data = raw;
    id->len = 0;

    query = memchr(raw, '?', raw_len);

    if (query != NULL) {
        raw_len = query - raw;
    }

    end = uri + uri_len;
    tail = NULL;

    for (p = memchr(uri, wholesale_prefix[0], uri_len);
         p != NULL && (size_t) (end - p) >= sizeof(wholesale_prefix) - 1;
         p = memchr(p + 1, wholesale_prefix[0], end - p - 1))
    {
        if (memcmp(p, wholesale_prefix, sizeof(wholesale_prefix) - 1) != 0) {
            continue;
        }

        if (tail != NULL) {
            return WHOLESALE_PATH_OTHER;
        }

        tail = p + sizeof(wholesale_prefix) - 1;
    }

    if (tail == NULL) {
        return WHOLESALE_PATH_OTHER;
    }

    *call = wholesale_path_find(&tail, end);

    if (*call == NULL) {
        return WHOLESALE_PATH_OTHER;
    }

    if (tail < end
        && (memchr(tail, '%', end - tail) != NULL
            || wholesale_id_check(tail, end - tail) == 0))
    {
        return WHOLESALE_PATH_BAD_ID;
    }

    if (!wholesale_path_plain(uri, tail - uri)
        || !wholesale_path_same(uri, uri_len, tail - uri, raw, raw_len))
    {
        return WHOLESALE_PATH_AMBIGUOUS;
    }

    id->data = raw + (tail - uri);
    id->len = raw_len - (tail - uri);

    return WHOLESALE_PATH_CALL;
}


wholesale_sub_partner_e
wholesale_query_sub_partner(const char *query, size_t len,
    wholesale_slice_t *id)
{
    const char               *p, *end, *next, *rest;
    wholesale_slice_t         value;
    const wholesale_slice_t  *name;

    name = &wholesale_sub_partner;

    id->data = query;
    id->len = 0;

    value.data = NULL;
    value.len = 0;

    rest = query;
    end = query + len;

    for (p = query; p < end; p = next + 1) {

        next = memchr(p, '&', end - p);

        if (next == NULL) {
            next = end;
        }

        if ((size_t) (next - p) < name->len
            || memcmp(p, name->data, name->len) != 0
            || (p + name->len < next && p[name->len] != '='))
        {
            continue;
        }

        if (value.data != NULL) {
            return WHOLESALE_SUB_PARTNER_DOUBLED;
        }

        /* what stands before the name may hide another, and what follows it */

        if (wholesale_query_hides(rest, p - rest)) {
            return WHOLESALE_SUB_PARTNER_HIDDEN;
        }

        rest = p + name->len;

        value.data = (rest < next) ? rest + 1 : rest;
        value.len = next - value.data;
    }

    if (wholesale_query_hides(rest, end - rest)) {
        return WHOLESALE_SUB_PARTNER_HIDDEN;
    }

    if (value.data == NULL) {
        return WHOLESALE_SUB_PARTNER_NONE;
    }

    if (wholesale_id_check(value.data, value.len) == 0) {
        return WHOLESALE_SUB_PARTNER_BAD_ID;
    }

    *id = value;

    return WHOLESALE_SUB_PARTNER_ONE;
}


/* moves "tail" to where the id starts, or to "end" if there is none */

static const wholesale_call_t *
wholesale_path_find(const char **tail, const char *end)
{
    size_t                   len;
    const wholesale_call_t  *call;

    for (call = wholesale_calls; call->path != NULL; call++) {
        len = strlen(call->path);

        if ((size_t) (end - *tail) < len
            || memcmp(*tail, call->path, len) != 0)
        {
            continue;
        }

        if (call->path[len - 1] != '/') {

            if (*tail + len == end) {
                *tail = end;
                return call;
            }

            continue;
        }

        if (*tail + len < end
            && memchr(*tail + len, '/', end - *tail - len) == NULL)
        {
            *tail += len;
            return call;
        }
    }

    return NULL;
}


/* returns the length of the "=" or "%3D" at "p", or 0 */

static size_t
wholesale_id_padding(const char *p, const char *end)
{
    if (*p == '=') {
        return 1;
    }

    if (end - p >= 3 && p[0] == '%' && p[1] == '3'
        && (p[2] == 'D' || p[2] == 'd'))
    {
        return 3;
    }

    return 0;
}


/* no segment that is empty or made of dots, no byte that somebody decodes */

static int
wholesale_path_plain(const char *path, size_t len)
{
    size_t         dots, others;
    const char    *p, *end;
    unsigned char  c;

    dots = 0;
    others = 0;

    for (p = path + 1, end = path + len; p < end; p++) {
        c = (unsigned char) *p;

        if (c == '/') {
            if (others == 0 && dots <= 2) {
                return 0;
            }

            dots = 0;
            others = 0;
            continue;
        }

        if (c <= ' ' || c >= 0x7f || strchr("%;\\?#", c)) {
            return 0;
        }

        if (c == '.') {
            dots++;

        } else {
            others++;
        }
    }

    return path[0] == '/';
}


/* both are the same, but for the padding, which starts after "prefix" bytes */

static int
wholesale_path_same(const char *uri, size_t uri_len, size_t prefix,
    const char *raw, size_t raw_len)
{
    const char  *p, *end, *raw_end;

    if (uri_len == raw_len && memcmp(uri, raw, uri_len) == 0) {
        return 1;
    }

    if (raw_len < prefix || memcmp(uri, raw, prefix) != 0) {
        return 0;
    }

    p = uri + prefix;
    end = uri + uri_len;

    raw_end = raw + raw_len;
    raw += prefix;

    while (p < end && raw < raw_end) {

        if (*p == '=' && wholesale_id_padding(raw, raw_end)) {
            raw += wholesale_id_padding(raw, raw_end);
            p++;
            continue;
        }

        if (*p++ != *raw++) {
            return 0;
        }
    }

    return p == end && raw == raw_end;
}


/*
 * Somebody who decodes before taking the query apart, once or often, and drops
 * what is no letter, shall not find the sub-partner's name in it.
 */

static int
wholesale_query_hides(const char *query, size_t len)
{
    char    decoded[WHOLESALE_QUERY_MAX];
    size_t  n, pass;

    if (len > WHOLESALE_QUERY_MAX) {
        return 1;
    }

    if (len == 0) {
        return 0;
    }

    memcpy(decoded, query, len);

    for (pass = 0; pass < WHOLESALE_QUERY_DECODED_MAX; pass++) {

        if (wholesale_query_names(decoded, len)) {
            return 1;
        }

        n = wholesale_query_decode(decoded, len);

        if (n == len) {
            return 0;
        }

        len = n;
    }

    /* nobody has a reason to encode this often */

    return 1;
}


/* whether its letters alone have the name in them, whatever their case */

static int
wholesale_query_names(const char *text, size_t len)
{
    char    c;
    size_t  i, matched;

    matched = 0;

    for (i = 0; i < len; i++) {
        c = text[i] | 0x20;

        if (c < 'a' || c > 'z') {
            continue;
        }

        /* its last "o" may be the first one of another */

        if (c != wholesale_hidden[matched]) {
            matched = (matched == sizeof(wholesale_hidden) - 2);
        }

        if (c != wholesale_hidden[matched]) {
            matched = 0;
        }

        if (c == wholesale_hidden[matched]
            && ++matched == sizeof(wholesale_hidden) - 1)
        {
            return 1;
        }
    }

    return 0;
}


/* undoes one level of percent-encoding in place, returns the new length */

static size_t
wholesale_query_decode(char *name, size_t len)
{
    int     high, low;
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {

        if (name[i] == '%' && len - i > 2) {
            high = wholesale_query_hex(name[i + 1]);
            low = wholesale_query_hex(name[i + 2]);

            if (high >= 0 && low >= 0) {
                name[n++] = (char) (high << 4 | low);
                i += 2;
                continue;
            }
        }

        name[n++] = name[i];
    }

    return n;
}


static int
wholesale_query_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}
