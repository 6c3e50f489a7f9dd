# Copyright (C) The wholesale gateway authors

"""At full speed: limits are exact, and a Redis that hangs is not felt.

With LONG=1 in the environment as large as is promised, and timed; otherwise
smaller, to be done in seconds.
"""

import concurrent.futures
import os
import statistics
import time

import pytest

from gateway.redis import LOCATION, counters, wait_until_used

LONG = os.environ.get("LONG") == "1"

GATEWAYS = 4

QUOTA, REQUESTS = (1000, 5000) if LONG else (200, 1000)
SECONDS = 10 if LONG else 2

# it is not the debug log that is measured
QUIET = "error_log  error.log error;"

FORMAT = """
    log_format  timed  "$wholesale_counters $request_time "
                       "$upstream_response_time";
"""


@pytest.fixture
def fleet(gateway, redis):
    """Starts gateways that share this limit, and have the script."""

    def start(limit):
        keys = {}
        tenants = {"acme": {"limits": [limit]}, "bolt": {"limits": [
            {"name": "other", "quota": 1000, "window": "1h"}]}}

        running = [gateway(workers=2, http=redis.block("timeout 5s"),
                           location=LOCATION, keys=keys, tenants=tenants)
                   for _ in range(GATEWAYS)]

        for one in running:
            wait_until_used(one, "bolt")

        return running

    return start


def clients_of(fleet, client, each):
    """Runs client(gateway) at so many for each gateway; all their results."""

    with concurrent.futures.ThreadPoolExecutor(each * len(fleet)) as pool:
        return sum(pool.map(client, fleet * each), [])


def test_a_quota_is_exact(fleet, sandbox):
    each = 4
    running = fleet({"name": "exact", "quota": QUOTA, "window": "1d"})
    sandbox.clear()

    def client(gateway):
        answers = []

        with gateway.connect(timeout=30) as connection:
            for _ in range(REQUESTS // GATEWAYS // each):
                connection.send(gateway.encode_update())
                answers.append(connection.answer())

        return answers

    answers = clients_of(running, client, each)
    statuses = [answer.status for answer in answers]

    assert statuses.count(202) == QUOTA
    assert statuses.count(429) == len(answers) - QUOTA
    assert {counters(answer) for answer in answers} == {"redis"}
    assert sandbox.count == QUOTA


def test_a_rate_is_exact(fleet):
    """50/s with a burst of 20: in 10 s at most 520, and at least 510."""

    running = fleet({"name": "rate", "rate": "50/s", "burst": 20})
    started = time.monotonic()

    def client(gateway):
        admitted = []

        with gateway.connect(timeout=30) as connection:
            while time.monotonic() - started < SECONDS:
                connection.send(gateway.encode_update())
                admitted.append(connection.answer().status == 202)
                time.sleep(0.01)

        return admitted

    admitted = clients_of(running, client, 2)
    elapsed = time.monotonic() - started

    most = 20 + 50 * elapsed
    assert most - 10 <= sum(admitted) <= most, (sum(admitted), elapsed)
    assert len(admitted) > 1.5 * sum(admitted)


def test_frozen_under_load(gateway, redis, sandbox):
    """32 connections; Redis stops in the middle of it."""

    timeout = 0.05
    running = gateway(http=redis.block("timeout 50ms") + FORMAT,
                      server="access_log  timed.log timed;",
                      location=LOCATION + QUIET, tenants={"acme": {"limits": [
                          {"name": "many", "quota": 1000000,
                           "window": "1h"}]}})
    wait_until_used(running)
    ended = time.monotonic() + (3 if LONG else 1.2)

    def client(gateway):
        statuses = []

        with gateway.connect() as connection:
            while time.monotonic() < ended:
                connection.send(gateway.encode_update())
                statuses.append(connection.answer().status)

        return statuses

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        statuses = pool.submit(clients_of, [running], client, 32)
        time.sleep(0.5)
        redis.freeze()
        assert set(statuses.result()) == {202}

    redis.thaw()
    wait_until_used(running)

    seen = [line.split() for line
            in (running.folder / "timed.log").read_text().splitlines()]
    assert {counted for counted, _, _ in seen} == {"redis", "local"}

    # those in flight when it stopped; what Webex takes is not Redis's doing
    ours = sorted(float(request) - float(upstream)
                  for counted, request, upstream in seen
                  if counted == "local"
                  and float(request) >= timeout - 0.005)
    assert ours

    percentile = ours[int(0.99 * (len(ours) - 1))]
    assert percentile <= timeout + (0.02 if LONG else 0.15)


@pytest.mark.skipif(not LONG, reason="takes long, and a quiet machine")
def test_a_frozen_redis_costs_nothing(gateway, redis):
    """Median latency with the breaker open, and with no Redis at all."""

    tenants = {"acme": {"limits": [{"name": "many", "quota": 1000000,
                                    "window": "1h"}]}}
    location = LOCATION + QUIET
    frozen = gateway(http=redis.block("timeout 50ms"), location=location,
                     tenants=tenants)
    wait_until_used(frozen)
    without = gateway(location=location, tenants=tenants)
    redis.freeze()

    def latency(connection, running):
        started = time.perf_counter()
        connection.send(running.encode_update())
        assert counters(connection.answer()) == "local"
        return time.perf_counter() - started

    with frozen.connect() as one, without.connect() as other:
        for _ in range(20):
            latency(one, frozen)
            latency(other, without)

        pairs = [(latency(one, frozen), latency(other, without))
                 for _ in range(900)]

    redis.thaw()

    medians = [statistics.median(times) for times in zip(*pairs)]
    assert medians[0] <= 1.1 * medians[1], medians
