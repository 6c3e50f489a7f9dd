# Copyright (C) The wholesale gateway authors

"""The calls beside the update: identified, limited, given a token, and no
more than that."""

import pytest

from gateway import http1
from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.refusal import check_401, check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


ROOT = "/v1/wholesale"
UUID = "52cf576d-60a8-407a-b22c-467c51591908"
OWN = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi9vd24"
OTHER = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi9vdGhlcg"
SUB_PARTNER = "onBehalfOfSubPartnerOrgId"

CALLS = {
    "/customers": {"GET", "HEAD", "POST"},
    f"/customers/{CUSTOMER}": {"GET", "HEAD", "PUT", "DELETE"},
    "/customers/validate": {"POST"},
    "/subPartners": {"GET", "HEAD"},
    "/subscribers": {"GET", "HEAD", "POST"},
    f"/subscribers/{UUID}": {"GET", "HEAD", "PUT", "DELETE"},
    "/subscribers/validate": {"POST"},
    "/billing/reports": {"GET", "HEAD", "POST"},
    f"/billing/reports/{UUID}": {"GET", "HEAD", "DELETE"},
}

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")

ALLOWED = [(method, path) for path, methods in CALLS.items()
           for method in METHODS if method in methods]

NOT_ALLOWED = [(method, path) for path, methods in CALLS.items()
               for method in METHODS if method not in methods]

# what is no call at all
ELSEWHERE = (
    "/", "/nothing", "/Customers", "/customers/", "/customersx",
    f"/customers/{CUSTOMER}/", f"/customers/{CUSTOMER}/x",
    "/customers/validate/", "/customers/a=b", "/subpartners", "/subPartners/",
    f"/subPartners/{UUID}", "/subscribers/", f"/subscribers/{UUID}/",
    f"/subscribers/{UUID}/x", "/billing", "/billing/", "/billing/reports/",
    f"/billing/reports/{UUID}/x", "/reports", "/wholesale/customers",
    # another spelling of one
    "//subscribers", "/x/../subscribers", "/./subscribers",
    "/subscribers/../customers", "/subscribers/%2e%2e/customers",
    "/%73ubscribers", f"/subscribers/%35{UUID[1:]}", "/subscribers%2f" + UUID,
    f"/subscribers//{UUID}", "/subscribers;x", f"/subscribers/{UUID};x",
    "/subscribers%3fx", "/subscribers#x", "/subscribers%20", "/subscribers/.",
    f"/subscribers/{UUID}%0d%0a", "/subscribers/\xe4",
    "/subscribers/" + "a" * 513)


@pytest.fixture(scope="module")
def passing(module_gateway):
    return module_gateway(
        location="wholesale_passthrough  on;", http=LOG, server=LOGGED,
        tenants={
            "acme": {},
            "closed": {"enabled": False},
            "listed": {"customers": [CUSTOMER], "packages": ["webex_calling"]},
            "pinned": {"subPartnerOrgIds": [OWN]},
            "limited": {"limits": [{"name": "daily", "rate": "1/d",
                                    "burst": 4}]},
            "each": {"limits": [{"name": "customer", "rate": "1/d",
                                 "per": "customer"}]},
        })


def call(gateway, method, path, body=None, headers=(), tenant="acme"):
    """With a body where there usually is one."""

    target = path if path.startswith(ROOT) else ROOT + path

    if body is None and method in ("POST", "PUT", "PATCH"):
        body = REFERENCE

    with gateway.connect() as connection:
        return connection.request(
            method, target,
            gateway.headers(headers, tenant, content=body is not None), body)


def allowed(answer):
    return {name.strip() for name in answer.header("Allow").split(",")}


@pytest.mark.parametrize("method, path", ALLOWED)
def test_calls(passing, sandbox, method, path):
    answer = call(passing, method, path + "?a=%41&b?")

    # what it says is for Webex to decide
    request = sandbox.only_request
    assert (request.method, request.target) \
        == (method, f"{ROOT}{path}?a=%41&b?") \
        or (method == "HEAD" and request.method == "GET")
    assert request.body == (REFERENCE if method in ("POST", "PUT") else b"")
    assert request.header("Authorization") \
        == f"Bearer {sandbox.read_secret('access_token')}"
    assert passing.keys["acme"].encode() not in request.bytes

    line = line_of(passing, answer)
    assert (line["tenant"], line["outcome"]) == ("acme", "forwarded")
    assert line["customer"] == (CUSTOMER if CUSTOMER in path else "")


@pytest.mark.parametrize("method, path", NOT_ALLOWED)
def test_other_methods(passing, sandbox, method, path):
    answer = call(passing, method, path)

    assert sandbox.count == 0
    assert answer.status == 405
    assert allowed(answer) == CALLS[path]

    if method != "HEAD":
        check_refusal(answer, 405)


