"""Every page x role x camera scope: who is let in, and what is told of hidden cameras."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from pipeline.api.routes import ALL as API_ROUTES
from pipeline.api.routing import NEEDS_ALL_KEY, ROLE_KEY, Declared, GuardedRoute
from pipeline.web.pages import ALL
from storage.desk.types import Role
from tests.api_site import GATE, VAULT, Site, open_site
from tests.storage_builders import TEN_O_CLOCK_US

PAGES = [route for routes in ALL for route in routes.declared]
RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}
ANYBODY, VIEWER, OPERATOR, WHOLE_VIEWER, WHOLE_ADMIN = (
    (None, False),
    (Role.VIEWER, False),
    (Role.OPERATOR, False),
    (Role.VIEWER, True),
    (Role.ADMIN, True),
)
WHO_MAY = {
    "/": ANYBODY,
    "/static/{stamp}/{name}": ANYBODY,
    "/login": ANYBODY,
    "/password": ANYBODY,
    "/pulse": VIEWER,
    "/live": VIEWER,
    "/alerts": VIEWER,
    "/alerts/{name}": VIEWER,
    "/people": VIEWER,
    "/people/{person}": VIEWER,
    "/people/{person}/sheet": VIEWER,
    "/compare": VIEWER,
    "/search": OPERATOR,
    "/replay": VIEWER,
    "/replay/boxes": VIEWER,
    "/cameras": VIEWER,
    "/cameras/plan": VIEWER,
    "/cameras/ways": VIEWER,
    "/cameras/{camera}": VIEWER,
    "/system": VIEWER,
    "/system/queues": WHOLE_VIEWER,
    "/system/room": WHOLE_ADMIN,
}
"""Least role, and whether all cameras must be seen. Written here once more, so that nobody gives a
page to more people by changing one word."""
VISIBLE = {"{person}": "P-0001", "{camera}": GATE}
HIDDEN = {"{person}": "P-0002", "{camera}": VAULT, "{alert}": "A2"}
AROUND = {"from": str(TEN_O_CLOCK_US), "to": str(TEN_O_CLOCK_US + 360_000_000)}
QUERIES = {"/compare": {"one": "P-0001", "other": "P-0003"}, "/replay/boxes": AROUND}
LEADS_ON = {"/", "/alerts/{name}", "/login"}
"""To another page, who is signed in."""
CANARIES = (VAULT, "canary", "P-0002", "A2<", '"A2"', '"S2"', ">S2<")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("pages"), with_pages=True) as opened:
        yield opened


def ask(
    site: Site, who: str | None, page: Declared, values: dict[str, str] | None = None
) -> httpx.Response:
    """What a browser gets."""
    values = {**VISIBLE, "{alert}": "A1", **(values or {})}
    path = page.path.replace("{stamp}", "0" * 12)
    path = path.replace("{name}", values["{alert}"] if "/alerts/" in path else "tokens.css")
    for name, value in values.items():
        path = path.replace(name, value)
    asked = QUERIES.get(page.path, {})
    return site.known(who).get(path, params=asked, headers={"Accept": "text/html"})


def page_id(page: Declared) -> str:
    return page.path


def test_no_route_is_served_but_declared_ones(site: Site) -> None:
    """Neither a page nor a route of the API, however it was mounted."""
    declared = {
        (route.method, route.path): route
        for routes in (*API_ROUTES, *ALL)
        for route in routes.declared
    }

    for route in site.app.routes:
        assert isinstance(route, GuardedRoute), f"{route} does not know who asks"
        extra = route.openapi_extra or {}
        for method in route.methods or ():
            least = declared[method, route.path].least
            assert extra[ROLE_KEY] == ("anybody" if least is None else least.value)
            assert extra[NEEDS_ALL_KEY] == declared[method, route.path].needs_all
    served = [
        (method, route.path)
        for route in site.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert sorted(served) == sorted(declared)
    assert len(served) == len(set(served)), "one of two routes of the same path is never asked"


def test_every_page_says_who_may_see_it_as_is_written_here() -> None:
    assert {page.path: (page.least, page.needs_all) for page in PAGES} == WHO_MAY
    assert {page.method for page in PAGES} == {"GET"}, "pages only show; the API changes things"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_a_page_lets_in_its_least_role_and_above_only(site: Site, page: Declared) -> None:
    least, needs_all = WHO_MAY[page.path]
    stranger = ask(site, None, page)
    if least is not None:
        assert stranger.status_code == 303
        assert stranger.headers["location"].startswith("/login?next=")
        assert not stranger.content
    else:
        assert stranger.status_code in (200, 303)
    for role in Role:
        for suffix in ("", "-gate"):
            answer = ask(site, f"{role.value}{suffix}", page)
            is_enough = least is None or RANK[role] >= RANK[least]
            if is_enough and not (suffix and needs_all):
                expected = 303 if page.path in LEADS_ON else 200
            else:
                expected = 403
            assert answer.status_code == expected, (role, suffix, answer.text[:300])


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_tells_who_sees_a_part_of_the_rest(site: Site, page: Declared) -> None:
    has_hidden = "{" in page.path and "{stamp}" not in page.path
    for role in Role:
        shown = ask(site, f"{role.value}-gate", page)
        for canary in CANARIES:
            assert canary not in shown.text, (role, canary)
        if has_hidden and page.path not in LEADS_ON:
            refused = ask(site, f"{role.value}-gate", page, HIDDEN)
            assert refused.status_code == 404, refused.text[:300]
            for canary in ("name-canary", "S2", "A2"):
                assert canary not in refused.text


@pytest.mark.parametrize("page", [p for p in PAGES if p.path not in LEADS_ON], ids=page_id)
def test_what_is_hidden_from_some_is_there_for_who_sees_all(site: Site, page: Declared) -> None:
    """Else the test above would find nothing on empty pages either."""
    expected = {
        "/live": VAULT,
        "/people": "P-0002",
        "/people/{person}": VAULT,
        "/people/{person}/sheet": VAULT,
        "/replay": VAULT,
        "/replay/boxes": VAULT,
        "/cameras": VAULT,
        "/cameras/plan": VAULT,
        "/alerts": VAULT,
        "/search": VAULT,
        "/system": VAULT,
        "/pulse": VAULT,
    }.get(page.path)

    answer = ask(site, "admin", page)

    assert answer.status_code == 200
    assert expected is None or expected in answer.text
