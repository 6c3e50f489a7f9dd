# Copyright (C) The wholesale gateway authors

"""Requests that two servers may read differently, byte for byte: what of them
reaches Webex, and what the client gets."""

import pytest

from gateway import secrets
from gateway.gateway import CUSTOMER, CUSTOMERS, REFERENCE
from gateway.hostile import (
    LAST, TARGET, check_forwarded, check_none, check_one, converse, head,
    seen, whole)
from gateway.http1 import chunked
from gateway.refusal import check_refusal


LENGTH = f"Content-Length: {len(REFERENCE)}"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def underscores(module_gateway):
    return module_gateway(server="underscores_in_headers  on;")


@pytest.fixture(scope="module")
def lenient(module_gateway):
    """As lenient with header fields as nginx can be."""

    return module_gateway(server="underscores_in_headers  on;"
                                 "ignore_invalid_headers  off;")


def smuggled(gateway):
    """An update that nobody is to see, in the body of another request."""

    return whole(gateway, "TrackingID: smuggled")


def check_refused_and_closed(gateway, sandbox, data, *statuses):
    """One refusal, and nothing of what comes after it is read."""

    (answer,), last = converse(gateway, data)

    assert answer.status in statuses
    check_refusal(answer, answer.status)
    assert not last
    check_none(sandbox)


def check_accepted(gateway, sandbox, data, **options):
    """One update is accepted, and the next request is the next request."""

    (answer,), last = converse(gateway, data)

    assert answer.status == 202
    assert last
    check_one(sandbox, **options)


# two framings, or one that is none

@pytest.mark.parametrize("lines", (
    (LENGTH, CHUNKED),
    (CHUNKED, LENGTH),
    ("Content-Length: 0", CHUNKED),
    (CHUNKED, "Content-Length: 0"),
    (CHUNKED, "Content-Length: 5"),
    (LENGTH, LENGTH),
    (LENGTH, "Content-Length: 0"),
    ("Content-Length: 0", LENGTH),
    (CHUNKED, CHUNKED),
    ("Content-Length: 5, 5",),
    ("Content-Length: 5 5",),
    ("Content-Length: +5",),
    ("Content-Length: -0",),
    ("Content-Length: 0x5",),
    ("Content-Length: 5.0",),
    ("Content-Length: 5\t5",),
    ("Content-Length: 99999999999999999999",),
    ("Content-Length: 9223372036854775808",),
    ("Content-Length: \u00b2",),
    ("Content-Length: \x0b5",),
    (f"{LENGTH}\x00",),
    (f"{CHUNKED}\x00",),
    (f"X-Bare: a\r{CHUNKED}",),
    ("Transfer-Encoding : chunked",),
    ("Content-Length : 5",),
    (" Transfer-Encoding: chunked",),
    ("X-Folded: a", f" {CHUNKED}"),
    ("X-Folded: a", f"\t{LENGTH}"),
    (f"{CHUNKED}\r\n x",),
), ids=repr)
def test_framings_that_are_refused(the_gateway, sandbox, lines):
    check_refused_and_closed(
        the_gateway, sandbox,
        head(the_gateway, *lines) + b"0\r\n\r\n" + smuggled(the_gateway), 400)


@pytest.mark.parametrize("coding", (
    "chunked, chunked", "chunked, identity", "identity, chunked",
    "gzip, chunked", "identity", "xchunked", "chunkedx", "chunked;q=1",
    "chunked,", ",chunked", '"chunked"', "\x0bchunked", "chunked\x0c", ""))
def test_codings_that_are_refused(the_gateway, sandbox, coding):
    check_refused_and_closed(
        the_gateway, sandbox,
        head(the_gateway, f"Transfer-Encoding: {coding}") + b"0\r\n\r\n"
        + smuggled(the_gateway), 400, 501)


@pytest.mark.parametrize("line", (
    CHUNKED, "transfer-encoding: CHUNKED", "Transfer-Encoding:chunked",
    "Transfer-Encoding:   chunked  "))
