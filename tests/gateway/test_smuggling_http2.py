# Copyright (C) The wholesale gateway authors

"""HTTP/2 requests that no HTTP/2 client sends: what of them reaches Webex,
where they are HTTP/1.1, and what the client gets."""

import h2.errors
import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.hostile import (
    LAST, TARGET, check_forwarded, check_none, check_one, seen)
from gateway.refusal import check_refusal


# where a connection or a stream was ended without an answer
ENDED = None

INJECTED = "\r\nX-Injected: yes\r\n\r\nGET / HTTP/1.1\r\n"


@pytest.fixture(scope="module")
def lenient(module_gateway):
    """As lenient with header fields as nginx can be."""

    return module_gateway(server="underscores_in_headers  on;"
                                 "ignore_invalid_headers  off;")


def pseudo(**values):
    """The pseudo-headers of an update; None takes one away."""

    fields = {"method": "PUT", "scheme": "http",
              "authority": "gateway.example", "path": TARGET, **values}

    return [(f":{name}", value) for name, value in fields.items()
            if value is not None]


def credentials(gateway, tenant="acme"):
    return [("authorization", f"Bearer {gateway.keys[tenant]}"),
            ("content-type", "application/json")]


def ask(connection, fields, *frames, end=True):
    """Sends a stream of exactly these fields and DATA frames; its status and
    answer, or ENDED."""

    stream = connection.h2.get_next_available_stream_id()
    connection.answers[stream] = None

    try:
        connection.h2.send_headers(stream, fields,
                                   end_stream=end and not frames)

        for number, frame in enumerate(frames, 1):
            connection.h2.send_data(
                stream, frame, end_stream=end and number == len(frames))

        connection.flush()
        answer = connection.answer(stream)

    except (EOFError, ConnectionError):
        return ENDED, None

    return (ENDED, None) if answer is None else (answer.status, answer)


def check(gateway, sandbox, fields, *frames, statuses, **options):
    """One request; with 202 among the statuses it may be accepted, and then
    is one update at Webex.  The gateway serves others afterwards."""

    with gateway.connect_http2() as connection:
        status, answer = ask(connection, fields, *frames, **options)

    assert status in statuses

    if status == 202:
        check_one(sandbox)
    else:
        check_none(sandbox)

        if status is not ENDED:
            check_refusal(answer, status)

    with gateway.connect_http2() as connection:
        status, _ = ask(connection, pseudo() + [
            *credentials(gateway), ("trackingid", LAST)], REFERENCE)

    assert status == 202
    return answer


# pseudo-headers

@pytest.mark.parametrize("fields", (
    pseudo(method=None),
    pseudo(path=None),
    pseudo(scheme=None),
    pseudo() + [(":method", "GET")],
    pseudo() + [(":path", "/elsewhere")],
    pseudo() + [(":scheme", "https")],
    pseudo() + [(":authority", "elsewhere.example")],
    pseudo() + [(":status", "200")],
    pseudo() + [(":protocol", "websocket")],
    pseudo() + [(":unknown", "x")],
    pseudo() + [(":", "x")],
    pseudo(method=""),
    pseudo(path=""),
    pseudo(scheme=""),
    pseudo(scheme="ht tp"),
    pseudo(method="PUT /x HTTP/1.1\r\nHost: y"),
    pseudo(method="P\x00UT"),
    pseudo(method="P UT"),
    pseudo(path=TARGET + " HTTP/1.1" + INJECTED),
    pseudo(path=TARGET + "\r\nX-Injected: yes"),
    pseudo(path=TARGET + "\n"),
    pseudo(path=TARGET + "\x00"),
    pseudo(authority="a b"),
    pseudo(authority="a" + INJECTED),
    pseudo(authority="a\x00b"),
), ids=repr)
def test_that_are_refused(the_gateway, sandbox, fields):
    check(the_gateway, sandbox, fields + credentials(the_gateway), REFERENCE,
          statuses=(400, ENDED))


@pytest.mark.parametrize("path", (
    "*", CUSTOMER, f"http://elsewhere.example{TARGET}", f"{TARGET} x",
    f"//{TARGET}", f"{TARGET}#x", f"{TARGET};x", f"{TARGET}%00",
    f"{CUSTOMERS}/../customers/{CUSTOMER}", f"{CUSTOMERS}/%2e/{CUSTOMER}",
    f"{CUSTOMERS}%2f{CUSTOMER}", f"{TARGET}%0d%0aX-Injected:%20yes"))
def test_paths_that_are_refused(the_gateway, sandbox, path):
    check(the_gateway, sandbox,
          pseudo(path=path) + credentials(the_gateway), REFERENCE,
          statuses=(400, 404, ENDED))


