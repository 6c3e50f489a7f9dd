# Copyright (C) The wholesale gateway authors

"""What is wrong comes first and in words."""

import re
import time

import pytest

from page.stand_in import credential, limit, redis, tenant


def step_by(document, *path, by=1):
    """Makes a figure grow with each poll."""

    *path, last = path

    for name in path:
        document = document[name]

    def step(_):
        document[last] += by

    return step


def test_all_is_well(browser, stand_in):
    stand_in.document["tenants"]["acme"] = tenant(
        10, {"daily": limit(5000, 4990, 60)})
    browser.open(stand_in.url)

    assert browser.verdict == ("All is well", "ok")
    assert browser.problems == ""
    assert browser.tiles == {
        "Redis": ("Up", "ok"), "Token webex": ("Live", "ok"),
        "Webex": ("Not asked", "off"), "Refused by limits": ("Nobody", "ok")}
    assert browser.driver.title.startswith("All is well")
    assert stand_in.strayed == []


def test_redis_is_down(browser, stand_in):
    stand_in.document["redis"] = redis(up=False, breaker="open")
    stand_in.step = step_by(stand_in.document, "redis", "failures", "timeout",
                            by=3)
    browser.open(stand_in.url)

    assert browser.verdict == ("Redis does not answer.", "bad")
    assert browser.tiles["Redis"] == ("Down", "bad")
    assert "Redis does not answer." in browser.driver.title
    assert browser.text("#spoken") == "Redis does not answer."
    browser.wait(lambda: re.search(r"In the last minute: \d+ timeout\.",
                                   browser.problems), "the reason")

    stand_in.document["redis"]["breaker"] = "half-open"
    browser.wait(lambda: browser.tiles["Redis"] == ("Trying", "warn"),
                 "the attempt")
    assert browser.verdict == ("Redis is being tried again.", "warn")

    stand_in.document["redis"] = redis()
    browser.wait(lambda: browser.verdict == ("All is well", "ok"), "Redis")
    assert browser.tiles["Redis"] == ("Up", "ok")


def test_without_redis(browser, stand_in):
    stand_in.document["redis"] = None
    browser.open(stand_in.url)

    assert browser.verdict == ("All is well", "ok")
    assert browser.tiles["Redis"] == ("Not used", "off")
    assert "Redis" not in browser.table("Times, in all")


@pytest.mark.parametrize("state", ("expired", "missing", "refused"))
def test_a_token_that_is_not_live(browser, stand_in, state):
    stand_in.document["credentials"] = {
        "spare": credential("missing", None, used=False, refreshes=None,
                            refreshTokenExpires=None),
        "webex": credential(state, 0, lastError="the endpoint answered 400")}
    browser.open(stand_in.url)

    assert browser.verdict == (f"The token “webex” is {state}.", "bad")
    assert "The last error: the endpoint answered 400." in browser.problems
    assert browser.tiles["Token webex"] == (state.capitalize(), "bad")
    assert browser.tiles["Token spare"] == ("Missing", "off")


def test_a_token_that_is_not_renewed(browser, stand_in):
    stand_in.document["credentials"]["webex"] = credential(
        expires=7260, lastError="the endpoint answered 500")
    browser.open(stand_in.url)

    assert browser.verdict == ("The token “webex” could not be renewed.",
                               "warn")
    assert "It is good for another 2 h 1 min." in browser.problems
    assert browser.tiles["Token webex"] == ("Live", "warn")


def test_a_refresh_token_that_ends(browser, stand_in):
    stand_in.document["credentials"]["webex"]["refreshTokenExpires"] \
        = 5 * 86400 + 7200
    browser.open(stand_in.url)

    assert browser.verdict == (
        "The refresh token of “webex” ends in 5 d 2 h.", "warn")


def test_many_tokens(browser, stand_in):
    for i in range(20):
        stand_in.document["credentials"][f"c{i}"] = credential()

    stand_in.document["credentials"]["c19"] = credential("expired", 0)
    browser.open(stand_in.url)

    assert list(browser.tiles)[1] == "Token c19"
    assert browser.tiles["Other tokens"] == ("15 more", "ok")


