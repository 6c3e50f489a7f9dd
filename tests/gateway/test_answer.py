# Copyright (C) The wholesale gateway authors

"""The form of every answer that the gateway makes itself."""

import json

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.http1 import chunked
from gateway.refusal import check_refusal


ACCEPT_PROBLEM = {"Accept": "application/problem+json"}


@pytest.fixture(scope="module")
def refusing(module_gateway):
    """A gateway in which every refusal can be had."""

    return module_gateway(
        tenants={
            "acme": {},
            "closed": {"enabled": False},
            "small": {"limits": [{"name": "daily", "rate": "1/d"}]},
        },
        proxy={"proxy_read_timeout": "300ms", "client_body_timeout": "300ms"})


@pytest.fixture(scope="module")
def without_token(module_gateway):
    return module_gateway(token="")


class Case:
    """How a refusal is provoked."""

    def __init__(self, status, fault=None, **options):
        self.status = status
        self.fault = fault
        self.options = options

    def __repr__(self):
        return str(self.status)

    def provoke(self, gateway, sandbox, headers=(), http2=False):
        if self.fault:
            sandbox.fail(**self.fault)

        if self.options.get("tenant") == "small":
            gateway.update(tenant="small")

        options = {**self.options, "headers": {
            **self.options.get("headers", {}), **dict(headers)}}

        return (gateway.update_http2 if http2 else gateway.update)(**options)


CASES = [
    Case(400, body=b"{}"),
    Case(401, headers={"Authorization": "Bearer wrong"}),
    Case(403, tenant="closed"),
    Case(404, target="/v1/wholesale/nothing"),
    Case(405, method="DELETE"),
    Case(413, body=REFERENCE + b" " * 65536),
    Case(415, headers={"Content-Type": "text/plain"}),
    Case(429, tenant="small"),
    Case(502, fault={"cut": "before"}),
    Case(504, fault={"never": True}),
]


@pytest.mark.parametrize("http2", (False, True), ids=("http1", "http2"))
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_shape(refusing, sandbox, case, http2):
    answer = case.provoke(refusing, sandbox, http2=http2)

    check_refusal(answer, case.status)
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("Content-Encoding") is None
    assert (answer.header("WWW-Authenticate") is not None) \
        == (case.status == 401)
    assert (answer.header("Allow") is not None) == (case.status == 405)


def test_shape_of_503(without_token):
    check_refusal(without_token.update(), 503)
    check_refusal(without_token.update_http2(ACCEPT_PROBLEM), 503,
                  problem=True)


@pytest.mark.parametrize("form", ("length", "chunked"))
def test_shape_of_408(refusing, form):
    headers, body = {
        "length": ({"Content-Length": "100"}, b"{"),
        "chunked": ({"Transfer-Encoding": "chunked"},
                    chunked(REFERENCE, 10)[:50])}[form]

    with refusing.connect() as connection:
        connection.send(refusing.encode_update(
            {**headers, **ACCEPT_PROBLEM, "TrackingID": "mine"}, body))
        check_refusal(connection.answer(), 408, "mine", problem=True)


@pytest.mark.parametrize("http2", (False, True), ids=("http1", "http2"))
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_problem(refusing, sandbox, case, http2):
    answer = case.provoke(refusing, sandbox, ACCEPT_PROBLEM, http2)
    check_refusal(answer, case.status, problem=True)


@pytest.mark.parametrize("accept, problem", (
    ("application/problem+json", True),
    ("APPLICATION/Problem+JSON", True),
    ("application/problem+json, application/json;q=0.5", True),
    ("text/html, application/problem+json;charset=utf-8", True),
    ("application/json", False),
    ("*/*", False),
    ("", False),
    ("application/problem+xml", False),
    ("application/*", False),
    ("application/problem+json;q=0, application/json", False),
    ("application/problem+jsonx", False)))
def test_accept(refusing, accept, problem):
    answer = refusing.update({"Accept": accept}, body=b"{}")
    check_refusal(answer, 400, problem=problem)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_the_clients_tracking_id(refusing, sandbox, case):
    answer = case.provoke(refusing, sandbox, {"TrackingID": "SDK_1-a"})
    check_refusal(answer, case.status, tracking_id="SDK_1-a")


