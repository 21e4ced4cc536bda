"""Drives the page in Chromium, as a person does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page

__all__ = ["Driver"]

_PATIENCE = 60.0  # Seconds; a busy machine is slow.


class Driver:
    """One page. `errors` has what the console complains of, `hosts` where requests went."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def open(self, fragment: str = "") -> Driver:
        """Go to the page with a state in its address, and wait until the point is shown."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{fragment}")
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until the newest point is shown."""
        self.until("document.querySelector('#what').getAttribute('aria-busy') === 'false'")

    def until(self, condition: str, patience: float = _PATIENCE) -> None:
        """Wait until a JavaScript expression is true. (The page's policy forbids Playwright's own way to wait.)"""
        self.wait(lambda: self.page.evaluate(condition), condition, patience)

    def wait(self, condition: Callable[[], Any], what: str, patience: float = _PATIENCE) -> None:
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"waited in vain for: {what}; the line says: {self.text('#line p')!r}"
            self.page.wait_for_timeout(30)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).text_content() or ""

    def shown(self, selector: str) -> bool:
        return self.page.locator(selector).is_visible()

    def line(self) -> str:
        """The line on the page; empty where there is none."""
        return self.text("#line p") if self.shown("#line") else ""

    @property
    def place(self) -> str:
        return self.text("#place")

    @property
    def fragment(self) -> str:
        return urlsplit(self.page.url).fragment

    def lane(self, number: int = 0) -> bytes:
        """The pixels of a lane."""
        return self.page.locator(".lane canvas").nth(number).screenshot()

    def drop(self, path: Path, selector: str, data: bytes | None = None) -> None:
        """Drop a file on the middle of an element."""
        box = self.page.locator(selector).bounding_box()
        assert box is not None
        given = list(path.read_bytes() if data is None else data)
        transfer = self.page.evaluate_handle(
            "([bytes, name]) => { const it = new DataTransfer();"
            " it.items.add(new File([new Uint8Array(bytes)], name)); return it; }",
            [given, path.name],
        )
        place = {"clientX": box["x"] + box["width"] / 2, "clientY": box["y"] + box["height"] / 2}
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event(selector, event, {"dataTransfer": transfer, **place})

    def drag(self, *shares: tuple[float, float]) -> None:
        """Drag the point over places of the pad, as shares of its width and height."""
        box = self.page.locator("#pad").bounding_box()
        assert box is not None
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for x, y in at[1:]:
            self.page.mouse.move(x, y, steps=4)
        self.page.mouse.up()
