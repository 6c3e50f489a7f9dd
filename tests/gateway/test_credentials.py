# Copyright (C) The wholesale gateway authors

"""A live token, always, and one refresh at a time."""

import os
import pathlib
import socket
import threading
import time

from gateway import secrets
from gateway.credentials import (TOKEN_PATH, refreshes, token_answer,
                                 token_requests, updates)
from gateway.refusal import check_refusal


def test_the_first_update(refreshing, sandbox):
    running = refreshing()
    assert sandbox.count == 0

    assert running.update().status == 202
    assert running.update().status == 202

    assert len(refreshes(sandbox)) == 1
    assert len(updates(sandbox)) == 2


def test_the_request_to_the_endpoint(refreshing, sandbox):
    """It has nothing of the client's."""

    running = refreshing()

    assert running.update({
        "Cookie": "session=1234", "X-Custom": "custom", "User-Agent": "agent",
        "TrackingID": "tracking", "Content-Encoding": "identity",
        "Accept": "application/problem+json", "Referer": "referer",
        "Forwarded": "for=192.0.2.1"}).status == 202

    request = token_requests(sandbox)[0]

    assert request.method == "POST"
    assert {name.lower(): value for name, value in request.headers} == {
        "host": "webexapis.com",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(request.body)),
        "accept": "application/json"}

    assert refreshes(sandbox)[0] == {
        "grant_type": "refresh_token",
        "client_id": sandbox.client_id,
        "client_secret": sandbox.read_secret("client_secret"),
        "refresh_token": sandbox.read_secret("refresh_token")}


def test_an_access_log_of_the_request_to_the_endpoint(refreshing, sandbox):
    """The body of it is nobody's to read."""

    running = refreshing(
        http="log_format bodies '$uri <$request_body> <$request_body_file>';",
        server="log_subrequest on; access_log bodies.log bodies;")

    assert running.update().status == 202

    path = running.folder / "bodies.log"
    running.wait_for(lambda: path.exists() and path.read_text().count("\n") > 1,
                     "the log")
    text = path.read_text()

    assert "/_webex/access_token <-> <->\n" in text
    assert not running.holds(text.encode(), running.secrets())


def test_http2(refreshing, sandbox):
    running = refreshing()

    assert running.update_http2().status == 202
    assert len(refreshes(sandbox)) == 1


def test_many_first_updates(refreshing, sandbox):
    """200 over four workers: one refresh."""

    running = refreshing(workers=4)
    sandbox.fail(path=TOKEN_PATH, delay=0.3)

    answers = running.concurrently(200)

    assert {answer.status for answer in answers} == {202}
    assert len(refreshes(sandbox)) == 1
    assert len(updates(sandbox)) == 200


def test_tokens_that_live_shortly(refreshing, sandbox):
    """The valid one goes on serving while it is refreshed.  LOAD_SECONDS and
    TOKEN_SECONDS in the environment make it longer."""

    seconds = int(os.environ.get("LOAD_SECONDS", 5))
    lifetime = int(os.environ.get("TOKEN_SECONDS", 1))

    sandbox.set(access_token_seconds=lifetime, rotate=True)
    running = refreshing(workers=2)
    running.warm()

    end = time.monotonic() + seconds
    slowest = 0

    while time.monotonic() < end:
        start = time.monotonic()
        assert running.update().status == 202
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.005)

    assert slowest < 0.5
    print(f"{len(refreshes(sandbox))} refreshes, {len(updates(sandbox))} "
          f"updates, the slowest took {slowest:.3f} s")
    assert seconds / lifetime - 1 <= len(refreshes(sandbox)) \
        <= 2 * seconds / lifetime - 1
    assert running.read_secret("refresh_token") \
        != sandbox.read_secret("refresh_token")


