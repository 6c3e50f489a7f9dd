# Copyright (C) The wholesale gateway authors

"""What the token endpoint may answer, and what files may hold: the right
state, a clear line in the log, and recovery."""

import os
import pathlib
import time

import pytest

from gateway import secrets
from gateway.credentials import (TOKEN_PATH, refreshes, several,
                                 token_answer, updates)
from gateway.refusal import check_refusal


LOUD = [r"a person has to authorise anew"]

# in an answer of the endpoint's; must never be seen again
SECRET = "SECRET-4af1d2a34ea84ff59d6d01cbd1a54e1e"

UNUSABLE = {
    "html": ("is not valid JSON", {
        "path": TOKEN_PATH, "status": 200,
        "headers": [["Content-Type", "text/html"]],
        "body": f"<html><body>Welcome to the hotel {SECRET}</body></html>"}),
    "half": ("is not valid JSON", {
        "path": TOKEN_PATH, "status": 200,
        "body": f'{{"access_token": "{SECRET}", "expi'}),
    "empty": ("is empty", {"path": TOKEN_PATH, "status": 200, "body": ""}),
    "array": ("is not a JSON object", {
        "path": TOKEN_PATH, "status": 200, "body": f'["{SECRET}"]'}),
    "large": ("is larger than 65536 bytes", {
        "path": TOKEN_PATH, "status": 200,
        "body": f'{{"access_token": "{SECRET}", "expires_in": 5, "x": "'
                + "x" * 10_000_000 + '"}'}),
    "deep": ("is not valid JSON", {
        "path": TOKEN_PATH, "status": 200, "body": "[" * 60000}),
    "no token": ("has no access_token", token_answer(None)),
    "a number": ("has an access_token that is no string", token_answer(5)),
    "empty token": ("has an access_token that a header", token_answer("")),
    "line": ("has an access_token that a header",
             token_answer(f"{SECRET}\r\nX-Injected: yes")),
    "blank": ("has an access_token that a header",
              token_answer(f"{SECRET} {SECRET}")),
    "nul": ("is not valid JSON", token_answer(f"{SECRET}\0")),
    "long": ("has an access_token that a header",
             token_answer(SECRET * 1000)),
    "not ASCII": ("has an access_token that a header",
                  token_answer(SECRET + "\u00e9")),
    "type": ("has a token_type that is not Bearer",
             token_answer(SECRET, token_type="mac")),
    "no time": ("has no expires_in", token_answer(SECRET, None)),
    "time of 0": ("has an expires_in of less", token_answer(SECRET, 0)),
    "negative": ("has an expires_in of less", token_answer(SECRET, -5)),
    "text": ("has no expires_in", token_answer(SECRET, "1000")),
    "huge": ("has no expires_in", token_answer(SECRET, 1e308)),
    "redirect": ("answered 302", {
        "path": TOKEN_PATH, "status": 302,
        "headers": [["Location", "https://login.example.com/"]]}),
    "forbidden": ("answered 403", {"path": TOKEN_PATH, "status": 403}),
    "failing": ("answered 500", {"path": TOKEN_PATH, "status": 500}),
    "busy": ("answered 503", {"path": TOKEN_PATH, "status": 503}),
    "cut": ("its location failed with 502", {
        "path": TOKEN_PATH, "cut": "before"}),
    "cut in the head": ("its location failed with 502", {
        "path": TOKEN_PATH, "cut": "head"}),
    "cut in the body": ("was cut off", {"path": TOKEN_PATH, "cut": "body"}),
    "slow": ("its location failed with 504", {
        "path": TOKEN_PATH, "never": True}),
    "no HTTP": ("endpoint", {
        "path": TOKEN_PATH, "raw": f"{SECRET}\n".encode()}),
}


