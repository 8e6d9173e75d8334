"""Recall, precision and cost of person detectors on footage whose truth is known.

    python -m benchmarks.detector_recall --footage FOLDER [--weights yolov8n --weights FILE.pt]

FOLDER holds `vtest.avi`, `TUD-Stadtmitte.mp4` and `mot15/SEQUENCE/gt/gt.txt`. The embedded footage
is measured beside them. Detections of a true person who is too small or too hidden to count are
neither right nor wrong.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import SecretStr
from scipy.optimize import linear_sum_assignment

from benchmarks.record import record
from models.config import DetectorConfig
from models.detect.load import load_detector
from models.detect.types import Detector
from simulator.filming.truth import read_truth
from streams.config import CameraConfig
from streams.source import open_source
from streams.types import Frame, Modality

DEMO = Path(__file__).parents[1] / "simulator" / "footage" / "demo"
TRUTH = ".truth.json"
RESULT = Path(__file__).parent / "results" / "detector_recall.json"
MIN_IOU = 0.5
SCORES = (0.25, 0.1)
"""What counts as found by itself, and what a tracker may still use to continue a track."""
MIN_HEIGHT_PX = 60
MIN_VISIBILITY = 0.5
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """Recordings that are reported together.

    Attributes:
        videos: Each recording with its truth: (N, 6) rows of frame (from 1), x1, y1, x2, y2, and
            1 where the person counts.
        every: One frame of so many is looked at.
    """

    name: str
    videos: dict[Path, Rows]
    every: int


@dataclass(slots=True)
class Tally:
    """Counts at one lowest score."""

    n_people: int = 0
    n_found: int = 0
    n_wrong: int = 0

    def add(self, boxes: Rows, truth: Rows) -> None:
        """Count one frame: boxes (N, 4) against truth (M, 6)."""
        overlap = iou(boxes, truth[:, 1:5])
        counts = truth[:, 5] > 0
        self.n_people += int(counts.sum())
        reward = np.where(overlap >= MIN_IOU, overlap + 1.0 * counts, 0.0)
        mine, theirs = linear_sum_assignment(reward, maximize=True)
        is_hit = reward[mine, theirs] > 0
        self.n_found += int(counts[theirs[is_hit]].sum())
        self.n_wrong += len(boxes) - int(is_hit.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, required=True)
    parser.add_argument("--weights", action="append", help="name or file; may be given again")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    footage = [*mot15(given.footage), *demo()]
    detectors: dict[str, object] = {}
    for weights in given.weights or ["yolov8n", "yolov8s", "yolo11n-pose"]:
        detector = load_detector(
            DetectorConfig(weights=weights, min_score=min(SCORES), device="cpu", threads=1)
        )
        detectors[detector.model] = {each.name: measure(detector, each) for each in footage}
        print(detector.model, detectors[detector.model], flush=True)
    rules = f"IoU >= {MIN_IOU}; embedded footage: people of {MIN_HEIGHT_PX} px and visibility "
    record(given.out, {"rules": f"{rules}{MIN_VISIBILITY} at least", "detectors": detectors})


def measure(detector: Detector, footage: Footage) -> dict[str, float]:
    """Recall and precision at each of `SCORES`, and the median CPU time of a frame."""
    tallies = {score: Tally() for score in SCORES}
    cpu_s: list[float] = []
    for video, truth in footage.videos.items():
        for number, frame in enumerate(frames(video), start=1):
            if (number - 1) % footage.every:
                continue
            started_s = time.process_time()
            (found,) = detector.detect([frame])
            cpu_s.append(time.process_time() - started_s)
            for score, tally in tallies.items():
                boxes = found.above(score).boxes.astype(np.float64)
                tally.add(boxes, truth[truth[:, 0] == number])
    figures: dict[str, float] = {"n_frames": len(cpu_s), "cpu_ms": _round(1e3 * np.median(cpu_s))}
    for score, tally in tallies.items():
        figures["n_people"] = tally.n_people
        figures[f"recall@{score}"] = _round(tally.n_found / tally.n_people)
        n_boxes = tally.n_found + tally.n_wrong
        figures[f"precision@{score}"] = _round(tally.n_found / max(1, n_boxes))
    return figures


def frames(video: Path) -> Iterator[Frame]:
    """All frames of a recording."""
    camera = CameraConfig(
        name="measured",
        source=SecretStr(str(video.absolute())),
        starts_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    with open_source(camera) as source:
        yield from source.frames()


def mot15(folder: Path) -> Iterator[Footage]:
    """Two sequences of MOT15; its truth says nothing of visibility, so everybody counts."""
    for name, video, every in (
        ("PETS09-S2L1", "vtest.avi", 5),
        ("TUD-Stadtmitte", "TUD-Stadtmitte.mp4", 2),
    ):
        rows = np.loadtxt(folder / "mot15" / name / "gt" / "gt.txt", delimiter=",")
        yield Footage(
            name=name,
            videos={folder / video: to_truth(rows, rows[:, 6] > 0)},
            every=every,
        )


def demo() -> Iterator[Footage]:
    """The embedded footage, its cameras by day together and its cameras by night together."""
    videos: dict[Modality, dict[Path, Rows]] = {}
    for path in sorted(DEMO.glob(f"*{TRUTH}")):
        truth = read_truth(path)
        rows = [
            (
                frame.frame + 1,
                *person.box_px,
                person.box_px[3] - person.box_px[1] >= MIN_HEIGHT_PX
                and person.visibility >= MIN_VISIBILITY,
            )
            for frame in truth.frames
            for person in frame.people
        ]
        video = path.with_name(path.name.removesuffix(TRUTH) + ".mp4")
        videos.setdefault(truth.modality, {})[video] = np.array(rows, np.float64).reshape(-1, 6)
    for modality, of_modality in videos.items():
        yield Footage(name=f"embedded, {modality.value}", videos=of_modality, every=5)


def to_truth(rows: Rows, counts: npt.NDArray[np.bool_]) -> Rows:
    """MOTChallenge rows of frame, id, x, y, width, height, ... as rows of `Footage`."""
    corner, size = rows[:, 2:4], rows[:, 4:6]
    return np.hstack((rows[:, :1], corner, corner + size, counts[:, None].astype(np.float64)))


def iou(a: Rows, b: Rows) -> Rows:
    """Intersection over union of every box of `a` (N, 4) with every one of `b` (M, 4), xyxy."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (a, b)]
    union: Rows = areas[0][:, None] + areas[1][None] - both
    ratio: Rows = both / np.maximum(union, 1e-9)
    return ratio


def _round(value: float) -> float:
    return round(float(value), 3)


if __name__ == "__main__":
    main()
