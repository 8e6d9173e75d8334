"""What a hostile visitor tried: learning of what is hidden, using up the server, outliving a door.

Each of these once worked.
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from pipeline.api import events
from pipeline.api.errors import Busy
from pipeline.api.routes import events as event_routes
from pipeline.api.throttle import PER_ACCOUNT_AND_ADDRESS
from pipeline.api.turns import Turns
from pipeline.api.uploads import ENOUGH_PX, read_picture, smaller
from storage.audit import audit_entries
from storage.desk.accounts import find_account, renew_hash, set_active, set_password
from storage.desk.alerts import NewAlert
from storage.desk.names import give_name
from storage.desk.raising import raise_alert
from storage.desk.sessions import open_session
from storage.desk.types import AlertSeverity
from storage.errors import AccountRefused
from storage.sightings import record_sighting
from storage.types import IdentityId
from streams.types import CameraId
from tests.api_site import API, GATE, PASSWORD, VAULT, Site, open_site
from tests.processes import PATIENCE_S, wait_for
from tests.storage_builders import TEN_O_CLOCK_US, link_to, sighting

NUMBERS = {
    "n_crops": 3, "similarity": 0.9, "nearest_sighting": 4, "transit_s": 31.0, "n_looks": 7,
    "n_eligible": 41, "n_ruled_out": 5, "prior": 0.02,
}  # fmt: skip
COUNTS = {"n_eligible", "n_ruled_out", "prior"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("attack")) as opened:
        yield opened


def bomb(pixels: int) -> bytes:
    """A PNG of few bytes and many pixels."""
    file = io.BytesIO()
    Image.new("RGB", (pixels, pixels), (1, 2, 3)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("number", "reason", "told"),
    [
        (21, f"nearest {VAULT} at 10:00:00 UTC", {"n_crops"}),
        (22, f"nearest {GATE} at 10:00:00 UTC", {*NUMBERS} - COUNTS),
    ],
)  # fmt: skip
def test_grounds_tell_no_time_visit_or_count_of_what_is_hidden(
    site: Site, number: int, reason: str, told: set[str]
) -> None:
    link = replace(link_to(1), reason=reason, grounds=dict(NUMBERS))
    visit = sighting(number, camera=CameraId(GATE), link=link, exemplars=())
    name = f"S{record_sighting(site.database, visit, now_us=TEN_O_CLOCK_US).sighting}"

    part = site.known("viewer-gate").get(f"{API}/sightings/{name}").json()["link"]
    whole = site.known("viewer").get(f"{API}/sightings/{name}").json()["link"]

    assert set(part["grounds"]) == told
    assert set(whole["grounds"]) == set(NUMBERS)


def test_no_filter_of_alerts_says_that_one_is_about_somebody_hidden(site: Site) -> None:
    new = NewAlert(
        key="both/2",
        rule="both",
        kind="zone entered",
        severity=AlertSeverity.WARNING,
        began_us=TEN_O_CLOCK_US,
        sentence="P-0002 went on",
        identity=IdentityId(2),
        probability=0.97,
        cameras=(GATE, VAULT),
    )
    raise_alert(site.database, new, deliveries=[], now_us=TEN_O_CLOCK_US)
    narrow, wide = site.known("viewer-gate"), site.known("viewer")

    def found(client: httpx.Client, **asked: str) -> list[dict[str, object]]:
        items = client.get(f"{API}/alerts", params=asked).json()["items"]
        return [each for each in items if each["rule"] == "both"]

    assert len(found(wide, identity="P-0002")) == 1
    assert found(narrow, identity="P-0002") == []
    (seen,) = found(narrow)
    assert (seen["identity"], seen["probability"], seen["grounds"]) == (None, None, {})


def test_what_operators_wrote_of_hidden_cameras_and_persons_is_not_told(site: Site) -> None:
    wide, narrow = site.known("operator"), site.known("viewer-gate")
    for words in (f"went to {VAULT}", "looks like P-0002", "gone", f"P-{'9' * 40} is nobody"):
        wide.post(f"{API}/alerts/A1/note", json={"reason": words})
        asked = {"sighting": "S5", "identity": "P-0001", "reason": words}
        said = wide.post(f"{API}/verdicts/same", json=asked)
        assert said.json()["reason"] == words
        shown = narrow.get(f"{API}/verdicts/{said.json()['verdict']}").json()
        event = narrow.get(f"{API}/alerts/A1").json()["events"][-1]
        assert event["reason"] == shown["reason"]
        assert (shown["reason"] == words) is (words == "gone")


def test_a_short_page_of_names_does_not_say_that_there_is_a_hidden_one(site: Site) -> None:
    for number in (1, 2):  # the hidden one is the newest
        give_name(site.database, IdentityId(number), "a hat", made_by="ada", now_us=number)

    asked = {"words": "hat", "limit": "1"}
    (found,) = site.known("viewer-gate").get(f"{API}/names", params=asked).json()["items"]

    assert found["identity"] == "P-0001"


@pytest.mark.parametrize(
    ("path", "action"),
    [("/verdicts/V1", "view verdict"), ("/identities/P-0001/names", "view names")],
)
def test_these_views_of_a_person_are_written_down_too(site: Site, path: str, action: str) -> None:
    assert site.known("viewer").get(f"{API}{path}").status_code == 200
    assert audit_entries(site.database, by="viewer", action=action)


def test_who_listens_to_events_is_written_down_and_many_missed_ones_are_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_routes, "MOST_AT_ONCE", 2)
    headers = {"Last-Event-ID": "0"}
    heard = ""
    with site.client("operator") as client, client.stream(
        "GET", f"{API}/events", headers=headers
    ) as answer:  # fmt: skip
        for text in answer.iter_text():
            heard += text
            if heard.count("event:") >= 2:
                break
    assert "event: reload" in heard
    assert "event: sighting" not in heard
    assert events.RELOAD.cameras is None
    assert audit_entries(site.database, by="operator", action="view events")


def test_pictures_that_browsers_keep_are_kept_for_this_visitor_only(site: Site) -> None:
    client = site.known("viewer")
    for path in (
        f"/sightings/S1/pictures/{site.pictures[1]}",
        "/alerts/A1/picture",
        f"/cameras/{GATE}/picture",
    ):
        headers = client.get(f"{API}{path}").headers
        assert headers["cache-control"].startswith("private"), path
        assert headers["vary"] == "Cookie, Authorization", path


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(tmp_path: Path) -> None:
    with open_site(tmp_path, filled=False) as site, ThreadPoolExecutor(12) as many:

        def guess(number: int) -> int:
            asked = {"name": "viewer", "password": f"a wrong one {number}"}
            return httpx.post(
                f"{site.url}{API}/session", json=asked, timeout=PATIENCE_S
            ).status_code

        counted = Counter(many.map(guess, range(24)))

    assert counted[401] <= PER_ACCOUNT_AND_ADDRESS
    assert set(counted) <= {401, 429, 503}


def test_signing_in_again_makes_the_cookie_before_void(site: Site) -> None:
    with closing(site.sign_in("viewer")) as client:
        before = dict(client.cookies)
        asked = {"name": "viewer", "password": PASSWORD}
        assert client.post(f"{API}/session", json=asked).status_code == 200
        assert dict(client.cookies) != before
        stolen = httpx.get(f"{site.url}{API}/session", cookies=before, timeout=PATIENCE_S)
        assert stolen.status_code == 401


def test_an_old_password_opens_nothing_once_it_was_changed_meanwhile(tmp_path: Path) -> None:
    with open_site(tmp_path, filled=False) as site:
        read = find_account(site.database, "viewer")  # a login compared the password ...
        another = site.desk.passwords.hash("another one")
        set_password(  # ... and then
            site.database,
            "viewer",
            password_hash=another,
            must_change=True,
            by="admin",
            now_us=site.desk.clock.now_us(),
        )

        stale = renew_hash(site.database, read, password_hash=site.desk.passwords.hash(PASSWORD))
        for account in (read, stale):
            with pytest.raises(AccountRefused, match="sign in again"):
                open_session(site.database, account, "0" * 64, expires_at_us=2**60, now_us=2**59)
        assert find_account(site.database, "viewer").password_hash == another

        now = find_account(site.database, "viewer")
        set_active(site.database, "viewer", False, by="admin", now_us=2**59)
        with pytest.raises(AccountRefused, match="sign in again"):
            open_session(site.database, now, "0" * 64, expires_at_us=2**60, now_us=2**59)


def test_an_administrator_of_a_part_is_not_the_one_who_may_stay_last(tmp_path: Path) -> None:
    with open_site(tmp_path, filled=False) as site:
        admin = site.known("admin")  # `admin-gate` sees one camera only
        for path, change in (
            ("/users/admin", {"role": "viewer"}),
            ("/users/admin", {"is_active": False}),
            ("/users/admin/cameras", {"cameras": [GATE]}),
        ):
            answer = admin.put(f"{API}{path}", json=change)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "account_refused")
        assert admin.put(f"{API}/users/admin-gate", json={"role": "viewer"}).status_code == 200


def test_nobody_makes_tokens_without_end(site: Site) -> None:
    with closing(site.sign_in("viewer-gate")) as client:
        made = [
            client.post(f"{API}/tokens", json={"name": "t", "role": "viewer", "days": 1})
            for _ in range(50)
        ]
        last = made[-2].json()["token"]["token"]
        codes = Counter(answer.status_code for answer in made)
        assert codes == {201: 49, 409: 1}  # with the one that the account has
        assert client.delete(f"{API}/tokens/{last}").status_code == 200
        again = client.post(f"{API}/tokens", json={"name": "t", "role": "viewer", "days": 1})
        assert again.status_code == 201


def test_who_comes_while_too_many_wait_is_sent_away_at_once() -> None:
    turns = Turns(at_once=1, waiting=1, wait_s=2 * PATIENCE_S, words="busy; come again")
    served: list[int] = []

    def ask() -> None:
        with turns.take():
            served.append(1)

    waits = threading.Thread(target=ask)
    with turns.take():
        waits.start()
        assert wait_for(lambda: turns._places._value == 0)
        asked_s = time.monotonic()
        with pytest.raises(Busy, match="come again"), turns.take():
            pass
        assert time.monotonic() - asked_s < PATIENCE_S, "it waited for its turn"
    waits.join(PATIENCE_S)
    assert served == [1]


def test_uploads_wait_for_their_turn_before_they_are_decoded(site: Site) -> None:
    """16 small files of 40 million pixels took 8 GB."""
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(site.desk.decoding())
        for _ in range(14):
            assert site.desk._decoding._places.acquire(blocking=False)
            held.callback(site.desk._decoding._places.release)
        files = {"picture": ("x.png", bomb(64), "image/png")}
        searched = site.known("operator").post(f"{API}/search", files=files)
        form = {"name": "x", "reason": "x", "expires_at": "2999-01-01"}
        planned = site.known("admin").put(
            f"{API}/plan", files=files, data={"metres_per_pixel": "1"}
        )
    assert (searched.status_code, planned.status_code) == (503, 503)
    assert site.known("operator").post(f"{API}/interests", data=form).status_code == 400


def test_a_large_picture_is_made_smaller_before_it_waits() -> None:
    found = smaller(read_picture(bomb(3000)))
    assert found.shape == (ENOUGH_PX, ENOUGH_PX, 3)
    strip = np.zeros((4, 40_000, 3), dtype=np.uint8)
    assert smaller(strip).shape == (8, ENOUGH_PX, 3)
    same = np.zeros((20, 30, 3), dtype=np.uint8)
    assert smaller(same) is same


@pytest.mark.parametrize("name", ["evil\u202egpj", "a\u2066b"])
def test_a_name_reads_as_it_is_written(site: Site, name: str) -> None:
    named = site.known("operator").put(f"{API}/identities/1/name", json={"name": name})
    shape = {"kind": "line", "name": name, "points": [[0, 0], [1, 1]]}
    drawn = site.known("admin").post(f"{API}/cameras/{GATE}/shapes", json=shape)
    assert (named.status_code, drawn.status_code) == (422, 422)


def test_a_playlist_is_a_day_long_at_most(site: Site) -> None:
    asked = {"from": "2026-06-01", "to": "2026-06-03"}
    path = f"{API}/cameras/{GATE}/recordings/playlist.m3u8"
    answer = site.known("viewer").get(path, params=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8420", 401),
        ("[::1]:8420", 401),
        ("localhost", 401),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8420", 421),
        ("localhost.evil.example", 421),
        ("", 421),
        ("a b", 421),
    ],
)
def test_a_name_that_somebody_points_at_us_is_not_answered(
    site: Site, host: str, status: int
) -> None:
    asked = httpx.get(f"{site.url}{API}/site", headers={"Host": host}, timeout=PATIENCE_S)

    assert asked.status_code == status
    if status == 421:
        assert "public_url" in asked.json()["error"]["what_to_do"]


def test_the_name_in_public_url_is_ours_and_machines_ask_by_any(tmp_path: Path) -> None:
    with open_site(tmp_path, front_desk={"public_url": "https://noctule.example"}) as own:
        by_name = httpx.get(
            f"{own.url}{API}/site", headers={"Host": "noctule.example"}, timeout=PATIENCE_S
        )
        health = httpx.get(
            f"{own.url}{API}/health", headers={"Host": "desk:8420"}, timeout=PATIENCE_S
        )
        page = httpx.get(f"{own.url}{API}/site", headers={"Host": "desk:8420"}, timeout=PATIENCE_S)

    assert (by_name.status_code, health.status_code, page.status_code) == (401, 200, 421)
