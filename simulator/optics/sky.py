"""The hours of a colour camera: sun, overcast, dusk, and night under street lamps.

Illuminances are those of the RCA Electro-Optics Handbook: full sun some 100 000 lux, overcast
1 000 to 20 000, sunset 400, the end of civil twilight 3.4; a lit street has 5 to 15.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from simulator.figures.wardrobe import Colour
from simulator.optics.illumination import Daylight
from simulator.world.meshes import Vector

_DAY_LUX = 20_000.0
_NIGHT_LUX = 8.0
_OVERCAST_SHADOW_M = 0.25
_LAMPS_ON_AT = 0.55
_LAST_SUN = 0.02
_FAR_GLOW, _FAR_GLOW_AMONG_LAMPS = 0.35, 0.09
_DUSK_SHARE = 0.74
_SODIUM: Colour = (1.0, 0.62, 0.27)
_LED: Colour = (1.0, 0.88, 0.70)


class Sky(StrEnum):
    """What lights a place."""

    SUN = "sun"
    OVERCAST = "overcast"
    DUSK = "dusk"
    NIGHT = "night"


def daylight(
    sky: Sky,
    *,
    sun_from: Vector = (0.45, -0.55, 0.75),
    lamps: tuple[Vector, ...] = (),
    sodium: bool = False,
) -> Daylight:
    """The light of `sky`.

    Args:
        sun_from: Towards the sun; overcast and night do not care.
        lamps: Street lamps, lit at dusk and by night. With none, night has the glow of lamps
            out of sight.
        sodium: Lamps are orange, as older ones are.
    """
    if sky is Sky.SUN:
        return Daylight(sun_from=sun_from)
    if sky is Sky.OVERCAST:
        # The light of a grey sky comes from everywhere, most of it from above (CIE overcast sky:
        # the zenith is three times as bright as the horizon). The "sun" is that zenith part.
        return Daylight(
            sun_from=(0.28, -0.22, 1.0),
            sun=(0.72, 0.73, 0.74),
            sky=(0.70, 0.73, 0.78),
            bounce=(0.34, 0.34, 0.33),
            background=(0.95, 0.97, 1.0),
            softness_m=_OVERCAST_SHADOW_M,
            lux=10_000.0,
        )
    return dusk(
        _DUSK_SHARE if sky is Sky.DUSK else 1.0, sun_from=sun_from, lamps=lamps, sodium=sodium
    )


def level_lux(light: Daylight) -> float:
    """Illuminance of level ground in `light`, its street lamps left out."""
    up = light.sun_from[2] / float(np.linalg.norm(light.sun_from))
    return light.lux * float(np.mean(light.sun) * up + np.mean(light.sky))


def dusk(
    share: float,
    *,
    sun_from: Vector = (0.45, -0.55, 0.75),
    lamps: tuple[Vector, ...] = (),
    sodium: bool = False,
) -> Daylight:
    """The light of an evening: `share` 0 is the last of the day, 1 is night, lamps lit.

    Illuminance falls by the same factor in equal times. The sun goes down and reddens until a
    third of the way, the sky turns blue and dark, then lamps take over. The camera keeps the
    picture nearly as bright; it pays with noise.

    Raises:
        ValueError: If `share` is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 (day) to 1 (night), got {share}")
    sunny = max(1 - share / 0.35, 0.0)
    warm = 1 - 0.55 * min(share / 0.35, 1.0)
    level = float(np.interp(share, [0, 0.5, 0.8, 1], [0.85, 0.6, 0.25, 0.05]))
    lit = float(np.interp(share, [_LAMPS_ON_AT, 0.9], [0.0, 1.0]))
    glow = _SODIUM if sodium else _LED
    far = lit * (_FAR_GLOW_AMONG_LAMPS if lamps else _FAR_GLOW)
    sky = _times(_sky_colour(float(np.interp(share, [0, 0.45, 0.8, 1], [0, 0.6, 1, 0.4]))), level)
    is_sunny = sunny > _LAST_SUN
    if is_sunny:
        east, north, up = sun_from
        towards = (east, north, max(up * (0.25 + 0.75 * sunny), 0.15))
        sun = (1.7 * sunny, 0.75 * sunny * (1 + warm), 1.3 * sunny * warm**2)
    else:
        # No more sun: a soft light from above, of the sky and then of the lamps, grounds people.
        towards = (0.3, -0.2, 1.0)
        sun = _plus(_times(sky, 0.4 * min((share - 0.33) / 0.15, 1.0)), glow, far)
    return Daylight(
        sun_from=towards,
        sun=sun,
        sky=_plus(sky, glow, far * 0.25),
        bounce=_plus((0.3 * level, 0.3 * level, 0.3 * level), glow, far * 0.3),
        background=_plus(_times(sky, 1.1), glow, 0.01 * lit),
        softness_m=0.0 if is_sunny else 0.3,
        lamps=lamps if lit > 0 else (),
        lamp=_times(glow, 1.3 * lit),
        lux=_DAY_LUX * (_NIGHT_LUX / _DAY_LUX) ** share,
    )


def _sky_colour(blue: float) -> Colour:
    """Linear RGB of a sky from white (0) to the deep blue after sunset (1)."""
    return 0.95 - 0.55 * blue, 1.0 - 0.38 * blue, 1.06


def _times(colour: Colour, share: float) -> Colour:
    red, green, blue = colour
    return red * share, green * share, blue * share


def _plus(colour: Colour, glow: Colour, share: float) -> Colour:
    red, green, blue = (a + share * b for a, b in zip(colour, glow, strict=True))
    return red, green, blue
