# Copyright (C) The wholesale gateway authors

"""Step 8: what Webex gets is ours, but for the body, which is the client's."""

import re

import pytest

from gateway import secrets
from gateway.gateway import REFERENCE
from gateway.http1 import chunked
from gateway.refusal import OUR_TRACKING_ID


@pytest.fixture(scope="module")
def underscores(module_gateway):
    return module_gateway(server="underscores_in_headers  on;")


def check_forwarded(sandbox, answer):
    """Our token, once, and no secret of the client's."""

    assert answer.status == 202, answer

    request = sandbox.only_request
    token = sandbox.read_secret("access_token")

    assert request.all("Authorization") == [f"Bearer {token}"]
    check_no_secret(request, token)
    return request


def check_no_secret(request, token):
    """None but our token."""

    rest = request.bytes.replace(token.encode(), b"")
    assert secrets.MARK.encode() not in rest


def test_the_reference_update(the_gateway, sandbox):
    request = check_forwarded(sandbox, the_gateway.update())

    assert request.body == request.raw_body == REFERENCE
    assert request.header("Content-Length") == str(len(REFERENCE))
    assert request.header("Transfer-Encoding") is None
    assert request.header("Content-Type") == "application/json"
    assert request.header("Host") == "webexapis.com"
    assert request.version == "HTTP/1.1"


def test_by_api_key(the_gateway, sandbox):
    key = the_gateway.keys["acme"]
    request = check_forwarded(sandbox, the_gateway.update(
        {"Authorization": None, "X-API-Key": key}))

    assert request.header("X-API-Key") is None


def test_over_http2(the_gateway, sandbox):
    check_forwarded(sandbox, the_gateway.update_http2())


def test_a_get(the_gateway, sandbox):
    assert the_gateway.get().status == 200

    request = sandbox.only_request
    token = sandbox.read_secret("access_token")
    assert request.all("Authorization") == [f"Bearer {token}"]
    assert request.raw_body == b""
    check_no_secret(request, token)


@pytest.mark.parametrize("name", (
    "X-API-Key", "x-api-key", "X-Api-Key", "Proxy-Authorization",
    "PROXY-AUTHORIZATION"))
def test_the_same_key_again(the_gateway, sandbox, name):
    request = check_forwarded(sandbox, the_gateway.update(
        {name: the_gateway.keys["acme"]}))

    assert request.header(name) is None


@pytest.mark.parametrize("name", (
    "X_API_Key", "X-API_Key", "x_api-key", "Proxy_Authorization",
    "PROXY_AUTHORIZATION", "Proxy-Authorization"))
def test_underscores(underscores, sandbox, name):
    """Some servers take "_" for "-"."""

    secret = secrets.make()
    answer = underscores.update({name: secret})

    assert answer.status in (202, 401)
    for request in sandbox.requests:
        check_no_secret(request, sandbox.read_secret("access_token"))

    # and what they do not take off is on its own feet
    sandbox.clear()
    check_forwarded(sandbox, underscores.update())


@pytest.mark.parametrize("name", (
    "Authorization", "X-API-Key", "Proxy-Authorization", "X_API_Key",
    "Proxy_Authorization"))
@pytest.mark.parametrize("count", (2, 3, 40))
def test_doubled(underscores, sandbox, name, count):
    """However it is answered, none goes along."""

    key = underscores.keys["acme"]
    value = f"Bearer {key}" if name == "Authorization" else key
    answer = underscores.update([
        ("Authorization", None if name == "X-API-Key" else f"Bearer {key}"),
        *[(name, value)] * count])

    assert answer.status in (202, 400, 401)
    for request in sandbox.requests:
        check_no_secret(request, sandbox.read_secret("access_token"))


@pytest.mark.parametrize("case", (
    "authorization", "AUTHORIZATION", "aUTHORIZATION"))
def test_case(the_gateway, sandbox, case):
    key = the_gateway.keys["acme"]

    check_forwarded(sandbox, the_gateway.update(
        {case: f"bEARER {key}"}))


@pytest.mark.parametrize("value", (
    "authorization", "close, authorization", "Authorization, TrackingID",
    "keep-alive, content-length, content-type", "x-api-key"))
