# Copyright (C) The wholesale gateway authors

"""What would have been refused goes through and is told in the log."""

import json

import pytest

from gateway.gateway import CUSTOMERS, REFERENCE
from gateway.refusal import check_401, check_refusal


# for http{} and for server{}
LOG = """
    log_format  variables  escape=json
        '{"tenant": "$wholesale_tenant", "customer": "$wholesale_customer",'
        ' "outcome": "$wholesale_outcome", "reason": "$wholesale_reason",'
        ' "tracking_id": "$wholesale_tracking_id", "status": $status}';
"""

LOGGED = "access_log  variables.log variables;"

TINY = {"name": "tiny", "rate": "1/d"}
WIDE = {"name": "wide", "rate": "1/d", "burst": 1000}

INVALID = b'{"packages": ["webex_caling"]}'
NOT_JSON = b"nonsense"
NOT_ALLOWED = b'{"packages": ["webex_suite"]}'

TENANTS = {
    "acme": {},
    "tiny": {"limits": [TINY]},
    "listed": {"packages": ["webex_calling"]},
    "pinned": {"subPartnerOrgIds": ["own"], "customers": ["YQ"]},
    "closed": {"enabled": False},
}


@pytest.fixture(scope="module")
def start(module_gateway):
    return lambda **options: module_gateway(
        http=LOG, server=LOGGED, **options)


@pytest.fixture(scope="module")
def everywhere(start):
    return start(location="wholesale_dry_run  on;", tenants=TENANTS)


@pytest.fixture(scope="module")
def tenants(start):
    """The member of the tenant, beside a tenant without it."""

    return start(tenants={
        name + suffix: {**members, **dry_run}
        for name, members in TENANTS.items()
        for suffix, dry_run in (("", {"dryRun": True}),
                                ("_enforced", {"dryRun": False}))})


@pytest.fixture(params=("everywhere", "tenants"))
def dry(request):
    return request.getfixturevalue(request.param)


def line_of(gateway, answer):
    """The line of the request with this answer; the log is written after the
    answer is."""

    log = gateway.folder / "variables.log"
    tracking_id = answer.header("TrackingID")

    gateway.wait_for(lambda: tracking_id in log.read_text(), "the log")

    line, = (line for line in map(json.loads, log.read_text().splitlines())
             if line["tracking_id"] == tracking_id)
    assert line["status"] == answer.status

    return line


def update(gateway, **options):
    """The answer, and what the log says of outcome and reason."""

    answer = gateway.update(**options)
    line = line_of(gateway, answer)

    return answer, line["outcome"], line["reason"]


# decided, logged and not enforced

@pytest.mark.parametrize("tenant, body, outcome, reason", (
    ("acme", INVALID, "invalid_dry_run", "invalid"),
    ("acme", NOT_JSON, "invalid_dry_run", "invalid"),
    ("acme", b"{}", "invalid_dry_run", "invalid"),
    ("listed", NOT_ALLOWED, "forbidden_dry_run", "packages")))
def test_an_update(dry, sandbox, tenant, body, outcome, reason):
    sandbox.set(any_customer=True)
    _, *logged = update(dry, tenant=tenant, body=body)

    # what the answer is, is now Webex's to say
    assert logged == [outcome, reason]
    assert sandbox.only_request.body == body


def test_a_limit(dry, sandbox):
    answers = [update(dry, tenant="tiny") for _ in range(3)]

    assert [answer.status for answer, *_ in answers] == [202] * 3
    assert [logged for _, *logged in answers] == [
        ["forwarded", ""], *[["limited_dry_run", "tiny"]] * 2]
    assert sandbox.count == 3

    for answer, *_ in answers:
        assert answer.header("Retry-After") is None


def test_what_would_have_been_told_first(dry, sandbox):
    """The limit comes before the update."""

    update(dry, tenant="tiny")
    _, *logged = update(dry, tenant="tiny", body=INVALID)

    assert logged == ["limited_dry_run", "tiny"]
    assert sandbox.count == 2


def test_what_is_right(dry):
    answer, *logged = update(dry, tenant="listed",
                             body=b'{"packages": ["webex_calling"]}')

    assert answer.status == 202
    assert logged == ["forwarded", ""]


def test_the_error_log_tells_it_too(dry):
    dry.update({"TrackingID": "told_in_the_error_log"}, INVALID)

    line, = (line for line in dry.log.splitlines()
             if "dry run" in line and "told_in_the_error_log" in line)
    assert "[info]" in line
    assert "acme" in line and "400" in line and "invalid" in line


def test_a_dry_run_of_one_is_nobody_elses(tenants, sandbox):
    check_refusal(tenants.update(tenant="acme_enforced", body=INVALID), 400)
    check_refusal(tenants.update(tenant="listed_enforced", body=NOT_ALLOWED),
                  403)
    assert sandbox.count == 0

    assert tenants.update(tenant="tiny_enforced").status == 202
    check_refusal(tenants.update(tenant="tiny_enforced"), 429)


