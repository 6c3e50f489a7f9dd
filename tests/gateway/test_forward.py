# Copyright (C) The wholesale gateway authors

"""Steps 9 and 10: to Webex, and what comes back."""

import json
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.refusal import check_refusal
from sandbox import certificate


# as the README has it: over TLS
TLS = """
@globals@
worker_processes  1;

events {
    worker_connections  512;
}

http {
    @globals_http@

    wholesale_tenants  tenants.json;

    wholesale_credential webex {
        access_token_file  access_token;
    }

    upstream webex {
        server     127.0.0.1:@webex_tls_port@;
        keepalive  32;
    }

    server {
        listen  127.0.0.1:@port@;

        location /v1/wholesale/ {
            wholesale   on;
            include     @wholesale_proxy.conf@;
            proxy_pass  https://webex;
        }
    }
}
"""

# a peer to go to when the first one fails
TWO_PEERS = """
    upstream two {
        server     127.0.0.1:@webex_port@;
        server     localhost:@webex_port@;
        keepalive  32;
    }

    server {
        listen  127.0.0.1:@two_port@;

        location /v1/wholesale/ {
            wholesale   on;
            include     @wholesale_proxy.conf@;
            proxy_pass  http://two;
        }
    }
"""


@pytest.fixture(scope="module")
def impatient(module_gateway):
    return module_gateway(proxy={"proxy_read_timeout": "900ms"})


@pytest.fixture
def closed_port():
    """Nobody listens there, and nobody else will."""

    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def url_of(gateway, id=CUSTOMER):
    return f"{gateway.origin}{CUSTOMERS}/{id}"


# the addresses in answers

def check_addresses(gateway, answer):
    assert answer.status == 202
    assert answer.json == {"url": url_of(gateway)}

    # it may be relative
    assert urllib.parse.urljoin(url_of(gateway), answer.header("Location")) \
        == url_of(gateway)


@pytest.mark.parametrize("accept", (None, "gzip, deflate", "identity"))
@pytest.mark.parametrize("gzip", ("never", "asked", "always"))
@pytest.mark.parametrize("chunked", (False, True))
def test_location_and_url(the_gateway, sandbox, accept, gzip, chunked):
    sandbox.set(gzip=gzip, chunked=chunked)
    answer = the_gateway.update({"Accept-Encoding": accept})

    check_addresses(the_gateway, answer)
    assert answer.complete

    if accept != "gzip, deflate":
        assert answer.header("Content-Encoding") is None


@pytest.mark.parametrize("gzip", ("never", "always"))
@pytest.mark.parametrize("chunked", (False, True))
def test_location_and_url_over_http2(the_gateway, sandbox, gzip, chunked):
    sandbox.set(gzip=gzip, chunked=chunked)
    answer = the_gateway.update_http2()

    assert answer.status == 202
    url = f"http://127.0.0.1:{the_gateway.ports['http2_port']}" \
        f"{CUSTOMERS}/{CUSTOMER}"
    assert answer.json == {"url": url}
    assert urllib.parse.urljoin(url, answer.header("Location")) == url


@pytest.mark.parametrize("gzip", ("never", "always"))
def test_location_can_be_followed(the_gateway, sandbox, gzip):
    sandbox.set(gzip=gzip, update_seconds=0.1)
    url = the_gateway.update().json["url"]
    target = url.removeprefix(the_gateway.origin)

    assert the_gateway.get(target=target).json["status"] == "updating"
    time.sleep(0.15)
    customer = the_gateway.get(target=target).json
    assert customer["status"] == "provisioned"
    assert sorted(package["name"] for package in customer["packages"]) \
        == sorted(json.loads(REFERENCE)["packages"])


def test_url_across_buffers(the_gateway, sandbox):
    """The address may be cut anywhere."""

    url = f"https://webexapis.com{CUSTOMERS}/{CUSTOMER}"

    for padding in (*range(3900, 4120, 7), 8000, 20000):
        sandbox.heal()
        sandbox.fail(status=202, headers=[["Location", url]],
                     json={"padding": "x" * padding, "url": url})

        assert the_gateway.update().json["url"] == url_of(the_gateway)


@pytest.mark.parametrize("link, rewritten", (
    ('<https://webexapis.com/v1/wholesale/customers?offset=2&max=2>; '
     'rel="next"', True),
    ('<https://elsewhere.example.com/v1/x>; rel="next"', False),
    ('<https://webexapis.com.example.com/v1/x>; rel="next"', False)))
def test_link(the_gateway, sandbox, link, rewritten):
    sandbox.fail(status=200, headers=[["Link", link]], json={"items": []})
    answer = the_gateway.get()

    assert answer.header("Link") == (
        link.replace("https://webexapis.com", the_gateway.origin)
        if rewritten else link)


