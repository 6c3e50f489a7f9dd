# Copyright (C) The wholesale gateway authors

"""Whoever is known to be refused costs Redis nothing."""

import time

from gateway.gateway import CUSTOMER, CUSTOMERS
from gateway.refusal import check_refusal

OTHER = "Y2lzY29zcGFyazovL3VzL0VOVEVSUFJJU0UvMDAwMDAwMDA"

TWO = [{"name": "hourly", "rate": "2/h", "burst": 2}]


def test_one_command_for_each_admitted_request(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "burst", "rate": "10/s", "burst": 20},
        {"name": "daily", "quota": 5, "window": "1d"},
        {"name": "customer", "rate": "100/m", "burst": 50,
         "per": "customer"}]}})

    # the script gets to know Redis
    assert running.update().status == 202
    monitor = redis.monitor()

    assert [running.update().status for _ in range(4)] == [202] * 4
    assert monitor.commands() == ["EVALSHA"] * 4

    # the first that is refused is how one knows
    assert running.update().status == 429
    assert monitor.commands() == ["EVALSHA"]

    answers = [running.update() for _ in range(30)]
    assert monitor.commands() == []
    monitor.close()

    for answer in answers:
        document = check_refusal(answer, 429)
        assert document["violated-policies"] == ["daily"]
        assert 0 < int(answer.header("Retry-After")) <= 2 * 86400 * 1.1


def test_one_worker_knows_for_all(gateway, redis):
    running = gateway(workers=4, http=redis.block(),
                      tenants={"acme": {"limits": TWO}})

    assert [running.update().status for _ in range(3)] == [202, 202, 429]
    monitor = redis.monitor()
    assert [running.update().status for _ in range(40)] == [429] * 40
    assert monitor.commands() == []

    # and the new ones, too
    running.reload()
    assert [running.update().status for _ in range(10)] == [429] * 10
    assert monitor.commands() == []
    monitor.close()


def test_it_ends_when_it_said(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "steady", "rate": "1/s", "burst": 1}]}})

    assert running.update().status == 202
    started = time.monotonic()
    monitor = redis.monitor()
    refused = 0

    while running.update().status == 429:
        refused += 1
        assert time.monotonic() - started < 1.5

    assert time.monotonic() - started > 0.9
    assert refused > 3

    # one to learn of the refusal, one or two when it was over
    assert len(monitor.commands()) <= 3
    monitor.close()


def test_never_too_early(gateway, redis, redis_proxy):
    """Redis decides when it hears of a request, which may be some time after
    that was sent."""

    running = gateway(
        http=redis.block("timeout 2s", server=redis_proxy.server),
        tenants={"acme": {"limits": [{"name": "slow", "rate": "20/m"}]}})

    running.wait_for(lambda: redis_proxy.connections, "a connection")
    redis_proxy.delay_asking = 0.4
    assert running.update().status == 202

    # the next one may come, by Redis's clock, which is ours
    key, = redis.keys()
    arrival = int(redis.command("GET", key)) / 1e6
    asked = 0

    while (answer := running.update()).status == 429:
        assert time.time() + int(answer.header("Retry-After")) >= arrival
        asked += 1

    assert asked > 30
    assert time.time() >= arrival


def test_the_time_that_remains(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "slow", "rate": "30/m", "burst": 1}]}})

    assert running.update().status == 202
    seen = []

    for pause in (1, 0):
        answer = running.update()
        assert answer.status == 429
        seen.append(int(answer.header("RateLimit").rpartition("t=")[2]))
        time.sleep(pause)

    assert seen == [2, 1]


def test_a_customer_and_not_the_others(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "customer", "rate": "1/h", "per": "customer"}]}})

    monitor = redis.monitor()
    assert [running.update().status for _ in range(2)] == [202, 429]
    assert running.update(target=f"{CUSTOMERS}/{OTHER}").status != 429
    assert monitor.commands() == ["EVALSHA", "EVAL", "EVALSHA", "EVALSHA"]

    # however the id is written
    for padding in ("", "=", "==", "%3D", "%3D="):
        answer = running.update(target=f"{CUSTOMERS}/{CUSTOMER}{padding}")
        assert answer.status == 429
        assert answer.json["violated-policies"] == ["customer"]

    assert monitor.commands() == []
    monitor.close()


def test_a_limit_that_is_raised_is_asked_for(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "daily", "quota": 2, "window": "1d"}]}})

    assert [running.update().status for _ in range(4)] == [202, 202, 429, 429]

    running.write_tenants({"acme": {"limits": [
        {"name": "daily", "quota": 3, "window": "1d"}]}})
    running.reload()
    running.wait_for(lambda: running.update().status == 202, "the new limit")
    assert running.update().status == 429


def test_they_hold_when_redis_is_gone(gateway, redis):
    running = gateway(http=redis.block(), tenants={
        "acme": {"limits": TWO}, "bolt": {"limits": TWO}})

    assert [running.update().status for _ in range(3)] == [202, 202, 429]
    redis.stop()
    assert running.update().status == 429
    assert running.update(tenant="bolt").status == 202


def test_dry_run_is_not_remembered(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "trial", "rate": "1/h", "dryRun": True}]}})

    monitor = redis.monitor()
    assert [running.update().status for _ in range(4)] == [202] * 4
    assert monitor.commands() == ["EVALSHA", "EVAL"] + ["EVALSHA"] * 3
    monitor.close()


def test_a_small_zone(gateway, redis):
    """Refusals push each other out of it, and are asked for again."""

    running = gateway(http=redis.block() + "wholesale_zone 32k;",
                      tenants={"acme": {"limits": [
                          {"name": "customer", "rate": "1/h",
                           "per": "customer"}]}})

    with running.connect() as connection:
        for number in range(300):
            for wanted in (None, 429):
                connection.send(running.encode_update(
                    target=f"{CUSTOMERS}/{OTHER}{number:04}"))
                status = connection.answer().status
                assert (status == 429) is (wanted == 429), number

    assert running.update().status == 202
    assert running.update().status == 429
