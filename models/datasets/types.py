"""Nouns of labelled pictures."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streams.errors import SourceUnreadable
from streams.pictures import from_file
from streams.types import Modality

logger = logging.getLogger(__name__)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledImage:
    """One picture of one known person.

    Attributes:
        person: Name of the person; people of two datasets never share one.
        camera: Name of the camera within the dataset.
    """

    path: Path
    person: str
    camera: str
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Pictures by what they are for; nobody in `train` is in `query` or `gallery`.

    Attributes:
        train: Pictures to learn from.
        query: All pictures that the dataset's protocol may ask with; may be empty.
        gallery: All pictures it may search in; a protocol of several trials draws from them.
        terms: What weights learned from it may be used for, a sentence; empty: nothing to add.
    """

    name: str
    train: tuple[LabelledImage, ...]
    query: tuple[LabelledImage, ...] = ()
    gallery: tuple[LabelledImage, ...] = ()
    terms: str = ""


def join(datasets: Sequence[Dataset]) -> Dataset:
    """The training pictures of several datasets as one; people and cameras get its number in front.

    One dataset stays as it is.
    """
    if len(datasets) == 1:
        return datasets[0]
    return Dataset(
        name=" + ".join(dataset.name for dataset in datasets),
        train=tuple(
            replace(image, person=f"{n}-{image.person}", camera=f"{n}-{image.camera}")
            for n, dataset in enumerate(datasets)
            for image in dataset.train
        ),
        terms=" ".join(filter(None, (dataset.terms for dataset in datasets))),
    )


def read_pixels(path: Path) -> npt.NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8 RGB; grey ones repeat their channel.

    Raises:
        SourceUnreadable: It is missing or not a picture.
    """
    try:
        pixels = from_file(path.read_bytes())
    except OSError as error:
        raise SourceUnreadable(
            f"{path}: expected a picture, could not read it ({error})"
        ) from error
    if pixels is None:
        raise SourceUnreadable(
            f"{path}: expected a picture, could not decode it; remove it or fetch it again"
        )
    return pixels


def readable(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Those that can be decoded; the others are logged. Not for official protocols: they want all.

    Some thousand pictures a second.
    """
    kept = []
    for image in images:
        try:
            read_pixels(image.path)
        except SourceUnreadable as error:
            logger.warning("left out: %s", error)
        else:
            kept.append(image)
    return kept


def fingerprint(images: Sequence[LabelledImage]) -> str:
    """First 12 hex digits of a sha256 over names and sizes: which data a run has seen."""
    digest = hashlib.sha256()
    for image in images:
        name = f"{image.person}/{image.modality}_{image.camera}/{image.path.name}"
        digest.update(f"{name} {image.path.stat().st_size}\n".encode())
    return digest.hexdigest()[:12]
