"""Is this picture visible or infrared? Measured by colour, with hysteresis (pure)."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from streams.types import Modality

COLOURED = 1.2
"""Mean chroma above which a picture shows colours. Footage by day and by night: 1.8 and up."""

COLOURLESS = 0.7
"""Mean chroma below which a picture is infrared. Infrared behind a codec: 0 to 0.1."""

FLAT = 4.0
"""Spread of brightness (grey levels) below which a picture shows nothing: black, white, covered."""

STRONGEST = 12.0
"""Chroma counts up to here, so that a small coloured clock or logo does not colour a picture."""

SAMPLES_WH = (96, 64)

Pixels = npt.NDArray[np.uint8]


def chroma(pixels: Pixels) -> float:
    """Mean distance of a picture's hues from its own tint, in grey levels, 0 to 12.

    The tint (median hue) is taken off since infrared without white balance may be pink or green
    throughout. Averaging neighbours before looking takes the noise of sensor and codec away.

    Args:
        pixels: (H, W, 3) uint8 RGB, H and W at least 1.

    >>> grey = np.full((40, 60, 3), (90, 70, 110), np.uint8)
    >>> chroma(grey)
    0.0
    """
    small = np.asarray(cv2.blur(_patches(pixels), (3, 3)), np.float32)
    luma = small @ np.array((0.299, 0.587, 0.114), np.float32)  # (h, w)
    red = 0.713 * (small[..., 0] - luma)
    blue = 0.564 * (small[..., 2] - luma)
    distance = np.hypot(red - np.median(red), blue - np.median(blue))
    return float(np.minimum(distance, STRONGEST).mean())


def is_flat(pixels: Pixels) -> bool:
    """Whether a picture shows nothing at all: black, white, one colour, a covered lens."""
    return float(_patches(pixels).mean(axis=2).std()) < FLAT


def _patches(pixels: Pixels) -> npt.NDArray[np.float32]:
    """(h, w, 3) float32 averages of 2 x 2 pixels, on a grid of about 96 x 64 over the picture."""
    height, width = pixels.shape[:2]
    step_x, step_y = max(1, width // SAMPLES_WH[0]), max(1, height // SAMPLES_WH[1])
    total: npt.NDArray[np.float32] = np.zeros(pixels[::step_y, ::step_x].shape, np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            rows = np.minimum(np.arange(0, height, step_y) + dy, height - 1)
            columns = np.minimum(np.arange(0, width, step_x) + dx, width - 1)
            total += pixels[rows[:, None], columns]
    total /= 4
    return total


class ModalitySwitch:
    """The light one camera sees, followed over time.

    The first picture decides at once; later the camera has switched only when its pictures have
    said so for `settle_s`, so that a flash, a broken picture or a covered lens switches nothing.

    Args:
        fixed: "visible" or "infrared" where the operator knows; "auto" looks.
        settle_s: Seconds (of the pictures' own time) of contrary evidence before switching.
    """

    def __init__(
        self, fixed: Literal["auto", "visible", "infrared"] = "auto", *, settle_s: float = 0.5
    ) -> None:
        self._fixed = None if fixed == "auto" else Modality(fixed)
        self._settle_us = round(settle_s * 1e6)
        self._current: Modality | None = None
        self._contrary_since_us: int | None = None

    def modality(self, pixels: Pixels, at_us: int) -> Modality:
        """Light of the next picture; pictures come in order of time."""
        if self._fixed is not None:
            return self._fixed
        seen = self._seen(pixels)
        if self._current is None:
            if seen is None:
                return Modality.VISIBLE
            self._current = seen
        if seen is None or seen is self._current:
            self._contrary_since_us = None
        elif self._contrary_since_us is None or at_us < self._contrary_since_us:
            self._contrary_since_us = at_us
        elif at_us - self._contrary_since_us >= self._settle_us:
            self._current = seen
            self._contrary_since_us = None
        return self._current

    def _seen(self, pixels: Pixels) -> Modality | None:
        """What this picture alone says; None when it cannot tell."""
        amount = chroma(pixels)
        if amount >= COLOURED:
            return Modality.VISIBLE
        if amount > COLOURLESS or is_flat(pixels):
            return None
        return Modality.INFRARED