def test_webex_fails(browser, stand_in):
    def step(document):
        document["upstream"]["2xx"] += 90
        document["upstream"]["5xx"] += 4
        document["upstream"]["failed"] += 6

    stand_in.step = step
    browser.open(stand_in.url)

    browser.wait(lambda: browser.verdict == ("Webex fails.", "bad"), "it")
    assert browser.tiles["Webex"] == ("Fails", "bad")
    assert "10 % of what was sent in the last minute" in browser.problems

    stand_in.step = step_by(stand_in.document, "upstream", "2xx", by=10000)
    browser.wait(lambda: browser.tiles["Webex"] == ("Answers", "ok"), "Webex")


def test_a_tenant_that_is_refused(browser, stand_in):
    acme = stand_in.document["tenants"]["acme"] = tenant(
        5000, {"daily": limit(5000, 0, 39600, refused=12),
               "burst": limit(20, 20)})
    browser.open(stand_in.url)

    # that was before anybody looked
    assert browser.verdict == ("All is well", "ok")

    stand_in.step = step_by(acme, "limits", "daily", "refused")
    browser.wait(lambda: browser.verdict == (
        "acme is being refused by “daily”.", "warn"), "it")
    assert "whole again in 11 h." in browser.problems
    assert browser.tiles["Refused by limits"] == ("1", "off")
    assert browser.tenants()["acme"][0][0].startswith(
        "dailyReached · 0 of 5,000 left")


def test_a_limit_that_is_reached_for_a_moment(browser, stand_in):
    """That is what limits are for."""

    acme = stand_in.document["tenants"]["acme"] = tenant(
        50, {"burst": limit(20, 0, 2)})
    stand_in.step = step_by(acme, "limits", "burst", "refused")
    browser.open(stand_in.url)

    browser.wait(lambda: browser.tiles["Refused by limits"] == ("1", "off"),
                 "it")
    assert browser.verdict == ("All is well", "ok")


def test_refusals_without_an_end(browser, stand_in):
    """Of one limit for a minute; those that share a series do not count."""

    tenants = stand_in.document["tenants"]
    tenants["acme"] = tenant(50, {"burst": limit(20, 0, 2)})
    tenants["*"] = tenant(50, {"*": {"refused": 1, "nearLimit": 1,
                                     "dryRunRefused": 0}})

    def step(document):
        tenants["acme"]["limits"]["burst"]["refused"] += 1
        tenants["*"]["limits"]["*"]["refused"] += 1

    stand_in.step = step
    browser.open(stand_in.url)
    browser.wait(lambda: browser.tiles["Refused by limits"] == ("2", "off"),
                 "them")
    assert browser.verdict == ("All is well", "ok")

    # a minute goes by
    browser.run("for (const run of history.runs.values()) run.since -= RECENT")
    browser.wait(lambda: browser.verdict == (
        "acme is being refused by “burst”.", "warn"), "it")


def test_a_tenant_that_webex_has_paused(browser, stand_in):
    acme = stand_in.document["tenants"]["acme"] = tenant(50)
    stand_in.step = step_by(acme, "paused")
    browser.open(stand_in.url)

    browser.wait(lambda: browser.tiles["Refused by limits"] == ("1", "off"),
                 "it")
    assert browser.verdict == ("All is well", "ok")

    # a minute goes by
    browser.run("for (const run of history.runs.values()) run.since -= RECENT")
    browser.wait(lambda: browser.verdict == (
        "acme is being refused, as Webex has asked for.", "warn"), "it")
    assert "Since " in browser.problems


