# Copyright (C) The wholesale gateway authors

"""What goes wrong meanwhile: each a thread that does something, and undoes it,
again and again."""

import collections
import random
import threading

from gateway.credentials import TOKEN_PATH
from soak.clients import BUMPY


class Weather(threading.Thread):
    """every: the mean pause in seconds; counts what it did in "counts"."""

    every = 5

    def __init__(self, soak, counts, seed):
        super().__init__(daemon=True)
        self.soak = soak
        self.counts = counts
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.wait(self.every):
                self.happen()
        except Exception as e:              # for the main thread to tell
            self.failure = e

    def wait(self, seconds):
        """About so many; whether it is over."""

        return self.stopping.wait(self.random.uniform(0.6, 1.4) * seconds)

    def happen(self):
        raise NotImplementedError


class Redis(Weather):
    """It is killed, and comes back empty; or does not answer for a while."""

    every = 6

    def happen(self):
        redis = self.soak.redis

        if self.random.random() < 0.5:
            self.counts["Redis killed"] += 1
            redis.stop()
            self.wait(2)
            redis.start()
        else:
            self.counts["Redis frozen"] += 1
            redis.freeze()
            self.wait(1.5)
            redis.thaw()


class TokenEndpoint(Weather):
    """The token is revoked, and there is no other for a while.

    No refresh token is used up where the answer is lost: then a person has to
    authorise anew, and there would be no token for the rest of the run.
    """

    every = 15

    FAULTS = ({"status": 500}, {"status": 500, "cut": "before"},
              {"status": 500, "cut": "body", "body": "{}"},
              {"never": True}, {"delay": 1}, {"status": 200, "body": "{}"},
              {"status": 429, "headers": [["Retry-After", "1"]]})

    def happen(self):
        sandbox = self.soak.sandbox
        fault = self.random.choice(self.FAULTS)

        with self.soak.sandbox_lock:
            sandbox.fail(path=TOKEN_PATH, **fault)
            sandbox.expire_tokens()

        self.counts["token endpoint failed"] += 1
        self.wait(3)

        with self.soak.sandbox_lock:
            sandbox.heal()


class Webex(Weather):
    """It answers one update of the customer of the bumpy clients badly."""

    every = 2

    FAULTS = ({"status": 500}, {"cut": "before"}, {"cut": "head"},
              {"cut": "body"}, {"cut": "before", "reset": True},
              {"delay": 0.5}, {"raw": b"nonsense\r\n\r\n"},
              {"status": 429, "headers": [["Retry-After", "1"]]},
              {"status": 423, "headers": [["Retry-After", "1"]]},
              {"status": 401})

    def happen(self):
        fault = self.random.choice(self.FAULTS)

        with self.soak.sandbox_lock:
            self.soak.sandbox.fail(path=f"*/{BUMPY}", times=1, **fault)

        self.counts["Webex failed"] += 1


class Operator(Weather):
    """Rotates logs, changes tenants, renews secrets, reloads."""

    every = 4

    def happen(self):
        self.random.choice((self.logs, self.tenants, self.secrets,
                            self.nothing))()
        self.soak.gateway.reload()
        self.counts["reloads"] += 1

    def logs(self):
        self.soak.gateway.rotate_logs()
        self.counts["logs rotated"] += 1

    def tenants(self):
        self.soak.gateway.write_tenants(self.soak.tenants(
            others=self.random.randrange(300)))
        self.counts["tenants changed"] += 1

    def secrets(self):
        gateway = self.soak.gateway

        gateway.write_secret("client_secret",
                             gateway.read_secret("client_secret") + "\n")
        self.counts["secrets rewritten"] += 1

    def nothing(self):
        pass


WEATHER = (Redis, TokenEndpoint, Webex, Operator)


def start(soak):
    counts = collections.Counter()
    threads = [kind(soak, counts, number)
               for number, kind in enumerate(WEATHER)]

    for thread in threads:
        thread.start()

    return counts, threads
