"""The index of recordings, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.audit import audit_entries
from storage.database import Database
from storage.desk.segments import (
    forget_segments,
    known_paths,
    lock_segments,
    oldest_unlocked,
    record_segments,
    recorded_bytes,
    segments,
    unlock_segments,
)
from storage.errors import NotFound
from storage.types import Span
from streams.recording.types import Segment
from streams.types import CameraId

pytest_plugins = ["tests.storage_fixtures"]

S = 1_000_000
GATE = CameraId("gate")


def segment(number: int, *, camera: str = "gate") -> Segment:
    """Ten seconds, the `number`-th of its camera."""
    return Segment(
        camera=CameraId(camera),
        from_us=10 * number * S,
        to_us=10 * (number + 1) * S,
        path=f"{camera}/1970-01-01/{number:06d}.mp4",
        codec="h264",
        n_bytes=100 + number,
        sha256=f"{number:064x}",
    )


def starts(database: Database, **where: object) -> list[int]:
    span = Span(**where) if where else Span()  # type: ignore[arg-type]
    return [each.segment.from_us // S for each in segments(database, span=span, camera=GATE)]


def test_a_segment_is_put_into_the_index_once(database: Database) -> None:
    some = [segment(0), segment(1), segment(1, camera="dock")]

    assert record_segments(database, some) == 3
    assert record_segments(database, [*some, segment(2)]) == 1
    assert record_segments(database, [replace(segment(2), path="gate/other.mp4")]) == 0

    assert [each.segment for each in segments(database, camera=GATE)] == [
        segment(0),
        segment(1),
        segment(2),
    ]
    assert recorded_bytes(database) == 100 + 101 + 101 + 102
    assert known_paths(database, [segment(1).path, "gate/nothing.mp4"]) == {segment(1).path}


def test_segments_of_a_span_are_those_that_overlap_it(database: Database) -> None:
    record_segments(database, [segment(n) for n in range(5)])

    assert starts(database, from_us=10 * S, to_us=30 * S) == [10, 20]
    assert starts(database, from_us=10 * S - 1, to_us=10 * S) == [0]
    assert starts(database, from_us=35 * S) == [30, 40]
    assert starts(database, to_us=1) == [0]
    assert starts(database, from_us=50 * S) == []


def test_the_oldest_go_first_but_not_what_is_locked(database: Database) -> None:
    record_segments(database, [segment(n) for n in range(4)])
    lock_segments(
        database,
        GATE,
        span=Span(from_us=10 * S, to_us=20 * S),
        until_us=1000 * S,
        reason="theft at the gate",
        made_by="ada",
        now_us=50 * S,
    )

    due = oldest_unlocked(database, now_us=50 * S, before_us=40 * S, limit=10)
    gone = forget_segments(database, [each.id for each in due], now_us=50 * S)
    later = oldest_unlocked(database, now_us=1000 * S, limit=10)

    assert [each.segment.from_us // S for each in due] == [0, 20]
    assert gone == [segment(0).path, segment(2).path]
    assert [each.segment.from_us // S for each in later] == [10, 30]


def test_a_lock_that_comes_between_choosing_and_deleting_holds(database: Database) -> None:
    record_segments(database, [segment(0)])
    (due,) = oldest_unlocked(database, now_us=0, limit=10)
    lock_segments(
        database, GATE, span=Span(), until_us=9 * S, reason="theft", made_by="ada", now_us=0
    )

    assert forget_segments(database, [due.id], now_us=8 * S) == []
    assert forget_segments(database, [due.id], now_us=9 * S) == [segment(0).path]


def test_locks_are_only_made_longer_and_every_one_is_audited(database: Database) -> None:
    record_segments(database, [segment(0), segment(1)])
    word = {"span": Span(), "reason": "theft", "made_by": "ada", "now_us": 0}

    first = lock_segments(database, GATE, until_us=90 * S, **word)  # type: ignore[arg-type]
    lock_segments(database, GATE, until_us=50 * S, **word)  # type: ignore[arg-type]
    after = [each.kept_until_us for each in segments(database)]
    unlock_segments(database, GATE, **word)  # type: ignore[arg-type]

    assert (first.n_segments, first.from_us, first.to_us) == (2, 0, 20 * S)
    assert after == [90 * S, 90 * S]
    assert [each.kept_until_us for each in segments(database)] == [None, None]
    actions = [entry.action for entry in audit_entries(database)]
    assert sorted(actions) == ["recording lock", "recording lock", "recording unlock"]


def test_what_is_not_recorded_cannot_be_locked(database: Database) -> None:
    with pytest.raises(NotFound, match="nothing of camera 'gate'"):
        lock_segments(
            database, GATE, span=Span(), until_us=S, reason="theft", made_by="ada", now_us=0
        )