def test_unusable_answers(refreshing, sandbox):
    """Not final: the next try may go better."""

    cases = {f"case{i}": case for i, case in enumerate(UNUSABLE.values())}

    running = refreshing(**several(cases), workers=2,
                         proxy={"proxy_read_timeout": "250ms"})

    for name, (_, fault) in cases.items():
        sandbox.fail(query=name, **fault)

    for answer in running.concurrently(1, cases):
        check_refusal(answer, 503)

    running.wait_for(
        lambda: all(running.credential(name)["last_error"]
                    for name in cases), "the errors")

    for name, (sentence, _) in cases.items():
        state = running.credential(name)
        assert state["state"] == "missing"
        assert sentence in state["last_error"]
        assert f'credential "{name}": ' in running.log
        assert state["last_error"] in running.log

    assert updates(sandbox) == []
    assert running.ready()[0] == 503

    sandbox.heal()
    running.wait_for(lambda: {answer.status for answer
                              in running.concurrently(1, cases)} == {202},
                     "the recovery")

    for name in cases:
        state = running.credential(name)
        assert (state["state"], state["last_error"]) == ("live", None)

    assert SECRET not in running.log


@pytest.mark.parametrize("status", (400, 401))
def test_a_final_answer(refreshing, sandbox, status):
    """Nobody tries again before a file changes."""

    running = refreshing(workers=2, tolerated=LOUD)
    good = running.read_secret("refresh_token")

    running.write_secret("refresh_token", secrets.make())
    sandbox.fail(path=TOKEN_PATH, status=status, json={}, times=1)

    for _ in range(3):
        check_refusal(running.update(), 503)

    time.sleep(1.5)
    check_refusal(running.update(), 503)
    assert len(refreshes(sandbox)) == 1

    status, document = running.ready()
    state = document["credentials"][0]
    assert status == 503
    assert state["state"] == "refused"
    assert "refresh_token_file" in state["advice"]
    assert running.log.count("[crit]") == 1

    running.write_secret("refresh_token", good + "\n")
    running.wait_for(lambda: running.update().status == 202, "the recovery")
    assert running.ready()[0] == 200


def test_a_wrong_client_secret(refreshing, sandbox):
    running = refreshing(tolerated=LOUD)
    good = running.read_secret("client_secret")

    running.write_secret("client_secret", secrets.make())
    check_refusal(running.update(), 503)

    # in place: only the modification time changes
    (running.folder / "client_secret").write_text(good)
    running.wait_for(lambda: running.update().status == 202, "the recovery")


def test_too_many_refreshes(refreshing, sandbox):
    """429: as long as Retry-After says, and never before."""

    running = refreshing()
    sandbox.fail(path=TOKEN_PATH, status=429, json={}, times=1,
                 headers=[["Retry-After", "3"]])
    start = time.monotonic()

    # the first one waits for the second try
    assert running.update().status == 202
    assert 2.9 < time.monotonic() - start < 4
    assert len(refreshes(sandbox)) == 2


def test_who_cannot_wait_is_told_for_how_long(refreshing, sandbox):
    running = refreshing()
    sandbox.fail(path=TOKEN_PATH, status=429, json={},
                 headers=[["Retry-After", "100"]])

    for _ in range(2):
        start = time.monotonic()
        answer = running.update()
        check_refusal(answer, 503)
        assert time.monotonic() - start < 1
        assert 95 <= int(answer.header("Retry-After")) <= 101

    assert len(refreshes(sandbox)) == 1


@pytest.mark.parametrize("status", (429, 503))
@pytest.mark.parametrize("live", (False, True))
def test_a_pause_of_a_day(refreshing, sandbox, status, live):
    """A mistake of the endpoint's does not close the gateway for so long; and
    a token that lives on goes on serving."""

    running = refreshing()

    if live:
        sandbox.fail(times=1, **token_answer(seconds=1000,
                                             refresh_token_expires_in=1))
        running.warm()

    sandbox.clear()
    sandbox.fail(path=TOKEN_PATH, status=status, json={},
                 headers=[["Retry-After", "86400"]])
    running.wait_for(lambda: running.credential()["last_error"], "the refusal")

    least, most = (950, 1000) if live else (290, 300)
    assert least < running.credential()["next_try_in"] <= most
    assert running.ready()[0] == (200 if live else 503)
    assert len(refreshes(sandbox)) == 1


