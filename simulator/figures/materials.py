"""What the surface of a person is made of."""

from __future__ import annotations

from enum import IntEnum

from simulator.figures.wardrobe import Cloth, Outfit


class Material(IntEnum):
    """What a vertex of a person is made of; the numbers are those of the shader."""

    SKIN = 0
    TOP = 1
    BOTTOM = 2
    SHOES = 3
    HAIR = 4
    CAP = 5
    BAG = 6
    LOCKS = 7
    VEST = 8
    HOOD = 9
    SCARF = 10
    BRIM = 11
    LEGWEAR = 12
    STRAP = 13


def cloth_of(outfit: Outfit, material: Material) -> Cloth:
    """The cloth that a material of a person shows."""
    return {
        Material.SKIN: outfit.skin,
        Material.TOP: outfit.top,
        Material.BOTTOM: outfit.bottom,
        Material.SHOES: outfit.shoes,
        Material.HAIR: outfit.hair,
        Material.CAP: outfit.cap,
        Material.BAG: outfit.bag,
        Material.LOCKS: outfit.hair,
        Material.VEST: outfit.vest or outfit.top,
        Material.HOOD: outfit.top,
        Material.SCARF: outfit.cap,
        Material.BRIM: outfit.cap,
        Material.LEGWEAR: outfit.legwear or outfit.skin,
        Material.STRAP: outfit.bag,
    }[material]
