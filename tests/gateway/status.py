# Copyright (C) The wholesale gateway authors

"""What wholesale_status tells, as a test reads it."""

import json
import re

from gateway import http1


LOCATION = """
    location = /status {
        wholesale_status;
    }
"""

OUTCOMES = ("forwarded", "unauthenticated", "forbidden", "limited", "invalid",
            "unavailable", "not_found", "other", "forbidden_dry_run",
            "limited_dry_run", "invalid_dry_run")

SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def fetch(gateway, target="/status", headers=(), method="GET"):
    with http1.Connection(gateway.port) as connection:
        return connection.request(
            method, target, http1.fields([("Host", "probe")], headers))


def document(gateway):
    answer = fetch(gateway, "/status?format=json")
    assert answer.status == 200
    return json.loads(answer.body)


def samples(gateway):
    """{("name", ("label", "value"), ...): number}; every line is looked at."""

    answer = fetch(gateway)
    assert answer.status == 200
    return parse(answer.body.decode())


def parse(text):
    found = {}
    assert text.endswith("\n")

    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line), line
            continue

        match = SAMPLE.fullmatch(line)
        assert match, line

        name, labels, number = match.groups()
        assert labels is None or LABEL.sub("", labels) == "", line

        key = (name, *LABEL.findall(labels or ""))
        assert key not in found, line
        found[key] = float(number)

    return found


def requests(gateway):
    """By tenant, the outcomes that there were."""

    return {name: {outcome: number
                   for outcome, number in tenant["outcomes"].items() if number}
            for name, tenant in document(gateway)["tenants"].items()}


def total(gateway):
    return sum(sum(outcomes.values())
               for outcomes in requests(gateway).values())


def wait_for(gateway, number):
    """Until so many requests are at their end; an answer is there before."""

    gateway.wait_for(lambda: total(gateway) >= number,
                     f"the end of {number} requests")
    assert total(gateway) == number
