"""Trackers of other libraries behind one call, for the comparison in benchmarks.tracking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import supervision as sv
import trackers
from ultralytics.engine.results import Boxes
from ultralytics.trackers.track import TRACKER_MAP
from ultralytics.utils import YAML, IterableSimpleNamespace
from ultralytics.utils.checks import check_yaml

from models.types import Detections

Rows = npt.NDArray[np.float64]
Contestant = Callable[[Sequence[Detections], float], Rows]
"""Detections of every frame and the frames per second become (N, 7) rows
`frame, id, x, y, w, h, score`, frames and ids from 1."""

ROBOFLOW: dict[str, Callable[[float], Any]] = {
    "SORT": lambda fps: trackers.SORTTracker(frame_rate=fps),
    "ByteTrack": lambda fps: trackers.ByteTrackTracker(frame_rate=fps),
    "OC-SORT": lambda fps: trackers.OCSORTTracker(frame_rate=fps),
    "BoT-SORT": lambda fps: trackers.BoTSORTTracker(frame_rate=fps, enable_cmc=False),
    "C-BIoU": lambda fps: trackers.CBIoUTracker(frame_rate=fps),
}
ULTRALYTICS = {
    "ByteTrack": "bytetrack",
    "BoT-SORT": "botsort",
    "OC-SORT": "ocsort",
    "FastTracker": "fasttrack",
    "TrackTrack": "tracktrack",
}


def contestants() -> dict[str, Contestant]:
    """All trackers at their libraries' defaults, camera-motion compensation off."""
    found = {f"trackers {name}": _roboflow(make) for name, make in ROBOFLOW.items()}
    found |= {f"ultralytics {name}": _ultralytics(kind) for name, kind in ULTRALYTICS.items()}
    return found


def _roboflow(make: Callable[[float], Any]) -> Contestant:
    def run(detections: Sequence[Detections], fps: float) -> Rows:
        tracker = make(fps)
        rows = []
        for frame, found in enumerate(detections, start=1):
            answer = tracker.update(sv.Detections(xyxy=found.boxes, confidence=found.scores))
            if not len(answer):
                continue
            for box, number, score in zip(
                answer.xyxy, answer.tracker_id, answer.confidence, strict=True
            ):
                if number >= 0:
                    rows.append(_row(frame, number + 1, box, score))
        return np.asarray(rows, dtype=np.float64).reshape(-1, 7)

    return run


def _ultralytics(kind: str) -> Contestant:
    def run(detections: Sequence[Detections], _fps: float) -> Rows:
        settings = YAML.load(check_yaml(f"{kind}.yaml")) | {"gmc_method": "none", "device": "cpu"}
        tracker = TRACKER_MAP[kind](IterableSimpleNamespace(**settings))
        rows = []
        for frame, found in enumerate(detections, start=1):
            person = np.zeros((len(found), 1), dtype=np.float32)
            boxes = np.concatenate([found.boxes, found.scores[:, None], person], axis=1)
            answer = np.asarray(tracker.update(Boxes(boxes, (1, 1)), None)).reshape(-1, 8)
            rows += [_row(frame, one[4], one[:4], one[5]) for one in answer]
        return np.asarray(rows, dtype=np.float64).reshape(-1, 7)

    return run


def _row(frame: int, number: float, box: npt.NDArray[Any], score: float) -> tuple[float, ...]:
    x0, y0, x1, y1 = box.tolist()
    return (frame, number, x0, y0, x1 - x0, y1 - y0, score)
