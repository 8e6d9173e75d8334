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
        identity=7, box_px=(10, 20, 30, 80), full_box_px=(10, 20, 40, 80), visibility=0.75
    )
    return Truth(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        fps=10,
        size_px=(640, 360),
        starts_at_us=1_000_000,
        frames=(
            TrueFrame(frame=0, captured_at_us=1_000_000, people=()),
            TrueFrame(frame=1, captured_at_us=1_100_000, people=(hidden, clear)),
        ),
    )


def test_truth_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "gate.truth.json"

    write_truth(truth(), path)

    assert read_truth(path) == truth()


def test_a_file_of_another_schema_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "gate.truth.json"
    write_truth(truth(), path)
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))

    with pytest.raises(ValueError, match="expected truth schema 1, got 99"):
        read_truth(path)


def test_motchallenge_counts_frames_from_one_gives_whole_bodies_and_leaves_out_the_hidden() -> None:
    assert to_motchallenge(truth()) == "2,7,10,20,30,60,1,1,0.750\n"
