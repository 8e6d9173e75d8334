"""A camera is added in the pages: found, looked at, watched, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from streams.discovery import Discovered
from tests.api_site import Site, open_site
from tests.web_browser import chromium, violations, window

SEEN = {
    "codec": "hevc", "width_px": 1920, "height_px": 1080, "fps": 12.5, "keyframe_interval_s": 2.0,
    "modality": "infrared", "first_frame_s": 0.4, "has_sender_clock": True, "clock_off_s": 0.1,
    "advice": ["H.265 does not play in most browsers."],
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, with_pages=True, filled=False, live_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def test_a_camera_is_found_looked_at_added_and_taken_back(site: Site, browser: Browser) -> None:
    device = Discovered(address="192.0.2.7", name="Yard", model="X7")
    site.desk.looking.discover = lambda: [device]  # type: ignore[method-assign]
    site.desk.looking.probe = lambda *_, **__: dict(SEEN)  # type: ignore[method-assign]
    with window(browser, site) as seen:
        page = seen.open("/cameras")
        page.get_by_role("button", name="Add a camera").click()
        assert violations(page) == []

        page.get_by_role("button", name="Look for cameras").click()
        page.get_by_role("button", name="Take it").click()
        expect(page.get_by_label("Address")).to_have_value("rtsp://192.0.2.7/")
        page.get_by_label("Address").fill("rtsp://op:pass-canary@192.0.2.7/1")
        page.get_by_role("button", name="Look at it").click()
        expect(page.locator("#add-told")).to_contain_text("1920 × 1080, hevc")
        expect(page.locator("#add-told")).to_contain_text("does not play in most browsers")
        page.get_by_label("Name").fill("yard")
        page.get_by_label("Light").select_option("infrared")
        page.get_by_role("button", name="Add it").click()

        expect(page.locator("#toasts")).to_contain_text("start the watcher anew")
        expect(page.locator('[data-camera="yard"]')).to_contain_text("rtsp://192.0.2.7/1")
        assert "pass-canary" not in page.content()
        page.locator('[data-remove="yard"]').click()
        expect(page.locator('[data-camera="yard"]')).to_have_count(0)
        assert seen.complaints == []


def test_what_is_wrong_is_told_where_it_was_written(site: Site, browser: Browser) -> None:
    with window(browser, site) as seen:
        page = seen.open("/cameras")
        page.get_by_role("button", name="Add a camera").click()
        page.get_by_label("Name").fill("yard")
        page.get_by_label("Address").fill("ftp://192.0.2.7/1")
        page.get_by_role("button", name="Add it").click()

        expect(page.locator("#add-told")).to_contain_text("protocol ftp: is not read")
