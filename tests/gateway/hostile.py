# Copyright (C) The wholesale gateway authors

"""What a hostile client sends, and what may come of it at Webex."""

import contextlib

from gateway import secrets
from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE


TARGET = f"{CUSTOMERS}/{CUSTOMER}"

# of what a client sends, these alone may be sent on, beside fields that are
# nobody's concern, which begin with "x-"
OURS = {"host", "authorization", "trackingid", "content-type",
        "content-length"}

# ends a conversation: whoever reads its answer has read all of them
LAST = "last"


def head(gateway, *lines, line=f"PUT {TARGET} HTTP/1.1", tenant="acme"):
    """A request's head of exactly these lines, after the usual three."""

    usual = (line, f"Host: 127.0.0.1:{gateway.port}",
             f"Authorization: Bearer {gateway.keys[tenant]}",
             "Content-Type: application/json")

    return b"".join(text.encode("latin-1") + b"\r\n"
                    for text in (*usual, *lines)) + b"\r\n"


def whole(gateway, *lines, body=REFERENCE, **options):
    """The same with a body and its length."""

    return head(gateway, *lines, f"Content-Length: {len(body)}",
                **options) + body


def converse(gateway, data, more=True):
    """Sends the bytes, and then, if there is to be "more", a last request
    that is fine; returns the answers, and whether the last was among them.

    It ends when the gateway closes the connection: it must, at the latest
    after the last request.
    """

    if more:
        data += head(gateway, f"TrackingID: {LAST}", "Connection: close",
                     line=f"GET {TARGET} HTTP/1.1")

    answers = []

    with gateway.connect() as connection:
        # it may be closed already
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.send(data)

        with contextlib.suppress(EOFError):
            while True:
                answers.append(connection.answer("PUT"))

    last = bool(answers) and answers[-1].header("trackingid") == LAST

    return (answers[:-1] if last else answers), last


def seen(sandbox):
    """What reached Webex, but for the last request of a conversation."""

    return [request for request in sandbox.requests
            if request.header("TrackingID") != LAST]


def check_forwarded(sandbox, request, body=REFERENCE, target=TARGET,
                    other=()):
    """It is one update, ours to the last byte: no field of the client's but
    "other", no credential but our token, and one framing."""

    assert (request.method, request.target) == ("PUT", target)
    assert request.version == "HTTP/1.1"
    assert request.complete
    assert request.raw_body == body

    names = [name.lower() for name, _ in request.headers]
    assert sorted(names) == sorted(OURS | {name.lower() for name, _ in other})

    token = sandbox.read_secret("access_token")
    assert request.header("Authorization") == f"Bearer {token}"
    assert request.header("Host") == "webexapis.com"
    assert request.header("Content-Length") == str(len(body))

    for name, value in other:
        assert request.header(name) == value

    assert secrets.MARK.encode() \
        not in request.bytes.replace(token.encode(), b"")


def check_one(sandbox, **options):
    """Exactly one update has reached Webex, as it should be."""

    request, = seen(sandbox)
    check_forwarded(sandbox, request, **options)


def check_none(sandbox):
    assert seen(sandbox) == []