@pytest.mark.parametrize("path", ELSEWHERE)
def test_other_paths(passing, sandbox, path):
    for method in ("GET", "POST", "PUT", "DELETE"):
        check_refusal(call(passing, method, path), 404)

    assert sandbox.count == 0


def test_the_route_comes_before_the_key(passing, sandbox):
    nobody = {"Authorization": None}

    check_refusal(call(passing, "GET", "/nothing", headers=nobody), 404)
    answer = call(passing, "DELETE", "/subPartners", headers=nobody)
    check_refusal(answer, 405)
    assert allowed(answer) == {"GET", "HEAD"}
    assert sandbox.count == 0


@pytest.mark.parametrize("method, path", ALLOWED)
def test_the_key_is_needed(passing, sandbox, method, path):
    for headers in ({"Authorization": None},
                    {"Authorization": "Bearer wrong"}):
        answer = call(passing, method, path, headers=headers)
        assert answer.status == 401

        if method != "HEAD":
            check_401(answer)

    assert call(passing, method, path, tenant="closed").status == 403
    assert sandbox.count == 0


# a life of its own

def test_a_subscriber(passing, sandbox):
    answer = call(passing, "POST", "/subscribers", b'{"email": "a@b.c"}')
    assert answer.status == 201

    id = answer.json["id"]
    location = f"{ROOT}/subscribers/{id}"
    assert answer.header("Location") == passing.origin + location

    assert call(passing, "GET", location).json == {"email": "a@b.c", "id": id}
    assert call(passing, "PUT", location, b'{"email": "d@b.c"}').status == 200
    assert call(passing, "GET", location).json["email"] == "d@b.c"
    assert call(passing, "HEAD", location).status == 200
    assert len(call(passing, "GET", "/subscribers").json["items"]) == 1
    assert call(passing, "DELETE", location).status == 204
    assert call(passing, "GET", location).status == 404


def test_a_customer(passing, sandbox):
    answer = call(passing, "POST", "/customers")
    assert answer.status == 202

    location = answer.header("Location")
    assert location.startswith(f"{passing.origin}{CUSTOMERS}/")
    assert answer.json["url"] == location

    path = location.removeprefix(passing.origin)
    assert call(passing, "GET", path).status == 200
    assert call(passing, "PUT", path).status == 202
    assert call(passing, "DELETE", path).status == 204
    assert call(passing, "GET", path).status == 404


def test_a_list_in_pages(passing, sandbox):
    for id in ("YQ", "Yg"):
        sandbox.add_customer(id)

    target = f"{CUSTOMERS}?max=1"
    ids = []

    while target is not None:
        answer = call(passing, "GET", target)
        assert answer.status == 200
        ids += [item["id"] for item in answer.json["items"]]

        link = answer.header("Link")
        target = None

        if link is not None:
            assert link.startswith(f"<{passing.origin}{CUSTOMERS}?")
            assert link.endswith('>; rel="next"')
            target = link[1:link.index(">")].removeprefix(passing.origin)

    assert ids == [CUSTOMER, "YQ", "Yg"]


def test_a_report(passing, sandbox):
    answer = call(passing, "POST", "/billing/reports", b'{"type": "CUSTOMER"}')
    path = answer.header("Location").removeprefix(passing.origin)

    # signed, and on another host: not to be touched
    for document in (answer.json, call(passing, "GET", path).json):
        assert document["tempDownloadURL"] == \
            "https://reports.example.com/download?signature=0123456789"

    assert call(passing, "DELETE", path).status == 204


def test_over_http2(passing, sandbox):
    answer = passing.update_http2(target=f"{ROOT}/subscribers", method="POST",
                                  body=b"{}")

    assert answer.status == 201
    assert sandbox.only_request.body == b"{}"

    answer = passing.update_http2(target=f"{ROOT}/subPartners", method="POST")
    check_refusal(answer, 405)
    assert allowed(answer) == {"GET", "HEAD"}


# bodies

@pytest.mark.parametrize("path", (
    "/customers", "/customers/validate", "/subscribers",
    "/subscribers/validate", "/billing/reports"))
@pytest.mark.parametrize("body", (
    b"{}", b'{"packages": ["webex_caling"]}', b'{"a": 1, "a": 2}', b"[]",
    b"nonsense", b"\0\xff", b"[" * 1000, b" "))
def test_bodies_are_not_looked_at(passing, sandbox, path, body):
    answer = call(passing, "POST", path, body)

    assert sandbox.only_request.body == body
    assert line_of(passing, answer)["outcome"] == "forwarded"


def test_the_body_of_a_put(passing, sandbox):
    body = b'{"packages": []}'
    call(passing, "PUT", f"/subscribers/{UUID}", body)
    assert sandbox.only_request.body == body


