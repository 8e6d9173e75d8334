"""Own pictures: `PERSON/MODALITY_CAMERA/*.jpg`, for instance `0001/infrared_c2/00.jpg`.

What the simulator writes, and what any labelled footage can be sorted into.
"""

from __future__ import annotations

from pathlib import Path

from models.datasets.layout import Layout
from models.datasets.types import PICTURE_SUFFIXES, Dataset, LabelledImage
from streams.errors import SourceUnreadable
from streams.types import Modality

LAYOUT = Layout(
    name="own pictures",
    wanted=(),
    how_to_get="sort pictures into PERSON/visible_CAMERA and PERSON/infrared_CAMERA, or let the "
    "simulator make them: noctule simulate crops --help",
)
_THERMAL = "thermal"


def find_crops(folder: Path) -> list[LabelledImage]:
    """All pictures below a folder, in order of path.

    Raises:
        SourceUnreadable: There are none, or a folder is not named MODALITY_CAMERA.
    """
    crops = []
    for path in sorted(p for p in folder.glob("*/*/*") if p.suffix.lower() in PICTURE_SUFFIXES):
        person, light = path.parent.parent.name, path.parent.name
        if person.startswith("."):  # half written
            continue
        modality, _, camera = light.partition("_")
        if modality == _THERMAL:  # infrared to us, seen by cameras of its own
            modality, camera = Modality.INFRARED, light
        if modality not in set(Modality):
            raise SourceUnreadable(
                f"{path.parent}: expected a folder named visible_CAMERA, infrared_CAMERA or "
                "thermal_CAMERA"
            )
        crops.append(
            LabelledImage(path=path, person=person, camera=camera, modality=Modality(modality))
        )
    if not crops:
        raise SourceUnreadable(f"{folder}: expected PERSON/MODALITY_CAMERA/*.jpg, found no picture")
    return crops


def read_folder(folder: Path) -> Dataset:
    """A folder as training pictures only.

    Raises:
        SourceUnreadable: As `find_crops`.
    """
    return Dataset(name=folder.name, train=tuple(find_crops(folder)))
