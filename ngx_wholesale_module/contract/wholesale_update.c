
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <wholesale_document.h>
#include <wholesale_text.h>
#include <wholesale_update.h>
#include <wholesale_update_check.h>


#define WHOLESALE_OPTIONAL           0
#define WHOLESALE_REQUIRED           1

/* lengths of strings, in characters */
#define WHOLESALE_ADDRESS_LINE_MAX   50
#define WHOLESALE_LOCATION_NAME_MAX  80

/* an object's members are seen in a mask, see wholesale_update_object() */
#define WHOLESALE_MEMBERS_MAX        32

#define wholesale_fits(members)                                               \
    _Static_assert(sizeof(members) / sizeof(members[0]) - 1                   \
                   <= WHOLESALE_MEMBERS_MAX, "more members than the mask has")

/*
 * A slip in the name of a required member: one in so many bytes.  It takes
 * less to be another member than to be a misspelled one.
 */
#define WHOLESALE_MISSING_SLIP       8

#define wholesale_name(text)         text, sizeof(text) - 1
#define wholesale_no_member          { NULL, 0, 0, 0, 0, 0, 0, NULL, NULL }


typedef struct wholesale_member_s  wholesale_member_t;

struct wholesale_member_s {
    const char                      *name;
    size_t                           len;

    wholesale_type_e                 type;
    unsigned                         required;

    /*
     * Required where the catalogue asks for it: WHOLESALE_ADDRESS_...  Only in
     * an address, where the "country" beside it says what is asked for.
     */
    unsigned                         asked;

    /* a string's length, in characters, both included; 0: no bound */
    size_t                           least;
    size_t                           most;

    /* for what the columns before it cannot say, or NULL */
    wholesale_check_pt               check;

    /* an object's, the last of which has no name; NULL: "check" knows them */
    const wholesale_member_t        *members;
};


static void wholesale_update_object(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *object,
    const wholesale_member_t *members);
static unsigned wholesale_update_asked(const wholesale_update_t *update,
    const wholesale_value_t *object, const wholesale_member_t *members);
static const wholesale_member_t *wholesale_update_member(
    const wholesale_member_t *members, const char *name, size_t len);
static void wholesale_update_value(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    unsigned required, const wholesale_value_t *value);
static void wholesale_update_string(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    const wholesale_value_t *value);
static int wholesale_update_length(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    const wholesale_value_t *value);
static void wholesale_update_unknown(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *object,
    const wholesale_member_t *members);
static void wholesale_update_missing(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    const wholesale_value_t *object, const wholesale_member_t *members);
static void wholesale_update_allowed(const wholesale_update_t *update,
    const wholesale_value_t *root);
static void wholesale_update_allowed_packages(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *packages);
static void wholesale_update_allowed_limits(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *parameters);
static void wholesale_update_allowed_package(const wholesale_update_t *update,
    const wholesale_place_t *place, const char *name);


/*
 * The contract.  An optional member may be null, and an optional string empty,
 * which is the same as not there, unless "least" says no; a required one is
 * missing then, and also if it is an empty string in place of another type.
 *
 *    name, type, required, asked, least, most, check, members
 */

static const wholesale_member_t  wholesale_address_members[] = {

    { wholesale_name("addressLine1"), WHOLESALE_STRING, WHOLESALE_REQUIRED,
      0, 0, WHOLESALE_ADDRESS_LINE_MAX, NULL, NULL },

    { wholesale_name("addressLine2"), WHOLESALE_STRING, WHOLESALE_OPTIONAL,
      0, 0, WHOLESALE_ADDRESS_LINE_MAX, NULL, NULL },

    { wholesale_name("city"), WHOLESALE_STRING, WHOLESALE_REQUIRED,
      0, 0, 0, NULL, NULL },

    { wholesale_name("stateOrProvince"), WHOLESALE_STRING, WHOLESALE_OPTIONAL,
      WHOLESALE_ADDRESS_STATE, 0, 0, NULL, NULL },

    { wholesale_name("zipOrPostalCode"), WHOLESALE_STRING, WHOLESALE_OPTIONAL,
      WHOLESALE_ADDRESS_ZIP, 0, 0, NULL, NULL },

    { wholesale_name("country"), WHOLESALE_STRING, WHOLESALE_REQUIRED,
      0, 0, 0, wholesale_check_country, NULL },

    wholesale_no_member
};


