# Copyright (C) The wholesale gateway authors

"""The figures, and what follows from their differences."""

import random

import pytest

from page.stand_in import BOUNDS, histogram, limit, tenant


HOSTILE = ("<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>",
           "__proto__", "constructor", "a\u202eb", "${alert(1)}", "&lt;b&gt;")


def test_figures(browser, stand_in):
    stand_in.document["tenants"] = {
        "acme": tenant(1234567, {
            "burst": limit(20, 15, 1),
            "daily": limit(5000, 500, 40000, refused=3),
            "customer": limit(3, None, None, per="customer", refused=7),
            "trial": limit(10, 4, 9, dryRun=True, dryRunRefused=5)},
            limited=10, invalid=2, forbidden=1, limited_dry_run=5),
        "bolt": tenant(8, other=1),
        "": tenant(unauthenticated=4, not_found=2),
        "*": tenant(70, {"*": {"refused": 9, "nearLimit": 11,
                               "dryRunRefused": 0}}, limited=9)}
    stand_in.document["validation"] = {"packages": 2, "address.city": 0}
    stand_in.document["upstream"].update({"2xx": 1234600, "failed": 50})
    browser.open(stand_in.url)

    tenants = browser.tenants()

    assert list(tenants) == ["acme", "bolt", "nobody that is known",
                             "all others"]
    assert tenants["acme"] == ([
        "daily90 % · 500 of 5,000 left · 3 refused · whole in 11 h 6 min",
        "trial60 % · 4 of 10 left · dry run: 5 would be · whole in 9 s",
        "burst25 % · 15 of 20 left · whole in 1 s",
        "customer3 at most · by customer · 7 refused"],
        1234572, 10, 2, 1)
    assert tenants["bolt"] == ([], 8, 0, 0, 1)
    assert tenants["nobody that is known"] == ([], 0, 0, 0, 6)
    assert tenants["all others"] == (["9 refused"], 70, 9, 0, 0)
    assert browser.tenants("tenant-sums") == {
        "all": ([], 1234650, 19, 2, 8)}

    assert browser.table("Outcomes")["forwarded"] == ["0", "1,234,645"]
    assert browser.table("Webex’s answers")["failed"] == ["0", "50"]
    assert browser.table("What was not valid") == {"packages": ["0", "2"]}


def test_no_tenants(browser, stand_in):
    browser.open(stand_in.url)

    assert browser.tenants() == {}
    assert browser.tenants("tenant-sums") == {"all": ([], 0, 0, 0, 0)}
    assert browser.text("#shown") == "none has sent anything yet"
    assert not browser.one("#more").is_displayed()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(browser, stand_in, name):
    stand_in.document["tenants"][name] = tenant(
        3, {name: limit(10, 0, 5000)})
    stand_in.document["validation"][name] = 1
    stand_in.document["credentials"][name] \
        = stand_in.document["credentials"].pop("webex")
    stand_in.document["credentials"][name].update(state="expired",
                                                  lastError=name)
    stand_in.document["version"] = name

    def step(document):
        document["tenants"][name]["limits"][name]["refused"] += 1

    stand_in.step = step
    browser.open(stand_in.url)

    browser.wait(lambda: f"{name} is being refused by “{name}”."
                 in browser.problems, "the refusals")
    assert f"The last error: {name}." in browser.problems
    assert browser.tenants()[name][1] == 3
    assert f"Token {name}" in browser.tiles
    assert browser.table("What was not valid")[name] == ["0", "1"]
    assert browser.all("img, body script ~ script, b b") == []
    assert stand_in.strayed == []