def test_a_coding_that_is_one(the_gateway, sandbox, line):
    check_accepted(the_gateway, sandbox,
                   head(the_gateway, line) + chunked(REFERENCE, 100))


def test_a_coding_that_the_version_does_not_have(the_gateway, sandbox):
    check_refused_and_closed(
        the_gateway, sandbox,
        head(the_gateway, CHUNKED, line=f"PUT {TARGET} HTTP/1.0")
        + chunked(REFERENCE, 100) + smuggled(the_gateway), 400)


@pytest.mark.parametrize("name", ("Transfer_Encoding", "Transfer-Encoding_",
                                  "X-Transfer-Encoding"))
def test_what_looks_like_a_coding(the_gateway, sandbox, name):
    """There is no body then, and what follows is no request."""

    answers, last = converse(
        the_gateway, head(the_gateway, f"{name}: chunked")
        + chunked(REFERENCE, 100) + smuggled(the_gateway))

    assert not last
    assert [answer.status for answer in answers] == [400, 400]
    check_none(sandbox)


@pytest.mark.parametrize("name", (
    "Transfer_Encoding", "transfer_encoding", "Content_Length",
    "Content_Type", "Host_", "Authorization_"))
def test_what_an_upstream_may_take_for_another(the_gateway, sandbox, name):
    """nginx takes it off; "underscores_in_headers" is its user's word for
    it that none does."""

    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, f"{name}: chunked"))


# chunks

@pytest.mark.parametrize("body", (
    b"%x;%b\r\n%b\r\n0\r\n\r\n" % (len(REFERENCE), b"e" * 4000, REFERENCE),
    b"%x;a=\"\\\"b\";c\r\n%b\r\n0;d\r\n\r\n" % (len(REFERENCE), REFERENCE),
    b"%x \t\r\n%b\r\n0\r\n\r\n" % (len(REFERENCE), REFERENCE),
    b"%X\r\n%b\r\n0\r\n\r\n" % (len(REFERENCE), REFERENCE),
    b"%012x\r\n%b\r\n000000\r\n\r\n" % (len(REFERENCE), REFERENCE),
), ids=lambda body: repr(body[:8]))
def test_chunks(the_gateway, sandbox, body):
    check_accepted(the_gateway, sandbox, head(the_gateway, CHUNKED) + body)


def test_chunks_whose_lines_end_with_a_newline_alone(the_gateway, sandbox):
    """Newer nginx refuses them, older takes them for what they look like."""

    answers, last = converse(
        the_gateway, head(the_gateway, CHUNKED)
        + b"%x\n%b\n0\n\n" % (len(REFERENCE), REFERENCE))

    assert len(answers) == 1

    if answers[0].status == 202:
        assert last
        check_one(sandbox)
    else:
        check_refusal(answers[0], 400)
        assert not last
        check_none(sandbox)


@pytest.mark.parametrize("body", (
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"5\rhello\r\n0\r\n\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhellohello\r\n0\r\n\r\n",
    b"5\r\nhello\rX0\r\n\r\n",
    b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"g\r\n\r\n",
    b"ffffffffffffffff\r\nhello",
    b"8000000000000000\r\nhello",
    b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    b"5,5\r\nhello\r\n0\r\n\r\n",
))
def test_chunks_that_are_refused(the_gateway, sandbox, body):
    check_refused_and_closed(
        the_gateway, sandbox,
        head(the_gateway, CHUNKED) + body + smuggled(the_gateway), 400, 413)


@pytest.mark.parametrize("trailers", (
    b"Authorization: Bearer x\r\nX-API-Key: x\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"TrackingID: theirs\r\nHost: elsewhere.example\r\n",
    b"X: " + b"y" * 3000 + b"\r\n",
    b"no field at all\r\n",
))
def test_trailers_stay_here(the_gateway, sandbox, trailers):
    check_accepted(
        the_gateway, sandbox,
        head(the_gateway, CHUNKED) + chunked(REFERENCE, 99)[:-2] + trailers
        + b"\r\n")


# bodies that nobody reads

