# Copyright (C) The wholesale gateway authors

"""Step 3: for whom a tenant acts.  What was forwarded is read from the
sandbox's record, and nothing else counts."""

import json

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


NAME = "onBehalfOfSubPartnerOrgId"

PATH = f"{CUSTOMERS}/{CUSTOMER}"

# base64 of ciscospark://us/ORGANIZATION/..., without padding, with one "="
# and with two
OWN = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi9vd24"
PADDED = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi9wYWQ="
TWICE_PADDED = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi9wYWRz=="
OTHER = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi9vdGhlcg"


@pytest.fixture(scope="module")
def pinned(module_gateway):
    return module_gateway(
        http=LOG, server=LOGGED,
        tenants={
            "nobody": {},
            "own": {"subPartnerOrgIds": [OWN]},
            "other": {"subPartnerOrgIds": [OTHER]},
            "padded": {"subPartnerOrgIds": [PADDED]},
            "twice": {"subPartnerOrgIds": [TWICE_PADDED]},
            "several": {"subPartnerOrgIds": [OWN, PADDED]},
            "any": {"subPartnerOrgIds": ["*"]},
        })


def check_forwarded(gateway, sandbox, tenant, query, forwarded, method="PUT"):
    """Both are what stands behind the path, with the "?"."""

    sandbox.clear()
    answer = gateway.update(tenant=tenant, target=PATH + query) \
        if method == "PUT" \
        else gateway.get(tenant=tenant, target=PATH + query, method=method)

    assert answer.status == (202 if method == "PUT" else 200)
    assert sandbox.only_request.target == PATH + forwarded


def check_refused(gateway, sandbox, tenant, query, status, reason=None):
    answer = gateway.update(tenant=tenant, target=PATH + query)
    check_refusal(answer, status)
    line = line_of(gateway, answer)

    assert sandbox.count == 0
    assert line["tenant"] == tenant
    assert line["outcome"] == ("forbidden" if status == 403 else "invalid")

    if reason is not None:
        assert line["reason"] == reason


# who acts for nobody

def test_none_is_added_for_nobody(pinned, sandbox):
    for query in ("", "?", "?a=1"):
        check_forwarded(pinned, sandbox, "nobody", query, query)


@pytest.mark.parametrize("id", (OWN, OTHER, "x", "x="))
def test_nobody_acts_for_anyone(pinned, sandbox, id):
    check_refused(pinned, sandbox, "nobody", f"?{NAME}={id}", 403,
                  "sub_partner")


# who acts for one

@pytest.mark.parametrize("method", ("PUT", "GET", "HEAD"))
def test_the_only_one_is_added(pinned, sandbox, method):
    check_forwarded(pinned, sandbox, "own", "", f"?{NAME}={OWN}", method)


@pytest.mark.parametrize("tenant, id", (
    ("padded", PADDED.replace("=", "%3D")),
    ("twice", TWICE_PADDED.replace("=", "%3D"))))
def test_what_is_added_is_encoded(pinned, sandbox, tenant, id):
    check_forwarded(pinned, sandbox, tenant, "", f"?{NAME}={id}")


def test_an_empty_query_is_one(pinned, sandbox):
    check_forwarded(pinned, sandbox, "own", "?", f"?{NAME}={OWN}")


@pytest.mark.parametrize("query", (
    "a",
    "a=1",
    "a=1&b=2&a=1",
    "a=%20%41%c3%A4+b%2bc",
    "%zz&%&%4",
    "a==&&=&b=c=d",
    "a=/../%2e%2e//x:@!$'()*,~",
    "a=\"<>\\^`{|}",
    "a=\xe4\xff",
    "a=b;c=d",
    "a&",
    "a=1?",
    "?",
    "??",
    "?a=1?",
    "a=https://x/?y=z",
    "a=" + "b" * 2000,
))
def test_the_rest_of_the_query_is_untouched(pinned, sandbox, query):
    check_forwarded(pinned, sandbox, "own", f"?{query}",
                    f"?{query}&{NAME}={OWN}")


def test_over_http2(pinned, sandbox):
    answer = pinned.update_http2(tenant="own", target=f"{PATH}?a=%41?")

    assert answer.status == 202
    assert sandbox.only_request.target == f"{PATH}?a=%41?&{NAME}={OWN}"