@pytest.mark.parametrize("method", ("put", "DELETE", "CONNECT", "PUTX",
                                    "TRACE"))
def test_methods_that_are_refused(the_gateway, sandbox, method):
    check(the_gateway, sandbox,
          pseudo(method=method) + credentials(the_gateway), REFERENCE,
          statuses=(400, 405, ENDED))


@pytest.mark.parametrize("name", (":method", ":path", ":authority"))
def test_after_a_field(the_gateway, sandbox, name):
    """nginx does not mind the order, and each comes once all the same."""

    first = [field for field in pseudo() if field[0] != name]
    late = [field for field in pseudo() if field[0] == name]

    check(the_gateway, sandbox, first + credentials(the_gateway) + late,
          REFERENCE, statuses=(202, 400, ENDED))


@pytest.mark.parametrize("authority, host", (
    (None, "gateway.example"), ("gateway.example", "elsewhere.example"),
    ("elsewhere.example", "gateway.example"), (None, None)))
def test_whom_the_client_calls(the_gateway, sandbox, authority, host):
    """Whom we call is not for it to say."""

    fields = pseudo(authority=authority) + credentials(the_gateway)

    if host is not None:
        fields.append(("host", host))

    answer = check(the_gateway, sandbox, fields, REFERENCE,
                   statuses=(202, 400, ENDED))

    if answer is not None and answer.status == 202:
        assert answer.json["url"].endswith(f".example{TARGET}")


@pytest.mark.parametrize("scheme", ("https", "ftp", "HTTP"))
def test_schemes(the_gateway, sandbox, scheme):
    """What the client says of it is not what it is."""

    answer = check(the_gateway, sandbox,
                   pseudo(scheme=scheme) + credentials(the_gateway),
                   REFERENCE, statuses=(202, 400, ENDED))

    if answer is not None and answer.status == 202:
        assert answer.json == {"url": f"http://gateway.example{TARGET}"}


# fields

@pytest.mark.parametrize("name, value", (
    ("x-a", "a\r\nX-Injected: yes"), ("x-a", "a" + INJECTED), ("x-a", "a\nb"),
    ("x-a", "a\rb"), ("x-a", "a\x00b"),
    ("x-a\r\nX-Injected", "yes"), ("x-a\n", "b"), ("x-a\x00", "b"),
    ("x-a: b\r\nX-Injected", "yes"), ("x a", "b"), ("x:a", "b"),
    ("transfer-encoding : chunked\r\nx", "b"), ("", "b"), ("X-A", "b"),
    ("Authorization", "x"), ("TRANSFER-ENCODING", "chunked")), ids=repr)
@pytest.mark.parametrize("name_of_gateway", ("the_gateway", "lenient"))
def test_fields_that_would_be_two(request, sandbox, name_of_gateway, name,
                                  value):
    """Refused, or left out; never a line of their own."""

    gateway = request.getfixturevalue(name_of_gateway)

    with gateway.connect_http2() as connection:
        status, _ = ask(
            connection, pseudo() + credentials(gateway) + [(name, value)],
            REFERENCE)

    assert status in (202, 400, 401, ENDED)
    assert len(seen(sandbox)) == (1 if status == 202 else 0)

    for update in seen(sandbox):
        assert update.raw_body == REFERENCE
        assert update.header("X-Injected") is None
        assert update.header("Transfer-Encoding") is None
        assert b"\0" not in update.head


@pytest.mark.parametrize("name, value", (
    ("connection", "authorization"), ("connection", "close"),
    ("proxy-connection", "keep-alive"), ("keep-alive", "timeout=5"),
    ("upgrade", "websocket"), ("te", "trailers"), ("te", "gzip"),
    ("expect", "100-continue"), ("transfer-encoding", "chunked"),
    ("transfer-encoding", "identity"), ("http2-settings", "AAMAAABkAAQ"),
    ("x-http-method-override", "DELETE"), ("transfer_encoding", "chunked"),
    ("x-api-key", ""), ("trackingid", "a, b")))
def test_fields_of_another_protocol(the_gateway, sandbox, name, value):
    """Refused, or it goes no further."""

    with the_gateway.connect_http2() as connection:
        status, _ = ask(
            connection, pseudo() + credentials(the_gateway) + [(name, value)],
            REFERENCE)

    if status == 202:
        update, = seen(sandbox)

        if name == "http2-settings":
            assert update.header("Connection") is None
            assert update.raw_body == REFERENCE
        else:
            check_forwarded(sandbox, update)
    else:
        assert status in (400, 401, 501, ENDED)
        check_none(sandbox)