@pytest.mark.parametrize("how", ("reload", "client_secret", "refresh_token"))
def test_a_long_pause_ends(refreshing, sandbox, how):
    """With what somebody does about it."""

    running = refreshing()
    sandbox.fail(path=TOKEN_PATH, status=503, json={},
                 headers=[["Retry-After", "200"]])
    check_refusal(running.update(), 503)
    sandbox.heal()
    check_refusal(running.update(), 503)

    if how == "reload":
        running.reload()
    else:
        running.write_secret(how, running.read_secret(how))

    running.wait_for(lambda: running.update().status == 202, "the recovery")
    assert "next_try_in" not in running.credential()


def test_a_location_that_is_mended(refreshing, sandbox):
    """It may be what answered 400: a reload has it tried once more."""

    running = refreshing(tolerated=LOUD, token_pass="http://webex/wrong")
    sandbox.fail(path="/wrong", status=400, json={})
    check_refusal(running.update(), 503)
    assert "token_endpoint" in running.credential()["advice"]

    running.reload()
    check_refusal(running.update(), 503)
    check_refusal(running.update(), 503)
    assert running.log.count("[crit]") == 2

    running.change(token_pass="http://webex/v1/access_token")
    running.reload()
    running.wait_for(lambda: running.update().status == 202, "the recovery")
    assert len(refreshes(sandbox)) == 1


def test_back_off(refreshing, sandbox):
    running = refreshing(credential="refresh_wait 1ms;")
    sandbox.fail(path=TOKEN_PATH, status=500)

    end = time.monotonic() + 3.2

    while time.monotonic() < end:
        running.update()
        time.sleep(0.02)

    # after 0.5 to 1 s, 1 to 2 s, 2 to 4 s
    assert 3 <= len(refreshes(sandbox)) <= 4


@pytest.mark.parametrize("wrong", (
    {"proxy_ssl_trusted_certificate": "/etc/ssl/certs/ca-certificates.crt"},
    {"proxy_ssl_name": "other.example"}))
def test_a_wrong_certificate(refreshing, sandbox, wrong):
    right = {"proxy_ssl_trusted_certificate": sandbox.authority}
    running = refreshing(
        proxy={**right, **wrong}, credential="refresh_wait 300ms;",
        token_pass="https://127.0.0.1:@webex_tls_port@/v1/access_token")

    check_refusal(running.update(), 503)
    state = running.credential()
    assert state["state"] == "missing"
    assert "location failed with 502" in state["last_error"]
    assert state["last_error"] in running.log
    assert sandbox.count == 0

    running.write_proxy_conf(right)
    running.reload()
    running.wait_for(lambda: running.update().status == 202, "the recovery")


def test_a_new_refresh_token_is_not_lost(refreshing, sandbox):
    """Though the rest of the answer is of no use."""

    running = refreshing(tolerated=LOUD)
    token = secrets.make()
    sandbox.fail(times=1, **token_answer(None, refresh_token=token))

    running.update()
    running.wait_for(lambda: running.read_secret("refresh_token") == token,
                     "the new refresh token")


# files

