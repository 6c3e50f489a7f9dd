# Copyright (C) The wholesale gateway authors

"""nginx's own access modules come before ours, and never instead of it."""

import base64

import pytest

from gateway.refusal import check_401, check_refusal


BASIC = """
    auth_basic            "partners";
    auth_basic_user_file  users;
    satisfy               @satisfy@;
"""

BASIC_HEADER = "Basic " + base64.b64encode(b"user:word").decode()


def test_deny_comes_before_the_key(gateway, sandbox):
    running = gateway(location="deny  all;")

    for headers in ({}, {"Authorization": None}):
        answer = running.update(headers)
        check_refusal(answer, 403)

    assert sandbox.count == 0


def test_deny_comes_before_the_limit(gateway):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "tiny", "rate": "1/d"}]}}, location="deny  all;")

    assert [running.update().status for _ in range(3)] == [403] * 3

    running.change(location="")
    running.reload()
    running.wait_for(lambda: running.update().status == 202, "the reload")
    assert running.update().status == 429


@pytest.mark.parametrize("satisfy", ("any", "all"))
def test_allow_lets_nobody_in_by_itself(gateway, sandbox, satisfy):
    running = gateway(location=f"satisfy {satisfy}; allow all;")

    check_401(running.update({"Authorization": None}))
    assert sandbox.count == 0
    assert running.update().status == 202


def test_a_password_does_not_stand_for_a_key(gateway, sandbox):
    running = gateway(satisfy="all", location=BASIC)
    (running.folder / "users").write_text("user:{PLAIN}word\n")

    answer = running.update({"Authorization": None})
    assert answer.status == 401
    assert answer.header("WWW-Authenticate").startswith("Basic")

    # the password's header is no key, and its own key opens nothing
    check_401(running.update({"Authorization": BASIC_HEADER}))
    assert running.update().status == 401
    assert sandbox.count == 0

    answer = running.update({"Authorization": BASIC_HEADER,
                             "X-API-Key": running.keys["acme"]})
    assert answer.status == 202
    assert BASIC_HEADER.encode() not in sandbox.only_request.bytes


def test_any_of_address_and_password(gateway, sandbox):
    running = gateway(satisfy="any", location=BASIC + "allow all;")
    (running.folder / "users").write_text("user:{PLAIN}word\n")

    check_401(running.update({"Authorization": None}))
    assert sandbox.count == 0
    assert running.update().status == 202
