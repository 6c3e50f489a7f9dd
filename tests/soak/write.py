# Copyright (C) The wholesale gateway authors

"""The report of a long run."""

import datetime
import os
import pathlib
import platform
import re

from gateway.nginx import PRELOAD, version
from soak import ledger


def machine():
    model = re.search(r"model name\s*: (.*)",
                      pathlib.Path("/proc/cpuinfo").read_text())

    return f"{os.cpu_count()} × {model[1] if model else platform.machine()}"


def table(head, rows):
    lines = ["| " + " | ".join(map(str, row)) + " |"
             for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def requests(soak):
    counts = soak.ledger.counts
    outcomes = sorted({outcome for counter in counts.values()
                       for outcome in counter}, key=str)

    rows = [(kind, counter.total(), *(counter[outcome] or ""
                                      for outcome in outcomes))
            for kind, counter in sorted(counts.items())]
    rows.append(("all", sum(row[1] for row in rows),
                 *(soak.ledger.total(outcome) for outcome in outcomes)))

    return table(("clients", "requests", *outcomes), rows)


def report(soak):
    journal = soak.sandbox_journal
    accepted = {id for id, method, status in journal
                if method == "PUT" and status == 202}
    told = soak.ledger.ids(202)
    aborted = soak.ledger.ids(ledger.ABORTED)

    held = [(name, soak.before[name], soak.after[name])
            for name in soak.before]

    happened = [(what, n) for what, n in sorted(soak.counts.items())]

    return "\n\n".join((
        "# The long run",
        f"{soak.seconds / 60:g} minutes, "
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}, "
        f"nginx {'.'.join(map(str, version()))}, "
        f"{'with sanitizers' if PRELOAD else 'release build'}, "
        f"{machine()}.  Made by `make soak`.",
        "**" + ("All is well." if not soak.troubles
                else f"{len(soak.troubles)} troubles.") + "**",
        *(f"- {trouble}" for trouble in soak.troubles),
        "## What was asked, and what came of it",
        requests(soak),
        f"`{ledger.UNANSWERED}`: the connection was closed before an answer "
        "began, as a reload does with idle ones; none of these reached "
        f"Webex as an accepted update.  `{ledger.CUT}`: Webex had cut its "
        "own answer.  The slowest answer, slow clients' sending included, "
        f"took {soak.ledger.slowest:.1f} s.",
        "## Updates",
        table(("", "updates"), (
            ("accepted by Webex, by its own record", len(accepted)),
            ("a client was told 202", len(told)),
            ("accepted, and the client had left", len(accepted & aborted)),
            ("accepted, and a client that waited was not told",
             len(accepted - told - aborted)),
            ("told 202, and not accepted", len(told - accepted)),
        )),
        "## What went wrong meanwhile",
        table(("", "times"), happened),
        "## What the gateway holds",
        table(("", "before", "after"), held),
        "After the same reloads and updates each time, without load.  The "
        "memory is what each has to itself"
        + (": a sanitizer keeps what was freed." if PRELOAD else "."),
    )) + "\n"
