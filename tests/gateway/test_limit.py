# Copyright (C) The wholesale gateway authors

"""Step 4: rates, exact across workers, on local counters."""

import concurrent.futures
import os
import signal
import time

import pytest

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal


# twenty at once, and then one a minute
TWENTY = [{"name": "burst", "rate": "1/m", "burst": 20}]


def update_at_once(gateway, number, clients=16):
    """So many updates, each on its own connection."""

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda _: gateway.update(), range(number)))


def statuses(answers):
    return sorted(answer.status for answer in answers)


@pytest.mark.parametrize("workers", (1, 2, 4))
def test_twenty_and_not_one_more(gateway, sandbox, workers):
    running = gateway(workers=workers, tenants={"acme": {"limits": TWENTY}})
    answers = update_at_once(running, 21)

    assert statuses(answers) == [202] * 20 + [429]
    assert sandbox.count == 20

    refused, = (answer for answer in answers if answer.status == 429)
    document = check_refusal(refused, 429)
    assert document["violated-policies"] == ["burst"]

    # in a minute minus what has passed, a tenth more at most
    assert 50 <= int(refused.header("Retry-After")) <= 66


def test_a_flood(gateway, sandbox):
    running = gateway(workers=2, tenants={"acme": {"limits": TWENTY},
                                          "bolt": {}})

    assert statuses(update_at_once(running, 200)) == [202] * 20 + [429] * 180
    assert sandbox.count == 20

    # another tenant does not notice
    assert running.update(tenant="bolt").status == 202


def test_a_limit_of_a_plan(gateway):
    """Tenants share a plan, not its counters."""

    running = gateway(plans={"small": {"limits": [
        {"name": "tiny", "rate": "1/h", "burst": 2}]}},
        tenants={"acme": {"plan": "small"}, "bolt": {"plan": "small"}})

    for tenant in ("acme", "bolt"):
        answers = [running.update(tenant=tenant) for _ in range(3)]
        assert statuses(answers) == [202, 202, 429]

    document = check_refusal(answers[2], 429)
    assert document["violated-policies"] == ["tiny"]


def test_a_burst_of_one_by_default(gateway):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "slow", "rate": "1/d"}]}})

    assert statuses(running.update() for _ in range(3)) == [202, 429, 429]


def test_when_to_come_back(gateway, sandbox):
    running = gateway(workers=2, tenants={"acme": {"limits": [
        {"name": "steady", "rate": "1/s", "burst": 2}]}})

    answers = [running.update() for _ in range(3)]
    assert statuses(answers) == [202, 202, 429]

    # not too early: who waits so long is let in
    time.sleep(int(answers[2].header("Retry-After")))
    assert running.update().status == 202
    assert sandbox.count == 3


def test_a_refused_request_costs_nothing(gateway):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "steady", "rate": "2/s", "burst": 1}]}})

    assert running.update().status == 202
    end = time.monotonic() + 1.1
    refused = 0

    while running.update().status == 429:
        refused += 1
        assert time.monotonic() < end, "kept out for as long as it asks"

    assert refused > 2


def test_the_tightest_of_several(gateway):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "wide", "rate": "1/h", "burst": 5},
        {"name": "narrow", "rate": "1/h", "burst": 2}]}})
    answers = [running.update() for _ in range(3)]

    assert statuses(answers) == [202, 202, 429]
    assert answers[2].json["violated-policies"] == ["narrow"]


def test_all_or_none_is_counted(gateway):
    """What the narrow limit refuses costs the wide one nothing."""

    wide = {"name": "wide", "rate": "1/h", "burst": 3}
    running = gateway(tenants={"acme": {"limits": [
        wide, {"name": "narrow", "rate": "2/s", "burst": 1}]}})

    accepted = 0
    end = time.monotonic() + 4

    while accepted < 3 and time.monotonic() < end:
        accepted += running.update().status == 202

    assert accepted == 3

    time.sleep(0.6)
    assert running.update().json["violated-policies"] == ["wide"]


def test_every_call_counts(gateway):
    running = gateway(tenants={"acme": {"limits": TWENTY}})

    with running.connect() as connection:
        for _ in range(10):
            connection.send(running.encode_update())
            assert connection.answer().status == 202

    assert [running.get().status for _ in range(5)] == [200] * 5
    assert [running.update_http2().status for _ in range(5)] == [202] * 5
    assert running.get().status == 429
    assert running.update_http2().status == 429


def test_what_comes_before_the_limit_is_not_counted(gateway):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "tiny", "rate": "1/h", "burst": 2}]}})

    for _ in range(5):
        assert running.update({"Authorization": "Bearer wrong"}).status == 401
        assert running.update(method="DELETE").status == 405
        assert running.update(target="/v1/wholesale/x").status == 404

    assert statuses(running.update() for _ in range(3)) == [202, 202, 429]


def test_the_refusal_does_not_wait_for_the_body(gateway):
    running = gateway(tenants={"acme": {"limits": [
        {"name": "tiny", "rate": "1/h"}]}})

    assert running.update().status == 202

    with running.connect() as connection:
        connection.send(running.encode_update({"Content-Length": "1000"},
                                              body=b""))
        check_refusal(connection.answer(), 429)


def test_many_limits_in_a_small_zone(gateway):
    """Counters push each other out of it, but not those of one request."""

    limits = [{"name": f"l{number}", "rate": "1/h", "per": "customer"}
              for number in range(8)]
    running = gateway(http="wholesale_zone 32k;",
                      tenants={"acme": {"limits": limits}})

    with running.connect() as connection:
        for number in range(200):
            for refused in (False, True):
                connection.send(running.encode_update(
                    target=f"{CUSTOMERS}/{CUSTOMER}{number:04}"))
                assert (connection.answer().status == 429) is refused, number


@pytest.mark.parametrize("order", (1, -1), ids=("tenant", "customer"))
def test_refused_requests_push_nobody_out(gateway, order):
    """Who is over a limit takes no room in the zone, be it with customers
    whom nobody has seen before."""

    limits = [{"name": "tenant", "rate": "1/d"},
              {"name": "customer", "rate": "1/d", "per": "customer"}]
    running = gateway(http="wholesale_zone 32k;", tenants={
        "acme": {"limits": limits[::order]},
        "bolt": {"limits": [{"name": "one", "rate": "1/d"}]}})

    assert running.update(tenant="bolt").status == 202
    assert running.update().status == 202

    with running.connect() as connection:
        for number in range(400):
            connection.send(running.encode_update(
                target=f"{CUSTOMERS}/{CUSTOMER}{number:04}"))
            assert connection.answer().status == 429

    assert running.update(tenant="bolt").status == 429


def test_counters_survive_a_reload(gateway, sandbox):
    running = gateway(workers=2, tenants={"acme": {"limits": TWENTY}})

    assert statuses(update_at_once(running, 10)) == [202] * 10
    running.reload()
    assert statuses(update_at_once(running, 11)) == [202] * 10 + [429]
    running.reload()
    assert running.update().status == 429
    assert sandbox.count == 20


def test_counters_survive_a_worker_that_is_killed(gateway):
    running = gateway(tenants={"acme": {"limits": TWENTY}},
                      tolerated=[r"exited on signal 9"])

    assert statuses(update_at_once(running, 15)) == [202] * 15
    os.kill(running.workers()[-1], signal.SIGKILL)
    running.wait_for(lambda: len(running.workers()) == 2, "a new worker")
    assert statuses(update_at_once(running, 6)) == [202] * 5 + [429]
