"""What hostile visitors tried on the pages: words that are HTML, what is hidden, open doors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.web.pages import ALL
from pipeline.web.pages import replay as replaying
from pipeline.web.pages.door import own
from storage.desk.alerts import NewAlert
from storage.desk.names import give_name
from storage.desk.raising import raise_alert
from storage.desk.rules import NewRule, add_rule
from storage.desk.shapes import NewShape, add_shape
from storage.desk.types import AlertSeverity, ShapeKind
from storage.sightings import record_sighting
from storage.types import IdentityId
from streams.types import CameraId
from tests.api_site import API, GATE, VAULT, Site, open_site
from tests.storage_builders import TEN_O_CLOCK_US, link_to, sighting

STATIC = Path(__file__).parents[1] / "pipeline" / "web" / "static"
EVIL = "</script><img src=x onerror=alert(1)>\"'"
PAGES = [route for routes in ALL for route in routes.declared if route.method == "GET"]
KNOWN = {"person": "P-0001", "camera": GATE, "name": "A1"}
QUERIES = {
    "/compare": {"one": "P-0001", "other": "P-0003"},
    "/people": {"words": EVIL[:60]},
    "/replay": {"follow": "P-0001"},
    "/replay/boxes": {"from": str(TEN_O_CLOCK_US - 60_000_000), "to": str(TEN_O_CLOCK_US + 10**8)},
}
_DANGEROUS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc"
    r"|createContextualFragment|set(?:Timeout|Interval)\([\"'`]|javascript:"
)

_CLOCK = re.compile(r'data-now-us="\d+"|<time class="clock".*?</time>', re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("attack"), with_pages=True) as opened:
        _name_all(opened)
        yield opened


def _name_all(site: Site) -> None:
    """Everything that has a name, has one that would be a script."""
    database, now_us = site.database, TEN_O_CLOCK_US
    for number in (1, 3):
        give_name(database, IdentityId(number), EVIL, made_by="ada", now_us=now_us)
    corners = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
    shape = NewShape(camera=GATE, kind=ShapeKind.ZONE, name=EVIL, points=corners)
    add_shape(database, shape, made_by=EVIL, now_us=now_us)
    rule = NewRule(name=EVIL, kind="camera down", settings={"cameras": [GATE]}, is_on=True)
    add_rule(database, rule, made_by=EVIL, now_us=now_us)
    link = replace(link_to(1), reason=EVIL)
    visit = sighting(9, camera=CameraId(GATE), link=link, exemplars=())
    record_sighting(database, visit, now_us=now_us)
    new = NewAlert(
        key="evil",
        rule=EVIL,
        kind="zone entered",
        severity=AlertSeverity.WARNING,
        began_us=now_us,
        sentence=EVIL,
        cameras=(GATE,),
    )
    raise_alert(database, new, deliveries=[], now_us=now_us)


def _pages() -> list[tuple[str, dict[str, str]]]:
    paths = sorted({route.path for route in PAGES if "{stamp}" not in route.path})
    return [(path.format(**KNOWN), QUERIES.get(path, {})) for path in paths]


@pytest.mark.parametrize(("path", "asked"), _pages())
def test_no_name_becomes_html(site: Site, path: str, asked: dict[str, str]) -> None:
    answer = site.known("admin").get(path, params=asked, headers={"Accept": "text/html"})

    assert answer.status_code in (200, 303), answer.text
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert "<img src=x" not in answer.text
        assert "</script><img" not in answer.text
        assert "'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("account", ["viewer-gate", "operator-gate", "admin-gate"])
@pytest.mark.parametrize(("path", "asked"), _pages())
def test_no_page_tells_of_a_hidden_camera(
    site: Site, path: str, asked: dict[str, str], account: str
) -> None:
    answer = site.known(account).get(path, params=asked, headers={"Accept": "text/html"})

    assert answer.status_code < 500
    for word in (VAULT, "canary", "P-0002"):
        assert word not in answer.text


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (f"/cameras/{VAULT}", {}),
        ("/people/P-0002", {}),
        ("/people/P-0002/sheet", {}),
        ("/compare", {"one": "P-0001", "other": "P-0002"}),
        ("/replay", {"follow": "P-0002"}),
    ],
)
def test_a_hidden_one_and_none_at_all_look_the_same(
    site: Site, path: str, asked: dict[str, str]
) -> None:
    client = site.known("viewer-gate")
    none_path = path.replace("P-0002", "P-8888").replace(VAULT, "nowhere")
    none_asked = {key: "P-8888" if value == "P-0002" else value for key, value in asked.items()}
    page = {"Accept": "text/html"}
    hidden = client.get(path, params=asked, headers=page)
    none = client.get(none_path, params=none_asked, headers=page)

    assert hidden.status_code == none.status_code == 404
    told = none.text.replace("P-8888", "P-0002").replace("nowhere", VAULT)
    assert _CLOCK.sub("", hidden.text) == _CLOCK.sub("", told)


def test_pages_only_show(site: Site) -> None:
    assert {route.method for routes in ALL for route in routes.declared} == {"GET"}
    for path, _ in _pages():
        assert site.known("admin").post(path).status_code in (404, 405)


@pytest.mark.parametrize(
    "address",
    [
        "//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "javascript:x",
        "/\t/elsewhere.example", "\\\\elsewhere.example", " //elsewhere.example", "/login?next=/x",
        "/\r\nSet-Cookie: a=b", "", "elsewhere.example",
    ],
)  # fmt: skip
def test_signing_in_leads_to_own_pages_only(site: Site, address: str) -> None:
    assert own(address) == "/live"
    answer = site.known("viewer").get("/login", params={"next": address})
    assert (answer.status_code, answer.headers["location"]) == (303, "/live")


@pytest.mark.parametrize(
    "name", ["..%2f..%2fapp.py", "%2e%2e%2fapp.py", "app.py", "..", "shell.js%00", "SHELL.JS", "."]
)
def test_static_files_are_those_of_the_folder_only(site: Site, name: str) -> None:
    assert site.known().get(f"/static/000000000000/{name}").status_code in (404, 422)


def test_scripts_never_make_html_out_of_text() -> None:
    for file in STATIC.glob("*.js"):
        assert _DANGEROUS.findall(file.read_text()) == [], file.name


def test_boxes_of_many_people_stay_few(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_MOST_ROWS_OF_ALL", 8)
    told = site.known("viewer").get("/replay/boxes", params=QUERIES["/replay/boxes"]).json()
    assert told["items"]
    assert all(len(track["rows"]) <= 2 for track in told["items"])
    assert site.known("viewer").get(f"{API}/sightings").status_code == 200
