"""From a picture in memory to a `Frame`: cut, its light told, its colours settled."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from streams.config import CameraConfig
from streams.modality import ModalitySwitch
from streams.types import CameraId, Frame, Modality

Region = tuple[float, float, float, float]


class Imager:
    """Makes the frames of one camera; remembers the light it last saw."""

    def __init__(self, camera: CameraConfig) -> None:
        self._camera = CameraId(camera.name)
        self._region = camera.region
        self._switch = ModalitySwitch(camera.modality)

    def frame(
        self, pixels: npt.NDArray[np.uint8], *, captured_at_us: int, run: int, sequence: int
    ) -> Frame:
        """The frame of a whole (H, W, 3) RGB picture; pictures come in order of time."""
        if self._region is not None:
            pixels = cut(pixels, self._region)
        modality = self._switch.modality(pixels, captured_at_us)
        if modality is Modality.INFRARED:
            grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            pixels = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
        return Frame(
            camera=self._camera,
            modality=modality,
            captured_at_us=captured_at_us,
            run=run,
            sequence=sequence,
            pixels=pixels,
        )


def cut(pixels: npt.NDArray[np.uint8], region: Region) -> npt.NDArray[np.uint8]:
    """The part of a picture in `region` (fractions x0, y0, x1, y1), at least one pixel.

    Regions that share an edge share no pixel and leave none out.

    >>> cut(np.zeros((4, 10, 3), np.uint8), (0.5, 0.0, 1.0, 1.0)).shape
    (4, 5, 3)
    >>> cut(np.zeros((1, 1, 3), np.uint8), (0.0, 0.0, 0.5, 0.5)).shape
    (1, 1, 3)
    """
    height, width = pixels.shape[:2]
    x0, y0 = (min(round(at * n), n - 1) for at, n in zip(region[:2], (width, height), strict=True))
    x1, y1 = (math.floor(at * n + 0.5) for at, n in zip(region[2:], (width, height), strict=True))
    part = pixels[y0 : max(y0 + 1, y1), x0 : max(x0 + 1, x1)]
    return np.ascontiguousarray(part)
