# Copyright (C) The wholesale gateway authors

"""How the cost grows with the work, and what a connection costs in memory."""

import contextlib
import http.client
import itertools
import json
import socket
import sys
import time

import subjects
from load import Request
from redis import Redis
from rounds import Rounds
from setting import GROWTH_SECONDS, PATH, QUICK, REFERENCE, ROUNDS, USUAL
from table import of, table


BODIES = (1, 64) if QUICK else (1, 4, 16, 64)               # KiB
TENANTS = (10, 1000) if QUICK else (10, 1000, 100000)
LIMITS = (1, 8) if QUICK else (1, 2, 4, 8)

# connections that are open at once, to see what one of them takes
OPEN = 500
WAIT_SECONDS = 20


@contextlib.contextmanager
def running(things):
    started = []

    try:
        for thing in things:
            started.append(thing)
            thing.start()

        yield
    finally:
        for thing in reversed(started):
            thing.stop()


def body_of(size):
    """A valid update of exactly so many KiB: its list of packages is long, and
    every name in it is looked at."""

    update = json.loads(REFERENCE)
    names = itertools.cycle(update["packages"])
    room = size * 1024 - len(json.dumps(update))

    while room >= len(name := next(names)) + len('"", '):
        update["packages"].append(name)
        room -= len(name) + len('"", ')

    return json.dumps(update).encode().ljust(size * 1024)


def bodies(upstream):
    pair = (subjects.plain(upstream, "plain, bodies"),
            subjects.gateway("gateway, bodies", upstream))
    rows = []

    with running(pair):
        for size in BODIES:
            request = Request(f"body-{size}", 202, body_of(size), subjects.KEY)
            rounds = Rounds().run([(subject, request) for subject in pair],
                                  (USUAL,), ROUNDS, GROWTH_SECONDS,
                                  f"bodies of {size} KiB")
            base, cpu = (of(rounds[subject.name, USUAL], "cpu")
                         for subject in pair)
            rows.append((f"{size} KiB", base.text(), cpu.text(), cpu.spread(),
                         f"{cpu.median / base.median:.2f}"))

    return table(("body", "nginx, µs", "gateway, µs", "spread", "ratio"),
                 rows)


def side_by_side(what, made, request):
    """made: a dictionary of subjects, by what they are called in the table."""

    with running(made.values()):
        rounds = Rounds().run([(subject, request)
                               for subject in made.values()], (USUAL,),
                              ROUNDS, GROWTH_SECONDS, what)
        rows = []

        for name, subject in made.items():
            cpu = of(rounds[subject.name, USUAL], "cpu")
            memory = subject.process.memory()
            rows.append((name, cpu.text(), cpu.spread(),
                         f"{memory.private / 1024:.1f}"))

    return table((what, "µs", "spread", "worker, MiB"), rows)


def tenants(upstream, request):
    return side_by_side("tenants", {
        f"{n:,}": subjects.gateway(f"gateway, {n} tenants", upstream,
                                   tenants=n) for n in TENANTS}, request)


def limits_of(n):
    return [{"name": f"limit{i}", "rate": "1000000/s", "burst": 1000000}
            if i % 2 == 0 else
            {"name": f"limit{i}", "quota": 1000000000, "window": "1d"}
            for i in range(n)]


def limits(upstream, request):
    redis = Redis("limits")

    with running((redis,)):
        made = {}

        for where, server in (("here", None), ("in Redis", redis)):
            for n in LIMITS:
                made[f"{n}, {where}"] = subjects.gateway(
                    f"gateway, {n} limits {where}", upstream, redis=server,
                    limits=limits_of(n))

        return side_by_side("limits", made, request)


# memory

def ask(connection):
    connection.request("PUT", PATH, REFERENCE, {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {subjects.KEY}"})


def connections(port):
    for _ in range(OPEN):
        yield http.client.HTTPConnection("127.0.0.1", port, 30)


def idle(subject):
    """KiB for a connection that has been answered, and waits for more."""

    before = subject.process.memory().private
    opened = list(connections(subject.port))

    for connection in opened:
        ask(connection)
        answer = connection.getresponse()
        answer.read()

    after = subject.process.memory().private

    for connection in opened:
        connection.close()

    return (after - before) / OPEN


def waiting(subject):
    """KiB for one whose update Webex has, and has not answered."""

    before = subject.process.memory().private
    opened = list(connections(subject.port))

    for connection in opened:
        ask(connection)

    # two descriptors each: from the client, and to Webex
    deadline = time.monotonic() + WAIT_SECONDS

    while subject.process.descriptors() < 2 * OPEN:
        if time.monotonic() > deadline:
            sys.exit(f"{subject.name} does not forward {OPEN} updates")

        time.sleep(0.05)

    after = subject.process.memory().private

    for connection in opened:
        connection.close()

    return (after - before) / OPEN


def memory(upstream):
    rows = []

    # takes every connection, and reads none
    with socket.create_server(("127.0.0.1", 0), backlog=4 * OPEN) as hole:
        port = hole.getsockname()[1]

        for name, make in (("nginx proxy_pass", subjects.plain),
                           ("gateway", lambda upstream, name:
                            subjects.gateway(name, upstream))):
            answered = make(upstream, name=f"{name}, idle")
            unanswered = make(port, name=f"{name}, waiting")

            with running((answered, unanswered)):
                rows.append((name, f"{idle(answered):.1f}",
                             f"{waiting(unanswered):.1f}"))

    return table(("KiB for a connection", "idle", "waiting for Webex"), rows)
