"""A visible recording as a camera with an infrared illuminator might see it. Made up, not measured.

Four steps, each a textbook approximation, none of them the mixture that the embedder was trained
with (`models.training.augment.pseudo_infrared`) nor the simulator's optics:

1. One channel: 0.7 red + 0.3 green. Of the visible channels, red lies next to near infrared.
2. The illuminator beside the lens: cos^4 of the angle off its axis (the law of a flat radiator and
   of the lens together), half its width at 35 degrees, and nearer ground (lower in the picture)
   brighter, from 0.55 at the top to 1 at the bottom.
3. Contrast of a small sensor: values to the power 0.8.
4. Noise: shot noise of 900 electrons at full scale, and 2 grey levels of reading.

Real near infrared also changes the order of brightness of cloth; this does not. Figures over it say
how linking fares without colour and in noise, no more.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

_RED, _GREEN = 0.7, 0.3
_HALF_FIELD_RAD = np.radians(35.0)
_TOP = 0.55
_POWER = 0.8
_ELECTRONS, _READING = 900.0, 2.0


def convert(video: Path, night: Path, *, fps: float, seed: int) -> None:
    """Write `video` as seen by night to `night` (.avi, Motion JPEG).

    Raises:
        ValueError: The video cannot be read.
    """
    source = cv2.VideoCapture(str(video))
    target: cv2.VideoWriter | None = None
    rng = np.random.default_rng(seed)
    while True:
        is_there, bgr = source.read()
        if not is_there:
            break
        seen = by_night(bgr[:, :, ::-1], rng)
        if target is None:
            size = (bgr.shape[1], bgr.shape[0])
            target = cv2.VideoWriter(str(night), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
        target.write(seen)
    source.release()
    if target is None:
        raise ValueError(f"{video}: expected a video, no picture could be read")
    target.release()


def by_night(rgb: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 of one repeated channel."""
    height, width = rgb.shape[:2]
    grey = (_RED * rgb[..., 0] + _GREEN * rgb[..., 1]) / 255
    x = np.linspace(-1, 1, width)[None] * np.tan(_HALF_FIELD_RAD)
    y = np.linspace(-1, 1, height)[:, None] * np.tan(_HALF_FIELD_RAD) * height / width
    fall_off = np.cos(np.arctan(np.hypot(x, y))) ** 4
    near = np.linspace(_TOP, 1, height)[:, None]
    light = (grey * fall_off * near) ** _POWER
    electrons = rng.normal(light * _ELECTRONS, np.sqrt(np.maximum(light, 0) * _ELECTRONS))
    noisy = electrons / _ELECTRONS * 255 + rng.normal(0, _READING, light.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