@pytest.mark.parametrize("query", (
    f"?{NAME}={OWN}",
    f"?{NAME}={OWN}=",
    f"?{NAME}={OWN}%3d%3D",
    f"?a=%41&{NAME}={OWN}&b?",
    f"?&{NAME}={OWN}&",
))
def test_who_names_the_own_one(pinned, sandbox, query):
    check_forwarded(pinned, sandbox, "own", query, query)


def test_padding_does_not_matter(pinned, sandbox):
    for tenant, id in (("padded", PADDED), ("twice", TWICE_PADDED)):
        for written in (id, id.rstrip("="), id.replace("=", "%3D")):
            query = f"?{NAME}={written}"
            check_forwarded(pinned, sandbox, tenant, query, query)


@pytest.mark.parametrize("id", (
    OTHER, OWN[:-1], OWN + "x", OWN.lower(), OWN.swapcase(), OWN[1:], "x",
    OWN + OTHER))
def test_another_one(pinned, sandbox, id):
    check_refused(pinned, sandbox, "own", f"?{NAME}={id}", 403, "sub_partner")


# who acts for several, or for anyone

@pytest.mark.parametrize("query", ("", "?", "?a=1"))
def test_several_must_be_named(pinned, sandbox, query):
    check_refused(pinned, sandbox, "several", query, 403,
                  "sub_partner_missing")


@pytest.mark.parametrize("id", (
    OWN, PADDED, PADDED.rstrip("="), PADDED.replace("=", "%3d")))
def test_one_of_several(pinned, sandbox, id):
    query = f"?a&{NAME}={id}&b"
    check_forwarded(pinned, sandbox, "several", query, query)


def test_none_of_several(pinned, sandbox):
    check_refused(pinned, sandbox, "several", f"?{NAME}={OTHER}", 403,
                  "sub_partner")


@pytest.mark.parametrize("query", (
    "", "?a=1?", f"?{NAME}={OWN}", f"?{NAME}={OTHER}", f"?a&{NAME}=x=="))
def test_anyone(pinned, sandbox, query):
    check_forwarded(pinned, sandbox, "any", query, query)


# what another server might read otherwise

def percent(text, digits="%%%02x"):
    return "".join(digits % ord(c) for c in text)


DOUBLED = (
    "{name}={own}&{name}={own}",
    "{name}={own}&{name}={other}",
    "{name}={other}&{name}={own}",
    "{name}={own}&a=1&{name}={other}",
    "{name}={own}&{name}",
    "{name}&{name}={own}",
    "{name}={own}&{name}=",
)

HIDDEN = tuple(
    pattern.replace("{hidden}", hidden)
    for hidden in (
        NAME.lower(), NAME.upper(), NAME.swapcase(),
        NAME[0].upper() + NAME[1:],
        percent(NAME), percent(NAME, "%%%02X"), percent(NAME.upper()),
        "%6f" + NAME[1:], NAME[:-1] + "%64", NAME[:-1] + "%44",
        NAME[:8] + percent(NAME[8]) + NAME[9:],
        percent(percent(NAME)), "%256f" + NAME[1:], "%25256f" + NAME[1:],
        "+" + NAME, "%20" + NAME, NAME + "+", NAME + "%20", NAME + "%00",
        "%00" + NAME, "%0a" + NAME, NAME + "%0d", "%09" + NAME,
        NAME + "[]", NAME + "[0]", NAME + "[a]", NAME + "%5B%5D",
        NAME + "%5b0]", NAME.lower() + "[]",
        NAME[:-1], NAME + "s", "x" + NAME, NAME[:3] + "-" + NAME[3:],
        NAME.replace("S", "%C5%BF"), "?" + NAME, "a[" + NAME + "]",
        NAME + "%u0020", "%25%36%66" + NAME[1:])
    for pattern in ("{hidden}={other}", "{name}={own}&{hidden}={other}",
                    "{hidden}={other}&{name}={own}")
) + (
    "a=1%26{name}={other}",
    "a=1%26{name}%3D{other}",
    "{name}%3D{other}",
    "a=onBehalf%26{name}={other}",
    "{name}={own}%26{name}%3D{other}",
    "a={name}",
    "a;{name}={other}",
    "a=1;{name}={other}",
    "{name}={own}&a;{name}={other}",
    "a;{name}={other}&{name}={own}",
    ";{name}={other}",
    "a;" + NAME.lower() + "={other}",
)