def test_many_tenants_that_are_refused(browser, stand_in):
    for i in range(40):
        stand_in.document["tenants"][f"t{i}"] = tenant(
            1, {"daily": limit(10, 0, 5000)})

    def step(document):
        for figures in document["tenants"].values():
            figures["limits"]["daily"]["refused"] += 1

    stand_in.step = step
    browser.open(stand_in.url)

    browser.wait(lambda: browser.verdict == (
        "40 tenants are being refused.", "warn"), "them")
    assert "and 35 more." in browser.problems


def test_several_things(browser, stand_in):
    """The worst first."""

    stand_in.document["credentials"] = {
        "a": credential(refreshTokenExpires=86400),
        "b": credential("expired", 0)}
    stand_in.document["redis"] = redis(up=False, breaker="open")
    browser.open(stand_in.url)

    assert browser.verdict == ("3 things are wrong", "bad")
    assert [item.get_attribute("class") for item
            in browser.all("#problems > li")] == ["bad", "bad", "warn"]


def test_the_gateway_goes_and_comes_back(browser, stand_in):
    browser.tolerated = ("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE",
                         "ERR_CONNECTION_RESET")
    browser.open(stand_in.url)

    stand_in.stop()
    browser.wait(lambda: browser.verdict[1] == "bad", "it to be told")
    since = re.fullmatch(r"The gateway does not answer since "
                         r"(\d\d:\d\d:\d\d)\.", browser.verdict[0])[1]

    answered = browser.run("return poll.answered / 1000")
    assert since >= time.strftime("%H:%M:%S", time.localtime(answered))
    assert "What is below is as of " in browser.problems
    assert set(browser.tiles.values()) == {("Unknown", "off")}

    said = browser.text("#spoken")
    browser.wait(lambda: "For 3 s" in browser.problems, "time to go by")
    assert browser.text("#spoken") == said

    stand_in.start()
    browser.wait(lambda: browser.verdict == ("All is well", "ok"), "it")
    assert browser.tiles["Redis"] == ("Up", "ok")


def test_a_gateway_that_was_never_there(browser, stand_in):
    browser.tolerated = ("status of 500",)
    stand_in.status = 500
    browser.driver.get(stand_in.url)

    browser.wait(lambda: browser.verdict[1] == "bad", "it to be told")
    assert browser.verdict[0].startswith("The gateway answers with 500 since")
    assert "What is below" not in browser.problems


def test_a_gateway_that_hangs(browser, stand_in):
    browser.open(stand_in.url)

    with stand_in.hanging():
        browser.wait(lambda: browser.verdict[0].startswith(
            "The gateway does not answer since"), "it to be told")

    browser.wait(lambda: browser.verdict == ("All is well", "ok"), "it")


def test_what_is_not_the_status(browser, stand_in):
    browser.open(stand_in.url)

    stand_in.document = "not an object"
    browser.wait(lambda: browser.verdict[0].startswith(
        "The gateway says what this page does not understand since"), "it")
    assert "load the page anew" in browser.problems


def test_a_pause(browser, stand_in):
    browser.open(stand_in.url)
    button = browser.one("#pause")

    button.click()
    assert button.text == "Go on"
    assert browser.text("#updated").startswith("paused; as of")

    # one may have been under way
    browser.wait(lambda: not browser.run("return poll.running"), "the last")
    polls = stand_in.polls
    assert not changes(browser, lambda: stand_in.polls != polls)

    button.click()
    assert button.text == "Pause"
    browser.wait(lambda: stand_in.polls > polls + 1, "it to go on")


def test_nobody_looks(browser, stand_in):
    browser.open(stand_in.url)

    def hide(hidden):
        browser.run("""
            Object.defineProperty(document, "hidden",
                                  { value: arguments[0], configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
            """, hidden)

    hide(True)
    browser.wait(lambda: not browser.run("return poll.running"), "the last")
    polls = stand_in.polls
    assert not changes(browser, lambda: stand_in.polls != polls)

    hide(False)
    browser.wait(lambda: stand_in.polls > polls + 1, "it to go on")


def changes(browser, condition, seconds=2.5):
    try:
        browser.wait(condition, "", seconds)
    except AssertionError:
        return False

    return True
