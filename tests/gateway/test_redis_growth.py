# Copyright (C) The wholesale gateway authors

"""Whatever Redis does, over and over: no request is lost or hangs, nothing
grows, and it is used again by itself.

With LONG=1 in the environment for as many times as shows a small leak, too.
"""

import contextlib
import itertools
import os
import time

import pytest

from gateway.load import descriptors, load, memory, updates_at_once
from gateway.nginx import PRELOAD
from gateway.redis import LOCATION, counters, trouble, wait_until_used

MANY = {"acme": {"limits": [{"name": "many", "quota": 1000000,
                             "window": "1h"}]}}

LONG = os.environ.get("LONG") == "1"

ROUNDS = 20 if LONG else 3

# what memory that was freed may weigh as long as it is not used again
KILOBYTES = 256

# nobody waits for so long, however busy the machine is
SECONDS = 2


def answer(reply):
    """Every script is answered so."""

    @contextlib.contextmanager
    def fault(running, redis, proxy):
        proxy.replace = lambda data: reply * data.count(b"\r\nEVAL") or None
        yield
        proxy.heal()

    return fault


def attribute(name, value):
    """Of the proxy."""

    @contextlib.contextmanager
    def fault(running, redis, proxy):
        setattr(proxy, name, value)
        yield
        proxy.heal()

    return fault


def command(on, off):
    """To the real Redis."""

    @contextlib.contextmanager
    def fault(running, redis, proxy):
        redis.command(*on)
        yield
        redis.command(*off)

    return fault


@contextlib.contextmanager
def hung_up(running, redis, proxy):
    proxy.hang_up = True
    proxy.drop()
    yield
    proxy.heal()


@contextlib.contextmanager
def killed(running, redis, proxy):
    redis.stop()
    yield
    redis.start()


@contextlib.contextmanager
def killed_under_load(running, redis, proxy):
    with load(running) as answers:
        redis.stop()
        yield
        redis.start()
        wait_until_used(running)

    check(answers)


@contextlib.contextmanager
def frozen(running, redis, proxy):
    redis.freeze()
    yield
    redis.thaw()


CUTS = itertools.cycle((3, 12, 14, 40, 60))


@contextlib.contextmanager
def cut(running, redis, proxy):
    """After some byte of the greeting or of the reply."""

    proxy.cut = next(CUTS)
    proxy.drop()
    running.wait_for(lambda: running.update() and proxy.cut is None,
                     "the cut")
    yield


@contextlib.contextmanager
def wrong_password(running, redis, proxy):
    redis.command("ACL", "SETUSER", "gateway", "resetpass", ">other")
    redis.disconnect_gateways()
    yield
    redis.command("ACL", "SETUSER", "gateway", "resetpass",
                  f">{redis.password}")


@contextlib.contextmanager
def script_flush(running, redis, proxy):
    with load(running) as answers:
        for _ in range(5):
            redis.command("SCRIPT", "FLUSH")
            time.sleep(0.02)

    check(answers)
    assert {counters(answer) for answer, _ in answers} == {"redis"}
    redis.command("SCRIPT", "FLUSH")
    yield


@contextlib.contextmanager
def closed(running, redis, proxy):
    redis.disconnect_gateways()
    yield


@contextlib.contextmanager
def reload(running, redis, proxy):
    proxy.delay = 0.01

    with load(running) as answers:
        time.sleep(0.05)
        running.reload()

    check(answers)
    proxy.heal()
    yield


@contextlib.contextmanager
def client_gone(running, redis, proxy):
    proxy.delay = 0.02
    connections = [running.connect() for _ in range(20)]

    for connection in connections:
        connection.send(running.encode_update())

    time.sleep(0.01)

    for connection in connections:
        connection.close()

    proxy.heal()
    yield


ANSWER = b"*5\r\n:1\r\n$16\r\n1795432909616319\r\n" + 3 * b"$0\r\n\r\n"

# those that want a Redis with nothing before it
DIRECT = {"refused": killed, "killed under load": killed_under_load,
          "SIGSTOP": frozen}

FAULTS = {
    **DIRECT,
    "hung up": hung_up,
    "black hole": attribute("black_hole", True),
    "slow": attribute("delay", 0.5),
    "slow to hear": attribute("delay_asking", 0.5),
    "dribble": attribute("dribble", True),
    "cut": cut,
    "wrong type": answer(b"+OK\r\n"),
    "not RESP": answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "extra reply": answer(ANSWER + b"+OK\r\n"),
    "NOSCRIPT": script_flush,
    "NOSCRIPT for ever": answer(b"-NOSCRIPT No matching script.\r\n"),
    "LOADING": answer(b"-LOADING Redis is loading the dataset\r\n"),
    "READONLY": command(("REPLICAOF", "127.0.0.1", 1),
                        ("REPLICAOF", "NO", "ONE")),
    "OOM": command(("CONFIG", "SET", "maxmemory", 1),
                   ("CONFIG", "SET", "maxmemory", 0)),
    "NOAUTH": answer(b"-NOAUTH Authentication required.\r\n"),
    "WRONGPASS": wrong_password,
    "closed": closed,
    "reload": reload,
    "client gone": client_gone,
}

# nobody need notice these
HARMLESS = {"dribble", "NOSCRIPT", "reload", "client gone"}

# some connections may be so old that nobody need notice, either
CLOSED = {"closed"}

# this is not the end of the connection
COMMAND = {"NOSCRIPT for ever"}


def check(answers):
    assert answers

    for answer, seconds in answers:
        assert answer.status == 202
        assert seconds < SECONDS


def check_lines(lines, name):
    """One when it went and one when it was back, each time."""

    if name in HARMLESS:
        assert lines == []

    elif name in COMMAND:
        assert lines and all("for the limits of" in line for line in lines)

    else:
        assert lines or name in CLOSED
        assert len(lines) % 2 == 0
        assert all("cannot be used" in line for line in lines[::2])
        assert all("is used again" in line for line in lines[1::2])


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_grows(gateway, redis, redis_proxy, name):
    timeout = "5s" if name in HARMLESS else "250ms"
    server = None if name in DIRECT else redis_proxy.server
    running = gateway(http=redis.block(f"timeout {timeout}", server=server),
                      location=LOCATION, tenants=MANY)
    seen = set()

    def go_through_it(rounds):
        """How many descriptors and kilobytes there are then."""

        for _ in range(rounds):
            wait_until_used(running)

            with FAULTS[name](running, redis, redis_proxy):
                for _ in range(2):
                    answers = updates_at_once(running, 8)
                    check(answers)
                    seen.update(counters(answer) for answer, _ in answers)

        wait_until_used(running)
        return descriptors(running), memory(running)

    # until all that is kept for the next time is there
    before, kilobytes = go_through_it(2)
    _, grown = go_through_it(ROUNDS)

    running.wait_for(lambda: descriptors(running) <= before, "descriptors")

    # a sanitizer keeps what was freed
    assert PRELOAD or grown < kilobytes + KILOBYTES

    check_lines(trouble(running), name)
    assert seen == {"redis"} if name in HARMLESS \
        else "local" in seen or name in CLOSED