def test_a_cookie_in_crumbs(the_gateway, sandbox):
    with the_gateway.connect_http2() as connection:
        status, _ = ask(
            connection, pseudo() + credentials(the_gateway)
            + [("cookie", "a=b"), ("cookie", "c=d")], REFERENCE)

    assert status == 202
    assert len(seen(sandbox)) == 1
    assert len(seen(sandbox)[0].all("Cookie")) <= 1


# bodies

@pytest.mark.parametrize("length, frames", (
    (len(REFERENCE) - 1, (REFERENCE,)),
    (len(REFERENCE) + 1, (REFERENCE,)),
    (len(REFERENCE) + 5, (REFERENCE, b"")),
    (5, (REFERENCE[:5], REFERENCE[5:])),
    (0, (REFERENCE,)),
    (0, ()),
    (len(REFERENCE), ()),
    ("x", (REFERENCE,)),
    ("-1", (REFERENCE,)),
    ("", (REFERENCE,)),
    (f"{len(REFERENCE)}, {len(REFERENCE)}", (REFERENCE,)),
), ids=lambda value: repr(value)[:20])
def test_lengths_that_are_wrong(the_gateway, sandbox, length, frames):
    check(the_gateway, sandbox,
          pseudo() + credentials(the_gateway)
          + [("content-length", str(length))],
          *frames, statuses=(400, ENDED))


def test_two_lengths(the_gateway, sandbox):
    check(the_gateway, sandbox,
          pseudo() + credentials(the_gateway)
          + [("content-length", str(len(REFERENCE))),
             ("content-length", "5")],
          REFERENCE, statuses=(400, ENDED))


@pytest.mark.parametrize("frames", (
    (b"", REFERENCE), (REFERENCE, b""), (b"", b"", REFERENCE[:1], b"",
                                         REFERENCE[1:])))
def test_empty_frames(the_gateway, sandbox, frames):
    check(the_gateway, sandbox, pseudo() + credentials(the_gateway), *frames,
          statuses=(202,))


def test_an_http1_request_in_a_body(the_gateway, sandbox):
    """The length to Webex is that of the frames, whatever is in them."""

    body = REFERENCE + b" " * 10
    inner = f"PUT {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    with the_gateway.connect_http2() as connection:
        assert ask(connection, pseudo() + credentials(the_gateway),
                       REFERENCE, inner)[0] == 400
        assert ask(connection, pseudo() + credentials(the_gateway),
                       body)[0] == 202

    check_one(sandbox, body=body)


def test_trailers(the_gateway, sandbox):
    """nginx has no place for them."""

    with the_gateway.connect_http2() as connection:
        stream = connection.h2.get_next_available_stream_id()
        connection.answers[stream] = None

        connection.h2.send_headers(stream,
                                   pseudo() + credentials(the_gateway))
        connection.h2.send_data(stream, REFERENCE)
        connection.h2.send_headers(stream, [
            ("authorization", "Bearer x"), ("x-injected", "yes"),
            ("content-length", "5")], end_stream=True)

        try:
            connection.flush()
            status = connection.answer(stream).status
        except (EOFError, ConnectionError, AttributeError):
            status = ENDED

    assert status in (202, 400, ENDED)

    if status == 202:
        check_one(sandbox)
    else:
        check_none(sandbox)


def test_many_streams_that_are_reset(the_gateway, sandbox):
    """None of them hangs, and those who go on are served."""

    with the_gateway.connect_http2() as connection:
        for _ in range(100):
            stream = connection.h2.get_next_available_stream_id()
            connection.answers[stream] = None
            connection.h2.send_headers(stream,
                                       pseudo() + credentials(the_gateway))
            connection.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)

        connection.flush()

    check(the_gateway, sandbox, pseudo() + credentials(the_gateway),
          REFERENCE, statuses=(202,))


def test_many_fields(the_gateway, sandbox):
    other = [(f"x-{number}", str(number)) for number in range(300)]

    with the_gateway.connect_http2() as connection:
        assert ask(connection, pseudo() + credentials(the_gateway)
                       + other, REFERENCE)[0] == 202

    check_one(sandbox, other=other)


def test_too_many_fields(the_gateway, sandbox):
    check(the_gateway, sandbox,
          pseudo() + credentials(the_gateway)
          + [(f"x-{number}", "x" * 100) for number in range(600)],
          REFERENCE, statuses=(400, 431, ENDED))


def test_a_field_that_is_referred_to(the_gateway, sandbox):
    """HPACK's table is the connection's: a key in it is not another's."""

    with the_gateway.connect_http2() as connection:
        assert ask(connection, pseudo() + credentials(the_gateway),
                       REFERENCE)[0] == 202
        assert ask(connection, pseudo()
                       + [("content-type", "application/json")],
                       REFERENCE)[0] == 401

    check_one(sandbox)