@pytest.mark.parametrize("status, lines, options", (
    (401, ("X-API-Key: wrong",), {}),
    (403, (), {"tenant": "closed"}),
    (404, (), {"line": "PUT /v1/wholesale/nothing HTTP/1.1"}),
    (405, (), {"line": f"DELETE {TARGET} HTTP/1.1"}),
    (400, (), {"line": f"GET {TARGET} HTTP/1.1"}),
    (415, ("Content-Encoding: gzip",), {}),
    (400, (), {}),
))
@pytest.mark.parametrize("form", ("length", "chunked"))
def test_a_request_in_the_body_of_a_refused_one(the_gateway, sandbox, form,
                                                status, lines, options):
    inner = smuggled(the_gateway)

    if form == "length":
        data = whole(the_gateway, *lines, body=inner, **options)
    else:
        data = head(the_gateway, CHUNKED, *lines, **options) \
            + chunked(inner, 100)

    answers, _ = converse(the_gateway, data)

    assert len(answers) == 1
    check_refusal(answers[0], status)
    check_none(sandbox)


def test_a_request_in_the_body_of_a_limited_one(gateway, sandbox):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "one", "quota": 1, "window": "1d"}]}})
    inner = smuggled(running)

    answers, _ = converse(running, whole(running)
                          + whole(running, body=inner)
                          + head(running, CHUNKED) + chunked(inner, 70))

    # the last one of the conversation is limited as well
    assert [answer.status for answer in answers][:3] == [202, 429, 429]
    assert {answer.status for answer in answers[3:]} <= {429}
    assert len(answers) <= 4
    check_one(sandbox)


@pytest.mark.parametrize("form", ("length", "chunked"))
def test_a_request_in_the_body_of_one_that_is_too_large(the_gateway, sandbox,
                                                        form):
    inner = b"".join(smuggled(the_gateway) for _ in range(100))
    assert len(inner) > 64 * 1024

    data = whole(the_gateway, body=inner) if form == "length" \
        else head(the_gateway, CHUNKED) + chunked(inner, 1000)

    answers, _ = converse(the_gateway, data)

    assert [answer.status for answer in answers] in ([413], [])
    check_none(sandbox)


def test_a_request_where_a_length_ends(the_gateway, sandbox):
    """What is beyond the length is the next request, and that is broken."""

    answers, last = converse(
        the_gateway,
        head(the_gateway, f"Content-Length: {len(REFERENCE)}")
        + REFERENCE + b"x")

    assert not last
    assert [answer.status for answer in answers] == [202, 400]
    check_one(sandbox)


@pytest.mark.parametrize("n", (2, 20))
def test_pipelined(the_gateway, sandbox, n):
    bodies = [REFERENCE + b" " * i for i in range(n)]

    answers, last = converse(the_gateway, b"".join(
        whole(the_gateway, body=body) if i % 2
        else head(the_gateway, CHUNKED) + chunked(body, 300)
        for i, body in enumerate(bodies)))

    assert last
    assert [answer.status for answer in answers] == [202] * n

    for request, body in zip(seen(sandbox), bodies, strict=True):
        check_forwarded(sandbox, request, body=body)


def test_pipelined_among_refusals(the_gateway, sandbox):
    fine, bad = whole(the_gateway), whole(the_gateway, body=b"{}")
    unknown = whole(the_gateway, "X-API-Key: wrong")

    answers, last = converse(the_gateway, fine + bad + unknown + fine + bad)

    assert last
    assert [answer.status for answer in answers] == [202, 400, 401, 202, 400]
    assert len(seen(sandbox)) == 2


# fields

@pytest.mark.parametrize("line", (
    "X-A: a\x00b",
    "X-A: \x00",
    "X\x00-A: b",
    "X-A: a\rb",
    "X-A\r: b",
    " X-A: b",
    "\tX-A: b",
    "X-A : b",
    "X-A\t: b",
    ": b",
    "X A: b",
    "X-A: a\r\n b",
    "X-A: a\r\n\tb",
), ids=repr)
def test_fields_that_are_refused(the_gateway, sandbox, line):
    answers, last = converse(the_gateway, whole(the_gateway, line))

    if answers[0].status == 202:
        # left out, as nginx does with a name that it does not like
        assert last
        check_one(sandbox)
    else:
        assert not last
        check_refusal(answers[0], 400)
        check_none(sandbox)