@pytest.mark.parametrize("value", ("a b", "x" * 129, "\xe4", '"', "</a>"))
def test_a_tracking_id_that_is_none(refusing, value):
    check_refusal(refusing.update({"TrackingID": value}, body=b"{}"), 400)


@pytest.mark.parametrize("case", (
    Case(401, headers={"Authorization": None}),
    Case(403, tenant="closed"),
    Case(404, target="/v1/wholesale/nothing"),
    Case(502, fault={"cut": "before"}),
    Case(504, fault={"never": True})), ids=repr)
@pytest.mark.parametrize("http2", (False, True), ids=("http1", "http2"))
def test_head(refusing, sandbox, case, http2):
    """The fields of the answer to GET, and nothing after them."""

    options = {**case.options, "body": None}
    get = Case(case.status, case.fault, **options, method="GET").provoke(
        refusing, sandbox, http2=http2)
    sandbox.heal()
    head = Case(case.status, case.fault, **options, method="HEAD").provoke(
        refusing, sandbox, http2=http2)

    check_refusal(get, case.status)
    assert (head.status, head.body) == (case.status, b"")
    assert head.header("Content-Type") == get.header("Content-Type")
    assert head.header("Content-Length") == get.header("Content-Length")
    assert head.header("WWW-Authenticate") == get.header("WWW-Authenticate")


def test_head_leaves_nothing_on_the_connection(refusing):
    with refusing.connect() as connection:
        headers = refusing.headers({"Authorization": None}, content=False)
        answer = connection.request("HEAD", f"{CUSTOMERS}/{CUSTOMER}",
                                    headers)
        assert answer.status == 401

        connection.send(refusing.encode_update())
        assert connection.answer().status == 202


# nginx's own refusals, before it knows the location

def send(gateway, data, method="GET"):
    with gateway.connect() as connection:
        connection.send(data)
        return connection.answer(method)


def test_414(the_gateway, sandbox):
    answer = the_gateway.get(target=f"{CUSTOMERS}/" + "x" * 40000)

    check_refusal(answer, 414)
    assert sandbox.count == 0


def test_a_field_that_is_too_large(the_gateway, sandbox):
    check_refusal(the_gateway.update({"X-Large": "x" * 40000}), 400)
    assert sandbox.count == 0


@pytest.mark.parametrize("headers", (
    {"Content-Length": "x"}, {"Content-Length": "-1"},
    {"Content-Length": "5", "Transfer-Encoding": "chunked"},
    {"Host": None}, {"Host": "a b"}), ids=repr)
def test_fields_that_nginx_refuses(the_gateway, sandbox, headers):
    check_refusal(the_gateway.update(headers, body=b"0\r\n\r\n"), 400)
    assert sandbox.count == 0


@pytest.mark.parametrize("headers, status", (
    ({"Transfer-Encoding": "gzip, chunked"}, 501),
    ({"Transfer-Encoding": "identity"}, 501)))
def test_a_transfer_coding_that_is_not_known(the_gateway, sandbox, headers,
                                             status):
    check_refusal(the_gateway.update(headers, body=b"0\r\n\r\n"), status)
    assert sandbox.count == 0


@pytest.mark.parametrize("line", (
    b"PUT %b HTTP/1.1 x", b"PUT %b\x00 HTTP/1.1", b"P T %b HTTP/1.1",
    b"PUT %b HTTP/9.9"))
def test_request_lines_that_nginx_refuses(the_gateway, sandbox, line):
    answer = send(the_gateway, line % f"{CUSTOMERS}/{CUSTOMER}".encode()
                  + b"\r\nHost: x\r\n\r\n")

    assert answer.status in (400, 505)
    check_refusal(answer, answer.status)
    assert sandbox.count == 0


def test_a_server_that_guards_nothing(module_gateway):
    """It is none of our affair."""

    running = module_gateway(http="""
        server {
            listen  127.0.0.1:@other_port@;

            location / {
                return  404;
            }
        }
    """)
    running.ports["port"] = running.ports["other_port"]

    for target in ("/x", "/" + "x" * 40000):
        answer = running.get(target=target)
        assert answer.status in (404, 414)
        assert answer.header("Content-Type") == "text/html"
        assert b"<html>" in answer.body


def test_the_users_own_error_page(module_gateway):
    """Refusals with an error_page of the user's are what that page says."""

    running = module_gateway(server="""
        error_page  403  /forbidden;

        location = /forbidden {
            internal;
            return  403 "mine";
        }
    """)

    answer = running.update(tenant="closed")
    assert (answer.status, answer.body) == (403, b"mine")

    check_refusal(running.update({"Authorization": None}), 401)


