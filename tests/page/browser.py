# Copyright (C) The wholesale gateway authors

"""A headless Chromium with the status page in it."""

import base64
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By


CHROMIUM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"

# it talks to nobody but the page's server
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
           "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
           "--disable-background-networking", "--disable-component-update",
           "--force-device-scale-factor=1")

WIDTH, HEIGHT = 1280, 800
PHONE = 360

WAIT_SECONDS = 20

# of all text that is seen: its contrast to what is behind it, as WCAG has it

CONTRASTS = """
    const channel = (c) => c <= 0.04045 ? c / 12.92
                                        : ((c + 0.055) / 1.055) ** 2.4;
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => 0.2126 * channel(r / 255)
        + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
    const found = [];

    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((node) =>
            node.nodeType === 3 && node.textContent.trim());

        if (!own || !element.getClientRects().length
            || element.closest("script, style, noscript, .unseen, .skip"))
        {
            continue;
        }

        const style = getComputedStyle(element);
        const text = parse(element instanceof SVGElement ? style.fill
                                                         : style.color);
        let behind = element;

        while (behind && /^rgba\\(.*, 0\\)$/.test(
            getComputedStyle(behind).backgroundColor))
        {
            behind = behind.parentElement;
        }

        const back = parse(getComputedStyle(behind || document.body)
                           .backgroundColor);
        const pair = [luminance(text), luminance(back)].sort((a, b) => b - a);

        found.push([(pair[0] + 0.05) / (pair[1] + 0.05),
                    element.textContent.trim().slice(0, 40),
                    style.color + " on " + back]);
    }

    return found;
"""


class Browser:
    """From its making to quit().  Each test begins with reset() and ends with
    close(), which fails if the console has anything to complain of."""

    def __init__(self, folder):
        options = Options()
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})

        for option in (*OPTIONS, f"--user-data-dir={folder}"):
            options.add_argument(option)

        self.driver = webdriver.Chrome(service=Service(DRIVER),
                                       options=options)
        self.tolerated = ()

    def quit(self):
        self.driver.quit()

    def reset(self):
        self.tolerated = ()
        self.look()

    def close(self):
        complaints = self.complaints()
        self.driver.get("about:blank")
        assert not complaints, "\n".join(complaints)

    def complaints(self):
        """What the console has said, violations of the policy included; but
        for what has one of the texts in "tolerated"."""

        return [entry["message"] for entry in self.driver.get_log("browser")
                if not any(text in entry["message"]
                           for text in self.tolerated)]

    def look(self, scheme="light", width=WIDTH, height=HEIGHT, motion=True):
        """How its user wants to see things."""

        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion",
             "value": "no-preference" if motion else "reduce"}])
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=width == PHONE)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def open(self, url):
        """Returns when the first figures are there."""

        self.driver.get(url)
        self.wait(lambda: not self.run("return figures.hidden"),
                  "the first figures")

    def wait(self, condition, what, seconds=WAIT_SECONDS):
        deadline = time.monotonic() + seconds

        while not condition():
            assert time.monotonic() < deadline, \
                f"waited in vain for {what}:\n{self.one('main').text}"
            time.sleep(0.05)

    # what is in the page

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """As it is in the document; with plain blanks."""

        return self.run("return document.querySelector(arguments[0])"
                        ".textContent", selector).replace("\u00a0", " ")

    @property
    def verdict(self):
        return self.text("#verdict-head").strip(), \
            self.one("#verdict").get_attribute("class")

    @property
    def problems(self):
        """All text below the headline."""

        return self.text("#problems")

    @property
    def tiles(self):
        """{title: (word, level)}"""

        return {title: (word, kind.split()[1]) for title, word, kind in
                self.run("""
            return [...document.querySelectorAll(".tile")].map((tile) =>
                [tile.children[0].textContent,
                 tile.children[1].textContent, tile.className]);""")}

    def table(self, title):
        """{first column: the others} of one of the tables at the end."""

        rows = self.run("""
            return [...document.querySelectorAll("#tables section")]
                .filter((section) => section.children[0].textContent
                                     === arguments[0])
                .flatMap((section) =>
                    [...section.querySelectorAll("tbody tr")].map((row) =>
                        [...row.cells].map((cell) => cell.textContent)));
            """, title)

        return {first: [cell.replace("\u00a0", " ") for cell in rest]
                for first, *rest in rows}

    def tenants(self, body="tenant-rows"):
        """{name: (limits' texts, accepted, limited, invalid, else)}"""

        rows = self.run("""
            return [...document.getElementById(arguments[0]).rows].map((row) =>
                [row.cells[0].textContent,
                 [...row.querySelectorAll(".limit")].map(
                     (limit) => limit.textContent),
                 ...[...row.cells].slice(2).map((cell) => cell.textContent)]);
            """, body)

        return {name: ([limit.replace("\u00a0", " ") for limit in limits],
                       *map(number, figures))
                for name, limits, *figures in rows}

    def contrasts(self):
        return self.run(CONTRASTS)

    @property
    def overflow(self):
        """How many pixels are out of sight to the right."""

        return self.run("return document.documentElement.scrollWidth"
                        " - document.documentElement.clientWidth")

    def roles(self):
        """[(role, name)] of what assistive technology is told of."""

        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in self.cdp("Accessibility.getFullAXTree")["nodes"]
                if not node["ignored"]]

    def screenshot(self):
        return base64.b64decode(self.cdp("Page.captureScreenshot",
                                         format="png")["data"])


def number(text):
    """"1,234" → 1234"""

    return int(text.replace(",", ""))
