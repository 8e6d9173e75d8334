"""What people wear, as nouns: cloth, and an outfit cut from it.

Cuts are heights and widths (metres) in the reference pose of the average adult, whose origin is
at the hips: z = 0.16 is the waist, 0.54 the collar, -0.50 the knee, -0.83 the sole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np

Colour = tuple[float, float, float]

NO_GLASSES = 0.0


class Pattern(IntEnum):
    """Where the second colour shows; the numbers are those of the shader."""

    PLAIN = 0
    STRIPES = 1
    PINSTRIPES = 2
    CHECKS = 3
    BLOCK = 4
    PRINT = 5
    FIBRE = 6
    CAMOUFLAGE = 7
    SIDE_STRIPE = 8
    SOLE = 9
    LOGO = 10
    QUILT = 11
    LETTERS = 12
    HI_VIS = 13
    DOTS = 14


class HairStyle(StrEnum):
    """Hair that shows where no hat covers it."""

    BALD = "bald"
    CROPPED = "cropped"
    RECEDING = "receding"
    SHORT = "short"
    CURLY = "curly"
    BOB = "bob"
    LONG = "long"
    PONYTAIL = "ponytail"
    BUN = "bun"


class Headwear(StrEnum):
    """What covers the head."""

    NONE = "none"
    CAP = "cap"
    BEANIE = "beanie"
    BRIMMED_HAT = "brimmed-hat"
    HEADSCARF = "headscarf"
    HOOD = "hood"


class Carried(StrEnum):
    """The one thing that somebody carries."""

    NOTHING = "nothing"
    BACKPACK = "backpack"
    SHOULDER_BAG = "shoulder-bag"
    HAND_BAG = "hand-bag"
    CARRIER_BAG = "carrier-bag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloth:
    """One material.

    Attributes:
        colour, second_colour: Linear RGB reflectance in [0, 1].
        infrared, second_infrared: Reflectance at 850 nm in [0, 1]; see `textiles`.
        scale: Factor of the pattern's frequency.
        seed: Shifts the pattern, so that two cloths of a kind differ.
        retro: Share of the second colour that throws light back to where it came from, in [0, 1].
    """

    colour: Colour
    infrared: float
    second_colour: Colour = (0.5, 0.5, 0.5)
    second_infrared: float = 0.5
    pattern: Pattern = Pattern.PLAIN
    scale: float = 1.0
    seed: float = 0.0
    retro: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """Everything that is put on one body, and its skin and hair.

    Attributes:
        cap: Of any headwear but a hood, which is of the top's cloth.
        bag: Of whatever is carried.
        legwear: Tights or socks on bare legs, or None.
        vest: A safety vest over the top, or None.
        beard: 0 is shaven, 0.5 stubble, 1 a full beard.
        glasses: Darkness of glasses; 0 is none.
        has_hood: A hood lies on the shoulders, unless it is worn up.
        sleeve_m: Where sleeves end, from the middle of the body (0.44 is the wrist).
        hem_m: Lower end of the top; below -0.1 it is a coat.
        opening_m: Half width of an open front that shows `shirt`; 0 is closed.
        top_thickness_m, bottom_thickness_m: Distance of the cloth from the skin.
        trousers_end_m: Lower end of the trousers.
        skirt_end_m: Lower end of a skirt worn instead of trousers, or None.
        shoe_top_m: Upper end of the shoes; above -0.7 they are boots.
    """

    skin: Cloth
    hair: Cloth
    top: Cloth
    bottom: Cloth
    shoes: Cloth
    shirt: Cloth
    cap: Cloth
    bag: Cloth
    legwear: Cloth | None = None
    vest: Cloth | None = None
    hair_style: HairStyle = HairStyle.SHORT
    headwear: Headwear = Headwear.NONE
    carried: Carried = Carried.NOTHING
    beard: float = 0.0
    glasses: float = NO_GLASSES
    has_hood: bool = False
    sleeve_m: float = 0.44
    hem_m: float = 0.0
    collar_m: float = 0.555
    opening_m: float = 0.0
    top_thickness_m: float = 0.015
    bottom_thickness_m: float = 0.011
    trousers_end_m: float = -0.76
    skirt_end_m: float | None = None
    shoe_top_m: float = -0.735

    @property
    def has_coat(self) -> bool:
        """Whether the top hangs below the hips."""
        return self.hem_m < -0.1


def hair(colour: Colour, infrared: float, *, seed: float = 0.0) -> Cloth:
    """Hair: fibres of a colour and a darker one."""
    return Cloth(
        colour=colour,
        infrared=infrared,
        second_colour=clipped_colour(np.array(colour) * 0.6),
        second_infrared=infrared * 0.8,
        pattern=Pattern.FIBRE,
        scale=1.5,
        seed=seed,
    )


def clipped_colour(values: np.typing.NDArray[np.floating]) -> Colour:
    """(3,) values as a reflectance that cloth can have."""
    red, green, blue = (float(value) for value in np.clip(values, 0.008, 0.9))
    return red, green, blue