static const wholesale_member_t  wholesale_location_members[] = {

    { wholesale_name("name"), WHOLESALE_STRING, WHOLESALE_REQUIRED,
      0, 0, WHOLESALE_LOCATION_NAME_MAX, NULL, NULL },

    { wholesale_name("address"), WHOLESALE_OBJECT, WHOLESALE_REQUIRED,
      0, 0, 0, NULL, wholesale_address_members },

    { wholesale_name("timezone"), WHOLESALE_STRING, WHOLESALE_REQUIRED,
      0, 0, 0, wholesale_check_timezone, NULL },

    { wholesale_name("language"), WHOLESALE_STRING, WHOLESALE_REQUIRED,
      0, 0, 0, wholesale_check_language, NULL },

    { wholesale_name("emergencyLocationIdentifier"), WHOLESALE_STRING,
      WHOLESALE_OPTIONAL, 0, 0, 0, NULL, NULL },

    wholesale_no_member
};


static const wholesale_member_t  wholesale_calling_members[] = {

    { wholesale_name("location"), WHOLESALE_OBJECT, WHOLESALE_REQUIRED,
      0, 0, 0, NULL, wholesale_location_members },

    wholesale_no_member
};


static const wholesale_member_t  wholesale_meetings_members[] = {

    { wholesale_name("timezone"), WHOLESALE_STRING, WHOLESALE_OPTIONAL,
      0, 0, 0, wholesale_check_timezone, NULL },

    wholesale_no_member
};


static const wholesale_member_t  wholesale_packages_members[] = {

    /* whole numbers, by package */
    { wholesale_name("limits"), WHOLESALE_OBJECT, WHOLESALE_OPTIONAL,
      0, 0, 0, wholesale_check_limits, NULL },

    wholesale_no_member
};


static const wholesale_member_t  wholesale_parameters_members[] = {

    { wholesale_name("calling"), WHOLESALE_OBJECT, WHOLESALE_OPTIONAL,
      0, 0, 0, NULL, wholesale_calling_members },

    { wholesale_name("meetings"), WHOLESALE_OBJECT, WHOLESALE_OPTIONAL,
      0, 0, 0, NULL, wholesale_meetings_members },

    { wholesale_name("packages"), WHOLESALE_OBJECT, WHOLESALE_OPTIONAL,
      0, 0, 0, NULL, wholesale_packages_members },

    wholesale_no_member
};


static const wholesale_member_t  wholesale_update_members[] = {

    /* if it is there it identifies the customer, so it is not empty */
    { wholesale_name("externalId"), WHOLESALE_STRING, WHOLESALE_OPTIONAL,
      0, 1, 0, NULL, NULL },

    /* the complete list: a package that is not in it is removed */
    { wholesale_name("packages"), WHOLESALE_ARRAY, WHOLESALE_REQUIRED,
      0, 0, 0, wholesale_check_packages, NULL },

    { wholesale_name("address"), WHOLESALE_OBJECT, WHOLESALE_OPTIONAL,
      0, 0, 0, NULL, wholesale_address_members },

    { wholesale_name("provisioningParameters"), WHOLESALE_OBJECT,
      WHOLESALE_OPTIONAL, 0, 0, 0, NULL, wholesale_parameters_members },

    { wholesale_name("subPartnerAdminEmail"), WHOLESALE_STRING,
      WHOLESALE_OPTIONAL, 0, 0, 0, wholesale_check_email, NULL },

    wholesale_no_member
};


wholesale_fits(wholesale_address_members);
wholesale_fits(wholesale_location_members);
wholesale_fits(wholesale_calling_members);
wholesale_fits(wholesale_meetings_members);
wholesale_fits(wholesale_packages_members);
wholesale_fits(wholesale_parameters_members);
wholesale_fits(wholesale_update_members);


/* by wholesale_type_e: those that a member of the contract may be of */

static const char *const  wholesale_type_names[] = {
    "a string",
    "an array",
    "an object"
};


wholesale_update_e
wholesale_update_validate(const wholesale_update_rules_t *rules,
    const char *body, size_t len, wholesale_problems_t *problems)
{
    wholesale_place_t         place;
    wholesale_update_e        result;
    wholesale_update_t        update;
    wholesale_document_t      document;
    const wholesale_value_t  *root;

    result = WHOLESALE_UPDATE_INVALID;

    root = wholesale_document_read(&document, body, len, "the body", problems);

    if (root != NULL) {
        update.catalogue = rules->catalogue;
        update.rules = rules;
        update.problems = problems;

        memset(&place, 0, sizeof(wholesale_place_t));

        wholesale_update_object(&update, &place, root,
                                wholesale_update_members);

        if (problems->total == 0) {
            result = WHOLESALE_UPDATE_VALID;

            if (rules->allowed_packages != NULL) {
                wholesale_update_allowed(&update, root);

                if (problems->total) {
                    result = WHOLESALE_UPDATE_FORBIDDEN;
                }
            }
        }
    }

    wholesale_document_free(&document);

    return problems->failed ? WHOLESALE_UPDATE_FAILED : result;
}


