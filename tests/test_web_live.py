"""The wall in a real browser: who it may be is told apart from who it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from streams.types import CameraId
from tests.api_site import GATE, VAULT, Site, open_site, write_live
from tests.web_browser import chromium, violations, window

TILE = f'.tile[data-camera="{VAULT}"]'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, with_pages=True) as opened:
        yield opened


def show(
    site: Site, *boxes: dict[str, Any], camera: CameraId = VAULT, health: str = "live"
) -> None:
    """A new picture of the camera with these people, side by side."""
    write_live(site, camera, health=health)
    place = site.config.live_folder / f"{camera}.json"
    state = json.loads(place.read_text())
    state["boxes"] = [
        {"track": f"t{n}", "xyxy": [0.05 + 0.3 * n, 0.3, 0.2 + 0.3 * n, 0.8], "person": None}
        | {"candidate": None, "probability": None, "first_look": None}
        | box
        for n, box in enumerate(boxes)
    ]
    unfinished = place.with_suffix(".part")
    unfinished.write_text(json.dumps(state))
    unfinished.replace(place)


def dashes(page: Page) -> None:
    """Note how boxes are drawn from now on."""
    page.evaluate(
        """() => {
          window.lines = [];
          const draw = CanvasRenderingContext2D.prototype.strokeRect;
          CanvasRenderingContext2D.prototype.strokeRect = function (...at) {
            window.lines.push(this.getLineDash().length > 0);
            return draw.apply(this, at);
          };
        }"""
    )


def test_a_first_look_is_told_apart_from_what_is_decided(site: Site, browser: Browser) -> None:
    maybe = {"candidate": "P-0002", "probability": 0.874, "first_look": "link"}

    with window(browser, site) as seen:
        page = seen.open("/live")
        people = page.locator(f"{TILE} .people")
        show(site, {"first_look": None}, {"probability": 0.91, "first_look": "new"})
        expect(people).to_have_text("somebodymaybe somebody new · 91 %")

        show(site, {"candidate": "P-0002", "probability": 0.44, "first_look": "unsure"})
        expect(people.locator("button")).to_have_text("P-0002? 44 %")

        dashes(page)
        show(site, maybe)
        expect(people.locator("button")).to_have_text("maybe P-0002 name-canary · 87 %")
        page.wait_for_function("window.lines.length > 0 && window.lines.at(-1) === true")
        assert violations(page) == []
        people.locator("button").click()
        expect(page.locator("#panel")).to_contain_text("P-0002")
        seen.press("Escape")

        show(site, {"person": "P-0002", "probability": 0.97})
        expect(people.locator("button")).to_have_text("P-0002 name-canary")
        page.wait_for_function("window.lines.at(-1) === false")
        assert seen.complaints == []


def test_whom_somebody_may_be_is_not_told_to_who_sees_one_camera(
    site: Site, browser: Browser
) -> None:
    maybe = {"candidate": "P-0002", "probability": 0.874, "first_look": "link"}

    with window(browser, site, "viewer-gate") as seen:
        page = seen.open("/live")
        show(site, maybe, {"person": "P-0001", "probability": 0.9}, camera=GATE)

        people = page.locator(f'.tile[data-camera="{GATE}"] .people')
        expect(people).to_have_text("somebodyP-0001 red coat")
        assert seen.complaints == []


def test_no_first_look_stays_on_the_wall_when_a_recording_ends(
    site: Site, browser: Browser
) -> None:
    maybe = {"candidate": "P-0002", "probability": 0.874, "first_look": "link"}

    with window(browser, site) as seen:
        page = seen.open("/live")
        people = page.locator(f'.tile[data-camera="{GATE}"] .people')
        show(site, maybe, camera=GATE, health="recorded")
        expect(people).to_have_text("maybe P-0002 name-canary · 87 %")

        show(site, maybe, camera=GATE, health="ended")

        expect(people).to_have_text("")  # that recording has no picture to go on with
