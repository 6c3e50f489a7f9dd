#!/usr/bin/python3

# Copyright (C) The wholesale gateway authors

"""The long run: all kinds of requests, while all kinds of things go wrong.

It is over when MINUTES are, and then everything is counted: no request has
hung; what Webex has accepted and what clients were told agree, update by
update; no alert, no sanitizer's report, no secret in a log; the gateway holds
the descriptors and the memory that it held at the start.

    soak.py MINUTES [REPORT]

writes REPORT, in Markdown, and fails if any of that does not hold.
"""

import pathlib
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from gateway import secrets                             # noqa: E402
from gateway.credentials import LOCATIONS, Refreshing   # noqa: E402
from gateway.credentials import conf as conf_of         # noqa: E402
from gateway.nginx import PRELOAD, REPOSITORY           # noqa: E402
from gateway.redis import Redis                         # noqa: E402
from sandbox.client import Sandbox                      # noqa: E402
from soak import clients, ledger, measure, weather, write   # noqa: E402


FOLDER = REPOSITORY / "build/soak"

WORKERS = 2

# so that connections to Webex are gone when nothing is asked of them
KEEPALIVE = ("keepalive  32;", "keepalive  32;\n        keepalive_timeout  1s;")

ACCESS_TOKEN_SECONDS = 30

# what a process may hold in the end beyond what it held in the beginning, KiB
MEMORY_MORE = 1024

# of valid updates: the rest may have met no token, or a limit without Redis
LEAST_ACCEPTED = 0.9

# reloads and updates before anything is measured: memory is fragmented then
WARMING_RELOADS = 6
WARMING_UPDATES = 100
WARMING = "warming"

# the clients, in the end, without anything that goes wrong
CALM_SECONDS = 10


class Gateway(Refreshing):
    """One whose logs can be rotated, and are not for debugging."""

    def globals(self):
        return super().globals().replace("error.log debug", "error.log info")

    def children(self):
        pid = self.process.pid
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return set(map(int, path.read_text().split()))

    def reload(self):
        """Returns when there are new workers; the old ones take their time."""

        old = self.children()
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: len(self.children() - old) >= WORKERS,
                      "new workers")

    def settle(self):
        """Returns when the workers are those of the last reload."""

        self.wait_for(lambda: len(self.children()) == WORKERS,
                      "old workers to leave")

    def rotate_logs(self):
        self.error_log.rename(
            self.folder / f"error.log.{time.monotonic_ns()}")
        self.access_log.unlink()
        self.process.send_signal(signal.SIGUSR1)
        self.wait_for(self.error_log.exists, "a new log")

    @property
    def logs(self):
        return sorted(self.folder.glob("error.log*"))

    @property
    def log(self):
        return "".join(path.read_text(encoding="latin-1")
                       for path in self.logs)