@pytest.mark.parametrize("location", (
    "https://elsewhere.example.com/v1/wholesale/customers/x",
    "https://webexapis.com.example.com/v1/wholesale/customers/x"))
def test_a_location_elsewhere(the_gateway, sandbox, location):
    sandbox.fail(status=202, headers=[["Location", location]],
                 json={"url": location})
    answer = the_gateway.update()

    assert answer.header("Location") == location
    assert answer.json == {"url": location}


@pytest.mark.parametrize("gzip", ("never", "always"))
@pytest.mark.parametrize("chunked", (False, True))
def test_head(the_gateway, sandbox, gzip, chunked):
    sandbox.set(gzip=gzip, chunked=chunked)

    with the_gateway.connect() as connection:
        for _ in range(2):
            answer = connection.request(
                "HEAD", f"{CUSTOMERS}/{CUSTOMER}",
                the_gateway.headers(content=False))
            assert answer.status == 200
            assert not connection.pending

        # nothing was left on the connection
        assert connection.request(
            "GET", f"{CUSTOMERS}/{CUSTOMER}",
            the_gateway.headers(content=False)).json["id"] == CUSTOMER


def test_an_http10_client(the_gateway, sandbox):
    sandbox.set(chunked=True)
    data = the_gateway.encode_update().replace(b" HTTP/1.1", b" HTTP/1.0", 1)

    with the_gateway.connect() as connection:
        connection.send(data)
        answer = connection.answer()
        assert connection.is_closed()

    check_addresses(the_gateway, answer)
    assert answer.header("Transfer-Encoding") is None


# Webex's own answers

WEBEX = (200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 410, 415, 423, 428,
         429, 500, 502, 503, 504)


@pytest.mark.parametrize("status", WEBEX)
@pytest.mark.parametrize("method", ("PUT", "GET"))
def test_answers_of_webex(module_gateway, sandbox, status, method):
    running = module_gateway()      # what Webex teaches stays with it
    body = ('{"message": "from Webex", "errors":\n[{"description": "d\\u00e4'
            '", "errorCode": 10022}], "trackingId": "ROUTERGW_1"}')

    sandbox.fail(status=status, body="" if status == 204 else body, headers=[
        ["Content-Type", "application/json;charset=UTF-8"],
        ["Retry-After", "17"], ["trackingid", "ROUTERGW_1"],
        ["X-Custom", "kept"]])

    answer = running.update() if method == "PUT" else running.get()

    assert answer.status == status
    assert answer.body == (b"" if status == 204 else body.encode())
    assert answer.header("Retry-After") == "17"
    assert answer.header("trackingid") == "ROUTERGW_1"
    assert answer.header("X-Custom") == "kept"
    assert answer.header("WWW-Authenticate") is None

    if status != 204:
        assert answer.header("Content-Type") \
            == "application/json;charset=UTF-8"

    # nothing but a 401, and that in a later version, is sent once more
    assert all(request.method == method for request in sandbox.requests)
    assert sandbox.count == 1 or status == 401


@pytest.mark.parametrize("status", (404, 502))
@pytest.mark.parametrize("body", ("<html>not JSON</html>", ""))
def test_answers_of_webex_that_are_no_json(the_gateway, sandbox, status,
                                           body):
    sandbox.fail(status=status, body=body,
                 headers=[["Content-Type", "text/html"]])
    answer = the_gateway.update()

    assert (answer.status, answer.body) == (status, body.encode())
    assert answer.header("Content-Type") == "text/html"


@pytest.mark.parametrize("gzip", ("never", "always"))
@pytest.mark.parametrize("chunked", (False, True))
def test_an_error_in_every_form(the_gateway, sandbox, gzip, chunked):
    sandbox.set(gzip=gzip, chunked=chunked)
    answer = the_gateway.update({"TrackingID": "mine"},
                                target=f"{CUSTOMERS}/unknown")

    assert answer.status == 404
    assert answer.json["trackingId"] == "mine"
    assert answer.header("trackingid") == "mine"


def test_a_doubled_tracking_id(the_gateway, sandbox):
    sandbox.set(trackingid="double")
    answer = the_gateway.update({"TrackingID": "mine"})

    assert answer.header("trackingid") == "mine, mine"


def test_a_large_answer(the_gateway, sandbox):
    text = "x" * 1000000
    sandbox.fail(status=200, json={"text": text})

    assert the_gateway.get().json == {"text": text}


# no answer of Webex

def check_failed(gateway, sandbox, status, seen=1, **options):
    sandbox.clear()
    answer = gateway.update(**options)

    check_refusal(answer, status)
    assert b"webex" not in answer.body.lower() or b"http" not in answer.body
    assert sandbox.count == seen


def test_refused(gateway, sandbox, closed_port):
    running = gateway(webex_port=closed_port)

    check_failed(running, sandbox, 502, seen=0)
    check_refusal(running.get(), 502)
    check_refusal(running.update_http2(), 502)


