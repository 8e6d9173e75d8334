"""Market-1501 in its official layout, visible light only.

Zheng et al., "Scalable Person Re-identification: A Benchmark" (ICCV 2015). Names are
`PERSON_cCAMERAsSEQUENCE_FRAME_BOX.jpg`; person -1 are boxes that count neither way, 0000 are
distractors of the gallery.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.datasets.layout import Layout, pictures_in, require
from models.datasets.types import Dataset, LabelledImage
from streams.errors import SourceUnreadable
from streams.types import Modality

LAYOUT = Layout(
    name="Market-1501",
    wanted=("bounding_box_train", "query", "bounding_box_test"),
    how_to_get="research only: from its authors at zheng-lab.cecs.anu.edu.au; the pictures show "
    "people who did not agree to it, so ask whether your law lets you use it",
    terms="Learned from Market-1501: research only.",
)
JUNK = "-1"
_NAME = re.compile(r"(?P<person>-1|\d{4})_c(?P<camera>\d)s\d")


def read_market1501(folder: Path) -> Dataset:
    """All pictures but junk; distractors stay in the gallery as person 0000.

    Raises:
        SourceUnreadable: A folder is missing or a name is of another form.
    """
    require(folder, LAYOUT)
    return Dataset(
        name=LAYOUT.name,
        train=tuple(_pictures(folder / "bounding_box_train")),
        query=tuple(_pictures(folder / "query")),
        gallery=tuple(_pictures(folder / "bounding_box_test")),
        terms=LAYOUT.terms,
    )


def _pictures(folder: Path) -> list[LabelledImage]:
    images = []
    for path in pictures_in(folder):
        found = _NAME.match(path.name)
        if found is None:
            raise SourceUnreadable(f"{path}: expected a name like 0002_c1s1_000451_03.jpg")
        if found["person"] != JUNK:
            images.append(
                LabelledImage(
                    path=path,
                    person=found["person"],
                    camera=found["camera"],
                    modality=Modality.VISIBLE,
                )
            )
    return images
