# Copyright (C) The wholesale gateway authors

"""Who asked for what, and what came of it."""

import collections
import threading


# what may come of a request besides a status
ABORTED = "aborted"             # the client left before an answer
UNANSWERED = "unanswered"       # the gateway closed the connection without one
CUT = "cut"                     # it closed within one
HUNG = "hung"                   # nothing came in time


class Ledger:
    """Every request of every client, by its tracking id."""

    def __init__(self):
        self.lock = threading.Lock()
        self.number = 0
        self.outcomes = {}
        self.counts = collections.defaultdict(collections.Counter)
        self.unexpected = []
        self.slowest = 0

    def open(self, kind):
        """A new request; its tracking id."""

        with self.lock:
            self.number += 1
            return f"SOAK_{kind}_{self.number}"

    def close(self, kind, id, outcome, seconds, expected):
        with self.lock:
            self.outcomes[id] = outcome
            self.counts[kind][outcome] += 1

            if outcome not in (ABORTED, HUNG):
                self.slowest = max(self.slowest, seconds)

            if outcome not in expected:
                self.unexpected.append((id, outcome))

    def ids(self, *outcomes):
        return {id for id, outcome in self.outcomes.items()
                if outcome in outcomes}

    def total(self, *outcomes):
        return sum(counter[outcome] for counter in self.counts.values()
                   for outcome in outcomes)

    def check(self, journal):
        """What is wrong with it, as sentences, beside the sandbox's journal:
        each update that was accepted there has its 202 here, once, and each
        202 here was accepted there."""

        troubles = []
        accepted = collections.Counter(
            id for id, method, status in journal
            if method == "PUT" and status == 202)

        def complain(ids, what):
            if ids:
                troubles.append(f"{len(ids)} {what}: "
                                f"{', '.join(sorted(map(str, ids))[:5])}")

        complain({id for id, times in accepted.items() if times > 1},
                 "updates were accepted more than once")

        answered = self.ids(202)
        complain(answered - set(accepted), "202s were not Webex's")
        complain(set(accepted) - answered - self.ids(ABORTED),
                 "accepted updates were lost")

        complain(self.ids(HUNG), "requests hung")
        complain(self.unexpected, "answers were not to be expected")

        return troubles
