"""Person crops of many identities, visible and infrared, to train re-identification.

`python -m simulator.cropping.crops --out DIR --identities 500 --seed 11` writes
`DIR/<identity>/visible_c<camera>/<n>.jpg` and `DIR/<identity>/infrared_c<camera>/<n>.jpg`,
each 256x128 (height x width), and an empty file `DIR/DONE` at the end. No two crops share a
pose, a view or a background; each camera has its own height, sensor and sharpness.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from simulator.cropping.portraits import CANVAS_PX, CropCamera, crops_of
from simulator.figures.body import load_body_model
from simulator.figures.people import Looks, dress, random_looks
from simulator.optics.illumination import InfraredSensor, Picture, VisibleSensor
from simulator.optics.render import Renderer
from simulator.world.backdrop import yard
from streams.types import Modality

logger = logging.getLogger(__name__)

_ON_SCREEN_IDENTITY = 1


VISIBLE_CAMERAS = (
    CropCamera(
        number=1,
        height_m=1.7,
        sharpness=(0.5, 1.0),
        sensor=VisibleSensor(exposure=0.51, noise=0.008, saturation=0.8),
    ),
    CropCamera(
        number=2,
        height_m=2.7,
        sharpness=(0.4, 0.8),
        sensor=VisibleSensor(
            exposure=0.67, noise=0.015, saturation=0.65, balance=(1.12, 1.0, 0.86)
        ),
    ),
    CropCamera(
        number=3,
        height_m=3.6,
        sharpness=(0.3, 0.7),
        sensor=VisibleSensor(exposure=0.83, noise=0.02, saturation=0.9, balance=(0.88, 1.0, 1.14)),
    ),
    CropCamera(
        number=4,
        height_m=4.6,
        sharpness=(0.25, 0.6),
        sensor=VisibleSensor(
            exposure=0.61, noise=0.012, saturation=0.7, balance=(1.03, 1.03, 0.92)
        ),
    ),
)

INFRARED_CAMERAS = (
    CropCamera(
        number=1,
        height_m=1.6,
        sharpness=(0.5, 1.0),
        sensor=InfraredSensor(gain=0.34, noise=0.006, vignette=0.3),
    ),
    CropCamera(
        number=2,
        height_m=2.5,
        sharpness=(0.35, 0.8),
        sensor=InfraredSensor(gain=0.24, noise=0.011, vignette=0.5),
    ),
    CropCamera(
        number=3,
        height_m=3.4,
        sharpness=(0.3, 0.7),
        sensor=InfraredSensor(gain=0.44, noise=0.008, vignette=0.2),
    ),
    CropCamera(
        number=4,
        height_m=4.4,
        sharpness=(0.25, 0.6),
        sensor=InfraredSensor(gain=0.19, noise=0.016, vignette=0.6),
    ),
)
"""`gain` is what the person's mean light is brought to: such cameras set it themselves."""


def looks_of_everybody(identities: range, *, seed: int) -> Iterator[tuple[int, Looks]]:
    """Looks by identity; half of all people come in fours whose tops have nearly one colour."""
    first: Looks | None = None
    for identity in identities:
        rng = np.random.default_rng([seed, identity])
        looks = random_looks(rng)
        if (identity // 4) % 2 == 0:
            if identity % 4 == 0 or first is None:
                first = looks
            else:
                looks = _alike(looks, first, rng)
        yield identity, looks


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when everything is written, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.cropping.crops",
        description="Render crops to train re-identification.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--identities", type=int, default=500, help="how many people")
    parser.add_argument("--first", type=int, default=1, help="number of the first identity")
    parser.add_argument("--visible", type=int, default=8, help="visible crops per identity")
    parser.add_argument("--infrared", type=int, default=12, help="infrared crops per identity")
    parser.add_argument("--seed", type=int, default=11, help="another seed, other people")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    identities = range(options.first, options.first + options.identities)
    kinds = (
        (Modality.VISIBLE, VISIBLE_CAMERAS, options.visible),
        (Modality.INFRARED, INFRARED_CAMERAS, options.infrared),
    )
    write_crops(options.out, identities, kinds, seed=options.seed)
    return 0


def write_crops(
    out: Path,
    identities: range,
    kinds: tuple[tuple[Modality, tuple[CropCamera, ...], int], ...],
    *,
    seed: int,
) -> None:
    """Write the crops of all `identities` under `out`.

    Args:
        kinds: Modality, its cameras and the number of crops of it per identity.
    """
    model = load_body_model()
    renderers = {
        modality: Renderer(size_px=CANVAS_PX, modality=modality, place=yard(), supersampling=1)
        for modality, _, _ in kinds
    }
    for identity, looks in looks_of_everybody(identities, seed=seed):
        person = dress(model, _ON_SCREEN_IDENTITY, looks)
        rng = np.random.default_rng([seed, identity, 1])
        for modality, cameras, n_crops in kinds:
            renderer = renderers[modality]
            renderer.add(person)
            shots = crops_of(person, cameras, renderer, rng, n_crops=n_crops)
            for k, (camera, crop) in enumerate(shots):
                folder = out / f"{identity:04d}" / f"{modality.value}_c{camera.number}"
                folder.mkdir(parents=True, exist_ok=True)
                _write_jpeg(folder / f"{k // len(cameras):02d}.jpg", crop)
            renderer.remove(person.identity)
        if identity % 20 == 0:
            logger.info("identity %d of %d to %d", identity, identities[0], identities[-1])
    for renderer in renderers.values():
        renderer.close()
    (out / "DONE").touch()


def _alike(looks: Looks, other: Looks, rng: np.random.Generator) -> Looks:
    """`looks` in a top of the other's colour, sometimes its cloth or its trousers' colour too."""
    outfit, model = looks.outfit, other.outfit
    top = replace(outfit.top, colour=_nearly(model.top.colour, rng))
    if rng.random() < 0.5:
        top = replace(top, infrared=float(np.clip(model.top.infrared + rng.normal(0, 0.03), 0, 1)))
    bottom = outfit.bottom
    if rng.random() < 0.35:
        bottom = replace(bottom, colour=_nearly(model.bottom.colour, rng))
    return replace(looks, outfit=replace(outfit, top=top, bottom=bottom))


def _nearly(
    colour: tuple[float, float, float], rng: np.random.Generator
) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in np.array(colour) * rng.uniform(0.92, 1.08, 3))
    return red, green, blue


def _write_jpeg(path: Path, pixels: Picture) -> None:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, 90]):
        raise OSError(f"{path}: could not be written")


if __name__ == "__main__":
    sys.exit(main())
