
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_wholesale_metrics.h>


typedef struct {
    ngx_str_t   name;

    /* its elements or members are counted for it */
    ngx_uint_t  whole;
} ngx_wholesale_metrics_member_t;


static ngx_uint_t ngx_wholesale_metrics_is_member(
    const ngx_wholesale_metrics_member_t *member, const char *pointer);


#define NGX_WHOLESALE_METRICS_PARAMETERS  "provisioningParameters"
#define NGX_WHOLESALE_METRICS_LOCATION                                        \
    NGX_WHOLESALE_METRICS_PARAMETERS ".calling.location"


/* the contract's, and at the end all others: nobody can add to these */

static ngx_wholesale_metrics_member_t  ngx_wholesale_metrics_members[] = {

    { ngx_string("body"), 0 },

    { ngx_string("externalId"), 0 },
    { ngx_string("packages"), 1 },
    { ngx_string("subPartnerAdminEmail"), 0 },

    { ngx_string("address"), 0 },
    { ngx_string("address.addressLine1"), 0 },
    { ngx_string("address.addressLine2"), 0 },
    { ngx_string("address.city"), 0 },
    { ngx_string("address.stateOrProvince"), 0 },
    { ngx_string("address.zipOrPostalCode"), 0 },
    { ngx_string("address.country"), 0 },

    { ngx_string(NGX_WHOLESALE_METRICS_PARAMETERS), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_PARAMETERS ".calling"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_PARAMETERS ".meetings"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_PARAMETERS ".meetings.timezone"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_PARAMETERS ".packages"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_PARAMETERS ".packages.limits"), 1 },

    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".name"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".timezone"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".language"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION
                 ".emergencyLocationIdentifier"), 0 },

    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address.addressLine1"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address.addressLine2"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address.city"), 0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address.stateOrProvince"),
      0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address.zipOrPostalCode"),
      0 },
    { ngx_string(NGX_WHOLESALE_METRICS_LOCATION ".address.country"), 0 },

    { ngx_string("other"), 0 }
};


typedef char  ngx_wholesale_metrics_members_are_all
    [sizeof(ngx_wholesale_metrics_members)
     == NGX_WHOLESALE_METRICS_MEMBERS
        * sizeof(ngx_wholesale_metrics_member_t) ? 1 : -1];


/* in the order of ngx_wholesale_metrics_outcome_e */

static ngx_str_t  ngx_wholesale_metrics_outcomes[] = {
    ngx_string("forwarded"),
    ngx_string("unauthenticated"),
    ngx_string("forbidden"),
    ngx_string("limited"),
    ngx_string("invalid"),
    ngx_string("unavailable"),
    ngx_string("not_found"),
    ngx_string("other"),
    ngx_string("forbidden_dry_run"),
    ngx_string("limited_dry_run"),
    ngx_string("invalid_dry_run")
};


/* in the order of ngx_wholesale_metrics_class_e */

static ngx_str_t  ngx_wholesale_metrics_classes[] = {
    ngx_string("2xx"),
    ngx_string("3xx"),
    ngx_string("4xx"),
    ngx_string("5xx"),
    ngx_string("failed")
};


/* in the order of ngx_wholesale_metrics_duration_e */

static ngx_str_t  ngx_wholesale_metrics_durations[] = {
    ngx_string("request"),
    ngx_string("redis"),
    ngx_string("upstream")
};


ngx_uint_t
ngx_wholesale_metrics_member(const char *pointer)
{
    ngx_uint_t  i;

    /* the first one is the document itself, the last one all others */

    if (*pointer == '\0') {
        return 0;
    }

    for (i = 1; i < NGX_WHOLESALE_METRICS_MEMBERS - 1; i++) {

        if (ngx_wholesale_metrics_is_member(&ngx_wholesale_metrics_members[i],
                                            pointer))
        {
            break;
        }
    }

    return i;
}


/* "/address/country" is address.country; no name of the contract has a dot */

static ngx_uint_t
ngx_wholesale_metrics_is_member(const ngx_wholesale_metrics_member_t *member,
    const char *pointer)
{
    u_char  *p, *last;

    p = member->name.data;
    last = p + member->name.len;

    if (*pointer++ != '/') {
        return 0;
    }

    for ( /* void */ ; p < last; p++, pointer++) {

        if (*pointer != (*p == '.' ? '/' : (char) *p)) {
            return 0;
        }
    }

    return *pointer == '\0' || (member->whole && *pointer == '/');
}


ngx_str_t *
ngx_wholesale_metrics_member_name(ngx_uint_t member)
{
    return &ngx_wholesale_metrics_members[member].name;
}


ngx_str_t *
ngx_wholesale_metrics_outcome_name(ngx_wholesale_metrics_outcome_e outcome)
{
    return &ngx_wholesale_metrics_outcomes[outcome];
}


ngx_str_t *
ngx_wholesale_metrics_class_name(ngx_wholesale_metrics_class_e class)
{
    return &ngx_wholesale_metrics_classes[class];
}


ngx_str_t *
ngx_wholesale_metrics_duration_name(ngx_wholesale_metrics_duration_e duration)
{
    return &ngx_wholesale_metrics_durations[duration];
}
