# Copyright (C) The wholesale gateway authors

"""The stand-in stands in: what the gateway's tests rely on."""

import gzip
import http.client
import json
import socket
import ssl
import time
import urllib.parse

import pytest

from sandbox.client import Sandbox


ORIGIN = "https://webexapis.com"
UPDATE = {"packages": ["webex_calling"]}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    sandbox = Sandbox.start(tmp_path_factory.mktemp("sandbox"),
                            "--update-seconds", "0.2")
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(running):
    running.reset()
    return running


def path(sandbox, id=None):
    return f"/v1/wholesale/customers/{id or sandbox.customer}"


def call(sandbox, method, path, document=None, token=None, **headers):
    """Returns the answer, with the body as "content"."""

    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, 10)
    token = token or sandbox.read_secret("access_token")

    headers = {"Authorization": f"Bearer {token}", **headers}
    body = None

    if document is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(document)

    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.content = answer.read()
    connection.close()
    return answer


def refresh(sandbox, **members):
    form = {"grant_type": "refresh_token", "client_id": sandbox.client_id,
            "client_secret": sandbox.read_secret("client_secret"),
            "refresh_token": sandbox.read_secret("refresh_token"), **members}

    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, 10)
    connection.request(
        "POST", "/v1/access_token", urllib.parse.urlencode(form),
        {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    answer.content = json.loads(answer.read())
    connection.close()
    return answer


def check_error(answer, status):
    document = json.loads(answer.content)

    assert answer.status == status
    assert answer.getheader("Content-Type").startswith("application/json")
    assert document["message"]
    assert document["errors"][0]["description"]
    assert document["trackingId"] == answer.getheader("trackingid")
    return document


def test_an_update_is_a_background_task(sandbox):
    answer = call(sandbox, "PUT", path(sandbox), UPDATE)
    url = ORIGIN + path(sandbox)

    assert answer.status == 202
    assert answer.getheader("Location") == url
    assert json.loads(answer.content) == {"url": url}

    customer = json.loads(call(sandbox, "GET", path(sandbox)).content)
    assert customer["status"] == "updating"

    time.sleep(0.25)
    customer = json.loads(call(sandbox, "GET", path(sandbox)).content)
    assert customer["status"] == "provisioned"
    assert [package["name"] for package in customer["packages"]] \
        == ["webex_calling"]


def test_head_is_get_without_a_body(sandbox):
    get = call(sandbox, "GET", path(sandbox), TrackingID="one")
    head = call(sandbox, "HEAD", path(sandbox), TrackingID="one")

    assert head.status == 200
    assert head.content == b""
    assert head.getheaders() == get.getheaders()


@pytest.mark.parametrize("method", ("GET", "PUT"))
def test_an_unknown_customer(sandbox, method):
    answer = call(sandbox, method, path(sandbox, "unknown"),
                  UPDATE if method == "PUT" else None)
    check_error(answer, 404)

    sandbox.add_customer("unknown")
    assert call(sandbox, "GET", path(sandbox, "unknown")).status == 200


def test_any_customer(sandbox):
    sandbox.set(any_customer=True)
    assert call(sandbox, "PUT", path(sandbox, "new"), UPDATE).status == 202
    assert "new" in sandbox.customers


def test_packages_are_mandatory(sandbox):
    document = check_error(call(sandbox, "PUT", path(sandbox), {}), 400)
    assert document["errors"][0]["errorCode"] == 1001


def test_a_method_that_is_not_there(sandbox):
    answer = call(sandbox, "PATCH", path(sandbox), UPDATE)
    check_error(answer, 405)
    assert answer.getheader("Allow") == "GET, PUT, DELETE"


def test_lists_page_by_link(sandbox):
    for number in range(4):
        sandbox.add_customer(f"customer{number}")

    target = "/v1/wholesale/customers?max=2"
    seen = []

    while target is not None:
        answer = call(sandbox, "GET", target)
        seen += [item["id"] for item in json.loads(answer.content)["items"]]
        link = answer.getheader("Link")
        target = None

        if link is not None:
            url, relation = link.split("; ")
            assert relation == 'rel="next"'
            assert url.startswith(f"<{ORIGIN}/v1/wholesale/customers?")
            target = url[1 + len(ORIGIN):-1]

    assert seen == list(sandbox.customers) and len(seen) == 5


@pytest.mark.parametrize("kind, status", (("subscribers", 200),
                                          ("billing/reports", 405)))
def test_the_calls_beside_it(sandbox, kind, status):
    prefix = f"/v1/wholesale/{kind}"
    answer = call(sandbox, "POST", prefix, {"customerId": sandbox.customer})
    one = answer.getheader("Location").removeprefix(ORIGIN)

    assert answer.status == 201
    assert json.loads(call(sandbox, "GET", one).content)["customerId"] \
        == sandbox.customer
    assert len(json.loads(call(sandbox, "GET", prefix).content)["items"]) == 1
    assert call(sandbox, "PUT", one, {"package": "x"}).status == status
    assert call(sandbox, "DELETE", one).status == 204
    assert call(sandbox, "GET", one).status == 404


def test_a_wrong_token(sandbox):
    check_error(call(sandbox, "PUT", path(sandbox), UPDATE, token="wrong"),
                401)


def test_tokens_expire(sandbox):
    sandbox.add_token("short", seconds=0.2)
    assert call(sandbox, "GET", path(sandbox), token="short").status == 200
    time.sleep(0.25)
    assert call(sandbox, "GET", path(sandbox), token="short").status == 401

    sandbox.expire_tokens()
    assert call(sandbox, "GET", path(sandbox)).status == 401


def test_the_token_endpoint(sandbox):
    sandbox.set(access_token_seconds=1000, refresh_token_seconds=2000)
    answer = refresh(sandbox)

    assert answer.status == 200
    assert answer.content["expires_in"] == 1000
    assert answer.content["refresh_token_expires_in"] == 2000
    assert answer.content["token_type"] == "Bearer"
    assert answer.content["refresh_token"] \
        == sandbox.read_secret("refresh_token")
    assert call(sandbox, "GET", path(sandbox),
                token=answer.content["access_token"]).status == 200


def test_a_rotating_token_endpoint(sandbox):
    sandbox.set(rotate=True)
    token = refresh(sandbox).content["refresh_token"]

    assert refresh(sandbox).status == 400
    assert refresh(sandbox, refresh_token=token).status == 200
    assert refresh(sandbox, refresh_token=token).status == 400


@pytest.mark.parametrize("member, status", (
    ("grant_type", 400), ("client_id", 401), ("client_secret", 401),
    ("refresh_token", 400)))
def test_a_refusing_token_endpoint(sandbox, member, status):
    answer = refresh(sandbox, **{member: "wrong"})
    assert answer.status == status
    assert answer.content["errors"][0]["description"]


def test_tracking_id(sandbox):
    answer = call(sandbox, "GET", path(sandbox), TrackingID="mine")
    assert answer.getheader("trackingid") == "mine"

    sandbox.set(trackingid="double")
    answer = call(sandbox, "GET", path(sandbox), TrackingID="mine")
    assert answer.getheader("trackingid") == "mine, mine"


@pytest.mark.parametrize("chunked", (False, True))
@pytest.mark.parametrize("mode, asked, packed", (
    ("never", "gzip", False), ("asked", "gzip, deflate", True),
    ("asked", "identity", False), ("always", "identity", True)))
def test_gzip_and_chunked(sandbox, mode, asked, packed, chunked):
    sandbox.set(gzip=mode, chunked=chunked)
    answer = call(sandbox, "GET", path(sandbox), **{"Accept-Encoding": asked})

    assert (answer.getheader("Content-Encoding") == "gzip") == packed
    assert (answer.getheader("Transfer-Encoding") == "chunked") == chunked

    content = gzip.decompress(answer.content) if packed else answer.content
    assert json.loads(content)["id"] == sandbox.customer


def test_the_record_is_byte_for_byte(sandbox):
    one = (b"PUT /v1/wholesale/customers/x?a=%2F HTTP/1.1\r\n"
           b"hOST:  spaced \r\nX-Bytes: \xff\xfe\r\n"
           b"Transfer-Encoding: chunked\r\n\r\n"
           b"3;ext=1\r\nabc\r\n02\r\nde\r\n0\r\nTrailer: yes\r\n\r\n")
    two = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\x00\x01"
    three = b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"

    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        connection.sendall(one + two + three)
        connection.shutdown(socket.SHUT_WR)

        while connection.recv(65536):
            pass

    seen = sandbox.requests
    assert [request.bytes for request in seen] == [one, two, three]
    assert [request.body for request in seen] == [b"abcde", b"\0\1", b"half"]
    assert [request.complete for request in seen] == [True, True, False]
    assert [request.order for request in seen] == [0, 1, 2]
    assert len({request.connection for request in seen}) == 1
    assert seen[0].header("host") == "spaced"
    assert seen[0].header("x-bytes") == "\xff\xfe"


def test_tls_with_a_certificate_that_can_be_verified(sandbox):
    context = ssl.create_default_context(cafile=sandbox.authority)

    for name in ("webexapis.com", "localhost", "127.0.0.1"):
        with socket.create_connection(
                ("127.0.0.1", sandbox.tls_port)) as connection, \
                context.wrap_socket(connection, server_hostname=name) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert tls.recv(12) == b"HTTP/1.1 401"

    assert all(request.tls for request in sandbox.requests)


def test_faults_meet_what_they_match(sandbox):
    sandbox.fail(method="PUT", path="/v1/wholesale/customers/*", times=2,
                 status=429, headers=[["Retry-After", "7"]],
                 json={"message": "slow"})

    for _ in range(2):
        answer = call(sandbox, "PUT", path(sandbox), UPDATE)
        assert answer.status == 429
        assert answer.getheader("Retry-After") == "7"
        assert json.loads(answer.content) == {"message": "slow"}
        assert call(sandbox, "GET", path(sandbox)).status == 200

    assert call(sandbox, "PUT", path(sandbox), UPDATE).status == 202


def read_all(sandbox):
    """What comes before the end of the connection, and how that came."""

    token = sandbox.read_secret("access_token")

    with socket.create_connection(("127.0.0.1", sandbox.port), 5) as stream:
        stream.sendall(f"GET {path(sandbox)} HTTP/1.1\r\n"
                       f"Authorization: Bearer {token}\r\n\r\n".encode())
        data = b""

        try:
            while chunk := stream.recv(65536):
                data += chunk
        except ConnectionResetError:
            return data, "reset"
        except TimeoutError:
            return data, "silence"

        return data, "closed"


@pytest.mark.parametrize("fault, expected", (
    ({"cut": "before"}, b""),
    ({"cut": "head", "bytes": 12}, b"HTTP/1.1 200"),
    ({"raw": b"\0not HTTP"}, b"\0not HTTP")))
def test_cuts(sandbox, fault, expected):
    sandbox.fail(**fault)
    assert read_all(sandbox) == (expected, "closed")


def test_a_cut_in_the_body(sandbox):
    sandbox.fail(cut="body", bytes=5)
    data, end = read_all(sandbox)
    head, _, body = data.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (body, end) == (b'{"id"', "closed")


def test_a_reset(sandbox):
    sandbox.fail(cut="before", reset=True)
    assert read_all(sandbox) == (b"", "reset")


def test_a_delay(sandbox):
    sandbox.fail(times=1, delay=0.3)
    start = time.monotonic()
    assert call(sandbox, "GET", path(sandbox)).status == 200
    assert 0.3 <= time.monotonic() - start < 2


def test_no_answer_until_healed(sandbox):
    sandbox.fail(never=True)

    with socket.create_connection(("127.0.0.1", sandbox.port), 0.3) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")

        with pytest.raises(TimeoutError):
            stream.recv(1)

        sandbox.heal()
        assert stream.recv(1) == b""

    assert call(sandbox, "GET", path(sandbox)).status == 200


def test_control_calls_are_not_on_the_public_ports(sandbox):
    assert call(sandbox, "POST", "/_sandbox/reset").status == 404
    assert sandbox.count == 1


@pytest.mark.parametrize("mistake", (
    {"cuts": "before"}, {"cut": "after"}))
def test_a_fault_that_means_nothing(sandbox, mistake):
    with pytest.raises(ValueError):
        sandbox.fail(**mistake)


def test_what_the_folder_holds_is_used_again(tmp_path):
    held = []

    for _ in range(2):
        sandbox = Sandbox.start(tmp_path)
        assert sandbox.stop() == 0

        held.append({path.name: path.read_bytes()
                     for path in tmp_path.iterdir()})

    assert set(held[0]) == {"access_token", "client_secret", "refresh_token",
                            "ca.pem", "webexapis.pem", "webexapis.key"}
    assert held[0] == held[1]


def test_a_secret_that_is_given_is_kept(tmp_path):
    (tmp_path / "access_token").write_text("old\n")

    sandbox = Sandbox.start(tmp_path, "--access-token", "new")
    assert sandbox.stop() == 0

    assert sandbox.read_secret("access_token") == "new"


def test_the_journal(sandbox):
    call(sandbox, "PUT", path(sandbox), UPDATE, TrackingID="before")
    sandbox.set(journal=True)
    call(sandbox, "PUT", path(sandbox), UPDATE, TrackingID="one")
    call(sandbox, "GET", path(sandbox, "unknown"), TrackingID="two")
    sandbox.fail(cut="before")

    with pytest.raises(ConnectionError):
        call(sandbox, "PUT", path(sandbox), UPDATE, TrackingID="three")

    assert sandbox.journal == [("one", "PUT", 202), ("two", "GET", 404),
                               ("three", "PUT", None)]
