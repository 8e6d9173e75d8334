"""The cameras of the crop set: each has its own height, sensor and sharpness."""

from __future__ import annotations

import numpy as np

from simulator.cropping.portraits import CropCamera
from simulator.optics.sensors import InfraredSensor, ThermalSensor, VisibleSensor


def visible_cameras(n: int) -> tuple[CropCamera, ...]:
    """Colour cameras 1 to `n`; each stays the same whatever the seed of the people."""
    return tuple(_visible(number) for number in range(1, n + 1))


def infrared_cameras(n: int) -> tuple[CropCamera, ...]:
    """Near-infrared cameras 1 to `n`; `gain` is what the person's mean light is brought to."""
    return tuple(_infrared(number) for number in range(1, n + 1))


def thermal_cameras(n: int) -> tuple[CropCamera, ...]:
    """Thermal cameras 1 to `n`; `detector_px` is of the crop's picture, not of the whole."""
    return tuple(_thermal(number) for number in range(1, n + 1))


def _visible(number: int) -> CropCamera:
    rng = np.random.default_rng([_VISIBLE_STREAM, number])
    warmth, tint = rng.normal(0, 0.10), rng.normal(0, 0.03)
    return CropCamera(
        number=number,
        height_m=_height_m(number),
        sharpness=_sharpness(number),
        sensor=VisibleSensor(
            exposure=rng.uniform(0.5, 0.85),
            noise=rng.uniform(0.006, 0.02),
            saturation=rng.uniform(0.65, 1.0),
            balance=(float(1 + warmth), float(1 + tint), float(1 - warmth)),
            blur_px=rng.uniform(0.4, 0.9),
        ),
    )


def _infrared(number: int) -> CropCamera:
    rng = np.random.default_rng([_INFRARED_STREAM, number])
    return CropCamera(
        number=number,
        height_m=_height_m(number) - 0.1,
        sharpness=_sharpness(number),
        sensor=InfraredSensor(
            gain=rng.uniform(0.17, 0.48),
            noise=rng.uniform(0.005, 0.018),
            vignette=rng.uniform(0.2, 0.6),
            blur_px=rng.uniform(0.45, 1.0),
        ),
    )


def _thermal(number: int) -> CropCamera:
    rng = np.random.default_rng([_THERMAL_STREAM, number])
    return CropCamera(
        number=number,
        height_m=_height_m(number),
        sharpness=_sharpness(number),
        sensor=ThermalSensor(
            detector_px=int(rng.integers(36, 90)),
            noise_k=rng.uniform(0.04, 0.12),
            pattern_seed=number,
        ),
    )


def _height_m(number: int) -> float:
    """From a doorbell to a lamp post, in turn."""
    return (1.7, 2.7, 3.6, 4.6)[(number - 1) % 4]


def _sharpness(number: int) -> tuple[float, float]:
    """Near cameras see people larger than far ones."""
    return ((0.5, 1.0), (0.4, 0.85), (0.3, 0.7), (0.22, 0.6))[(number - 1) % 4]


_VISIBLE_STREAM, _INFRARED_STREAM, _THERMAL_STREAM = 1, 2, 3
