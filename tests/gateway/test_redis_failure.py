# Copyright (C) The wholesale gateway authors

"""Redis fails in every way that it is known to.

Whatever it is: no request waits for longer than the configured time, every
request is answered, limits hold by the counters of this machine, and when
Redis is back all is as before.
"""

import concurrent.futures
import contextlib
import os
import re
import socket
import time

import pytest

from gateway.gateway import REFERENCE
from gateway.load import descriptors, load, timed_update, updates_at_once
from gateway.redis import LOCATION, counters, trouble, wait_until_used
from gateway.redis_proxy import RedisProxy
from gateway.refusal import check_refusal

MANY = {"acme": {"limits": [{"name": "many", "quota": 100000,
                             "window": "1h"}]}}

THREE = {"limits": [{"name": "three", "rate": "3/h", "burst": 3}]}

LONG = os.environ.get("LONG") == "1"

# seconds that a busy machine may add to any time-out
GRACE = 0.5


def check_came_back(running, before, reason):
    """That it is used, that the log has a line for its going, with the reason,
    and one for its return, and that no descriptor was left open."""

    wait_until_used(running)

    gone, back = trouble(running)
    assert "[error]" in gone and re.search(reason, gone), gone
    assert "[notice]" in back and "is used again" in back, back

    running.wait_for(lambda: descriptors(running) <= before,
                     "descriptors to be closed")


@pytest.fixture
def proxied(gateway, redis, redis_proxy):
    """Starts a gateway that knows the proxy only, and has used Redis."""

    def start(*directives, tenants=None, **options):
        running = gateway(http=redis.block(*directives,
                                           server=redis_proxy.server),
                          location=LOCATION,
                          tenants={**MANY, **(tenants or {})}, **options)
        wait_until_used(running)
        return running

    return start


def test_refused(gateway, redis):
    redis.stop()
    running = gateway(http=redis.block(), location=LOCATION, tenants=MANY)

    # and Redis, when it is there
    before = descriptors(running) + 1

    for _ in range(10):
        answer, seconds = timed_update(running)
        assert answer.status == 202 and counters(answer) == "local"
        assert seconds < GRACE

    redis.start()
    check_came_back(running, before, "Connection refused")


def test_black_hole(proxied, redis_proxy):
    running = proxied("timeout 300ms", tenants={"bolt": THREE})
    before = descriptors(running)
    redis_proxy.black_hole = True

    results = updates_at_once(running, 16)
    assert {answer.status for answer, _ in results} == {202}
    assert {counters(answer) for answer, _ in results} == {"local"}
    assert 0.29 < max(seconds for _, seconds in results) < 0.3 + GRACE

    # now it is known: nobody waits, and limits hold all the same
    for _ in range(10):
        answer, _ = timed_update(running)
        assert answer.header("X-Redis-Time") is None

    assert [running.update(tenant="bolt").status for _ in range(4)] \
        == [202] * 3 + [429]

    redis_proxy.heal()
    check_came_back(running, before, "took too long")


def test_a_black_hole_from_the_start(gateway, redis):
    proxy = RedisProxy()
    running = gateway(http=redis.block("timeout 300ms", server=proxy.server),
                      location=LOCATION, tenants=MANY)

    answer, seconds = timed_update(running)
    assert counters(answer) == "local" and seconds < 0.3 + GRACE

    started = time.monotonic()
    running.stop()
    assert time.monotonic() - started < 1
    proxy.close()


def test_slow(proxied, redis_proxy):
    running = proxied("timeout 200ms")
    before = descriptors(running)

    redis_proxy.delay = 0.05
    answer, seconds = timed_update(running)
    assert counters(answer) == "redis" and seconds > 0.05
    assert 0.05 < float(answer.header("X-Redis-Time")) < 0.2

    redis_proxy.delay = 0.4
    answer, seconds = timed_update(running)
    assert counters(answer) == "local"
    assert 0.19 < float(answer.header("X-Redis-Time")) < 0.2 + GRACE

    redis_proxy.heal()
    check_came_back(running, before, "took too long")


def test_byte_by_byte(proxied, redis_proxy):
    running = proxied("timeout 500ms")
    redis_proxy.dribble = True

    assert counters(running.update()) == "redis"
    redis_proxy.drop()
    wait_until_used(running)


