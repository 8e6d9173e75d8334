"""Automatic exposure: how a camera follows the light from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from simulator.optics.sensors import InfraredSensor, Radiance, VisibleSensor

Lens = TypeVar("Lens", VisibleSensor, InfraredSensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoExposure:
    """A meter of the mean, with limits and inertia.

    Somebody who fills a small part of the picture is over-exposed nonetheless; who fills much of
    it, or headlights, darken everything else for as long as they are there.

    Attributes:
        target: Mean linear value that it brings pictures to.
        lowest, highest: Limits of the sensor's amplification.
        settles_s: Time in which most (63 %) of a change is followed.
    """

    target: float = 0.17
    lowest: float = 0.2
    highest: float = 4.0
    settles_s: float = 0.4

    def follow(self, sensor: Lens, light: Radiance, *, after_s: float) -> Lens:
        """`sensor` for the next picture, `after_s` after the one of `light`.

        A very long `after_s` gives the settled sensor. A dark picture opens it up to `highest`.
        """
        wanted = sensor.amplification * self.target / max(sensor.measure(light), 1e-6)
        wanted = float(np.clip(wanted, self.lowest, self.highest))
        followed = 1 - float(np.exp(-after_s / self.settles_s))
        return sensor.amplified((wanted / sensor.amplification) ** followed)
