"""Cameras, and the times when nobody looked; runs of the watcher."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.cameras import cameras, record_camera
from storage.database import Database
from storage.gaps import close_open_gaps, gaps, record_gap
from storage.runs import record_run, record_run_end, runs
from storage.sightings import record_sighting
from storage.types import Camera, Span
from streams.types import CameraId, Gap, GapReason
from tests.storage_builders import TEN_O_CLOCK_US, sighting

pytest_plugins = ["tests.storage_fixtures"]

GATE = CameraId("gate")
YARD = CameraId("yard")


def gap(
    from_us: int,
    to_us: int | None,
    camera: CameraId = GATE,
    reason: GapReason = GapReason.STALLED,
) -> Gap:
    return Gap(camera=camera, from_us=from_us, to_us=to_us, reason=reason)


def test_cameras_are_known_from_their_first_use_and_described_later(database: Database) -> None:
    record_sighting(database, sighting(0, camera="yard"), now_us=TEN_O_CLOCK_US)
    record_camera(database, GATE, "main gate, from inside")
    record_camera(database, YARD, "yard")
    record_camera(database, YARD, "yard, facing north")

    assert cameras(database) == [
        Camera(id=GATE, description="main gate, from inside"),
        Camera(id=YARD, description="yard, facing north"),
    ]


def test_an_open_gap_is_closed_by_recording_it_again(database: Database) -> None:
    record_gap(database, gap(100, None))
    assert gaps(database) == [gap(100, None)]

    record_gap(database, gap(100, 250, reason=GapReason.CONNECT_FAILED))

    assert gaps(database) == [gap(100, 250, reason=GapReason.CONNECT_FAILED)]


@pytest.mark.parametrize("late", [gap(100, None), gap(100, 999), gap(100, 250)])
def test_a_closed_gap_does_not_change(database: Database, late: Gap) -> None:
    record_gap(database, gap(100, 250))

    record_gap(database, late)

    assert gaps(database) == [gap(100, 250)]


def test_gaps_are_filtered_by_camera_and_time(database: Database) -> None:
    recorded = [gap(100, 200), gap(150, None, YARD), gap(300, 400)]
    for one in reversed(recorded):
        record_gap(database, one)

    assert gaps(database) == recorded
    assert gaps(database, camera=YARD) == [recorded[1]]
    assert gaps(database, span=Span(from_us=200, to_us=300)) == [recorded[1]]
    assert gaps(database, span=Span(from_us=199, to_us=301)) == recorded
    assert gaps(database, span=Span(to_us=150)) == [recorded[0]]


def test_gaps_that_a_killed_watcher_left_open_end_at_the_start(database: Database) -> None:
    for one in (gap(100, 200), gap(300, None), gap(150, None, YARD), gap(900, None, YARD)):
        record_gap(database, one)

    assert close_open_gaps(database, 500) == 3

    assert gaps(database) == [
        gap(100, 200),
        gap(150, 500, YARD),
        gap(300, 500),
        gap(900, 900, YARD),  # the clock was set back
    ]
    assert close_open_gaps(database, 500) == 0


def test_a_run_that_was_killed_has_no_end(database: Database) -> None:
    killed = record_run(database, program="0.1.0", config_hash="c" * 64, now_us=100)
    ended = record_run(database, program="0.1.1", config_hash="d" * 64, now_us=200)
    record_run_end(database, ended, now_us=300)

    first, second = runs(database)

    assert (first.id, first.started_at_us, first.ended_at_us) == (killed, 100, None)
    assert second == replace(
        first, id=ended, started_at_us=200, ended_at_us=300, program="0.1.1", config_hash="d" * 64
    )
