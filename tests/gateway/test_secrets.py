# Copyright (C) The wholesale gateway authors

"""No secret in a log, at debug level too, in whatever way it came.

Here are the odd ways; that the logs of all tests are clean is asserted at the
end of the session, see conftest.py.
"""

import pytest

from gateway import secrets
from gateway.gateway import CUSTOMER, CUSTOMERS


def check_logs(running):
    running.stop()

    for path in (running.error_log, running.access_log):
        assert path.stat().st_size > 0
        assert secrets.leaks(path) == []


@pytest.mark.parametrize("line", (
    "Authorization: Bearer {}",
    "Authorization: bearer   {}",
    "Authorization: Basic {}",
    "Authorization: {}",
    "authorization:{}",
    "Proxy-Authorization: Bearer {}",
    "X-API-Key: {}",
    "x-api-key:{}",
    "X-API-Key:    {}   ",

    # those that nginx does not take, and says so
    "X_API_Key: {}",
    "X-API_KEY: {}",
    "Authorization : Bearer {}",
    "X-API-Key : {}",
    " X-API-Key: {}",
    "X-API-Key {}",
    "Authorization\x01: Bearer {}",
    "Authorization: Bearer \x01{}",
    "X-API-Key: {}\x00",
    "X-API-Key: \xe4{}",
))
@pytest.mark.parametrize("underscores", ("on", "off"))
def test_spellings(gateway, line, underscores):
    running = gateway(server=f"underscores_in_headers  {underscores};")

    for second in ("", "Authorization: Bearer wrong\r\n"):
        with running.connect() as connection:
            connection.send((
                f"PUT {CUSTOMERS}/{CUSTOMER} HTTP/1.1\r\nHost: x\r\n"
                + second + line.format(secrets.make()) + "\r\n"
                "Content-Length: 0\r\n\r\n").encode("latin-1"))
            assert connection.answer().status in (400, 401)

    check_logs(running)


def test_over_http2(gateway):
    running = gateway(tenants={"acme": {}})

    with running.connect_http2() as connection:
        for name in ("authorization", "x-api-key", "proxy-authorization",
                     "x_api_key"):
            for form in ("{}", "Bearer {}"):
                # twice: from the table, the second time
                secret = form.format(secrets.make())

                for _ in range(2):
                    answer = connection.request(
                        "PUT", f"{CUSTOMERS}/{CUSTOMER}", [(name, secret)],
                        b"{}")
                    assert answer.status in (400, 401)

    check_logs(running)


def test_accepted_and_refused(gateway, sandbox):
    token = secrets.make()
    sandbox.add_token(token)
    running = gateway(token=token)
    key = running.keys["acme"]

    assert running.update().status == 202
    assert running.update({"Authorization": None,
                           "X-API-Key": key}).status == 202
    assert running.update_http2().status == 202
    assert running.get().status == 200
    assert running.update(tenant="closed").status == 403
    assert running.update(body=b"{}").status == 400
    assert running.update(body=b" " * 70000).status == 413

    sandbox.fail(times=1, cut="before")
    assert running.update().status == 502

    check_logs(running)


def test_a_log_format_that_asks_for_them(gateway, sandbox):
    running = gateway(token=secrets.make(), server="""
        access_log  asked.log asked;
    """, http="""
        log_format  asked  '$http_authorization $http_x_api_key'
                           '$http_proxy_authorization $http_cookie $status';
    """)
    key = running.keys["acme"]

    sandbox.set(check_tokens=False)
    headers = {"Proxy-Authorization": secrets.make()}

    assert running.update(headers).status == 202
    assert running.update({**headers, "X-API-Key": key}).status == 202
    assert running.update({"Authorization": f"Bearer {secrets.make()}",
                           **headers}).status == 401
    assert running.update(headers, tenant="closed").status == 403

    running.stop()
    log = running.folder / "asked.log"
    assert log.read_text().count("\n") == 4
    assert secrets.leaks(log) == []


@pytest.mark.parametrize("text", ("{} {}", "{}\r\n{}", "{}\0{}", "{}\x7f{}"))
def test_a_token_that_is_none(gateway, text):
    running = gateway(token=text.format(secrets.make(), secrets.make()))

    assert running.update().status == 503
    check_logs(running)


def test_a_key_where_its_digest_belongs(gateway):
    """The complaint about it does not repeat it."""

    running = gateway(tolerated=[r"\[emerg\]"])
    text = (running.folder / "tenants.json").read_text()
    end = text.index('"', text.index("sha256:"))

    (running.folder / "tenants.json").write_text(
        text[:text.index("sha256:")] + secrets.make() + text[end:])

    fine, output = running.test()
    assert not fine
    assert secrets.MARK not in output

    running.stop()
    assert secrets.leaks(running.error_log) == []
