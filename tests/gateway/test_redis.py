# Copyright (C) The wholesale gateway authors

"""Limits that hold for all gateways which share a Redis."""

import concurrent.futures
import re
import time

import pytest

from gateway.dns import NameServer
from gateway.gateway import CUSTOMER
from gateway.redis import LOCATION, Redis, counters, trouble, wait_until_used
from gateway.refusal import check_refusal

THREE = {"acme": {"limits": [{"name": "three", "rate": "3/h", "burst": 3}]}}

MANY = {"acme": {"limits": [{"name": "many", "quota": 100000,
                             "window": "1h"}]}}


def test_two_gateways_share_their_counters(gateway, redis):
    keys = {}
    fleet = [gateway(http=redis.block(), location=LOCATION, tenants=THREE,
                     keys=keys) for _ in range(2)]

    answers = [fleet[number % 2].update() for number in range(5)]
    assert [answer.status for answer in answers] == [202] * 3 + [429] * 2
    assert [counters(answer) for answer in answers] == ["redis"] * 5
    assert [answer.header("X-RateLimit-Remaining") for answer in answers] \
        == ["2", "1", "0", "0", "0"]

    # how long Redis took is known of those that it was asked for
    assert 0 < float(answers[0].header("X-Redis-Time")) < 1
    assert fleet[0].update().header("X-Redis-Time") is None

    check_refusal(answers[3], 429)
    assert 1100 < int(answers[3].header("Retry-After")) <= 1320


def test_every_key_and_its_time_to_live(gateway, redis):
    running = gateway(http=redis.block(), tenants={"acme": {"limits": [
        {"name": "rate", "rate": "10/m", "burst": 5},
        {"name": "quick", "rate": "1000/s", "burst": 1000},
        {"name": "quota", "quota": 9, "window": "1h"},
        {"name": "each", "quota": 9, "window": "1d", "per": "customer"},
        {"name": "long", "quota": 9, "window": "366d"}]}})

    assert running.update().status == 202
    now = int(redis.command("TIME")[0])

    def end(window):
        return (now // window + 2) * window - now

    expected = {
        "rate:6000000:4:rate": 6,
        "rate:1000:5:quick": 0,         # gone after a millisecond
        "quota:3600000000:5:quota": end(3600),
        f"quota:86400000000:4:each:{len(CUSTOMER)}:{CUSTOMER}": end(86400),
        "quota:31622400000000:4:long": end(366 * 86400),
    }

    seen = {key: redis.command("PTTL", key) for key in redis.keys()}
    assert set(seen) <= {f"wholesale:{{4:acme}}:{key}" for key in expected}

    for key, seconds in expected.items():
        ttl = seen.get(f"wholesale:{{4:acme}}:{key}")

        if seconds:
            assert (seconds - 1) * 1000 - 500 < ttl <= seconds * 1000 + 1000
        else:
            assert ttl is None or ttl <= 1


def test_tenants_have_their_own_keys(gateway, redis):
    """Whatever their names are."""

    limits = {"limits": [{"name": "a", "quota": 2, "window": "1d"}]}
    running = gateway(http=redis.block(), tenants={
        "t": limits, "t_1": limits, "1-t": limits})

    for tenant in ("t", "t_1", "1-t"):
        assert [running.update(tenant=tenant).status for _ in range(3)] \
            == [202, 202, 429]

    assert len(redis.keys()) == 3


@pytest.mark.parametrize("how", ("name", "socket"))
def test_other_ways_to_it(gateway, redis, how):
    server = f"localhost:{redis.port}" if how == "name" \
        else f"unix:{redis.folder}/socket"
    running = gateway(http=redis.block(server=server), location=LOCATION,
                      tenants=MANY)

    wait_until_used(running)


def test_a_database_and_a_prefix(gateway, redis):
    redis.command("ACL", "SETUSER", "gateway", "+select", "~other:*")
    running = gateway(http=redis.block("database 3", "key_prefix other:"),
                      location=LOCATION, tenants=MANY)

    wait_until_used(running)
    assert redis.keys() == []
    redis.command("SELECT", 3)
    assert redis.keys() == ["other:{4:acme}:quota:3600000000:4:many"]


def test_script_flush(gateway, redis):
    running = gateway(http=redis.block("timeout 2s"), location=LOCATION,
                      tenants={"acme": {"limits": [
                          {"name": "forty", "rate": "40/h", "burst": 40}]}})

    redis.command("SCRIPT", "FLUSH")

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: running.update(), range(20)))
        redis.command("SCRIPT", "FLUSH")
        answers += pool.map(lambda _: running.update(), range(25))

    assert sorted(answer.status for answer in answers) \
        == [202] * 40 + [429] * 5
    assert {counters(answer) for answer in answers} == {"redis"}
    assert trouble(running) == []


