"""Nouns of seeing: what a camera delivered, and when nobody looked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

import numpy as np
import numpy.typing as npt

CameraId = NewType("CameraId", str)


class Modality(StrEnum):
    """The light a picture was taken in."""

    VISIBLE = "visible"
    INFRARED = "infrared"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded picture and where and when it was taken.

    Attributes:
        camera: Who took it.
        modality: Light of this very frame; a camera with an IR-cut filter changes it.
        captured_at_us: Best estimate of the exposure time (microseconds UTC), not of arrival.
        run: Grows by one at every reconnect; frames of two runs are not contiguous.
        sequence: Grows by one per decoded frame of a run; holes are frames that were dropped.
        pixels: (H, W, 3) uint8, RGB, read-only. Infrared repeats one channel.
    """

    camera: CameraId
    modality: Modality
    captured_at_us: int
    run: int
    sequence: int
    pixels: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ValueError(
                f"pixels: expected (H, W, 3) uint8 with H, W >= 1, got {self.pixels.dtype} {shape}"
            )
        self.pixels.flags.writeable = False


class GapReason(StrEnum):
    """Why nobody looked."""

    CONNECT_FAILED = "connect failed"
    ACCESS_DENIED = "access denied"
    STREAM_ENDED = "stream ended"
    STALLED = "stalled"
    DECODER_DIED = "decoder died"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span without frames: tells "nobody came" from "nobody looked".

    Attributes:
        to_us: End of the gap (first frame after it), or None while it lasts.
    """

    camera: CameraId
    from_us: int
    to_us: int | None
    reason: GapReason

    def __post_init__(self) -> None:
        if self.to_us is not None and self.to_us < self.from_us:
            raise ValueError(f"gap of {self.camera}: ends {self.to_us} before {self.from_us}")
