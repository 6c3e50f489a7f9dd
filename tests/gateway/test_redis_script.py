# Copyright (C) The wholesale gateway authors

"""The script counts as the C code does: one table of cases for both.

The table is tests/unit/limits.json; tests/unit/test_limit.c runs it through
the C code.  Here the script runs in a real Redis, as it stands in the source
but for the line that asks for the time: each case has its own.
"""

import json
import math
import re

import pytest

from gateway.nginx import REPOSITORY
from gateway.redis import RedisError

HEADER = REPOSITORY \
    / "ngx_wholesale_module/limits/ngx_wholesale_redis_script.h"

CASES = json.loads((REPOSITORY / "tests/unit/limits.json").read_text())[
    "cases"]

TIME = "local time = redis.call('TIME')\n"

UNITS = {"s": 1000000, "m": 60 * 1000000, "h": 3600 * 1000000,
         "d": 86400 * 1000000}


def read_script():
    """The text of the #define, as the C compiler has it."""

    text = HEADER.read_text()
    text = text[text.index("#define NGX_WHOLESALE_REDIS_SCRIPT "):]
    lines = re.match(r'#define \w+ +\\\n((?: +"(?:\\.|[^"\\])*" *\\?\n)+)',
                     text)[1]

    script = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', lines))
    assert not set(re.findall(r"\\(.)", script)) - {"n"}

    return script.replace("\\n", "\n")


SCRIPT = read_script()


class Script:
    """The script in a Redis, at any time."""

    def __init__(self, redis):
        self.redis = redis
        assert SCRIPT.count(TIME) == 1

    def command(self, at, limits, pauses=()):
        """The command that asks for "limits": a list of (key, arguments)."""

        assert len(str(at)) == 16
        time = f"local time = {{'{str(at)[:10]}', '{str(at)[10:]}'}}\n"

        return ("EVAL", SCRIPT.replace(TIME, time), len(limits) + len(pauses),
                *(key for key, _ in limits), *pauses,
                *(argument for _, arguments in limits
                  for argument in arguments))

    def run(self, at, limits, pauses=()):
        """Its reply."""

        return self.redis.command(*self.command(at, limits, pauses))


@pytest.fixture(scope="module")
def script(module_redis):
    return Script(module_redis)


def arguments_of(limit, enforced=1):
    """What ngx_wholesale_redis_limits.c makes of a limit."""

    if "rate" in limit:
        number, unit = limit["rate"].split("/")
        interval = math.ceil(UNITS[unit] / int(number))
        return ("rate", limit.get("burst", 1) * interval, interval, enforced)

    window = int(limit["window"][:-1]) * UNITS[limit["window"][-1]]
    return ("quota", limit["quota"], window, enforced)


def state_of(case):
    state = case["state"]

    return str(state["arrival"]) if "arrival" in state \
        else "{number} {current} {previous}".format(**state)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_table(script, case):
    """Each case is one transaction: in it Redis lets no time pass, and the
    counters of a case may mean nothing any more within a millisecond."""

    key = f"wholesale:{{1:t}}:{case['name']}"
    arguments = arguments_of(case["limit"])
    state = state_of(case) if "state" in case else ""

    requests = [(case["start"] + after, allowed)
                for after, allowed, _, _, _, times in case["requests"]
                for _ in range(times)]

    commands = [("SET", key, state)] if state else []

    for now, _ in requests:
        commands += [script.command(now, [(key, arguments)]), ("GET", key),
                     ("PTTL", key)]

    replies = iter(script.redis.transaction(commands)[bool(state):])

    for now, allowed in requests:
        assert next(replies) == [int(allowed), str(now), state]

        after, ttl = next(replies), next(replies)

        if allowed:
            state = after
            check_ttl(arguments, state, now, ttl)
        else:
            assert (after or "") == state


def check_ttl(arguments, state, now, ttl):
    """Until the counter means nothing any more, as in wholesale_limit.c.
    The clock of PTTL itself goes on in a transaction."""

    if arguments[0] == "rate":
        expires = int(state)
    else:
        expires = (int(state.split()[0]) + 2) * arguments[2]

    right = math.ceil((expires - now) / 1000)
    assert right - 1000 < ttl <= right


NOW = 1700000000000000


def test_all_or_none(script):
    """And what is in dry run neither refuses nor, then, counts."""

    limits = [("wholesale:{1:a}:wide", ("quota", 5, 10 ** 9, 1)),
              ("wholesale:{1:a}:narrow", ("rate", 2 * 10 ** 6, 10 ** 6, 1)),
              ("wholesale:{1:a}:trial", ("rate", 10 ** 6, 10 ** 6, 0))]

    assert [script.run(NOW, limits)[0] for _ in range(4)] == [1, 1, 0, 0]
    assert script.run(NOW, limits)[2:] == [
        f"{NOW // 10 ** 9} 2 0", str(NOW + 2 * 10 ** 6),
        str(NOW + 10 ** 6)]


def test_pauses(script):
    limits = [("wholesale:{1:b}:l", ("rate", 5 * 10 ** 6, 10 ** 6, 1))]
    pauses = ["wholesale:{1:b}:pause", "wholesale:{1:b}:pause:1:c"]

    assert script.run(NOW, limits, pauses) == [1, str(NOW), "", "", ""]

    for pause in pauses:
        until = str(NOW + 1)
        script.redis.command("SET", pause, until)
        state = script.redis.command("GET", limits[0][0])

        # nothing is counted meanwhile
        for _ in range(2):
            reply = script.run(NOW, limits, pauses)
            assert reply[0] == 0
            assert reply[2] == state
            assert until in reply[3:]

        assert script.run(NOW + 1, limits, pauses)[0] == 1


@pytest.mark.parametrize("value", (
    "x", "-1", "1.5", "1e3", " 1", "1 2", "1 2 3 4", "0x10", "nan", "1 2 x"))
def test_what_is_no_counter(script, value):
    for arguments in (("rate", 10 ** 6, 10 ** 6, 1),
                      ("quota", 5, 10 ** 9, 1)):
        script.redis.command("SET", "wholesale:{1:c}:bad", value)

        with pytest.raises(RedisError, match="not a counter"):
            script.run(NOW, [("wholesale:{1:c}:bad", arguments)])

        assert script.redis.command("GET", "wholesale:{1:c}:bad") == value
