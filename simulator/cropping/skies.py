"""The light that crops are taken in: any weather and hour, infrared lamps, warm and cold air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.optics.illumination import Daylight, Illuminator, Light, Warmth
from simulator.optics.sensors import InfraredSensor, Sensor, VisibleSensor
from simulator.optics.sky import Sky, daylight, dusk
from simulator.world.meshes import Vector

_SUNNY_SHARE, _OVERCAST_SHARE = 0.4, 0.35


def some_light(sensor: Sensor, rng: np.random.Generator) -> Light:
    """A light that `sensor` sees by."""
    if isinstance(sensor, VisibleSensor):
        return some_daylight(rng)
    if isinstance(sensor, InfraredSensor):
        return Illuminator(
            power=120.0 * 2 ** rng.normal(0, 0.4),
            ambient=0.012 * 2 ** rng.normal(0.5, 1.5),
            offset_m=rng.uniform(0.03, 0.25),
        )
    return Warmth(air_c=rng.uniform(-4, 25), wind_mps=rng.uniform(0.8, 4), stored=rng.uniform(0, 2))


def some_daylight(rng: np.random.Generator) -> Daylight:
    """Sun and overcast skies three times in four, else dusk or night under street lamps."""
    draw = rng.random()
    towards = (rng.normal(0, 0.6), rng.normal(0, 0.6), rng.uniform(0.3, 1))
    if draw < _SUNNY_SHARE:
        return _varied(daylight(Sky.SUN, sun_from=towards), rng)
    if draw < _SUNNY_SHARE + _OVERCAST_SHARE:
        return _varied(daylight(Sky.OVERCAST), rng)
    lamps = tuple(_lamp(rng) for _ in range(int(rng.integers(0, 3))))
    return dusk(
        rng.uniform(0.25, 1), sun_from=towards, lamps=lamps, sodium=bool(rng.random() < 0.4)
    )


def _lamp(rng: np.random.Generator) -> Vector:
    return rng.uniform(-8, 8), rng.uniform(-8, 8), rng.uniform(3.5, 6)


def _varied(light: Daylight, rng: np.random.Generator) -> Daylight:
    """Thin or thick clouds: the sun weaker against the sky, or stronger."""
    red, green, blue = light.sun
    weaker = rng.uniform(0.4, 1.2)
    return replace(light, sun=(red * weaker, green * weaker, blue * weaker))
