#!/usr/bin/python3

# Copyright (C) The wholesale gateway authors

"""What the gateway costs, beside nginx alone and beside peers that do the same.

    MODULE=... bench.py [REPORT]

prints the report and writes it to REPORT.  README.md says how to read it.
"""

import datetime
import os
import pathlib
import platform
import re
import shutil
import sys
import time

import agreement
import growth
import subjects
from load import Request
from process import Delay
from redis import Redis
from rounds import Rounds
from setting import (
    CONNECTIONS, DELAY, FOLDER, GROWTH_SECONDS, QUICK, REDIS_DELAY, REFERENCE,
    ROUNDS, SECONDS, USUAL)
from table import Figure, of, table


# where CPU with and without Redis is compared: a turn of the event loop has
# one command there, and many here
REDIS_CONNECTIONS = (1, 64)

# of script calls for each request; fewer, and the figure is another's
COUNTED_LEAST = 0.98

PLAIN = "nginx proxy_pass"
LOCAL = "gateway, counters here"
REDIS = "gateway, Redis"
FAR = "gateway, Redis 2 ms away"
STALLED = "gateway, Redis stalled"
LUA = "Lua in nginx, Redis"
FASTIFY = "Fastify, Redis"

WRONG_BODY = REFERENCE.replace(b'"US"', b'"USA"', 1)

BARE_BODY = '{"message": "no"}'


