"""Pictures in memory and as the bytes of a file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

KEPT_QUALITY = 92
"""Of pictures that stay, in [0, 100]: what the coding does to them is hardly seen."""


def to_jpeg(pixels: npt.NDArray[np.uint8], *, quality: int = KEPT_QUALITY) -> bytes:
    """(H, W, 3) uint8 RGB as a JPEG; the same pixels give the same bytes."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def write_picture(
    path: Path, pixels: npt.NDArray[np.uint8], *, quality: int = KEPT_QUALITY
) -> None:
    """Write (H, W, 3) uint8 RGB as PNG or JPEG, by the file's ending.

    Args:
        quality: Of a JPEG.

    Raises:
        OSError: It cannot be written.
    """
    is_png = path.suffix == ".png"
    how = [cv2.IMWRITE_PNG_COMPRESSION, 9] if is_png else [cv2.IMWRITE_JPEG_QUALITY, quality]
    if not cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), how):
        raise OSError(f"{path}: could not be written")


def from_file(data: bytes) -> npt.NDArray[np.uint8] | None:
    """(H, W, 3) uint8 RGB of a picture file's bytes, grey ones too; None if they are none.

    >>> from_file(to_jpeg(np.zeros((2, 3, 3), np.uint8))).shape
    (2, 3, 3)
    >>> from_file(b"") is None, from_file(b"no picture") is None
    (True, True)
    """
    if not data:
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return None if pixels is None else np.asarray(pixels, np.uint8)
