"""SYSU-MM01 in its official layout: `cam1` to `cam6`, below them one folder per person.

Wu et al., "RGB-Infrared Cross-Modality Person Re-Identification" (ICCV 2017). Cameras 3 and 6 see
infrared, the others visible light. `exp/train_id.txt`, `val_id.txt` and `test_id.txt` hold one line
of ids each; publications train on train and val together (395 people) and test on 96.
"""

from __future__ import annotations

from pathlib import Path

from models.datasets.layout import Layout, pictures_in, read_ids, require
from models.datasets.types import Dataset, LabelledImage
from streams.types import Modality

LAYOUT = Layout(
    name="SYSU-MM01",
    wanted=(
        *(f"cam{n}" for n in range(1, 7)),
        "exp/train_id.txt",
        "exp/val_id.txt",
        "exp/test_id.txt",
    ),
    how_to_get="research only, by signed agreement with Sun Yat-sen University: fill in the form "
    "in the README of github.com/wuancong/SYSU-MM01 and mail it from an institution's address",
    terms="Learned from SYSU-MM01: research only, by agreement with its authors.",
)
INFRARED_CAMERAS = (3, 6)
N_CAMERAS = 6


def read_sysu(folder: Path) -> Dataset:
    """All pictures; `query` are the infrared ones of test people, `gallery` their visible ones.

    Raises:
        SourceUnreadable: A folder or list is missing or holds nothing.
    """
    require(folder, LAYOUT)
    train_ids = read_ids(folder / "exp/train_id.txt") + read_ids(folder / "exp/val_id.txt")
    test = _pictures(folder, read_ids(folder / "exp/test_id.txt"))
    return Dataset(
        name=LAYOUT.name,
        train=tuple(_pictures(folder, train_ids)),
        query=tuple(image for image in test if image.modality is Modality.INFRARED),
        gallery=tuple(image for image in test if image.modality is Modality.VISIBLE),
        terms=LAYOUT.terms,
    )


def _pictures(folder: Path, ids: list[int]) -> list[LabelledImage]:
    """In order of id, camera and name; an id that a camera did not see has no folder there."""
    return [
        LabelledImage(
            path=path,
            person=f"{person:04d}",
            camera=str(camera),
            modality=Modality.INFRARED if camera in INFRARED_CAMERAS else Modality.VISIBLE,
        )
        for person in sorted(ids)
        for camera in range(1, N_CAMERAS + 1)
        for path in pictures_in(folder / f"cam{camera}" / f"{person:04d}")
    ]
