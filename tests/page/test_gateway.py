# Copyright (C) The wholesale gateway authors

"""The page of a real gateway: its figures are the truth."""

import os
import pathlib
import re
import threading

import pytest

from gateway import status
from gateway.credentials import updates
from gateway.gateway import CUSTOMERS
from page.stand_in import embed, policy


# None: the screenshot is not made anew
SCREENSHOT = os.environ.get("SCREENSHOT")

INVALID = b'{"packages": ["webex_caling"], "address": {"city": 3}}'

TENANTS = {
    "acme": {"limits": [{"name": "daily", "quota": 5000, "window": "1d"},
                        {"name": "burst", "rate": "500/s", "burst": 500}]},
    "bolt": {"limits": [{"name": "daily", "quota": 60, "window": "1d"}]},
    "north-telecom": {"limits": [
        {"name": "customer", "rate": "6/m", "burst": 3, "per": "customer"}]},
    "quiet": {"limits": [{"name": "hourly", "quota": 1000, "window": "1h"}]},
}

# a browser opens connections before it needs them, for which a worker that
# shuts down would wait
SERVER = """
    client_header_timeout  1s;
""" + status.LOCATION

OPTIONS = {"workers": 2, "server": SERVER, "tenants": TENANTS}


def url(running):
    return f"{running.origin}/status"


@pytest.mark.parametrize("target, accept", (
    ("/status", "text/html,application/xhtml+xml,application/xml;q=0.9,"
                "image/avif,image/webp,*/*;q=0.8"),
    ("/status?format=html", "application/json"), ("/status?format=html", None)))
def test_how_it_is_served(gateway, target, accept):
    running = gateway(**OPTIONS)
    answer = status.fetch(running, target, {"Accept": accept})

    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.body == embed("page").encode()

    assert answer.header("Content-Security-Policy") == policy(embed("header"))
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; "
        r"script-src 'sha256-[A-Za-z0-9+/]{43}='; connect-src 'self'; "
        r"img-src data:; base-uri 'none'; form-action 'none'; "
        r"frame-ancestors 'none'", answer.header("Content-Security-Policy"))
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("Cache-Control") == "no-store"

    assert status.fetch(running, target, {"Accept": accept},
                        method="HEAD").body == b""


def test_it_needs_nothing_else():
    """No address but those of the same figures."""

    page = embed("page")

    assert re.findall(r'(?:src|href)="([^"#]*)"', page) \
        == ["data:,", "?format=json", "?format=prometheus",
            "?format=json", "?format=prometheus"]
    assert set(re.findall(r"https?://[^\s\"'`]*", page)) \
        == {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in page


class Load:
    """Requests from several clients at once, until stop()."""

    KINDS = (
        lambda running, i: running.update(
            tenant="acme", target=f"{CUSTOMERS}/c{i % 50}"),
        lambda running, i: running.update(
            tenant="bolt", target=f"{CUSTOMERS}/c{i % 50}"),
        lambda running, i: running.update(
            tenant="acme", target=f"{CUSTOMERS}/c{i % 50}"),
        lambda running, i: running.update(
            tenant="north-telecom", target=f"{CUSTOMERS}/c{i % 6}"),
        lambda running, i: running.update(tenant="acme", body=INVALID),
        lambda running, i: running.get(
            tenant="quiet", target=f"{CUSTOMERS}/c{i % 50}"),
        lambda running, i: running.update({"Authorization": "Bearer nobody"}),
    )

    def __init__(self, running, clients=3, pause=0.02):
        self.running = running
        self.pause = pause
        self.statuses = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(i,))
                        for i in range(clients)]

        for thread in self.threads:
            thread.start()

    def client(self, i):
        while not self.ended.wait(self.pause):
            answer = self.KINDS[i % len(self.KINDS)](self.running, i)
            self.statuses.append(answer.status)
            i += 1

    def stop(self):
        self.ended.set()

        for thread in self.threads:
            thread.join()


def compare(browser, running, document):
    """Every figure of the document with what the page has of it."""

    accepted = ("forwarded", "forbidden_dry_run", "limited_dry_run",
                "invalid_dry_run")
    sums = [0, 0, 0, 0]
    tenants = browser.tenants()

    for name, tenant in document["tenants"].items():
        outcomes = tenant["outcomes"]
        expected = [sum(outcomes[outcome] for outcome in accepted),
                    outcomes["limited"], outcomes["invalid"]]
        expected.append(sum(outcomes.values()) - sum(expected))
        sums = [a + b for a, b in zip(sums, expected)]

        limits, *figures = tenants[name or "nobody that is known"]
        assert figures == expected, name
        assert len(limits) == len(tenant["limits"])

        for limit, figure in tenant["limits"].items():
            text = next(text for text in limits if text.startswith(limit))

            # those of a rate change by themselves
            if limit == "daily":
                assert f"{figure['remaining']:,} of {figure['quota']:,} left" \
                    in text

            if figure["refused"]:
                assert f"{figure['refused']:,} refused" in text

    assert browser.tenants("tenant-sums") == {"all": ([], *sums)}

    outcomes = browser.table("Outcomes")

    for outcome in status.OUTCOMES:
        number = sum(tenant["outcomes"][outcome]
                     for tenant in document["tenants"].values())

        if number or not outcome.endswith("_dry_run"):
            assert outcomes[outcome.replace("_", " ")][1] == f"{number:,}"

    assert {name: cells[1] for name, cells
            in browser.table("Webex’s answers").items()} \
        == {name: f"{number:,}" for name, number
            in document["upstream"].items()}

    assert {name: cells[1] for name, cells
            in browser.table("What was not valid").items()} \
        == {name: f"{number:,}" for name, number
            in document["validation"].items() if number}

    times = browser.table("Times, in all")
    assert times["request"][-1] \
        == f"{document['durations']['request']['count']:,}"
    assert times["Webex"][-1] \
        == f"{document['durations']['upstream']['count']:,}"

    gateway = browser.table("This gateway")
    assert gateway["Redis commands"] == [f"{document['redis']['commands']:,}"]

    return sums


