# Copyright (C) The wholesale gateway authors

"""Fixtures of the page's tests, beside those of the gateway's.

  browser   a headless Chromium, the same for all tests, with nothing open
  stand_in  what tells the page whatever the test wants
"""

import pytest

from gateway.conftest import (gateway, no_secret_in_any_log,  # noqa: F401
                              pytest_configure, redis, running_sandbox,
                              sandbox)
from page.browser import Browser
from page.stand_in import StandIn


@pytest.fixture(scope="session")
def running_browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.quit()


@pytest.fixture
def browser(running_browser):
    running_browser.reset()
    yield running_browser
    running_browser.close()


@pytest.fixture
def stand_in():
    stand_in = StandIn().start()
    yield stand_in
    stand_in.stop()
