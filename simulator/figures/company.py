"""Who takes part: people, uniforms, look-alikes, and those who change a coat for the night.

People come in blocks of four. A block is uniformed, alike or free; what character k wears hangs
on the seed, on k and on its block alone, so that a longer company begins like a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator.figures import palette
from simulator.figures.closet import random_cloth, random_vest
from simulator.figures.people import Looks, random_looks, with_load
from simulator.figures.textiles import Fibre
from simulator.figures.wardrobe import Cloth, Headwear, Outfit, Pattern

BLOCK = 4
"""How many people share a uniform or a likeness."""

_BLOCK_STREAM, _CHARACTER_STREAM, _NIGHT_STREAM = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """Somebody who takes part.

    Attributes:
        looks_by_night: If they change for the night, or None.
        group: Name of the uniform or likeness that they share with others, or None.
    """

    looks: Looks
    looks_by_night: Looks | None = None
    group: str | None = None


def company(
    n: int, *, seed: int, uniformed: float = 0.0, alike: float = 0.2, changing: float = 0.0
) -> tuple[Character, ...]:
    """`n` people.

    Args:
        uniformed: Share that wears one of a few uniforms, in [0, 1].
        alike: Share in groups of four that look alike in colour, in [0, 1 - uniformed].
        changing: Share that puts on a coat at night, or takes it off.

    Raises:
        ValueError: If a share is not one.
    """
    return tuple(
        character(k, seed=seed, uniformed=uniformed, alike=alike, changing=changing)
        for k in range(n)
    )


def character(
    k: int, *, seed: int, uniformed: float = 0.0, alike: float = 0.2, changing: float = 0.0
) -> Character:
    """Character `k` (>= 0) of `company`.

    Raises:
        ValueError: If a share is not one.
    """
    if min(uniformed, alike, changing) < 0 or uniformed + alike > 1 or changing > 1:
        raise ValueError(
            "shares: expected uniformed + alike and changing within 0 to 1, got "
            f"uniformed={uniformed}, alike={alike}, changing={changing}; lower one of them"
        )
    looks = random_looks(np.random.default_rng([seed, _CHARACTER_STREAM, k]))
    block = np.random.default_rng([seed, _BLOCK_STREAM, k // BLOCK])
    own = np.random.default_rng([seed, _CHARACTER_STREAM, k, 1])
    draw, group = block.random(), None
    if draw < uniformed:
        name = list(_UNIFORMS)[int(block.integers(len(_UNIFORMS)))]
        # Uniforms are bought once: their cloth hangs on the seed and the name alone.
        issue = np.random.default_rng([seed, _BLOCK_STREAM, *name.encode()])
        looks, group = _dressed(looks, _UNIFORMS[name](looks.outfit, issue)), f"uniform {name}"
    elif draw < uniformed + alike:
        model = random_looks(block).outfit
        dark = bool(block.random() < 0.5)
        looks = _dressed(
            looks,
            _dark_coat(looks.outfit, model, own) if dark else _same_top(looks.outfit, model, own),
        )
        group = f"alike {k // BLOCK}"
    night = np.random.default_rng([seed, _NIGHT_STREAM, k])
    by_night = changed(looks, night) if night.random() < changing else None
    return Character(looks=looks, looks_by_night=by_night, group=group)


def changed(looks: Looks, rng: np.random.Generator) -> Looks:
    """`looks` with a coat on or, for those who wear one, with it off; all else stays."""
    outfit = looks.outfit
    if outfit.top_thickness_m > _COAT_THICKNESS_M:
        bare = replace(
            outfit, top=outfit.shirt, hem_m=0.0, opening_m=0.0, top_thickness_m=0.012,
            has_hood=False, headwear=_without_hood(outfit.headwear), collar_m=0.555,
        )  # fmt: skip
        return replace(looks, outfit=bare)
    coat = random_cloth(palette.COATS, _COAT_FIBRES, {Pattern.PLAIN: 3, Pattern.QUILT: 1}, rng)
    warm = replace(
        outfit, top=coat, shirt=outfit.top, sleeve_m=0.44, hem_m=rng.uniform(-0.40, -0.06),
        top_thickness_m=rng.uniform(0.024, 0.038), collar_m=0.575,
        opening_m=rng.uniform(0.015, 0.05) if rng.random() < 0.4 else 0.0,
    )  # fmt: skip
    return replace(looks, outfit=warm)


def _dressed(looks: Looks, outfit: Outfit) -> Looks:
    return replace(looks, outfit=outfit, gait=with_load(looks.gait, outfit))


def _dark_coat(own: Outfit, model: Outfit, rng: np.random.Generator) -> Outfit:
    """A dark coat of the group's length; what it is made of, each bought for themselves."""
    colours = {"black": 3.0, "navy": 1.0, "charcoal": 1.0}
    coat = random_cloth(colours, _COAT_FIBRES, {Pattern.PLAIN: 1}, rng)
    long = model.hem_m if model.has_coat else -0.22
    return replace(
        own, top=coat, sleeve_m=0.44, hem_m=long + rng.normal(0, 0.03), opening_m=0.0,
        top_thickness_m=0.028, collar_m=0.57, vest=None,
    )  # fmt: skip


