"""Every route x role x camera scope: who is let in, and what is told of hidden cameras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.api.routes import ALL
from pipeline.api.routing import ANYBODY, Declared
from storage.desk.types import Role
from tests.api_site import API, GATE, VAULT, Site, open_site
from tests.storage_builders import new_postgresql

pytest_plugins = ["tests.storage_fixtures"]

ROUTES = [route for routes in ALL for route in routes.declared]
RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}
OF_OTHERS = {("DELETE", "/tokens/{token}"), ("POST", "/tokens")}
"""Refused for other reasons: a token cannot make a token, somebody else's token is not found."""
VISIBLE: dict[str, Any] = {
    "camera": GATE, "person": "P-0001", "sighting": "S1", "verdict": "V3", "shape": 1, "rule": 1,
    "interest": 1, "delivery": 999, "channel": "nobody", "token": 999, "picture": "a" * 64,
}  # fmt: skip
HIDDEN: dict[str, Any] = {
    "camera": VAULT, "person": "P-0002", "sighting": "S2", "verdict": "V2", "shape": 2, "rule": 2,
    "interest": 2,
}  # fmt: skip
NOWHERE: dict[str, Any] = {
    "camera": "nowhere", "person": "P-0888", "sighting": "S888", "verdict": "V888", "alert": "A888",
    "shape": 888, "rule": 888, "interest": 888, "picture": "b" * 64,
}  # fmt: skip
QUERIES = {
    "/names": {"words": "a"},
    "/cameras/{camera}/recordings/moment": {"at": "2026-06-01T14:00"},
    "/cameras/{camera}/recordings/video": {"at": "2026-06-01T14:00"},
    "/cameras/{camera}/recordings/picture": {"at": "2026-06-01T14:00"},
    "/cameras/{camera}/recordings/playlist.m3u8": {"from": "1", "to": "2"},
    "/cameras/{camera}/recordings/head.mp4": {"at": "2026-06-01T14:00"},
    "/cameras/{camera}/recordings/part.mp4": {"at": "2026-06-01T14:00", "later": "0"},
}
SPAN = {"from": "2026-06-01T14:00", "to": "2026-06-01T14:05"}
RULE = {"name": "n", "kind": "camera down", "settings": {"cameras": [VAULT]}}
BODIES_ABOUT_HIDDEN: dict[str, list[dict[str, Any]]] = {
    "/verdicts/same": [
        {"sighting": "S2", "identity": "P-0003"},
        {"sighting": "S3", "identity": "P-0002"},
    ],
    "/verdicts/not-same": [{"sighting": "S2", "identity": "P-0003"}],
    "/verdicts/not-same-persons": [{"one": "P-0002", "other": "P-0003"}],
    "/verdicts/merge": [
        {"one": "P-0002", "other": "P-0003"},
        {"one": "P-0001", "other": "P-0003"},
    ],
    "/verdicts/split": [{"identity": "P-0001", "sightings": ["S4"]}],
    "/verdicts/forget": [{"identity": "P-0002"}, {"identity": "P-0001"}],
    "/rules": [RULE],
}
"""P-0001 was in the vault, too: deciding about the whole person would move a hidden visit."""
BODIES = {
    "/cameras": {"name": "n", "source": "rtsp://op:secret-canary@192.0.2.7/1"},
    "/cameras/{camera}": {"source": "rtsp://op:secret-canary@192.0.2.7/1"},
    "/cameras/probe": {"source": "nowhere.mp4"},
    "/cameras/{camera}/shapes": {"kind": "line", "name": "n", "points": [[0, 0], [1, 1]]},
    "/shapes/{shape}": {"kind": "line", "name": "n", "points": [[0, 0], [1, 1]]},
    "/cameras/{camera}/place": {},
    "/cameras/{camera}/clips": SPAN,
    "/cameras/{camera}/recordings/lock": {**SPAN, "until": "2999-01-01", "reason": "x"},
    "/cameras/{camera}/recordings/unlock": {**SPAN, "reason": "x"},
    "/rules/{rule}": RULE,
    "/identities/{person}/name": {"name": "n"},
    "/verdicts/{verdict}/undo": {},
    "/alerts/{name}/note": {"reason": "x"},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    address = None
    if request.param == "postgresql":
        template: str = request.getfixturevalue("postgresql_template")
        address = new_postgresql(request.getfixturevalue("server"), template=template)
    with open_site(tmp_path_factory.mktemp("matrix"), address=address) as opened:
        # It asks the network for three seconds, and is tested elsewhere.
        opened.desk.looking.discover = lambda: []  # type: ignore[method-assign]
        yield opened


def short(route: Declared) -> str:
    return route.path.removeprefix(API)


def names_of(route: Declared) -> list[str]:
    parts = [part.split("}")[0] for part in route.path.split("{")[1:]]
    return ["alert" if p == "name" and "/alerts/" in route.path else p for p in parts]


def address(route: Declared, values: dict[str, Any]) -> str:
    path = route.path
    for name, value in {**VISIBLE, **values}.items():
        path = path.replace(f"{{{name}}}", str(value))
    is_alert = "/alerts/" in route.path
    return path.replace("{name}", str(values.get("alert", "A1")) if is_alert else "nobody")


def ask(client: httpx.Client, route: Declared, values: dict[str, Any], body: Any = None) -> Any:
    """The status and, of answers that end, the text."""
    body = BODIES.get(short(route), {}) if body is None else body
    content = {} if route.method == "GET" else {"json": body}
    with client.stream(
        route.method, address(route, values), params=QUERIES.get(short(route)), **content
    ) as answer:
        is_endless = short(route) in ("/events", "/cameras/{camera}/stream")
        text = "" if is_endless and answer.status_code == 200 else answer.read().decode("latin-1")
        return answer.status_code, text


def route_id(route: Declared) -> str:
    return f"{route.method} {short(route)}"


def test_every_route_of_the_application_is_declared(site: Site) -> None:
    schema = site.app.openapi()
    served = {(method.upper(), path) for path, item in schema["paths"].items() for method in item}

    declared = {(route.method, route.path) for route in ROUTES}

    assert served | {("GET", f"{API}/openapi.json")} == declared
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert operation["x-least-role"], (method, path)
    assert {(route.method, short(route)) for route in ROUTES if route.least is None} == {
        ("POST", "/session"),
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/openapi.json"),
    }


def test_the_documentation_lists_every_route_with_its_role() -> None:
    text = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")

    for route in ROUTES:
        role = ANYBODY if route.least is None else route.least.value
        role += ", sees all" if route.needs_all else ""
        words = (route.endpoint.__doc__ or "").split("\n")[0]
        assert f"| `{route.method} {short(route)}` | {role} | {words} |" in text


@pytest.mark.parametrize("route", [r for r in ROUTES if r.least is not None], ids=route_id)
def test_a_route_lets_in_its_least_role_and_above_only(site: Site, route: Declared) -> None:
    assert route.least is not None
    status, text = ask(site.known(), route, {})
    assert status == 401, text
    for role in Role:
        for suffix in ("", "-gate"):
            client = site.known(f"{role.value}{suffix}")
            status, text = ask(client, route, {"person": "P-0003"})
            is_enough = RANK[role] >= RANK[route.least]
            key = (route.method, short(route))
            if not is_enough or (suffix and route.needs_all):
                assert status == 403, (role, suffix, text)
            elif key not in OF_OTHERS:
                assert status not in (401, 403), (role, suffix, text)
            assert status < 500, text


@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if set(names_of(r)) & {*HIDDEN, "alert"} and not r.needs_all],
    ids=route_id,
)
def test_what_is_hidden_is_as_if_it_were_not_there(site: Site, route: Declared) -> None:
    hidden = {**HIDDEN, "alert": "A2", "picture": site.pictures[2]}
    values = {name: hidden[name] for name in names_of(route) if name in hidden}

    status, text = ask(site.known("admin-gate"), route, values)

    assert status == 404, text
    asked = {str(value) for value in values.values()}
    for canary in {VAULT, "name-canary", "P-0002"} - asked:
        assert canary not in text
    absent = {name: NOWHERE[name] for name in values}
    status, other = ask(site.known("admin-gate"), route, absent)
    for name in values:
        text = text.replace(str(values[name]), "it").replace(f"I{values[name]}", "Iit")
        other = other.replace(str(absent[name]), "it").replace(f"I{absent[name]}", "Iit")
    assert (status, other) == (404, text), "it tells that there is something"


