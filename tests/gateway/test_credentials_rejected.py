# Copyright (C) The wholesale gateway authors

"""Webex rejects the token: it is refreshed once, and the update sent once
more."""

import time

import pytest

from gateway.credentials import TOKEN_PATH, refreshes, updates
from gateway.gateway import REFERENCE
from gateway.refusal import check_refusal


def test_a_token_that_is_revoked(refreshing, sandbox):
    running = refreshing()
    assert running.update().status == 202

    sandbox.expire_tokens()
    answer = running.update()

    assert answer.status == 202
    assert answer.header("Location").startswith(running.origin)
    assert len(refreshes(sandbox)) == 2

    first, rejected, accepted = updates(sandbox)
    assert rejected.body == accepted.body == REFERENCE
    assert rejected.header("Authorization") == first.header("Authorization")
    assert accepted.header("Authorization") != first.header("Authorization")

    def others(request):
        return [pair for pair in request.headers
                if pair[0] != "Authorization"]

    assert others(rejected) == others(accepted)


@pytest.mark.parametrize("how", ("get", "head", "http2", "spilled",
                                 "keepalive"))
def test_other_requests(refreshing, sandbox, how):
    running = refreshing(proxy={"client_body_buffer_size": "128"}
                         if how == "spilled" else None)
    assert running.update().status == 202
    sandbox.expire_tokens()

    if how == "get":
        assert running.get().status == 200
    elif how == "head":
        assert running.get(method="HEAD").status == 200
    elif how == "http2":
        assert running.update_http2().status == 202
    elif how == "spilled":
        assert running.update().status == 202
        assert updates(sandbox)[-1].body == REFERENCE
    else:
        with running.connect() as connection:
            for _ in range(3):
                connection.send(running.encode_update())
                assert connection.answer("PUT").status == 202

    assert len(refreshes(sandbox)) == 2


def test_fifty_at_once(refreshing, sandbox):
    running = refreshing(workers=2)
    assert running.update().status == 202

    sandbox.expire_tokens()
    sandbox.clear()
    sandbox.fail(path=TOKEN_PATH, delay=0.2)

    answers = running.concurrently(50)

    assert {answer.status for answer in answers} == {202}
    assert len(refreshes(sandbox)) == 1
    assert len(updates(sandbox)) <= 100


def test_a_second_rejection(refreshing, sandbox):
    """It goes to the client, and does not make one refresh after another."""

    running = refreshing()
    assert running.update().status == 202
    sandbox.clear()

    sandbox.fail(method="PUT", status=401, headers=[["X-From", "Webex"]],
                 json={"message": "no scope", "errors": [],
                       "trackingId": "ROUTERGW_1"})

    for _ in range(5):
        answer = running.update()
        assert answer.status == 401
        assert answer.header("X-From") == "Webex"
        assert answer.json["message"] == "no scope"

    assert len(refreshes(sandbox)) == 1
    assert len(updates(sandbox)) == 6

    sandbox.heal()
    assert running.update().status == 202


def test_a_second_rejection_is_the_tenants_own(refreshing, sandbox):
    """For others the update is still sent once more; and for the tenant, too,
    as soon as there is another token."""

    running = refreshing(workers=2)
    assert running.update().status == 202

    sandbox.fail(method="PUT", status=401, json={}, times=2)
    assert running.update().status == 401
    sandbox.expire_tokens()
    sandbox.clear()

    assert running.update(tenant="bolt").status == 202
    assert len(refreshes(sandbox)) == 1

    sandbox.expire_tokens()
    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 2


def test_an_answer_ends_the_rejection(refreshing, sandbox):
    running = refreshing()
    assert running.update().status == 202

    sandbox.fail(method="PUT", status=401, json={}, times=2)
    assert running.update().status == 401
    assert running.get().status == 200

    # of the token that was rejected, and then was not
    sandbox.expire_tokens()
    assert running.update().status == 202


def test_tenants_that_are_rejected_in_turn(refreshing, sandbox):
    """Each makes a new token, which is no reason for another to do so."""

    running = refreshing(workers=2)
    running.warm()
    sandbox.fail(method="PUT", status=401, json={})
    sandbox.clear()

    for _ in range(10):
        for tenant in ("acme", "bolt"):
            assert running.update(tenant=tenant).status == 401

    assert 2 <= len(refreshes(sandbox)) <= 4


