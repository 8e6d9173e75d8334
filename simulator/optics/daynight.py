"""A camera that takes its infrared-cut filter away at night, as nearly all outdoor cameras do.

A light sensor decides, with two thresholds so that the camera's own lamp and passing headlights
do not make it flap, and with a wait. Around the switch some frames are badly exposed: the filter
slides out while the picture is still in colour, so infrared reaches all colour pixels and tints
them (magenta, because white balance raises red and blue), then monochrome starts too bright and
settles. Back to day the filter slides in and colour starts too dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.optics.bands import Band
from simulator.optics.exposure import Lens
from simulator.optics.sensors import Radiance, VisibleSensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a frame of a switching camera is taken.

    Attributes:
        band: VISIBLE in colour, NEAR_INFRARED in monochrome.
        leak: Share of infrared that reaches the colour pixels; 0 with the filter in place.
        exposure: Factor on the right exposure; 1 when settled.
    """

    band: Band
    leak: float = 0.0
    exposure: float = 1.0

    @property
    def is_settled(self) -> bool:
        """Whether this frame looks as if the camera had never switched."""
        return self.leak == 0 and abs(self.exposure - 1) < 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNightCamera:
    """When it switches, and how long that shows.

    Attributes:
        to_night_lux, to_day_lux: Darker than the first it goes to night, brighter than the
            second back to day.
        wait_s: How long the light must stay there.
        slides_s: How long the filter moves.
        settles_s: Time constant of the exposure after it.
        too_bright: First exposure of the night, relative to the right one.
        too_dark: First exposure of the day.
    """

    to_night_lux: float = 3.0
    to_day_lux: float = 12.0
    wait_s: float = 3.0
    slides_s: float = 0.3
    settles_s: float = 0.25
    too_bright: float = 5.0
    too_dark: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.to_night_lux < self.to_day_lux:
            raise ValueError(
                "to_night_lux, to_day_lux: expected 0 < to_night_lux < to_day_lux, got "
                f"{self.to_night_lux} and {self.to_day_lux}; between them the camera stays as it is"
            )

    def watch(self, lux: Sequence[float], *, fps: float) -> tuple[Look, ...]:
        """How each frame is taken.

        Args:
            lux: Ambient illuminance at each frame. The first alone decides how the camera starts,
                long settled; between the thresholds it starts by day.
        """
        looks: list[Look] = []
        band = Band.VISIBLE
        if lux and lux[0] < self.to_night_lux:
            band = Band.NEAR_INFRARED
        waited_s, since_s = 0.0, np.inf
        for value in lux:
            if self._asks_for_other(band, value):
                waited_s += 1 / fps
            else:
                waited_s = 0.0
            if waited_s >= self.wait_s:
                band = Band.VISIBLE if band is Band.NEAR_INFRARED else Band.NEAR_INFRARED
                waited_s, since_s = 0.0, 0.0
            looks.append(self._look(band, since_s))
            since_s += 1 / fps
        return tuple(looks)

    def _asks_for_other(self, band: Band, lux: float) -> bool:
        return lux < self.to_night_lux if band is Band.VISIBLE else lux > self.to_day_lux

    def _look(self, band: Band, since_s: float) -> Look:
        """Of a camera that decided for `band` `since_s` ago."""
        settling = float(np.exp(-max(since_s - self.slides_s, 0.0) / self.settles_s))
        if band is Band.NEAR_INFRARED:
            if since_s < self.slides_s:
                share = (since_s + 0.1 * self.slides_s) / self.slides_s
                return Look(band=Band.VISIBLE, leak=min(share, 1.0), exposure=1 + share)
            return Look(band=band, exposure=self.too_bright**settling)
        if since_s < self.slides_s:
            return Look(band=band, leak=0.5 * (1 - since_s / self.slides_s), exposure=self.too_dark)
        return Look(band=band, exposure=self.too_dark**settling)


_LEAK_TINT = (1.0, 0.72, 0.98)
"""What infrared looks like to a colour camera: it reaches red, green and blue pixels about alike,
and the white balance of dim light raises red and blue over green."""


def leaked(light: Radiance, near_infrared: Radiance, look: Look) -> Radiance:
    """(H, W, 3) light of a colour camera whose filter is on its way.

    Args:
        light: (H, W, 3) visible light.
        near_infrared: (H, W) as the same view shows under the camera's lamp.
    """
    if look.leak <= 0:
        return light
    tint = np.array(_LEAK_TINT, np.float32) * np.float32(look.leak)
    washed = light.mean(axis=2, keepdims=True) * look.leak + light * (1 - look.leak)
    return np.asarray(washed + near_infrared[..., None] * tint, np.float32)


def adapted(sensor: Lens, look: Look) -> Lens:
    """`sensor` as badly exposed as `look` says; in colour it loses colour with the filter out."""
    sensor = sensor.amplified(look.exposure)
    if isinstance(sensor, VisibleSensor) and look.leak > 0:
        return replace(sensor, saturation=sensor.saturation * (1 - 0.4 * look.leak))
    return sensor
