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
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from pydantic import SecretStr

from benchmarks.record import record
from pipeline.config import SiteConfig
from pipeline.run.watch import watch
from storage.config import StorageConfig
from storage.database import open_database
from storage.sightings import sightings, trail_of
from storage.types import Sighting
from streams.config import CameraConfig
from streams.source import open_source

START = datetime(2026, 6, 1, 14, tzinfo=UTC)
MIN_IOU = 0.4
MIN_SHARE = 0.5
Boxes = npt.NDArray[np.float64]


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
    video: Path, halves: list[Half], truth: Boxes, fps: float, folder: Path
) -> dict[str, object]:
    url = f"sqlite:///{folder / 'site.db'}"
    site = SiteConfig(
        cameras=tuple(_camera(half.name, video, half.region) for half in halves),
        storage=StorageConfig(database=SecretStr(url), evidence=folder / "evidence", reserve_mb=0),
    )
    watch(site, stop=threading.Event(), report=lambda _: None)
    with open_database(url) as database:
        found = sightings(database, limit=None)
        who = {
            sighting.id: _true_person(trail_of(database, sighting.id), half.left_px, truth, fps)
            for half in halves
            for sighting in found
            if sighting.camera == half.name
        }
    return _score(found, who)


def _true_person(trail: Boxes, left_px: float, truth: Boxes, fps: float) -> int | None:
    """The person whose boxes the trail follows for at least half of its length."""
    votes: Counter[int] = Counter()
    for captured_at_us, x0, y0, x1, y1 in trail:
        frame = round((captured_at_us - START.timestamp() * 1e6) * fps / 1e6) + 1
        rows = truth[truth[:, 0] == frame]
        overlaps = [_iou((x0 + left_px, y0, x1 + left_px, y1), row[2:6]) for row in rows]
        if overlaps and max(overlaps) >= MIN_IOU:
            votes[int(rows[int(np.argmax(overlaps)), 1])] += 1
    if not votes:
        return None
    person, n = votes.most_common(1)[0]
    return person if n >= MIN_SHARE * len(trail) else None


def _iou(box: tuple[float, float, float, float], xywh: npt.NDArray[np.float64]) -> float:
    x0, y0, x1, y1 = xywh[0], xywh[1], xywh[0] + xywh[2], xywh[1] + xywh[3]
    wide = min(box[2], x1) - max(box[0], x0)
    tall = min(box[3], y1) - max(box[1], y0)
    both = max(wide, 0.0) * max(tall, 0.0)
    return float(both / ((box[2] - box[0]) * (box[3] - box[1]) + xywh[2] * xywh[3] - both))


def _score(found: list[Sighting], who: dict[int, int | None]) -> dict[str, object]:
    left = [s for s in found if s.camera == "left"]
    right = [s for s in found if s.camera == "right"]
    true = claimed = right_claims = 0
    for a, b in product(left, right):
        same = who[a.id] is not None and who[a.id] == who[b.id]
        said = a.identity is not None and a.identity == b.identity
        true += same
        claimed += said
        right_claims += same and said
    across = {s.identity for s in left} & {s.identity for s in right} - {None}
    return {
        "n_sightings": len(found),
        "n_sightings_with_a_true_person": sum(person is not None for person in who.values()),
        "n_true_people": len({person for person in who.values() if person is not None}),
        "n_identities": len({s.identity for s in found if s.identity is not None}),
        "n_identities_in_both_cameras": len(across),
        "decisions": dict(Counter(s.link.decision.value for s in found)),
        "cross_camera_pairs_true": true,
        "cross_camera_pairs_claimed": claimed,
        "cross_camera_pair_precision": right_claims / claimed if claimed else None,
        "cross_camera_pair_recall": right_claims / true if true else None,
    }


if __name__ == "__main__":
    main()
