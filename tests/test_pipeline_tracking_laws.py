"""Laws of tracking: they hold for every input."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.types import Detections
from pipeline.tracking.config import TrackingConfig
from pipeline.tracking.tracker import NO_TRACK, BufferedOverlapTracker
from streams.types import CameraId, Frame, Modality
from tests.tracking_builders import CONFIG, START_US, follow, found


def blank(at_us: int, sequence: int) -> Frame:
    """An empty picture."""
    return Frame(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=at_us,
        run=0,
        sequence=sequence,
        pixels=np.zeros((360, 640, 3), dtype=np.uint8),
    )


def scored(at_us: int, boxes: list[tuple[int, int, int, int]], random: Random) -> Detections:
    """Detections with scores of all kinds."""
    return Detections(
        camera=CameraId("gate"),
        captured_at_us=at_us,
        boxes=np.asarray(boxes, dtype=np.float32).reshape(-1, 4),
        scores=np.asarray([random.random() for _ in boxes], dtype=np.float32),
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 600), st.integers(0, 340), st.integers(0, 200), st.integers(0, 200)
            ),
            max_size=6,
        ),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_is_detected_nobody_is_twice_in_a_frame_and_no_box_is_invented(
    frames: list[list[tuple[int, int, int, int]]], random: Random
) -> None:
    config = TrackingConfig(min_visit_s=0.0, part_after_s=1.0)
    given_boxes: dict[int, set[tuple[float, ...]]] = {}
    made: list[tuple[Frame, Detections]] = []
    at_us = START_US
    for sequence, people in enumerate(frames):
        at_us += random.choice((1, 40_000, 100_000, 900_000, 5_000_000))
        boxes = [(x, y, min(x + w, 640), min(y + h, 360)) for x, y, w, h in people]
        given_boxes[at_us] = {tuple(map(float, box)) for box in boxes}
        made.append((blank(at_us, sequence), scored(at_us, boxes, random)))

    tracklets = follow(made, config=config)

    for tracklet in tracklets:
        assert np.all(np.diff(tracklet.times_us) > 0)
        for time_us, box in zip(tracklet.times_us.tolist(), tracklet.boxes.tolist(), strict=True):
            assert tuple(box) in given_boxes[time_us]
    rows = [(t.track, time_us) for t in tracklets for time_us in t.times_us.tolist()]
    assert len(rows) == len(set(rows))
    assert len({(t.track, t.part) for t in tracklets}) == len(tracklets)


def test_time_that_does_not_advance_within_a_run_is_refused() -> None:
    tracker = BufferedOverlapTracker(CONFIG)
    tracker.update(found(START_US, []))

    with pytest.raises(ValueError, match="later than"):
        tracker.update(found(START_US, []))


def test_tracker_numbers_people_from_one_and_answers_for_every_row() -> None:
    tracker = BufferedOverlapTracker(CONFIG)
    people = [(0.0, 0.0, 40.0, 100.0), (300.0, 0.0, 340.0, 100.0)]

    first = tracker.update(found(START_US, people))
    second = tracker.update(found(START_US + 100_000, people[::-1]))
    third = tracker.update(found(START_US + 200_000, [*people, (500.0, 0.0, 540.0, 100.0)]))

    assert first.tolist() == [NO_TRACK, NO_TRACK]
    assert sorted(second.tolist()) == [1, 2]
    assert third.tolist() == [second[1], second[0], NO_TRACK]


def test_jittery_time_stamps_do_not_change_who_is_who() -> None:
    rng = np.random.default_rng(7)
    places = rng.uniform((0, 0), (560, 240), (12, 2))
    speeds = rng.normal(0, 8, (12, 2))
    steady, jittery = BufferedOverlapTracker(CONFIG), BufferedOverlapTracker(CONFIG)
    n_followed = 0

    for frame in range(200):
        at_us = START_US + frame * 100_000
        speeds += rng.normal(0, 4, speeds.shape) - 0.1 * speeds
        places = np.clip(places + speeds, 0, (600, 260))
        seen = places[rng.random(12) < 0.8].tolist()
        detections = found(at_us, [(x, y, x + 40.0, y + 100.0) for x, y in seen])
        late_us = at_us + int(rng.integers(-15_000, 15_000))

        numbers = steady.update(detections)

        assert numbers.tolist() == jittery.update(detections, now_us=late_us).tolist()
        n_followed += int((numbers != NO_TRACK).sum())
    assert n_followed > 1000