def test_it_can_be_off_inside(start, sandbox):
    gateway = start(location="wholesale_dry_run  off;",
                    tenants={"acme": {}})
    gateway.change(server="""
        access_log         variables.log variables;
        wholesale_dry_run  on;
    """)
    gateway.reload()

    check_refusal(gateway.update(body=INVALID), 400)
    assert sandbox.count == 0

    gateway.change(location="")
    gateway.reload()

    assert update(gateway, body=INVALID)[1:] == ("invalid_dry_run", "invalid")
    assert sandbox.count == 1


# the member of a limit

@pytest.fixture(scope="module")
def limits(start):
    return start(tenants={
        name: {"limits": limits} for name, limits in {
            "one": [{**TINY, "dryRun": True}],
            "beside": [{**WIDE, "burst": 3}, {**TINY, "dryRun": True}],
            "invalid": [{**TINY, "dryRun": True}],
            "quota": [{"name": "daily", "quota": 1, "window": "1d",
                       "dryRun": True}],
        }.items()})


@pytest.mark.parametrize("tenant, name", (("one", "tiny"), ("quota", "daily")))
def test_a_limit_in_dry_run(limits, tenant, name):
    answers = [update(limits, tenant=tenant) for _ in range(3)]

    assert [answer.status for answer, *_ in answers] == [202] * 3
    assert [logged for _, *logged in answers] == [
        ["forwarded", ""], *[["limited_dry_run", name]] * 2]


def test_a_limit_beside_one_in_dry_run(limits, sandbox):
    answers = [update(limits, tenant="beside") for _ in range(4)]

    assert [answer.status for answer, *_ in answers] == [202, 202, 202, 429]
    assert [logged for _, *logged in answers] == [
        ["forwarded", ""], *[["limited_dry_run", "tiny"]] * 2,
        ["limited", "wide"]]
    assert sandbox.count == 3

    document = check_refusal(answers[-1][0], 429)
    assert document["violated-policies"] == ["wide"]


def test_the_rest_is_enforced_for_a_limit_in_dry_run(limits, sandbox):
    limits.update(tenant="invalid")
    answer, *logged = update(limits, tenant="invalid", body=INVALID)

    document = check_refusal(answer, 400)
    assert logged == ["invalid", "invalid"]
    assert [error["pointer"] for error in document["errors"]] \
        == ["/packages/0"]
    assert sandbox.count == 1


# what is always enforced

def test_the_route(dry, sandbox):
    for method, path, status in (("DELETE", f"{CUSTOMERS}/YQ", 405),
                                 ("PUT", f"{CUSTOMERS}/validate", 404),
                                 ("PUT", f"{CUSTOMERS}//YQ", 404)):
        answer, *logged = update(dry, method=method, target=path)

        check_refusal(answer, status)
        assert logged[0] == "not_found"

    assert sandbox.count == 0


def test_the_identity(dry, sandbox):
    for key in (None, "Bearer wrong"):
        answer, *logged = update(dry, headers={"Authorization": key})

        check_401(answer)
        assert logged[0] == "unauthenticated"

    assert sandbox.count == 0


@pytest.mark.parametrize("tenant, target, reason", (
    ("closed", f"{CUSTOMERS}/YQ", "disabled"),
    ("pinned", f"{CUSTOMERS}/Yg", "customer"),
    ("pinned", f"{CUSTOMERS}/YQ?onBehalfOfSubPartnerOrgId=other",
     "sub_partner"),
    ("acme", f"{CUSTOMERS}/YQ?onBehalfOfSubPartnerOrgId=other",
     "sub_partner")))
def test_the_authorisation(dry, sandbox, tenant, target, reason):
    answer, *logged = update(dry, tenant=tenant, target=target)

    check_refusal(answer, 403)
    assert logged == ["forbidden", reason]
    assert sandbox.count == 0


def test_the_token(gateway, sandbox):
    running = gateway(location="wholesale_dry_run  on;", token="")
    document = check_refusal(running.update(body=INVALID), 503)

    assert "pointer" not in document["errors"][0]
    assert sandbox.count == 0


# and then something else fails

def test_nothing_of_it_in_an_answer_of_ours(dry, sandbox):
    """Webex gives none, and what was noted is not why."""

    dry.update(tenant="tiny")

    for options in ({"body": INVALID}, {"body": NOT_JSON},
                    {"tenant": "tiny"},
                    {"tenant": "listed", "body": NOT_ALLOWED}):
        sandbox.fail(times=1, cut="before")
        answer = dry.update(**options)

        document = check_refusal(answer, 502)
        assert len(document["errors"]) == 1
        assert document["errors"][0] == {"description": document["message"]}

        for word in (b"webex_caling", b"webex_suite", b"problem.", b"tiny",
                     b"limit"):
            assert word not in answer.body


def test_webex_refuses_by_itself(dry, sandbox):
    """As it stands."""

    body = json.dumps({"message": "No.", "errors": [
        {"description": "No.", "errorCode": 1001}], "trackingId": "x"})
    sandbox.fail(times=1, status=400, body=body,
                 headers=[("Content-Type", "application/json")])
    answer = dry.update(body=INVALID)

    assert (answer.status, answer.content) == (400, body.encode())


def test_the_bytes_are_the_clients(dry, sandbox):
    """What could not be parsed is not put right either."""

    for body in (b'{"packages": ["webex_calling"],}\0\xff', b" ", REFERENCE):
        sandbox.clear()
        dry.update(body=body)
        assert sandbox.only_request.body == body
