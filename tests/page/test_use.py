# Copyright (C) The wholesale gateway authors

"""Whoever it is that looks, and on whatever."""

import json

import pytest
from selenium.webdriver.common.keys import Keys

from page.browser import PHONE
from page.stand_in import credential, limit, redis, tenant


AA = 4.5

LONG = "a-tenant-with-a-name-as-long-as-names-may-be-which-is-64-letters"
MEMBER = "provisioningParameters.calling.location.address.stateOrProvince"


@pytest.fixture
def busy(stand_in):
    """All that the page can show at once."""

    document = stand_in.document

    for i in range(30):
        document["tenants"][f"t{i}"] = tenant(
            1000000, {"daily": limit(5000, max(i * 200 - 600, 0), 5000),
                      "burst": limit(20, i % 20, 2)})

    document["tenants"][LONG] = tenant(1, {LONG[:40]: limit(9, 0, 9999)})
    document["tenants"][""] = tenant(unauthenticated=9)
    document["tenants"]["*"] = tenant(9, {"*": {
        "refused": 9, "nearLimit": 1, "dryRunRefused": 0}})
    document["validation"][MEMBER] = 99999
    document["credentials"] = {
        "webex": credential("expired", 0, lastError="answered 400 " * 10),
        "other": credential(refreshTokenExpires=5000), "third": credential()}
    document["redis"] = redis(up=False, breaker="half-open")

    def step(document):
        document["tenants"][LONG]["limits"][LONG[:40]]["refused"] += 1
        document["tenants"]["t1"]["outcomes"]["forwarded"] += 7

    stand_in.step = step
    return stand_in


@pytest.fixture(params=("light", "dark"))
def scheme(request):
    return request.param


def settle(browser):
    """Until plots and refusals are there."""

    browser.wait(lambda: browser.all("#rates path.first")
                 and LONG in browser.problems, "all of it")


def test_contrast(browser, busy, scheme):
    browser.look(scheme)
    browser.open(busy.url)
    settle(browser)

    found = browser.contrasts()
    assert len(found) > 200
    assert [item for item in found if item[0] < AA] == []


def test_contrast_when_all_is_well(browser, stand_in, scheme):
    browser.look(scheme)
    browser.open(stand_in.url)

    found = browser.contrasts()
    assert [item for item in found if item[0] < AA] == []


def test_the_schemes_differ(browser, stand_in):
    backs = set()

    for scheme in ("light", "dark"):
        browser.look(scheme)
        browser.open(stand_in.url)
        backs.add(browser.run(
            "return getComputedStyle(document.body).backgroundColor"))

    assert len(backs) == 2


@pytest.mark.parametrize("width", (PHONE, 768, 1280, 1920))
def test_nothing_is_cut_off(browser, busy, width):
    browser.look(width=width)
    browser.open(busy.url)
    settle(browser)

    assert browser.run("""
        return [...document.querySelectorAll("body *")].filter((element) =>
            element.getClientRects().length
            && !element.closest("svg")
            && element.getBoundingClientRect().right
               > document.documentElement.clientWidth + 0.5)
            .map((element) => element.outerHTML.slice(0, 200));
    """) == []
    assert browser.overflow == 0


@pytest.mark.parametrize("width", (PHONE, 1280))
def test_what_assistive_technology_is_told(browser, busy, width):
    browser.look(width=width)
    browser.open(busy.url)
    settle(browser)

    roles = browser.roles()
    kinds = [role for role, _ in roles]

    for landmark in ("banner", "main", "contentinfo"):
        assert kinds.count(landmark) == 1

    regions = {name for role, name in roles if role == "region"}
    assert {"States", "Tenants", "Requests per second"} <= regions

    assert kinds.count("heading") >= 8
    assert kinds.count("columnheader") >= 6
    assert kinds.count("rowheader") >= 20
    assert ("searchbox", "Filter") in roles
    assert {name for role, name in roles if role == "button"} == {
        "Pause", browser.run("return more.textContent")}

    # the states are words, and not only shapes and colours
    assert ("StaticText", "Trying") in roles
    assert ("StaticText", "Expired") in roles


