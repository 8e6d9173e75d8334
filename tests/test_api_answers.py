"""What is answered: pages, trajectories, names, verdicts, pictures, and what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.api.viewing import AGAIN_S
from storage.audit import audit_entries
from storage.sightings import record_sighting
from storage.types import IdentityId
from streams.clock import ManualClock
from streams.types import CameraId
from tests.api_site import API, GATE, VAULT, Site, open_site
from tests.storage_builders import TEN_O_CLOCK_US, link_to, sighting

pytest_plugins = ["tests.storage_fixtures"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("answers")) as opened:
        yield opened


def all_pages(site: Site, path: str, account: str = "admin", **params: object) -> list[list[str]]:
    """What each page names, until there is none any more."""
    pages: list[list[str]] = []
    cursor = None
    while cursor is not None or not pages:
        asked = {**params, **({"cursor": cursor} if cursor else {})}
        answer = site.known(account).get(f"{API}{path}", params=asked)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        told = answer.json()
        pages.append([item.get("sighting") or item.get("identity") for item in told["items"]])
        cursor = told["next"]
        assert len(pages) < 100
    return pages


def test_sightings_come_newest_first_in_pages(site: Site) -> None:
    pages = all_pages(site, "/sightings", limit=2)

    assert pages == [["S5", "S4"], ["S3", "S2"], ["S1"]]
    assert all_pages(site, "/sightings", "viewer-gate", limit=2) == [["S5", "S3"], ["S1"]]


def test_something_new_between_two_pages_shifts_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_site(tmp_path_factory.mktemp("shift")) as site:
        client = site.known("admin")
        first = client.get(f"{API}/sightings", params={"limit": 2}).json()
        new = sighting(9, camera=GATE, link=link_to(3), exemplars=())
        record_sighting(site.database, new, now_us=TEN_O_CLOCK_US)

        second = client.get(f"{API}/sightings", params={"limit": 2, "cursor": first["next"]}).json()

        assert [item["sighting"] for item in second["items"]] == ["S3", "S2"]


def test_people_come_by_their_newest_visit_that_may_be_seen(site: Site) -> None:
    assert all_pages(site, "/identities", limit=1) == [["P-0001"], ["P-0003"], ["P-0002"]]
    assert all_pages(site, "/identities", "viewer-gate", limit=9) == [["P-0001", "P-0003"]]
    whole = site.known("viewer").get(f"{API}/identities/P-0001").json()
    part = site.known("viewer-gate").get(f"{API}/identities/P-0001").json()

    assert (whole["n_sightings"], whole["cameras"]) == (3, [GATE, VAULT])
    assert (part["n_sightings"], part["cameras"]) == (2, [GATE])
    assert part["name"] == whole["name"] == "red coat"


def test_a_trajectory_tells_each_visit_with_its_reason(site: Site) -> None:
    told = site.known("viewer").get(f"{API}/identities/p-1/trajectory").json()

    assert [item["sighting"] for item in told["items"]] == ["S5", "S4", "S1"]
    assert told["items"][0]["link"]["is_operators"] is True
    assert told["items"][1]["link"]["reason"] == "looks alike"
    assert told["items"][0]["first_seen"].endswith("Z")
    assert told["items"][0]["first_seen_us"] == TEN_O_CLOCK_US + 300_000_000


@pytest.mark.parametrize(
    ("words", "n"),
    [
        pytest.param({"from": "2023-11-14T22:18:00Z"}, 1, id="ISO"),
        pytest.param({"from": "2023-11-14T23:18:00+01:00"}, 1, id="with offset"),
        pytest.param({"from": str(TEN_O_CLOCK_US + 280_000_000)}, 1, id="microseconds"),
        pytest.param({"to": "2023-11-14T22:15:00Z"}, 1, id="to"),
        pytest.param({"camera": VAULT}, 2, id="camera"),
        pytest.param({"identity": "P-3"}, 1, id="person"),
        pytest.param({"modality": "infrared"}, 0, id="light"),
    ],
)
def test_filters_narrow_the_list(site: Site, words: dict[str, str], n: int) -> None:
    told = site.known("admin").get(f"{API}/sightings", params=words).json()

    assert len(told["items"]) == n


@pytest.mark.parametrize(
    ("path", "params"),
    [
        pytest.param("/sightings", {"from": "noon"}, id="no time"),
        pytest.param("/sightings", {"from": "2026-01-02", "to": "2026-01-01"}, id="backwards"),
        pytest.param("/sightings", {"cursor": "AAAA"}, id="no cursor"),
        pytest.param("/sightings", {"cursor": "WzEsMiwzXQ"}, id="another list's cursor"),
        pytest.param("/sightings", {"limit": 0}, id="limit 0"),
        pytest.param("/sightings", {"limit": 100000}, id="limit too high"),
        pytest.param("/sightings", {"camera": "a' OR 1=1 --"}, id="SQL in a camera"),
        pytest.param("/sightings/S99999999999999999999", {}, id="number too high"),
        pytest.param("/identities/P-1;DROP TABLE", {}, id="SQL in a person"),
        pytest.param("/alerts", {"cursor": "AAAA"}, id="no cursor of storage"),
        pytest.param("/names", {"words": "\x00"}, id="NUL"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_shape(
    site: Site, path: str, params: dict[str, str]
) -> None:
    answer = site.known("admin").get(API + path, params=params)

    assert answer.status_code in (400, 404, 422)
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message", "what_to_do"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("'; DROP TABLE sighting; --", id="SQL"),
        pytest.param("<img src=x onerror=alert(1)>", id="HTML"),
        pytest.param('=HYPERLINK("http://evil")', id="CSV"),
        pytest.param("a%00b%0d%0aSet-Cookie: x", id="percent"),
        pytest.param("عربي ☾ 🙂", id="letters of the world"),
    ],
)
def test_names_come_back_as_they_were_given(site: Site, name: str) -> None:
    client = site.known("operator")

    answer = client.put(f"{API}/identities/P-3/name", json={"name": name})

    assert answer.status_code == 200, answer.text
    assert client.get(f"{API}/identities/P-3").json()["name"] == name
    found = client.get(f"{API}/names", params={"words": name[:5]})
    assert found.status_code == 200
    assert all_pages(site, "/sightings", limit=500)


@pytest.mark.parametrize(
    "name",
    [
        "a\x00b",
        "a\x1b[31mb",
        "a\rb",
        "a\nb",
        "x" * 65,
        "\u0000",
        " ",
        "a\u200bb",
        "a\u202eb",
        "a\u200db",
        "\u06cc\u200c",
        "\x1f",
    ],
)
def test_names_that_cannot_be_seen_as_they_are_are_refused_for_everything(
    site: Site, name: str
) -> None:
    admin, operator = site.known("admin"), site.known("operator")
    points = [[0, 0], [1, 1]]
    interest = {"name": name, "reason": "x", "expires_at": "2999-01-01", "identity": "P-3"}
    asked = [
        operator.put(f"{API}/identities/P-3/name", json={"name": name}),
        operator.post(f"{API}/interests", data=interest),
        admin.post(f"{API}/rules", json={"name": name, "kind": "camera down"}),
        admin.post(
            f"{API}/cameras/gate/shapes", json={"kind": "line", "name": name, "points": points}
        ),
        admin.post(f"{API}/users", json={"name": name, "role": "viewer", "cameras": []}),
        admin.post(f"{API}/cameras", json={"name": name, "source": "rtsp://192.0.2.7/1"}),
        admin.post(f"{API}/tokens", json={"name": name, "role": "viewer", "days": 1}),
    ]

    assert {answer.status_code for answer in asked} <= {409, 422}, [a.text for a in asked]
    assert asked[0].status_code == 422


@pytest.mark.parametrize(
    "again",
    ["gate door", " gate  door ", "gate\u00a0door"],
    ids=["same", "spaces", "no-break space"],
)
def test_a_name_that_looks_the_same_is_taken(site: Site, again: str) -> None:
    client = site.known("admin")
    shape = {"kind": "line", "points": [[0, 0], [1, 1]]}
    rule = {"kind": "camera down", "settings": {}}
    client.post(f"{API}/cameras/gate/shapes", json={"name": "gate door", **shape})
    client.post(f"{API}/rules", json={"name": "gate door", **rule})

    drawn = client.post(f"{API}/cameras/gate/shapes", json={"name": again, **shape})
    kept = client.post(f"{API}/rules", json={"name": again, **rule})

    assert (drawn.status_code, kept.status_code) == (409, 409), drawn.text + kept.text


def test_a_verdict_says_what_changed_and_is_undone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_site(tmp_path_factory.mktemp("verdict")) as site:
        client = site.known("operator")

        merged = client.post(f"{API}/verdicts/merge", json={"one": "P-3", "other": "P-2"}).json()
        assert merged["says"] == "P-0002 and P-0003 are now one person, P-0002; 1 visit moved"
        assert merged["moved"] == [{"sighting": "S3", "before": "P-0003", "after": "P-0002"}]
        assert client.get(f"{API}/identities/P-3").status_code == 404
        again = client.post(f"{API}/verdicts/merge", json={"one": "P-2", "other": "P-2"})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "verdict_refused")

        undone = client.post(f"{API}/verdicts/{merged['verdict']}/undo", json={}).json()

        assert undone["n_moved"] == 1
        assert client.get(f"{API}/identities/P-3").json()["n_sightings"] == 1
        (listed, *_) = client.get(f"{API}/verdicts").json()["items"]
        assert listed["verdict"] == undone["verdict"]
        assert client.get(f"{API}/verdicts/{merged['verdict']}").json()["holds"] is False
        assert {entry.who for entry in audit_entries(site.database, action="view")} == {"operator"}


def test_who_sees_a_part_decides_only_about_that_part(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_site(tmp_path_factory.mktemp("part")) as site:
        client = site.known("operator-gate")

        whole = client.post(f"{API}/verdicts/merge", json={"one": "P-1", "other": "P-3"})
        visit = client.post(f"{API}/verdicts/same", json={"sighting": "S3", "identity": "P-1"})

        assert whole.status_code == 403
        assert visit.status_code == 200, visit.text
        assert (visit.json()["a"], visit.json()["b"]) == (["S3"], ["S1", "S5"]), "not S4"
        assert client.get(f"{API}/verdicts/V2").status_code == 404
        undone = client.post(f"{API}/verdicts/{visit.json()['verdict']}/undo", json={})
        assert undone.json()["moved"] == [{"sighting": "S3", "before": "P-0001", "after": "P-0003"}]
        assert "S4" not in undone.text + client.get(f"{API}/verdicts").text
        listed = site.known("admin").get(f"{API}/verdicts").json()["items"]
        assert "S4" in listed[0]["b"]


def test_a_picture_is_shown_only_through_its_own_visit(site: Site) -> None:
    client = site.known("viewer")
    mine, other = site.pictures[1], site.pictures[3]

    shown = client.get(f"{API}/sightings/S1/pictures/{mine}")

    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"].startswith("private")
    assert client.get(f"{API}/sightings/S1/pictures/{other}").status_code == 404
    for trick in ("../../noctule.db", "..%2f..%2fnoctule.db", "%00", "a" * 64, mine.upper()):
        assert client.get(f"{API}/sightings/S1/pictures/{trick}").status_code in (404, 422)


@pytest.mark.parametrize(
    "camera", ["..", "../evidence", "..%2f..%2fnoctule", "gate%00", "gate.jpg", "%2e%2e", ".gate"]
)
def test_no_name_of_a_camera_leads_elsewhere(site: Site, camera: str) -> None:
    (site.folder / "live").mkdir(exist_ok=True)
    for noun in ("picture", "recordings", "shapes"):
        answer = site.known("admin").get(f"{API}/cameras/{camera}/{noun}")
        assert answer.status_code in (404, 405, 422)


def test_each_view_of_a_person_is_written_down_once_in_a_while(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_site(tmp_path_factory.mktemp("audit")) as site:
        for account in ("viewer", "operator"):
            for _ in range(3):
                site.known(account).get(f"{API}/identities/P-1/trajectory")
        site.known("viewer").get(f"{API}/sightings/S1/pictures/{site.pictures[1]}")
        site.known("viewer").get(f"{API}/identities/P-999")

        found = audit_entries(site.database, action="view")

        assert [(entry.who, entry.action, entry.subject) for entry in found] == [
            ("viewer", "view trajectory", "P-0001"),
            ("operator", "view trajectory", "P-0001"),
            ("viewer", "view pictures", "P-0001"),
            ("viewer", "view person", "P-0999"),
        ]
        proof = site.known("admin").post(f"{API}/audit/verify").json()
        assert proof["holds"] is True
        assert proof["last_row"] == audit_entries(site.database, limit=1)[0].id
        assert AGAIN_S < 3600


def test_postgresql_answers_as_sqlite_does(
    tmp_path_factory: pytest.TempPathFactory, postgresql_address: str
) -> None:
    told = []
    for address in (None, postgresql_address):
        folder = tmp_path_factory.mktemp("both")
        clock = ManualClock(now_us=TEN_O_CLOCK_US + 10**15)
        with open_site(folder, address=address, clock=clock) as site:
            site.known("operator").post(
                f"{API}/verdicts/split", json={"identity": "P-1", "sightings": ["S5"]}
            )
            told.append(
                [
                    (path, account, answer.status_code, answer.text)
                    for account in ("admin", "admin-gate")
                    for path in (
                        *("/cameras", "/sightings?limit=3", "/identities?limit=2", "/gaps"),
                        *("/identities/P-1/trajectory", "/verdicts", "/alerts", "/alerts/A1"),
                        *("/rules", "/cameras/gate/shapes", "/interests", "/names?words=coat"),
                        *("/plan", "/topology", "/deliveries", "/channels", "/cameras/gate"),
                        *("/sightings?identity=P-1&to=2030-01-01", "/names?words=RED"),
                    )
                    for answer in [site.known(account).get(API + path)]
                ]
            )

    sqlite, postgresql = told
    assert all(status == 200 for _, account, status, _ in sqlite if account == "admin")
    assert all(status < 500 for _, _, status, _ in sqlite)
    for ours, theirs in zip(sqlite, postgresql, strict=True):
        assert ours == theirs


def test_an_erased_person_is_gone_and_that_is_said(site: Site) -> None:
    answer = site.known("admin").get(f"{API}/identities/P-0999")

    assert answer.json()["error"] == {
        "code": "not_found",
        "message": "nobody is called P-0999",
        "what_to_do": "/api/v1/identities lists all",
    }


def test_an_alert_is_worked_through_and_taken_back(site: Site) -> None:
    client = site.known("operator")
    assert client.get(f"{API}/alerts/count").json() == {"new": 2}
    assert site.known("viewer-gate").get(f"{API}/alerts/count").json() == {"new": 1}

    done = client.post(f"{API}/alerts/A1/acknowledge", json={"reason": "saw it"}).json()

    assert (done["state"], done["events"][-1]["made_by"]) == ("acknowledged", "operator")
    again = client.post(f"{API}/alerts/A1/acknowledge", json={})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    undone = client.post(f"{API}/alerts/A1/undo", json={}).json()
    assert (undone["state"], len(undone["events"])) == ("new", 3)
    assert undone["sightings"] == [{"sighting": "S1", "camera": GATE, "identity": "P-0001"}]
    assert client.get(f"{API}/alerts/A1/picture").headers["content-type"] == "image/jpeg"


def test_reasons_that_speak_of_hidden_cameras_are_not_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_site(tmp_path_factory.mktemp("reasons")) as site:
        said = replace(
            link_to(1),
            runner_up=IdentityId(2),
            runner_up_probability=0.1,
            reason=f"12 s after {VAULT}, P-0002 looks alike",
            grounds={"nearest_camera": str(VAULT), "similarity": 0.9},
        )
        new = sighting(8, camera=CameraId(GATE), link=said, exemplars=())
        record_sighting(site.database, new, now_us=TEN_O_CLOCK_US)

        whole = site.known("viewer").get(f"{API}/sightings/S6").json()["link"]
        part = site.known("viewer-gate").get(f"{API}/sightings/S6").json()["link"]

        assert whole["runner_up"] == "P-0002"
        assert VAULT in whole["reason"]
        assert part["runner_up"] is None
        assert part["runner_up_probability"] is None
        assert part["grounds"] == {}
        assert part["reason"] == "the reason speaks of cameras that you may not see"
