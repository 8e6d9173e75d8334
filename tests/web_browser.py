"""A real browser in front of the pages: what it complains of is remembered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.api_site import API, PASSWORD, Site

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
AXE = files("axe_playwright_python") / "axe.min.js"
"""axe-core, as that package carries it."""
WIDTHS = (360, 1440)
ROUND_MS, QUIET_ROUNDS = 50, 4
"""A page is at rest that asks for nothing in so many rounds."""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(slots=True, kw_only=True)
class Window:
    """A window of somebody who signed in.

    Attributes:
        complaints: Errors of the console and of scripts, so far.
        asked: Questions that are not answered yet; without those that never end.
    """

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)
    asked: set[Request] = field(default_factory=set)

    def open(self, path: str) -> Page:
        """Go to a page; what it asks for once it is there may still come."""
        self.page.goto(self.site.url + path)
        self.page.wait_for_load_state("load")
        return self.page

    def settle(self) -> Page:
        """Wait until everything that the page asked for is there and shown."""
        quiet, deadline_s = 0, time.monotonic() + PATIENCE_MS / 1000
        while quiet < QUIET_ROUNDS:
            assert time.monotonic() < deadline_s, [each.url for each in self.asked]
            self.page.wait_for_timeout(ROUND_MS)
            quiet = 0 if self.asked else quiet + 1
        return self.page

    def overflow_px(self) -> int:
        """How much wider than the window the page is."""
        return int(self.page.evaluate(_OVERFLOW))

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for as long as the block lasts."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=FLAGS, timeout=PATIENCE_MS
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser, site: Site, account: str | None = "admin", *, width: int = 1440
) -> Iterator[Window]:
    """A window of its own, signed in as `account`, None: nobody."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    if account is not None:
        credentials = {"name": account, "password": PASSWORD}
        answer = context.request.post(
            f"{site.url}{API}/session", data=credentials, timeout=PATIENCE_MS
        )
        assert answer.status == 200, answer.text()
    opened = Window(page=context.new_page(), site=site)
    opened.page.on("console", lambda told: _hear(opened, told))
    opened.page.on("request", lambda asked: opened.asked.update({asked} if _ends(asked) else ()))
    for answered in ("requestfinished", "requestfailed"):
        opened.page.on(answered, lambda asked: opened.asked.discard(asked))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    try:
        yield opened
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.1 A and AA, one line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def _ends(asked: Request) -> bool:
    return asked.resource_type not in ("eventsource", "media") and not asked.url.endswith("/stream")


def _hear(opened: Window, told: Any) -> None:
    if told.type in ("error", "warning"):
        opened.complaints.append(f"{told.type}: {told.text}")