@pytest.mark.parametrize("line, value", (("X-A", ""), ("X-A: a\r\r", "a")))
def test_fields_that_become_plain(the_gateway, sandbox, line, value):
    check_accepted(the_gateway, sandbox, whole(the_gateway, line),
                   other=[("X-A", value)])


@pytest.mark.parametrize("line", (
    "X-A\x01: b", "X-\xe4: b", "X-A\x7f: b", "X(A): b", "X/A: b", "X@A: b",
    'X"A: b', "{}: b"))
def test_names_that_are_none(lenient, sandbox, line):
    """Even where nginx lets them pass: then as one field, in one line."""

    answers, _ = converse(lenient, whole(lenient, line))

    assert len(answers) == 1

    if answers[0].status == 202:
        request, = seen(sandbox)
        name, _, value = line.partition(": ")
        assert [value for key, value in request.headers if key == name] \
            in ([], [value])
        assert request.raw_body == REFERENCE
    else:
        check_refusal(answers[0], 400)
        check_none(sandbox)


@pytest.mark.parametrize("value", (
    "a\tb", "\xff\xfe", "\x01", "\x7f", "a" * 7000, "a: b", "\"", ""),
    ids=lambda value: repr(value[:9]))
def test_values_go_along_as_they_are(the_gateway, sandbox, value):
    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, f"X-A: {value}"),
                   other=[("X-A", value)])


@pytest.mark.parametrize("name, value, statuses", (
    ("Host", "elsewhere.example", (400,)),
    ("Authorization", "Bearer x", (400, 401)),
    ("Content-Type", "text/plain", (400, 415)),
    ("Content-Encoding", "gzip", (415,))))
def test_doubled(the_gateway, sandbox, name, value, statuses):
    answers, _ = converse(
        the_gateway, whole(the_gateway, f"{name}: {value}",
                           f"{name}: identity"))

    assert len(answers) == 1
    assert answers[0].status in statuses
    check_refusal(answers[0], answers[0].status)
    check_none(sandbox)


def test_a_doubled_tracking_id_is_one(the_gateway, sandbox):
    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, "TrackingID: a", "trackingid: b"))


@pytest.mark.parametrize("named", (
    "authorization", "Authorization, x-none", "host", "content-length",
    "content-type, trackingid", "transfer-encoding", "x-api-key",
    "x-none, , ,authorization", "keep-alive, connection"))
def test_fields_that_connection_names(the_gateway, sandbox, named):
    """They are ours by now, and none of them may be taken off."""

    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, f"Connection: {named}",
                         "TrackingID: mine"))
    assert seen(sandbox)[0].header("TrackingID") == "mine"


@pytest.mark.parametrize("line", (
    "Upgrade: h2c", "Upgrade: websocket", "Upgrade: TLS/1.0, HTTP/1.1",
    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"))
@pytest.mark.parametrize("connection", (
    "Upgrade", "Upgrade, HTTP2-Settings", "keep-alive"))
def test_upgrade(the_gateway, sandbox, line, connection):
    """The connection stays what it is, to the client and to Webex."""

    answers, last = converse(
        the_gateway, whole(the_gateway, line, f"Connection: {connection}"))

    assert [answer.status for answer in answers] == [202]
    assert last
    request, = seen(sandbox)
    assert request.header("Upgrade") is None
    assert request.header("Connection") is None


@pytest.mark.parametrize("expect", (
    "100-continue", "100-Continue", "200-ok", "", "100-continue, 100-continue",
    "x" * 1000))
def test_expect(the_gateway, sandbox, expect):
    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, f"Expect: {expect}"))


@pytest.mark.parametrize("name", (
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
    "x-http-method-override"))
def test_another_method_in_a_field(the_gateway, sandbox, name):
    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, f"{name}: DELETE"))


