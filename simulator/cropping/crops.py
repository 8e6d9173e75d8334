"""Person crops of many identities in visible light and infrared, to train re-identification.

`write_crops` writes `OUT/<identity>/visible_c<camera>/<n>.jpg` and
`OUT/<identity>/infrared_c<camera>/<n>.jpg`, on demand `thermal_c<camera>` too, the settings in
`OUT/crops.json`, and an empty file `OUT/DONE` at the end. No two crops share a pose, a view or a
background.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from simulator.cropping.lenses import infrared_cameras, thermal_cameras, visible_cameras
from simulator.cropping.portraits import CROPPED_IDENTITY, CropCamera, canvas_px, crops_of
from simulator.cropping.strangers import Strangers, Wardrobe
from simulator.cropping.studio import open_studio
from simulator.cropping.workers import share_out
from simulator.figures.body import load_body_model
from simulator.figures.company import character
from simulator.figures.people import Person, dress
from simulator.optics.bands import Band
from simulator.optics.render import Renderer
from streams.errors import Permanent
from streams.pictures import write_picture

Report = Callable[[int, int], None]
"""Called with the number of identities that are finished, and of all."""

ALIKE, UNIFORMED = 0.4, 0.06
"""Shares of the people that come in look-alike fours and in uniforms."""

_CROP_STREAM = 9


class CropsRefused(Permanent):
    """The folder holds crops of other settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSettings:
    """What decides how the crops of one identity look.

    Attributes:
        visible, infrared, thermal: Crops per identity.
        cameras: Per band.
        size_hw: Height and width of a crop, pixels.
    """

    seed: int
    visible: int
    infrared: int
    thermal: int
    cameras: int
    size_hw: tuple[int, int]


def write_crops(
    out: Path,
    *,
    identities: range,
    seed: int,
    visible: int = 8,
    infrared: int = 12,
    cameras: int = 4,
    size_hw: tuple[int, int] = (256, 128),
    thermal: int = 0,
    jobs: int = 1,
    report: Report | None = None,
) -> None:
    """Write the crops of all `identities` under `out`; those that are there are left alone.

    An identity is written to a folder aside and moved when it is whole: whatever was interrupted
    is done again, and the bytes are those of an uninterrupted run.

    Args:
        jobs: Processes that share the work.

    Raises:
        CropsRefused: If `out` holds crops of other settings.
    """
    settings = CropSettings(
        seed=seed,
        visible=visible,
        infrared=infrared,
        thermal=thermal,
        cameras=cameras,
        size_hw=size_hw,
    )
    _claim(out, settings)
    missing = [identity for identity in identities if not _folder(out, identity).is_dir()]
    n_done = len(identities) - len(missing)
    for _ in share_out(_work, out, settings, missing, jobs=jobs):
        n_done += 1
        if report is not None:
            report(n_done, len(identities))
    (out / "DONE").touch()


def _claim(out: Path, settings: CropSettings) -> None:
    """Note the settings, or refuse a folder that was begun with others."""
    out.mkdir(parents=True, exist_ok=True)
    note, text = out / "crops.json", json.dumps(asdict(settings), indent=1) + "\n"
    if note.exists() and note.read_text() != text:
        raise CropsRefused(
            f"{out}: expected an empty folder or one begun with the same settings, got one of "
            f"{' '.join(note.read_text().split())}; choose another folder"
        )
    (out / "DONE").unlink(missing_ok=True)
    note.write_text(text)


def _work(out: Path, settings: CropSettings, identities: list[int]) -> Iterator[int]:
    """Write `identities` one after another."""
    if not identities:
        return
    model = load_body_model()
    size_px = canvas_px(settings.size_hw)
    with contextlib.ExitStack() as stack:
        wardrobe = Wardrobe(model)
        rounds = [
            _Round(
                band=band,
                renderer=(
                    studio := stack.enter_context(open_studio(band, size_px, supersampling=1))
                ),
                strangers=Strangers(wardrobe, studio),
                cameras=cameras,
                n_crops=n_crops,
            )
            for band, cameras, n_crops in _bands(settings)
            if n_crops > 0
        ]
        for identity in identities:
            worn = character(identity, seed=settings.seed, alike=ALIKE, uniformed=UNIFORMED)
            person = dress(model, CROPPED_IDENTITY, worn.looks)
            partial = out / f".partial-{identity:04d}"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            for one in rounds:
                rng = _rng(settings.seed, identity, one.band)
                _write_round(partial, person, one, rng, settings.size_hw)
            partial.rename(_folder(out, identity))
            yield identity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Round:
    """All that crops of one band are made with."""

    band: Band
    renderer: Renderer
    strangers: Strangers
    cameras: tuple[CropCamera, ...]
    n_crops: int


def _bands(settings: CropSettings) -> tuple[tuple[Band, tuple[CropCamera, ...], int], ...]:
    n = settings.cameras
    return (
        (Band.VISIBLE, visible_cameras(n), settings.visible),
        (Band.NEAR_INFRARED, infrared_cameras(n), settings.infrared),
        (Band.THERMAL, thermal_cameras(n), settings.thermal),
    )


_FOLDER_OF_BAND = {
    Band.VISIBLE: "visible",
    Band.NEAR_INFRARED: "infrared",
    Band.THERMAL: "thermal",
}


def _rng(seed: int, identity: int, band: Band) -> np.random.Generator:
    return np.random.default_rng([seed, _CROP_STREAM, identity, list(Band).index(band)])


def _write_round(
    partial: Path,
    person: Person,
    one: _Round,
    rng: np.random.Generator,
    size_hw: tuple[int, int],
) -> None:
    """Crops of one identity in one band, a folder per camera."""
    one.renderer.add(person)
    shots = crops_of(
        person, one.strangers, one.cameras, one.renderer, rng, n_crops=one.n_crops, size_hw=size_hw
    )
    for k, (camera, crop) in enumerate(shots):
        folder = partial / f"{_FOLDER_OF_BAND[one.band]}_c{camera.number}"
        folder.mkdir(exist_ok=True)
        write_picture(folder / f"{k // len(one.cameras):02d}.jpg", crop, quality=90)
    one.renderer.remove(person.identity)


def _folder(out: Path, identity: int) -> Path:
    return out / f"{identity:04d}"
