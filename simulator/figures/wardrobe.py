"""What people wear: cloth with a colour by day and, independently, a reflectance in near infrared.

Cuts are heights and widths (metres) in the reference pose of the average adult, whose origin is
at the hips: z = 0.16 is the waist, 0.54 the collar, -0.50 the knee, -0.83 the sole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np

Colour = tuple[float, float, float]


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


class HairStyle(StrEnum):
    """Hair that shows."""

    SHORT = "short"
    BOB = "bob"
    LONG = "long"
    CAP = "cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloth:
    """One material.

    Attributes:
        colour, second_colour: Linear RGB reflectance in [0, 1].
        infrared, second_infrared: Reflectance at 850 nm in [0, 1]; dyes hardly matter there.
        scale: Factor of the pattern's frequency.
        seed: Shifts the pattern, so that two cloths of a kind differ.
    """

    colour: Colour
    infrared: float
    second_colour: Colour = (0.5, 0.5, 0.5)
    second_infrared: float = 0.5
    pattern: Pattern = Pattern.PLAIN
    scale: float = 1.0
    seed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """Everything that is put on one body, and its skin and hair.

    Attributes:
        sleeve_m: Where sleeves end, from the middle of the body (0.44 is the wrist).
        hem_m: Lower end of the top; below -0.1 it is a coat.
        opening_m: Half width of an open front that shows `shirt`; 0 is closed.
        top_thickness_m, bottom_thickness_m: Distance of the cloth from the skin.
        trousers_end_m: Lower end of the trousers.
        skirt_end_m: Lower end of a skirt worn instead of trousers, or None.
    """

    skin: Cloth
    hair: Cloth
    top: Cloth
    bottom: Cloth
    shoes: Cloth
    shirt: Cloth
    cap: Cloth
    bag: Cloth
    hair_style: HairStyle = HairStyle.SHORT
    sleeve_m: float = 0.44
    hem_m: float = 0.0
    collar_m: float = 0.555
    opening_m: float = 0.0
    top_thickness_m: float = 0.015
    bottom_thickness_m: float = 0.011
    trousers_end_m: float = -0.76
    skirt_end_m: float | None = None
    has_backpack: bool = False

    @property
    def has_coat(self) -> bool:
        """Whether the top hangs below the hips."""
        return self.hem_m < -0.1


def random_outfit(rng: np.random.Generator, *, feminine: bool) -> Outfit:
    """Somebody's clothes, skin and hair."""
    has_long_sleeves = rng.random() < 0.65
    has_coat = has_long_sleeves and rng.random() < 0.25
    is_open = has_long_sleeves and rng.random() < 0.4
    has_skirt = feminine and rng.random() < 0.3
    styles = _FEMININE_HAIR if feminine else _MASCULINE_HAIR
    return Outfit(
        skin=random_skin(rng),
        hair=random_hair(rng),
        top=random_cloth(rng, _TOP_PATTERNS),
        bottom=random_cloth(rng, _BOTTOM_PATTERNS),
        shoes=random_cloth(rng, (Pattern.PLAIN, Pattern.PLAIN, Pattern.SOLE)),
        shirt=random_cloth(rng, (Pattern.PLAIN,)),
        cap=random_cloth(rng, (Pattern.PLAIN,)),
        bag=random_cloth(rng, (Pattern.PLAIN,)),
        hair_style=HairStyle(str(rng.choice(list(styles), p=list(styles.values())))),
        sleeve_m=0.44 if has_long_sleeves else rng.uniform(0.22, 0.30),
        hem_m=rng.uniform(-0.38, -0.2) if has_coat else rng.uniform(-0.06, 0.04),
        collar_m=rng.uniform(0.535, 0.575),
        opening_m=rng.uniform(0.015, 0.05) if is_open else 0.0,
        top_thickness_m=rng.uniform(0.022, 0.036) if has_coat else rng.uniform(0.008, 0.022),
        bottom_thickness_m=rng.uniform(0.006, 0.016),
        trousers_end_m=-0.76 if rng.random() < 0.78 else rng.uniform(-0.5, -0.28),
        skirt_end_m=rng.uniform(-0.62, -0.28) if has_skirt else None,
        has_backpack=bool(rng.random() < 0.28),
    )


