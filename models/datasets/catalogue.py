"""Datasets by name, which one lies in a folder, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.datasets import folder as own
from models.datasets import llcm, market1501, regdb, sysu
from models.datasets.layout import Layout
from models.datasets.types import Dataset, readable
from streams.errors import SourceUnreadable
from streams.types import Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A dataset that can be read from its folder; the number is the split, where it has several."""

    layout: Layout
    read: Callable[[Path, int], Dataset]


KNOWN: Mapping[str, Known] = {
    "sysu": Known(layout=sysu.LAYOUT, read=lambda folder, _: sysu.read_sysu(folder)),
    "regdb": Known(layout=regdb.LAYOUT, read=regdb.read_regdb),
    "llcm": Known(layout=llcm.LAYOUT, read=lambda folder, _: llcm.read_llcm(folder)),
    "market1501": Known(
        layout=market1501.LAYOUT, read=lambda folder, _: market1501.read_market1501(folder)
    ),
    "folder": Known(layout=own.LAYOUT, read=lambda folder, _: own.read_folder(folder)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look at a dataset found.

    Attributes:
        name: Of the dataset.
        n_people: Who can be learned from, per kind: in both lights, one light only.
        unreadable: Pictures that cannot be decoded.
        single: People with one picture only in some light.
        leaked: People who are both in training and in test.
    """

    name: str
    n_pictures: Mapping[str, int]
    n_people: Mapping[str, int]
    unreadable: tuple[Path, ...]
    single: tuple[str, ...]
    leaked: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether training and evaluation can use it as it is."""
        return not self.unreadable and not self.leaked


def recognise(folder: Path) -> str:
    """Name in `KNOWN` of the dataset in a folder; "folder" when it is none of the official ones.

    Raises:
        SourceUnreadable: There is no such folder.
    """
    if not folder.is_dir():
        raise SourceUnreadable(f"{folder}: expected the folder of a dataset, found none")
    for name, known in KNOWN.items():
        if known.layout.wanted and not known.layout.missing(folder):
            return name
    return "folder"


def read_dataset(folder: Path, name: str | None = None, *, split: int = 1) -> Dataset:
    """The dataset in a folder.

    Args:
        name: Its name in `KNOWN`; None looks what it is.
        split: Of RegDB, 1 to 10; others have one.

    Raises:
        SourceUnreadable: Incomplete, or none that is known; the message says how to get it.
    """
    return KNOWN[name or recognise(folder)].read(folder, split)


def check(dataset: Dataset) -> Finding:
    """Looks at every picture of a dataset; decodes them all, some thousand a second."""
    seen: dict[str, dict[Modality, int]] = {}
    for image in dataset.train:
        lights = seen.setdefault(image.person, {})
        lights[image.modality] = lights.get(image.modality, 0) + 1
    tested = {image.person for image in (*dataset.query, *dataset.gallery)}
    everything = (*dataset.train, *dataset.query, *dataset.gallery)
    can_be_read = set(readable(everything))
    return Finding(
        name=dataset.name,
        n_pictures={
            "train": len(dataset.train),
            "query": len(dataset.query),
            "gallery": len(dataset.gallery),
        },
        n_people={
            "in both lights": sum(len(lights) == len(Modality) for lights in seen.values()),
            "visible only": sum(set(lights) == {Modality.VISIBLE} for lights in seen.values()),
            "infrared only": sum(set(lights) == {Modality.INFRARED} for lights in seen.values()),
        },
        unreadable=tuple(image.path for image in everything if image not in can_be_read),
        single=tuple(sorted(p for p, lights in seen.items() if 1 in lights.values())),
        leaked=tuple(sorted(tested & set(seen))),
    )