def test_figures_are_the_truth(gateway, browser, sandbox, redis):
    """To the request, after load from several clients ends."""

    for i in range(50):
        sandbox.add_customer(f"c{i}")

    # as long as it takes, for there to be something to see
    sandbox.fail(delay=0.02)
    running = gateway(http=redis.block(), **OPTIONS)
    browser.look(height=860)
    browser.open(url(running))
    load = Load(running)

    browser.wait(lambda: browser.run("return history.points.length")
                 >= (40 if SCREENSHOT else 8), "a plot", 90)
    browser.wait(lambda: browser.tenants().get("bolt", [0, 0, 0])[2] > 5,
                 "refusals", 60)
    assert browser.verdict == ("bolt is being refused by “daily”.", "warn")

    if SCREENSHOT:
        pathlib.Path(SCREENSHOT).write_bytes(browser.screenshot())

    load.stop()
    status.wait_for(running, len(load.statuses))
    document = status.document(running)

    # of what came while nothing more came
    browser.wait(lambda: browser.run("return poll.doc.time")
                 > document["time"], "the last figures")

    accepted, limited, invalid, other = compare(browser, running, document)

    # the sandbox's record, and what the clients got
    assert accepted == len(sandbox.requests) == sandbox.count
    assert len(updates(sandbox)) == load.statuses.count(202)
    assert accepted == load.statuses.count(202) + load.statuses.count(200)
    assert limited == load.statuses.count(429) > 0
    assert invalid == load.statuses.count(400) > 0
    assert other == load.statuses.count(401) > 0


def test_redis_goes_and_comes_back(gateway, browser, redis):
    running = gateway(http=redis.block(), **OPTIONS)
    browser.open(url(running))

    def update():
        running.update()

    browser.wait(lambda: (update(), browser.tiles["Redis"])[1]
                 == ("Up", "ok"), "Redis to be up")

    redis.stop()
    browser.wait(lambda: (update(), browser.tiles["Redis"])[1]
                 == ("Down", "bad"), "Redis to be down")
    assert browser.verdict[1] == "bad"
    assert "Redis does not answer." in browser.text("#verdict")

    redis.start()
    browser.wait(lambda: (update(), browser.tiles["Redis"])[1]
                 == ("Up", "ok"), "Redis to be up again")


def test_the_gateway_is_stopped_and_started(gateway, browser):
    browser.tolerated = ("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE",
                         "ERR_CONNECTION_RESET")
    running = gateway(**OPTIONS)
    running.update()
    browser.open(url(running))
    browser.wait(lambda: browser.verdict == ("All is well", "ok"), "figures")

    running.stop()
    browser.wait(lambda: browser.verdict[0].startswith(
        "The gateway does not answer since"), "it to be missed")

    start_again(running)
    browser.wait(lambda: browser.verdict == ("All is well", "ok"),
                 "it to be back")

    # its counters went with it
    browser.wait(lambda: "acme" not in browser.tenants(), "new figures")
    running.update()
    browser.wait(lambda: browser.tenants().get("acme", (0, 0))[1] == 1,
                 "the update")


def start_again(running):
    """On the same port."""

    port = running.port
    running.values["port"] = port
    running.start()
    running.ports["port"] = port


def test_a_reload(gateway, browser):
    running = gateway(**OPTIONS)
    running.update()
    browser.open(url(running))

    running.reload()
    running.update()
    browser.wait(lambda: browser.tenants()["acme"][1] == 2, "both updates")
    browser.wait(lambda: browser.table("This gateway")["reloads"] == ["1"],
                 "the reload")


def test_who_may_not_see_it(gateway, browser):
    browser.tolerated = ("status of 403",)
    running = gateway(**{**OPTIONS, "server": """
        client_header_timeout  1s;

        location = /status {
            wholesale_status;
            @access@
        }"""}, access="")
    browser.open(url(running))

    running.change(access="deny all;")
    running.reload()
    browser.wait(lambda: browser.verdict[0].startswith(
        "The gateway answers with 403 since"), "it to be told")
