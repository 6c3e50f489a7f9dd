# Copyright (C) The wholesale gateway authors

"""Step 2: whose key it is."""

import pytest

from gateway import secrets
from gateway.gateway import REFERENCE
from gateway.refusal import check_401


def key_of(gateway):
    return gateway.keys["acme"]


@pytest.mark.parametrize("form", (
    "Authorization: Bearer {}",
    "authorization: bearer {}",
    "AUTHORIZATION: BEARER {}",
    "Authorization:   Bearer   {}  ",
    "X-API-Key: {}",
    "x-api-key: {}",
    "X-API-Key:   {}  ",
))
def test_forms_of_a_key(the_gateway, sandbox, form):
    name, _, value = form.format(key_of(the_gateway)).partition(":")
    answer = the_gateway.update([("Authorization", None),
                                 (name, value[1:])]
                                if name.lower() != "authorization"
                                else [(name, value[1:])])

    assert answer.status == 202
    assert sandbox.only_request.body == REFERENCE


@pytest.mark.parametrize("form", (
    "",
    "Authorization: ",
    "Authorization: Bearer",
    "Authorization: Bearer ",
    "Authorization: {}",
    "Authorization: Basic {}",
    "Authorization: Bearer{}",
    "Authorization: Bearer {}x",
    "Authorization: Bearer x{}",
    "Authorization: Bearer {} {}",
    "Authorization: Bearer wrong",
    "X-API-Key: ",
    "X-API-Key: wrong",
    "X-API-Key: {}x",
    "X-API-Key: Bearer {}",
    "Proxy-Authorization: Bearer {}",
    "Cookie: key={}",
))
def test_what_is_no_key(the_gateway, sandbox, form):
    name, _, value = form.partition(":")
    value = value[1:].format(*[key_of(the_gateway)] * 2)
    headers = [("Authorization", None)]

    if name == "Authorization":
        headers = [(name, value)]
    elif name:
        headers.append((name, value))

    check_401(the_gateway.update(headers))
    assert sandbox.count == 0


@pytest.mark.parametrize("key", (
    "\x01" * 40, "\xff" * 40, "ä" * 40, "a" * 8000, "\t", "\x7f"))
def test_strange_keys(the_gateway, sandbox, key):
    answer = the_gateway.update({"Authorization": f"Bearer {key}"})

    # nginx itself refuses some of them
    assert answer.status in (400, 401)
    assert sandbox.count == 0


def test_a_cut_key(the_gateway, sandbox):
    for length in (1, 10, len(key_of(the_gateway)) - 1):
        key = key_of(the_gateway)[:length]
        check_401(the_gateway.update({"Authorization": f"Bearer {key}"}))

    assert sandbox.count == 0


def test_the_digest_is_no_key(the_gateway):
    digest = secrets.digest(key_of(the_gateway))

    for key in (digest, digest.removeprefix("sha256:")):
        check_401(the_gateway.update({"Authorization": f"Bearer {key}"}))


def test_two_different_keys_are_not_guessed_between(the_gateway, sandbox):
    for other in (the_gateway.keys["bolt"], "wrong"):
        check_401(the_gateway.update({"X-API-Key": other}))

    assert sandbox.count == 0


def test_a_doubled_header_lets_nobody_in(the_gateway, sandbox):
    key = key_of(the_gateway)

    for name, one, two in (
            ("Authorization", "Bearer wrong", f"Bearer {key}"),
            ("Authorization", f"Bearer {key}", "Bearer wrong"),
            ("X-API-Key", "wrong", key), ("X-API-Key", key, "wrong")):
        answer = the_gateway.update([("Authorization", None), (name, one),
                                     (name, two)]
                                    if name != "Authorization"
                                    else [(name, one), (name, two)])
        assert answer.status in (400, 401)

    assert sandbox.count == 0


def test_the_answer_does_not_say_which_part_was_wrong(the_gateway):
    answers = [
        the_gateway.update(headers) for headers in (
            {"Authorization": None},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic d3Jvbmc6d3Jvbmc="},
            {"Authorization": None, "X-API-Key": "wrong"})]
    documents = [check_401(answer) for answer in answers]

    for document in documents:
        del document["trackingId"]

    assert all(document == documents[0] for document in documents)
    assert len({answer.header("WWW-Authenticate")
                for answer in answers}) == 1


def test_get_and_head_need_a_key_too(the_gateway, sandbox):
    check_401(the_gateway.get({"Authorization": None}))

    answer = the_gateway.get({"Authorization": None}, method="HEAD")
    assert answer.status == 401
    assert answer.header("WWW-Authenticate").startswith("Bearer")
    assert sandbox.count == 0


def test_nothing_unauthenticated_is_read(the_gateway, sandbox):
    """The refusal does not wait for the body."""

    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update(
            {"Authorization": "Bearer wrong", "Content-Length": "1000"},
            body=b""))
        check_401(connection.answer())

    with the_gateway.connect() as connection:
        connection.send(the_gateway.encode_update(
            {"Authorization": "Bearer wrong", "Content-Length": "1000",
             "Expect": "100-continue"}, body=b""))
        answer = connection.answer()
        check_401(answer)
        assert answer.interim == []

    assert sandbox.count == 0
