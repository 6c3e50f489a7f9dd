# Copyright (C) The wholesale gateway authors

"""What a process holds."""

import dataclasses
import os
import pathlib
import re


ESTABLISHED = "01"


@dataclasses.dataclass
class Holding:
    """descriptors: how many; memory: written to by nobody else, in KiB: what a
    worker still shares with the master that forked it is the master's."""

    descriptors: int
    memory: int

    def __str__(self):
        return f"{self.descriptors} descriptors, {self.memory} KiB"


def hold(pid):
    pages = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()

    return Holding(len(os.listdir(f"/proc/{pid}/fd")),
                   int(re.search(r"Private_Dirty:\s+(\d+)", pages)[1]))


def total(pids):
    holdings = [hold(pid) for pid in pids]

    return Holding(sum(holding.descriptors for holding in holdings),
                   sum(holding.memory for holding in holdings))


def connections(pids, ports):
    """How many sockets of these processes are connected from or to one of
    these ports."""

    inodes = set()

    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ends = {int(end.split(":")[1], 16) for end in fields[1:3]}

        if fields[3] == ESTABLISHED and ends & set(ports):
            inodes.add(f"socket:[{fields[9]}]")

    return sum(os.readlink(path) in inodes for pid in pids
               for path in pathlib.Path(f"/proc/{pid}/fd").iterdir())
