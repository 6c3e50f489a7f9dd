# Copyright (C) The wholesale gateway authors

"""Step 1: which calls there are."""

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal


ALLOWED = {"GET", "HEAD", "PUT"}


def allowed(answer):
    return {name.strip() for name in answer.header("Allow").split(",")}


def test_put(the_gateway, sandbox):
    assert the_gateway.update().status == 202

    request = sandbox.only_request
    assert request.method == "PUT"
    assert request.target == f"{CUSTOMERS}/{CUSTOMER}"


def test_get_of_what_location_points_to(the_gateway, sandbox):
    answer = the_gateway.get()

    assert answer.status == 200
    assert answer.json["id"] == CUSTOMER
    assert sandbox.only_request.method == "GET"


def test_head(the_gateway, sandbox):
    answer = the_gateway.get(method="HEAD")

    assert answer.status == 200
    assert answer.body == b""
    assert answer.header("Content-Type").startswith("application/json")
    assert sandbox.only_request.method in ("HEAD", "GET")


def test_the_query_goes_along(the_gateway, sandbox):
    target = f"{CUSTOMERS}/{CUSTOMER}?one=%20%41&two"

    assert the_gateway.update(target=target).status == 202
    assert sandbox.only_request.target == target


@pytest.mark.parametrize("id", (
    "1", "-_", "a" * 512, "YQ==", "YQ%3D%3D", "YQ%3d=", "validate-not"))
def test_ids(the_gateway, sandbox, id):
    sandbox.set(any_customer=True)

    assert the_gateway.update(target=f"{CUSTOMERS}/{id}").status == 202
    assert sandbox.only_request.target == f"{CUSTOMERS}/{id}"


@pytest.mark.parametrize("path", (
    "",
    "/",
    "/validate",
    f"/{CUSTOMER}/",
    f"/{CUSTOMER}/x",
    f"/{CUSTOMER}%2f",
    f"/%2f{CUSTOMER}",
    f"//{CUSTOMER}",
    f"/x/../{CUSTOMER}",
    f"/x/%2e%2e/{CUSTOMER}",
    f"/./{CUSTOMER}",
    f"/{CUSTOMER};x",
    f"/{CUSTOMER}%3b",
    f"/{CUSTOMER}%00",
    f"/{CUSTOMER}%0d%0a",
    f"/{CUSTOMER}.",
    f"/{CUSTOMER}%20",
    f"/{CUSTOMER}===",
    "/a=b",
    "/=",
    "/%C3%A4",
    "/" + "a" * 513,
))
def test_what_is_no_customer(the_gateway, sandbox, path):
    answer = the_gateway.update(target=CUSTOMERS + path)

    # %00 is for nginx itself to refuse
    assert answer.status == (400 if "%00" in path else 404)
    check_refusal(answer, answer.status)
    assert sandbox.count == 0


@pytest.mark.parametrize("path", (
    "/v1/wholesale/", "/v1/wholesale/subscribers/x", "/v1/wholesale/nothing",
    "/v1/wholesale/Customers/x", "/v1/wholesale/customersx/y"))
@pytest.mark.parametrize("method", ("GET", "PUT", "DELETE"))
def test_other_paths(the_gateway, sandbox, path, method):
    check_refusal(the_gateway.update(target=path, method=method), 404)
    assert sandbox.count == 0


@pytest.mark.parametrize("method", (
    "POST", "DELETE", "PATCH", "OPTIONS", "MKCOL", "BREW", "put"))
def test_other_methods(the_gateway, sandbox, method):
    answer = the_gateway.update(method=method)

    if method == "put":
        # no method at all in nginx's eyes
        assert answer.status in (400, 405)
    else:
        check_refusal(answer, 405)
        assert allowed(answer) == ALLOWED

    assert sandbox.count == 0


def test_trace_is_refused(the_gateway, sandbox):
    assert the_gateway.get(method="TRACE").status == 405
    assert sandbox.count == 0


def test_the_route_comes_before_the_key(the_gateway):
    headers = {"Authorization": None}

    check_refusal(the_gateway.update(headers, target="/v1/wholesale/x"), 404)
    answer = the_gateway.update(headers, method="DELETE")
    check_refusal(answer, 405)
    assert allowed(answer) == ALLOWED
    assert answer.header("WWW-Authenticate") is None


def test_a_location_that_is_not_guarded(module_gateway):
    gateway = module_gateway(server="""
        location /v1/wholesale/open/ {
            wholesale  off;
            return     200 "open";
        }
    """)

    answer = gateway.get(target="/v1/wholesale/open/x")
    assert (answer.status, answer.body) == (200, b"open")

    answer = gateway.get(target="/elsewhere")
    assert answer.status == 404
    assert b"<html>" in answer.body


def test_a_body_with_a_get(the_gateway, sandbox):
    """Nobody agrees on what that means, so it goes no further."""

    check_refusal(the_gateway.update(method="GET"), 400)
    check_refusal(the_gateway.update({"Transfer-Encoding": "chunked"},
                                     b"5\r\nhello\r\n0\r\n\r\n", method="GET"),
                  400)
    assert sandbox.count == 0
    assert the_gateway.update({"Content-Length": "0"}, None,
                              method="GET").status == 200
