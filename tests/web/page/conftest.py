"""A real Chromium, without a window, and pages in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'musicae[dev]'")

from asking import TOKEN, Client
from driver import Driver
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for the tests of one file: asyncio is Playwright's own for as long as it runs."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("needs Chromium: on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, client: Client) -> Iterator[Callable[..., Driver]]:
    """Opens pages; none of them may complain, or ask another host than this machine."""
    host = f"127.0.0.1:{client.port}"
    drivers, contexts = [], []

    def make(**options: Any) -> Driver:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        drivers.append(Driver(context.new_page(), f"http://{host}/{TOKEN}/"))
        return drivers[-1]

    yield make
    for context in contexts:
        context.close()
    for driver in drivers:
        assert driver.errors == []
        assert driver.hosts <= {host}
