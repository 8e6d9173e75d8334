"""One person seen by a camera of the crop set: pose, view, light, background, and the cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from simulator.figures.people import Person
from simulator.optics.cameras import View
from simulator.optics.illumination import (
    Daylight,
    Illuminator,
    InfraredSensor,
    Picture,
    VisibleSensor,
)
from simulator.optics.render import Renderer, Rendering
from simulator.world.backdrop import paint_backdrop

CROP_WH = (128, 256)
CANVAS_PX = (160, 320)
_LEAST_PX = 4500
_BACKDROP_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class CropCamera:
    """A camera that crops come from.

    Attributes:
        number: Counts from 1 in each modality.
        height_m: Of the lens.
        sharpness: Lowest and highest height of the person, as a share of the crop's height,
            before the crop is enlarged to its final size.
    """

    number: int
    sensor: VisibleSensor | InfraredSensor
    height_m: float
    sharpness: tuple[float, float]


def crops_of(
    person: Person,
    cameras: tuple[CropCamera, ...],
    renderer: Renderer,
    rng: np.random.Generator,
    *,
    n_crops: int,
) -> Iterator[tuple[CropCamera, Picture]]:
    """`n_crops` crops of one person, the cameras in turn, each from another pose and view.

    Args:
        person: Known to `renderer`.
        renderer: Of the cameras' modality.
    """
    for k in range(n_crops):
        camera = cameras[k % len(cameras)]
        rendering = _render(person, camera, renderer, rng)
        mask = rendering.identities == person.identity
        light = rendering.light
        if rng.random() < _BACKDROP_SHARE:
            backdrop = paint_backdrop(CANVAS_PX, rng)
            if light.ndim == 2:
                backdrop = backdrop.mean(axis=2) * light[mask].mean() * rng.uniform(0.2, 1.6)
            light = np.where(mask if light.ndim == 2 else mask[..., None], light, backdrop)
        sensor = camera.sensor
        if isinstance(sensor, VisibleSensor):
            exposure = sensor.exposure * 2.0 ** rng.normal(0, 0.35)
            noise = sensor.noise * rng.uniform(0.5, 1.6)
            picture = replace(sensor, exposure=exposure, noise=noise).expose(light, rng)
        else:
            gain = sensor.gain * 2.0 ** rng.normal(0, 0.4) / max(float(light[mask].mean()), 1e-4)
            noise = sensor.noise * rng.uniform(0.5, 1.6)
            picture = replace(sensor, gain=gain, noise=noise).expose(light, rng)
        yield camera, _cut(picture, mask, rng.uniform(*camera.sharpness), rng)


def _render(
    person: Person, camera: CropCamera, renderer: Renderer, rng: np.random.Generator
) -> Rendering:
    """The person somewhere in the yard, mostly in view."""
    for _ in range(4):
        x, y = rng.uniform(-5, 5, 2)
        around, away_m = rng.uniform(0, 2 * np.pi), rng.uniform(4.5, 9.0)
        height_m = camera.height_m + rng.normal(0, 0.2)
        distance_m = float(np.hypot(away_m, height_m - 0.9))
        view = View(
            eye=(x + away_m * np.cos(around), y + away_m * np.sin(around), height_m),
            target=(x, y, person.height_m * 0.5),
            field_deg=float(np.degrees(2 * np.arctan(person.height_m * 0.32 / distance_m))),
            size_px=CANVAS_PX,
        )
        posed = person.pose(rng.random(), (x, y), rng.uniform(0, 2 * np.pi))
        visible = isinstance(camera.sensor, VisibleSensor)
        light = _some_daylight(rng) if visible else Illuminator()
        rendering = renderer.draw({person.identity: posed}, view, light)
        if np.count_nonzero(rendering.identities) > _LEAST_PX:
            break
    return rendering


def _some_daylight(rng: np.random.Generator) -> Daylight:
    base = Daylight()
    strength = rng.uniform(0.35, 1.25) * rng.uniform(0, 1)
    sky = rng.uniform(0.5, 1.3)
    red, green, blue = (value * strength for value in base.sun)
    return Daylight(
        sun_from=(rng.normal(0, 0.6), rng.normal(0, 0.6), rng.uniform(0.4, 1)),
        sun=(red, green, blue),
        sky=(0.66 * sky, 0.72 * sky, 0.82 * sky),
    )


def _cut(
    picture: Picture,
    mask: npt.NDArray[np.bool_],
    sharpness: float,
    rng: np.random.Generator,
) -> Picture:
    """The person's box, cut as loosely as a detector does, blurred and compressed."""
    rows, columns = np.nonzero(mask)
    x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    width, height = x1 - x0, y1 - y0
    margin = rng.uniform(0, 0.05)
    left, right, up, down = margin + rng.normal(0, 0.035, 4)
    legs_hidden = rng.uniform(0.1, 0.3) if rng.random() < 0.06 else 0.0
    crop = picture[
        max(int(y0 - up * height), 0) : int(y1 + (down - legs_hidden) * height),
        max(int(x0 - left * width), 0) : int(x1 + right * width),
    ]
    small_height = max(int(CROP_WH[1] * sharpness), 48)
    small_width = max(small_height * crop.shape[1] // crop.shape[0], 16)
    small = cv2.resize(crop, (small_width, small_height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.3:
        length = int(rng.integers(2, 5))
        small = cv2.blur(small, (length, 1))
    coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.asarray(cv2.resize(decoded, CROP_WH, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
