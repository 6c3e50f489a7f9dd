# Copyright (C) The wholesale gateway authors

"""Step 5: the body, in every form that it can come."""

import time

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.http1 import chunked
from gateway.refusal import check_refusal


MAX = 64 * 1024
CHUNKED = {"Transfer-Encoding": "chunked"}


def padded(size):
    """The reference update as so many bytes."""

    return REFERENCE + b" " * (size - len(REFERENCE))


def check_accepted(answer, sandbox, body=REFERENCE):
    assert answer.status == 202, answer

    request = sandbox.only_request
    assert request.body == body
    assert request.header("Content-Length") == str(len(body))
    assert request.header("Transfer-Encoding") is None


@pytest.fixture(scope="module")
def spilling(module_gateway):
    return module_gateway(proxy={"client_body_buffer_size": "1k"})


@pytest.fixture(scope="module")
def hasty(module_gateway):
    return module_gateway(location="client_body_timeout  1500ms;")


# how the bytes arrive

def test_all_at_once(the_gateway, sandbox):
    check_accepted(the_gateway.update(), sandbox)


def test_the_head_first(the_gateway, sandbox):
    data = the_gateway.encode_update()

    with the_gateway.connect() as connection:
        connection.send(data[:-len(REFERENCE)])
        time.sleep(0.05)
        connection.send(REFERENCE)
        check_accepted(connection.answer(), sandbox)


@pytest.mark.parametrize("size", (1, 100, 854))
def test_split(the_gateway, sandbox, size):
    data = the_gateway.encode_update()
    at = len(data) - len(REFERENCE) + size

    with the_gateway.connect() as connection:
        connection.send(data[:at])
        time.sleep(0.05)
        connection.send(data[at:])
        check_accepted(connection.answer(), sandbox)


@pytest.mark.parametrize("name", ("the_gateway", "spilling"))
def test_byte_by_byte(request, sandbox, name):
    running = request.getfixturevalue(name)

    with running.connect() as connection:
        connection.send_slowly(running.encode_update(), pause=0.0002)
        check_accepted(connection.answer(), sandbox)


def test_two_in_one_packet(the_gateway, sandbox):
    bodies = [REFERENCE, padded(2000)]

    with the_gateway.connect() as connection:
        connection.send(b"".join(the_gateway.encode_update(body=body)
                                 for body in bodies))
        assert connection.answer().status == 202
        assert connection.answer().status == 202

    assert [request.body for request in sandbox.requests] == bodies


# chunked

@pytest.mark.parametrize("sizes", ((1000,), (1,), (1, 2, 3, 7, 100), (854, 1)))
def test_chunked(the_gateway, sandbox, sizes):
    check_accepted(the_gateway.update(CHUNKED, chunked(REFERENCE, *sizes)),
                   sandbox)


@pytest.mark.parametrize("name", ("the_gateway", "spilling"))
def test_chunked_byte_by_byte(request, sandbox, name):
    running = request.getfixturevalue(name)

    with running.connect() as connection:
        connection.send_slowly(
            running.encode_update(CHUNKED, chunked(REFERENCE, 100, 1)),
            pause=0.0002)
        check_accepted(connection.answer(), sandbox)


def test_chunked_with_extensions_and_trailers(the_gateway, sandbox):
    body = b"%x;name=value\r\n%b\r\n000\r\nTrailer: yes\r\n\r\n" \
        % (len(REFERENCE), REFERENCE)

    check_accepted(the_gateway.update(CHUNKED, body), sandbox)
    assert sandbox.only_request.header("Trailer") is None


@pytest.mark.parametrize("body", (
    b"nonsense\r\n\r\n",
    b"-1\r\n\r\n",
    b"3\r\nabcdef\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\n\r\n"))
def test_broken_chunks(the_gateway, sandbox, body):
    check_refusal(the_gateway.update(CHUNKED, body), 400)
    assert sandbox.count == 0


# spilled to disk

