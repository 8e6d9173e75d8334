"""What could be concluded about the rest by who sees a part: counts, chances, times, words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from pipeline.api.answers import Told
from pipeline.api.events import to_boxes, to_event
from pipeline.api.live import LiveState
from pipeline.recordings import Recordings
from storage.browsing import find_sighting
from storage.desk.alerts import NewAlert
from storage.desk.interest import Example, NewInterest, add_interest
from storage.desk.names import give_name
from storage.desk.raising import raise_alert
from storage.desk.rules import NewRule, add_rule
from storage.desk.segments import record_segments
from storage.desk.types import AlertSeverity
from storage.sightings import record_sighting
from storage.types import Decision, IdentityId, SightingId
from storage.verdicts import not_same, same
from streams.config import CameraConfig
from streams.types import CameraId, Modality
from tests.api_site import API, DAY_US, GATE, VAULT, Site, open_site
from tests.recording_builders import START_US, record_film
from tests.storage_builders import SECOND_US, TEN_O_CLOCK_US, link_new, link_to, sighting
from tests.streams_builders import write_video

NOW_US = TEN_O_CLOCK_US
LOOK = np.eye(1, 8, dtype=np.float32)[0]
FIRST, SECOND = IdentityId(1), IdentityId(2)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("scope")) as opened:
        yield opened


def want(site: Site, name: str, *, by: str, identity: int | None = None) -> int:
    """Somebody is looked for by a picture from now on; the number."""
    picture = site.desk.evidence.put(name.encode())
    example = Example(modality=Modality.VISIBLE, picture=picture, model="none@0", vector=LOOK)
    new = NewInterest(
        name=name,
        reason="test",
        expires_at_us=site.desk.clock.now_us() + DAY_US,
        identity=None if identity is None else IdentityId(identity),
        examples=(example,),
    )
    now_us = site.desk.clock.now_us()
    return add_interest(site.database, new, made_by=by, now_us=now_us).id


def test_who_is_looked_for_by_picture_is_told_to_who_sees_as_much(site: Site) -> None:
    whole = want(site, "by one who sees all", by="operator")
    part = want(site, "by one who sees the gate", by="operator-gate")
    ours, theirs = site.known("admin-gate"), site.known("operator")

    seen = [each["interest"] for each in ours.get(f"{API}/interests").json()["items"]]
    every = [each["interest"] for each in theirs.get(f"{API}/interests").json()["items"]]

    assert part in seen
    assert whole not in seen
    assert {part, whole} < set(every)
    hidden = ours.delete(f"{API}/interests/{whole}")
    none = ours.delete(f"{API}/interests/888")
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert hidden.text.replace(f"I{whole}", "I888") == none.text
    assert ours.delete(f"{API}/interests/{part}").status_code == 200
    assert ours.post(f"{API}/interests/{part}/restore").status_code == 200


def test_pictures_of_somebody_known_may_come_from_hidden_cameras(site: Site) -> None:
    number = want(site, f"seen at {VAULT}", by="operator", identity=1)
    items = {each["interest"]: each for each in
             site.known("operator-gate").get(f"{API}/interests").json()["items"]}  # fmt: skip
    (picture,) = site.known("operator").get(f"{API}/interests").json()["items"][0]["pictures"]
    client = site.known("operator-gate")

    assert items[number]["identity"] == "P-0001"
    assert items[number]["pictures"] == []
    assert items[number]["name"] == "these words speak of what you may not see"
    shown = client.get(f"{API}/interests/{number}/pictures/{picture}")
    assert shown.status_code == 404
    refused = client.delete(f"{API}/interests/{number}")
    assert refused.status_code == 403
    assert "operator looks for them" in refused.json()["error"]["message"]


@pytest.mark.parametrize("noun", ["interests", "rules"])
def test_pages_of_a_part_are_full_and_tell_no_number_of_hidden_ones(site: Site, noun: str) -> None:
    for number in range(4):
        name = f"{noun} {number}"
        want(site, name, by="operator")
        rule = NewRule(name=name, kind="camera down", settings={"cameras": [VAULT]})
        add_rule(site.database, rule, made_by="ada", now_us=NOW_US)
    client = site.known("operator-gate")

    every = client.get(f"{API}/{noun}").json()
    first = client.get(f"{API}/{noun}?limit=1").json()
    told, cursor = first["items"], first["next"]
    while cursor is not None:
        page = client.get(f"{API}/{noun}?limit=1&cursor={cursor}").json()
        assert len(page["items"]) == 1
        told, cursor = [*told, *page["items"]], page["next"]

    assert told == every["items"]
    assert told
    assert every["next"] is None


def test_how_probable_somebody_hidden_is_is_not_told(site: Site) -> None:
    said = replace(
        link_to(1), decision=Decision.UNSURE, identity=None, candidate=SECOND, probability=0.77,
        reason="not sure", grounds={"nobody": 0.23, "similarity": 0.8, "n_crops": 3},
    )  # fmt: skip
    made = sighting(60, camera=GATE, link=said, exemplars=())
    record_sighting(site.database, made, now_us=NOW_US)
    newest = site.known("admin").get(f"{API}/sightings?limit=1").json()["items"][0]["sighting"]

    whole = site.known("viewer").get(f"{API}/sightings/{newest}").json()["link"]
    part = site.known("viewer-gate").get(f"{API}/sightings/{newest}").json()["link"]
    visit = find_sighting(site.database, SightingId(int(newest[1:])), scope=None)
    event = to_event(visit)

    assert (whole["candidate"], whole["probability"]) == ("P-0002", 0.77)
    assert (part["candidate"], part["probability"], part["grounds"]) == (None, None, {"n_crops": 3})
    assert b"0.77" in event.encode(sees_all=True)
    assert b"0.77" not in event.encode(sees_all=False)


def test_live_boxes_tell_a_part_only_what_does_not_come_from_comparing() -> None:
    box = {"xyxy": [0, 0, 1, 1], "track": "t", "candidate": "P-0002", "probability": 0.77}
    state = LiveState(
        camera=CameraId("gate"), captured_at_us=1, written_at_us=1, health="live",
        boxes=({**box, "person": None, "first_look": "link"}, {**box, "person": "P-0001"}),
        values={}, version=1,
    )  # fmt: skip

    told = to_boxes(state)

    assert told.narrow is not None
    unknown, known = told.narrow["boxes"]
    assert unknown == {"xyxy": [0, 0, 1, 1], "track": "t", "person": None} | dict.fromkeys(
        ("candidate", "probability")
    )
    assert (known["person"], known["candidate"], known["probability"]) == ("P-0001", None, 0.77)


def test_how_many_look_alike_in_the_whole_site_is_not_told(site: Site) -> None:
    said = replace(link_to(1), reason="probably P-0001; 17 more who look alike ruled out")
    made = sighting(61, camera=GATE, link=said, exemplars=())
    record_sighting(site.database, made, now_us=NOW_US)
    newest = site.known("admin").get(f"{API}/sightings?limit=1").json()["items"][0]

    part = site.known("viewer-gate").get(f"{API}/sightings/{newest['sighting']}").json()

    assert "17 more" in newest["link"]["reason"]
    assert part["link"]["reason"] == "probably P-0001"


def test_an_alert_of_both_tells_when_and_what_one_may_see_only(site: Site) -> None:
    for number, camera in ((62, GATE), (63, VAULT)):
        record_sighting(
            site.database,
            sighting(number, camera=camera, link=link_to(1), exemplars=()),
            now_us=NOW_US,
        )
    began_us = TEN_O_CLOCK_US + 62 * 60 * SECOND_US
    both = NewAlert(
        key="rule/both",
        rule=f"from gate to {VAULT}",
        kind="impossible transit",
        severity=AlertSeverity.WARNING,
        began_us=began_us,
        ended_us=began_us + 65 * SECOND_US,
        sentence=f"P-0001 went from gate to {VAULT} in 60 s",
        identity=FIRST,
        probability=0.77,
        grounds={"least_s": 90},
        cameras=(GATE, VAULT),
        sightings=(f"{GATE}/62", f"{VAULT}/63"),
    )
    raise_alert(site.database, both, deliveries=[], now_us=NOW_US)

    (part,) = [
        each
        for each in site.known("viewer-gate").get(f"{API}/alerts").json()["items"]
        if each["kind"] == "impossible transit"
    ]

    assert VAULT not in str(part)
    assert part["cameras"] == [GATE]
    assert (part["probability"], part["grounds"]) == (None, {})
    assert part["ended_us"] == began_us + 5 * SECOND_US, "when a hidden camera saw them is not told"
    assert part["rule"] == "these words speak of what you may not see"
    assert site.known("viewer").get(f"{API}/alerts/{part['alert']}").json()["rule"] == both.rule


@pytest.mark.parametrize("lasts", [True, False])
def test_an_alert_of_which_one_saw_no_visit_tells_when_it_was_raised(
    site: Site, lasts: bool
) -> None:
    began_us, raised_at_us = TEN_O_CLOCK_US + 7 * SECOND_US, NOW_US + 900 * SECOND_US
    both = NewAlert(
        key=f"rule/unseen {lasts}",
        rule="unseen",
        kind="loitering",
        severity=AlertSeverity.WARNING,
        began_us=began_us,
        ended_us=None if lasts else began_us + SECOND_US,
        sentence="somebody stayed",
        cameras=(GATE, VAULT),
        sightings=(f"{VAULT}/4",),
    )
    raise_alert(site.database, both, deliveries=[], now_us=raised_at_us)
    part = site.known("viewer-gate")

    def told(**span: int) -> list[str]:
        items = part.get(f"{API}/alerts", params={"rule": "unseen", **span}).json()["items"]
        return [each["alert"] for each in items]

    newest = told()[0]
    detail = part.get(f"{API}/alerts/{newest}").json()
    assert detail["began_us"] == raised_at_us
    assert detail["ended_us"] == (None if lasts else raised_at_us)
    assert newest not in told(to=began_us + SECOND_US), "when it began could be found by asking"
    assert newest in told(**{"from": raised_at_us, "to": raised_at_us + 1})


def test_an_alert_that_lasts_does_so_for_who_sees_a_part(site: Site) -> None:
    lasting = NewAlert(
        key="rule/lasting",
        rule="lasting",
        kind="loitering",
        severity=AlertSeverity.WARNING,
        began_us=TEN_O_CLOCK_US,
        ended_us=None,
        sentence="somebody stays",
        cameras=(GATE, VAULT),
        sightings=(f"{GATE}/1", f"{VAULT}/4"),
    )
    raise_alert(site.database, lasting, deliveries=[], now_us=NOW_US)

    (part,) = site.known("viewer-gate").get(f"{API}/alerts?rule=lasting").json()["items"]

    assert [each["camera"] for each in part["sightings"]] == [GATE]
    assert (part["ended"], part["ended_us"]) == (None, None)


def test_a_name_that_names_a_hidden_camera_is_no_name_for_a_part(site: Site) -> None:
    give_name(site.database, FIRST, f"Thief of {VAULT.upper()}", made_by="ada", now_us=NOW_US)
    part, whole = site.known("viewer-gate"), site.known("viewer")

    assert whole.get(f"{API}/identities/P-1").json()["name"] == f"Thief of {VAULT.upper()}"
    assert part.get(f"{API}/identities/P-1").json()["name"] is None
    assert part.get(f"{API}/names?words=thief").json()["items"] == []
    history = part.get(f"{API}/identities/P-1/names").json()["items"]
    assert "canary" not in str(history).lower()
    assert "red coat" in str(history)


def test_a_verdict_names_no_hidden_verdict_that_it_contradicts(site: Site) -> None:
    alone = sighting(70, camera=VAULT, link=link_new(), exemplars=())
    record_sighting(site.database, alone, now_us=NOW_US)
    (newest,) = site.known("admin").get(f"{API}/sightings?limit=1").json()["items"]
    visit, person = int(newest["sighting"][1:]), int(newest["identity"][2:])
    older = not_same(site.database, SightingId(visit), IdentityId(3), by="ada", now_us=NOW_US)
    made = same(site.database, SightingId(3), IdentityId(person), by="ada", now_us=NOW_US)

    whole = site.known("admin").get(f"{API}/verdicts/V{made.id}").json()
    part = site.known("admin-gate").get(f"{API}/verdicts/V{made.id}").json()

    assert whole["contradicts"] == [f"V{older.id}"]
    assert part["contradicts"] == []
    assert part["b"] == []


def test_whom_a_hidden_visit_shows_is_not_found_out_through_verdicts(site: Site) -> None:
    part, whole = site.known("viewer-gate"), site.known("viewer")

    # V1 is about S5 at the gate, and was held against S4 in the vault.
    assert whole.get(f"{API}/verdicts?sighting=S4").json()["items"]
    assert part.get(f"{API}/verdicts?sighting=S4").text == '{"items":[],"next":null}'
    assert part.get(f"{API}/verdicts?sighting=S5").json()["items"]


def test_a_stream_that_shows_a_hidden_camera_too_is_not_played_whole(tmp_path: Path) -> None:
    """Two cameras share one stream: the left half is the gate, the right half the vault."""
    pixels = np.zeros((96, 160, 3), np.uint8)
    pixels[:, 80:] = 255
    write_video(tmp_path / "film.mp4", [pixels] * 20)
    recorded = record_film(tmp_path / "film.mp4", tmp_path / "recordings")
    span = {"from": str(START_US), "to": str(START_US + SECOND_US)}
    with open_site(tmp_path, recorded_only=True) as site:
        gate = CameraConfig(
            name=GATE, source=SecretStr("rtsp://192.0.2.7/1"), region=(0.0, 0.0, 0.5, 1.0)
        )
        config = site.config.model_copy(update={"cameras": (gate,)})
        site.desk._recordings = (site.desk.config, Recordings(config, site.database))
        record_segments(site.database, recorded)
        base, later = f"{API}/cameras/gate/recordings", {"at": str(START_US), "later": "0"}
        part, whole = site.known("admin-gate"), site.known("admin")

        for path in ("video", "head.mp4", "part.mp4"):
            assert part.get(f"{base}/{path}", params=later).status_code == 404, path
            assert whole.get(f"{base}/{path}", params=later).status_code == 200, path
        assert part.get(f"{base}/playlist.m3u8", params=span).status_code == 404
        assert whole.get(f"{base}/playlist.m3u8", params=span).status_code == 200
        assert part.post(f"{API}/cameras/gate/clips", json=span).status_code == 403
        assert part.get(f"{base}/moment", params=later).json()["video"] is None
        still = part.get(f"{base}/picture", params=later).content
        seen = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert seen is not None
        assert seen.shape == (96, 80)
        assert seen.mean() < 10, "the other half is shown"


def test_recordings_of_a_camera_that_is_no_more_are_for_who_sees_all(tmp_path: Path) -> None:
    """It may have been one of two that shared a stream."""
    write_video(tmp_path / "film.mp4", [np.zeros((96, 160, 3), np.uint8)] * 20)
    recorded = record_film(tmp_path / "film.mp4", tmp_path / "recordings")
    span = {"from": str(START_US), "to": str(START_US + SECOND_US)}
    with open_site(tmp_path, recorded_only=True) as site:
        config = site.config.model_copy(update={"cameras": ()})
        site.desk._recordings = (site.desk.config, Recordings(config, site.database))
        record_segments(site.database, recorded)
        base, later = f"{API}/cameras/gate/recordings", {"at": str(START_US), "later": "0"}
        part, whole = site.known("admin-gate"), site.known("admin")

        for path in ("video", "head.mp4", "part.mp4", "picture", "moment"):
            assert part.get(f"{base}/{path}", params=later).status_code in (403, 404), path
            assert whole.get(f"{base}/{path}", params=later).status_code == 200, path
        assert part.post(f"{API}/cameras/gate/clips", json=span).status_code == 403
        assert whole.post(f"{API}/cameras/gate/clips", json=span).status_code == 200


def test_a_clip_may_begin_in_a_gap_but_shows_no_hidden_part_later(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", [np.zeros((96, 160, 3), np.uint8)] * 20)
    recorded = record_film(tmp_path / "film.mp4", tmp_path / "recordings")
    span = {"from": str(START_US - SECOND_US), "to": str(START_US + SECOND_US)}
    with open_site(tmp_path, recorded_only=True) as site:
        gate = CameraConfig(name=GATE, source=SecretStr("rtsp://192.0.2.7/1"))
        record_segments(site.database, recorded)
        status = {}
        for region in (None, (0.0, 0.0, 0.5, 1.0)):
            camera = gate.model_copy(update={"region": region})
            config = site.config.model_copy(update={"cameras": (camera,)})
            site.desk._recordings = (site.desk.config, Recordings(config, site.database))
            for who in ("admin", "admin-gate"):
                asked = site.known(who).post(f"{API}/cameras/gate/clips", json=span)
                status[who, region is None] = asked.status_code

    assert status.pop(("admin-gate", False)) == 403
    assert set(status.values()) == {200}


@pytest.mark.parametrize(
    ("text", "is_hidden"),
    [
        ("12 s after gate-1, usual 9 to 15 s", False),
        ("12 s after gate, usual 9 to 15 s", True),
        ("he went to the GATE.", True),
        ("gatekeeper", False),
        ("the gate-door", True),
        ("P-0001 looks alike", False),
        ("p-0000002 looks alike", True),
        ("P-00010", True),
        ("P0002 looks alike", True),
        ("he is p7.", True),
        ("p1 looks alike, as in step2", False),
    ],
)
def test_words_are_hidden_if_they_name_what_is_hidden(text: str, is_hidden: bool) -> None:
    told = Told(seen=["gate-1"], hidden=["gate"], people=[FIRST])

    assert told.is_hidden(text) is is_hidden