def test_no_body_is_needed(passing, sandbox):
    with passing.connect() as connection:
        answer = connection.request(
            "POST", f"{ROOT}/subscribers", passing.headers(), b"")

    assert sandbox.only_request.body == b""
    assert line_of(passing, answer)["outcome"] == "forwarded"


@pytest.mark.parametrize("method, path", (
    ("POST", "/subscribers"), ("POST", "/customers"),
    ("PUT", f"/subscribers/{UUID}"), ("POST", "/billing/reports")))
def test_large_bodies(passing, sandbox, method, path):
    largest = 64 * 1024

    call(passing, method, path, b" " * largest)
    assert len(sandbox.only_request.body) == largest
    sandbox.clear()

    check_refusal(call(passing, method, path, b" " * (largest + 1)), 413)
    check_refusal(call(
        passing, method, path,
        http1.chunked(b" " * (largest + 1), 8192),
        {"Transfer-Encoding": "chunked"}), 413)
    assert sandbox.count == 0


def test_no_body_with_what_has_none(passing, sandbox):
    for path in ("/customers", "/subPartners", f"/subscribers/{UUID}"):
        check_refusal(call(passing, "GET", path, b"{}"), 400)

    assert sandbox.count == 0


# what still holds

def test_the_update_is_still_checked(passing, sandbox):
    path = f"/customers/{CUSTOMER}"

    document = check_refusal(call(passing, "PUT", path,
                                  b'{"packages": ["webex_caling"]}'), 400)
    assert document["errors"][0]["pointer"] == "/packages/0"

    check_refusal(call(passing, "PUT", path, REFERENCE,
                       {"Content-Type": "text/plain"}), 415)
    check_refusal(call(passing, "PUT", path, b'{"packages": ["webex_suite"]}',
                       tenant="listed"), 403)
    assert sandbox.count == 0


def test_the_list_of_customers(passing, sandbox):
    for method in ("GET", "PUT", "DELETE"):
        answer = call(passing, method, "/customers/YQ", tenant="listed")
        check_refusal(answer, 403)
        assert line_of(passing, answer)["reason"] == "customer"

    assert sandbox.count == 0

    for method in ("GET", "DELETE"):
        assert call(passing, method, f"/customers/{CUSTOMER}",
                    tenant="listed").status in (200, 204)


@pytest.mark.parametrize("method, path", ALLOWED)
def test_the_sub_partner(passing, sandbox, method, path):
    call(passing, method, path, tenant="pinned")
    assert sandbox.only_request.target == f"{ROOT}{path}?{SUB_PARTNER}={OWN}"
    sandbox.clear()

    for query, status in (
            (f"{SUB_PARTNER}={OTHER}", 403),
            (f"{SUB_PARTNER}={OWN}&{SUB_PARTNER}={OTHER}", 400),
            (f"{SUB_PARTNER.lower()}={OTHER}", 400),
            (f"%6f{SUB_PARTNER[1:]}={OTHER}", 400)):
        assert call(passing, method, f"{path}?{query}",
                    tenant="pinned").status == status

    check_refusal(call(passing, "GET", f"/customers?{SUB_PARTNER}={OWN}"), 403)
    assert sandbox.count == 0


def test_limits(passing, sandbox):
    statuses = [call(passing, method, path, tenant="limited").status
                for method, path in (
                    ("GET", "/customers"), ("POST", "/customers/validate"),
                    ("GET", "/subPartners"), ("PUT", f"/customers/{CUSTOMER}"),
                    ("GET", "/customers"), ("POST", "/subscribers"))]

    assert statuses == [200, 200, 200, 202, 429, 429]
    assert sandbox.count == 4


def test_limits_of_each_customer(passing):
    for id in ("YQ", "Yg"):
        statuses = [call(passing, method, f"/customers/{id}",
                         tenant="each").status for method in ("GET", "DELETE")]
        assert statuses == [404, 429]


# switched off

@pytest.mark.parametrize("method, path", [
    (method, path) for method, path in ALLOWED
    if not (CUSTOMER in path and method != "DELETE")])
def test_off(the_gateway, sandbox, method, path):
    answer = call(the_gateway, method, path)

    assert answer.status == (405 if CUSTOMER in path else 404)

    if method != "HEAD":
        check_refusal(answer, answer.status)

    assert sandbox.count == 0


def test_only_where_it_is_on(module_gateway, sandbox):
    gateway = module_gateway(
        server="wholesale_passthrough  on;",
        location="wholesale_passthrough  off;")

    check_refusal(call(gateway, "GET", "/subscribers"), 404)
    check_refusal(call(gateway, "POST", "/subscribers"), 404)
    assert sandbox.count == 0
    assert call(gateway, "PUT", f"/customers/{CUSTOMER}").status == 202
