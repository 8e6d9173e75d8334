"""Folders of images as cameras."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from streams.config import CameraConfig
from streams.errors import SourceUnreadable
from streams.imaging import Imager
from streams.moments import to_us
from streams.pictures import from_file
from streams.source import SourceInfo
from streams.timeline import US
from streams.types import Frame

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

Pixels = npt.NDArray[np.uint8]


class ImageFolder:
    """A folder of images, in natural order of their names (2 before 10), `fps` of them a second."""

    def __init__(self, camera: CameraConfig, path: Path) -> None:
        self._camera = camera
        self._path = path
        self._images: list[Path] = []

    def __enter__(self) -> Self:
        self._images = sorted(
            (
                each
                for each in self._path.iterdir()
                if each.suffix.lower() in IMAGE_SUFFIXES and each.is_file()
            ),
            key=lambda image: natural_order(image.name),
        )
        if not self._images:
            raise SourceUnreadable(
                f"folder {self._path} holds no images; expected "
                + ", ".join(sorted(IMAGE_SUFFIXES))
                + " (a video is named by its file, not by its folder)"
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._images = []

    @property
    def info(self) -> SourceInfo:
        first = next((p for p in map(read_image, self._images) if p is not None), None)
        height, width = (0, 0) if first is None else first.shape[:2]
        return SourceInfo(width_px=width, height_px=height, fps=self._camera.fps, codec="images")

    @property
    def n_frames(self) -> int | None:
        return len(self._images)

    @property
    def span_us(self) -> tuple[int, int]:
        """When its first picture was taken and when its last one ends, microseconds UTC."""
        starts_at_us = self._starts_at_us()
        return starts_at_us, starts_at_us + round(len(self._images) * US / self._camera.fps)

    def image_at(self, at_us: int) -> tuple[Path, int]:
        """The image that was newest at a moment of the span, and when it was taken."""
        starts_at_us = self._starts_at_us()
        index = int((at_us - starts_at_us) * self._camera.fps // US)
        index = max(0, min(index, len(self._images) - 1))
        return self._images[index], starts_at_us + round(index * US / self._camera.fps)

    def _starts_at_us(self) -> int:
        if self._camera.starts_at is not None:
            return to_us(self._camera.starts_at)
        return self._images[0].stat().st_mtime_ns // 1000

    def frames(self) -> Iterator[Frame]:
        starts_at_us = self._starts_at_us()
        imager = Imager(self._camera)
        sequence = 0
        for index, image in enumerate(self._images):
            pixels = read_image(image)
            if pixels is None:
                logger.warning("camera %s: %s is not an image; left out", self._camera.name, image)
                continue
            captured_at_us = starts_at_us + round(index * US / self._camera.fps)
            yield imager.frame(pixels, captured_at_us=captured_at_us, run=0, sequence=sequence)
            sequence += 1
        if sequence == 0:
            raise SourceUnreadable(f"folder {self._path}: none of its images can be decoded")


def read_image(path: Path) -> Pixels | None:
    """(H, W, 3) uint8 RGB of an image file, or None if it is none."""
    try:
        return from_file(path.read_bytes())
    except (OSError, cv2.error):
        return None


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sorts names as people count.

    >>> sorted(["img10.png", "img2.png"], key=natural_order)
    ['img2.png', 'img10.png']
    """
    parts = re.findall(r"\d+|\D+", name)
    return [(int(p), "") if p.isdecimal() else (-1, p.lower()) for p in parts] + [(-2, name)]
