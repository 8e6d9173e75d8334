"""Nouns of thinking: one person in one camera, in one unbroken view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

import numpy as np
import numpy.typing as npt

from models.types import Crop
from streams.types import CameraId, Modality

TrackKey = NewType("TrackKey", str)
"""Names one unbroken view, the same whenever the same footage is watched again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracklet:
    """One person, one camera, one unbroken view, or one part of a long one.

    Attributes:
        part: 0, 1, ... within the track: long views are handed on part by part.
        times_us: (N,) int64, microseconds UTC, ascending, N >= 1.
        boxes: (N, 4) float32, xyxy in pixels, one per time.
        scores: (N,) float32, detector confidence.
        modality: Of most of its frames.
        crops: Best by quality, best first, of every modality seen; may be empty.
        is_last: The view has ended; otherwise another part will come.
    """

    camera: CameraId
    track: TrackKey
    part: int
    times_us: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    modality: Modality
    crops: tuple[Crop, ...]
    is_last: bool = True

    @property
    def first_seen_us(self) -> int:
        return int(self.times_us[0])

    @property
    def last_seen_us(self) -> int:
        return int(self.times_us[-1])
