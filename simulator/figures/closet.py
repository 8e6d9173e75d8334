"""Somebody's clothes: which garments go together, in what cloth and cut, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from simulator.figures import palette
from simulator.figures.palette import random_colour
from simulator.figures.textiles import Dye, Fibre, hair_infrared, random_infrared, skin_infrared
from simulator.figures.tops import FEMININE_TOPS, GARMENTS, KNIT, MASCULINE_TOPS
from simulator.figures.wardrobe import (
    Carried,
    Cloth,
    HairStyle,
    Headwear,
    Outfit,
    Pattern,
    clipped_colour,
    hair,
)

_Choice = TypeVar("_Choice")
_SILVER = (0.50, 0.51, 0.52)


def random_outfit(rng: np.random.Generator, *, feminine: bool) -> Outfit:
    """Somebody's clothes, skin and hair."""
    shares = FEMININE_TOPS if feminine else MASCULINE_TOPS
    garment = GARMENTS[_pick(shares, rng)]
    hair_cloth = random_hair(rng)
    is_open = rng.random() < garment.open_share
    outfit = Outfit(
        skin=random_skin(rng),
        hair=hair_cloth,
        top=random_cloth(garment.colours, garment.fibres, garment.patterns, rng),
        bottom=random_cloth(palette.TROUSERS, _TROUSER_FIBRES, _TROUSER_PATTERNS, rng),
        shoes=random_shoes(rng),
        shirt=random_cloth(palette.TOPS, KNIT, {Pattern.PLAIN: 1}, rng),
        cap=random_cloth(palette.BAGS, {Fibre.COTTON: 5, Fibre.ACRYLIC: 5}, _CAP_PATTERNS, rng),
        bag=random_cloth(palette.BAGS, _BAG_FIBRES, {Pattern.PLAIN: 4, Pattern.LOGO: 1}, rng),
        hair_style=_pick(_FEMININE_HAIR if feminine else _MASCULINE_HAIR, rng),
        beard=0.0 if feminine else _pick({0.0: 55, 0.5: 25, 1.0: 20}, rng),
        glasses=_pick({0.0: 86, 0.2: 10, 0.85: 4}, rng),
        has_hood=rng.random() < garment.has_hood,
        sleeve_m=rng.uniform(*garment.sleeve_m),
        hem_m=rng.uniform(*garment.hem_m),
        collar_m=rng.uniform(*garment.collar_m),
        opening_m=rng.uniform(0.015, 0.06) if is_open else 0.0,
        top_thickness_m=rng.uniform(*garment.thickness_m),
        bottom_thickness_m=rng.uniform(0.005, 0.018) if feminine else rng.uniform(0.010, 0.028),
    )
    outfit = _with_legs(outfit, rng, feminine=feminine)
    outfit = _with_head(outfit, rng, feminine=feminine)
    outfit = _with_load(outfit, rng, feminine=feminine)
    return replace(outfit, vest=random_vest(rng)) if rng.random() < _VEST_SHARE else outfit


def random_cloth(
    colours: Mapping[str, float],
    fibres: Mapping[Fibre, float],
    patterns: Mapping[Pattern, float],
    rng: np.random.Generator,
    *,
    dye: Dye | None = None,
) -> Cloth:
    """A cloth of the given kinds, each with its weight.

    The second colour is a print of pigment or other dyed yarn of the same fibre; in near infrared
    many patterns fade, because both dyes do.
    """
    fibre = _pick(fibres, rng)
    pattern = _pick(patterns, rng)
    colour = random_colour(colours, rng)
    infrared = random_infrared(colour, fibre, rng, dye=dye)
    if pattern is Pattern.QUILT:
        second, second_infrared = clipped_colour(np.array(colour) * 0.5), infrared * 0.7
    else:
        second = random_colour(colours if rng.random() < 0.5 else palette.TOPS, rng)
        second_infrared = random_infrared(second, fibre, rng)
    return Cloth(
        colour=colour,
        infrared=infrared,
        second_colour=second,
        second_infrared=second_infrared,
        pattern=pattern,
        scale=rng.uniform(0.6, 1.7),
        seed=rng.uniform(0, 50),
    )