class Soak:
    def __init__(self, minutes):
        self.seconds = minutes * 60
        self.sandbox_lock = threading.Lock()
        self.ledger = ledger.Ledger()
        self.troubles = []

    # the parts

    def start(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        (FOLDER / "redis").mkdir(parents=True)

        self.sandbox = Sandbox.start(
            FOLDER / "sandbox", "--record", "200",
            "--access-token", secrets.make(), "--client-secret",
            secrets.make(), "--refresh-token", secrets.make())
        self.sandbox.add_customer(clients.BUMPY)
        self.sandbox.set(journal=True, rotate=True,
                         access_token_seconds=ACCESS_TOKEN_SECONDS)

        self.redis = Redis(FOLDER / "redis").start()

        self.gateway = Gateway(
            FOLDER / "gateway", self.sandbox,
            conf=conf_of(locations=LOCATIONS).replace(*KEEPALIVE),
            tenants=self.tenants(), workers=WORKERS,
            http=self.redis.block("timeout 300ms")).start()
        self.gateway.warm()

    def stop(self):
        """Whatever still runs; the gateway says whether all was well."""

        try:
            self.gateway.stop()
        except AssertionError as e:
            self.troubles.append(str(e))

        self.redis.stop()
        self.sandbox.stop()

        leaks = [line for path in self.gateway.logs
                 for line in secrets.leaks(path)]

        if leaks:
            self.troubles.append(f"{len(leaks)} secrets in logs: {leaks[:3]}")

    @staticmethod
    def tenants(others=0):
        limits = [{"name": "burst", "rate": "1000/s", "burst": 1000},
                  {"name": "daily", "quota": 10000000, "window": "1d"}]

        return {
            "acme": {"limits": limits},
            "bolt": {"limits": limits},
            "tight": {"limits": [{"name": "few", "rate": "1/s",
                                  "burst": 3}]},
            "closed": {"enabled": False},
            **{f"other{number}": {} for number in range(others)}}

    # what it holds

    def hold(self):
        """The gateway's processes as they are after the same few things, with
        nothing to do."""

        for _ in range(WARMING_RELOADS):
            self.gateway.reload()
            self.gateway.settle()

        for _ in range(WARMING_UPDATES):
            self.gateway.update({"TrackingID": WARMING})

        self.gateway.wait_for(self.is_idle, "connections to be closed")

        return {"master": measure.hold(self.gateway.process.pid),
                "workers": measure.total(self.gateway.children())}

    def is_idle(self):
        """No connection to Webex, or from a client, is left."""

        return measure.connections(
            self.gateway.children(),
            (self.sandbox.port, self.gateway.port,
             self.gateway.ports["http2_port"])) == 0

    # the run

    def run(self):
        self.before = self.hold()
        started = [kind(self.gateway, self.ledger, number)
                   for kind, n in clients.CLIENTS for number in range(n)]

        for client in started:
            client.start()

        self.counts, troublemakers = weather.start(self)
        self.watch(self.seconds - CALM_SECONDS, started + troublemakers)
        self.end(troublemakers)

        with self.sandbox_lock:
            self.sandbox.heal()

        self.redis.thaw()
        self.watch(CALM_SECONDS, started)
        self.end(started)

        self.gateway.write_tenants(self.tenants())
        self.after = self.hold()

    def watch(self, seconds, threads):
        """Until then, or until somebody fails."""

        deadline = time.monotonic() + seconds

        while time.monotonic() < deadline:
            if any(not thread.is_alive() for thread in threads):
                return

            time.sleep(0.5)

    def end(self, threads):
        for thread in threads:
            thread.stopping.set()

        for thread in threads:
            thread.join(60)
            name = type(thread).__name__

            if thread.is_alive():
                self.troubles.append(f"{name} did not end")
            elif thread.failure is not None:
                self.troubles.append(f"{name}: {thread.failure!r}")

    # the end

    def judge(self):
        # those of warming are in nobody's ledger
        self.sandbox_journal = [entry for entry in self.sandbox.journal
                                if entry[0] != WARMING]
        self.troubles += self.ledger.check(self.sandbox_journal)

        for kind, n in clients.CLIENTS:
            if not self.ledger.counts[kind.kind]:
                self.troubles.append(f"nothing came of {kind.kind}")

        for status in (202, 400, 401, 413, 429):
            if not self.ledger.total(status):
                self.troubles.append(f"nobody got a {status}")

        valid = self.ledger.counts[clients.Valid.kind]

        if valid[202] < LEAST_ACCEPTED * valid.total():
            self.troubles.append(f"only {valid[202]} of {valid.total()} valid "
                                 "updates were accepted")

        for name in self.before:
            before, after = self.before[name], self.after[name]

            if after.descriptors != before.descriptors:
                self.troubles.append(f"{name}: {before}, then {after}")

            # a sanitizer keeps what was freed
            if not PRELOAD and after.memory > before.memory + MEMORY_MORE:
                self.troubles.append(f"{name}: {before}, then {after}")


def main():
    minutes = float(sys.argv[1])
    report = pathlib.Path(sys.argv[2] if len(sys.argv) > 2
                          else FOLDER / "SOAK.md")
    soak = Soak(minutes)
    soak.start()

    try:
        soak.run()
        soak.judge()
    finally:
        soak.stop()

    text = write.report(soak)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(text)
    print(text)

    return 1 if soak.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