static void
wholesale_update_object(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *object,
    const wholesale_member_t *members)
{
    unsigned                   asked;
    uint32_t                   seen;
    wholesale_place_t          child;
    const wholesale_value_t   *value;
    const wholesale_member_t  *member;

    seen = 0;
    asked = wholesale_update_asked(update, object, members);

    child.parent = place;
    child.index = 0;

    for (value = object->u.first; value != NULL; value = value->next) {
        child.name = value->name;
        child.foreign = 0;

        member = wholesale_update_member(members, value->name,
                                         value->name_len);
        if (member == NULL) {
            if (update->rules->reject_unknown_fields) {
                child.foreign = 1;
                wholesale_update_unknown(update, &child, object, members);
            }

            continue;
        }

        seen |= 1u << (member - members);

        wholesale_update_value(update, &child, member,
                               member->required || (member->asked & asked),
                               value);
    }

    child.foreign = 0;

    for (member = members; member->name != NULL; member++) {
        if ((member->required || (member->asked & asked))
            && !(seen & (1u << (member - members))))
        {
            child.name = member->name;
            wholesale_update_missing(update, &child, member, object, members);
        }
    }
}


/* what an address has to have in its country, beyond the contract */

static unsigned
wholesale_update_asked(const wholesale_update_t *update,
    const wholesale_value_t *object, const wholesale_member_t *members)
{
    const wholesale_value_t  *country;

    if (!update->catalogue->asks || members != wholesale_address_members) {
        return 0;
    }

    country = wholesale_document_member(object, "country");

    if (country == NULL || country->type != WHOLESALE_STRING) {
        return 0;
    }

    return wholesale_catalogue_country(update->catalogue, country->u.string,
                                       country->len);
}


static const wholesale_member_t *
wholesale_update_member(const wholesale_member_t *members, const char *name,
    size_t len)
{
    for ( /* void */ ; members->name != NULL; members++) {
        if (members->len == len && memcmp(members->name, name, len) == 0) {
            return members;
        }
    }

    return NULL;
}


static void
wholesale_update_value(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    unsigned required, const wholesale_value_t *value)
{
    char  described[WHOLESALE_JSON_DESCRIBED_MAX];

    if (value->type == WHOLESALE_NULL) {
        if (required) {
            wholesale_problems_add(update->problems, place,
                                   WHOLESALE_PROBLEM_MISSING,
                                   "required, but null");
        }

        return;
    }

    if (required && value->type == WHOLESALE_STRING && value->len == 0) {
        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_MISSING,
                               "required, but empty");
        return;
    }

    if (value->type != member->type) {
        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_OTHER,
                               "has to be %s, not %s",
                               wholesale_type_names[member->type],
                               wholesale_value_describe(described, value));
        return;
    }

    if (member->type == WHOLESALE_STRING) {
        wholesale_update_string(update, place, member, value);
        return;
    }

    if (member->members != NULL) {
        wholesale_update_object(update, place, value, member->members);
    }

    if (member->check != NULL) {
        member->check(update, place, value);
    }
}


static void
wholesale_update_string(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    const wholesale_value_t *value)
{
    char         quoted[WHOLESALE_QUOTED_MAX];
    size_t       len;
    const char  *text, *control;

    text = value->u.string;
    len = value->len;

    control = wholesale_text_control(text, len);

    if (control != NULL) {
        (void) wholesale_text_quote(quoted, text, len);

        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_OTHER,
                               "%s has the control character U+%04X in it, "
                               "none is allowed", quoted,
                               (unsigned char) *control);
        return;
    }

    if (!wholesale_update_length(update, place, member, value)) {
        return;
    }

    if (len != 0 && member->check != NULL) {
        member->check(update, place, value);
    }
}


/* returns 1 if it is within the bounds, or 0 and it has been told of */

static int
wholesale_update_length(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    const wholesale_value_t *value)
{
    char    quoted[WHOLESALE_QUOTED_MAX];
    size_t  len, characters;

    len = value->len;

    /* of one to four bytes is each character, and most need no counting */

    if (len / 4 >= member->least
        && (member->most == 0 || len <= member->most))
    {
        return 1;
    }

    characters = wholesale_text_length(value->u.string, len);

    if (characters < member->least) {
        (void) wholesale_text_quote(quoted, value->u.string, len);

        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_SIZE,
                               "%s has %zu characters, at least %zu is "
                               "needed%s", quoted, characters, member->least,
                               member->required ? "" : " if it is not left "
                                                       "out");
        return 0;
    }

    if (member->most && characters > member->most) {
        (void) wholesale_text_quote(quoted, value->u.string, len);

        wholesale_problems_add(update->problems, place,
                               WHOLESALE_PROBLEM_SIZE,
                               "%s has %zu characters, at most %zu are "
                               "allowed", quoted, characters, member->most);
        return 0;
    }

    return 1;
}


/* what was meant is the nearest of those that are not there as well */

