# Copyright (C) The wholesale gateway authors

"""Step 7: Webex's token, from a file that somebody else renews."""

import time

import pytest

from gateway import secrets
from gateway.refusal import check_refusal


# from a change of the file to its use
SECONDS = 2.5


def wait_for_token(running, sandbox, token):
    end = time.monotonic() + SECONDS

    while True:
        sandbox.clear()
        running.update()

        if sandbox.only_request.header("Authorization") == f"Bearer {token}":
            return

        assert time.monotonic() < end, "the new token is not used"
        time.sleep(0.05)


def new_token(sandbox):
    token = secrets.make()
    sandbox.add_token(token)
    return token


def test_the_token_of_the_file(the_gateway, sandbox):
    assert the_gateway.update().status == 202
    assert sandbox.only_request.header("Authorization") \
        == "Bearer " + sandbox.read_secret("access_token")


@pytest.mark.parametrize("form", ("{}", "{}\n", "{}\r\n", " {} \n\n"))
def test_blanks_around_a_token(gateway, sandbox, form):
    token = new_token(sandbox)
    running = gateway(token=form.format(token))

    assert running.update().status == 202
    assert sandbox.only_request.header("Authorization") == f"Bearer {token}"


@pytest.mark.parametrize("workers", (1, 2))
def test_a_changed_file(gateway, sandbox, workers):
    """Taken up without a reload, and no request is refused meanwhile."""

    running = gateway(workers=workers)
    token = new_token(sandbox)

    assert running.update().status == 202
    running.write_token(token + "\n")

    end = time.monotonic() + SECONDS
    seen = set()

    while time.monotonic() < end:
        sandbox.clear()
        assert running.update().status == 202
        seen.add(sandbox.only_request.header("Authorization"))
        time.sleep(0.02)

    assert f"Bearer {token}" in seen

    # by every worker
    for _ in range(20):
        sandbox.clear()
        assert running.update().status == 202
        assert sandbox.only_request.header("Authorization") \
            == f"Bearer {token}"


def test_a_file_that_is_overwritten(gateway, sandbox):
    """In place, with the same length."""

    running = gateway(token=new_token(sandbox))
    assert running.update().status == 202

    for _ in range(2):
        token = new_token(sandbox)
        (running.folder / "access_token").write_text(token)
        wait_for_token(running, sandbox, token)


def test_a_token_of_two_kilobytes(gateway, sandbox):
    token = secrets.make() + "x" * 2000
    sandbox.add_token(token)
    running = gateway(token=token)

    assert running.update().status == 202
    assert sandbox.only_request.header("Authorization") == f"Bearer {token}"


@pytest.mark.parametrize("token", (
    "", "\n", "   ", "one two", "one\r\nX-Injected: yes", "one\ntwo",
    "one\0two", "on\u00e9", "x" * 100000))
def test_no_token(gateway, sandbox, token):
    running = gateway(token=token)

    check_refusal(running.update(), 503)
    check_refusal(running.get(), 503)
    assert sandbox.count == 0

    running.write_token(sandbox.read_secret("access_token"))
    running.wait_for(lambda: running.update().status == 202, "the token")


def test_no_file(gateway, sandbox):
    """The workers of a reload find none."""

    running = gateway(token="")
    (running.folder / "access_token").unlink()
    time.sleep(1.2)

    check_refusal(running.update(), 503)
    assert sandbox.count == 0

    running.write_token(sandbox.read_secret("access_token"))
    running.wait_for(lambda: running.update().status == 202, "the token")


@pytest.mark.parametrize("trouble", ("missing", "empty", "broken", "folder"))
def test_a_file_that_is_lost(gateway, trouble):
    """The token that was good is kept: it is not known to be bad."""

    running = gateway()
    path = running.folder / "access_token"
    assert running.update().status == 202

    path.unlink()

    if trouble == "empty":
        path.write_bytes(b"")
    elif trouble == "broken":
        path.write_bytes(b"one\r\ntwo")
    elif trouble == "folder":
        path.mkdir()

    end = time.monotonic() + 1.5

    while time.monotonic() < end:
        assert running.update().status == 202
        time.sleep(0.05)


def test_invalid_updates_are_refused_before_the_token(gateway):
    running = gateway(token="")

    check_refusal(running.update(body=b"{}"), 400)
    check_refusal(running.update(), 503)


def test_the_token_is_never_sent_to_the_client(the_gateway, sandbox):
    token = sandbox.read_secret("access_token")

    sandbox.set(trackingid="double")
    answers = [the_gateway.update(), the_gateway.get(),
               the_gateway.get(method="HEAD"),
               the_gateway.update_http2(),
               the_gateway.update(target="/v1/wholesale/customers/unknown"),
               the_gateway.update(body=b"{}")]
    sandbox.fail(cut="before")
    answers.append(the_gateway.update())

    assert len({answer.status for answer in answers}) == 5
    assert not any(token in repr(answer) for answer in answers)
