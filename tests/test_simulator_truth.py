"""Truth files: what is written is read again, and the MOTChallenge lines follow the format."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.filming.truth import (
    TrueFrame,
    TruePerson,
    Truth,
    read_truth,
    to_motchallenge,
    write_truth,
)
from streams.types import CameraId, Modality


def truth() -> Truth:
    hidden = TruePerson(
        identity=2, box_px=(0, 0, 5, 9), full_box_px=(0, 0, 50, 90), visibility=0.05
    )
    clear = TruePerson(
        identity=7,
        box_px=(10, 20, 30, 80),
        full_box_px=(10, 20, 40, 80),
        visibility=0.75,
        outfit=1,
        ground_m=(1.25, -3.5),
    )
    return Truth(
        scenario="lobby",
        seed=3,
        recipe="0123456789ab",
        period="dusk",
        place="hall",
        camera=CameraId("gate"),
        kind="day-night",
        fps=10,
        size_px=(640, 360),
        starts_at_us=1_000_000,
        intrinsics=((500.0, 0.0, 320.0), (0.0, 500.0, 180.0), (0.0, 0.0, 1.0)),
        world_to_camera=((1.0, 0.0, 0.0, 0.5), (0.0, 0.0, -1.0, 2.5), (0.0, 1.0, 0.0, 0.0)),
        frames=(
            TrueFrame(frame=0, captured_at_us=1_000_000, people=(), modality=Modality.VISIBLE),
            TrueFrame(
                frame=1,
                captured_at_us=1_100_000,
                people=(hidden, clear),
                modality=Modality.INFRARED,
            ),
            TrueFrame(frame=2, captured_at_us=1_200_000, people=(), modality=Modality.INFRARED),
        ),
    )


def test_truth_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "gate.truth.json"

    write_truth(truth(), path)

    assert read_truth(path) == truth()


def test_a_file_of_another_schema_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "gate.truth.json"
    write_truth(truth(), path)
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 99'))

    with pytest.raises(ValueError, match="expected truth schema 2, got 99"):
        read_truth(path)


def test_motchallenge_counts_frames_from_one_gives_whole_bodies_and_leaves_out_the_hidden() -> None:
    assert to_motchallenge(truth()) == "2,7,10,20,30,60,1,1,0.750\n"


def test_a_video_is_of_the_light_of_most_of_its_frames_and_of_whoever_shows() -> None:
    assert truth().modality is Modality.INFRARED
    assert truth().identities == {2, 7}


def test_a_file_holds_one_line_per_frame(tmp_path: Path) -> None:
    path = tmp_path / "gate.truth.json"

    write_truth(truth(), path)

    assert len(path.read_text().splitlines()) == 1 + 3 + 1
