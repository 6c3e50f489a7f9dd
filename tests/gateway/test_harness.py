# Copyright (C) The wholesale gateway authors

"""The harness works with an nginx that has nothing of ours, and it can
fail."""

import os
import re
import signal
import ssl

import pytest

from gateway import http1, http2, secrets
from gateway.gateway import REFERENCE


PLAIN = """
@globals@
worker_processes  2;

events {
    worker_connections  64;
}

http {
    @globals_http@

    upstream webex {
        server     127.0.0.1:@webex_port@;
        keepalive  8;
    }

    server {
        listen  127.0.0.1:@port@;
        listen  127.0.0.1:@tls_port@ ssl;
        listen  @http2@;

        ssl_certificate      @certificate@.pem;
        ssl_certificate_key  @certificate@.key;

        location / {
            proxy_pass          http://webex;
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
        }

        location /fixed {
            return  200 "fixed";
        }
    }
}
"""


@pytest.fixture
def plain(start_nginx, sandbox):
    return start_nginx(
        PLAIN, workers=2, webex_port=sandbox.port,
        certificate=sandbox.authority.replace("ca.pem", "webexapis"))


TARGET = "/v1/wholesale/customers/x"
HEADERS = [("Host", "plain"), ("Content-Type", "application/json")]


@pytest.mark.parametrize("chunked", (False, True))
def test_http1(plain, sandbox, chunked):
    sandbox.set(any_customer=True, check_tokens=False, chunked=chunked)
    headers = [*HEADERS, ("Authorization", "Bearer any")]

    with http1.Connection(plain.ports["port"]) as connection:
        answers = [connection.request("PUT", TARGET, headers, REFERENCE)
                   for _ in range(2)]
        head = connection.request("HEAD", TARGET, headers)

        connection.send_slowly(
            http1.encode("PUT", TARGET, [*headers,
                                         ("Transfer-Encoding", "chunked")])
            + http1.chunked(REFERENCE, 1, 100), size=50)
        answers.append(connection.answer())

        assert not connection.pending

    assert [answer.status for answer in answers] == [202, 202, 202]
    assert answers[0].json["url"] == answers[0].header("Location")
    assert (head.status, head.body) == (200, b"")

    updates = [request for request in sandbox.requests
               if request.method == "PUT"]
    assert [request.body for request in updates] == [REFERENCE] * 3


def test_http1_over_tls(plain, sandbox):
    context = ssl.create_default_context(cafile=sandbox.authority)

    with http1.Connection(plain.ports["tls_port"], context) as connection:
        answer = connection.request("GET", "/fixed", HEADERS)

    assert (answer.status, answer.body) == (200, b"fixed")


def test_http2(plain, sandbox):
    body = b"x" * 200000

    with http2.Connection(plain.ports["http2_port"]) as connection:
        streams = [
            connection.send("PUT", TARGET, HEADERS[1:], REFERENCE, frames=7),
            connection.send("GET", "/fixed"),
            connection.send("PUT", TARGET, HEADERS[1:], body)]
        answers = [connection.answer(stream) for stream in streams]

    assert [answer.status for answer in answers] == [401, 200, 401]
    assert answers[0].json["errors"]
    assert answers[1].body == b"fixed"
    assert sorted(len(request.body) for request in sandbox.requests) \
        == [len(REFERENCE), len(body)]


def test_an_answer_that_breaks_off(plain, sandbox):
    sandbox.fail(cut="body", bytes=10)

    with http1.Connection(plain.ports["port"]) as connection:
        answer = connection.request("GET", TARGET, HEADERS)

    assert not answer.complete
    assert len(answer.body) == 10


def test_a_reload(plain):
    plain.wait_for(lambda: len(plain.workers()) == 2, "both workers")
    plain.reload()
    assert len(plain.workers()) == 4

    with http1.Connection(plain.ports["port"]) as connection:
        assert connection.request("GET", "/fixed", HEADERS).status == 200


def test_a_port_that_somebody_took(plain, start_nginx, monkeypatch):
    ports = iter((plain.ports["port"], None))
    free_port = type(plain).free_port

    monkeypatch.setattr(type(plain), "free_port", lambda self:
                        next(ports, None) or free_port(self))

    conf = ("@globals@ events {} http { @globals_http@ "
            "server { listen 127.0.0.1:@port@; } }")
    nginx = start_nginx(conf)

    assert nginx.ports["port"] != plain.ports["port"]


@pytest.mark.parametrize("level", ("alert", "emerg", "crit"))
def test_a_serious_line_fails(plain, level):
    with plain.error_log.open("a") as log:
        log.write(f"2026/01/01 00:00:00 [{level}] 1#1: planted\n")

    with pytest.raises(AssertionError, match="planted"):
        plain.stop()


def test_a_serious_line_that_is_expected(start_nginx):
    nginx = start_nginx("@globals@ events {}")
    nginx.tolerated = [re.compile("planted")]

    with nginx.error_log.open("a") as log:
        log.write("2026/01/01 00:00:00 [crit] 1#1: planted\n")

    nginx.stop()


@pytest.mark.parametrize("line", (
    "wholesale_path.c:1:2: runtime error: null pointer passed",
    "==1==ERROR: AddressSanitizer: heap-use-after-free"))
def test_a_sanitizer_line_fails(plain, line):
    with plain.error_log.open("a") as log:
        log.write(line + "\n")

    with pytest.raises(AssertionError, match=re.escape(line)):
        plain.stop()


def test_a_sanitizer_report_fails(plain):
    (plain.folder / "sanitizer.1234").write_text("ERROR: planted overflow\n")

    with pytest.raises(AssertionError, match="planted overflow"):
        plain.stop()


def test_a_worker_that_dies_fails(plain):
    os.kill(plain.workers()[0], signal.SIGKILL)
    plain.wait_for(lambda: len(plain.workers()) == 3, "a new worker")

    with pytest.raises(AssertionError, match="exited on signal 9"):
        plain.stop()


def test_an_nginx_that_cannot_start_fails(start_nginx):
    with pytest.raises(AssertionError, match='unknown directive "nonsense"'):
        start_nginx("@globals@ nonsense;")


def test_a_secret_in_a_log_is_found(tmp_path):
    secret = secrets.make()
    log = tmp_path / "planted"      # no log, or the session would fail of it

    for clean in ("", "nothing\n"):
        log.write_text(clean)
        assert secrets.leaks(log) == []

    for part in (secret, secret[:12], secret[-12:], secret[20:32]):
        line = f"[debug] header: \"{part}\"\n"
        log.write_text(f"one\n{line}two\n{line}")
        assert secrets.leaks(log) == [line, line]

        log.write_text(line.rstrip())
        assert secrets.leaks(log) == [line.rstrip()]
