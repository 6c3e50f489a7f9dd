# Copyright (C) The wholesale gateway authors

"""Rounds in which the subjects take turns, so that what else the machine does
falls on all of them alike."""

import collections
import sys
import time


class Rounds:
    """samples[(subject's name, connections)]: one for each round."""

    def __init__(self):
        self.samples = collections.defaultdict(list)

    def run(self, pairs, connections, rounds, seconds, what):
        """pairs: of a subject and the request that it gets."""

        start = time.monotonic()

        for subject, request in pairs:
            request.check(subject)
            request.measure(subject, connections[-1], 1)        # warms it

        for number in range(rounds):
            # back and forth: none is always the one after the slowest
            turn = pairs if number % 2 == 0 else pairs[::-1]

            for n in connections:
                for subject, request in turn:
                    self.samples[subject.name, n].append(
                        request.measure(subject, n, seconds))

        print(f"{what}: {time.monotonic() - start:.0f} s", file=sys.stderr)
        return self

    def __getitem__(self, key):
        return self.samples[key]