def test_a_refresh_token_that_lives_shortly(refreshing, sandbox):
    """Shorter than the access token: it must not lapse either."""

    sandbox.set(rotate=True, refresh_token_seconds=3)
    running = refreshing()
    running.warm()

    start = time.monotonic()

    while len(refreshes(sandbox)) < 3:
        assert running.ready()[0] == 200
        assert running.credential()["last_error"] is None
        assert time.monotonic() - start < 3 + 3
        time.sleep(0.03)

    # each in the last tenth of its life or a little before
    assert time.monotonic() - start > 2 * 3 * 0.85 - 1


def test_a_refresh_token_that_no_refresh_renews(refreshing, sandbox):
    """Its end comes nearer, and that is no reason for a storm."""

    token = secrets.make()
    sandbox.fail(times=1, **token_answer(refresh_token=token,
                                         refresh_token_expires_in=1))
    sandbox.fail(**token_answer(refresh_token=token))
    running = refreshing()

    end = time.monotonic() + 2.5

    while time.monotonic() < end:
        running.ready()

    assert 2 <= len(refreshes(sandbox)) <= 12


def test_the_wait_is_bounded(refreshing, sandbox):
    running = refreshing(credential="refresh_wait 500ms;")
    sandbox.fail(path=TOKEN_PATH, delay=1.5)

    start = time.monotonic()
    check_refusal(running.update(), 503)
    assert 0.4 < time.monotonic() - start < 1

    # the refresh goes on: its token is for the next
    running.wait_for(lambda: running.update().status == 202, "the token")
    assert len(refreshes(sandbox)) == 1


def test_a_client_that_has_said_all(refreshing, sandbox):
    running = refreshing(proxy={"proxy_ignore_client_abort": "on"})
    sandbox.fail(path=TOKEN_PATH, delay=0.3)

    with running.connect() as connection:
        connection.send(running.encode_update())
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.answer().status == 202


def test_a_client_that_leaves(refreshing, sandbox):
    """The one that the refresh began for: it is for all others, too."""

    sandbox.set(rotate=True)
    sandbox.fail(path=TOKEN_PATH, delay=0.5)
    running = refreshing()

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 1, "the refresh")

    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 1
    assert len(updates(sandbox)) == 1


def test_a_worker_that_dies(refreshing, sandbox):
    """In the middle of the refresh: the next one is not held up."""

    running = refreshing(workers=1, tolerated=[r"exited on signal 9"])
    sandbox.fail(path=TOKEN_PATH, never=True, times=1)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 1, "the refresh")
        running.kill_workers()
        running.wait_for(lambda: len(running.workers()) == 2, "a new worker")

        start = time.monotonic()
        assert running.update().status == 202
        assert time.monotonic() - start < 1


def test_many_that_wait(refreshing, sandbox):
    """They cost next to nothing meanwhile, and nobody is forgotten."""

    running = refreshing(workers=2)
    sandbox.fail(path=TOKEN_PATH, delay=2)
    times = []

    def watch():
        running.wait_for(lambda: sandbox.count == 1, "the refresh")
        before = cpu(running)
        time.sleep(1)
        times.append(cpu(running) - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = running.concurrently(200)
    watcher.join()

    assert {answer.status for answer in answers} == {202}
    assert len(refreshes(sandbox)) == 1
    print(f"{times[0]:.2f} s of CPU in a second")
    assert times[0] < 0.3


def cpu(running):
    """Seconds of all workers."""

    ticks = 0

    for pid in running.workers():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().split()
        ticks += int(fields[13]) + int(fields[14])

    return ticks / os.sysconf("SC_CLK_TCK")


def test_a_reload_keeps_the_token(refreshing, sandbox):
    running = refreshing()
    assert running.update().status == 202

    for _ in range(2):
        running.reload()
        assert running.update().status == 202

    assert len(refreshes(sandbox)) == 1


def test_a_reload_during_the_refresh(refreshing, sandbox):
    running = refreshing()
    sandbox.fail(path=TOKEN_PATH, delay=0.7)

    with running.connect() as connection:
        connection.send(running.encode_update())
        running.wait_for(lambda: sandbox.count == 1, "the refresh")
        running.reload()

        assert running.update().status == 202
        assert connection.answer().status == 202

    assert len(refreshes(sandbox)) == 1
