"""Fits a picture of any size into the shape a network takes, and brings boxes back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

GREY = 114
"""The border that YOLO networks were trained with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """One way of scaling and bordering.

    Attributes:
        picture_wh: Size of the picture, pixels.
        scaled_wh: Size of the picture inside the input, pixels.
        left_px, top_px: Border before the picture.
        shape: (height, width) of the input, pixels.
    """

    picture_wh: tuple[int, int]
    scaled_wh: tuple[int, int]
    left_px: int
    top_px: int
    shape: tuple[int, int]

    def apply(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The picture inside the input shape: (H, W, 3) uint8 to (*shape, 3) uint8."""
        canvas = np.full((*self.shape, 3), GREY, dtype=np.uint8)
        width, height = self.scaled_wh
        inside = canvas[self.top_px : self.top_px + height, self.left_px : self.left_px + width]
        if self.scaled_wh == self.picture_wh:
            inside[:] = pixels
        else:
            inside[:] = cv2.resize(pixels, self.scaled_wh, interpolation=cv2.INTER_LINEAR)
        return canvas

    def restore(self, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Boxes (N, 4) xyxy of the input as boxes of the picture, cut at its edges."""
        offset = np.array([self.left_px, self.top_px] * 2, dtype=np.float32)
        scale = np.array(self.picture_wh, np.float32) / np.array(self.scaled_wh, np.float32)
        limit = np.array(self.picture_wh * 2, dtype=np.float32)
        restored: npt.NDArray[np.float32] = (boxes - offset) * np.tile(scale, 2)
        return np.minimum(np.maximum(restored, np.float32(0)), limit)


def fit(picture_hw: tuple[int, int], *, longer_px: int, stride_px: int) -> Letterbox:
    """Scale the longer side to `longer_px` and border both sides to a multiple of the stride.

    >>> fit((576, 768), longer_px=640, stride_px=32).shape
    (480, 640)
    >>> fit((1, 8000), longer_px=640, stride_px=32).scaled_wh
    (640, 1)
    """
    height, width = picture_hw
    scale = longer_px / max(height, width)
    scaled_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    shape = (_round_up(scaled_wh[1], stride_px), _round_up(scaled_wh[0], stride_px))
    return Letterbox(
        picture_wh=(width, height),
        scaled_wh=scaled_wh,
        left_px=(shape[1] - scaled_wh[0]) // 2,
        top_px=(shape[0] - scaled_wh[1]) // 2,
        shape=shape,
    )


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
