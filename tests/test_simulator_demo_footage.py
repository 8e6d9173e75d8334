"""The committed demo footage agrees with its truth. Needs no renderer."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

import simulator
from simulator.filming.truth import Truth, read_truth, to_motchallenge
from streams.types import Modality

DEMO = Path(simulator.__file__).parent / "footage" / "demo"
CAMERAS = {
    "gate": Modality.VISIBLE,
    "plaza": Modality.VISIBLE,
    "dock": Modality.INFRARED,
    "corridor": Modality.INFRARED,
}
DAY_US = 1_780_322_400_000_000
NIGHT_US = 1_780_353_600_000_000


def truth_of(camera: str) -> Truth:
    return read_truth(DEMO / f"{camera}.truth.json")


@pytest.fixture(params=CAMERAS)
def camera(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_whole_demo_footage_is_small() -> None:
    total_bytes = sum(path.stat().st_size for path in DEMO.iterdir())

    assert total_bytes <= 12_000_000


def test_a_video_has_as_many_frames_of_the_same_size_and_rate_as_its_truth(camera: str) -> None:
    truth = truth_of(camera)

    video = cv2.VideoCapture(str(DEMO / f"{camera}.mp4"))
    rate = video.get(cv2.CAP_PROP_FPS)
    sizes = set()
    n_frames = 0
    while (answer := video.read())[0]:
        n_frames += 1
        sizes.add(answer[1].shape[:2][::-1])
    video.release()

    assert n_frames == len(truth.frames) == 600
    assert sizes == {truth.size_px}
    assert rate == pytest.approx(truth.fps)


def test_a_video_shows_colour_by_day_and_none_by_night(camera: str) -> None:
    video = cv2.VideoCapture(str(DEMO / f"{camera}.mp4"))
    picture = video.read()[1].astype(int)
    video.release()

    spread = float(np.mean(picture.max(axis=2) - picture.min(axis=2)))

    assert truth_of(camera).modality is CAMERAS[camera]
    # The coded colour planes of a grey picture may be off by a step or two.
    assert (spread > 4) == (CAMERAS[camera] is Modality.VISIBLE)


def test_frames_are_a_tenth_of_a_second_apart_from_the_announced_start(camera: str) -> None:
    truth = truth_of(camera)

    times_us = [frame.captured_at_us for frame in truth.frames]

    assert [frame.frame for frame in truth.frames] == list(range(len(truth.frames)))
    is_day = truth.modality is Modality.VISIBLE
    assert times_us[0] == truth.starts_at_us == (DAY_US if is_day else NIGHT_US)
    assert {later - earlier for earlier, later in pairwise(times_us)} == {100_000}


def test_boxes_lie_inside_the_frame_and_inside_the_whole_body(camera: str) -> None:
    truth = truth_of(camera)
    width, height = truth.size_px
    people = [person for frame in truth.frames for person in frame.people]

    for person in people:
        x0, y0, x1, y1 = person.box_px
        left, top, right, bottom = person.full_box_px
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert 0 < person.visibility <= 1
        # The mask is sampled once per pixel, the body's outline is exact.
        assert left - 2 <= x0
        assert top - 2 <= y0
        assert x1 <= right + 2
        assert y1 <= bottom + 2


def test_people_are_big_enough_to_be_recognised(camera: str) -> None:
    people = [person for frame in truth_of(camera).frames for person in frame.people]

    median_height_px = np.median([person.box_px[3] - person.box_px[1] for person in people])

    assert median_height_px >= 100


def test_the_same_six_people_walk_through_all_four_cameras() -> None:
    found = {name: truth_of(name).identities for name in CAMERAS}

    assert found == dict.fromkeys(CAMERAS, frozenset(range(1, 7)))


def test_nobody_is_in_two_places_at_once_and_every_change_of_camera_takes_seconds() -> None:
    truths = [truth_of(name) for name in CAMERAS]
    seen: dict[int, list[tuple[int, str]]] = {identity: [] for identity in range(1, 7)}
    for truth in truths:
        for frame in truth.frames:
            for person in frame.people:
                seen[person.identity].append((frame.captured_at_us, truth.camera))

    for sightings in seen.values():
        for (earlier_us, from_camera), (later_us, to_camera) in pairwise(sorted(sightings)):
            if from_camera != to_camera:
                assert later_us - earlier_us >= 5_000_000


def test_the_motchallenge_file_says_the_same_as_the_truth(camera: str) -> None:
    text = (DEMO / f"{camera}.gt.txt").read_text(encoding="utf-8")

    assert text == to_motchallenge(truth_of(camera))