def random_cloth(rng: np.random.Generator, patterns: tuple[Pattern, ...]) -> Cloth:
    """A cloth of one of `patterns`; in infrared half of all are bright, whatever their colour."""
    bright, middle, dark = rng.normal(0.6, 0.1), rng.normal(0.4, 0.1), rng.normal(0.12, 0.04)
    infrared = _reflectance(rng.choice([bright, middle, dark], p=[0.5, 0.3, 0.2]))
    follows = rng.random() < 0.75
    second = infrared + rng.normal(0, 0.05) if follows else rng.uniform(0.1, 0.8)
    return Cloth(
        colour=_random_colour(rng),
        infrared=infrared,
        second_colour=_random_colour(rng),
        second_infrared=_reflectance(second),
        pattern=patterns[rng.integers(len(patterns))],
        scale=rng.uniform(0.6, 1.6),
        seed=rng.uniform(0, 50),
    )


def random_skin(rng: np.random.Generator) -> Cloth:
    """Somebody's skin; in infrared all skins look alike."""
    tone = np.array(_SKINS[rng.integers(len(_SKINS))]) * rng.uniform(0.9, 1.1)
    infrared = float(np.clip(rng.normal(0.58, 0.04), 0.45, 0.7))
    return Cloth(colour=_colour(tone), infrared=infrared, seed=rng.uniform(0, 50))


def random_hair(rng: np.random.Generator) -> Cloth:
    """Somebody's hair."""
    tone = np.array(_HAIRS[rng.integers(len(_HAIRS))])
    infrared = float(np.clip(rng.normal(0.28, 0.08), 0.12, 0.5))
    return hair(_colour(tone), infrared, seed=rng.uniform(0, 50))


def hair(colour: Colour, infrared: float, *, seed: float = 0.0) -> Cloth:
    """Hair: fibres of a colour and a darker one."""
    return Cloth(
        colour=colour,
        infrared=infrared,
        second_colour=_colour(np.array(colour) * 0.6),
        second_infrared=infrared * 0.8,
        pattern=Pattern.FIBRE,
        scale=1.5,
        seed=seed,
    )


def _random_colour(rng: np.random.Generator) -> Colour:
    """A dye, muted as clothes mostly are."""
    dye = np.array(_DYES[rng.integers(len(_DYES))]) * rng.uniform(0.8, 1.2)
    grey = dye.mean()
    return _colour(grey + (dye - grey) * rng.uniform(0.5, 0.95) + rng.normal(0, 0.015, 3))


def _colour(values: np.typing.NDArray[np.floating]) -> Colour:
    red, green, blue = (float(value) for value in np.clip(values, 0.008, 0.9))
    return red, green, blue


def _reflectance(value: float) -> float:
    return float(np.clip(value, 0.05, 0.85))


_TOP_PATTERNS = (
    *(Pattern.PLAIN,) * 3,
    *(Pattern.PRINT,) * 2,
    Pattern.STRIPES,
    Pattern.PINSTRIPES,
    Pattern.CHECKS,
    Pattern.BLOCK,
    Pattern.CAMOUFLAGE,
)
_BOTTOM_PATTERNS = (*(Pattern.PLAIN,) * 5, Pattern.CHECKS, Pattern.SIDE_STRIPE, Pattern.FIBRE)
_FEMININE_HAIR = {"short": 0.17, "long": 0.45, "bob": 0.26, "cap": 0.12}
_MASCULINE_HAIR = {"short": 0.76, "long": 0.06, "cap": 0.18}
# fmt: off
_DYES: tuple[Colour, ...] = (
    (.03, .03, .035), (.06, .06, .07), (.18, .18, .19), (.50, .50, .50), (.82, .82, .80),
    (.75, .70, .58), (.03, .06, .20), (.08, .18, .50), (.25, .40, .65), (.45, .03, .04),
    (.70, .10, .08), (.03, .20, .08), (.20, .30, .12), (.75, .50, .05), (.80, .30, .05),
    (.30, .10, .35), (.75, .35, .45), (.28, .16, .08), (.45, .33, .20), (.10, .40, .42),
)
_SKINS: tuple[Colour, ...] = (
    (.75, .50, .39), (.62, .40, .28), (.50, .30, .19),
    (.34, .19, .11), (.20, .11, .065), (.12, .065, .04),
)
_HAIRS: tuple[Colour, ...] = (
    (.010, .009, .008), (.03, .018, .012), (.08, .04, .02), (.20, .12, .05),
    (.42, .30, .14), (.30, .30, .30), (.55, .55, .53),
)
# fmt: on