def cut(running, proxy, bytes):
    """One request whose reply ends after so many bytes; who counted it, None
    if the greeting was cut before it came."""

    counted = None
    proxy.cut = bytes
    proxy.drop()
    deadline = time.monotonic() + 10

    while proxy.cut is not None:
        answer = running.update()
        assert answer.status == 202
        assert time.monotonic() < deadline
        counted = counters(answer)

    wait_until_used(running)

    return counted


def test_cut_at_every_byte(gateway, redis):
    """Of greeting and reply, with LONG=1, otherwise at every third; several
    gateways share the work."""

    length = len("+OK\r\n+PONG\r\n*4\r\n:1\r\n$16\r\n1700000000000000\r\n"
                 "$10\r\n472222 9 0\r\n$0\r\n\r\n$0\r\n\r\n")
    cuts = range(1, length - 1, 1 if LONG else 3)
    parts = 4

    def cut_every(first):
        return [cut(running[first], proxies[first], bytes)
                for bytes in cuts[first::parts]]

    proxies = [RedisProxy(redis.port) for _ in range(parts)]
    running = [gateway(http=redis.block("timeout 500ms", server=proxy.server),
                       location=LOCATION, tenants=MANY) for proxy in proxies]

    for one in running:
        wait_until_used(one)

    before = [descriptors(one) for one in running]

    with concurrent.futures.ThreadPoolExecutor(parts) as pool:
        seen = sum(pool.map(cut_every, range(parts)), [])

    assert len(seen) == len(cuts)
    assert {"local"} <= set(seen) <= {"local", None}

    for one, number in zip(running, before):
        one.wait_for(lambda: descriptors(one) <= number, "descriptors")

    for proxy in proxies:
        proxy.close()


def test_hung_up(gateway, redis, redis_proxy):
    redis_proxy.hang_up = True
    running = gateway(http=redis.block(server=redis_proxy.server),
                      location=LOCATION, tenants=MANY)
    before = descriptors(running) + 1
    time.sleep(1)

    # not as fast as it can
    assert redis_proxy.connections < 8
    assert counters(running.update()) == "local"

    redis_proxy.heal()
    check_came_back(running, before, "closed|reset")


def test_an_idle_connection_that_is_closed(proxied, redis):
    running = proxied()
    time.sleep(1.1)
    redis.disconnect_gateways()
    time.sleep(0.1)

    assert counters(running.update()) == "redis"
    assert trouble(running) == []


def test_frozen(gateway, redis):
    running = gateway(http=redis.block("timeout 300ms"), location=LOCATION,
                      tenants=MANY)
    wait_until_used(running)
    before = descriptors(running)
    redis.freeze()

    for answer, seconds in updates_at_once(running, 16):
        assert counters(answer) == "local" and seconds < 0.3 + GRACE

    time.sleep(0.5)
    assert timed_update(running)[1] < GRACE

    redis.thaw()
    check_came_back(running, before, "took too long")


def test_out_of_memory(gateway, redis):
    running = gateway(http=redis.block(), location=LOCATION, tenants=MANY)
    wait_until_used(running)
    before = descriptors(running)

    redis.command("CONFIG", "SET", "maxmemory", 1)
    assert counters(running.update()) == "local"
    redis.command("CONFIG", "SET", "maxmemory", 0)
    check_came_back(running, before, "OOM")


def test_ready_only_when_it_can_count(gateway, redis):
    """Redis answers PING, but no request could be counted: a balancer must
    not bring the gateway back.  It sees by itself when that is over."""

    running = gateway(http=redis.block("on_failure deny"), tenants=MANY,
                      server="location = /ready { wholesale_ready; }")

    def ready():
        return running.get(target="/ready").status

    running.wait_for(lambda: running.update().status == 202, "its begin")
    assert ready() == 200

    redis.command("CONFIG", "SET", "maxmemory", 1)
    assert running.update().status == 503

    # some attempts to connect later, with no traffic
    end = time.monotonic() + 2

    while time.monotonic() < end:
        assert ready() == 503
        time.sleep(0.02)

    redis.command("CONFIG", "SET", "maxmemory", 0)
    running.wait_for(lambda: ready() == 200, "its return")
    assert running.update().status == 202

    gone, back = trouble(running)
    assert "OOM" in gone and "is used again" in back


