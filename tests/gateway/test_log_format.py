# Copyright (C) The wholesale gateway authors

"""The log format that is shipped: JSON, whatever a client sends."""

import datetime
import json

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE


MEMBERS = ["time", "timestamp", "tracking_id", "tenant", "customer",
           "outcome", "reason", "remaining", "counters", "redis_seconds",
           "client", "method", "path", "protocol", "user_agent", "status",
           "request_bytes", "response_bytes", "request_seconds", "upstream",
           "upstream_status", "upstream_seconds"]

CONF = {"http": "include  @wholesale_log.conf@;",
        "server": "access_log  wholesale.log wholesale;"}

PATH = f"{CUSTOMERS}/{CUSTOMER}"


def start(starter, **options):
    return starter(**CONF, **options)


@pytest.fixture(scope="module")
def logging(module_gateway):
    return start(module_gateway, tenants={"acme": {}, "small": {"limits": [
        {"name": "daily", "quota": 1, "window": "1d"}]}})


def last_line(running, number):
    """The line of that number, strictly parsed."""

    log = running.folder / "wholesale.log"
    running.wait_for(lambda: log.read_bytes().count(b"\n") >= number,
                     "the line")

    lines = log.read_bytes().split(b"\n")
    assert lines[number:] == [b""]

    return json.loads(lines[number - 1].decode(),
                      parse_constant=lambda name: pytest.fail(name))


def send(running, request):
    """One request of any bytes; its line."""

    log = running.folder / "wholesale.log"
    number = log.read_bytes().count(b"\n") if log.exists() else 0

    with running.connect() as connection:
        connection.send(request)
        connection.answer("PUT")

    line = last_line(running, number + 1)
    assert list(line) == MEMBERS
    return line


def test_a_line(logging):
    line = send(logging, logging.encode_update({
        "TrackingID": "mine", "User-Agent": "tests/1.0"}))

    time = datetime.datetime.fromisoformat(line["time"])
    assert abs(time.timestamp() - line["timestamp"]) <= 1

    assert line["tracking_id"] == "mine"
    assert line["tenant"] == "acme"
    assert line["customer"] == CUSTOMER
    assert line["outcome"] == "forwarded"
    assert line["reason"] == ""
    assert line["remaining"] is None
    assert line["redis_seconds"] is None
    assert line["client"] == "127.0.0.1"
    assert line["method"] == "PUT"
    assert line["path"] == PATH
    assert line["protocol"] == "HTTP/1.1"
    assert line["user_agent"] == "tests/1.0"
    assert line["status"] == 202
    assert line["upstream_status"] == "202"
    assert line["request_bytes"] > len(REFERENCE)
    assert line["response_bytes"] > 100
    assert 0 <= line["request_seconds"] < 15
    assert 0 <= float(line["upstream_seconds"]) < 15


def test_limits(logging):
    first, second = (send(logging, logging.encode_update(tenant="small"))
                     for _ in range(2))

    assert (first["outcome"], first["remaining"]) == ("forwarded", 0)
    assert (second["outcome"], second["reason"], second["status"]) \
        == ("limited", "daily", 429)
    assert first["counters"] == second["counters"] == "local"


def test_redis(gateway, redis):
    running = start(gateway, tenants={"acme": {"limits": [
        {"name": "daily", "quota": 10, "window": "1d"}]}})
    running.change(http=CONF["http"] + redis.block())
    running.reload()

    line = send(running, running.encode_update())
    assert line["counters"] in ("redis", "local")
    assert line["redis_seconds"] is None or 0 < line["redis_seconds"] < 1


@pytest.mark.parametrize("sent, logged", (
    (b'a "quoted" \\ one', 'a "quoted" \\ one'),
    (b"tab\there", "tab\there"),
    ("grüße 😀".encode(), "grüße 😀"),
    (b"latin \xe9\xff.", "latin \ufffd\ufffd."),
    (b"overlong \xc0\xaf", "overlong \ufffd\ufffd"),
    (b"half \xf0\x9f\x98", "half \ufffd\ufffd\ufffd"),
    (b"surrogate \xed\xa0\x80", "surrogate \ufffd\ufffd\ufffd"),
    (b"del \x7f", "del \x7f"),
    (b"${tenant} $tenant %00", "${tenant} $tenant %00"),
    (b"x" * 5000, "x" * 256),
))
def test_user_agents(logging, sent, logged):
    line = send(logging, b"PUT %b HTTP/1.1\r\nHost: x\r\nUser-Agent: %b\r\n"
                         b"Content-Length: 0\r\n\r\n" % (PATH.encode(), sent))

    assert line["user_agent"] == logged
    assert line["status"] == 401


@pytest.mark.parametrize("sent, logged", (
    (b'/v1/wholesale/"x"', '/v1/wholesale/%22x%22'),
    (b"/v1/wholesale/\\x", "/v1/wholesale/%5Cx"),
    (b"/v1/wholesale/\xff\xc3\xa9", "/v1/wholesale/%FF%C3%A9"),
    (b"/v1/wholesale/%22%0a", "/v1/wholesale/%22%0a"),
    (b"/v1/wholesale/customers/\xff", "/v1/wholesale/customers/%FF"),
    (b'/v1/wholesale/customers/"x', "/v1/wholesale/customers/%22x"),
    (b"/v1/wholesale/customers/%ff", "/v1/wholesale/customers/%ff"),
    (b"/v1/wholesale/x?access_token=secret", "/v1/wholesale/x"),
    (b"/v1/wholesale/" + b"x" * 3000, "/v1/wholesale/" + "x" * 1010),
))
def test_paths(logging, sent, logged):
    line = send(logging, b"PUT %b HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: 0\r\n\r\n" % sent)

    assert line["path"] == logged
    assert line["status"] in (400, 401, 404)


@pytest.mark.parametrize("request_line", (
    b"\xff\xfe\xfd", b'"', b"GET", b"GET /\x00 HTTP/1.1", b"PUT / HTTP/9.9",
    b"GET \x01/ HTTP/1.1", b'P"T / HTTP/1.1',
))
def test_what_is_not_http(logging, request_line):
    line = send(logging, request_line + b"\r\n\r\n")
    assert line["status"] in (400, 405, 505)


def test_a_client_that_leaves(logging):
    number = (logging.folder / "wholesale.log").read_bytes().count(b"\n")

    with logging.connect() as connection:
        connection.send(b"PUT / HTTP/1.1\r\nHost: x\r\n")

    line = last_line(logging, number + 1)
    assert line["status"] in (400, 499)


def test_http2(logging):
    number = (logging.folder / "wholesale.log").read_bytes().count(b"\n")
    logging.update_http2({"User-Agent": b'\xff"'.decode("latin-1")})
    line = last_line(logging, number + 1)

    assert line["protocol"] == "HTTP/2.0"
    assert line["status"] == 202
