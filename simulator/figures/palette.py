"""Colours that clothes have, as linear RGB, and how often.

Mostly blacks, navies, greys, whites and denim, some strong colours: what streets look like.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.figures.wardrobe import Colour, clipped_colour

# fmt: off
COLOURS: Mapping[str, Colour] = {
    "black": (.016, .016, .018), "charcoal": (.042, .044, .048), "grey": (.14, .14, .145),
    "light grey": (.36, .36, .36), "white": (.74, .74, .72), "cream": (.62, .56, .44),
    "navy": (.018, .026, .062), "blue": (.055, .11, .26), "pale blue": (.30, .42, .56),
    "dark denim": (.035, .05, .09), "denim": (.10, .16, .27), "washed denim": (.27, .36, .47),
    "red": (.34, .045, .04), "wine": (.10, .018, .028), "pink": (.56, .30, .34),
    "orange": (.55, .20, .05), "mustard": (.42, .26, .05), "yellow": (.62, .50, .14),
    "olive": (.085, .088, .042), "green": (.04, .13, .07), "mint": (.32, .46, .37),
    "teal": (.03, .12, .13), "camel": (.34, .21, .11), "khaki": (.28, .23, .15),
    "brown": (.085, .048, .030), "rust": (.26, .085, .035), "purple": (.10, .045, .14),
    "lilac": (.38, .30, .46),
}
COATS: Mapping[str, float] = {
    "black": 34, "charcoal": 10, "navy": 16, "grey": 8, "light grey": 3, "camel": 6, "cream": 3,
    "olive": 7, "khaki": 3, "brown": 4, "wine": 2, "red": 2, "green": 2, "blue": 2, "mustard": 1,
    "white": 1, "rust": 1, "teal": 1, "pink": 1, "orange": 1,
}
TOPS: Mapping[str, float] = {
    "black": 20, "white": 15, "charcoal": 7, "grey": 9, "light grey": 8, "navy": 12, "cream": 4,
    "blue": 4, "pale blue": 4, "red": 3, "wine": 3, "pink": 2.5, "olive": 3, "green": 2.5,
    "teal": 1.5, "camel": 1.5, "brown": 1.5, "rust": 1.5, "mustard": 1.5, "yellow": 1,
    "orange": 1, "mint": 1, "lilac": 1, "purple": 1.5,
}
TROUSERS: Mapping[str, float] = {
    "black": 34, "charcoal": 10, "navy": 12, "grey": 9, "khaki": 8, "light grey": 4, "olive": 4,
    "brown": 4, "cream": 3, "white": 2, "camel": 2, "wine": 1, "green": .7, "red": .5,
}
DENIM: Mapping[str, float] = {"dark denim": 40, "denim": 38, "washed denim": 22}
SHOES: Mapping[str, float] = {
    "black": 46, "white": 20, "brown": 12, "grey": 8, "navy": 4, "camel": 4, "charcoal": 4,
    "red": 1, "blue": 1,
}
BAGS: Mapping[str, float] = {
    "black": 44, "navy": 10, "grey": 10, "charcoal": 9, "brown": 7, "olive": 4, "camel": 4,
    "red": 3, "blue": 3, "white": 2, "pink": 1, "teal": 1, "mustard": 1, "cream": 2,
}
SKINS: tuple[Colour, ...] = (
    (.62, .42, .33), (.54, .35, .26), (.46, .28, .19), (.36, .21, .135),
    (.26, .145, .088), (.17, .092, .055), (.105, .057, .036),
)
HAIRS: Mapping[Colour, float] = {
    (.010, .009, .009): 30, (.022, .014, .011): 26, (.055, .030, .018): 18, (.12, .07, .035): 9,
    (.30, .20, .10): 6, (.13, .045, .018): 2, (.22, .22, .22): 6, (.50, .50, .48): 3,
}
# fmt: on


def random_colour(shares: Mapping[str, float], rng: np.random.Generator) -> Colour:
    """One of `shares`, which need not add up to 1, a little lighter or darker, warmer or cooler."""
    weights = np.array(list(shares.values()))
    name = list(shares)[int(rng.choice(len(shares), p=weights / weights.sum()))]
    return nearly(COLOURS[name], rng, spread=0.16)


def nearly(colour: Colour, rng: np.random.Generator, *, spread: float) -> Colour:
    """`colour`, off by a factor of about 1 + `spread`, and a third of that between channels."""
    lighter = np.exp(rng.normal(0, spread))
    return clipped_colour(np.array(colour) * lighter * np.exp(rng.normal(0, spread / 3, 3)))