def lose(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def fill(path):
    path.write_bytes(b"x" * 1_000_000)


def fold(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def unreadable(path):
    # root may read whatever its mode is, but not this
    path.unlink()
    path.symlink_to("/proc/sys/vm/compact_memory")


def dangle(path):
    path.unlink()
    path.symlink_to("nowhere")


def split(path):
    path.write_bytes(b"one\r\ntwo")


TROUBLES = {
    "missing": (lose, "cannot be opened"),
    "unreadable": (unreadable, "cannot be opened"),
    "dangling": (dangle, "cannot be opened"),
    "empty": (empty, "is empty"),
    "large": (fill, "is too large"),
    "folder": (fold, "is not a regular file"),
    "pipe": (pipe, "is not a regular file"),
    "lines": (split, "holds characters"),
}


def test_files(refreshing, sandbox):
    cases = {f"{trouble}_{kind}": (spoil, kind, sentence)
             for trouble, (spoil, sentence) in TROUBLES.items()
             for kind in ("secret", "token")}
    kinds = {"secret": "client_secret", "token": "refresh_token"}

    running = refreshing(**several(cases), workers=2)

    for name, (spoil, kind, _) in cases.items():
        spoil(running.folder / f"{name}_{kind}")

    for answer in running.concurrently(1, cases):
        check_refusal(answer, 503)

    for name, (_, kind, sentence) in cases.items():
        state = running.credential(name)
        assert state["state"] == "missing"
        assert f"{kinds[kind]}_file {sentence}" in state["last_error"]
        assert f'"{name}": {state["last_error"]}' in running.log

    assert not any("?" in request.target for request in sandbox.requests)

    for name, (_, kind, _) in cases.items():
        path = running.folder / f"{name}_{kind}"

        if path.is_dir():
            path.rmdir()

        running.write_secret(path.name, sandbox.read_secret(kinds[kind]))

    running.wait_for(lambda: {answer.status for answer
                              in running.concurrently(1, cases)} == {202},
                     "the recovery")


@pytest.mark.parametrize("form", ("{}", "{}\n", " {}\r\n\n"))
def test_blanks_around_secrets(refreshing, sandbox, form):
    running = refreshing()

    for name in ("client_secret", "refresh_token"):
        running.write_secret(name, form.format(running.read_secret(name)))

    assert running.update().status == 202
    assert refreshes(sandbox)[0]["client_secret"] \
        == sandbox.read_secret("client_secret")


def test_secrets_are_encoded(refreshing, sandbox):
    running = refreshing(tolerated=LOUD)
    running.write_secret("client_secret", "a&b=c+d%e/f~g\"h'#")

    check_refusal(running.update(), 503)
    assert refreshes(sandbox)[0]["client_secret"] == "a&b=c+d%e/f~g\"h'#"


# the new refresh token

def test_the_new_refresh_token_is_written(refreshing, sandbox):
    sandbox.set(rotate=True)
    running = refreshing()
    running.warm()

    path = running.folder / "refresh_token"
    assert path.stat().st_mode & 0o7777 == 0o600
    assert path.read_text().endswith("\n")
    assert running.read_secret("refresh_token") \
        != sandbox.read_secret("refresh_token")
    assert not list(running.folder.glob("refresh_token.*"))

    # the next one is made with it
    sandbox.expire_tokens()
    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 2


def test_behind_a_link(refreshing, sandbox):
    """The link stays: it may be all that others know."""

    sandbox.set(rotate=True)
    running = refreshing()
    target = running.folder / "elsewhere"
    target.mkdir()
    (running.folder / "refresh_token").rename(target / "token")
    (running.folder / "refresh_token").symlink_to("elsewhere/token")

    running.warm()
    assert (running.folder / "refresh_token").is_symlink()
    assert (target / "token").read_text().strip() \
        != sandbox.read_secret("refresh_token")


def test_a_file_that_cannot_be_written(refreshing, sandbox):
    """The new one is in the zone; a reload does not lose it."""

    sandbox.set(rotate=True)
    running = refreshing()
    spare = pathlib.Path(f"{running.folder}/refresh_token.wholesale.new")

    # root may write anywhere: a folder in the way is what stops it
    spare.mkdir()
    running.warm()

    state = running.credential()
    assert state["state"] == "live"
    assert "memory" in state["advice"]
    assert "in memory only" in running.log
    assert running.read_secret("refresh_token") \
        == sandbox.read_secret("refresh_token")

    running.reload()
    sandbox.expire_tokens()
    assert running.update().status == 202
    assert len(refreshes(sandbox)) == 2

    spare.rmdir()
    sandbox.expire_tokens()
    assert running.update().status == 202
    running.wait_for(lambda: "advice" not in running.credential(),
                     "the new refresh token")
    assert running.read_secret("refresh_token") \
        != sandbox.read_secret("refresh_token")