def test_thousands_of_tenants(browser, stand_in):
    for i in range(2000):
        stand_in.document["tenants"][f"t{i:04}"] = tenant(
            i, {"daily": limit(2000, 2000 - i, 5000),
                "burst": limit(20, 20)})

    browser.open(stand_in.url)

    shown = list(browser.tenants())
    assert shown == [f"t{i:04}" for i in range(1999, 1979, -1)]
    assert browser.text("#shown") == "20 of 2,000, the most used first"
    assert browser.one("#more").text \
        == "Show more: 1,980 are left, none above 99 %"

    # the page is as quick as without them
    cost = browser.run("""
        const begin = performance.now();
        poll.draw();
        document.body.offsetHeight;
        return performance.now() - begin;
    """)
    assert cost < 250

    browser.one("#more").click()
    assert len(browser.tenants()) == 60

    browser.one("#filter").send_keys("T01")
    assert list(browser.tenants()) \
        == [f"t{i:04}" for i in range(199, 179, -1)]
    assert browser.text("#shown") == "100 matches of 2,000"

    browser.one("#filter").send_keys("nobody")
    assert browser.tenants() == {}

    browser.run("filter.value = ''; rows = ROWS_MAX; drawTenants(poll.doc)")
    assert len(browser.tenants()) == 500
    assert not browser.one("#more").is_enabled()


def test_rates(browser, stand_in):
    def step(document):
        acme = document["tenants"]["acme"]["outcomes"]
        acme["forwarded"] += 30
        acme["limited_dry_run"] += 10
        acme["invalid"] += 5

    stand_in.document["tenants"]["acme"] = tenant(1000000)
    stand_in.step = step
    browser.open(stand_in.url)

    browser.wait(lambda: browser.run("return history.points.length") > 6,
                 "seven points")

    # by the page's own times, for a machine under load polls late
    points = browser.run("return history.points.map((p) => p.rates)")
    polls = browser.run("return history.samples.map((s) => s.time)")

    for accepted, refused in points:
        assert accepted == pytest.approx(8 * refused)

    assert points[-1][0] == pytest.approx(
        40 * 5 / (polls[-1] - polls[-6]), rel=0.3)

    assert browser.all("#rates path.first")
    assert "Now: accepted " \
        in browser.one("#rates").get_attribute("aria-label")


def quantile(q, histogram):
    """As Prometheus has it."""

    rank = q * histogram["count"]
    lower = before = 0

    for upper, below in histogram["buckets"]:
        if upper is None:
            return -lower

        if below >= rank:
            return lower + (upper - lower) * (rank - before) \
                / (below - before)

        lower, before = upper, below


@pytest.mark.parametrize("durations", (
    [0.003] * 10, [0.0001] * 99 + [20], [20] * 3, [0.2],
    [random.Random(1).lognormvariate(-3, 1) for _ in range(300)]))
def test_percentiles(browser, stand_in, durations):
    old = histogram([0.7] * 1000)
    new = histogram(durations)
    stand_in.document["durations"]["request"] = old
    browser.open(stand_in.url)

    stand_in.document["durations"]["request"] = {
        "count": old["count"] + new["count"], "sum": old["sum"] + new["sum"],
        "buckets": [[bound, a + b] for (bound, a), (_, b)
                    in zip(old["buckets"], new["buckets"])]}

    browser.wait(lambda: (browser.run("return history.points.at(-1)")
                          or {}).get("latencies", [None])[0] is not None,
                 "the percentiles")

    found = browser.run("return history.points.at(-1).latencies")
    expected = [quantile(q, new) for q in (0.5, 0.95, 0.99)]
    assert found == pytest.approx(expected)

    if expected[2] < 0:
        assert f"> {BOUNDS[-1]:.2f} s" in browser.text("#latencies-legend")


def test_counters_that_begin_anew(browser, stand_in):
    def step(document):
        document["tenants"]["acme"]["outcomes"]["forwarded"] += 10

    stand_in.document["tenants"]["acme"] = tenant(1000000)
    stand_in.step = step
    browser.open(stand_in.url)
    browser.wait(lambda: browser.run("return history.points.length") > 2,
                 "some points")

    stand_in.document["tenants"]["acme"] = tenant(0)
    stand_in.document["started"] += 50
    browser.wait(lambda: browser.run("return history.began.length") == 1,
                 "the begin")
    browser.wait(lambda: browser.run("return history.points.at(-1) !== null"),
                 "new points")

    points = browser.run("return history.points")
    assert None in points
    assert all(rate >= 0 for point in points if point
               for rate in point["rates"])
    assert "counters anew" in browser.text("#rates")
    assert browser.verdict == ("All is well", "ok")

    path = browser.one("#rates path.first").get_attribute("d")
    assert path.count("M") == 2
