"""One person seen by a camera of the crop set: pose, view, light, strangers, background."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulator.cropping.cutting import Cut, cut
from simulator.cropping.skies import some_light
from simulator.cropping.strangers import N_STRANGERS, Strangers
from simulator.figures.people import Person, Posed
from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Light
from simulator.optics.render import Renderer, Rendering
from simulator.optics.sensors import (
    InfraredSensor,
    Picture,
    Radiance,
    Sensor,
    ThermalSensor,
    VisibleSensor,
)
from simulator.world.backdrop import paint_backdrop

CROPPED_IDENTITY = 1
"""Of the person that the crops are of; strangers count on from 2."""

_BACKDROP_SHARE = 0.5
_STRANGER_SHARE = 0.3
_HIDING_SHARE = 0.14
_STANDING_SHARE = 0.15
_LEAST_SEEN = 0.4
_CANVAS_PER_CROP = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class CropCamera:
    """A camera that crops come from.

    Attributes:
        number: Counts from 1 in each band.
        height_m: Of the lens.
        sharpness: Lowest and highest height of the person, as a share of the crop's height,
            before the crop is enlarged to its final size.
    """

    number: int
    sensor: Sensor
    height_m: float
    sharpness: tuple[float, float]


def canvas_px(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the pictures that crops of `size_hw` are cut from."""
    height, width = size_hw
    return int(width * _CANVAS_PER_CROP), int(height * _CANVAS_PER_CROP)


def crops_of(
    person: Person,
    strangers: Strangers,
    cameras: tuple[CropCamera, ...],
    renderer: Renderer,
    rng: np.random.Generator,
    *,
    n_crops: int,
    size_hw: tuple[int, int],
) -> Iterator[tuple[CropCamera, Picture]]:
    """`n_crops` crops of one person, the cameras in turn, each from another pose and view.

    Args:
        person: Known to `renderer`, as `CROPPED_IDENTITY`.
        strangers: Now and then one stands near or before the person.
        renderer: Of the cameras' band and of `canvas_px(size_hw)`.
    """
    for k in range(n_crops):
        camera = cameras[k % len(cameras)]
        rendering, lit_by = _render(person, strangers, camera, renderer, rng, size_hw)
        light, mask = rendering.light, rendering.identities == CROPPED_IDENTITY
        if not isinstance(camera.sensor, ThermalSensor):
            light = _before_backdrop(light, mask, rendering.identities > 0, rng)
            if rng.random() < _HIDING_SHARE:
                light, mask = _behind_thing(light, mask, rng)
        picture = _expose(camera.sensor, light, mask, lit_by, rng)
        how = Cut(size_hw=size_hw, sharpness=rng.uniform(*camera.sharpness))
        yield camera, cut(picture, mask, how, rng)


def _render(
    person: Person,
    strangers: Strangers,
    camera: CropCamera,
    renderer: Renderer,
    rng: np.random.Generator,
    size_hw: tuple[int, int],
) -> tuple[Rendering, Light]:
    """The person somewhere in the yard, mostly in view, and the light on it."""
    whole_px = np.prod(canvas_px(size_hw)) * _BODY_SHARE
    for _ in range(4):
        at = rng.uniform(-5, 5, 2)
        around, away_m = rng.uniform(0, 2 * np.pi), rng.uniform(4.5, 9.0)
        towards = np.array([np.cos(around), np.sin(around)])
        view = _view(person, camera, at, towards * away_m, size_hw, rng)
        poses = {person.identity: _some_pose(person, at, rng)}
        if rng.random() < _STRANGER_SHARE:
            stranger = strangers.step_in(int(rng.integers(N_STRANGERS)))
            aside = np.array([-towards[1], towards[0]]) * rng.choice([-1, 1])
            place = at + aside * rng.uniform(0.25, 0.75) + towards * rng.uniform(-1.2, 1.2)
            poses[stranger.identity] = _some_pose(stranger, place, rng)
        light = some_light(camera.sensor, rng)
        rendering = renderer.draw(poses, view, light)
        if np.count_nonzero(rendering.identities == person.identity) > _LEAST_SEEN * whole_px:
            break
    return rendering, light


_BODY_SHARE = 0.2
"""Of the canvas that a whole body covers, about."""