def random_shoes(rng: np.random.Generator) -> Cloth:
    """Leather shoes, or trainers with a pale sole."""
    fibres = {Fibre.LEATHER: 5.0, Fibre.POLYESTER: 3.0, Fibre.COTTON: 1.0}
    shoes = random_cloth(palette.SHOES, fibres, {Pattern.PLAIN: 5, Pattern.SOLE: 5}, rng)
    return replace(shoes, second_colour=(0.7, 0.7, 0.68), second_infrared=rng.uniform(0.55, 0.75))


def random_vest(rng: np.random.Generator) -> Cloth:
    """A safety vest: fluorescent yellow or orange polyester with retro-reflective strips."""
    colour = (0.62, 0.75, 0.05) if rng.random() < 0.65 else (0.85, 0.20, 0.03)
    return Cloth(
        colour=colour,
        infrared=random_infrared(colour, Fibre.POLYESTER, rng, dye=Dye.DISPERSE),
        second_colour=_SILVER,
        second_infrared=0.6,
        pattern=Pattern.HI_VIS,
        seed=rng.uniform(0, 50),
        retro=1.0,
    )


def random_skin(rng: np.random.Generator) -> Cloth:
    """Somebody's skin."""
    tone = np.array(palette.SKINS[rng.integers(len(palette.SKINS))]) * rng.uniform(0.88, 1.12)
    colour = clipped_colour(tone)
    return Cloth(colour=colour, infrared=skin_infrared(colour, rng), seed=rng.uniform(0, 50))


def random_hair(rng: np.random.Generator) -> Cloth:
    """Somebody's hair."""
    colour = clipped_colour(np.array(_pick(palette.HAIRS, rng)) * rng.uniform(0.85, 1.2))
    return hair(colour, hair_infrared(colour, rng), seed=rng.uniform(0, 50))


def _with_legs(outfit: Outfit, rng: np.random.Generator, *, feminine: bool) -> Outfit:
    """Trousers, jeans, shorts, a skirt or a dress, with what goes below."""
    is_cold = outfit.top_thickness_m > 0.02
    has_skirt = feminine and rng.random() < 0.27
    if has_skirt:
        outfit = replace(
            outfit,
            bottom=random_cloth(palette.TROUSERS, _TROUSER_FIBRES, _SKIRT_PATTERNS, rng),
            skirt_end_m=rng.uniform(-0.64, -0.24),
            legwear=_tights(rng) if rng.random() < (0.85 if is_cold else 0.3) else None,
        )
        if not is_cold and rng.random() < 0.5:
            dress = random_cloth(palette.TOPS, KNIT, _SKIRT_PATTERNS, rng)
            outfit = replace(outfit, top=dress, bottom=dress, hem_m=-0.05, opening_m=0.0)
    elif rng.random() < 0.42:
        denim = random_cloth(
            palette.DENIM, {Fibre.COTTON: 1}, {Pattern.PLAIN: 1}, rng, dye=Dye.INDIGO
        )
        outfit = replace(outfit, bottom=denim)
    if not has_skirt and rng.random() < (0.02 if is_cold else 0.24):
        outfit = replace(outfit, trousers_end_m=rng.uniform(-0.52, -0.26))
        socks = random_cloth(palette.SHOES, {Fibre.COTTON: 1}, {Pattern.PLAIN: 1}, rng)
        outfit = replace(outfit, legwear=socks if rng.random() < 0.15 else None)
    elif rng.random() < (0.32 if feminine else 0.12):
        boots = random_cloth(palette.SHOES, {Fibre.LEATHER: 1}, {Pattern.PLAIN: 1}, rng)
        outfit = replace(outfit, shoes=boots, shoe_top_m=rng.uniform(-0.68, -0.52))
    return outfit


