"""Vectors of pictures on disk, each the crop of one person: what `noctule embed` does."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.errors import PictureInvalid
from models.reid.embedder import Embedder
from models.types import Crop, Embeddings
from streams.images import IMAGE_SUFFIXES, natural_order, read_image
from streams.modality import ModalitySwitch
from streams.types import CameraId

logger = logging.getLogger(__name__)

AT_ONCE = 64
"""Pictures held in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureFeatures:
    """Vectors of pictures and the files they came from, in the same order."""

    files: tuple[Path, ...]
    embeddings: Embeddings


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """The files that are named, and all pictures below the folders that are named, in order.

    Raises:
        PictureInvalid: A path does not exist, or no picture is found.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
            found += sorted(inside, key=lambda p: natural_order(str(p)))
        elif path.is_file():
            found.append(path)
        else:
            raise PictureInvalid(f"{path}: no such file or folder")
    if not found:
        raise PictureInvalid(
            f"{', '.join(map(str, paths))}: no pictures there; expected files that end in "
            f"{', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return found


def embed_pictures(
    files: Sequence[Path],
    embedder: Embedder,
    *,
    modality: Literal["auto", "visible", "infrared"],
    on_done: Callable[[int], None] | None = None,
) -> PictureFeatures:
    """Vectors of pictures of one person each; a picture that cannot be read is left out and logged.

    Args:
        modality: Light of all pictures; "auto" looks at the colour of each, and takes a person in
            grey on grey ground for infrared: say it where you know it.
        on_done: Told how many more files are done, for a progress bar.

    Raises:
        PictureInvalid: Not one of the files is a picture.
    """
    kept: list[Path] = []
    parts: list[Embeddings] = []
    for start in range(0, len(files), AT_ONCE):
        part = files[start : start + AT_ONCE]
        crops = list(_crops(part, modality))
        kept += [path for path, _ in crops]
        parts.append(embedder.embed([crop for _, crop in crops]))
        if on_done is not None:
            on_done(len(part))
    if not kept:
        raise PictureInvalid(f"none of {len(files)} files could be read as a picture")
    return PictureFeatures(
        files=tuple(kept),
        embeddings=Embeddings(
            vectors=np.concatenate([part.vectors for part in parts]),
            modality=tuple(light for part in parts for light in part.modality),
            model=embedder.model,
        ),
    )


def picture_crop(
    pixels: npt.NDArray[np.uint8], modality: Literal["auto", "visible", "infrared"]
) -> Crop:
    """A picture that is the crop of one person already, with nothing known of where and when."""
    height, width = pixels.shape[:2]
    return Crop(
        camera=CameraId("picture"),
        modality=ModalitySwitch(modality).modality(pixels, 0),
        captured_at_us=0,
        box=(0.0, 0.0, float(width), float(height)),
        pixels=pixels,
        quality=1.0,
    )


def write_features(path: Path, features: PictureFeatures) -> None:
    """An .npz with arrays `file` (N,) str, `vec` (N, D) float32, `modality` (N,), `model` ().

    It loads with `numpy.load(path)`: nothing in it is pickled.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "file": np.array([str(file) for file in features.files]),
        "vec": features.embeddings.vectors,
        "modality": np.array([str(light) for light in features.embeddings.modality]),
        "model": np.array(str(features.embeddings.model)),
    }
    partial = path.with_name(path.name + ".part")
    with zipfile.ZipFile(partial, "w") as archive:  # numpy.savez cannot name an array "file"
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    partial.replace(path)


def _crops(
    files: Sequence[Path], modality: Literal["auto", "visible", "infrared"]
) -> Iterator[tuple[Path, Crop]]:
    for file in files:
        pixels = read_image(file)
        if pixels is None:
            logger.warning("%s is not a picture that can be read, left out", file)
        else:
            yield file, picture_crop(pixels, modality)
