"""Reflectance at 850 nm: fibre and dye decide, the colour we see hardly does.

Theory. Kubelka and Munk relate the reflectance R of a thick cloth to the ratio of absorption and
scattering, K/S = (1 - R)^2 / 2R, and ratios of fibre and dye add up; textile dyeing is measured
this way. A dye that stops absorbing beyond the visible leaves the bare fibre, which is bright.
`Dye` says which share of its absorption in the visible a dye keeps at 850 nm, as a range.

Sources of the mechanism; the ranges are our estimates in keeping with them, not measurements:

- Bare fibres reflect most near infrared, and black cloths range from white to black there:
  Mangold, Shaw, Vollmer, "The physics of near-infrared photography", Eur. J. Phys. 34 (2013).
- Carbon black takes near infrared away at 0.05 g/kg of a print: Abbasipour et al., prints on
  cotton and nylon. LiDAR patent US 11,656,388 gives 12 % as the usual limit of carbon-black cloth.
- Small dye molecules do not absorb above 750 nm, melanin does up to 1400 nm: the near-infrared
  spectroscopy of hair, J. Cosmet. Sci. 51 (2000), pp. 183-192.
- Skin: Jacquez et al., J. Appl. Physiol. 8 (1955): differences of pigment matter below 1000 nm
  only, weakly from 800 nm on. Cooksey, Tsai, Allen, Proc. SPIE 9461 (2015): 0.5 to 0.65.
- Indigo absorbs around 610 to 660 nm and little beyond 750 nm.
- Four hundredths are thrown back by the surface itself (Fresnel, refractive index 1.5), whatever
  lies below: no cloth is darker.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from simulator.figures.wardrobe import Colour


class Fibre(StrEnum):
    """What a cloth is made of."""

    COTTON = "cotton"
    WOOL = "wool"
    POLYESTER = "polyester"
    NYLON = "nylon"
    ACRYLIC = "acrylic"
    LEATHER = "leather"
    PLASTIC = "plastic"


class Dye(StrEnum):
    """What colours it."""

    NONE = "none"
    REACTIVE = "reactive"
    DISPERSE = "disperse"
    ACID = "acid"
    CATIONIC = "cationic"
    VAT = "vat"
    INDIGO = "indigo"
    SULPHUR = "sulphur"
    CARBON = "carbon"
    PIGMENT = "pigment"
    CHROME = "chrome"


BARE_REFLECTANCE: Mapping[Fibre, tuple[float, float]] = {
    Fibre.COTTON: (0.68, 0.82),
    Fibre.WOOL: (0.58, 0.74),
    Fibre.POLYESTER: (0.62, 0.80),
    Fibre.NYLON: (0.58, 0.76),
    Fibre.ACRYLIC: (0.64, 0.80),
    Fibre.LEATHER: (0.45, 0.68),
    Fibre.PLASTIC: (0.55, 0.85),
}
"""Lowest and highest reflectance at 850 nm of the fibre without dye."""

KEPT_ABSORPTION: Mapping[Dye, tuple[float, float]] = {
    Dye.NONE: (0.0, 0.0),
    Dye.REACTIVE: (0.004, 0.03),
    Dye.DISPERSE: (0.003, 0.03),
    Dye.ACID: (0.005, 0.06),
    Dye.CATIONIC: (0.003, 0.02),
    Dye.VAT: (0.02, 0.15),
    Dye.INDIGO: (0.008, 0.03),
    Dye.SULPHUR: (0.12, 0.45),
    Dye.CARBON: (0.6, 1.0),
    Dye.PIGMENT: (0.005, 0.08),
    Dye.CHROME: (0.02, 0.3),
}
"""Share of the dye's visible K/S that is left at 850 nm; drawn evenly in its logarithm."""

DYES_OF_FIBRE: Mapping[Fibre, Mapping[Dye, float]] = {
    Fibre.COTTON: {Dye.REACTIVE: 0.66, Dye.VAT: 0.14, Dye.PIGMENT: 0.2},
    Fibre.WOOL: {Dye.ACID: 0.75, Dye.CHROME: 0.25},
    Fibre.POLYESTER: {Dye.DISPERSE: 1.0},
    Fibre.NYLON: {Dye.ACID: 0.8, Dye.PIGMENT: 0.2},
    Fibre.ACRYLIC: {Dye.CATIONIC: 1.0},
    Fibre.LEATHER: {Dye.CHROME: 0.6, Dye.PIGMENT: 0.4},
    Fibre.PLASTIC: {Dye.PIGMENT: 1.0},
}
"""How often a coloured cloth of a fibre is dyed in which way."""

