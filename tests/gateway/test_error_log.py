# Copyright (C) The wholesale gateway authors

"""The error log: a line when something begins and one when it is over; each
request is a matter of "info"."""

import concurrent.futures
import os
import re
import time

import pytest

from gateway import status


TWO = {"name": "two", "rate": "1/h", "burst": 2}

# of the module's own lines, those that an operator sees by default
LOUD = re.compile(r"\[(notice|warn|error|crit|alert|emerg)\] .*wholesale")


def lines(running, pattern):
    return [line for line in running.log.splitlines()
            if re.search(pattern, line)]


def test_over_a_limit(gateway):
    running = gateway(workers=2, server=status.LOCATION, tenants={
        "acme": {"limits": [TWO]}, "bolt": {"limits": [TWO]}})

    for tenant in ("acme", "bolt"):
        for i in range(3):
            running.update({"TrackingID": f"{tenant}-{i}"}, tenant=tenant)

        status.wait_for(running, 3 if tenant == "acme" else 6)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: running.update().status, range(50)))

    assert answers == [429] * 50
    status.wait_for(running, 56)

    over = lines(running, r"\[warn\] .* is over its limit")
    assert len(over) == 2

    for tenant, line in zip(("acme", "bolt"), over):
        assert f'tenant "{tenant}" is over its limit "two": {tenant}-2 and ' \
            "what follows is refused with 429" in line

    assert len(lines(running, r"\[info\] .* is refused with 429, two,")) == 52
    assert not lines(running, "is within its limit")


def test_two_workers_begin_it_once(gateway):
    running = gateway(workers=4, server=status.LOCATION,
                      tenants={"acme": {"limits": [TWO]}})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: running.update(), range(100)))

    status.wait_for(running, 100)
    assert len(lines(running, "is over its limit")) == 1


@pytest.mark.skipif(os.environ.get("LONG") != "1",
                    reason="takes more than a minute")
def test_within_it_again(gateway):
    running = gateway(server=status.LOCATION, tenants={"acme": {"limits": [
        {"name": "quick", "rate": "1/s"}]}})

    # refused and let in by turns, which is one spell
    end = time.monotonic() + 5

    while time.monotonic() < end:
        running.update()
        time.sleep(0.2)

    assert len(lines(running, "is over its limit")) == 1
    assert not lines(running, "is within its limit")
    refused = status.requests(running)["acme"]["limited"]

    time.sleep(61)
    assert running.update({"TrackingID": "at-last"}).status == 202
    running.wait_for(lambda: lines(running, "is within its limit"), "the line")

    line, = lines(running, "is within its limit")
    assert "[notice]" in line
    assert f'tenant "acme" is within its limit "quick" again with at-last, ' \
        f"after {refused} refusals" in line

    assert running.update().status == 429
    running.wait_for(lambda: len(lines(running, "is over its limit")) == 2,
                     "the next one")


@pytest.mark.parametrize("options, told", (
    ({"body": b"{}"}, 'tenant "acme", mine: is refused with 400, invalid'),
    ({"headers": {"Authorization": None}},
     'tenant "", mine: is refused with 401, no_key'),
    ({"headers": {"Content-Type": "text/plain"}},
     'tenant "acme", mine: is refused with 415, content_type'),
    ({"method": "DELETE"}, 'tenant "", mine: is refused with 405, method'),
    ({"tenant": "closed"}, 'tenant "closed", mine: is refused with 403, '
                           "disabled"),
))
def test_a_refusal(the_gateway, options, told):
    options = {**options, "headers": {**options.get("headers", {}),
                                      "TrackingID": "mine"}}
    before = len(the_gateway.log)
    assert the_gateway.update(**options).status >= 400

    new = the_gateway.log[before:].splitlines()
    line, = (line for line in new if "wholesale: tenant" in line)
    assert f"[info]" in line and told in line

    # an unauthenticated flood, for one, has no way to fill a log
    assert not [line for line in new if LOUD.search(line)]


def test_a_pause_names_who_began_it(gateway, sandbox):
    running = gateway()
    sandbox.fail(status=429, headers=[("Retry-After", "5")])

    for i in range(5):
        assert running.update({"TrackingID": f"id-{i}"}).status == 429

    line, = lines(running, "paused for 5 s")
    assert 'webex answers 429 to tenant "acme", id-0: it is paused' in line


def test_subrequests(gateway):
    running = gateway(server="""
        location = /outside {
            mirror      /v1/wholesale/x;
            proxy_pass  http://webex;
        }
    """)

    with running.connect() as connection:
        for _ in range(5):
            connection.request("GET", "/outside", [("Host", "x")])

    running.wait_for(lambda: running.log.count("subrequests to guarded") == 1,
                     "the line")
