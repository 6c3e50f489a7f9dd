# Copyright (C) The wholesale gateway authors

"""The readiness page, and what it drives."""

import socket
import time

import pytest

from gateway.credentials import (STATIC, TOKEN_PATH, conf, refreshes, several,
                                 token_answer)
from gateway.redis_proxy import RedisProxy


def test_the_page(refreshing, sandbox):
    running = refreshing()
    running.warm()

    status, document = running.ready()
    state = document["credentials"][0]

    assert status == 200
    assert document["ready"] is True
    assert document["tenants"] == 3
    assert document["redis"] is None

    assert 14 * 86400 - 10 < state.pop("expires_in") <= 14 * 86400
    assert 90 * 86400 - 10 < state.pop("refresh_token_expires_in") \
        <= 90 * 86400
    assert state == {"name": "webex", "state": "live", "used": True,
                     "refreshing": False, "last_error": None}


def test_a_probe_fetches_the_first_token(refreshing, sandbox):
    running = refreshing(workers=2)
    sandbox.fail(path=TOKEN_PATH, delay=0.3)

    status, document = running.ready()
    state = document["credentials"][0]
    assert status == 503
    assert document["ready"] is False
    assert (state["state"], state["refreshing"], state["expires_in"]) \
        == ("missing", True, None)

    running.warm()
    assert len(refreshes(sandbox)) == 1

    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 1


def test_probes_renew_what_nobody_uses(refreshing, sandbox):
    """So a refresh token does not lapse while there is no traffic."""

    sandbox.set(access_token_seconds=4, rotate=True)
    running = refreshing()
    running.warm()

    start = time.monotonic()

    while len(refreshes(sandbox)) < 3:
        assert running.ready()[0] == 200
        assert time.monotonic() - start < 3 * 4
        time.sleep(0.03)

    # each in the last tenth of its life or a little before
    assert time.monotonic() - start > 2 * 4 * 0.85 - 1


def test_a_token_that_expires(refreshing, sandbox):
    running = refreshing()
    sandbox.fail(times=1, **token_answer(seconds=1))
    running.warm()

    sandbox.fail(path=TOKEN_PATH, status=500)
    assert running.ready()[0] == 200

    running.wait_for(lambda: running.ready()[0] == 503, "the end of it")
    state = running.credential()
    assert (state["state"], state["expires_in"]) == ("expired", 0)
    assert "answered 500" in state["last_error"]


@pytest.mark.parametrize("method", ("GET", "HEAD", "POST", "PUT"))
def test_methods(refreshing, method):
    running = refreshing()
    running.warm()

    with running.connect() as connection:
        answer = connection.request(method, "/ready", [("Host", "probe")])

    if method in ("GET", "HEAD"):
        assert answer.status == 200
        assert answer.header("Content-Type") == "application/json"
        assert answer.header("Cache-Control") == "no-store"
        assert (answer.body == b"") == (method == "HEAD")
    else:
        assert answer.status == 405


def test_only_what_enabled_tenants_use_counts(refreshing, sandbox):
    options = several(("one", "two", "three"))
    options["tenants"]["two"]["enabled"] = False
    options["tenants"]["acme"] = {}

    running = refreshing(**options)
    sandbox.fail(query="two", status=500)
    sandbox.fail(query="three", status=500)

    for name in ("webex", "one"):
        running.wait_for(lambda: running.credential(name)["state"] == "live",
                         "the token")

    assert running.ready()[0] == 503
    assert {state["name"]: (state["used"], state["state"])
            for state in running.ready()[1]["credentials"]} == {
        "webex": (True, "live"), "one": (True, "live"),
        "two": (False, "missing"), "three": (True, "missing")}

    del options["tenants"]["three"]
    running.write_tenants(options["tenants"])
    running.reload()
    running.wait_for(lambda: running.ready()[0] == 200, "the reload")


def test_a_static_token(refreshing, sandbox):
    running = refreshing(conf=conf(STATIC))
    status, document = running.ready()

    assert status == 200
    assert document["credentials"] == [{
        "name": "webex", "state": "live", "used": True, "refreshing": False,
        "expires_in": None, "refresh_token_expires_in": None,
        "last_error": None}]

    running.write_token("one\ntwo")
    running.wait_for(lambda: running.credential()["last_error"], "the error")
    assert running.ready()[0] == 200


def test_a_static_token_that_is_missing(refreshing, sandbox):
    running = refreshing(conf=conf(STATIC), token="")

    status, document = running.ready()
    assert status == 503
    assert document["credentials"][0]["state"] == "missing"
    assert document["credentials"][0]["last_error"] \
        == "access_token_file is empty"


@pytest.mark.parametrize("on_failure", ("local", "deny"))
def test_redis(refreshing, redis_port, on_failure):
    running = refreshing(http="""
        wholesale_redis {
            server      127.0.0.1:%d;
            on_failure  %s;
        }""" % (redis_port, on_failure))

    running.wait_for(lambda: running.credential()["state"] == "live",
                     "the token")
    status, document = running.ready()

    assert document["redis"]["state"] == "down"
    assert document["redis"]["last_error"] == "connect"
    assert status == (503 if on_failure == "deny" else 200)


def test_redis_that_is_not_reached_yet(refreshing):
    """Not "down" for some reason: there is none so far."""

    with RedisProxy() as proxy:
        proxy.black_hole = True
        running = refreshing(http="""
            wholesale_redis {
                server   %s;
                timeout  10s;
            }""" % proxy.server)

        assert running.ready()[1]["redis"] == {"state": "down",
                                               "last_error": None}


@pytest.fixture
def redis_port():
    """Nobody listens there."""

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


@pytest.mark.parametrize("detour", (
    "location ~ ^/_webex { proxy_pass http://webex; }",
    "rewrite ^/_webex /elsewhere; location /elsewhere { "
    "proxy_pass http://webex; }"))
def test_the_secrets_go_to_no_other_location(refreshing, sandbox, detour):
    """Whatever leads to one that is not internal."""

    running = refreshing(
        conf=conf().replace("location = /_webex", "location /_webex"),
        server=detour)

    assert running.ready()[0] == 503
    running.wait_for(lambda: running.credential()["last_error"],
                     "the refusal")
    assert "failed with 404" in running.credential()["last_error"]
    assert sandbox.count == 0