def test_connection_cannot_remove_ours(the_gateway, sandbox, value):
    request = check_forwarded(sandbox, the_gateway.update(
        {"Connection": value, "TrackingID": "mine"}))

    assert request.header("TrackingID") == "mine"
    assert request.header("Content-Type") == "application/json"
    assert request.body == REFERENCE
    assert (request.header("Connection") or "") in ("", "keep-alive")


@pytest.mark.parametrize("name, value", (
    ("Upgrade", "h2c"), ("TE", "trailers"), ("Expect", "100-continue"),
    ("Keep-Alive", "timeout=5"), ("Trailer", "X-API-Key")))
def test_hop_by_hop_fields_stay_here(the_gateway, sandbox, name,
                                     value):
    request = check_forwarded(sandbox, the_gateway.update(
        {name: value, "Connection": f"{name}, keep-alive"}))

    assert request.header(name) is None


@pytest.mark.parametrize("value", (
    "a", "ROUTERGW_52cf576d-60a8-407a-b22c-467c51591908", "x" * 128, "A-_9"))
def test_a_tracking_id_is_kept(the_gateway, sandbox, value):
    answer = the_gateway.update({"TrackingID": value})
    request = check_forwarded(sandbox, answer)

    assert request.all("TrackingID") == [value]
    assert answer.header("trackingid") == value


@pytest.mark.parametrize("value", (
    None, "", "x" * 129, "a b", "a,b", "a;b", "\xe4", "<script>", "a\x01"))
def test_a_tracking_id_is_made(the_gateway, sandbox, value):
    answer = the_gateway.update({"TrackingID": value})
    request = check_forwarded(sandbox, answer)

    # exactly one, whatever came
    made, = request.all("TrackingID")
    assert OUR_TRACKING_ID.fullmatch(made)
    assert answer.header("trackingid") == made


def test_two_tracking_ids(underscores, sandbox):
    request = check_forwarded(sandbox, underscores.update(
        [("TrackingID", "one"), ("trackingid", "two")]))

    value, = request.all("TrackingID")
    assert value == "one" or OUR_TRACKING_ID.fullmatch(value)


def test_made_tracking_ids_differ(the_gateway, sandbox):
    for _ in range(50):
        the_gateway.update()

    values = {request.header("TrackingID") for request in sandbox.requests}
    assert len(values) == 50


def test_the_framing_is_ours(the_gateway, sandbox):
    request = check_forwarded(sandbox, the_gateway.update(
        {"Transfer-Encoding": "chunked", "Expect": "100-continue",
         "Trailer": "x"}, chunked(REFERENCE, 10)))

    assert request.header("Content-Length") == str(len(REFERENCE))
    assert request.raw_body == REFERENCE


@pytest.mark.parametrize("body", (
    b'{"packages":["webex_calling"],"n":12345678901234567890123.10e2}',
    b'\r\n{ "packages" :\t[ "webex_calling" ] ,"x":"\\u0041\\/\\u00e4" }\n ',
    '{"packages":["webex_calling"],"x":"äß€😀"}'.encode()))
def test_the_bytes_are_the_clients(the_gateway, sandbox, body):
    request = check_forwarded(sandbox, the_gateway.update(body=body))
    assert request.raw_body == body


def test_other_fields_go_along(the_gateway, sandbox):
    request = check_forwarded(sandbox, the_gateway.update(
        {"User-Agent": "sdk/1.0", "X-Custom": "kept", "Accept": "*/*"}))

    assert request.header("User-Agent") == "sdk/1.0"
    assert request.header("X-Custom") == "kept"
    assert request.header("Accept") == "*/*"


def test_no_field_comes_twice(the_gateway, sandbox):
    request = check_forwarded(sandbox, the_gateway.update(
        {"TrackingID": "mine", "X-API-Key": the_gateway.keys["acme"],
         "Accept-Encoding": "gzip", "Expect": "100-continue",
         "User-Agent": "x", "Connection": "keep-alive"}))

    names = [name.lower() for name, _ in request.headers]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[\x20-\x7e]*", value)
               for _, value in request.headers)
