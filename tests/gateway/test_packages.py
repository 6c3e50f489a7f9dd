# Copyright (C) The wholesale gateway authors

"""Step 6, its end: which packages a tenant may order."""

import json

import pytest

from gateway.refusal import check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


@pytest.fixture(scope="module")
def listed(module_gateway):
    return module_gateway(
        http=LOG, server=LOGGED,
        tenants={
            "acme": {"packages": ["webex_calling", "webex_meetings"]},
            "removes": {"packages": ["webex_calling"],
                        "emptyPackages": "allow"},
            "keeps": {"emptyPackages": "reject"},
            "free": {},
        })


def body(packages, **members):
    return json.dumps({"packages": packages, **members}).encode()


def limits(**packages):
    return {"provisioningParameters": {"packages": {"limits": packages}}}


def pointers(document):
    return [error.get("pointer") for error in document["errors"]]


def check_forbidden(gateway, sandbox, body, *expected, tenant="acme"):
    answer = gateway.update(body=body, tenant=tenant)
    document = check_refusal(answer, 403)
    line = line_of(gateway, answer)

    assert sandbox.count == 0
    assert pointers(document) == list(expected)
    assert (line["outcome"], line["reason"]) == ("forbidden", "packages")
    return document


@pytest.mark.parametrize("packages", (
    ["webex_calling"], ["webex_meetings"],
    ["webex_meetings", "webex_calling", "webex_meetings"]))
def test_allowed(listed, sandbox, packages):
    assert listed.update(body=body(packages)).status == 202
    assert sandbox.only_request.body == body(packages)


def test_one_that_is_not(listed, sandbox):
    document = check_forbidden(
        listed, sandbox, body(["webex_calling", "webex_suite"]),
        "/packages/1")

    assert "1 problem." in document["message"]
    assert "packages[1]" in document["errors"][0]["description"]
    assert "webex_suite" in document["errors"][0]["description"]


def test_all_at_once_and_in_order(listed, sandbox):
    check_forbidden(
        listed, sandbox,
        body(["webex_suite", "webex_calling", "webex_voice", "webex_meetings",
              "webex_suite"]),
        "/packages/0", "/packages/2", "/packages/4")


def test_limits_of_packages(listed, sandbox):
    check_forbidden(
        listed, sandbox,
        body(["webex_calling", "webex_voice"],
             **limits(webex_calling=1, webex_suite=2)),
        "/packages/1", "/provisioningParameters/packages/limits/webex_suite")


@pytest.mark.parametrize("wrong, pointer", (
    ({"packages": ["webex_suite", "webex_caling"]}, "/packages/1"),
    ({"packages": ["webex_suite"], "externalId": ""}, "/externalId"),
    ({"packages": ["webex_suite"], "address": 1}, "/address"),
    ({"packages": ["webex_suite"], "subPartnerAdminEmail": "x"},
     "/subPartnerAdminEmail")))
def test_what_is_wrong_comes_first(listed, sandbox, wrong, pointer):
    answer = listed.update(body=json.dumps(wrong).encode())
    document = check_refusal(answer, 400)

    assert pointers(document) == [pointer]
    assert line_of(listed, answer)["outcome"] == "invalid"
    assert sandbox.count == 0


def test_what_is_allowed_is_told(listed):
    answer = listed.update(tenant="removes", body=body(["webex_suite"]))
    assert b"webex_calling" in answer.body


def test_without_a_list_any(listed, sandbox):
    assert listed.update(tenant="free").status == 202


@pytest.mark.parametrize("tenant", ("acme", "keeps", "free"))
def test_no_packages_would_remove_everything(listed, sandbox, tenant):
    document = check_refusal(listed.update(tenant=tenant, body=body([])), 400)

    assert pointers(document) == ["/packages"]
    assert sandbox.count == 0


def test_who_may_remove_everything(listed, sandbox):
    assert listed.update(tenant="removes", body=body([])).status == 202
    assert sandbox.only_request.body == body([])


def test_who_may_remove_everything_may_not_do_all(listed, sandbox):
    check_forbidden(listed, sandbox, body(["webex_suite"]), "/packages/0",
                    tenant="removes")
    check_refusal(listed.update(tenant="removes", body=b"{}"), 400)
    check_refusal(listed.update(tenant="removes",
                                body=b'{"packages": null}'), 400)
    assert sandbox.count == 0
