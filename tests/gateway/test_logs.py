# Copyright (C) The wholesale gateway authors

"""What an operator may log, and a client may send, and no log may keep."""

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal


@pytest.fixture(scope="module")
def talkative(module_gateway):
    return module_gateway(
        http="""
        log_format  talkative  '$status "$http_authorization" "$http_x_api_key"'
                               ' "$http_cookie" "$cookie_session"';
        """,
        server="""
        access_log  talkative.log talkative;
        location /elsewhere { return 204; }
        """)


def logged(gateway):
    gateway.wait_for(lambda: (gateway.folder / "talkative.log").exists(),
                     "the log")
    return (gateway.folder / "talkative.log").read_text()


@pytest.mark.parametrize("http2", (False, True), ids=("http1", "http2"))
@pytest.mark.parametrize("options", (
    {}, {"body": b"{}"}, {"target": "/elsewhere"}, {"target": "/nothing"},
    {"method": "POST"}, {"headers": {"Content-Type": "text/plain"}},
), ids=repr)
def test_the_access_log(talkative, sandbox, options, http2):
    key = talkative.keys["acme"]
    options = {**options, "headers": {
        **options.get("headers", {}), "X-API-Key": key,
        "Cookie": f"session={key}"}}

    before = logged(talkative).count("\n") if \
        (talkative.folder / "talkative.log").exists() else 0

    send = talkative.update_http2 if http2 else talkative.update
    assert send(**options).status

    talkative.wait_for(lambda: logged(talkative).count("\n") > before, "a line")
    assert key not in logged(talkative)


def test_a_client_that_leaves_in_its_headers(talkative):
    key = talkative.keys["acme"]

    with talkative.connect() as connection:
        connection.send(f"PUT {CUSTOMERS}/{CUSTOMER} HTTP/1.1\r\nHost: x\r\n"
                        f"Authorization: Bearer {key}\r\n".encode())

    talkative.wait_for(lambda: " 400 " in f" {logged(talkative)}"
                       or "\n400" in logged(talkative)
                       or logged(talkative).startswith("400"), "a line")
    assert key not in logged(talkative)


@pytest.mark.parametrize("line", (
    "X.Api.Key: {key}", "X_API_KEY: {key}", "X-Api-Key[]: {key}",
    "X-API-Key={key}:", '"Authorization": "{key}"', "{key}: x", "X-0: {key}",
))
def test_the_error_log(the_gateway, sandbox, line):
    key = the_gateway.keys["acme"]

    with the_gateway.connect() as connection:
        connection.send(f"PUT {CUSTOMERS}/{CUSTOMER} HTTP/1.1\r\n"
                        f"Host: x\r\n{line.format(key=key)}\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
        assert connection.answer().status in (400, 401)

    assert key not in the_gateway.log


@pytest.mark.parametrize("target", (
    f"{CUSTOMERS}/{CUSTOMER}?access_token={{key}}",
    f"{CUSTOMERS}/{CUSTOMER}?a=b&c={{key}}&d"))
def test_a_key_in_the_url(module_gateway, sandbox, target):
    """nginx has it in its own logs then: the partner has to be told."""

    running = module_gateway(server="access_log  off; error_log  off.log crit;")
    target = target.format(key=running.keys["acme"])

    check_refusal(running.update(target=target), 401)
    assert sandbox.count == 0


@pytest.mark.parametrize("name", (
    "X-Auth-Key", "X-API-Token", "Token", "Access-Token",
    "X-Forwarded-Authorization", "HTTP_AUTHORIZATION",
    "X-HTTP-Method-Override", "X-Method-Override"))
def test_what_stays_here(the_gateway, sandbox, name):
    assert the_gateway.update({name: "DELETE"}).status == 202
    assert sandbox.only_request.header(name) is None