def test_a_replica(gateway, redis):
    running = gateway(http=redis.block(), location=LOCATION, tenants=MANY)
    wait_until_used(running)
    before = descriptors(running)

    redis.command("REPLICAOF", "127.0.0.1", 1)
    assert counters(running.update()) == "local"
    redis.command("REPLICAOF", "NO", "ONE")
    check_came_back(running, before, "READONLY|closed the connection|UNBLOCKED")


def test_a_key_that_is_no_counter(gateway, redis):
    """Is that tenant's trouble, and nobody else's."""

    running = gateway(http=redis.block(), location=LOCATION,
                      tenants={**MANY, "bolt": THREE})
    wait_until_used(running)
    key = "wholesale:{4:bolt}:rate:1200000000:5:three"

    for command, value in (("HSET", ("a", "b")), ("SET", ("abc",)),
                           ("SET", ("9" * 17,)), ("SET", ("-5",))):
        redis.command("DEL", key)
        redis.command(command, key, *value)
        answer = running.update(tenant="bolt")
        assert counters(answer) in ("local", "redis")
        assert counters(running.update()) == "redis"

    lines = trouble(running)
    assert lines and all('limits of tenant "bolt"' in line for line in lines)


@pytest.mark.parametrize("choice", ("local", "allow", "deny"))
def test_on_failure(gateway, redis, choice):
    running = gateway(http=redis.block(f"on_failure {choice}"),
                      location=LOCATION, tenants={**MANY, "bolt": THREE})
    wait_until_used(running)
    redis.stop()
    running.wait_for(lambda: trouble(running), "its end to be noticed")

    answers = [running.update(tenant="bolt") for _ in range(6)]

    if choice == "local":
        assert [answer.status for answer in answers] == [202] * 3 + [429] * 3
        assert {counters(answer) for answer in answers} == {"local"}

    elif choice == "allow":
        assert [answer.status for answer in answers] == [202] * 6
        assert {counters(answer) for answer in answers} == {None}
        assert {answer.header("RateLimit") for answer in answers} == {None}
        assert None not in {answer.header("RateLimit-Policy")
                            for answer in answers}

    else:
        for answer in answers:
            check_refusal(answer, 503, reduced=True)
            assert answer.header("Retry-After") == "1"

    redis.start()
    running.wait_for(
        lambda: counters(running.update(tenant="bolt")) == "redis",
        "Redis to be used")


QUOTA = {"limits": [{"name": "three", "quota": 3, "window": "366d"}]}


@pytest.mark.parametrize("limits", (THREE, QUOTA), ids=("rate", "quota"))
@pytest.mark.parametrize("asked", ((3, 0, 0), (2, 1, 0), (1, 1, 1), (0, 0, 0)))
def test_what_the_fleet_may_admit(gateway, redis, limits, asked):
    """Each goes on from what it has admitted by Redis, so together never more
    than its size times the limit."""

    keys = {}
    fleet = [gateway(http=redis.block(), location=LOCATION, keys=keys,
                     tenants={"acme": limits, **{"bolt": MANY["acme"]}})
             for _ in asked]

    for running, number in zip(fleet, asked):
        wait_until_used(running, "bolt")

        for _ in range(number):
            answer = running.update()
            assert answer.status == 202 and counters(answer) == "redis"

    redis.stop()

    for running, number in zip(fleet, asked):
        running.wait_for(lambda: trouble(running), "its end to be noticed")

        answers = [running.update() for _ in range(5)]
        assert [answer.status for answer in answers] \
            == [202] * (3 - number) + [429] * (2 + number)
        assert {counters(answer) for answer in answers} == {"local"}


