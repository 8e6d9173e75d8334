"""Small tracklets with pictures."""

from __future__ import annotations

import numpy as np

from models.types import Crop
from pipeline.types import TrackKey, Tracklet
from streams.types import CameraId, Modality


def tracklet(track: str, *, n_crops: int = 1, side_px: int = 8) -> Tracklet:
    rng = np.random.default_rng(7)
    crops = tuple(
        Crop(
            camera=CameraId("gate"),
            modality=Modality.INFRARED,
            captured_at_us=10**15 + i,
            box=(1.25, 2.0, 3.0, 4.5),
            pixels=rng.integers(0, 256, (side_px, side_px + 1, 3), np.uint8),
            quality=0.625,
        )
        for i in range(n_crops)
    )
    return Tracklet(
        camera=CameraId("gate"),
        track=TrackKey(track),
        part=3,
        times_us=np.array([10**15, 10**15 + 500_000], np.int64),
        boxes=np.array([[0, 1, 2, 3], [4, 5, 6, 7.5]], np.float32),
        scores=np.array([0.5, 0.9], np.float32),
        modality=Modality.VISIBLE,
        crops=crops,
        is_last=False,
    )