def in_file(running):
    return "is buffered to a temporary file" in running.log


@pytest.mark.parametrize("size", (3000, 5000, MAX))
@pytest.mark.parametrize("form", ("length", "chunked"))
def test_spilled(gateway, sandbox, form, size):
    running = gateway(proxy={"client_body_buffer_size": "1k"})
    body = padded(size)

    if form == "chunked":
        answer = running.update(CHUNKED, chunked(body, 3000, 1, 20))
    else:
        answer = running.update(body=body)

    check_accepted(answer, sandbox, body)
    assert in_file(running)


def test_always_in_a_file(gateway, sandbox):
    running = gateway(location="client_body_in_file_only  clean;")
    check_accepted(running.update(), sandbox)
    check_refusal(running.update(body=b"[]"), 400)


def test_what_is_spilled_is_validated(spilling, sandbox):
    body = padded(20000) + b"x"

    check_refusal(spilling.update(body=body), 400)
    check_refusal(spilling.update(CHUNKED, chunked(body, 999)), 400)
    assert sandbox.count == 0


# Expect: 100-continue

@pytest.mark.parametrize("expect", ("100-continue", "100-Continue"))
def test_expect(the_gateway, sandbox, expect):
    data = the_gateway.encode_update({"Expect": expect})

    with the_gateway.connect() as connection:
        connection.send(data[:-len(REFERENCE)])
        assert connection.read_head().status == 100
        connection.send(REFERENCE)
        answer = connection.answer()

    check_accepted(answer, sandbox)
    assert sandbox.only_request.header("Expect") is None


def test_expect_with_a_body_that_does_not_wait(the_gateway, sandbox):
    check_accepted(the_gateway.update({"Expect": "100-continue"}), sandbox)


# HTTP/2

@pytest.mark.parametrize("length", (True, False))
@pytest.mark.parametrize("frames", (None, 100, 7, 1))
def test_http2(the_gateway, sandbox, frames, length):
    headers = {"Content-Length": str(len(REFERENCE))} if length else {}

    check_accepted(the_gateway.update_http2(headers, frames=frames), sandbox)


@pytest.mark.parametrize("frames", (None, 1000))
def test_http2_spilled(gateway, sandbox, frames):
    running = gateway(proxy={"client_body_buffer_size": "1k"})
    body = padded(MAX)

    check_accepted(running.update_http2(body=body, frames=frames), sandbox,
                   body)
    assert in_file(running)


def test_http2_many_streams(the_gateway, sandbox):
    with the_gateway.connect_http2() as connection:
        streams = [connection.send(
            "PUT", f"{CUSTOMERS}/{CUSTOMER}",
            the_gateway.headers({"Host": None}), padded(1000 + number),
            frames=300) for number in range(20)]
        answers = [connection.answer(stream) for stream in streams]

    assert [answer.status for answer in answers] == [202] * 20
    assert sorted(len(request.body) for request in sandbox.requests) \
        == list(range(1000, 1020))


def test_http2_refusals(the_gateway, sandbox):
    check_refusal(the_gateway.update_http2(body=b""), 400)
    check_refusal(the_gateway.update_http2(body=None), 400)
    check_refusal(the_gateway.update_http2({"Content-Type": "text/plain"}),
                  415)
    check_refusal(the_gateway.update_http2({"Content-Encoding": "gzip"}), 415)
    check_refusal(the_gateway.update_http2(body=padded(MAX + 1)), 413)
    check_refusal(the_gateway.update_http2(
        {"Content-Length": str(MAX + 1)}, body=padded(MAX + 1)), 413)
    assert sandbox.count == 0


# none

@pytest.mark.parametrize("headers, body", (
    ({}, None), ({"Content-Length": "0"}, None), (CHUNKED, b"0\r\n\r\n"),
    ({}, b" "), ({}, b"\r\n\t ")))
def test_empty(the_gateway, sandbox, headers, body):
    check_refusal(the_gateway.update(headers, body), 400)
    assert sandbox.count == 0