def test_a_large_value(the_gateway, sandbox):
    value = "a" * 7000

    check_accepted(the_gateway, sandbox, whole(the_gateway, f"X-A: {value}"),
                   other=[("X-A", value)])


def test_a_large_name(the_gateway, sandbox):
    """It may hold a credential's: it stays here."""

    check_accepted(the_gateway, sandbox,
                   whole(the_gateway, f"X-{'a' * 7000}: a"))


@pytest.mark.parametrize("size", (9000, 100000))
@pytest.mark.parametrize("form", (
    "X-A: {}", "X-{}: a", "Authorization: Bearer {}", "X-API-Key: {}",
    "x_api_key: {}", "Proxy-Authorization: {}", "My-Key: {}"))
def test_a_huge_field(the_gateway, sandbox, form, size):
    """What nginx says of it in the log has no secret in it."""

    line = form.format((secrets.make() + "a" * size)
                       if ": {" in form and "X-A:" not in form
                       else "a" * size)

    answers, last = converse(the_gateway, whole(the_gateway, line))

    # the answer may be lost with what was not read
    assert not last
    assert [answer.status for answer in answers] in ([400], [])
    check_none(sandbox)


def test_many_fields(the_gateway, sandbox):
    lines = [f"X-{number}: {number}" for number in range(500)]

    check_accepted(the_gateway, sandbox, whole(the_gateway, *lines),
                   other=[line.split(": ") for line in lines])


def test_too_many_fields(the_gateway, sandbox):
    lines = [f"X-{number}: {number}" for number in range(10000)]
    answers, _ = converse(the_gateway, whole(the_gateway, *lines))

    assert [answer.status for answer in answers] in ([400], [])
    check_none(sandbox)


# lines

@pytest.mark.parametrize("line", (
    f"PUT http://elsewhere.example{TARGET} HTTP/1.1",
    f"PUT https://webexapis.com{TARGET} HTTP/1.1",
    f"PUT HTTP://ELSEWHERE.EXAMPLE:1{TARGET} HTTP/1.1"))
def test_the_absolute_form(the_gateway, sandbox, line):
    """It names another host; whom we call is not for it to say."""

    check_accepted(the_gateway, sandbox, whole(the_gateway, line=line))


@pytest.mark.parametrize("target", (
    f"{CUSTOMERS}/../customers/{CUSTOMER}",
    f"{CUSTOMERS}/%2e%2e/customers/{CUSTOMER}",
    f"{CUSTOMERS}/.%2E/customers/{CUSTOMER}",
    f"{CUSTOMERS}/./{CUSTOMER}",
    f"{CUSTOMERS}//{CUSTOMER}",
    f"//v1/wholesale/customers/{CUSTOMER}",
    f"/v1/wholesale/../wholesale/customers/{CUSTOMER}",
    f"/v1/%77holesale/customers/{CUSTOMER}",
    f"/v1/wholesale%2fcustomers/{CUSTOMER}",
    f"{CUSTOMERS}%2F{CUSTOMER}",
    f"{CUSTOMERS};a=b/{CUSTOMER}",
    f"{CUSTOMERS}/{CUSTOMER};a=b",
    f"{CUSTOMERS}/;/{CUSTOMER}",
    f"{CUSTOMERS}/{CUSTOMER}#fragment",
    f"{CUSTOMERS}/{CUSTOMER}?a#b",
    f"{CUSTOMERS}/{CUSTOMER}%23",
    f"{CUSTOMERS}/{CUSTOMER}%3fa=b",
    f"{CUSTOMERS}/{CUSTOMER}%252f",
    f"{CUSTOMERS}/{CUSTOMER}%c0%af",
    f"{CUSTOMERS}/{CUSTOMER}\\..\\x",
    f"{CUSTOMERS}/{CUSTOMER}\xff",
    f"http://x/y/../v1/wholesale/customers/{CUSTOMER}",
    f"{CUSTOMERS}/validate"))
def test_targets_that_are_refused(the_gateway, sandbox, target):
    answers, last = converse(the_gateway, whole(
        the_gateway, line=f"PUT {target} HTTP/1.1"))

    assert len(answers) == 1
    assert answers[0].status == 404
    check_none(sandbox)


