"""LLCM in its official layout: `vis`, `nir`, and `idx` with lists of pictures.

Zhang and Wang, "Diverse Embedding Expansion Network and Low-Light Cross-Modality Benchmark for
Visible-Infrared Person Re-identification" (CVPR 2023). 1064 people, nine cameras, 713 people to
train on and 351 to test. Names are `PERSON_cCAMERA_sTIME_fFRAME_LIGHT.jpg`. The authors' program
reads test pictures from a second tree `test_vis/camN/PERSON`, which is taken where it exists.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.datasets.layout import Layout, pictures_in, read_ids, read_list, require
from models.datasets.types import Dataset, LabelledImage
from streams.errors import SourceUnreadable
from streams.types import Modality

LAYOUT = Layout(
    name="LLCM",
    wanted=("idx/train_vis.txt", "idx/train_nir.txt"),
    how_to_get="research only, by signed agreement with its authors: the form lies in "
    "github.com/ZYK100/LLCM",
    terms="Learned from LLCM: research only, by agreement with its authors.",
)
N_CAMERAS = 9
_SHORT = {Modality.VISIBLE: "vis", Modality.INFRARED: "nir"}
_NAME = re.compile(r"(?P<person>\d{4})_c(?P<camera>\d+)_")


def read_llcm(folder: Path) -> Dataset:
    """All pictures; `query` are the visible ones of test people, `gallery` their infrared ones.

    Raises:
        SourceUnreadable: A list or a picture is missing, or a name is of another form.
    """
    require(folder, LAYOUT)
    train = [
        _labelled(path, modality)
        for modality in Modality
        for path in read_list(folder / "idx" / f"train_{_SHORT[modality]}.txt", folder)
    ]
    return Dataset(
        name=LAYOUT.name,
        train=tuple(train),
        query=tuple(_test(folder, Modality.VISIBLE)),
        gallery=tuple(_test(folder, Modality.INFRARED)),
        terms=LAYOUT.terms,
    )


def _test(folder: Path, modality: Modality) -> list[LabelledImage]:
    tree = folder / f"test_{_SHORT[modality]}"
    if not tree.is_dir():
        files = read_list(folder / "idx" / f"test_{_SHORT[modality]}.txt", folder)
        return [_labelled(path, modality) for path in files]
    return [
        LabelledImage(path=path, person=f"{person:04d}", camera=str(camera), modality=modality)
        for person in sorted(read_ids(folder / "idx/test_id.txt"))
        for camera in range(1, N_CAMERAS + 1)
        for path in pictures_in(tree / f"cam{camera}" / f"{person:04d}")
    ]


def _labelled(path: Path, modality: Modality) -> LabelledImage:
    found = _NAME.match(path.name)
    if found is None:
        raise SourceUnreadable(f"{path}: expected a name like 0250_c03_s200519_f13770_vis.jpg")
    camera = str(int(found["camera"]))
    return LabelledImage(path=path, person=found["person"], camera=camera, modality=modality)