@pytest.mark.parametrize("limits", (THREE, QUOTA), ids=("rate", "quota"))
@pytest.mark.parametrize("size", (1, 2))
def test_what_the_fleet_may_admit_in_several_outages(gateway, redis, limits,
                                                     size):
    """What a gateway has admitted alone still counts when Redis, which knows
    nothing of it, is back."""

    keys = {}
    fleet = [gateway(http=redis.block("timeout 100ms"), location=LOCATION,
                     keys=keys, tenants={"acme": limits,
                                         "bolt": MANY["acme"]})
             for _ in range(size)]
    statuses = []

    def ask_all():
        for running in fleet:
            statuses.extend(running.update().status for _ in range(2))

    for _ in range(3):
        redis.freeze()

        for running in fleet:
            running.wait_for(
                lambda: counters(running.update(tenant="bolt")) == "local",
                "its end to be noticed")

        ask_all()
        redis.thaw()

        for running in fleet:
            wait_until_used(running, "bolt")

        ask_all()

    assert statuses.count(202) == 3 * size
    assert set(statuses) == {202, 429}

    answer = fleet[0].update()
    check_refusal(answer, 429)
    assert answer.header("RateLimit").startswith('"three";r=0;')


def test_killed_and_restarted_under_load(gateway, redis):
    running = gateway(workers=2, http=redis.block(), location=LOCATION,
                      tenants=MANY)
    wait_until_used(running)

    with load(running) as answers:
        for _ in range(2):
            redis.stop()
            time.sleep(0.2)
            redis.start()
            time.sleep(0.5)

        before = len(answers)
        running.wait_for(
            lambda: [counters(answer) for answer, _ in answers[-50:]]
            == ["redis"] * 50 and len(answers) > before + 50, "its return")

    assert {answer.status for answer, _ in answers} == {202}
    assert {counters(answer) for answer, _ in answers} == {"redis", "local"}


def test_reload_with_commands_in_flight(proxied, redis_proxy):
    running = proxied("timeout 2s")
    redis_proxy.delay = 0.05

    with load(running) as answers:
        for _ in range(3):
            time.sleep(0.1)
            running.reload()

    assert {answer.status for answer, _ in answers} == {202}
    assert {counters(answer) for answer, _ in answers} == {"redis"}


@pytest.mark.parametrize("black_hole", (False, True))
def test_a_worker_that_leaves_waits_for_its_reply(proxied, redis_proxy,
                                                  black_hole):
    running = proxied("timeout 300ms")
    redis_proxy.delay = 0.1
    redis_proxy.black_hole = black_hole

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.update)
        time.sleep(0.05)
        started = time.monotonic()
        running.stop()

        assert time.monotonic() - started < 0.3 + GRACE
        assert answer.result().status == 202


def test_the_client_is_gone_while_waiting(proxied, redis_proxy, sandbox):
    running = proxied("timeout 1s")
    before = descriptors(running)
    seen = sandbox.count
    redis_proxy.delay = 0.2

    for _ in range(3):
        connections = [running.connect() for _ in range(10)]

        for connection in connections:
            connection.send(running.encode_update())

        time.sleep(0.05)

        for connection in connections:
            connection.close()

    redis_proxy.heal()
    running.wait_for(lambda: descriptors(running) <= before, "descriptors")
    assert counters(running.update()) == "redis"

    # it was noticed: nothing was sent for them
    assert sandbox.count == seen + 1


@pytest.mark.parametrize("ignored", ("on", "off"))
def test_a_client_that_has_said_all(proxied, redis_proxy, sandbox, ignored):
    """One that closes its side only is, as by nginx's proxy, taken for gone,
    but not with proxy_ignore_client_abort."""

    running = proxied("timeout 2s",
                      proxy={"proxy_ignore_client_abort": ignored})
    redis_proxy.delay = 0.2
    sandbox.clear()

    with running.connect() as connection:
        connection.send(running.encode_update())
        connection.socket.shutdown(socket.SHUT_WR)

        if ignored == "on":
            answer = connection.answer()
            assert answer.status == 202 and counters(answer) == "redis"
        else:
            with contextlib.suppress(ConnectionResetError):
                assert connection.socket.recv(1) == b""

    assert sandbox.count == (ignored == "on")


def test_the_body_is_not_lost_while_waiting(proxied, redis_proxy, sandbox):
    running = proxied("timeout 1s")
    redis_proxy.delay = 0.1
    sandbox.clear()

    with running.connect() as connection:
        connection.send_slowly(running.encode_update(), 200, 0.01)
        assert connection.answer().status == 202

    assert sandbox.only_request.body == REFERENCE