# type and coding

@pytest.mark.parametrize("type", (
    "application/json;charset=utf-8", "application/json; charset=UTF-8",
    'application/json ; charset="utf-8"; a=b', "Application/JSON",
    "application/json;"))
def test_types(the_gateway, sandbox, type):
    check_accepted(the_gateway.update({"Content-Type": type}), sandbox)
    assert sandbox.only_request.header("Content-Type") \
        .lower().startswith("application/json")


@pytest.mark.parametrize("type", (
    None, "", "text/plain", "application/xml", "application/jsonx",
    "application/json5", "application/json-patch+json",
    "application/problem+json", "xapplication/json", "application",
    "text/plain; application/json", "application/x-www-form-urlencoded",
    "application/json, text/plain", "application/js on"))
def test_wrong_types(the_gateway, sandbox, type):
    check_refusal(the_gateway.update({"Content-Type": type}), 415)
    assert sandbox.count == 0


@pytest.mark.parametrize("types", (
    ("application/json", "text/plain"), ("text/plain", "application/json")))
def test_two_types(the_gateway, sandbox, types):
    answer = the_gateway.update([("Content-Type", type) for type in types])

    assert answer.status in (400, 415)
    check_refusal(answer, answer.status)
    assert sandbox.count == 0


@pytest.mark.parametrize("coding", ("identity", "Identity"))
def test_no_coding(the_gateway, sandbox, coding):
    check_accepted(the_gateway.update({"Content-Encoding": coding}), sandbox)


@pytest.mark.parametrize("coding", (
    "gzip", "GZIP", "deflate", "br", "x-gzip", "gzip, identity",
    "identity, gzip", "nonsense"))
def test_codings(the_gateway, sandbox, coding):
    check_refusal(the_gateway.update({"Content-Encoding": coding}), 415)
    assert sandbox.count == 0


def test_two_codings(the_gateway, sandbox):
    check_refusal(the_gateway.update([("Content-Encoding", "identity"),
                                      ("Content-Encoding", "gzip")]), 415)
    assert sandbox.count == 0


# size

@pytest.mark.parametrize("form", ("length", "chunked", "http2"))
def test_the_largest(the_gateway, sandbox, form):
    body = padded(MAX)

    if form == "length":
        answer = the_gateway.update(body=body)
    elif form == "chunked":
        answer = the_gateway.update(CHUNKED, chunked(body, 5000))
    else:
        answer = the_gateway.update_http2(body=body)

    check_accepted(answer, sandbox, body)


@pytest.mark.parametrize("size", (MAX + 1, 65 * 1024, 200 * 1024))
@pytest.mark.parametrize("form", ("length", "chunked"))
@pytest.mark.parametrize("name", ("the_gateway", "spilling"))
def test_too_large(request, sandbox, name, form, size):
    running = request.getfixturevalue(name)
    body = padded(size)

    if form == "length":
        answer = running.update(body=body)
    else:
        answer = running.update(CHUNKED, chunked(body, 5000))

    check_refusal(answer, 413)
    assert sandbox.count == 0


def test_too_large_is_seen_from_its_length(the_gateway, sandbox):
    """Nobody waits for a body that is refused anyway."""

    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update(
            {"Content-Length": str(MAX + 1)}, body=b""))
        check_refusal(connection.answer(), 413)

    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update(
            {"Content-Length": str(MAX + 1), "Expect": "100-continue"},
            body=b""))
        answer = connection.answer()
        check_refusal(answer, 413)
        assert answer.interim == []

    assert sandbox.count == 0


def test_too_large_for_nginx_itself(gateway, sandbox):
    running = gateway(location="client_max_body_size  1k;")

    check_refusal(running.update(body=padded(1025)), 413)
    check_refusal(running.update(CHUNKED, chunked(padded(1025), 500)), 413)
    assert sandbox.count == 0
    assert running.update(body=padded(1024)).status == 202


