# Copyright (C) The wholesale gateway authors

"""docs/status.md names every figure, and no other."""

import re

import pytest

from gateway import status
from gateway.credentials import LOCATIONS, conf
from gateway.documents import page, rows


STATUS = page("docs/status.md")


@pytest.fixture
def running(refreshing, redis):
    """One that has all kinds of figures."""

    gateway = refreshing(
        http=redis.block(), conf=conf(locations=LOCATIONS + status.LOCATION),
        tenants={"acme": {"limits": [{"name": "daily", "quota": 10,
                                      "window": "1d"}]}})
    gateway.update()
    status.wait_for(gateway, 1)
    return gateway


def test_metrics(running):
    text = status.fetch(running).body.decode()
    known = set(re.findall(r"^# TYPE (\w+) ", text, re.M))
    told = {row[0].strip("`"): row[1] for row in
            rows(STATUS.section("Metrics"))}

    assert set(told) == known

    # and with which labels
    labels = {}

    for name, *pairs in status.parse(text):
        name = re.sub("(?<=_seconds)_(bucket|sum|count)$", "", name)
        labels.setdefault(name, set()).update(
            label for label, _ in pairs if label != "le")

    assert {name: set(re.findall(r"\w+", text)) for name, text
            in told.items()} == labels


def test_the_names_elsewhere():
    known = [row[0].strip("`") for row in rows(STATUS.section("Metrics"))]

    for name in re.findall(r"`(wholesale_\w+)`",
                           STATUS.section("What to watch")):
        assert name in known


def test_json(running):
    told = [name for row in rows(STATUS.section("JSON"))
            for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(status.document(running)) == sorted(told)