class Bench:
    def __init__(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)

        self.upstream = subjects.upstream()
        self.accepted = Request("accepted", 202, REFERENCE, subjects.KEY)

        self.servers = {name: Redis(name)
                        for name in (REDIS, FAR, STALLED, LUA, FASTIFY)}
        self.delay = Delay(DELAY, self.servers[FAR].port, REDIS_DELAY)

    def make(self):
        port = self.upstream.port
        servers = self.servers

        made = [
            subjects.plain(port, PLAIN),
            subjects.gateway(LOCAL, port),
            subjects.gateway(REDIS, port, servers[REDIS]),
            subjects.gateway(FAR, port, servers[FAR], port=self.delay.port),
            subjects.gateway(STALLED, port, port=servers[STALLED].port,
                             timeout="50ms"),
            subjects.lua(LUA, port, servers[LUA]),
            subjects.fastify(FASTIFY, port, servers[FASTIFY]),
        ]

        self.subjects = {subject.name: subject for subject in made
                         if subject is not None}

    def run(self):
        """The parts of the report."""

        with growth.running((self.upstream,)):
            parts = [self.updates_and_refusals()]

            parts += [
                "## As the work grows\n\n"
                f"At {USUAL} connections, counters here where nothing else is "
                "said.",
                growth.bodies(self.upstream.port),
                growth.tenants(self.upstream.port, self.accepted),
                growth.limits(self.upstream.port, self.accepted),
                growth.memory(self.upstream.port)]

        return [*parts, "## Targets", self.targets()]

    def updates_and_refusals(self):
        with growth.running((*self.servers.values(), self.delay)):
            self.make()

            with growth.running(self.subjects.values()):
                self.accepted.check(self.subjects[STALLED])
                self.servers[STALLED].freeze()
                judged = self.agreement()
                self.measure_updates()
                self.measure_redis()
                self.measure_memory()
                refusals = self.measure_refusals()

        return "\n\n".join((
            self.updates(), judged, self.redis_report(),
            self.memory_report(), refusals))

    def agreement(self):
        """Before anything is measured: it is not what workers grow by."""

        return agreement.report([
            self.subjects[name] for name in (LOCAL, LUA, FASTIFY)
            if name in self.subjects])

    # accepted updates

    def measure_updates(self):
        self.rounds = Rounds().run(
            [(subject, self.accepted) for subject in self.subjects.values()],
            CONNECTIONS, ROUNDS, SECONDS, "accepted updates")

    def updates(self):
        rows = []

        for n in CONNECTIONS:
            base = of(self.rounds[PLAIN, n], "cpu")
            base_median = of(self.rounds[PLAIN, n], "median")

            for name in self.subjects:
                samples = self.rounds[name, n]
                cpu, rate, median, late = (
                    of(samples, what)
                    for what in ("cpu", "rate", "median", "late"))

                rows.append((
                    name, n, cpu.text(), cpu.spread(),
                    f"{cpu.median / base.median:.2f}", rate.text(0),
                    rate.spread(0), median.text(0), median.spread(0),
                    f"{median.median - base_median.median:+,.0f}",
                    late.text(0), self.counted(samples)))

        return "## Accepted updates\n\n" + table(
            ("", "connections", "CPU, µs", "spread", "ratio", "requests/s",
             "spread", "median, µs", "spread", "added", "99 %, µs",
             "in Redis"), rows) + (
            "\n\n`ratio` and `added`: beside nginx's proxy_pass.  `in Redis`: "
            "script calls for each request; the rest was counted by the "
            "gateway itself, because Redis did not answer in time.")

    def counted(self, samples):
        return "" if samples[0].commands is None \
            else of(samples, "commands").text(2)

    # Redis

    def measure_redis(self):
        self.with_redis = Rounds()
        pairs = [(self.subjects[name], self.accepted)
                 for name in (LOCAL, REDIS)]

        self.with_redis.run(pairs, REDIS_CONNECTIONS, ROUNDS, SECONDS,
                            "with Redis and without")

    def redis_report(self):
        rows = []

        for n in REDIS_CONNECTIONS:
            pairs = zip(self.with_redis[REDIS, n], self.with_redis[LOCAL, n])
            more = Figure.of(one.cpu - other.cpu for one, other in pairs)
            rows.append((n, of(self.with_redis[LOCAL, n], "cpu").text(),
                         of(self.with_redis[REDIS, n], "cpu").text(),
                         more.text(), more.spread()))

        samples = self.with_redis[REDIS, REDIS_CONNECTIONS[-1]]
        commands, received, sent = (
            of(samples, what) for what in ("commands", "received", "sent"))

        return ("## What Redis costs the gateway\n\n" + table(
            ("connections", "without, µs", "with, µs", "more", "spread"),
            rows) + "\n\n"
            f"For each update, with two limits: {commands.text(2)} commands, "
            f"{received.text(0)} bytes to Redis and {sent.text(0)} from it.")

    # memory

    def measure_memory(self):
        self.memory = {name: subject.process.memory()
                       for name, subject in self.subjects.items()}

    def memory_report(self):
        return "## Memory of the worker after all that\n\n" + table(
            ("", "private, MiB", "most that was resident, MiB"),
            [(name, f"{memory.private / 1024:.1f}",
              f"{memory.peak / 1024:.1f}")
             for name, memory in self.memory.items()])

    # refusals

    def measure_refusals(self):
        gateway, lua = self.subjects[REDIS], self.subjects.get(LUA)
        self.refusals = {}
        parts = []

        for status, body, key in (
                (429, REFERENCE, subjects.OVER_KEY),
                (401, REFERENCE, "not a key"),
                (400, WRONG_BODY, subjects.KEY)):
            parts.append(self.measure_refusal(
                Request(f"refused-{status}", status, body, key),
                subjects.bare(status, BARE_BODY), gateway, lua))

        rows = [row for n in CONNECTIONS for part in parts
                for row in part[n]]

        return ("## Refusals\n\n" + table(
            ("", "connections", "CPU, µs", "spread", "requests/s", "spread",
             "of return"), rows)
            + "\n\n`of return`: the throughput beside nginx's bare `return` "
            "of the same status.")

    def measure_refusal(self, request, bare, *measured):
        """Rows by the number of connections."""

        if request.status == 429:
            self.use_up(measured)

        measured = [subject for subject in measured if subject is not None]

        with growth.running((bare,)):
            rounds = Rounds().run(
                [(subject, request) for subject in (bare, *measured)],
                CONNECTIONS, ROUNDS, GROWTH_SECONDS, f"{request.status}s")

        rows = {}

        for n in CONNECTIONS:
            base = of(rounds[bare.name, n], "rate")
            rows[n] = []

            for subject in (bare, *measured):
                cpu, rate = (of(rounds[subject.name, n], what)
                             for what in ("cpu", "rate"))
                share = rate.median / base.median
                self.refusals[request.status, subject.name, n] = share
                name = subject.name if subject is bare \
                    else f"{subject.name}: {request.status}"
                rows[n].append((name, n, cpu.text(), cpu.spread(),
                                rate.text(0), rate.spread(0),
                                f"{share:.2f}"))

        return rows

    def use_up(self, measured):
        """The one update that the tenant over its limit has."""

        once = Request("once", 202, REFERENCE, subjects.OVER_KEY)

        for subject in measured:
            if subject is not None:
                once.check(subject)

    # targets

    def targets(self):
        def cpu(name):
            return of(self.rounds[name, USUAL], "cpu").median

        def median(name):
            return of(self.rounds[name, CONNECTIONS[0]], "median").median

        lines = [
            self.target("CPU of an accepted update, with Redis, beside plain "
                        f"nginx at {USUAL} connections"
                        + self.doubt(REDIS, USUAL),
                        cpu(REDIS) / cpu(PLAIN), 2.0, "at most", "×"),
            self.target("the same, with counters here",
                        cpu(LOCAL) / cpu(PLAIN), 1.8, "at most", "×")]

        if LUA in self.subjects:
            lines.append(self.target(
                "CPU of an accepted update, with Redis, beside the Lua peer "
                f"at {USUAL} connections", cpu(REDIS) / cpu(LUA), 0.6,
                "at most", "×"))

        lines += [
            self.target("throughput of 429s beside return 429 at "
                        f"{USUAL} connections",
                        self.refusals[429, REDIS, USUAL], 0.8, "at least",
                        "×"),
            self.target("latency added at the median, with Redis 2 ms away, "
                        f"at {CONNECTIONS[0]} connection"
                        + self.doubt(FAR, CONNECTIONS[0]),
                        (median(FAR) - median(PLAIN)) / 1000, 2.3, "at most",
                        " ms")]

        return "\n".join(lines)

    def doubt(self, name, n):
        """What is to be said where Redis was not asked each time."""

        counted = of(self.rounds[name, n], "commands").median

        return "" if counted > COUNTED_LEAST \
            else f" (doubtful: {counted:.2f} calls of Redis for each)"

    def target(self, what, figure, bound, how, unit):
        met = figure <= bound if how == "at most" else figure >= bound

        return (f"- **{'met' if met else 'missed'}**: {what}: "
                f"{figure:.2f}{unit}, {how} {bound}{unit}")




