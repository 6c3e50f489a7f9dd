# Copyright (C) The wholesale gateway authors

"""Step 3: which customers a tenant may act on."""

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


# base64 of ciscospark://us/ENTERPRISE/...
PLAIN = "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvMTIz"
ONCE = "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvNDU"
TWICE = "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvNg"


@pytest.fixture(scope="module")
def listed(module_gateway):
    return module_gateway(
        http=LOG, server=LOGGED,
        tenants={
            "acme": {"customers": [PLAIN, ONCE + "=", TWICE + "=="]},
            "bare": {"customers": [ONCE, TWICE]},
            "free": {},
        })


@pytest.fixture(autouse=True)
def any_customer(sandbox):
    sandbox.set(any_customer=True)


@pytest.mark.parametrize("tenant", ("acme", "bare", "free"))
@pytest.mark.parametrize("id", (
    ONCE, ONCE + "=", ONCE + "%3D", ONCE + "%3d", ONCE + "=%3D",
    TWICE, TWICE + "=", TWICE + "==", TWICE + "%3D%3D", TWICE + "%3d="))
def test_listed(listed, sandbox, tenant, id):
    target = f"{CUSTOMERS}/{id}"

    assert listed.update(tenant=tenant, target=target).status == 202
    assert sandbox.only_request.target == target


def test_listed_may_be_looked_at(listed, sandbox):
    sandbox.add_customer(ONCE + "=")

    for id in (ONCE + "=", ONCE + "%3D"):
        for method in ("GET", "HEAD"):
            assert listed.get(target=f"{CUSTOMERS}/{id}",
                              method=method).status == 200


@pytest.mark.parametrize("id", (
    CUSTOMER, PLAIN[:-1], PLAIN + "x", PLAIN.lower(), PLAIN.swapcase(),
    PLAIN[1:], "1", PLAIN + ONCE, TWICE[:-1]))
def test_not_listed(listed, sandbox, id):
    target = f"{CUSTOMERS}/{id}"
    head = listed.get(target=target, method="HEAD")
    assert head.status == 403

    for answer in (listed.update(target=target), listed.get(target=target)):
        check_refusal(answer, 403)
        line = line_of(listed, answer)
        assert (line["tenant"], line["customer"], line["outcome"],
                line["reason"]) == ("acme", id, "forbidden", "customer")

    assert sandbox.count == 0


@pytest.mark.parametrize("path", (
    f"{CUSTOMER}/../{PLAIN}", f"{PLAIN}/../{CUSTOMER}",
    f"{PLAIN}/%2e%2e/{CUSTOMER}", f"{PLAIN}%2f..%2f{CUSTOMER}",
    f"{PLAIN};{CUSTOMER}", f"{PLAIN}%00{CUSTOMER}", f"{PLAIN}#{CUSTOMER}",
    f"%59{PLAIN[1:]}", f"{PLAIN}%3f{CUSTOMER}", f"{PLAIN}==={CUSTOMER}",
    f"{PLAIN}\\..\\{CUSTOMER}", f"/{PLAIN}"))
def test_hidden_behind_a_listed_one(listed, sandbox, path):
    answer = listed.update(target=f"{CUSTOMERS}/{path}")

    # %00 is for nginx itself to refuse
    check_refusal(answer, 400 if "%00" in path else 404)
    assert sandbox.count == 0


def test_without_a_list_any(listed):
    for id in (CUSTOMER, PLAIN, "1"):
        assert listed.update(tenant="free",
                             target=f"{CUSTOMERS}/{id}").status == 202


def test_the_refusal_does_not_wait_for_the_body(listed):
    with listed.connect() as connection:
        connection.send(listed.encode_update({"Content-Length": "1000"},
                                             body=b""))
        check_refusal(connection.answer(), 403)


def test_over_http2(listed, sandbox):
    check_refusal(listed.update_http2(), 403)
    assert sandbox.count == 0
    assert listed.update_http2(
        target=f"{CUSTOMERS}/{TWICE}%3D%3D").status == 202
