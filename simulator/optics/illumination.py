"""The light of a scene: sun, sky and street lamps; a camera's infrared lamp; warmth.

The sensors that look at it are in `sensors`; they are named here too, because who chooses one
chooses the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.figures.wardrobe import Colour
from simulator.optics.bands import Band
from simulator.optics.sensors import (
    InfraredSensor,
    Picture,
    Radiance,
    Sensor,
    ThermalSensor,
    VisibleSensor,
)
from simulator.world.meshes import Vector

__all__ = [
    "Daylight",
    "Illuminator",
    "InfraredSensor",
    "Light",
    "Picture",
    "Radiance",
    "Sensor",
    "ThermalSensor",
    "VisibleSensor",
    "Warmth",
]

MOST_LAMPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Daylight:
    """Everything that a colour camera sees by: sun, sky, and the lamps of a street or a room.

    Light is relative, because a camera opens its exposure to it: an irradiance of 1 makes a well
    exposed white. `lux` says how much light that is, and with it how much noise comes along.

    Attributes:
        sun_from: Direction towards the sun, any length, z > 0.
        sun, sky, bounce: Linear RGB of the sun, of the sky on upward surfaces and of the light
            that the ground throws back.
        background: Linear RGB where nothing stands.
        softness_m: Width of the shadows' edges; 0 is the sharp sun.
        lamps: Where street lamps hang (at most 8, metres).
        lamp: Linear RGB of each lamp's irradiance straight below it, 5 m away.
        lux: Illuminance of an irradiance of 1.
    """

    sun_from: Vector = (0.45, -0.55, 0.75)
    sun: Colour = (1.9, 1.75, 1.5)
    sky: Colour = (0.62, 0.70, 0.84)
    bounce: Colour = (0.32, 0.29, 0.25)
    background: Colour = (0.75, 0.85, 1.0)
    softness_m: float = 0.0
    lamps: tuple[Vector, ...] = ()
    lamp: Colour = (0.0, 0.0, 0.0)
    lux: float = 40_000.0

    def __post_init__(self) -> None:
        if len(self.lamps) > MOST_LAMPS:
            raise ValueError(
                f"lamps: expected at most {MOST_LAMPS}, got {len(self.lamps)}; "
                "keep those nearest to what the camera sees"
            )

    @property
    def band(self) -> Band:
        """VISIBLE."""
        return Band.VISIBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Illuminator:
    """The infrared lamp beside a camera's lens, 850 nm.

    Its light falls with the square of the distance and towards the edge of its beam, so who
    comes close is over-exposed and who is far sinks into the noise.

    Attributes:
        power: Irradiance at one metre on the axis.
        ambient: Irradiance everywhere.
        offset_m: From the lens to the lamp, upwards. Retro-reflectors shine the more, the nearer
            the lamp is to the lens.
    """

    power: float = 120.0
    ambient: float = 0.012
    offset_m: float = 0.12

    @property
    def band(self) -> Band:
        """NEAR_INFRARED."""
        return Band.NEAR_INFRARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """What decides the temperatures of things, for a thermal camera.

    Attributes:
        air_c: Air temperature (degrees Celsius).
        sky_c: Apparent temperature of the sky in 8 to 14 um: some 25 below the air when clear,
            a few below when overcast, equal to the air indoors.
        wind_mps: Air past the body; a walker makes 1 m/s of it.
        stored: How much of the sun the ground and walls hold: 0 indoors, 1 on an evening after
            a fine day, 4 in the sun.
    """

    air_c: float = 9.0
    sky_c: float = -12.0
    wind_mps: float = 1.2
    stored: float = 1.0

    @property
    def band(self) -> Band:
        """THERMAL."""
        return Band.THERMAL


Light = Daylight | Illuminator | Warmth