@pytest.mark.parametrize(
    ("path", "body"),
    [(path, body) for path, bodies in BODIES_ABOUT_HIDDEN.items() for body in bodies],
)
def test_nothing_is_decided_about_what_is_hidden(
    site: Site, path: str, body: dict[str, Any]
) -> None:
    answer = site.known("admin-gate").post(API + path, json=body)

    assert answer.status_code in (403, 404, 409), answer.text


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if r.method == "GET" and r.least is not None], ids=route_id
)
def test_no_answer_tells_of_hidden_cameras(site: Site, route: Declared) -> None:
    values = {"picture": site.pictures[1]}
    for role in Role:
        status, text = ask(site.known(f"{role.value}-gate"), route, values)
        if status == 200:
            for canary in (VAULT, "name-canary", "P-0002", "secret-canary", 'S2"', 'A2"'):
                assert canary not in text, (role, canary)
    if route.least is not None and short(route) not in ("/tokens",):
        assert ask(site.known("admin"), route, values)[0] in (200, 404)


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_passwords_of_cameras_are_in_no_answer(site: Site, route: Declared) -> None:
    hidden = {"camera": VAULT, "person": "P-0002", "sighting": "S2"}

    _, text = ask(site.known("admin"), route, hidden)

    assert "secret-canary" not in text
    assert str(site.folder) not in text