def test_another_largest(gateway, sandbox):
    running = gateway(location="wholesale_max_body  1k;")

    check_refusal(running.update(body=padded(1025)), 413)
    check_refusal(running.update(CHUNKED, chunked(padded(1025), 500)), 413)
    assert sandbox.count == 0
    assert running.update(body=padded(1024)).status == 202


# time

@pytest.mark.parametrize("form", ("nothing", "half", "chunked"))
def test_too_slow(hasty, sandbox, form):
    headers, body = {
        "nothing": ({"Content-Length": "100"}, b""),
        "half": ({"Content-Length": str(len(REFERENCE))}, REFERENCE[:400]),
        "chunked": (CHUNKED, chunked(REFERENCE, 100)[:300]),
    }[form]

    with hasty.connect() as connection:
        start = time.monotonic()
        connection.send(hasty.encode_update(headers, body))
        check_refusal(connection.answer(), 408)
        assert 0.6 < time.monotonic() - start < 5
        assert connection.is_closed()

    assert sandbox.count == 0
    assert hasty.update().status == 202


def test_too_slow_over_http2(hasty, sandbox):
    with hasty.connect_http2() as connection:
        stream = connection.h2.get_next_available_stream_id()
        connection.answers[stream] = None
        connection.h2.send_headers(stream, [
            (":method", "PUT"), (":scheme", "http"),
            (":authority", connection.authority),
            (":path", f"{CUSTOMERS}/{CUSTOMER}"),
            *((name.lower(), value) for name, value
              in hasty.headers({"Host": None}))])
        connection.h2.send_data(stream, REFERENCE[:100])
        connection.flush()
        check_refusal(connection.answer(stream), 408)

        # the connection goes on
        assert connection.request(
            "PUT", f"{CUSTOMERS}/{CUSTOMER}", hasty.headers({"Host": None}),
            REFERENCE).status == 202

    assert sandbox.count == 1


def test_slow_but_not_too_slow(hasty, sandbox):
    with hasty.connect() as connection:
        data = hasty.encode_update()
        head = data[:-len(REFERENCE)]

        # all in all longer than the time-out, which is for a silence
        connection.send(head)
        connection.send_slowly(REFERENCE, size=len(REFERENCE) // 4, pause=0.5)
        check_accepted(connection.answer(), sandbox)


# clients that leave

@pytest.mark.parametrize("form", ("nothing", "half", "chunked"))
def test_a_client_that_leaves(the_gateway, sandbox, form):
    headers, body = {
        "nothing": ({"Content-Length": "100"}, b""),
        "half": ({"Content-Length": str(len(REFERENCE))}, REFERENCE[:400]),
        "chunked": (CHUNKED, chunked(REFERENCE, 100)[:300]),
    }[form]

    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update(headers, body))
        time.sleep(0.05)

    assert the_gateway.update().status == 202
    assert sandbox.count == 1


def test_a_client_that_leaves_a_stream(the_gateway, sandbox):
    with the_gateway.connect_http2() as connection:
        stream = connection.h2.get_next_available_stream_id()
        connection.h2.send_headers(stream, [
            (":method", "PUT"), (":scheme", "http"),
            (":authority", connection.authority),
            (":path", f"{CUSTOMERS}/{CUSTOMER}"),
            *((name.lower(), value) for name, value
              in the_gateway.headers({"Host": None}))])
        connection.h2.send_data(stream, REFERENCE[:100])
        connection.flush()
        time.sleep(0.05)
        connection.reset(stream)

        assert connection.request(
            "PUT", f"{CUSTOMERS}/{CUSTOMER}",
            the_gateway.headers({"Host": None}), REFERENCE).status == 202

    assert sandbox.count == 1


def test_a_client_that_leaves_while_webex_thinks(the_gateway, sandbox):
    sandbox.fail(times=1, delay=0.3)

    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update())
        time.sleep(0.1)

    assert the_gateway.update().status == 202
    assert sandbox.count == 2
