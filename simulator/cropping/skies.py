"""The light that visible crops are taken in: sun, overcast sky, dusk under a street lamp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.optics.illumination import Daylight


def some_daylight(rng: np.random.Generator) -> tuple[Daylight, float]:
    """A light and how bright it is against day, in (0, 1]."""
    draw = rng.random()
    if draw < 0.4:
        return _sunny(rng), 1.0
    if draw < 0.75:
        return _overcast(rng), 1.0
    return _dusk(rng)


def _sunny(rng: np.random.Generator) -> Daylight:
    strength, sky = rng.uniform(0.4, 1.25), rng.uniform(0.5, 1.2)
    warm = rng.uniform(-0.05, 0.22)
    return Daylight(
        sun_from=(rng.normal(0, 0.6), rng.normal(0, 0.6), rng.uniform(0.3, 1)),
        sun=(1.9 * strength, (1.75 - 0.5 * warm) * strength, (1.5 - warm * 2) * strength),
        sky=(0.64 * sky, 0.72 * sky, 0.86 * sky),
    )


def _overcast(rng: np.random.Generator) -> Daylight:
    sky, sun = rng.uniform(0.5, 1.1), rng.uniform(0, 0.22)
    return Daylight(
        sun_from=(rng.normal(0, 0.4), rng.normal(0, 0.4), 1.0),
        sun=(sun, sun, sun),
        sky=(0.74 * sky, 0.76 * sky, 0.80 * sky),
        background=(0.8, 0.82, 0.85),
    )


def _dusk(rng: np.random.Generator) -> tuple[Daylight, float]:
    """The rest of the sky, and a street lamp: sodium, or white as newer ones are."""
    dimness = float(np.exp(rng.uniform(np.log(0.04), np.log(0.5))))
    lamp = rng.uniform(0.1, 0.8)
    red, green, blue = (1.0, 0.62, 0.25) if rng.random() < 0.5 else (1.0, 0.92, 0.78)
    base = Daylight(
        sun_from=(rng.normal(0, 0.8), rng.normal(0, 0.8), rng.uniform(0.5, 1)),
        sun=(red * lamp, green * lamp, blue * lamp),
        sky=(0.40, 0.48, 0.66),
        background=(0.35, 0.42, 0.6),
    )
    return dimmed(base, dimness), dimness


def dimmed(light: Daylight, share: float) -> Daylight:
    """`light` times `share`."""

    def less(colour: tuple[float, float, float]) -> tuple[float, float, float]:
        red, green, blue = colour
        return red * share, green * share, blue * share

    return replace(
        light,
        sun=less(light.sun),
        sky=less(light.sky),
        bounce=less(light.bounce),
        background=less(light.background),
    )
