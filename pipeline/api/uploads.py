"""Pictures that somebody sends: small enough, whole, and of kinds that we know."""

from __future__ import annotations

import io
import warnings

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.api.errors import PictureRefused

KINDS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 40_000_000
LEAST_SIDE = 8
ENOUGH_PX = 2048
Fractions = tuple[float, float, float, float]


def read_picture(content: bytes) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, upright as its EXIF says.

    Its size is read before it is decoded: a small file may unpack to gigabytes.

    Raises:
        PictureRefused: It is no picture of `KINDS`, or too large, too small or torn.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=KINDS) as picture:
                width, height = picture.size
                _refuse_size(width, height)
                upright = ImageOps.exif_transpose(picture)
                return np.ascontiguousarray(upright.convert("RGB"), dtype=np.uint8)
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError):
        raise PictureRefused(
            "this is no picture that can be read; expected a whole JPEG, PNG or WebP file"
        ) from None


def cut_out(pixels: npt.NDArray[np.uint8], box: Fractions) -> npt.NDArray[np.uint8]:
    """The part of a picture within `box`, x0, y0, x1, y1 as fractions of its sides.

    Raises:
        PictureRefused: Nothing to speak of is in it.
    """
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    left, right = int(x0 * width), round(x1 * width)
    top, bottom = int(y0 * height), round(y1 * height)
    part = pixels[top:bottom, left:right]
    if min(part.shape[:2]) < LEAST_SIDE:
        raise PictureRefused(
            f"the box is smaller than {LEAST_SIDE} pixels; draw it round the whole person"
        )
    return np.ascontiguousarray(part)


def smaller(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture, its longer side at most `ENOUGH_PX`: networks see less, and it may wait long."""
    height, width = pixels.shape[:2]
    share = ENOUGH_PX / max(height, width)
    if share >= 1:
        return pixels
    size = max(LEAST_SIDE, round(width * share)), max(LEAST_SIDE, round(height * share))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _refuse_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _too_large()
    if min(width, height) < LEAST_SIDE:
        raise PictureRefused(
            f"the picture has {width} by {height} pixels; expected {LEAST_SIDE} at least each way"
        )


def _too_large() -> PictureRefused:
    return PictureRefused(
        f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels; send a smaller one"
    )
