"""Signing in, Live, Alerts and System in a real browser over a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from pipeline.api.passwords import Passwords
from pipeline.web.pages import ALL
from storage.desk.accounts import create_account
from storage.desk.alerts import alert
from storage.desk.deliveries import NewDelivery, mark_dead, queue
from storage.desk.types import AlertId, AlertState, Purpose, Role
from tests.api_site import CHEAP, GATE, PASSWORD, VAULT, Site, open_site, write_live
from tests.web_browser import WIDTHS, chromium, violations, window

MINE = ("/live", "/alerts", "/system")
WEB = Path(__file__).parents[1] / "pipeline" / "web"
NEW_PASSWORD = "seven quiet bats"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("pages"), with_pages=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Site]:
    """A site that a test may change."""
    with open_site(tmp_path, with_pages=True) as opened:
        yield opened


def test_who_is_not_signed_in_is_led_to_the_door_and_back(site: Site, browser: Browser) -> None:
    with window(browser, site, None) as seen:
        page = seen.open("/alerts?state=all")
        expect(page).to_have_url(re.compile(r"/login\?next="))

        page.keyboard.type("Operator")
        seen.press("Tab")
        page.keyboard.type("a wrong password")
        seen.press("Enter")
        expect(page.get_by_role("alert")).to_have_text(re.compile("wrong; check both"))
        page.keyboard.type(PASSWORD)  # the wrong one is selected
        seen.press("Enter")

        expect(page).to_have_url(re.compile(r"/alerts\?state=all"))
        assert [told for told in seen.complaints if "401" not in told] == []


def test_a_one_time_password_is_changed_before_anything_else(
    untouched: Site, browser: Browser
) -> None:
    create_account(
        untouched.database,
        "ada",
        password_hash=Passwords(CHEAP).hash(PASSWORD),
        role=Role.VIEWER,
        cameras=None,
        must_change=True,
        by="test",
        now_us=untouched.desk.clock.now_us(),
    )
    with window(browser, untouched, "ada") as seen:
        page = seen.open("/live")
        expect(page).to_have_url(re.compile("/password$"))

        for words in (PASSWORD, NEW_PASSWORD, NEW_PASSWORD):
            page.keyboard.type(words)
            seen.press("Tab")
        seen.press("Enter")

        expect(page).to_have_url(re.compile("/live$"))


def test_the_wall_shows_cameras_and_who_is_in_view(site: Site, browser: Browser) -> None:
    with window(browser, site) as seen:
        page = seen.open("/live")

        tile = page.locator(f'.tile[data-camera="{VAULT}"]')
        expect(tile.locator(".people button")).to_have_text("P-0002? 50 %")
        expect(tile.locator(".sees")).to_have_text("day")
        expect(page.locator("#visits li")).to_have_count(5)
        page.locator("#visits button").first.focus()
        seen.press("Enter")
        expect(page.locator("#panel")).to_contain_text("Open the person")
        seen.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()
        expect(page.locator("#visits button").first).to_be_focused()
        assert seen.complaints == []


def test_a_blind_camera_says_since_when(untouched: Site, browser: Browser) -> None:
    with window(browser, untouched) as seen:
        page = seen.open("/live")
        tile = page.locator(f'.tile[data-camera="{VAULT}"]')
        expect(tile).to_have_attribute("data-state", "live")

        write_live(untouched, VAULT, health="stalled")

        expect(tile).to_have_attribute("data-state", "blind")
        expect(tile.locator(".veil")).to_have_text(re.compile("blind"))
        expect(page.locator("#health-words")).to_have_text(re.compile(f"{VAULT} blind"))


def test_alerts_are_dealt_with_and_undone_by_keyboard(untouched: Site, browser: Browser) -> None:
    def state(number: int) -> AlertState:
        return alert(untouched.database, AlertId(number)).state

    with window(browser, untouched, "operator") as seen:
        page = seen.open("/alerts")
        expect(page.locator("#evidence h2")).to_contain_text("vault-canary")

        seen.press("j")
        expect(page.locator("#evidence h2")).to_contain_text("gate")
        seen.press("a")
        expect(page.locator("#toasts")).to_contain_text("A1 acknowledged")
        assert state(1) is AlertState.ACKNOWLEDGED
        seen.press("u")
        expect(page.locator("#toasts")).to_contain_text("A1 is new again")
        assert state(1) is AlertState.NEW

        seen.press("k", "f")
        expect(page.get_by_role("dialog")).to_contain_text("A2")
        page.keyboard.type("the cat")
        seen.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("A2 called a false alarm")
        assert state(2) is AlertState.FALSE_ALARM
        page.locator("#toasts button", has_text="Undo").last.click()
        expect(page.locator("#toasts")).to_contain_text("A2 is new again")
        assert state(2) is AlertState.NEW
        assert [told for told in seen.complaints if "404" not in told] == []  # no recording there


def test_an_address_in_a_message_opens_its_alert(site: Site, browser: Browser) -> None:
    with window(browser, site) as seen:
        page = seen.open("/alerts/1")

        expect(page.locator("#evidence")).to_contain_text("A1")
        expect(page.locator('.item[aria-current="true"]')).to_contain_text("gate")


def test_keys_lead_from_page_to_page_and_can_be_turned_off(site: Site, browser: Browser) -> None:
    with window(browser, site) as seen:
        page = seen.open("/live")
        page.keyboard.type("gy")  # within a second and a half
        expect(page).to_have_url(re.compile("/system"))
        page.wait_for_load_state("networkidle")

        seen.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("close what is open")
        page.get_by_label("Keys are on").uncheck()
        seen.press("Escape", "g", "l")

        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page).to_have_url(re.compile("/system"))


def test_the_system_page_adds_users_and_proves_the_audit(untouched: Site, browser: Browser) -> None:
    with window(browser, untouched) as seen:
        page = seen.open("/system")
        expect(page.locator("#room")).to_contain_text("free of")

        page.get_by_label("Name", exact=True).fill("grace")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#made-user")).to_contain_text("one-time password of grace")
        expect(page.locator("#user-list")).to_contain_text("grace")
        page.get_by_role("button", name="Verify the chain").click()
        expect(page.locator("#proof")).to_contain_text("The chain holds")
        assert seen.complaints == []


def test_the_system_page_says_how_much_waits(untouched: Site, browser: Browser) -> None:
    file = untouched.config.live_folder / f"{VAULT}.json"
    state = json.loads(file.read_text())
    state |= {
        "searched_at_us": state["written_at_us"] - 7_400_000, "n_waiting": 3, "n_frames": 1000,
        "n_dropped": 100,
    }  # fmt: skip
    file.write_text(json.dumps(state))
    spool = untouched.config.storage.spool
    spool.mkdir()
    (spool / "000000000001.visit").write_bytes(b"x" * 2_000_000)
    dead = NewDelivery(key="k", purpose=Purpose.TEST, channel="siren", payload={})
    mark_dead(
        untouched.database, queue(untouched.database, dead, now_us=1), answer="no such number"
    )
    with window(browser, untouched) as seen:
        page = seen.open("/system")

        facts = page.locator("#queue-facts")
        expect(facts).to_contain_text(f"7.4 s behind at most, {VAULT}")
        expect(facts).to_contain_text(re.compile(r"100 of 1.000 \(10\.0 %\)"))
        expect(facts).to_contain_text("3 waiting")
        expect(facts).to_contain_text("1 visit, 2.0 MB of")
        expect(facts).to_contain_text("1: see Messages")
        assert seen.complaints == []
    assert untouched.known("viewer-gate").get("/system/queues").status_code == 403


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(site: Site, browser: Browser, width: int) -> None:
    with window(browser, site, width=width) as seen:
        for path in (*MINE, "/password", "/nothing"):
            seen.open(path)
            seen.settle()

            assert seen.overflow_px() <= 0, path


@pytest.mark.parametrize("path", ["/login", *MINE])
def test_pages_are_for_everybody(site: Site, browser: Browser, path: str) -> None:
    with window(browser, site, None if path == "/login" else "admin") as seen:
        page = seen.open(path)
        seen.settle()

        assert violations(page) == []
        page.emulate_media(color_scheme="light")
        if path == "/live":
            page.locator("#visits button").first.click()
            expect(page.locator("#panel")).to_contain_text("Open the person")
        assert violations(page) == []


def test_pages_tell_nothing_of_hidden_cameras(site: Site) -> None:
    with closing(site.sign_in("admin-gate")) as client:
        for path in (*MINE, "/pulse"):
            told = client.get(path, headers={"Accept": "text/html"})

            assert told.status_code == 200
            assert GATE in told.text or path == "/alerts"
            assert VAULT not in told.text, path
        assert client.get("/system/room").status_code == 403


def test_every_page_needs_somebody_signed_in_but_the_door(site: Site) -> None:
    declared = [route for page in ALL for route in page.declared]
    opened = {route.path for route in declared if route.least is None}

    assert opened == {"/", "/login", "/password", "/static/{stamp}/{name}"}
    with site.client() as client:
        for route in declared:
            path = re.sub(r"{\w+}", "1", route.path)
            told = client.request(route.method, path, headers={"Accept": "text/html"})
            if route.least is not None:
                assert told.status_code == (303 if route.method == "GET" else 401), path
            if path == "/password":
                assert told.status_code == 303


def test_templates_hold_no_script_and_no_style() -> None:
    for file in (WEB / "templates").glob("*.html"):
        text = file.read_text(encoding="utf-8")

        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b", text), (
            file.name
        )
        assert not re.search(r"(src|href)=\"(https?:)?//", text), file.name
    for file in (WEB / "static").glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(", file.read_text()), (
            file.name
        )


def test_a_page_that_is_not_there_says_so_as_a_page(site: Site) -> None:
    with closing(site.sign_in("viewer")) as client:
        told = client.get("/nothing", headers={"Accept": "text/html"})

        assert told.status_code == 404
        assert "<html" in told.text
        assert client.get(f"/api/v1/alerts/{10**9}").json()["error"]["code"] == "not_found"