def _tights(rng: np.random.Generator) -> Cloth:
    colours = {"black": 12.0, "charcoal": 3.0, "navy": 1.0, "brown": 1.0, "grey": 1.0}
    return random_cloth(colours, {Fibre.NYLON: 1}, {Pattern.PLAIN: 1}, rng)


def _with_head(outfit: Outfit, rng: np.random.Generator, *, feminine: bool) -> Outfit:
    """A hat, a scarf, the hood up, or nothing."""
    shares = {
        Headwear.NONE: 72.0,
        Headwear.CAP: 5 if feminine else 11,
        Headwear.BEANIE: 7.0,
        Headwear.BRIMMED_HAT: 3.0,
        Headwear.HEADSCARF: 8.0 if feminine else 0.0,
        Headwear.HOOD: 30.0 if outfit.has_hood else 0.0,
    }
    headwear = _pick(shares, rng)
    if headwear is Headwear.HEADSCARF:
        scarf = random_cloth(palette.TOPS, {Fibre.COTTON: 1, Fibre.POLYESTER: 1}, _SCARF, rng)
        return replace(outfit, headwear=headwear, cap=scarf)
    return replace(outfit, headwear=headwear)


def _with_load(outfit: Outfit, rng: np.random.Generator, *, feminine: bool) -> Outfit:
    """A bag, or nothing."""
    shares = {
        Carried.NOTHING: 46.0,
        Carried.BACKPACK: 24.0,
        Carried.SHOULDER_BAG: 14.0,
        Carried.HAND_BAG: 10.0 if feminine else 3.0,
        Carried.CARRIER_BAG: 8.0,
    }
    carried = _pick(shares, rng)
    if carried is not Carried.CARRIER_BAG:
        return replace(outfit, carried=carried)
    colours = {"white": 5.0, "cream": 3.0, "camel": 3.0, "blue": 1.0, "red": 1.0, "yellow": 1.0}
    bag = random_cloth(colours, {Fibre.PLASTIC: 1}, {Pattern.PLAIN: 1, Pattern.LOGO: 2}, rng)
    return replace(outfit, carried=carried, bag=bag)


def _pick(shares: Mapping[_Choice, float], rng: np.random.Generator) -> _Choice:
    weights = np.array(list(shares.values()), float)
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


_VEST_SHARE = 0.03
_TROUSER_FIBRES = {Fibre.COTTON: 6.0, Fibre.POLYESTER: 4.0, Fibre.WOOL: 2.0, Fibre.NYLON: 1.0}
_BAG_FIBRES = {Fibre.NYLON: 4.0, Fibre.POLYESTER: 4.0, Fibre.LEATHER: 2.0, Fibre.COTTON: 1.0}
_TROUSER_PATTERNS = {Pattern.PLAIN: 20.0, Pattern.SIDE_STRIPE: 1.5, Pattern.CHECKS: 0.6}
_SKIRT_PATTERNS = {
    Pattern.PLAIN: 10.0,
    Pattern.DOTS: 1.5,
    Pattern.CHECKS: 1.5,
    Pattern.CAMOUFLAGE: 1.0,
    Pattern.STRIPES: 1.0,
}
_CAP_PATTERNS = {Pattern.PLAIN: 1.0}
_SCARF = {Pattern.PLAIN: 5.0, Pattern.DOTS: 1.0}
_FEMININE_HAIR: Mapping[HairStyle, float] = {
    HairStyle.LONG: 36, HairStyle.BOB: 20, HairStyle.PONYTAIL: 20, HairStyle.BUN: 10,
    HairStyle.SHORT: 8, HairStyle.CURLY: 6,
}  # fmt: skip
_MASCULINE_HAIR: Mapping[HairStyle, float] = {
    HairStyle.SHORT: 46, HairStyle.CROPPED: 22, HairStyle.RECEDING: 10, HairStyle.BALD: 7,
    HairStyle.CURLY: 8, HairStyle.BOB: 3, HairStyle.LONG: 2, HairStyle.BUN: 2,
}  # fmt: skip
