"""Recordings are kept as evidence on the pages Replay and Person, and released again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from storage.audit import audit_entries
from storage.desk.segments import LOCK, UNLOCK, record_segments, segments
from storage.sightings import record_sighting
from tests.api_site import API, VAULT, Site, open_site
from tests.recording_builders import US, counted_film, record_film
from tests.storage_builders import TEN_O_CLOCK_US, link_new, sighting
from tests.web_browser import WIDTHS, chromium, violations, window

REPLAY = f"/replay?camera={VAULT}&at={TEN_O_CLOCK_US + US}"

STATE = f'.tile[data-camera="{VAULT}"] .state'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A live camera that recorded four seconds, in which somebody was seen."""
    with open_site(tmp_path, with_pages=True, filled=False, live_only=True) as opened:
        film = counted_film(tmp_path / "film.mp4")
        folder = opened.config.recordings_folder
        found = record_film(film, folder, camera=VAULT, from_us=TEN_O_CLOCK_US)
        record_segments(opened.database, found)
        visit = sighting(1, camera=VAULT, link=link_new(), exemplars=(), at_s=1)
        record_sighting(opened.database, visit, now_us=TEN_O_CLOCK_US)
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def kept(site: Site) -> list[int | None]:
    return [stored.kept_until_us for stored in segments(site.database)]


def test_a_recording_is_kept_by_keyboard_and_shown_as_kept(site: Site, browser: Browser) -> None:
    with window(browser, site, "operator") as seen:
        page = seen.open(REPLAY)
        expect(page.locator(".ruler-svg .recorded")).to_have_count(1)
        seen.press("l")
        expect(page.locator("#keep-state")).to_contain_text("Not kept yet")
        assert violations(page) == []
        page.keyboard.type("theft <b>at</b> the till")
        seen.press("Enter")

        expect(page.locator("#toasts")).to_contain_text("2 files kept until")
        expect(page.locator(".ruler-svg .kept")).to_have_count(1)
        expect(page.locator(STATE)).to_contain_text("kept until")
        seen.press("l")
        expect(page.locator("#keep-state")).to_contain_text("kept until")
        expect(page.locator("#keep-release")).to_be_hidden()  # administrators release
        assert seen.complaints == []
    now_us = site.desk.clock.now_us()
    assert all(until is not None and until > now_us + 80 * 86_400 * US for until in kept(site))
    (entry,) = [each for each in audit_entries(site.database) if each.action == LOCK]
    assert (entry.who, entry.subject) == ("operator", VAULT)
    assert entry.detail["reason"] == "theft <b>at</b> the till"


def test_what_is_kept_of_a_person_is_told_and_released_by_an_administrator(
    site: Site, browser: Browser
) -> None:
    with window(browser, site) as seen:
        page = seen.open("/people/P-0001")
        seen.press("l")
        expect(page.locator("#keep-what")).to_contain_text(f"P-0001 at {VAULT}")
        page.keyboard.type("theft")
        seen.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("kept until")
        expect(page.locator("#visits .kept")).to_contain_text("kept until")
        expect(page.locator("#panel .kept")).to_contain_text("kept until")
        assert None not in kept(site)

        page.locator("#keep-all").click()
        expect(page.locator("#keep-release")).to_be_visible()
        page.keyboard.type("solved")
        to = page.locator("#keep-to")
        was = to.input_value()
        to.fill("2020-01-01T00:00:00")
        page.locator("#keep-release").click()
        expect(page.locator("#keep-told")).to_contain_text("not after its beginning")
        assert None not in kept(site)
        to.fill(was)
        expect(page.locator("#keep-state")).to_contain_text("kept until")
        page.locator("#keep-release").click()

        expect(page.locator("#toasts")).to_contain_text("Released")
        expect(page.locator("#visits .kept")).to_have_count(0)
    assert kept(site) == [None, None]
    assert [e.detail["reason"] for e in audit_entries(site.database) if e.action == UNLOCK] == [
        "solved"
    ]


def test_who_may_only_look_keeps_nothing_and_sees_what_is_kept(
    site: Site, browser: Browser
) -> None:
    asked = {"from": str(TEN_O_CLOCK_US), "to": str(TEN_O_CLOCK_US + US), "reason": "theft"}
    until = str(site.desk.clock.now_us() + 10**12)
    path = f"{API}/cameras/{VAULT}/recordings/lock"
    assert site.known("operator").post(path, json={**asked, "until": until}).status_code == 200
    for width in WIDTHS:
        with window(browser, site, "viewer", width=width) as seen:
            page = seen.open(REPLAY)

            expect(page.locator(STATE)).to_contain_text("kept until")
            expect(page.locator("#keep-open")).to_have_count(0)
            seen.press("l")
            assert seen.overflow_px() <= 0
            assert seen.complaints == []