def _same_top(own: Outfit, model: Outfit, rng: np.random.Generator) -> Outfit:
    """The group's top in nearly its colour; sometimes the same cloth, or its trousers too."""
    top = replace(
        own.top, colour=palette.nearly(model.top.colour, rng, spread=0.06), pattern=Pattern.PLAIN
    )
    if rng.random() < 0.5:
        top = replace(top, infrared=float(np.clip(model.top.infrared + rng.normal(0, 0.03), 0, 1)))
    bottom = own.bottom
    if rng.random() < 0.35:
        bottom = replace(bottom, colour=palette.nearly(model.bottom.colour, rng, spread=0.06))
    return replace(own, top=top, bottom=bottom, vest=None)


def _issue(
    top: dict[str, float], bottom: dict[str, float], fibre: Fibre, rng: np.random.Generator
) -> tuple[Cloth, Cloth]:
    plain = {Pattern.PLAIN: 1.0}
    return (
        random_cloth(top, {fibre: 1}, {Pattern.LOGO: 1}, rng),
        random_cloth(bottom, {Fibre.POLYESTER: 1, Fibre.COTTON: 1}, plain, rng),
    )


def _guard(own: Outfit, issue: np.random.Generator) -> Outfit:
    top, bottom = _issue({"navy": 1, "black": 1}, {"black": 1}, Fibre.POLYESTER, issue)
    return _uniform(own, top=top, bottom=bottom, thickness_m=0.024, headwear=Headwear.CAP)


def _site_worker(own: Outfit, issue: np.random.Generator) -> Outfit:
    top, bottom = _issue({"navy": 1, "grey": 1}, {"navy": 1, "charcoal": 1}, Fibre.COTTON, issue)
    worker = _uniform(own, top=top, bottom=bottom, thickness_m=0.018, headwear=Headwear.NONE)
    return replace(worker, vest=random_vest(issue), shoe_top_m=-0.66)


def _shop_clerk(own: Outfit, issue: np.random.Generator) -> Outfit:
    strong = {"red": 1.0, "green": 1.0, "blue": 1.0, "teal": 1.0, "orange": 1.0}
    top, bottom = _issue(strong, {"black": 1}, Fibre.COTTON, issue)
    clerk = _uniform(own, top=top, bottom=bottom, thickness_m=0.011, headwear=Headwear.NONE)
    return replace(clerk, sleeve_m=0.27)


def _uniform(
    own: Outfit, *, top: Cloth, bottom: Cloth, thickness_m: float, headwear: Headwear
) -> Outfit:
    keeps_scarf = own.headwear is Headwear.HEADSCARF
    return replace(
        own, top=top, bottom=bottom, sleeve_m=0.44, hem_m=-0.04, opening_m=0.0, vest=None,
        top_thickness_m=thickness_m, bottom_thickness_m=0.012, trousers_end_m=-0.76,
        skirt_end_m=None, legwear=None, has_hood=False, collar_m=0.56,
        headwear=own.headwear if keeps_scarf else headwear,
        cap=own.cap if keeps_scarf else top,
    )  # fmt: skip


def _without_hood(headwear: Headwear) -> Headwear:
    return Headwear.NONE if headwear is Headwear.HOOD else headwear


_COAT_THICKNESS_M = 0.0225
_COAT_FIBRES = {Fibre.WOOL: 3.0, Fibre.POLYESTER: 4.0, Fibre.NYLON: 3.0, Fibre.COTTON: 1.0}
_UNIFORMS: dict[str, Callable[[Outfit, np.random.Generator], Outfit]] = {
    "guard": _guard,
    "site worker": _site_worker,
    "shop clerk": _shop_clerk,
}
