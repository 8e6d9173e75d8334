"""Alerts of a running watcher: from pictures and visits to rows, pictures and the outbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from pipeline.alerts.types import CameraSign
from pipeline.config import SiteConfig, parse_config
from pipeline.run import raising
from pipeline.run.alerting import BROKEN, Alerting
from pipeline.run.perceive import Perception
from pipeline.run.raising import FILE, Raising
from pipeline.run.remember import Remembered
from pipeline.run.spool_files import Closed
from pipeline.run.vitals import disks, look_at
from pipeline.tracking.tracklets import OpenTrack
from pipeline.types import TrackKey
from storage.database import Database
from storage.desk.alerts import Alert, NewAlert, alert_events, alerts
from storage.desk.deliveries import deliveries
from storage.desk.handling import acknowledge
from storage.desk.rules import NewRule, add_rule, standing_rules
from storage.desk.shapes import NewShape, add_shape
from storage.desk.types import AlertEventKind, AlertSeverity, Purpose, RuleOrigin, ShapeKind
from storage.errors import DatabaseBusy
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting
from streams.clock import ManualClock
from streams.feed import CameraHealth
from streams.supervisor import CameraState
from streams.types import CameraId, Frame, Gap, GapReason, Modality
from tests.alert_builders import GATE, NOON_US, s
from tests.linking_builders import AsTheyAre
from tests.processes import PATIENCE_S
from tests.storage_builders import sighting

pytest_plugins = ["tests.storage_fixtures"]

RULES = """
  - {name: dock, kind: nobody allowed, zone: dock, for_s: 1}
"""
CONFIG = """
site: yard
cameras:
- name: gate
  source: SOURCE
  zones: [{name: dock, points: [[0, 0], [1, 0], [1, 1], [0, 1]]}]
alerts:
  escalate_after_s: 60
  channels:
  - {name: door, kind: webhook, url: 'https://example.org/in', secret: 0123456789abcdef}
  rules: RULES
