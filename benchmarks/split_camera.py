"""One recording cut into a left and a right camera: are people linked across both?

    python -m benchmarks.split_camera vtest.avi gt.txt --out benchmarks/results/split_camera.json

The truth (MOTChallenge rows over the whole picture) says which sightings of the left camera and
which of the right camera show one person. Reported: precision and recall of the claimed pairs, and
how the decisions fell. Nothing here was used to set a threshold.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import SecretStr

from benchmarks.links import Rows, across_cameras, guesses_right, score_pairs, true_person
from benchmarks.record import record
from pipeline.config import SiteConfig
from pipeline.run.watch import watch
from storage.config import StorageConfig
from storage.database import open_database
from storage.sightings import sightings, trail_of
from streams.config import CameraConfig
from streams.source import open_source

START = datetime(2026, 6, 1, 14, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One of the two cameras: which part of the picture, and where that part begins."""

    name: str
    region: tuple[float, float, float, float]
    left_px: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path, help="MOTChallenge gt.txt of the whole picture")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with open_source(_camera("whole", given.video, None)) as source:
        width, fps = source.info.width_px, source.info.fps or 10.0
    halves = [
        Half(name="left", region=(0, 0, 0.5, 1), left_px=0.0),
        Half(name="right", region=(0.5, 0, 1, 1), left_px=width / 2),
    ]
    truth = np.loadtxt(given.truth, delimiter=",")
    with TemporaryDirectory() as folder:
        result = _watched(given.video, halves, truth, fps, Path(folder))
    record(given.out, {"video": given.video.name, "fps": fps, **result})
    print(json.dumps(result, indent=2))


def _camera(
    name: str, video: Path, region: tuple[float, float, float, float] | None
) -> CameraConfig:
    return CameraConfig(
        name=name, source=SecretStr(str(video.absolute())), starts_at=START, region=region
    )


def _watched(
    video: Path, halves: list[Half], truth: Rows, fps: float, folder: Path
) -> dict[str, object]:
    url = f"sqlite:///{folder / 'site.db'}"
    site = SiteConfig(
        cameras=tuple(_camera(half.name, video, half.region) for half in halves),
        storage=StorageConfig(database=SecretStr(url), evidence=folder / "evidence", reserve_mb=0),
    )
    watch(site, stop=threading.Event(), report=lambda _: None)
    with open_database(url) as database:
        found = sightings(database, limit=None)
        left_px = {half.name: half.left_px for half in halves}
        who = {
            sighting.id: true_person(
                trail_of(database, sighting.id),
                truth,
                start_us=round(START.timestamp() * 1e6),
                fps=fps,
                left_px=left_px[sighting.camera],
            )
            for sighting in found
        }
    seen_by = [{s.identity for s in found if s.camera == half.name} for half in halves]
    return {
        "n_sightings": len(found),
        "n_sightings_with_a_true_person": sum(person is not None for person in who.values()),
        "n_true_people": len(set(who.values()) - {None}),
        "n_identities": len(seen_by[0].union(seen_by[1]) - {None}),
        "n_identities_in_both_cameras": len(seen_by[0] & seen_by[1] - {None}),
        "decisions": dict(Counter(s.link.decision.value for s in found)),
        **guesses_right(found, who),
        "across_cameras": score_pairs(found, who, where=across_cameras).to_json(),
    }


if __name__ == "__main__":
    main()
