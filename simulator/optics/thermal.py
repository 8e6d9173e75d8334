"""Temperatures of people and places, from which a thermal camera's picture is made.

A thermal camera sees what surfaces emit between 8 and 14 um, and what they reflect of the sky.
Skin emits it by its own warmth; cloth by the warmth that comes through it: a layer between skin
and air has the outside temperature

    air + (skin - air) * R_air / (R_cloth + R_air)

where R_cloth is its insulation (m2 K/W) and R_air = 1 / (h_r + h_c) that of the air before it,
with h_r = 5 W/m2 K for radiation (4 sigma T^3 near 285 K) and h_c = 8.6 v^0.53 for a walker at
v m/s (Nishi and Gagge 1970, in the ASHRAE Handbook, Thermal Comfort). Garments insulate as
ISO 9920 lists them: a T-shirt 0.02, a jumper 0.06 to 0.1, a coat 0.15 to 0.3 m2 K/W where it
lies on the trunk.

Bare skin follows the air: Olesen (1984, in ISO 9886) finds foreheads some 0.3 K colder per
kelvin of colder air, and hands twice to three times that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.figures.materials import Material
from simulator.figures.wardrobe import HairStyle, Outfit
from simulator.optics.illumination import Warmth
from simulator.world.meshes import Surface

_COMFORTABLE_C = 22.0
_RADIATION_W_M2K = 5.0
_LEAST_OVER_AIR_K = 2.5

SKIN_EMISSIVITY, CLOTH_EMISSIVITY = 0.98, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Skin:
    """Skin temperatures (Celsius), bare and under clothes."""

    face: float
    hands: float
    arms: float
    legs: float
    covered_trunk: float
    covered_legs: float
    feet: float


def skin_at(air_c: float) -> Skin:
    """Skin of somebody who walks, dressed for it, in air of `air_c`.

    >>> skin_at(22.0).face
    34.0
    """
    cold = _COMFORTABLE_C - air_c

    def at(comfortable_c: float, per_kelvin: float) -> float:
        return max(comfortable_c - per_kelvin * cold, air_c + _LEAST_OVER_AIR_K)

    return Skin(
        face=at(34.0, 0.29),
        hands=at(32.0, 0.65),
        arms=at(32.5, 0.38),
        legs=at(31.5, 0.40),
        covered_trunk=at(33.5, 0.08),
        covered_legs=at(32.0, 0.14),
        feet=at(30.5, 0.25),
    )


def through(skin_c: float, insulation: float, light: Warmth) -> float:
    """Outside temperature (Celsius) of cloth of `insulation` (m2 K/W) on skin of `skin_c`.

    >>> through(33.0, 0.0, Warmth(air_c=9.0))
    33.0
    """
    convection = 8.6 * max(light.wind_mps, 0.1) ** 0.53
    air_layer = 1 / (_RADIATION_W_M2K + float(convection))
    return light.air_c + (skin_c - light.air_c) * air_layer / (insulation + air_layer)


def top_insulation(thickness_m: float) -> float:
    """Insulation (m2 K/W) of a top that stands `thickness_m` off the skin, air gap included."""
    return 0.02 + 7.5 * max(thickness_m - 0.009, 0.0)


def bottom_insulation(thickness_m: float) -> float:
    """Insulation (m2 K/W) of trousers or a skirt."""
    return 0.03 + 6.0 * max(thickness_m - 0.006, 0.0)


def warmth_of_materials(outfit: Outfit, light: Warmth) -> npt.NDArray[np.float32]:
    """(len(Material),) float32: outside temperatures (Celsius), evened over each material.

    That of SKIN is the neck's; the shader adds face, hands and legs.
    """
    skin = skin_at(light.air_c)
    top = top_insulation(outfit.top_thickness_m)
    bottom = bottom_insulation(outfit.bottom_thickness_m)
    boots = 0.06 if outfit.shoe_top_m > -0.7 else 0.0
    scalp = skin.covered_trunk
    insulation = {
        Material.SKIN: (skin.face, 0.0),
        Material.TOP: (skin.covered_trunk, top),
        Material.BOTTOM: (skin.covered_legs, bottom),
        Material.SHOES: (skin.feet, 0.13 + boots),
        Material.HAIR: (scalp, _HAIR[outfit.hair_style]),
        Material.CAP: (scalp, 0.13),
        Material.BAG: (skin.covered_trunk, 0.9),
        Material.LOCKS: (scalp, 0.25),
        Material.VEST: (skin.covered_trunk, top + 0.05),
        Material.HOOD: (scalp, top + 0.08),
        Material.SCARF: (skin.face, 0.12),
        Material.BRIM: (scalp, 0.6),
        Material.LEGWEAR: (skin.legs, 0.015),
        Material.STRAP: (skin.covered_trunk, top + 0.12),
    }
    return np.array(
        [through(*insulation[material], light) for material in Material], dtype=np.float32
    )


_HAIR = dict.fromkeys(HairStyle, 0.10) | {
    HairStyle.BALD: 0.0,
    HairStyle.CROPPED: 0.04,
    HairStyle.RECEDING: 0.07,
    HairStyle.CURLY: 0.17,
    HairStyle.BOB: 0.14,
    HairStyle.LONG: 0.14,
    HairStyle.BUN: 0.13,
}
"""Insulation (m2 K/W): 0.1 makes short hair 27 degrees in a room where the face has 34."""

_STORED_K = {
    Surface.PLAIN: 0.2,
    Surface.SLABS: 2.2,
    Surface.ASPHALT: 3.2,
    Surface.BRICK: 1.8,
    Surface.FACADE: 0.6,
    Surface.FOLIAGE: -0.3,
    Surface.GRASS: -1.8,
    Surface.RIBBED: -1.2,
    Surface.TILES: 0.4,
    Surface.PLASTER: 0.8,
}
"""Kelvin over the air on an evening after a fine day: stone holds the sun's warmth, grass and thin
metal give theirs to the sky."""

_EMISSIVITY = {
    Surface.SLABS: 0.92,
    Surface.ASPHALT: 0.96,
    Surface.BRICK: 0.93,
    Surface.FACADE: 0.91,
    Surface.FOLIAGE: 0.97,
    Surface.GRASS: 0.98,
    Surface.RIBBED: 0.88,
    Surface.TILES: 0.90,
    Surface.PLASTER: 0.91,
}
"""At 8 to 14 um, after the emissivity tables of FLIR's camera manuals (asphalt 0.967, brick 0.93,
concrete 0.92, plaster 0.91, oil paint 0.94)."""


def surface_warmth(light: Warmth) -> npt.NDArray[np.float32]:
    """(highest Surface + 1,) float32: temperatures (Celsius) of the surfaces of a place."""
    warm = np.full(max(Surface) + 1, light.air_c, np.float32)
    for surface in Surface:
        offset_k = _STORED_K.get(surface, 0.5)
        # What grass and metal lose to the sky they lose whatever the day was.
        warm[surface] += offset_k * (light.stored if offset_k > 0 else min(light.stored, 1.0))
    return warm


def surface_emissivity() -> npt.NDArray[np.float32]:
    """(highest Surface + 1,) float32."""
    emits = np.full(max(Surface) + 1, 0.94, np.float32)
    for surface, value in _EMISSIVITY.items():
        emits[surface] = value
    return emits