DARK_DYES_OF_FIBRE: Mapping[Fibre, Mapping[Dye, float]] = {
    Fibre.COTTON: {Dye.REACTIVE: 0.6, Dye.SULPHUR: 0.3, Dye.PIGMENT: 0.1},
    Fibre.WOOL: {Dye.ACID: 0.55, Dye.CHROME: 0.45},
    Fibre.POLYESTER: {Dye.DISPERSE: 0.65, Dye.CARBON: 0.35},
    Fibre.NYLON: {Dye.ACID: 0.6, Dye.CARBON: 0.4},
    Fibre.ACRYLIC: {Dye.CATIONIC: 0.75, Dye.CARBON: 0.25},
    Fibre.LEATHER: {Dye.CHROME: 0.5, Dye.CARBON: 0.5},
    Fibre.PLASTIC: {Dye.CARBON: 1.0},
}
"""The same for black and nearly black cloth: sulphur black and carbon black come in."""

_DARK = 0.06
_GREY = 0.35
_BLACK_IN_GREY = 0.4
_SURFACE = 0.04


def infrared_of(colour: Colour, *, bare: float, kept: float) -> float:
    """Reflectance at 850 nm of a cloth of `colour`.

    Args:
        bare: Reflectance of the fibre without dye.
        kept: Share of the dye's visible K/S that is left at 850 nm.

    >>> round(infrared_of((0.03, 0.03, 0.03), bare=0.75, kept=0.01), 2)
    0.56
    >>> round(infrared_of((0.03, 0.03, 0.03), bare=0.75, kept=1.0), 2)
    0.07
    """
    seen = float(np.clip(np.mean(colour), 0.015, 0.95))
    ratio = _ratio(bare) + kept * max(_ratio(seen) - _ratio(bare), 0.0)
    below = 1 + ratio - np.sqrt(ratio**2 + 2 * ratio)
    return float(_SURFACE + (1 - _SURFACE) * below)


def random_infrared(
    colour: Colour, fibre: Fibre, rng: np.random.Generator, *, dye: Dye | None = None
) -> float:
    """Reflectance at 850 nm of some cloth of `fibre` in `colour`; `dye` None is a usual one.

    Gaps between threads and a deep pile swallow up to two fifths of the light.
    """
    dye = dye or random_dye(colour, fibre, rng)
    low, high = KEPT_ABSORPTION[dye]
    kept = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if high > 0 else 0.0
    bare = float(rng.uniform(*BARE_REFLECTANCE[fibre]))
    return infrared_of(colour, bare=bare, kept=kept) * float(rng.uniform(0.6, 1))


def random_dye(colour: Colour, fibre: Fibre, rng: np.random.Generator) -> Dye:
    """A usual dye of `fibre` for `colour`: blacks come into dark cloth and into some greys."""
    mean = float(np.mean(colour))
    is_grey = max(colour) - min(colour) < _GREY * mean
    is_dark = mean < _DARK or (is_grey and mean < _GREY and rng.random() < _BLACK_IN_GREY)
    dyes = (DARK_DYES_OF_FIBRE if is_dark else DYES_OF_FIBRE)[fibre]
    return list(dyes)[int(rng.choice(len(dyes), p=list(dyes.values())))]


def skin_infrared(colour: Colour, rng: np.random.Generator) -> float:
    """Reflectance at 850 nm of skin: nearly the same whatever its tone, darker skin slightly less.

    0.5 to 0.65; the slope with tone is the rest of melanin's absorption (Jacquez et al., 1955).
    """
    tone = float(np.mean(colour))
    return float(np.clip(0.515 + 0.14 * tone + rng.normal(0, 0.025), 0.44, 0.68))


def hair_infrared(colour: Colour, rng: np.random.Generator) -> float:
    """Reflectance at 850 nm of hair: melanin absorbs less there, so dark hair turns brighter.

    Kubelka and Munk with a quarter to two fifths of the visible absorption left; gaps between
    hairs swallow light, hence the factor.
    """
    kept = float(rng.uniform(0.18, 0.4))
    bright = infrared_of(colour, bare=0.6, kept=kept) * rng.uniform(0.8, 1.0)
    return float(np.clip(bright, 0.08, 0.5))


def _ratio(reflectance: float) -> float:
    """K/S of Kubelka and Munk."""
    return (1 - reflectance) ** 2 / (2 * reflectance)