def test_what_is_spoken_is_only_what_changes(browser, busy):
    browser.open(busy.url)
    settle(browser)

    browser.run("""
        window.spoken = 0;
        new MutationObserver(() => { spoken += 1; }).observe(
            document.getElementById("spoken"),
            { childList: true, characterData: true, subtree: true });
        new MutationObserver(() => { spoken += 1; }).observe(
            document.getElementById("shown"),
            { childList: true, characterData: true, subtree: true });
    """)
    polls = busy.polls
    browser.wait(lambda: busy.polls >= polls + 3, "some polls")
    assert browser.run("return spoken") == 0

    busy.document["redis"] = redis()
    browser.wait(lambda: browser.run("return spoken") == 1, "the change")


def test_the_keyboard(browser, busy):
    browser.open(busy.url)
    settle(browser)

    def press(*keys):
        browser.driver.switch_to.active_element.send_keys(*keys)

    def focused():
        element = browser.driver.switch_to.active_element
        return element.get_attribute("id") or element.text

    def is_seen():
        return browser.run("""
            const style = getComputedStyle(document.activeElement);
            const box = document.activeElement.getBoundingClientRect();
            return style.outlineStyle !== "none"
                   && parseFloat(style.outlineWidth) >= 2
                   && box.left >= 0 && box.width > 0;
        """)

    order = []
    press(Keys.TAB)

    while focused() not in order:
        order.append(focused())
        assert is_seen(), order
        press(Keys.TAB)

        if browser.run("return document.activeElement === document.body"):
            break

    assert order == ["Skip to what is wrong", "pause", "filter", "more",
                     "as JSON", "for Prometheus"]

    browser.run("document.querySelector('.skip').focus()")
    press(Keys.ENTER)
    assert focused() == "main"

    browser.run("document.querySelector('#pause').focus()")
    press(Keys.SPACE)
    assert browser.text("#pause") == "Go on"
    press(Keys.ENTER)
    assert browser.text("#pause") == "Pause"

    # figures that come in do not take the focus away
    browser.run("document.querySelector('#filter').focus()")
    press("t1")
    polls = busy.polls
    browser.wait(lambda: busy.polls >= polls + 2, "some polls")
    press("2")
    assert list(browser.tenants()) == ["t12"]
    assert focused() == "filter"


def test_a_selection_is_kept(browser, busy):
    browser.open(busy.url)
    settle(browser)

    browser.run("getSelection().selectAllChildren("
                "document.querySelector('#tenant-rows th'))")
    selected = browser.run("return getSelection().toString()")
    polls = busy.polls
    browser.wait(lambda: busy.polls >= polls + 2, "some polls")

    assert selected == "t0"
    assert browser.run("return getSelection().toString()") == selected


@pytest.mark.parametrize("motion", (True, False))
def test_motion(browser, busy, motion):
    browser.look(motion=motion)
    browser.open(busy.url)

    duration = browser.run("return getComputedStyle(document.querySelector("
                           "'.bar i')).transitionProperty")
    assert (duration == "none") == (not motion)


def test_the_policy_holds(browser, stand_in):
    """What somebody could get into the page does not run."""

    browser.tolerated = ("Content Security Policy", "violates")
    browser.open(stand_in.url)

    browser.run("""
        window.ran = [];
        const script = document.createElement("script");
        script.textContent = "ran.push('script')";
        document.body.append(script);
        const image = document.createElement("div");
        image.innerHTML = "<img src=x onerror=\\"ran.push('handler')\\">";
        document.body.append(image);
        fetch("http://127.0.0.2:1/").catch(() => ran.push("refused"));
    """)
    browser.wait(lambda: browser.run("return ran.length"), "the answer")

    assert browser.run("return ran") == ["refused"]
    assert stand_in.strayed == []

    log = json.dumps([entry["message"] for entry
                      in browser.driver.get_log("browser")])

    for directive in ("script-src", "img-src", "connect-src"):
        assert directive in log