# two requests on one connection

@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_refusal_leaves_no_state(refusing, sandbox, case):
    """Either the connection is closed, as it was said, or the next request on
    it is as good as on a new one."""

    with refusing.connect() as connection:
        options = dict(case.options)
        headers = {**options.pop("headers", {}), "TrackingID": "first",
                   **ACCEPT_PROBLEM}

        if case.fault:
            sandbox.fail(times=1, **case.fault)

        if options.get("tenant") == "small":
            refusing.update(tenant="small")

        connection.send(refusing.encode_update(headers, **options))
        first = connection.answer()
        check_refusal(first, case.status, "first", problem=True)

        if first.header("Connection") == "close":
            assert connection.is_closed()
            return

        sandbox.clear()
        connection.send(refusing.encode_update())
        second = connection.answer()
        assert second.status == 202
        assert second.header("Allow") is None
        assert second.header("WWW-Authenticate") is None
        assert second.header("Retry-After") is None
        assert sandbox.only_request.body == REFERENCE
        assert sandbox.only_request.header("TrackingID") != "first"

        connection.send(refusing.encode_update(body=b"{}"))
        check_refusal(connection.answer(), 400)


def test_an_acceptance_leaves_no_state(refusing, sandbox):
    with refusing.connect() as connection:
        for headers, options, status in (
                ({"TrackingID": "one"}, {}, 202),
                ({}, {"tenant": "closed"}, 403),
                ({"TrackingID": "two"}, {}, 202),
                ({"Authorization": None}, {}, 401),
                ({}, {"body": b'{"packages":[]}'}, 400),
                ({}, {"method": "GET", "body": None}, 200),
                ({}, {"target": "/v1/wholesale/x"}, 404),
                ({}, {}, 202)):

            connection.send(refusing.encode_update(headers, **options))
            answer = connection.answer()
            assert answer.status == status

    assert [request.method for request in sandbox.requests] \
        == ["PUT", "PUT", "GET", "PUT"]


def test_refusals_keep_the_connection(refusing):
    """What was read whole gives no reason to close it."""

    with refusing.connect() as connection:
        for _ in range(5):
            connection.send(refusing.encode_update(body=b"{}"))
            check_refusal(connection.answer(), 400)
            connection.send(refusing.encode_update({"Authorization": None}))
            check_refusal(connection.answer(), 401)


def test_an_unread_body_is_not_the_next_request(refusing, sandbox):
    """What is refused early may have a request in its body."""

    inner = refusing.encode_update()

    for headers, options, status in (
            ({"Authorization": None}, {}, 401),
            ({}, {"tenant": "closed"}, 403),
            ({}, {"method": "DELETE"}, 405),
            ({"Content-Type": "text/plain"}, {}, 415)):

        with refusing.connect() as connection:
            connection.send(refusing.encode_update(headers, inner, **options))
            check_refusal(connection.answer(), status)

            # either it was discarded, or the connection ends
            connection.socket.settimeout(0.2)
            if not connection.is_closed():
                assert not connection.pending

    assert sandbox.count == 0


def test_parallel_streams_do_not_mix(refusing, sandbox):
    with refusing.connect_http2() as connection:
        target = f"{CUSTOMERS}/{CUSTOMER}"
        streams = []

        for number in range(20):
            body = REFERENCE if number % 2 else b"{}"
            streams.append(connection.send(
                "PUT", target, refusing.headers(
                    {"Host": None, "TrackingID": f"stream{number}"}),
                body, frames=100))

        for number, stream in enumerate(streams):
            answer = connection.answer(stream)

            if number % 2:
                assert answer.status == 202
                assert answer.header("trackingid") == f"stream{number}"
            else:
                check_refusal(answer, 400, f"stream{number}")

    assert sandbox.count == 10


def test_the_form_of_the_json(refusing):
    """As the documentation shows it."""

    answer = refusing.update({"TrackingID": "x"}, body=b'{"packages":["a"]}')
    document = json.loads(answer.body)

    assert list(document) == ["message", "errors", "trackingId", "type",
                              "title", "status"]
    assert document["errors"][0]["pointer"] == "/packages/0"
