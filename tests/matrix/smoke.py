# Copyright (C) The wholesale gateway authors

"""Whether a gateway that was installed somehow does what it is for; with what
Python has by itself."""

import http.client
import json
import pathlib
import sys
import time


TESTS = pathlib.Path(__file__).resolve().parents[1]

sys.path.insert(0, str(TESTS))

REFERENCE = (TESTS / "gateway/reference.json").read_bytes()

JSON = {"Content-Type": "application/json"}

START_SECONDS = 20


def ask(port, method, target, headers=(), body=None):
    """Returns the status, the fields and the body of the answer."""

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    try:
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def wait_until_ready(port, process=None):
    """Until /ready is 200; "process" must not end meanwhile."""

    deadline = time.monotonic() + START_SECONDS
    last = None

    while last is None or last[0] != 200:
        assert process is None or process.poll() is None, "nginx has ended"
        assert time.monotonic() < deadline, f"not ready: {last}"

        try:
            last = ask(port, "GET", "/ready")
        except ConnectionError as e:
            last = (None, e)

        time.sleep(0.1)

    print(f"/ready: 200 {last[2].decode().strip()}")


def check(port, key, sandbox, token):
    """The reference update is accepted, and what is wrong is refused without
    Webex's hearing of it.  "token" is what Webex has to see."""

    target = f"/v1/wholesale/customers/{sandbox.customer}"
    authorised = {**JSON, "Authorization": f"Bearer {key}"}

    sandbox.clear()
    status, headers, body = ask(port, "PUT", target, authorised, REFERENCE)

    assert status == 202, (status, body)
    assert headers["Location"] == f"http://127.0.0.1:{port}{target}", headers
    assert json.loads(body) == {"url": headers["Location"]}, body

    request = sandbox.only_request

    assert request.method == "PUT" and request.target == target
    assert request.tls, "not by TLS"
    assert request.body == REFERENCE
    assert request.header("Authorization") == f"Bearer {token}"
    assert key.encode() not in request.bytes

    print("the reference update: 202")

    for what, expected, method, headers, body in (
            ("no key", 401, "PUT", JSON, REFERENCE),
            ("a wrong key", 401, "PUT",
             {**JSON, "Authorization": f"Bearer {key[:-1]}"}, REFERENCE),
            ("a wrong update", 400, "PUT", authorised,
             b'{"packages": ["webex_caling"], "address": {"city": 7}}'),
            ("another media type", 415, "PUT",
             {**authorised, "Content-Type": "text/plain"}, REFERENCE),
            ("another method", 405, "DELETE", authorised, None)):

        status, _, answer = ask(port, method, target, headers, body)

        assert status == expected, (what, status, answer)
        assert json.loads(answer)["status"] == expected
        print(f"{what}: {status}")

    assert sandbox.count == 1, "Webex has heard of a refused request"

    status, _, body = ask(port, "GET", target, {"X-API-Key": key})

    assert status == 200, (status, body)
    print("the customer: 200")
