"""A camera is added in the pages: found, looked at, watched, changed, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from streams.config import CameraConfig
from streams.discovery import Discovered
from tests.api_site import API, VAULT, Site, open_site
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
        expect(page.locator("#camera-told")).to_contain_text("1920 × 1080, hevc")
        expect(page.locator("#camera-told")).to_contain_text("does not play in most browsers")
        page.get_by_label("Name").fill("yard")
        page.get_by_label("Light").select_option("infrared")
        page.get_by_role("button", name="Add it").click()

        expect(page.locator("#toasts")).to_contain_text("start the watcher anew")
        expect(page.locator('[data-camera="yard"]')).to_contain_text("rtsp://192.0.2.7/1")
        assert "pass-canary" not in page.content()
        expect(page.locator("#toasts").get_by_role("button", name="Undo")).to_be_visible()
        page.locator('[data-remove="yard"]').click()
        expect(page.locator('[data-camera="yard"]')).to_have_count(0)
        assert seen.complaints == []


def test_a_camera_is_changed_and_its_password_stays_unseen(site: Site, browser: Browser) -> None:
    seen_by: list[str] = []

    def probe(camera: CameraConfig, **_: object) -> dict[str, object]:
        seen_by.append(camera.source.get_secret_value())
        return dict(SEEN)

    site.desk.looking.probe = probe  # type: ignore[method-assign]
    asked = {"name": "yard", "source": "rtsp://op:pass-canary@192.0.2.7/1", "transport": "udp"}
    assert site.known("admin").post(f"{API}/cameras", json=asked).status_code == 201
    with window(browser, site) as seen:
        page = seen.open("/cameras/yard")
        page.get_by_role("button", name="Change…").click()
        expect(page.get_by_label("Carried by")).to_have_value("udp")
        assert violations(page) == []
        page.get_by_role("button", name="Look at it").click()
        expect(page.locator("#camera-told")).to_contain_text("1920 × 1080, hevc")
        page.get_by_label("Light").select_option("infrared")
        page.get_by_role("button", name="Change it").click()
        expect(page.locator("#toasts")).to_contain_text("yard is changed")
        assert "pass-canary" not in page.content()

        page.get_by_role("button", name="Change…").click()
        page.get_by_label("Another address").fill("ftp://192.0.2.8/2")
        page.get_by_role("button", name="Change it").click()
        expect(page.locator("#camera-told")).to_contain_text("protocol ftp: is not read")
        page.get_by_label("Another address").fill("rtsp://op:pass-canary-2@192.0.2.8/2")
        page.get_by_role("button", name="Change it").click()
        expect(page.locator("#toasts")).to_contain_text("yard is changed")
        assert "pass-canary" not in page.content()
        assert [told for told in seen.complaints if "40" not in told] == []
    (changed,) = [each for each in site.desk.config.cameras if each.name == "yard"]
    assert changed.source.get_secret_value() == "rtsp://op:pass-canary-2@192.0.2.8/2"
    assert (changed.modality, changed.transport) == ("infrared", "udp")
    assert seen_by == ["rtsp://op:pass-canary@192.0.2.7/1"]


def test_a_camera_of_the_configuration_is_changed_there(site: Site, browser: Browser) -> None:
    with window(browser, site) as seen:
        page = seen.open(f"/cameras/{VAULT}")

        expect(page.locator("main")).to_contain_text("written in config.yaml")
        expect(page.get_by_role("button", name="Change…")).to_have_count(0)


def test_what_is_wrong_is_told_where_it_was_written(site: Site, browser: Browser) -> None:
    with window(browser, site) as seen:
        page = seen.open("/cameras")
        page.get_by_role("button", name="Add a camera").click()
        page.get_by_label("Name").fill("yard")
        page.get_by_label("Address").fill("ftp://192.0.2.7/1")
        page.get_by_role("button", name="Add it").click()

        expect(page.locator("#camera-told")).to_contain_text("protocol ftp: is not read")