# a ";" in the value: one parameter that is no id, or two
SEMICOLONS = (
    "{name}={own};{name}={other}",
    "{name}={own};a=1",
    "{name}={own};",
)

FRAGMENTS = (
    "#?{name}={other}",
    "a#{name}={other}",
    "a#&{name}={other}",
    "{name}={own}#&{name}={other}",
    "{name}={own}#{other}",
)

BAD_IDS = (
    "{name}",
    "{name}=",
    "{name}==",
    "{name}=%3D",
    "{name}=*",
    "{name}={own},{other}",
    "{name}={own}%00",
    "{name}={own}%20",
    "{name}=+{own}",
    "{name}={own}===",
    "{name}=%59{own}",
    "{name}=\xe4",
    "{name}=" + "a" * 513,
)


def written(pattern, own=OWN, other=OTHER):
    return "?" + pattern.format(name=NAME, own=own, other=other)


@pytest.mark.parametrize("pattern", DOUBLED)
@pytest.mark.parametrize("tenant", ("own", "any", "several", "nobody"))
def test_doubled(pinned, sandbox, tenant, pattern):
    check_refused(pinned, sandbox, tenant, written(pattern), 400,
                  "sub_partner_doubled")


@pytest.mark.parametrize("pattern", HIDDEN)
def test_hidden(pinned, sandbox, pattern):
    for tenant in ("own", "any"):
        check_refused(pinned, sandbox, tenant, written(pattern), 400,
                      "sub_partner_hidden")


@pytest.mark.parametrize("pattern", SEMICOLONS)
def test_behind_a_semicolon(pinned, sandbox, pattern):
    check_refused(pinned, sandbox, "own", written(pattern), 400)


@pytest.mark.parametrize("pattern", FRAGMENTS)
def test_behind_a_fragment(pinned, sandbox, pattern):
    """nginx takes it for no part of the query, and forwards it."""

    for tenant in ("own", "any", "nobody"):
        answer = pinned.update(tenant=tenant, target=PATH + written(pattern))
        check_refusal(answer, 404)

        answer = pinned.update(tenant=tenant,
                               target=PATH + written(pattern)[1:])
        check_refusal(answer, 404)

    assert sandbox.count == 0


@pytest.mark.parametrize("pattern", BAD_IDS)
def test_what_is_no_id(pinned, sandbox, pattern):
    for tenant in ("own", "any"):
        check_refused(pinned, sandbox, tenant, written(pattern), 400,
                      "sub_partner_id")


# and all of it together

def spellings():
    plain = ("{name}={other}", "a=1&{name}={other}", "{name}={other}%3D")

    return [*plain, *DOUBLED, *HIDDEN, *SEMICOLONS, *FRAGMENTS]


@pytest.mark.parametrize("tenant, own, other", (
    ("own", OWN, OTHER), ("other", OTHER, OWN)))
def test_neither_acts_for_the_other(pinned, sandbox, tenant, own, other):
    for pattern in spellings():
        target = PATH + written(pattern, own, other)

        for answer in (pinned.update(tenant=tenant, target=target),
                       pinned.get(tenant=tenant, target=target)):
            check_refusal(answer, answer.status)
            assert answer.status in (400, 403, 404), target

    assert sandbox.count == 0

    for query in ("", f"?{NAME}={own}"):
        check_forwarded(pinned, sandbox, tenant, query, f"?{NAME}={own}")


def test_neither_over_http2(pinned, sandbox):
    with pinned.connect_http2() as connection:
        headers = pinned.headers({"Host": None}, tenant="own", content=False)
        streams = {
            connection.send("GET", PATH + written(pattern), headers): pattern
            for pattern in (*DOUBLED, *HIDDEN, *SEMICOLONS, *FRAGMENTS)}

        for stream, pattern in streams.items():
            assert connection.answer(stream).status in (400, 404), pattern

    assert sandbox.count == 0


def test_a_refusal_names_no_organisation(pinned):
    """What others may is nobody's business."""

    for query in ("", f"?{NAME}={OTHER}"):
        answer = pinned.update(tenant="several", target=PATH + query)
        text = json.dumps(check_refusal(answer, 403))

        for id in (OWN, PADDED, OTHER):
            assert id.rstrip("=") not in text
