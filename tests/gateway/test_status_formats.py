# Copyright (C) The wholesale gateway authors

"""wholesale_status: which format a client gets, and that tools take it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from gateway import status
from gateway.credentials import conf
from gateway.gateway import Gateway
from gateway.http1 import Connection

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"

WITH_STATUS = conf().replace("        @server@\n",
                             "        @server@\n" + status.LOCATION, 1)

PROMTOOL = shutil.which("promtool")


@pytest.fixture(scope="module")
def telling(module_gateway):
    return module_gateway(server=status.LOCATION)


def check_headers(answer):
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Vary") == "Accept"
    assert answer.header("Content-Length") is not None


@pytest.mark.parametrize("accept, content_type", (
    (None, PROMETHEUS), ("*/*", PROMETHEUS), ("text/plain", PROMETHEUS),
    ("text/*", PROMETHEUS),

    # what Prometheus sends
    ("application/openmetrics-text;version=1.0.0;q=0.5,"
     "text/plain;version=0.0.4;q=0.3,*/*;q=0.1", PROMETHEUS),

    ("application/json", JSON), ("APPLICATION/JSON", JSON),
    ("application/*", JSON), ("application/json, text/plain", JSON),
    ("text/plain, application/json", PROMETHEUS),
    ("text/plain;q=0.5, application/json", JSON),
    ("text/plain;q=0.5, application/json;q=0.4", PROMETHEUS),
    ("text/plain ; q=0.5 , application/json ; q=0.6", JSON),
    ("image/png, application/json;q=0.1", JSON),
    ("text/plain;q=0, application/json", JSON),
    ("image/png, */*;q=0.1", PROMETHEUS),
    ("", PROMETHEUS),
    ("text/plain;q=0, */*", JSON), ("*/*, TEXT/PLAIN;q=0", JSON),
    ("text/plain;q=0,text/*", HTML),
    ("*/*;q=0.1, text/plain;q=0, application/json;q=0", HTML),
    ("application/json;q=0, */*", PROMETHEUS),
    ("application/openmetrics-text;q=0, */*", PROMETHEUS),
    (",, ;q=1,application/json,", JSON),
))
def test_accept(telling, accept, content_type):
    answer = status.fetch(telling, headers={"Accept": accept})

    assert answer.status == 200
    assert answer.header("Content-Type") == content_type
    check_headers(answer)

    if content_type == JSON:
        json.loads(answer.body)
    elif content_type == PROMETHEUS:
        assert status.parse(answer.body.decode())


@pytest.mark.parametrize("accept", (
    "image/png", "text/plain;q=0", ",", "text", "application/xml;q=0.9",
    "text/plain;q=x", "*/*;q=0.0", "application/json;q=0, application/*"))
def test_nothing_acceptable(telling, accept):
    answer = status.fetch(telling, headers={"Accept": accept})

    assert answer.status == 406
    assert answer.header("Content-Type") == "text/plain"
    assert b"?format=json" in answer.body
    check_headers(answer)


def test_several_fields(telling):
    answer = status.fetch(telling, headers=[
        ("Accept", "text/plain;q=0.1"), ("Accept", "application/json")])
    assert answer.header("Content-Type") == JSON


@pytest.mark.parametrize("name, content_type", (
    ("prometheus", PROMETHEUS), ("json", JSON)))
def test_format(telling, name, content_type):
    """What the address names comes before what the client prefers."""

    answer = status.fetch(telling, f"/status?a=b&format={name}",
                          {"Accept": "image/png"})
    assert answer.status == 200
    assert answer.header("Content-Type") == content_type
    check_headers(answer)


@pytest.mark.parametrize("name", ("", "xml", "JSON", "json2", "%6ason",
                                  "<script>", "x" * 1000))
def test_no_such_format(telling, name):
    answer = status.fetch(telling, f"/status?format={name}")

    assert answer.status == 400
    assert answer.header("Content-Type") == "text/plain"
    assert answer.body.startswith(b"There is no such format; there are: "
                                  b"?format=prometheus ?format=json")
    assert b"script" not in answer.body
    check_headers(answer)


@pytest.mark.parametrize("method", ("POST", "PUT", "DELETE", "OPTIONS"))
def test_methods(telling, method):
    answer = status.fetch(telling, method=method,
                          headers={"Content-Length": "0"})

    assert answer.status == 405
    assert answer.header("Allow") == "GET, HEAD"
    check_headers(answer)


@pytest.mark.parametrize("target", ("/status", "/status?format=json",
                                    "/status?format=x"))
def test_head(telling, target):
    with Connection(telling.port) as connection:
        answers = [connection.request(method, target, [("Host", "probe")])
                   for method in ("GET", "HEAD", "GET")]

    assert answers[1].status == answers[0].status
    assert answers[1].header("Content-Type") \
        == answers[0].header("Content-Type")
    assert answers[1].body == b""

    # the figures may be longer by a digit, and not by much
    assert abs(int(answers[1].header("Content-Length"))
               - len(answers[0].body)) < 10


def test_a_body_is_not_waited_for(telling):
    with Connection(telling.port) as connection:
        connection.send(b"GET /status HTTP/1.1\r\nHost: x\r\n"
                        b"Content-Length: 1000\r\n\r\n")
        assert connection.answer().status == 200


def test_http2(telling):
    with telling.connect_http2() as connection:
        answer = connection.request("GET", "/status", [])

    assert status.parse(answer.body.decode())


@pytest.fixture
def configured(tmp_path, running_sandbox):
    return lambda **options: Gateway(tmp_path / "gateway", running_sandbox,
                                     **options)


def test_needs_tenants(configured):
    conf = """
        @globals@
        events { }
        http {
            @globals_http@
            server {
                listen  127.0.0.1:@port@;
                location = /status { wholesale_status; }
            }
        }
    """
    satisfied, output = configured(conf=conf).test()

    assert not satisfied
    assert 'no "wholesale_tenants" is defined for "wholesale_status"' \
        in output


@pytest.mark.parametrize("directives, sentence", (
    ("wholesale_status_tenants  -1;", "invalid number"),
    ("wholesale_status_tenants  x;", "invalid number"),
    ("wholesale_status_tenants  1; wholesale_status_tenants  1;",
     "is duplicate"),
    ("wholesale_status_tenants  1000000;",
     'is too many for a "wholesale_zone" of 16777216 bytes: there is room '
     "for "),
))
def test_mistakes(configured, directives, sentence):
    satisfied, output = configured(http=directives).test()

    assert not satisfied
    assert sentence in output


# more series than are written in one turn

NUMBER = 1500

LARGE = {"tenants": {f"t{i}": {"plan": "p"} for i in range(NUMBER)},
         "plans": {"p": {"limits": [{"name": "ten", "quota": 10,
                                     "window": "1h"}]}},
         "http": f"wholesale_status_tenants  {NUMBER};"}


@pytest.fixture(scope="module")
def large(module_gateway):
    """Every tenant has had one request, which was not valid."""

    running = module_gateway(
        server=status.LOCATION + "keepalive_requests 9999;", **LARGE)

    with running.connect() as connection:
        for name in LARGE["tenants"]:
            connection.send(running.encode_update(tenant=name, body=b"{}"))
            assert connection.answer("PUT").status == 400

    status.wait_for(running, NUMBER)
    return running


def test_a_large_answer(large):
    tenants = status.document(large)["tenants"]
    assert list(tenants) == list(LARGE["tenants"])
    assert all(tenant["outcomes"]["invalid"] == 1
               and tenant["limits"]["ten"]["remaining"] == 9
               for tenant in tenants.values())

    samples = status.samples(large)
    for name in tenants:
        assert samples["wholesale_requests_total", ("tenant", name),
                       ("outcome", "invalid")] == 1
        assert samples["wholesale_limit_remaining", ("tenant", name),
                       ("limit", "ten")] == 9


def test_several_at_once(large):
    """Over one connection one after the other, over others meanwhile."""

    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(large.connect()) for _ in range(4)]

        for connection in connections:
            connection.send(3 * b"GET /status?format=json HTTP/1.1\r\n"
                                b"Host: x\r\n\r\n")

        for connection in connections:
            for _ in range(3):
                answer = connection.answer()
                assert answer.status == 200
                assert len(json.loads(answer.body)["tenants"]) == NUMBER


@pytest.mark.parametrize("how", ("http1", "http2", "http2_reset"))
def test_a_client_that_leaves(large, how):
    for _ in range(10):
        if how.startswith("http2"):
            with large.connect_http2() as connection:
                stream = connection.send("GET", "/status")

                if how == "http2_reset":
                    connection.reset(stream)

        else:
            with large.connect() as connection:
                connection.send(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")

    assert len(status.document(large)["tenants"]) == NUMBER


def test_a_worker_that_leaves(large):
    """It ends the answers first that it has begun."""

    for _ in range(3):
        worker = large.workers()[-1]

        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(large.connect())
                           for _ in range(12)]

            for connection in connections:
                connection.send(b"GET /status?format=json HTTP/1.1\r\n"
                                b"Host: x\r\n\r\n")

            time.sleep(0.005)
            os.kill(worker, signal.SIGQUIT)

            for connection in connections:
                answer = connection.answer()
                assert answer.status == 200
                assert len(json.loads(answer.body)["tenants"]) == NUMBER

        large.wait_for(lambda: large.workers()[-1] != worker, "another")

    assert "open socket" not in large.log


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool(refreshing, redis, sandbox):
    """With something in every family."""

    running = refreshing(
        conf=WITH_STATUS, http=redis.block() + """
            wholesale_credential 'odd "name"' {
                access_token_file  missing;
            }""",
        tenants={"acme": {"limits": [
            {"name": "ten", "quota": 10, "window": "1h"}]}})
    running.warm()
    running.update()
    running.update(body=b"{")
    running.update({"Authorization": None})
    status.wait_for(running, 3)

    done = subprocess.run((PROMTOOL, "check", "metrics"),
                          input=status.fetch(running).body,
                          capture_output=True)

    assert done.returncode == 0, done.stderr
    assert not done.stdout and not done.stderr