static void
wholesale_update_unknown(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *object,
    const wholesale_member_t *members)
{
    size_t       len, distance, max;
    const char  *meant;

    len = strlen(place->name);
    max = wholesale_names_tolerance(len);
    meant = "";

    for ( /* void */ ; members->name != NULL; members++) {

        if (wholesale_problems_full(update->problems)) {
            break;
        }

        if (wholesale_document_member(object, members->name) != NULL) {
            continue;
        }

        distance = wholesale_names_distance(place->name, len, members->name,
                                            members->len, max);
        if (distance > max) {
            continue;
        }

        meant = members->name;

        if (distance == 0) {
            break;
        }

        /* the next one has to be nearer */
        max = distance - 1;
    }

    wholesale_problems_add_text(update->problems, place, place->name, len,
                                "is not a member that is known here", meant);
}


static void
wholesale_update_missing(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_member_t *member,
    const wholesale_value_t *object, const wholesale_member_t *members)
{
    char                      quoted[WHOLESALE_QUOTED_MAX];
    size_t                    max;
    const wholesale_value_t  *value;

    max = member->len / WHOLESALE_MISSING_SLIP;

    /* perhaps it is there, but under a slightly different name */

    for (value = object->u.first;
         value != NULL && !wholesale_problems_full(update->problems);
         value = value->next)
    {
        if (wholesale_update_member(members, value->name, value->name_len)
            == NULL
            && wholesale_names_distance(member->name, member->len, value->name,
                                        value->name_len, max)
               <= max)
        {
            (void) wholesale_text_quote(quoted, value->name, value->name_len);

            wholesale_problems_add(update->problems, place,
                                   WHOLESALE_PROBLEM_MISSING,
                                   "required, but missing; did you mean it "
                                   "by %s?", quoted);
            return;
        }
    }

    wholesale_problems_add(update->problems, place, WHOLESALE_PROBLEM_MISSING,
                           "required, but missing");
}


/*
 * The tenant's own list of packages, for an update that is valid otherwise: it
 * holds for the packages and for the members of their limits.
 */

static void
wholesale_update_allowed(const wholesale_update_t *update,
    const wholesale_value_t *root)
{
    wholesale_place_t         place, child;
    const wholesale_value_t  *value;

    memset(&place, 0, sizeof(wholesale_place_t));
    memset(&child, 0, sizeof(wholesale_place_t));

    child.parent = &place;

    for (value = root->u.first; value != NULL; value = value->next) {
        child.name = value->name;

        if (strcmp(child.name, "packages") == 0) {
            wholesale_update_allowed_packages(update, &child, value);

        } else if (strcmp(child.name, "provisioningParameters") == 0) {
            wholesale_update_allowed_limits(update, &child, value);
        }
    }
}


static void
wholesale_update_allowed_packages(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *packages)
{
    wholesale_place_t         child;
    const wholesale_value_t  *package;

    memset(&child, 0, sizeof(wholesale_place_t));

    child.parent = place;

    for (package = packages->u.first;
         package != NULL;
         package = package->next)
    {
        wholesale_update_allowed_package(update, &child, package->u.string);

        child.index++;
    }
}


static void
wholesale_update_allowed_limits(const wholesale_update_t *update,
    const wholesale_place_t *place, const wholesale_value_t *parameters)
{
    wholesale_place_t         packages, child, member;
    const wholesale_value_t  *limit;

    memset(&packages, 0, sizeof(wholesale_place_t));
    memset(&child, 0, sizeof(wholesale_place_t));
    memset(&member, 0, sizeof(wholesale_place_t));

    packages.parent = place;
    packages.name = "packages";

    child.parent = &packages;
    child.name = "limits";

    member.parent = &child;

    limit = wholesale_document_member(
                        wholesale_document_member(parameters, packages.name),
                        child.name);

    if (limit == NULL || limit->type != WHOLESALE_OBJECT) {
        return;
    }

    for (limit = limit->u.first; limit != NULL; limit = limit->next) {
        member.name = limit->name;

        wholesale_update_allowed_package(update, &member, member.name);
    }
}


static void
wholesale_update_allowed_package(const wholesale_update_t *update,
    const wholesale_place_t *place, const char *name)
{
    char                    sentence[WHOLESALE_LIST_MAX + 64];
    size_t                  i;
    const char *const      *allowed;
    wholesale_text_list_t   list;

    allowed = update->rules->allowed_packages;

    wholesale_text_list_init(&list);

    for (i = 0; i < update->rules->allowed_packages_n; i++) {
        if (strcmp(allowed[i], name) == 0) {
            return;
        }

        wholesale_text_list_add(&list, allowed[i], strlen(allowed[i]));
    }

    (void) snprintf(sentence, sizeof(sentence), "is not among the packages "
                    "that you may name%s%s", list.len ? ": " : "", list.data);

    wholesale_problems_add_text(update->problems, place, name, strlen(name),
                                sentence, "");
}
