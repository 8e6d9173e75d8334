"""Walkers for tests of tracking: people as plain rectangles that move as told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.types import Detections
from pipeline.tracking.config import TrackingConfig
from pipeline.tracking.tracklets import CameraTracker
from pipeline.types import Tracklet
from streams.types import CameraId, Frame, Modality

START_US = 1_780_000_000_000_000
WIDTH_PX, HEIGHT_PX = 640, 360
CONFIG = TrackingConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """A person 40 px wide and 100 px high who walks at constant speed.

    Attributes:
        x_px: Left edge at second 0.
        grey: Of its pixels; tells two people apart in crops.
    """

    x_px: float
    speed_px_s: float = 0.0
    y_px: float = 100.0
    from_s: float = 0.0
    to_s: float = 1e9
    score: float = 0.9
    grey: int = 200

    def box_at(self, second: float) -> tuple[float, float, float, float]:
        x = self.x_px + self.speed_px_s * second
        return x, self.y_px, x + 40.0, self.y_px + 100.0


def footage(
    walkers: Sequence[Walker],
    *,
    seconds: float,
    fps: float = 10.0,
    camera: str = "gate",
    run: int = 0,
    start_us: int = START_US,
    infrared_from_s: float = 1e9,
    is_missed: Callable[[Walker, float], bool] = lambda _walker, _second: False,
) -> Iterator[tuple[Frame, Detections]]:
    """Frames and what a detector finds in them: every walker that is there and not missed.

    Args:
        is_missed: Whether the detector overlooks a walker at a second.
    """
    for number in range(round(seconds * fps)):
        second = number / fps
        there = [w for w in walkers if w.from_s <= second < w.to_s and not is_missed(w, second)]
        pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), 40, dtype=np.uint8)
        for walker in there:
            x0, y0, x1, y1 = (max(0, round(v)) for v in walker.box_at(second))
            pixels[y0:y1, x0:x1] = walker.grey
            pixels[y0:y1:4, x0:x1] = 255 - walker.grey  # stripes: something to be sharp
        at_us = start_us + round(second * 1e6)
        infrared = second >= infrared_from_s
        frame = Frame(
            camera=CameraId(camera),
            modality=Modality.INFRARED if infrared else Modality.VISIBLE,
            captured_at_us=at_us,
            run=run,
            sequence=number,
            pixels=pixels,
        )
        yield frame, found(at_us, [w.box_at(second) for w in there], camera=camera, walkers=there)


def found(
    at_us: int,
    boxes: Sequence[tuple[float, float, float, float]],
    *,
    walkers: Sequence[Walker] = (),
    camera: str = "gate",
) -> Detections:
    """Detections at a time; scores are the walkers', else 0.9."""
    scores = [walker.score for walker in walkers] or [0.9] * len(boxes)
    return Detections(
        camera=CameraId(camera),
        captured_at_us=at_us,
        boxes=np.asarray(boxes, dtype=np.float32).reshape(-1, 4),
        scores=np.asarray(scores, dtype=np.float32)[: len(boxes)],
    )


def follow(
    frames: Iterable[tuple[Frame, Detections]],
    *,
    config: TrackingConfig = CONFIG,
    camera: str = "gate",
) -> list[Tracklet]:
    """All tracklets of a camera's footage, watched to its end."""
    tracker = CameraTracker(CameraId(camera), config)
    tracklets = [t for frame, detections in frames for t in tracker.update(frame, detections)]
    return tracklets + tracker.cut()