"""


class _OneCurve(AsTheyAre):
    name = "curve"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:  # noqa: ARG002
        return 1.0 + similarity


class _Crowd:
    """Stands in for the trackers of a camera: whoever was put here is in view."""

    def __init__(self) -> None:
        self.tracks: list[OpenTrack] = []

    def open_tracks(self, camera: CameraId) -> list[OpenTrack]:  # noqa: ARG002
        return self.tracks


def site(tmp_path: Path, *, rules: str = RULES, source: str = "gate.mp4") -> SiteConfig:
    config = parse_config(
        CONFIG.replace("RULES", rules).replace("SOURCE", source), name="site.yaml"
    )
    storage = config.storage.model_copy(
        update={"evidence": tmp_path / "evidence", "spool": tmp_path / "spool"}
    )
    return config.model_copy(update={"storage": storage})


def watching(
    config: SiteConfig, database: Database, clock: ManualClock, *, live: bool = False
) -> Alerting:
    return Alerting(config, database, live=live, clock=clock, model="net", calibration=_OneCurve())


def frame(seconds: float) -> Frame:
    pixels = np.full((90, 160, 3), 90, np.uint8)
    pixels[20:60, 30:50] = 200
    return Frame(
        camera=GATE,
        modality=Modality.VISIBLE,
        captured_at_us=s(seconds),
        run=0,
        sequence=0,
        pixels=pixels,
    )


def somebody(track: str = "gate/1", at: float = 0) -> OpenTrack:
    return OpenTrack(
        track=TrackKey(track), number=1, box=(40.0, 20.0, 60.0, 80.0), last_seen_us=s(at)
    )


def stand(alerting: Alerting, n_seconds: int, *, start: float = 0, track: str = "gate/1") -> None:
    """Somebody stands in view for some seconds, then leaves."""
    crowd = _Crowd()
    for k in range(10 * n_seconds):
        crowd.tracks = [somebody(track, start + k / 10)]
        alerting.saw([frame(start + k / 10)], cast(Perception, crowd))
    crowd.tracks = []
    alerting.saw([frame(start + n_seconds)], cast(Perception, crowd))


def found(database: Database) -> list[Alert]:
    """All alerts, oldest first."""
    return list(reversed(alerts(database).items))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_us=NOON_US)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


def test_what_a_rule_finds_is_a_row_with_its_picture(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    config = site(tmp_path)
    with watching(config, database, clock) as alerting:
        stand(alerting, 5)
    (only,) = found(database)
    assert only.sentence == "is in 'dock', where nobody should be"
    assert only.severity is AlertSeverity.CRITICAL
    assert only.grounds["box"] == "0.2500 0.2222 0.3750 0.8889"
    assert (only.began_us, only.ended_us) == (s(0), s(4.9))
    assert only.raised_at_us == s(1)
    assert only.picture is not None
    assert only.picture_camera == GATE
    assert EvidenceStore(config.storage.evidence).get(only.picture)[:2] == b"\xff\xd8"


def test_the_same_footage_again_raises_nothing_again(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    for _ in range(2):
        with watching(site(tmp_path), database, clock) as alerting:
            stand(alerting, 5)
    (only,) = found(database)
    assert [event.kind for event in alert_events(database, only.id)] == [AlertEventKind.RAISED]


def test_live_alerts_are_put_into_the_outbox_and_recorded_ones_are_not(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    with watching(site(tmp_path), database, clock) as alerting:
        stand(alerting, 5)
    assert deliveries(database).items == ()
    live = site(tmp_path, source="rtsp://gate.example/stream")
    with watching(live, database, clock, live=True) as alerting:
        stand(alerting, 5, start=1000, track="gate/2")
    (sent,) = deliveries(database).items
    assert (sent.channel, sent.purpose) == ("door", Purpose.ALERT)
    assert sent.payload["sentence"] == "is in 'dock', where nobody should be"
    assert sent.picture is not None


def test_a_visit_tells_whose_alert_it_is(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    seen = sighting(1, at_s=0)
    recorded = record_sighting(database, seen, now_us=s(6))

    def remember(item: Closed) -> Remembered | None:  # noqa: ARG001
        return Remembered(sighting=seen, recorded=recorded, means={}, trust=1.0, is_last=True)

    live = site(tmp_path, source="rtsp://gate.example/stream")
    with watching(live, database, clock, live=True) as alerting:
        stand(alerting, 5)
        gap = Gap(camera=GATE, from_us=s(5), to_us=None, reason=GapReason.STALLED)
        alerting.following(remember)(gap)
    (only,) = found(database)
    assert only.identity == recorded.identity
    assert only.sightings == ("gate/1",)


def test_rules_of_the_pages_are_read_while_watching(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    with watching(site(tmp_path, rules="[]"), database, clock) as alerting:
        stand(alerting, 5)
        new = NewRule(name="slow", kind="loitering", settings={"longer_than_s": 2})
        add_rule(database, new, made_by="ada", now_us=s(10))
        _let_it_read(alerting, clock, until=lambda: len(alerting.rules) == 1)
        stand(alerting, 5, start=20)
    (only,) = found(database)
    assert only.rule == "slow"


def test_rules_of_the_configuration_are_shown_to_the_pages(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    with watching(site(tmp_path), database, clock):
        pass
    (shown,) = standing_rules(database)
    assert (shown.name, shown.kind, shown.origin) == ("dock", "nobody allowed", RuleOrigin.CONFIG)
    assert shown.settings == {"zone": "dock"}


def test_a_rule_without_its_zone_is_an_alert_until_the_zone_is_drawn(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    rules = "[{name: moon, kind: zone entered, zone: crater}]"
    with watching(site(tmp_path, rules=rules), database, clock) as alerting:
        stand(alerting, 2)
        clock.sleep(10)
        add_shape(
            database,
            NewShape(
                camera=GATE,
                kind=ShapeKind.ZONE,
                name="crater",
                points=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),
            ),
            made_by="ada",
            now_us=s(10),
        )
        _let_it_read(
            alerting, clock, until=lambda: any(alert.ended_us for alert in found(database))
        )
    (broken,) = found(database)
    assert (broken.rule, broken.kind) == ("moon", BROKEN)
    assert "'crater', which is not drawn" in broken.sentence
    assert broken.ended_us is not None


def test_a_rule_of_the_pages_that_cannot_be_read_is_an_alert(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    add_rule(database, NewRule(name="odd", kind="dancing"), made_by="ada", now_us=s(0))
    with watching(site(tmp_path), database, clock) as alerting:
        stand(alerting, 5)
    assert [(alert.rule, alert.kind) for alert in found(database)] == [
        ("odd", BROKEN),
        ("dock", "nobody allowed"),
    ]


def test_what_nobody_acknowledges_is_told_once_more(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    live = site(tmp_path, source="rtsp://gate.example/stream")
    with watching(live, database, clock, live=True) as alerting:
        stand(alerting, 5)
        clock.sleep(100)
        _let_it_read(alerting, clock, until=lambda: len(deliveries(database).items) == 2)
    (only,) = found(database)
    kinds = [event.kind for event in alert_events(database, only.id)]
    assert kinds == [AlertEventKind.RAISED, AlertEventKind.ESCALATED]
    purposes = [sent.purpose for sent in deliveries(database).items]
    assert purposes == [Purpose.ESCALATION, Purpose.ALERT]
    acknowledge(database, only.id, made_by="ada", now_us=s(1000))


def test_a_camera_that_is_down_is_told_while_watching(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    live = site(
        tmp_path,
        source="rtsp://gate.example/stream",
        rules="[{name: eyes, kind: camera down, after_s: 5}]",
    )
    with watching(live, database, clock, live=True) as alerting:
        for _ in range(10):
            clock.sleep(1)
            alerting.tick([_lost(clock.now_us())])
    (only,) = found(database)
    assert only.sentence == "nobody sees what happens at gate: no route to host"


def test_alerts_wait_while_the_database_is_away_and_survive_the_end(
    database: Database, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = site(tmp_path)

    def away(*_: object, **__: object) -> None:
        raise DatabaseBusy("the server went away")

    with monkeypatch.context() as patch:
        patch.setattr(raising, "raise_alert", away)
        with watching(config, database, clock) as alerting:
            stand(alerting, 5)
    assert found(database) == []
    assert (config.storage.spool / FILE).exists()
    with watching(config, database, clock):
        pass
    (only,) = found(database)
    assert only.ended_us == s(4.9)
    assert only.picture is not None
    assert not (config.storage.spool / FILE).exists()


def test_an_alert_that_waits_is_written_as_it_was_said_last(
    database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    out = Raising(site(tmp_path), database, live=False, clock=clock)
    alert = NewAlert(
        key="k",
        rule="dock",
        kind="loitering",
        severity=AlertSeverity.INFO,
        began_us=s(0),
        sentence="stayed",
    )
    out.put(alert, channels=(), now_us=s(1))
    out.close()
    (only,) = found(database)
    assert only.sentence == "stayed"


def test_an_even_picture_has_no_contrast_and_a_blurred_one_less_detail() -> None:
    rng = np.random.default_rng(7)
    sharp = rng.integers(0, 255, (180, 320, 1), np.uint8).repeat(3, axis=2)
    blurred = np.asarray(
        (sharp[:, :-3].astype(int) + sharp[:, 1:-2] + sharp[:, 2:-1] + sharp[:, 3:]) // 4, np.uint8
    )

    def sign(pixels: np.ndarray) -> CameraSign:
        return look_at(
            Frame(
                camera=GATE,
                modality=Modality.VISIBLE,
                captured_at_us=1,
                run=0,
                sequence=0,
                pixels=pixels,
            )
        )

    assert sign(np.full((180, 320, 3), 7, np.uint8)).contrast == 0
    assert (sign(sharp).contrast or 0) > 50
    assert (sign(blurred).detail or 0) < 0.6 * (sign(sharp).detail or 0)


def test_one_disk_is_told_once_whatever_lies_on_it(tmp_path: Path) -> None:
    (sign,) = disks({"pictures": tmp_path / "a" / "b", "recordings": tmp_path}, now_us=1)
    assert sign.place == "pictures and recordings"
    assert 0 < sign.free_bytes <= sign.total_bytes


def _let_it_read(alerting: Alerting, clock: ManualClock, *, until: Callable[[], bool]) -> None:
    """Time passes until the alerts' thread has done something."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < give_up_s
        clock.sleep(11)
        alerting.tick()
        time.sleep(0.01)


def _lost(now_us: int) -> CameraHealth:
    return CameraHealth(
        camera=GATE,
        state=CameraState.LOST,
        last_frame_us=NOON_US,
        n_frames=0,
        n_dropped=0,
        n_reconnects=now_us % 7,
        fps=0.0,
        last_error="no route to host",
    )
