"""The picture that a recording shows at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt

from streams.config import CameraConfig
from streams.errors import SourceUnreadable
from streams.files import open_video, to_rgb
from streams.images import ImageFolder, read_image
from streams.recording.clip import Piece
from streams.timeline import US

_MOST_DECODED = 3000
"""From a key picture on; one every 300 pictures is rare already."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Still:
    """One picture of a recording.

    Attributes:
        pixels: (H, W, 3) uint8, RGB.
        captured_at_us: When it was taken, microseconds UTC.
    """

    pixels: npt.NDArray[np.uint8]
    captured_at_us: int


def still_at(piece: Piece, at_us: int) -> Still:
    """The newest picture of a video file at a moment, or its first.

    Raises:
        SourceUnreadable: None can be decoded there.
    """
    with open_video(piece.path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        base = stream.time_base or Fraction(1, US)
        start = stream.start_time or 0
        wanted = start + int((at_us - piece.from_us) / (base * US))
        found: av.VideoFrame | None = None
        try:
            if wanted > start:
                container.seek(wanted, stream=stream, backward=True)
            for n, picture in enumerate(container.decode(stream)):
                is_later = picture.pts is not None and picture.pts > wanted
                if found is None or not is_later:
                    found = picture
                if is_later or n > _MOST_DECODED:
                    break
        except av.error.FFmpegError as error:
            if found is None:
                raise SourceUnreadable(f"{piece.path}: no picture can be decoded there") from error
        if found is None:
            raise SourceUnreadable(f"{piece.path}: no picture can be decoded there")
        shown = start if found.pts is None else found.pts
        return Still(
            pixels=to_rgb(found),
            captured_at_us=piece.from_us + round((shown - start) * base * US),
        )


def image_at(camera: CameraConfig, folder: Path, at_us: int) -> Still:
    """The image of a folder of images that was newest at a moment.

    Raises:
        SourceUnreadable: It cannot be decoded.
    """
    with ImageFolder(camera, folder) as images:
        path, captured_at_us = images.image_at(at_us)
    pixels = read_image(path)
    if pixels is None:
        raise SourceUnreadable(f"{path} cannot be decoded")
    return Still(pixels=pixels, captured_at_us=captured_at_us)
