# Copyright (C) The wholesale gateway authors

"""nginx's own access modules, all of them together, decide before ours."""

import base64
import subprocess

import pytest

from gateway.nginx import NGINX
from gateway.refusal import check_401, check_refusal


# the sub-location tells what it was asked about
AUTH_REQUEST = """
    auth_request      /auth;
    auth_request_set  $user $sent_http_x_user;
"""

AUTH_SERVER = """
    location = /auth {
        internal;
        set          $answer @answer@;
        if ($http_x_auth) {
            set      $answer $http_x_auth;
        }
        proxy_pass               http://127.0.0.1:@auth_port@/$answer;
        proxy_pass_request_body  off;
        proxy_set_header         Content-Length "";
    }
"""

# whoever asks is answered with the status that the path names
AUTH_HTTP = """
    server {
        listen  127.0.0.1:@auth_port@;

        location = /allow  { add_header X-User acme; return 204; }
        location = /401    { return 401; }
        location = /403    { return 403; }
        location = /500    { return 500; }
    }
"""

BASIC = """
    auth_basic            "partners";
    auth_basic_user_file  users;
"""

BASIC_HEADER = "Basic " + base64.b64encode(b"user:word").decode()

DAILY = {"acme": {"limits": [{"name": "daily", "rate": "1/d"}]}}

LIMITED = {"acme": {"limits": [{"name": "daily", "rate": "1/d", "burst": 2}]}}


def is_built_in(module):
    text = subprocess.run((NGINX, "-V"), capture_output=True, text=True,
                          check=True).stderr
    return module in text


with_auth_request = pytest.mark.skipif(
    not is_built_in("http_auth_request_module"),
    reason="this nginx is without auth_request")


@pytest.fixture
def start(gateway):
    def start(location, **options):
        running = gateway(location=location, **options)
        (running.folder / "users").write_text("user:{PLAIN}word\n")
        return running

    return start


@pytest.fixture
def asked(start):
    return lambda location="", **options: start(
        AUTH_REQUEST + location, http=AUTH_HTTP, server=AUTH_SERVER,
        **{"answer": "allow", **options})


def with_password(gateway, **headers):
    return {"Authorization": BASIC_HEADER, "X-API-Key": gateway.keys["acme"],
            **headers}


# auth_request

@with_auth_request
def test_who_is_asked_is_asked_first(asked, sandbox):
    """Before route and key; what we would say is not said."""

    running = asked()

    for status in (401, 403):
        for options in ({}, {"headers": {"Authorization": None}},
                        {"target": "/v1/wholesale/nothing"},
                        {"method": "DELETE"}, {"body": b"{}"}):
            headers = {"X-Auth": str(status), **options.pop("headers", {})}
            check_refusal(running.update(headers, **options), status)

    assert sandbox.count == 0


@with_auth_request
def test_who_is_asked_gives_no_identity(asked, sandbox):
    running = asked()

    check_401(running.update({"Authorization": None}))
    check_401(running.update({"Authorization": "Bearer wrong"}))
    check_refusal(running.update(tenant="closed"), 403)
    assert sandbox.count == 0
    assert running.update().status == 202


@with_auth_request
def test_who_is_asked_fails(asked, sandbox):
    check_refusal(asked().update({"X-Auth": "500"}), 500)
    assert sandbox.count == 0


@with_auth_request
def test_who_is_asked_may_name_the_tenant(asked, sandbox):
    running = asked("wholesale_tenant  $user;")

    assert running.update({"Authorization": None}).status == 202
    assert sandbox.count == 1


@with_auth_request
def test_a_refusal_costs_no_limit(asked):
    running = asked(tenants=DAILY)

    for status in (401, 403, 401):
        assert running.update({"X-Auth": str(status)}).status == status

    assert running.update().status == 202
    check_refusal(running.update(), 429)
    assert running.update({"X-Auth": "403"}).status == 403


@with_auth_request
def test_a_guarded_location_answers_no_auth_request(start, sandbox):
    """There, nobody's access would have been checked."""

    running = start("", server="""
        location = /asks {
            auth_request  /v1/wholesale/customers/YQ;
            empty_gif;
        }
    """)

    assert running.get(target="/asks").status == 403
    assert sandbox.count == 0


# satisfy

@pytest.mark.parametrize("satisfy", ("all", "any"))
def test_password_and_key(start, sandbox, satisfy):
    running = start(f"{BASIC} satisfy {satisfy};")

    assert running.update(with_password(running)).status == 202
    assert sandbox.count == 1

    for headers in (with_password(running, **{"X-API-Key": None}),
                    with_password(running, **{"X-API-Key": "wrong"})):
        check_401(running.update(headers))

    # a wrong password, and the right key
    for header in (None, "Basic eDp5"):
        answer = running.update({"Authorization": header,
                                 "X-API-Key": running.keys["acme"]})
        check_refusal(answer, 401)
        assert answer.header("WWW-Authenticate").startswith("Basic")

    assert sandbox.count == 1


@pytest.mark.parametrize("access, satisfy, password, status", (
    ("allow all;", "all", True, 202),
    ("allow all;", "all", False, 401),
    ("deny all;", "all", True, 403),
    ("deny all;", "all", False, 403),
    ("allow all;", "any", True, 202),
    ("allow all;", "any", False, 202),
    ("deny all;", "any", True, 202),
    ("deny all;", "any", False, 401)))
def test_address_password_and_key(start, sandbox, access, satisfy, password,
                                  status):
    running = start(f"{BASIC} {access} satisfy {satisfy};", tenants=LIMITED)
    headers = with_password(running)

    if not password:
        headers["Authorization"] = None

    # whoever is let in by nginx still needs a key
    answer = running.update({**headers, "X-API-Key": None})
    check_refusal(answer, 401 if status == 202 else status)

    statuses = [running.update(headers).status for _ in range(4)]

    # the limit is counted once for each request that goes through, and for
    # no other
    assert statuses == ([202, 202, 429, 429] if status == 202
                        else [status] * 4)
    assert sandbox.count == statuses.count(202)


@with_auth_request
@pytest.mark.parametrize("access, satisfy, answer, status", (
    ("allow all;", "all", "allow", 202),
    ("allow all;", "all", "403", 403),
    ("deny all;", "all", "allow", 403),
    ("allow all;", "any", "403", 202),
    ("deny all;", "any", "allow", 202),
    ("deny all;", "any", "401", 401),
    ("deny all;", "any", "403", 403)))
def test_address_auth_request_and_key(asked, sandbox, access, satisfy, answer,
                                      status):
    running = asked(f"{access} satisfy {satisfy};", answer=f'"{answer}"',
                    tenants=LIMITED)

    check_refusal(running.update({"Authorization": None}),
                  401 if status == 202 else status)

    statuses = [running.update().status for _ in range(4)]
    assert statuses == ([202, 202, 429, 429] if status == 202
                        else [status] * 4)
    assert sandbox.count == statuses.count(202)


def test_the_route_comes_after_them(start):
    running = start(BASIC)

    for options in ({"target": "/v1/wholesale/nothing"},
                    {"method": "DELETE"}):
        answer = running.update({"X-API-Key": running.keys["acme"],
                                 "Authorization": None}, **options)
        check_refusal(answer, 401)
        assert answer.header("WWW-Authenticate").startswith("Basic")

    headers = with_password(running, **{"X-API-Key": None})
    check_refusal(running.update(headers, target="/v1/wholesale/nothing"),
                  404)
    check_refusal(running.update(headers, method="DELETE"), 405)
