"""Miniature data of labelled people for tests of training and of datasets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from streams.types import Modality


def write_picture(path: Path, seed: int = 0) -> Path:
    """A small noisy picture; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)
    return path


def write_people(
    folder: Path, n: int, *, modalities: Sequence[Modality] = tuple(Modality), first: int = 0
) -> Path:
    """`n` people, each with two pictures by each of two cameras in each light."""
    for person in range(first, first + n):
        for modality, camera, shot in itertools.product(modalities, (1, 2), range(2)):
            view = folder / f"{person:04d}" / f"{modality}_c{camera}"
            write_picture(view / f"{shot}.jpg", seed=1000 * person + 10 * camera + shot)
    return folder