def _view(
    person: Person,
    camera: CropCamera,
    at: npt.NDArray[np.floating],
    away: npt.NDArray[np.floating],
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> View:
    height_m = camera.height_m + float(rng.normal(0, 0.2))
    distance_m = float(np.hypot(np.linalg.norm(away), height_m - 0.9))
    return View(
        eye=(float(at[0] + away[0]), float(at[1] + away[1]), height_m),
        target=(float(at[0]), float(at[1]), person.height_m * 0.5),
        field_deg=float(np.degrees(2 * np.arctan(person.height_m * 0.32 / distance_m))),
        size_px=canvas_px(size_hw),
    )


def _some_pose(person: Person, at: npt.NDArray[np.floating], rng: np.random.Generator) -> Posed:
    xy, heading = (float(at[0]), float(at[1])), rng.uniform(0, 2 * np.pi)
    phase = rng.random()
    if rng.random() < _STANDING_SHARE:
        return person.stand(xy, heading)
    return person.pose(phase, xy, heading)


def _before_backdrop(
    light: Radiance,
    mask: npt.NDArray[np.bool_],
    somebody: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> Radiance:
    """The light, half of all times with a painted background behind everybody."""
    if rng.random() >= _BACKDROP_SHARE or not mask.any():
        return light
    height, width = mask.shape
    backdrop = paint_backdrop((width, height), rng)
    level = float(light[mask].mean()) * rng.uniform(0.2, 1.6)
    if light.ndim == 2:
        return np.where(somebody, light, backdrop.mean(axis=2) * level).astype(np.float32)
    dim = min(1.0, level / 0.25)
    return np.where(somebody[..., None], light, backdrop * dim).astype(np.float32)


def _behind_thing(
    light: Radiance, mask: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Radiance, npt.NDArray[np.bool_]]:
    """Something flat before the person: a car's bonnet, a planter, a post, a table."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return light, mask
    hidden = np.zeros_like(mask)
    if rng.random() < 0.6:
        top = int(rows.max() - rng.uniform(0.12, 0.5) * (rows.max() - rows.min()))
        slope = rng.normal(0, 0.08)
        line = top + slope * (np.arange(width) - width / 2)
        hidden[np.arange(height)[:, None] > line[None]] = True
    else:
        across = max(int(rng.uniform(0.05, 0.3) * width), 2)
        left = int(rng.uniform(columns.min() - across / 2, columns.max() - across / 2))
        hidden[:, max(left, 0) : max(left + across, 1)] = True
    if np.count_nonzero(mask & ~hidden) < _LEAST_SEEN * np.count_nonzero(mask):
        return light, mask
    paint = paint_backdrop((width, height), rng) * float(light[mask].mean()) * rng.uniform(0.4, 3)
    thing = paint.mean(axis=2) if light.ndim == 2 else paint
    where = hidden if light.ndim == 2 else hidden[..., None]
    return np.where(where, thing, light).astype(np.float32), mask & ~hidden


def _expose(
    sensor: Sensor,
    light: Radiance,
    mask: npt.NDArray[np.bool_],
    lit_by: Light,
    rng: np.random.Generator,
) -> Picture:
    """The picture; cameras set gain to the light, noise grows with it, sometimes too far."""
    if isinstance(sensor, ThermalSensor):
        return sensor.expose(light, rng)
    mean = max(float(light[mask].mean()), 1e-4) if mask.any() else 0.1
    if isinstance(sensor, VisibleSensor) and isinstance(lit_by, Daylight):
        gain = float(np.clip((_USUAL_LIGHT / mean) ** 0.7, 0.3, 6))
        exposure = sensor.exposure * gain * 2.0 ** rng.normal(0, 0.3)
        noise = sensor.noise * rng.uniform(0.5, 1.6)
        lens = replace(sensor, exposure=exposure, noise=noise, lux=lit_by.lux)
        return lens.expose(light, rng)
    if not isinstance(sensor, InfraredSensor):
        raise TypeError(f"light: expected one of {sensor.band}, got {type(lit_by).__name__}")
    over = rng.uniform(2.0, 5.0) if rng.random() < _OVEREXPOSED_SHARE else 1.0
    gain = sensor.gain * over * 2.0 ** rng.normal(0, 0.4) / mean
    noise = sensor.noise * rng.uniform(0.5, 2.0)
    return replace(sensor, gain=gain, noise=noise).expose(light, rng)


_OVEREXPOSED_SHARE = 0.15
_USUAL_LIGHT = 0.30