GUARDED_PAGE = """
    location @again {
        wholesale   on;
        include     @wholesale_proxy.conf@;
        proxy_pass  http://webex;
    }
"""


@pytest.mark.parametrize("equals", ("=", ""))
def test_a_guarded_error_page(refreshing, sandbox, equals):
    """It does not send the update with the token that was rejected."""

    running = refreshing(server=GUARDED_PAGE,
                         credential="refresh_wait 300ms;",
                         location=f"error_page 503 {equals} @again;")
    assert running.update().status == 202

    sandbox.expire_tokens()
    sandbox.clear()
    sandbox.fail(path=TOKEN_PATH, status=500)

    check_refusal(running.update(), 503)
    assert len(updates(sandbox)) == 1


def test_an_error_page_after_the_second_time(refreshing, sandbox):
    """There is no third one."""

    running = refreshing(server=GUARDED_PAGE,
                         location="error_page 502 = @again;")
    assert running.update().status == 202

    sandbox.expire_tokens()
    sandbox.clear()
    sandbox.fail(path=TOKEN_PATH, delay=0.5, times=1)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 2, "the refresh")
        sandbox.fail(method="PUT", cut="before", times=1)
        assert connection.answer("PUT").status == 502

    assert len(updates(sandbox)) == 2


@pytest.mark.parametrize("status", (403, 429, 500, 502, 503, 504))
def test_other_answers(refreshing, sandbox, status):
    """What may have been accepted is never sent twice."""

    running = refreshing()
    running.warm()
    sandbox.clear()

    sandbox.fail(method="PUT", status=status, json={})
    assert running.update().status == status
    assert sandbox.count == 1


@pytest.mark.parametrize("fault", ({"cut": "before"}, {"cut": "head"},
                                   {"cut": "before", "reset": True},
                                   {"never": True}))
def test_no_answer(refreshing, sandbox, fault):
    running = refreshing(proxy={"proxy_read_timeout": "300ms"})
    running.warm()
    sandbox.clear()

    sandbox.fail(method="PUT", **fault)
    assert running.update().status in (502, 504)
    assert sandbox.count == 1


def test_a_refresh_that_is_refused(refreshing, sandbox):
    """Webex's own 401 would tell the client that its key is wrong."""

    running = refreshing(tolerated=[r"a person has to authorise anew"])
    assert running.update().status == 202

    sandbox.expire_tokens()
    sandbox.fail(path=TOKEN_PATH, status=400, json={})

    check_refusal(running.update(), 503)
    check_refusal(running.update(), 503)

    assert running.credential()["state"] == "refused"
    assert running.ready()[0] == 503


def test_a_token_that_is_revoked_after_a_refusal(refreshing, sandbox):
    """It went on serving; then it is not live any longer."""

    sandbox.set(refresh_token_seconds=1)
    running = refreshing(tolerated=[r"a person has to authorise anew"])
    running.warm()
    sandbox.fail(path=TOKEN_PATH, status=400, json={})

    running.wait_for(lambda: running.credential()["last_error"],
                     "the refusal")
    assert running.update().status == 202
    assert running.ready()[0] == 200
    assert running.credential()["state"] == "live"

    sandbox.expire_tokens()
    check_refusal(running.update(), 503)
    sandbox.clear()

    check_refusal(running.update(), 503)
    assert running.credential()["state"] == "refused"
    assert running.ready()[0] == 503
    assert sandbox.count == 0


def test_a_refresh_that_is_slow(refreshing, sandbox):
    running = refreshing(credential="refresh_wait 300ms;")
    assert running.update().status == 202

    sandbox.expire_tokens()
    sandbox.fail(path=TOKEN_PATH, delay=1)

    start = time.monotonic()
    check_refusal(running.update(), 503)
    assert time.monotonic() - start < 0.8

    running.wait_for(lambda: running.update().status == 202, "the token")


def test_a_client_that_leaves_meanwhile(refreshing, sandbox):
    running = refreshing()
    assert running.update().status == 202

    sandbox.expire_tokens()
    sandbox.clear()
    sandbox.fail(path=TOKEN_PATH, delay=0.3)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 2, "the refresh")

    time.sleep(0.5)
    assert len(updates(sandbox)) == 1

    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 1


def test_a_static_token(gateway, sandbox):
    """Nobody can refresh it: the 401 is the client's."""

    running = gateway()
    sandbox.expire_tokens()

    assert running.update().status == 401
    assert sandbox.count == 1
