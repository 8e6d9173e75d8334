"""Labelled pictures as the arrays that protocols see, and as vectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from models.datasets.types import LabelledImage, read_pixels
from models.evaluation.rules import Labels
from models.reid.embedder import Embedder
from models.reid.pictures import picture_crop
from streams.types import Modality

AT_ONCE = 64
_NUMBER = re.compile(r"\d+")


def in_order(images: Iterable[LabelledImage]) -> list[LabelledImage]:
    """By person, camera and file name, each once: the order in which galleries are drawn."""
    unique = {image.path: image for image in images}.values()
    return sorted(unique, key=lambda each: (each.person, each.camera, str(each.path)))


def labels_of(images: Sequence[LabelledImage]) -> Labels:
    """People and cameras as numbers: those in their names where each name holds its own one number.

    "cam3" is camera 3 and "0006" person 6, which the rules of SYSU-MM01 need; other names are
    numbered in their order. Within one light one number is one camera.
    """
    return Labels(
        person=_numbers([image.person for image in images]),
        camera=_numbers([image.camera for image in images]),
        infrared=np.array([image.modality is Modality.INFRARED for image in images], np.bool_),
    )


def embed_images(
    images: Sequence[LabelledImage],
    embedder: Embedder,
    *,
    on_done: Callable[[int], None] = lambda _n: None,
) -> npt.NDArray[np.float32]:
    """(N, D) float32 unit rows in the order of the pictures, each embedded in the light it names.

    Args:
        on_done: Told how many more are done, for a progress bar.

    Raises:
        SourceUnreadable: A picture is missing or none.
    """
    parts = []
    for start in range(0, len(images), AT_ONCE):
        part = images[start : start + AT_ONCE]
        crops = [picture_crop(read_pixels(each.path), each.modality.value) for each in part]
        parts.append(embedder.embed(crops).vectors)
        on_done(len(part))
    return np.concatenate(parts) if parts else np.empty((0, embedder.dimension), np.float32)


def _numbers(names: Sequence[str]) -> npt.NDArray[np.int64]:
    different = sorted(set(names))
    found = {name: _NUMBER.findall(name) for name in different}
    if all(len(numbers) == 1 for numbers in found.values()):
        number = {name: int(numbers[0]) for name, numbers in found.items()}
        if len(set(number.values())) == len(different):
            return np.array([number[name] for name in names], np.int64)
    place = {name: at for at, name in enumerate(different)}
    return np.array([place[name] for name in names], np.int64)
