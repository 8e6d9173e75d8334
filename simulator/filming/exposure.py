"""How one camera takes each picture of a period: with which eye, in what light, how exposed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from simulator.filming.atmosphere import Atmosphere
from simulator.filming.scenario import Hour
from simulator.filming.take import Take
from simulator.optics.bands import Band
from simulator.optics.daynight import DayNightCamera, Look, adapted
from simulator.optics.exposure import AutoExposure, Lens
from simulator.optics.illumination import Illuminator, Light, Sensor, Warmth
from simulator.optics.sensors import Radiance, ThermalSensor
from simulator.optics.weather import Headlights, Rain
from simulator.world.places import CameraKind

_LONGEST_WAIT_S = 3.0
_WAIT_SHARE = 0.08
_THRESHOLD_SPREAD = 0.2
_SETTLED_S = 1e6
_BY_DAY_S, _IN_THE_DARK_S = 1 / 120, 1 / 25
"""How long the shutter stands open."""
_IN_COLOUR = AutoExposure(target=0.12, lowest=0.2, highest=6.0)
_BEFORE_THE_LAMP = AutoExposure(target=0.17, lowest=0.25, highest=1.0)
"""The gain of the night stands at its limit; only glare brings it down."""
_RAIN = Rain(strength=0.35)
_CAR_EVERY_S = (15.0, 30.0)
_FILM_WIDTH_PX = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How one picture is taken.

    Attributes:
        light: Of the band of `look`.
        lamp: The infrared that leaks in while the filter slides, or None.
        shutter_s: How long the picture is exposed.
    """

    look: Look
    light: Light
    lamp: Illuminator | None
    shutter_s: float

    @property
    def band(self) -> Band:
        """What is drawn."""
        return self.look.band


class Watch:
    """One camera through one period; ask for its pictures in order."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._air = Atmosphere(
            take.place,
            take.period.hour,
            lasts_s=take.lasts_s,
            is_raining=take.settings.is_raining,
        )
        seed = zlib.crc32(take.camera.name.encode())
        rng = np.random.default_rng([take.seed, seed])
        self._looks = _looks(take, self._air, rng)
        self._cars = _cars(take, rng) if take.settings.with_headlights else ()
        self._thermal = ThermalSensor(pattern_seed=seed)
        self._gains: dict[Band, float] = {}

    def at(self, frame: int) -> Exposure:
        """How picture `frame` is taken."""
        take, time_s = self._take, frame / self._take.fps
        if take.camera.kind is CameraKind.THERMAL:
            return Exposure(
                look=Look(band=Band.THERMAL),
                light=self._air.warmth(time_s),
                lamp=None,
                shutter_s=_BY_DAY_S,
            )
        look = self._looks[frame]
        light = self._air.light(take.camera, time_s)
        is_bright = look.band is Band.VISIBLE and take.period.hour is Hour.DAY
        return Exposure(
            look=look,
            light=light if look.band is Band.VISIBLE else take.camera.lamp,
            lamp=take.camera.lamp if look.leak > 0 else None,
            shutter_s=_BY_DAY_S if is_bright else _IN_THE_DARK_S,
        )

    def weathered(
        self, frame: int, radiance: Radiance, exposure: Exposure, rng: np.random.Generator
    ) -> Radiance:
        """The light of a picture with rain and passing cars, where there are any."""
        for car in self._cars:
            radiance = car.over(radiance, frame / self._take.fps, exposure.light)
        if self._air.has_rain:
            radiance = _RAIN.over(radiance, self._take.camera.view, exposure.light, rng)
        return radiance

    def sensor(self, radiance: Radiance, exposure: Exposure) -> Sensor:
        """The sensor, its gain following the light."""
        camera = self._take.camera
        if isinstance(exposure.light, Warmth):
            return self._thermal
        if isinstance(exposure.light, Illuminator):
            dazzled = self._follow(_BEFORE_THE_LAMP, camera.infrared, radiance)
            return adapted(dazzled, exposure.look)
        sensor = replace(camera.visible, lux=exposure.light.lux)
        if self._take.period.hour is Hour.DAY:
            return sensor
        return adapted(self._follow(_IN_COLOUR, sensor, radiance), exposure.look)

    def _follow(self, meter: AutoExposure, sensor: Lens, radiance: Radiance) -> Lens:
        """`sensor` with the gain that its own last picture leads to."""
        after_s = 1 / self._take.fps if sensor.band in self._gains else _SETTLED_S
        sensor = sensor.amplified(self._gains.get(sensor.band, 1.0))
        followed = meter.follow(sensor, radiance, after_s=after_s)
        self._gains[sensor.band] = followed.amplification
        return followed


def _looks(take: Take, air: Atmosphere, rng: np.random.Generator) -> tuple[Look, ...]:
    """One per frame; every camera has thresholds a little of its own."""
    if take.camera.kind is not CameraKind.DAY_NIGHT:
        return (Look(band=Band.VISIBLE),) * take.n_frames
    if take.period.hour is Hour.NIGHT:
        return (Look(band=Band.NEAR_INFRARED),) * take.n_frames
    lux = [air.lux(take.camera, k / take.fps) for k in range(take.n_frames)]
    factor = float(np.exp(rng.normal(0, _THRESHOLD_SPREAD)))
    usual = DayNightCamera()
    switch = DayNightCamera(
        to_night_lux=usual.to_night_lux * factor,
        to_day_lux=usual.to_day_lux * factor,
        wait_s=min(_LONGEST_WAIT_S, _WAIT_SHARE * take.lasts_s),
    )
    return switch.watch(lux, fps=take.fps)


def _cars(take: Take, rng: np.random.Generator) -> tuple[Headlights, ...]:
    """Cars that come by, outdoors and not by day."""
    if take.place.is_indoor or take.period.hour is Hour.DAY:
        return ()
    scale = take.camera.view.size_px[0] / _FILM_WIDTH_PX
    usual, cars = Headlights(starts_at_s=0.0), []
    time_s = float(rng.uniform(0, _CAR_EVERY_S[0]))
    while time_s < take.lasts_s:
        ways = [usual.start_px, usual.end_px][:: 1 if rng.random() < 0.5 else -1]
        (x0, y0), (x1, y1) = ways
        cars.append(
            Headlights(
                starts_at_s=time_s,
                start_px=(x0 * scale, y0 * scale),
                end_px=(x1 * scale, y1 * scale),
                apart_px=usual.apart_px * scale,
            )
        )
        time_s += float(rng.uniform(*_CAR_EVERY_S))
    return tuple(cars)