def machine():
    model = re.search(r"model name\s*: (.*)",
                      pathlib.Path("/proc/cpuinfo").read_text())

    return (f"{os.cpu_count()} × "
            f"{model[1] if model else platform.machine()}, Linux "
            f"{platform.release().split('-')[0]}")


def head():
    now = datetime.datetime.now(datetime.timezone.utc)
    versions = "; ".join(f"{name}: {text}" for name, text
                         in subjects.versions().items())

    return (
        "# What the gateway costs\n\n"
        f"{now:%Y-%m-%d %H:%M} UTC, {machine()}, of which clients, upstream "
        f"and Redis take their share.\n\n{versions}.\n\n"
        f"Every figure is the median of {ROUNDS} interleaved rounds of "
        f"{SECONDS} s (refusals and growth: {GROWTH_SECONDS} s), with their "
        "spread.  CPU is the worker's user and system time for each request.  "
        f"The body is the reference update of {len(REFERENCE)} bytes.  "
        "[How to read it](../README.md)."
        + ("\n\n**A quick run: these are no figures to quote.**"
           if QUICK else ""))


def main():
    start = time.monotonic()
    report = pathlib.Path(sys.argv[1])

    parts = Bench().run()
    text = "\n\n".join((head(), *parts)) + "\n"

    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(text)

    print(text)
    print(f"{report}: {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
