"""From a picture to a crop: the box a detector draws, low resolution, blur, and codec traces."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from simulator.optics.sensors import Picture

_MOVED_SHARE = 0.3
_STREAMED_SHARE = 0.5
_LEGS_CUT_SHARE, _SIDE_CUT_SHARE, _HEAD_CUT_SHARE = 0.09, 0.07, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a crop is made.

    Attributes:
        size_hw: Of the crop, pixels.
        sharpness: Height of the body in the camera's picture, as a share of the crop's.
    """

    size_hw: tuple[int, int]
    sharpness: float


def cut(
    picture: Picture, mask: npt.NDArray[np.bool_], how: Cut, rng: np.random.Generator
) -> Picture:
    """(H, W, 3) uint8 crop of what `mask` shows."""
    crop = _boxed(picture, mask, rng)
    height, width = how.size_hw
    small_height = max(int(height * how.sharpness), 40)
    small_width = max(small_height * crop.shape[1] // max(crop.shape[0], 1), 14)
    small = cv2.resize(crop, (small_width, small_height), interpolation=cv2.INTER_AREA)
    if rng.random() < _MOVED_SHARE:
        small = _moved(small, rng)
    if how.sharpness > _SHARPENED_FROM and rng.random() < 0.3:
        soft = cv2.GaussianBlur(small, (0, 0), 1.0)
        small = cv2.addWeighted(small, 1.5, soft, -0.5, 0)
    coded = _streamed(small, rng) if rng.random() < _STREAMED_SHARE else _still(small, rng)
    resized = cv2.resize(coded, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


_SHARPENED_FROM = 0.6


def _boxed(picture: Picture, mask: npt.NDArray[np.bool_], rng: np.random.Generator) -> Picture:
    """The person's box as loose as a detector's, sometimes cut by the edge of the frame."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return picture
    x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    width, height = x1 - x0, y1 - y0
    left, right, up, down = rng.uniform(0, 0.05) + rng.normal(0, 0.035, 4)
    legs = rng.uniform(0.1, 0.45) if rng.random() < _LEGS_CUT_SHARE else 0.0
    side = rng.uniform(0.15, 0.5) if rng.random() < _SIDE_CUT_SHARE else 0.0
    head = rng.uniform(0.04, 0.12) if rng.random() < _HEAD_CUT_SHARE else 0.0
    from_left, from_right = (side, 0.0) if rng.random() < 0.5 else (0.0, side)
    top, bottom = y0 + (head - up) * height, y1 + (down - legs) * height
    begin, end = x0 + (from_left - left) * width, x1 + (right - from_right) * width
    return picture[
        max(int(top), 0) : max(int(bottom), int(top) + 8),
        max(int(begin), 0) : max(int(end), int(begin) + 4),
    ]


def _moved(picture: Picture, rng: np.random.Generator) -> Picture:
    """Motion blur along a nearly level line, a few hundredths of the body's height long."""
    length = max(int(picture.shape[0] * rng.uniform(0.012, 0.05)), 2)
    slope = np.tan(rng.normal(0, 0.25))
    size = length | 1
    kernel = np.zeros((size, size), np.float32)
    across = np.arange(size)
    down = np.clip(np.round(size // 2 + slope * (across - size // 2)), 0, size - 1).astype(int)
    kernel[down, across] = 1 / size
    return np.asarray(cv2.filter2D(picture, -1, kernel))


def _still(picture: Picture, rng: np.random.Generator) -> Picture:
    """As JPEG leaves it."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 92))]
    coded = cv2.imencode(".jpg", picture, quality)[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _streamed(picture: Picture, rng: np.random.Generator) -> Picture:
    """Much as a starved H.264 stream leaves it: coarse 8x8 blocks that a filter smoothed again.

    The traces of one intra frame only; no motion is predicted.
    """
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(14, 45))]
    coded = cv2.imencode(".jpg", picture, quality)[1]
    blocky = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    smoothed = cv2.bilateralFilter(blocky, 5, float(rng.uniform(8, 24)), 1.6)
    return np.asarray(smoothed, dtype=np.uint8)
