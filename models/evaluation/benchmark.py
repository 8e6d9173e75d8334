"""From a folder of pictures and a protocol's name to the arrays that the protocol asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.datasets.folder import find_crops
from models.datasets.llcm import read_llcm
from models.datasets.regdb import read_regdb
from models.datasets.sysu import read_sysu
from models.datasets.types import Dataset, LabelledImage, readable
from models.evaluation import protocols
from models.evaluation.permutations import read_permutations
from models.evaluation.pictures import in_order, labels_of
from models.evaluation.protocols import Protocol, ProtocolName
from models.evaluation.rules import Labels, Permutations
from streams.errors import SourceUnreadable

PERMUTATION_PLACES = ("exp/rand_perm_cam.mat", "data_split/rand_perm_cam.mat", "rand_perm_cam.mat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the caller may choose about a protocol.

    Attributes:
        shots: Gallery pictures per person and camera; None takes the protocol's own.
        n_people: Size of the crowd of a folder, None takes everybody.
        split: Of RegDB, 1-10.
        permutations: File of SYSU-MM01's official draw; None looks for it in the folder.
    """

    shots: int | None = None
    n_people: int | None = None
    split: int = 1
    permutations: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Benchmark:
    """Pictures, what is known of each, and who asks whom.

    Attributes:
        images: (N) in the order of the labels.
    """

    images: tuple[LabelledImage, ...]
    labels: Labels
    protocol: Protocol


def read_benchmark(folder: Path, name: ProtocolName, choices: Choices) -> Benchmark:
    """The test pictures of a data set under one of its protocols.

    Raises:
        SourceUnreadable: The folder is not that data set, or not whole.
    """
    images = in_order(_test_pictures(folder, name, choices.split))
    labels = labels_of(images)
    return Benchmark(
        images=tuple(images),
        labels=labels,
        protocol=_protocol(folder, name, choices, labels),
    )


def _test_pictures(folder: Path, name: ProtocolName, split: int) -> list[LabelledImage]:
    if name == "folder":
        return readable(find_crops(folder))
    family, _, _ = name.partition("-")
    dataset = _READERS[family](folder, split)
    if not dataset.query or not dataset.gallery:
        raise SourceUnreadable(
            f"{folder}: expected the test pictures of {family}, found {len(dataset.query)} to ask "
            f"with and {len(dataset.gallery)} to search; noctule data check tells what is missing"
        )
    return [*dataset.query, *dataset.gallery]


def _protocol(folder: Path, name: ProtocolName, choices: Choices, labels: Labels) -> Protocol:
    shots = choices.shots or 1
    match name:
        case "sysu-all" | "sysu-indoor":
            return protocols.sysu(
                labels,
                mode="all" if name == "sysu-all" else "indoor",
                shots=shots,
                permutations=_permutations(folder, choices.permutations),
            )
        case "regdb-v2t" | "regdb-t2v":
            return protocols.regdb(
                labels, direction="v2t" if name == "regdb-v2t" else "t2v", split=choices.split
            )
        case "llcm-v2i" | "llcm-i2v":
            return protocols.llcm(
                labels, direction="v2i" if name == "llcm-v2i" else "i2v", shots=shots
            )
        case "folder":
            return protocols.folder(labels, shots=choices.shots, n_people=choices.n_people)


def _permutations(folder: Path, named: Path | None) -> Permutations | None:
    if named is not None:
        return read_permutations(named)
    places = (folder / place for place in PERMUTATION_PLACES)
    found = next((place for place in places if place.is_file()), None)
    return None if found is None else read_permutations(found)


_READERS: dict[str, Callable[[Path, int], Dataset]] = {
    "sysu": lambda folder, _split: read_sysu(folder),
    "regdb": read_regdb,
    "llcm": lambda folder, _split: read_llcm(folder),
}