def test_one_write_for_all_of_a_turn(gateway, redis, redis_proxy):
    running = gateway(http=redis.block("timeout 2s",
                                       server=redis_proxy.server),
                      location=LOCATION, tenants=MANY)
    wait_until_used(running)

    connections = [running.connect() for _ in range(30)]
    time.sleep(0.1)
    redis_proxy.writes.clear()

    # they all come while the worker is away
    with running.frozen_worker():
        for connection in connections:
            connection.send(running.encode_update())

    for connection in connections:
        assert counters(connection.answer()) == "redis"
        connection.close()

    writes = [data.count(b"EVALSHA") for data in redis_proxy.writes]
    assert sum(writes) == 30
    assert len(writes) <= 3, writes


def test_a_password_that_changes(gateway, redis):
    """Is used at the next connect; and no password is in a log."""

    running = gateway(http=redis.block(), location=LOCATION, tenants=MANY)
    wait_until_used(running)

    redis.command("ACL", "SETUSER", "gateway", "resetpass", ">new")
    redis.disconnect_gateways()
    running.wait_for(lambda: counters(running.update()) == "local"
                     and "WRONGPASS" in running.log, "the old one to fail")

    redis.write_password("new")
    wait_until_used(running)

    gone, back = trouble(running)
    assert "cannot be used" in gone and "is used again" in back


@pytest.mark.parametrize("rights,said", (
    ("resetpass", "WRONGPASS"), ("off", "WRONGPASS"),
    ("resetkeys", "NOPERM|No permissions"), ("-evalsha", "NOPERM"),
    ("-time", "NOPERM|can't run|ACL failure")))
def test_rights_that_are_missing(gateway, redis, rights, said):
    redis.command("ACL", "SETUSER", "gateway", rights)
    running = gateway(http=redis.block(), location=LOCATION, tenants=THREE)

    answers = [running.update() for _ in range(4)]
    assert [answer.status for answer in answers] == [202] * 3 + [429]
    assert counters(answers[3]) == "local"
    running.wait_for(lambda: re.search(f"\\[error\\].*({said})", running.log),
                     said)


@pytest.mark.parametrize("missing", ("-eval", "-evalsha", "-set", "-get",
                                     "-time"))
def test_a_right_that_is_missing_is_told_once(gateway, redis, missing):
    """However often it is asked meanwhile, and when it is there again."""

    redis.command("ACL", "SETUSER", "gateway", missing)
    running = gateway(http=redis.block(), location=LOCATION, tenants=MANY)

    # for long enough to have tried again some times
    end = time.monotonic() + 1.5

    while time.monotonic() < end:
        answer = running.update()
        assert answer.status == 202 and counters(answer) == "local"

    gone, = trouble(running)
    assert "cannot be used" in gone

    redis.command("ACL", "SETUSER", "gateway", missing.replace("-", "+"))
    wait_until_used(running)

    gone, back = trouble(running)
    assert "[notice]" in back and "is used again" in back


def test_no_user(gateway, redis):
    running = gateway(
        http=f"wholesale_redis {{ server 127.0.0.1:{redis.port}; }}",
        location=LOCATION, tenants=THREE)

    running.wait_for(lambda: re.search(r"\[error\].*NOAUTH", running.log),
                     "NOAUTH")
    assert counters(running.update()) == "local"


def test_two_redises_are_two(gateway, redis, tmp_path_factory):
    other = Redis(tmp_path_factory.mktemp("other")).start()
    keys = {}

    try:
        for one in (redis, other):
            running = gateway(http=one.block(), tenants=THREE, keys=keys)
            assert [running.update().status for _ in range(4)] \
                == [202] * 3 + [429]
    finally:
        other.stop()


def test_a_name_that_is_resolved(gateway, redis):
    """Every address is tried; nobody waits for a name server."""

    with NameServer("127.0.0.9", "127.0.0.1", "127.0.0.8") as names:
        running = gateway(
            http=redis.block("timeout 50ms",
                             server=f"redis.test:{redis.port}")
            + f"resolver 127.0.0.1:{names.port} valid=1s ipv6=off;",
            location=LOCATION, tenants=MANY)
        wait_until_used(running)
        assert names.asked

        # it moves away: its name is no more, or nobody knows
        for names.addresses in ((), None):
            redis.stop()
            time.sleep(1.1)
            started = time.monotonic()
            assert counters(running.update()) == "local"
            assert time.monotonic() - started < 0.2

            redis.start()
            names.addresses = ("127.0.0.1",)
            wait_until_used(running)
