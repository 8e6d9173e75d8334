"""One recording cut into a left and a right camera: are people linked across both?

    python -m benchmarks.split_camera vtest.avi gt.txt --out benchmarks/results/split_camera.json
    python -m benchmarks.split_camera vtest.avi gt.txt --infrared-right --out OTHER.json

The truth (MOTChallenge rows over the whole picture) says who is in which half. It numbers a person
anew who leaves the picture and comes back; `benchmarks/pets_people.json` says which numbers of
PETS09-S2L1 are one person (`--people` names another file). Every measure of
docs/linking-measures.md is reported, over people and over numbers. No threshold was set by it.

With `--infrared-right` the right camera looks through a night camera that is made up: the picture
is converted as `benchmarks.night` says before anything else sees it.
"""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from benchmarks.night import convert
from benchmarks.pets import PEOPLE, first_numbers
from benchmarks.record import record
from benchmarks.sites import figures, into_folder
from pipeline.config import SiteConfig
from pipeline.evaluation.truth import TrueVideo, read_motchallenge, within
from pipeline.run.watch import watch
from storage.database import open_database
from streams.config import CameraConfig
from streams.source import open_source
from streams.types import CameraId

START = datetime(2026, 6, 1, 14, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One of the two cameras: which part of the picture, and where that part begins."""

    name: str
    video: Path
    region: tuple[float, float, float, float]
    left_px: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path, help="MOTChallenge gt.txt of the whole picture")
    parser.add_argument("--infrared-right", action="store_true", help="the right half by night")
    parser.add_argument("--people", type=Path, default=PEOPLE, help="who has many numbers in it")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with open_source(_camera("whole", given.video)) as source:
        width, fps = source.info.width_px, source.info.fps or 10.0
    with TemporaryDirectory() as name:
        folder = Path(name)
        right = given.video
        if given.infrared_right:
            right = folder / "night.avi"
            convert(given.video, right, fps=fps, seed=0)
        halves = [
            Half(name="left", video=given.video, region=(0, 0, 0.5, 1), left_px=0.0),
            Half(name="right", video=right, region=(0.5, 0, 1, 1), left_px=width / 2),
        ]
        truth = [_truth(half, given.truth, fps=fps, width_px=width / 2) for half in halves]
        people = [_people(each, given.people) for each in truth]
        result = _watched(
            halves, {"people": people, "numbers": truth}, folder, night=given.infrared_right
        )
    described = {"video": given.video.name, "fps": fps, "infrared_right": given.infrared_right}
    record(given.out, described | result)
    print(json.dumps(result, indent=2))


def _camera(
    name: str,
    video: Path,
    region: tuple[float, float, float, float] | None = None,
    *,
    night: bool = False,
) -> CameraConfig:
    return CameraConfig(
        name=name,
        source=SecretStr(str(video.absolute())),
        starts_at=START,
        region=region,
        modality="infrared" if night else "auto",
    )


def _truth(half: Half, rows: Path, *, fps: float, width_px: float) -> TrueVideo:
    whole = read_motchallenge(
        rows,
        camera=CameraId(half.name),
        fps=fps,
        starts_at_us=round(START.timestamp() * 1e6),
        left_px=half.left_px,
    )
    return within(whole, width_px=width_px)


def _people(numbered: TrueVideo, path: Path) -> TrueVideo:
    """Everybody under the first of their numbers."""
    person = numbered.person.copy()
    for number, first in first_numbers(path).items():
        person[numbered.person == number] = first
    return replace(numbered, person=person)


def _watched(
    halves: list[Half], truth: dict[str, list[TrueVideo]], folder: Path, *, night: bool
) -> dict[str, object]:
    """Figures by each kind of truth."""
    cameras = tuple(
        _camera(half.name, half.video, half.region, night=night and half.name == "right")
        for half in halves
    )
    site = into_folder(SiteConfig(cameras=cameras), folder)
    watch(site, stop=threading.Event(), report=lambda _: None)
    with open_database(site.storage.database.get_secret_value()) as database:
        return {name: figures(database, videos) for name, videos in truth.items()}


if __name__ == "__main__":
    main()
