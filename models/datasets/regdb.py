"""RegDB in its official layout: `Visible`, `Thermal`, and `idx` with ten splits.

Nguyen et al., "Person Recognition System Based on a Combination of Body Images from Visible Light
and Thermal Cameras" (Sensors 2017). 412 people, ten pictures each in visible and in long-wave
infrared; each split trains on 206 and tests on the others. A model trained on one split must be
tested on that split only.
"""

from __future__ import annotations

from pathlib import Path

from models.datasets.layout import Layout, read_list, require
from models.datasets.types import Dataset, LabelledImage
from streams.errors import SourceUnreadable
from streams.types import Modality

LAYOUT = Layout(
    name="RegDB",
    wanted=("Visible", "Thermal", "idx"),
    how_to_get="research only, by signed agreement with Dongguk University: see dm.dgu.edu, "
    "DBRegDB_DB1; the lists of splits lie in github.com/mangye16/Cross-Modal-Re-ID-baseline",
    terms="Learned from RegDB: research only, by agreement with its authors.",
)
N_SPLITS = 10
_FOLDERS = {Modality.VISIBLE: "visible", Modality.INFRARED: "thermal"}


def read_regdb(folder: Path, split: int = 1) -> Dataset:
    """One split; `query` are the visible pictures of test people, `gallery` their thermal ones.

    Args:
        split: 1 to 10.

    Raises:
        SourceUnreadable: A folder, list or picture is missing, or there is no such split.
    """
    require(folder, LAYOUT)
    if not 1 <= split <= N_SPLITS:
        raise SourceUnreadable(f"{folder}: expected a split of 1 to {N_SPLITS}, got {split}")
    train = [image for m in Modality for image in _pictures(folder, "train", m, split)]
    return Dataset(
        name=f"{LAYOUT.name}, split {split}",
        train=tuple(train),
        query=tuple(_pictures(folder, "test", Modality.VISIBLE, split)),
        gallery=tuple(_pictures(folder, "test", Modality.INFRARED, split)),
        terms=LAYOUT.terms,
    )


def _pictures(folder: Path, use: str, modality: Modality, split: int) -> list[LabelledImage]:
    """There is one camera per light; the folder of a picture names the person."""
    files = read_list(folder / "idx" / f"{use}_{_FOLDERS[modality]}_{split}.txt", folder)
    return [
        LabelledImage(
            path=path, person=path.parent.name, camera=_FOLDERS[modality], modality=modality
        )
        for path in files
    ]