@pytest.mark.parametrize("fault", (
    {"cut": "before"}, {"cut": "before", "reset": True},
    {"cut": "head"}, {"cut": "head", "bytes": 5},
    {"raw": b"HTTP/1.1 202 Accepted\r\nX: " + b"x" * 100000 + b"\r\n\r\n"}))
@pytest.mark.parametrize("warm", (False, True))
def test_cut_and_not_sent_again(gateway, sandbox, fault, warm):
    """Not even on a connection that had been kept alive."""

    running = gateway()

    if warm:
        assert running.update().status == 202

    sandbox.fail(**fault)
    check_failed(running, sandbox, 502)

    sandbox.heal()
    assert running.update().status == 202


def test_what_is_no_http(the_gateway, sandbox):
    """It is no answer, and not for the client to see."""

    sandbox.fail(raw=b"not HTTP at all\r\n\r\n")
    check_failed(the_gateway, sandbox, 502)


@pytest.mark.parametrize("fault", (
    {"cut": "before"}, {"cut": "head"}, {"status": 503}, {"status": 429},
    {"status": 502}, {"status": 504}, {"status": 500}))
def test_not_sent_to_another_peer(gateway, sandbox, fault):
    running = gateway(http=TWO_PEERS)
    running.ports["port"] = running.ports["two_port"]

    sandbox.fail(**fault)
    answer = running.update()

    assert answer.status == fault.get("status", 502)
    assert sandbox.count == 1


@pytest.mark.parametrize("gzip", ("never", "always"))
@pytest.mark.parametrize("chunked", (False, True))
def test_cut_in_the_body(the_gateway, sandbox, gzip, chunked):
    """The client can tell, and nothing is sent again."""

    sandbox.set(gzip=gzip, chunked=chunked)
    sandbox.fail(cut="body", bytes=30)
    answer = the_gateway.update()

    if answer.status == 202:
        assert not answer.complete
    else:
        check_refusal(answer, 502)

    assert sandbox.count == 1


def test_silence(impatient, sandbox):
    sandbox.fail(never=True)
    start = time.monotonic()

    check_failed(impatient, sandbox, 504)
    assert 0.35 < time.monotonic() - start < 5

    check_refusal(impatient.update_http2(), 504)
    answer = impatient.get(method="HEAD")
    assert (answer.status, answer.body) == (504, b"")


def test_slow_but_not_too_slow(impatient, sandbox):
    sandbox.fail(delay=0.2)
    assert impatient.update().status == 202


def test_late(impatient, sandbox):
    """Its answer, when it comes at last, is nobody's."""

    sandbox.fail(times=1, delay=1.2)
    check_failed(impatient, sandbox, 504)

    for _ in range(5):
        time.sleep(0.1)
        assert impatient.update().status == 202


def test_keepalive_to_webex(the_gateway, sandbox):
    with the_gateway.connect() as connection:
        for _ in range(20):
            connection.send(the_gateway.encode_update())
            assert connection.answer().status == 202

    assert len({request.connection for request in sandbox.requests}) == 1


# TLS

def trusting(authority):
    return {"proxy_ssl_trusted_certificate": authority}


def test_tls(gateway, sandbox):
    running = gateway(conf=TLS, proxy=trusting(sandbox.authority))
    answers = [running.update() for _ in range(3)]

    for answer in answers:
        check_addresses(running, answer)

    assert all(request.tls for request in sandbox.requests)
    assert len({request.connection for request in sandbox.requests}) == 1


def test_tls_with_a_certificate_that_is_not_trusted(gateway, sandbox,
                                                    tmp_path):
    other, _, _ = certificate.make(tmp_path)
    running = gateway(conf=TLS, proxy=trusting(other))

    check_failed(running, sandbox, 502, seen=0)
    assert "certificate verify" in running.log


def test_tls_with_another_name(gateway, sandbox):
    running = gateway(conf=TLS, proxy={
        **trusting(sandbox.authority),
        "proxy_ssl_name": "other.example.com"})

    check_failed(running, sandbox, 502, seen=0)
    assert "certificate" in running.log


def test_tls_names_webex(gateway, tmp_path):
    """SNI: whom the gateway says that it calls."""

    chain, key = certificate.make(tmp_path)[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    names = []
    context.sni_callback = lambda _, name, __: names.append(name)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = gateway(conf=TLS, proxy=trusting(tmp_path / "ca.pem"),
                          webex_tls_port=listening.getsockname()[1])

        def serve():
            with context.wrap_socket(listening.accept()[0],
                                     server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 204 No Content\r\n"
                                   b"Connection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        answer = running.update()
        thread.join()

    assert answer.status == 204
    assert names == ["webexapis.com"]