@pytest.mark.parametrize("line", (
    "PUT * HTTP/1.1",
    f"PUT {CUSTOMER} HTTP/1.1",
    f"PUT elsewhere.example:443 HTTP/1.1",
    f"CONNECT elsewhere.example:443 HTTP/1.1",
    f"PUT {TARGET}\x00 HTTP/1.1",
    f"PUT {TARGET}\rX HTTP/1.1",
    f"PUT {TARGET} HTTP/1.1\rX",
    f"PUT {TARGET} HTTP/2.0",
    f"PUT {TARGET} HTTP/11.1",
    f"PUT {TARGET} HTTP/1.1x",
    f"PUT {TARGET} HTTP/1.1 HTTP/1.1",
    f"PUT {TARGET} x HTTP/1.1",
    f"PUT\t{TARGET} HTTP/1.1",
    f"put {TARGET} HTTP/1.1",
    f"PUT {TARGET}%",
    f"PUT {TARGET}%zz HTTP/1.1",
    f"PUT {CUSTOMERS}/../../../../{CUSTOMER} HTTP/1.1",
    "\x16\x03\x01\x02\x00\x01",
    "PRI * HTTP/2.0"), ids=repr)
def test_lines_that_are_none(the_gateway, sandbox, line):
    answers, last = converse(the_gateway, whole(the_gateway, line=line)
                             + smuggled(the_gateway))

    assert not last
    assert [answer.status for answer in answers] in ([400], [405], [505], [])
    check_none(sandbox)


def test_without_a_version(the_gateway, sandbox):
    """HTTP/0.9 has no fields, hence no key."""

    with the_gateway.connect() as connection:
        connection.send(f"GET {TARGET}\r\n".encode())
        connection.socket.settimeout(5)
        text = connection.read_all()

    assert b'"status":401' in text.replace(b" ", b"")
    check_none(sandbox)


@pytest.mark.parametrize("before", (b"\r\n", b"\r\n\r\n\r\n", b"\n"))
def test_empty_lines_before(the_gateway, sandbox, before):
    check_accepted(the_gateway, sandbox, before + whole(the_gateway))


def test_lines_that_end_with_a_newline_alone(the_gateway, sandbox):
    data = head(the_gateway, LENGTH).replace(b"\r\n", b"\n") + REFERENCE
    check_accepted(the_gateway, sandbox, data)


# where the answer says that Webex is

@pytest.mark.parametrize("host", (
    'a"b', "a\\b", "<script>", "a'b", "x,y", "user@host", "a%22b", "\xe4"))
def test_a_host_that_breaks_out(the_gateway, sandbox, host):
    data = whole(the_gateway).replace(
        f"Host: 127.0.0.1:{the_gateway.port}".encode(),
        f"Host: {host}".encode("latin-1"), 1)

    answers, _ = converse(the_gateway, data)

    assert len(answers) == 1

    if answers[0].status == 202:
        assert answers[0].json == {"url": f"{the_gateway.origin}{TARGET}"}
        check_one(sandbox)
    else:
        check_refusal(answers[0], 400)
        check_none(sandbox)


def test_what_a_reused_connection_to_webex_carries(the_gateway, sandbox):
    """However broken the clients were, one update is one request to Webex,
    and its answer is that client's."""

    for data in (whole(the_gateway),
                 head(the_gateway, CHUNKED) + b"5\r\nhel",
                 whole(the_gateway, body=b"[]"),
                 head(the_gateway, LENGTH) + REFERENCE[:-1],
                 head(the_gateway, CHUNKED) + chunked(REFERENCE, 7)):
        with the_gateway.connect() as connection:
            connection.send(data)

            if not data.endswith((b"hel", REFERENCE[:-1])):
                connection.answer("PUT")

    answer, = converse(the_gateway, whole(the_gateway, "TrackingID: mine"))[0]

    assert answer.status == 202
    assert answer.header("trackingid") == "mine"
    assert len(seen(sandbox)) == 3

    for request in seen(sandbox):
        check_forwarded(sandbox, request)
