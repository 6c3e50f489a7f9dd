# Copyright (C) The wholesale gateway authors

"""Step 2, from who has no right to be here."""

import pytest

from gateway import secrets
from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_401, check_refusal
from gateway.test_dry_run import LOG, LOGGED, line_of


WRONG = 500
RIGHT_EVERY = 10

TARGET = f"{CUSTOMERS}/{CUSTOMER}"

FORMS = (("Authorization", "Bearer {}"), ("X-API-Key", "{}"))


@pytest.fixture(scope="module")
def logging(module_gateway):
    return module_gateway(http=LOG, server=LOGGED)


def with_key(form, key):
    name, value = form
    return [("Authorization", None), (name, value.format(key))] \
        if name != "Authorization" else [(name, value.format(key))]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", (
    "a" * 513, "a" * 4000, "a" * 8000, "\xe4" * 40, "\xff\xfe", "\xc0\xaf",
    "\xed\xa0\x80", "key\xe9", "\x80"))
def test_long_and_strange_ones(logging, sandbox, form, key):
    answer = logging.update(with_key(form, key))

    check_401(answer)
    assert line_of(logging, answer)["reason"] == "unknown_key"
    assert key.encode("latin-1") not in answer.body
    assert sandbox.count == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_header_of_8_kilobytes(logging, sandbox, form):
    """More than nginx takes for one line."""

    check_refusal(logging.update(with_key(form, "a" * 8192)), 400)
    assert sandbox.count == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_nul(logging, sandbox, form):
    """nginx itself refuses that, even around the right key."""

    for key in ("\0", "a\0b", logging.keys["acme"] + "\0"):
        check_refusal(logging.update(with_key(form, key)), 400)

    assert sandbox.count == 0


def test_over_http2(logging, sandbox):
    for key in ("a" * 4000, "\xe4" * 40, "key\xe9"):
        check_401(logging.update_http2({"Authorization": f"Bearer {key}"}))

    assert sandbox.count == 0


def test_wrong_ones_among_right_ones(logging, sandbox):
    wrong = logging.headers({"Authorization": f"Bearer {secrets.make()}"},
                            content=False)
    right = logging.headers(content=False)
    statuses = []

    with logging.connect() as attacker, logging.connect() as partner:
        for n in range(WRONG):
            assert attacker.request("GET", TARGET, wrong).status == 401

            if n % RIGHT_EVERY == 0:
                statuses.append(partner.request("GET", TARGET, right).status)

    assert statuses == [200] * (WRONG // RIGHT_EVERY)
    assert sandbox.count == len(statuses)


def told(answer):
    """An answer without what is different in each."""

    document = check_401(answer)
    headers = sorted(
        (name, value) for name, value in answer.headers
        if name.lower() not in ("trackingid", "date"))

    assert len(answer.header("TrackingID")) == len(document["trackingId"])
    return headers, answer.body.replace(document["trackingId"].encode(), b"")


def without_a_right_key(gateway):
    two = {"Authorization": f"Bearer {gateway.keys['acme']}",
           "X-API-Key": gateway.keys["bolt"]}

    return ({"Authorization": None}, {"Authorization": "Bearer wrong"},
            {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"},
            {"Authorization": None, "X-API-Key": "wrong"},
            {"Authorization": "Bearer " + "a" * 8000}, two)


def test_wrong_and_missing_look_the_same(logging):
    answers = [told(logging.update(headers))
               for headers in without_a_right_key(logging)]
    assert answers[1:] == answers[:-1]

    answers = [told(logging.update_http2(headers))
               for headers in without_a_right_key(logging)]
    assert answers[1:] == answers[:-1]


def test_only_the_log_tells_them_apart(logging):
    assert [line_of(logging, logging.update(headers))["reason"]
            for headers in without_a_right_key(logging)] \
        == ["no_key", "unknown_key", "no_key", "no_key", "unknown_key",
            "unknown_key", "two_keys"]
