"""People, Person, Search, Replay and Cameras in a real browser over a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, expect

from pipeline.searching import Found
from storage.browsing import find_sighting
from storage.desk.shapes import standing_shapes
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting
from storage.types import Decision, IdentityId, SightingId
from streams.types import Modality
from tests.api_site import GATE, VAULT, Site, jpeg, open_site
from tests.storage_builders import exemplar, link, link_unsure, sighting
from tests.web_browser import WIDTHS, chromium, violations, window

Pixels = npt.NDArray[np.uint8]
MINE = (
    "/people", "/people/P-0001", "/people/P-0001/sheet", "/compare?one=P-0001&other=P-0003",
    "/search", "/replay", "/cameras", "/cameras/gate", "/cameras/plan", "/cameras/ways",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("people"), with_pages=True) as opened:
        add_night(opened)
        yield opened


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Site]:
    """A site that a test may change."""
    with open_site(tmp_path, with_pages=True) as opened:
        add_night(opened)
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def add_night(site: Site) -> None:
    """S6: P-0001 at the gate by night, with grounds; S7: perhaps them."""
    evidence = EvidenceStore(site.config.storage.evidence)
    grounds: dict[str, float | int | str] = {
        "appearance_probability": 0.93, "n_crops": 2, "n_eligible": 3, "n_ruled_out": 1,
        "nearest_sighting": 5, "nobody": 0.05, "pair": "infrared-visible", "similarity": 0.62,
        "transit_from": "gate", "transit_s": 31_000.0,
    }  # fmt: skip
    by_looks = replace(
        link(Decision.LINK, identity=1, candidate=1),
        runner_up=IdentityId(3),
        runner_up_probability=0.02,
        grounds=grounds,
    )
    for number, said in ((6, by_looks), (7, link_unsure(1))):
        site.pictures[number] = evidence.put(jpeg(number))
        crop = exemplar(1, number, 0, 0, evidence=site.pictures[number], modality=Modality.INFRARED)
        visit = sighting(
            number,
            camera=GATE,
            modality=Modality.INFRARED,
            at_s=8 * 3600 + 60 * number,
            link=said,
            exemplars=(crop,),
        )
        record_sighting(site.database, visit, now_us=site.desk.clock.now_us())


@pytest.mark.parametrize("path", MINE)
def test_a_page_fits_and_is_at_peace_and_can_be_read_by_everybody(
    site: Site, browser: Browser, path: str
) -> None:
    for width in WIDTHS:
        with window(browser, site, width=width) as seen:
            seen.open(path)
            seen.settle()

            assert seen.overflow_px() <= 0
            assert seen.complaints == []
    with window(browser, site) as seen:
        seen.open(path)
        assert violations(seen.settle()) == []


def test_a_person_says_who_where_and_how_sure_day_beside_night(
    site: Site, browser: Browser
) -> None:
    with window(browser, site) as seen:
        page = seen.open("/people/P-0001")

        expect(page.locator("h1")).to_contain_text("red coat")
        expect(page.locator(".answer.now")).to_contain_text("Last seen at gate")
        expect(page.locator('.faces[data-light="day"] figcaption')).to_contain_text("day")
        expect(page.locator('.faces[data-light="night"] img')).to_have_count(1)
        expect(page.locator("svg.lanes a.visit.unsure")).to_have_count(1)
        why = page.locator("#panel-body .why")
        expect(why).to_contain_text("probably the same person")
        expect(why).to_contain_text("8.6 h")
        expect(why).to_contain_text("P-0003")
        seen.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()


def test_what_was_unsure_is_confirmed_with_one_key_and_undone_with_another(
    untouched: Site, browser: Browser
) -> None:
    with window(browser, untouched, "operator") as seen:
        page = seen.open("/people/P-0001?visit=S7")
        expect(page.locator("#panel-body .why")).to_contain_text("not sure")

        seen.press("s")

        expect(page.locator("#toasts")).to_contain_text("became P-0001")
        expect(page.locator("svg.lanes a.visit.unsure")).to_have_count(0)
        seen.press("u")
        expect(page.locator("#toasts")).to_contain_text("is taken back")
        expect(page.locator("svg.lanes a.visit.unsure")).to_have_count(1)


def test_two_persons_are_merged_by_keyboard_and_parted_again(
    untouched: Site, browser: Browser
) -> None:
    with window(browser, untouched, "operator") as seen:
        page = seen.open("/people/P-0001")
        page.locator("#merge").focus()
        seen.press("Enter")
        page.keyboard.type("P-0003")
        seen.press("Tab")
        page.keyboard.type("the same <b>coat</b>")
        seen.press("Enter")

        expect(page.locator("#toasts")).to_contain_text("are now one person, P-0001")
        expect(page.locator(".verdicts q").first).to_have_text("the same <b>coat</b>")
        page.locator("#toasts button", has_text="Undo").click()
        expect(page.locator("#toasts")).to_contain_text("is taken back")


def test_visits_are_chosen_and_split_off(untouched: Site, browser: Browser) -> None:
    with window(browser, untouched, "operator") as seen:
        page = seen.open("/people/P-0001?visit=S6")
        expect(page.locator("#split")).to_be_disabled()
        seen.press("x")
        page.locator("#split").click()
        seen.press("Enter")

        expect(page.locator("#toasts")).to_contain_text("became P-0004")
        expect(page.locator("#visits")).not_to_contain_text("8.6 h")


def test_a_person_is_named_and_found_by_that_name(untouched: Site, browser: Browser) -> None:
    with window(browser, untouched, "operator") as seen:
        page = seen.open("/people/P-0003")
        page.locator("#rename").click()
        page.keyboard.type("<i>hat</i>")
        seen.press("Enter")
        expect(page.locator("h1 q")).to_have_text("<i>hat</i>")

        seen.open("/people")
        page.get_by_label("Number or name").fill("hat")
        seen.press("Enter")

        expect(page.locator("#people .tile")).to_have_count(1)
        expect(page.locator("#people")).to_contain_text("P-0003")


def test_who_decides_nothing_sees_no_button_for_it(site: Site, browser: Browser) -> None:
    with window(browser, site, "viewer") as seen:
        page = seen.open("/people/P-0001")

        for words in ("#merge", "#split", "#forget", "#rename", "[data-does]", ".choose"):
            expect(page.locator(words)).to_have_count(0)
        seen.press("s")
        expect(page.locator("#toasts")).to_be_empty()


@pytest.mark.parametrize("path", [*MINE, "/replay/boxes?from=1700000000000000&to=1700000500000000"])
def test_pages_tell_nothing_of_hidden_cameras(site: Site, path: str) -> None:
    client = site.client("operator-gate")
    client.headers["Accept"] = "text/html"

    answer = client.get(path)

    assert answer.status_code == 200, answer.text
    for canary in (VAULT, "name-canary", "P-0002", "secret-canary"):
        assert canary not in answer.text


def test_a_box_on_a_picture_is_searched_and_candidates_are_compared(
    untouched: Site, browser: Browser, tmp_path: Path
) -> None:
    asked: list[tuple[int, ...]] = []
    answer_searches(untouched, asked)
    picture = tmp_path / "somebody.jpg"
    picture.write_bytes(jpeg(5, size=100))
    with window(browser, untouched, "operator") as seen:
        page = seen.open("/search")
        page.locator("#file").set_input_files(picture)
        page.locator("#stage").focus()
        seen.press("ArrowRight", "Shift+ArrowDown")
        page.locator("#go").click()

        rows = page.locator(".candidate")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("P-0001")
        expect(rows.first).to_contain_text("91 %")
        expect(rows.first).to_contain_text("both by day")
        page.get_by_role("link", name="Compare with P-0001").click()
        expect(page).to_have_url(re.compile(r"/compare\?one=P-0001&other=P-0003"))
        expect(page.locator("h1")).to_have_text("Are P-0001 and P-0003 one person?")
        assert seen.complaints == []
    (shape,) = asked
    assert shape[0] == pytest.approx(0.61 * 200, abs=3)
    assert shape[1] == pytest.approx(0.20 * 100, abs=3)


def answer_searches(site: Site, asked: list[tuple[int, ...]]) -> None:
    """P-0001, then P-0003: the network takes seconds to load and is tested elsewhere."""

    def candidate(who: int, visit: int, probability: float) -> SimpleNamespace:
        found = find_sighting(site.database, SightingId(visit), scope=None)
        nearest = SimpleNamespace(
            camera=found.camera, first_seen_us=found.first_seen_us, sighting=found.id
        )
        return SimpleNamespace(
            identity=IdentityId(who),
            probability=probability,
            similarity=0.5,
            pair=(Modality.VISIBLE, Modality.VISIBLE),
            n_looks=1,
            nearest=nearest,
        )

    def search(pictures: list[Pixels], **_: object) -> object:
        asked.append(pictures[0].shape)
        found = [candidate(1, 5, 0.91), candidate(3, 3, 0.04)]
        return Found(candidates=found, n_people=2), (Modality.VISIBLE,)  # type: ignore[arg-type]

    site.desk.searcher.search = search  # type: ignore[method-assign,assignment]


def test_a_zone_is_drawn_by_keyboard_kept_and_taken_back(untouched: Site, browser: Browser) -> None:
    with window(browser, untouched) as seen:
        page = seen.open("/cameras/gate")
        expect(page.locator("#shapes li")).to_have_count(1)
        seen.press("z", "Enter")
        for _ in range(10):
            seen.press("ArrowRight")
        seen.press("Enter", *["Shift+ArrowDown"] * 4, "Enter")
        page.locator("#shape-name").fill('yard "<b>')
        seen.press("Enter")

        expect(page.locator("#toasts")).to_contain_text("is kept")
        expect(page.locator("#shapes")).to_contain_text('yard "<b>')
        (kept,) = [s for s in standing_shapes(untouched.database, camera=GATE) if s.name != "dock"]
        assert [tuple(round(number, 2) for number in point) for point in kept.points] == [
            (0.5, 0.5), (0.6, 0.5), (0.6, 0.7),
        ]  # fmt: skip
        page.locator("#toasts button", has_text="Undo").click()
        expect(page.locator("#shapes li")).to_have_count(1)


def test_a_camera_is_moved_and_turned_on_the_plan_with_keys(
    untouched: Site, browser: Browser
) -> None:
    with window(browser, untouched) as seen:
        page = seen.open("/cameras/plan")
        page.locator('#spots [data-camera="gate"]').focus()
        with page.expect_response(re.compile("/place$")) as told:
            seen.press("]", "ArrowRight")

        assert told.value.json()["heading_deg"] == 15
        assert told.value.json()["x_m"] > 1.0


def test_replay_is_steered_by_keys_and_says_what_was_not_recorded(
    site: Site, browser: Browser
) -> None:
    with window(browser, site) as seen:
        page = seen.open("/replay?follow=P-0001&camera=gate&at=1700000299000000")
        moment = page.locator("#moment")
        expect(moment).to_contain_text("22:18:19")
        expect(page.locator(".tile", has_text="gate")).to_contain_text("not recorded")

        seen.press("ArrowRight", "Shift+ArrowLeft")
        expect(moment).to_contain_text("22:18:23")
        seen.press("n")

        expect(page.locator("#follow-words")).to_contain_text("P-0001")
        expect(page.locator(".ruler-svg .visit.followed").first).to_be_visible()
        assert seen.complaints == []
