"""Crops of known people on disk, and batches that hold each person in both lights.

The layout is `PERSON/MODALITY_CAMERA/*.jpg`, for instance `0001/infrared_c2/00.jpg`: what the
simulator writes, and what any labelled footage can be sorted into.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from streams.errors import SourceUnreadable
from streams.types import Modality

_PICTURES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCrop:
    """One picture of one known person.

    Attributes:
        person: Name of the person's folder.
        camera: What follows the modality in the name of the camera's folder.
    """

    person: str
    modality: Modality
    camera: str
    path: Path


def find_crops(folder: Path) -> list[LabelledCrop]:
    """All crops below a folder, in order of path.

    Raises:
        SourceUnreadable: There are none, or a folder is not named MODALITY_CAMERA.
    """
    crops = []
    for path in sorted(p for p in folder.glob("*/*/*") if p.suffix.lower() in _PICTURES):
        modality, _, camera = path.parent.name.partition("_")
        if modality not in set(Modality):
            raise SourceUnreadable(
                f"{path.parent}: expected a folder named visible_CAMERA or infrared_CAMERA"
            )
        person = path.parent.parent.name
        crops.append(
            LabelledCrop(person=person, modality=Modality(modality), camera=camera, path=path)
        )
    if not crops:
        raise SourceUnreadable(f"{folder}: expected PERSON/MODALITY_CAMERA/*.jpg, found no picture")
    return crops


def read_pixels(path: Path) -> npt.NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8 RGB.

    Raises:
        SourceUnreadable: It is not a picture.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
    if pixels is None:
        raise SourceUnreadable(f"{path}: expected a picture, could not decode it")
    return np.asarray(pixels, np.uint8)


def fingerprint(crops: Sequence[LabelledCrop]) -> str:
    """First 12 hex digits of a sha256 over names and sizes: which data a run has seen."""
    digest = hashlib.sha256()
    for crop in crops:
        name = f"{crop.person}/{crop.modality}_{crop.camera}/{crop.path.name}"
        digest.update(f"{name} {crop.path.stat().st_size}\n".encode())
    return digest.hexdigest()[:12]


def batches(
    crops: Sequence[LabelledCrop], *, people: int, per_modality: int, rng: np.random.Generator
) -> Iterator[list[LabelledCrop]]:
    """Endless batches of `people` persons with `per_modality` crops in each light.

    Crops of one person and light come from different cameras as far as there are enough, for two
    crops of one camera share background and pose. People who were seen in one light only are left
    out.

    Raises:
        SourceUnreadable: Fewer than `people` persons were seen in both lights.
    """
    of: dict[str, dict[Modality, list[LabelledCrop]]] = {}
    for crop in crops:
        of.setdefault(crop.person, {}).setdefault(crop.modality, []).append(crop)
    both = sorted(person for person, seen in of.items() if len(seen) == len(Modality))
    if len(both) < people:
        raise SourceUnreadable(
            f"training data: expected at least {people} people seen in both lights, "
            f"found {len(both)}; render more or lower people_per_batch"
        )
    while True:
        yield [
            crop
            for person in rng.choice(both, people, replace=False)
            for modality in Modality
            for crop in _of_different_cameras(of[str(person)][modality], per_modality, rng)
        ]


def _of_different_cameras(
    crops: Sequence[LabelledCrop], n: int, rng: np.random.Generator
) -> list[LabelledCrop]:
    """`n` crops in random order, new cameras first; repeats when there are fewer than `n`."""
    shuffled = [crops[i] for i in rng.permutation(len(crops))]
    seen: dict[str, int] = {}
    ranks = []
    for crop in shuffled:
        ranks.append(seen.get(crop.camera, 0))
        seen[crop.camera] = ranks[-1] + 1
    ordered = [shuffled[i] for i in np.argsort(ranks, kind="stable")]
    return [ordered[i % len(ordered)] for i in range(n)]
