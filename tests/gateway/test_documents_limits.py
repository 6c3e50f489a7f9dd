# Copyright (C) The wholesale gateway authors

"""The worked examples of docs/limits.md, by the C code and by a gateway."""

import ctypes
import json
import re
import subprocess

import pytest

from gateway.documents import SOURCES, page, rows
from gateway.gateway import CUSTOMERS
from gateway.refusal import check_refusal


SECOND = 1000000
HOUR = 3600 * SECOND

# an hour at which nobody has come yet: 472222 hours after the epoch
NINE = 472222 * HOUR

LIMITS = page("docs/limits.md")


class Limit(ctypes.Structure):
    """As wholesale_limit.h has it."""

    _fields_ = [("name", ctypes.c_char_p), ("name_len", ctypes.c_size_t),
                ("kind", ctypes.c_int), ("per", ctypes.c_int),
                ("dry_run", ctypes.c_uint), ("quota", ctypes.c_int64),
                ("window", ctypes.c_int64), ("interval", ctypes.c_int64)]


class State(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in
                ("arrival", "number", "current", "previous")]


class Verdict(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in
                ("remaining", "reset", "retry_after")]


class Counter:
    """One limit and its counter, in C."""

    def __init__(self, library, document):
        self.library = library
        self.limit = Limit()
        self.state = State()

        if "rate" in document:
            rate = document["rate"].encode()
            mistake = library.wholesale_limit_set_rate(
                ctypes.byref(self.limit), rate, ctypes.c_size_t(len(rate)),
                ctypes.c_int64(document.get("burst", 1)))
        else:
            window = document["window"].encode()
            mistake = library.wholesale_limit_set_quota(
                ctypes.byref(self.limit), ctypes.c_int64(document["quota"]),
                window, ctypes.c_size_t(len(window)))

        assert not mistake

    def come(self, at):
        verdict = Verdict()
        arguments = (ctypes.byref(self.limit), ctypes.byref(self.state),
                     ctypes.c_int64(at))

        if self.library.wholesale_limit_check(*arguments,
                                              ctypes.byref(verdict)):
            self.library.wholesale_limit_commit(*arguments)

        return verdict


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    shared = tmp_path_factory.mktemp("limits") / "limit.so"

    subprocess.run(("cc", "-shared", "-fPIC", "-O1", "-o", shared,
                    f"-I{SOURCES}/limits",
                    SOURCES / "limits/wholesale_limit.c"), check=True)
    return ctypes.CDLL(str(shared))


def limit_of(heading):
    return json.loads(re.search(r"`(\{.*?\})`", LIMITS.section(heading))[1])


def time_of(text):
    """"0.1 s" after the beginning, or "10:10" of the day."""

    if text.endswith(" s"):
        return round(float(text[:-2]) * SECOND)

    hours, minutes = map(int, text.split(":"))
    return (hours - 9) * HOUR + minutes * 60 * SECOND


@pytest.mark.parametrize("heading", ("A rate", "A quota"))
def test_the_table(library, heading):
    counter = Counter(library, limit_of(heading))
    table = rows(LIMITS.section(heading))
    assert len(table) == 5

    for at, come, let_in, could_follow, next_in in table:
        verdicts = [counter.come(NINE + time_of(at))
                    for _ in range(int(come))]
        refused = [v for v in verdicts if v.retry_after]

        assert len(verdicts) - len(refused) == int(let_in), at
        assert verdicts[-1].remaining == int(could_follow), at
        assert bool(refused) == bool(next_in), at

        if refused:
            # to the millisecond
            assert abs(refused[-1].retry_after - time_of(next_in)) < 1000, at


def test_a_quota_of_an_hour_that_is_not_full(library):
    counter = Counter(library, limit_of("A quota"))
    end = NINE + 2 * HOUR - SECOND
    at = NINE + HOUR - SECOND
    let_in = 0

    while at < end:
        wait = counter.come(at).retry_after
        let_in += not wait
        at += wait

    assert f"has {let_in} let in until 10:59:59" in LIMITS.text


def test_a_rate_of_any_time(library):
    """20 + 10 * T: for T of 3 seconds, as fast as they are let in."""

    counter = Counter(library, limit_of("A rate"))
    at = NINE
    let_in = 0

    while at < NINE + 3 * SECOND:
        wait = counter.come(at).retry_after
        let_in += not wait
        at += wait

    assert let_in == 20 + 10 * 3 - 1        # the last one comes at the end
    assert "20 + 10 · T" in LIMITS.section("A rate")


@pytest.fixture
def documented(gateway):
    """A gateway with the plan of docs/tenants.md."""

    block = next(block for block in page("docs/tenants.md").blocks
                 if block.language == "json")

    return gateway(tenants={"acme": {"plan": "standard"}},
                   plans=json.loads(block.text)["plans"])


def test_what_clients_are_told(documented):
    answer = documented.update()

    block, = (block for block in LIMITS.blocks if block.language == "http")
    told = dict(line.split(": ") for line in block.text.splitlines())

    def comparable(value):
        # when a quota has one more depends on the time of the day
        return re.sub(r'("daily";r=\d+;t=)\d+', r"\1", value)

    assert {name: comparable(answer.header(name)) for name in told} \
        == {name: comparable(value) for name, value in told.items()}


def test_several(documented):
    """Three of one customer, and one of another."""

    answers = [documented.update() for _ in range(4)]
    assert [answer.status for answer in answers] == [202] * 3 + [429]

    document = check_refusal(answers[3], 429)
    assert document["violated-policies"] == ["customer"]
    assert 1 <= int(answers[3].header("Retry-After")) <= 11
    assert '"daily";r=4997' in answers[3].header("RateLimit")

    assert documented.update(target=f"{CUSTOMERS}/another").status != 429
