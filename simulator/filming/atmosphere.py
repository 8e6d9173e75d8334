"""The light and the warmth of a place at every moment of an hour."""

from __future__ import annotations

from dataclasses import replace

from simulator.filming.scenario import Hour
from simulator.optics.illumination import Daylight, Warmth
from simulator.optics.sky import Sky, daylight, dusk, level_lux
from simulator.world.meshes import Vector
from simulator.world.places import Camera, Place

_DUSK_FROM, _NIGHT_AT = 0.35, 0.7
"""Dusk begins with that share of the evening gone, and is over at that share of the period."""
_DUSK_STEPS = 100
"""The place is drawn anew when the light changes: a hundredth of an evening is not seen."""
_LIGHTS_OUT_AT = 0.55
_ROOM_LUX = 400.0
_EMERGENCY = 0.002
"""What is left indoors when the lamps are switched off."""


class Atmosphere:
    """Of one place in one period.

    Indoors the lamps burn by day, go out in the middle of dusk, and stay out at night.
    """

    def __init__(self, place: Place, hour: Hour, *, lasts_s: float, is_raining: bool) -> None:
        self._place = place
        self._hour = hour
        self._lasts_s = lasts_s
        self._is_raining = is_raining and not place.is_indoor

    @property
    def has_rain(self) -> bool:
        """Whether it rains here."""
        return self._is_raining

    def light(self, camera: Camera, time_s: float) -> Daylight:
        """What a colour camera sees by, `time_s` after the period began."""
        if self._place.is_indoor:
            lamps = replace(camera.daylight or Daylight(), lux=_ROOM_LUX)
            return lamps if self._are_lamps_on(time_s) else _dimmed(lamps, _EMERGENCY)
        if self._hour is Hour.DAY:
            if self._is_raining:
                return daylight(Sky.OVERCAST)
            return camera.daylight or daylight(Sky.SUN)
        return dusk(self._evening(time_s), lamps=self._place.lamps)

    def lux(self, camera: Camera, time_s: float) -> float:
        """What the light sensor of a camera measures."""
        return level_lux(self.light(camera, time_s))

    def warmth(self, time_s: float) -> Warmth:
        """What a thermal camera sees by."""
        if self._place.is_indoor:
            return Warmth(air_c=21.0, sky_c=21.0, wind_mps=1.0, stored=0.0)
        evening = 0.0 if self._hour is Hour.DAY else self._evening(time_s)
        air_c = 17.0 - 8.0 * evening
        if self._is_raining:
            return Warmth(air_c=air_c - 4, sky_c=air_c - 7, wind_mps=2.5, stored=0.1)
        return Warmth(air_c=air_c, sky_c=air_c - 21, stored=4.0 - 3.0 * evening)

    def _are_lamps_on(self, time_s: float) -> bool:
        if self._hour is Hour.DUSK:
            return time_s < _LIGHTS_OUT_AT * self._lasts_s
        return self._hour is Hour.DAY

    def _evening(self, time_s: float) -> float:
        """0 is the last of the day, 1 is night."""
        if self._hour is not Hour.DUSK:
            return float(self._hour is Hour.NIGHT)
        share = _DUSK_FROM + (1 - _DUSK_FROM) * time_s / (_NIGHT_AT * self._lasts_s)
        return round(min(share, 1.0) * _DUSK_STEPS) / _DUSK_STEPS


def _dimmed(light: Daylight, share: float) -> Daylight:
    """The same lamps, `share` as bright, with the picture opened up as far as cameras can."""

    def less(colour: Vector) -> Vector:
        red, green, blue = colour
        return red * _OPENED, green * _OPENED, blue * _OPENED

    return replace(
        light,
        sun=less(light.sun),
        sky=less(light.sky),
        bounce=less(light.bounce),
        background=less(light.background),
        lux=light.lux * share / _OPENED,
    )


_OPENED = 0.12
