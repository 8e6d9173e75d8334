"""Kinds of tops, from T-shirt to parka: cloth and cut, and how often each is worn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.figures import palette
from simulator.figures.textiles import Fibre
from simulator.figures.wardrobe import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Garment:
    """A kind of top and how it is cut; pairs are lowest and highest.

    Attributes:
        open_share: How often it is worn open.
    """

    colours: Mapping[str, float]
    fibres: Mapping[Fibre, float]
    patterns: Mapping[Pattern, float]
    hem_m: tuple[float, float] = (-0.07, 0.03)
    sleeve_m: tuple[float, float] = (0.43, 0.45)
    thickness_m: tuple[float, float] = (0.009, 0.015)
    collar_m: tuple[float, float] = (0.54, 0.565)
    open_share: float = 0.0
    has_hood: float = 0.0


KNIT = {Fibre.COTTON: 6.0, Fibre.POLYESTER: 3.0, Fibre.WOOL: 1.0, Fibre.ACRYLIC: 1.0}
GARMENTS: Mapping[str, Garment] = {
    "T-shirt": Garment(
        colours=palette.TOPS,
        fibres={Fibre.COTTON: 8.0, Fibre.POLYESTER: 3.0},
        patterns={
            Pattern.PLAIN: 9.0,
            Pattern.PRINT: 4.0,
            Pattern.LOGO: 4.0,
            Pattern.LETTERS: 2.0,
            Pattern.STRIPES: 2.0,
            Pattern.BLOCK: 1.0,
            Pattern.DOTS: 0.5,
        },
        sleeve_m=(0.23, 0.30),
    ),
    "sleeveless": Garment(
        colours=palette.TOPS,
        fibres=KNIT,
        patterns={Pattern.PLAIN: 6.0, Pattern.PRINT: 1.0, Pattern.STRIPES: 1.0},
        sleeve_m=(0.16, 0.19),
        collar_m=(0.50, 0.54),
    ),
    "shirt": Garment(
        colours=palette.TOPS,
        fibres={Fibre.COTTON: 8.0, Fibre.POLYESTER: 2.0},
        patterns={Pattern.PLAIN: 8.0, Pattern.PINSTRIPES: 3.0, Pattern.CHECKS: 4.0},
        sleeve_m=(0.30, 0.45),
        open_share=0.12,
    ),
    "sweater": Garment(
        colours=palette.TOPS,
        fibres={Fibre.WOOL: 4.0, Fibre.ACRYLIC: 3.0, Fibre.COTTON: 4.0},
        patterns={Pattern.PLAIN: 10.0, Pattern.STRIPES: 2.0, Pattern.BLOCK: 1.0, Pattern.PRINT: 1},
        thickness_m=(0.014, 0.022),
    ),
    "hoodie": Garment(
        colours=palette.TOPS,
        fibres={Fibre.COTTON: 7.0, Fibre.POLYESTER: 3.0},
        patterns={Pattern.PLAIN: 7.0, Pattern.LOGO: 3.0, Pattern.LETTERS: 3.0, Pattern.PRINT: 2.0},
        thickness_m=(0.016, 0.026),
        open_share=0.2,
        has_hood=1.0,
    ),
    "jacket": Garment(
        colours=palette.COATS,
        fibres={Fibre.POLYESTER: 4.0, Fibre.NYLON: 4.0, Fibre.COTTON: 2.0, Fibre.LEATHER: 1.5},
        patterns={Pattern.PLAIN: 9.0, Pattern.BLOCK: 2.0, Pattern.LOGO: 1.0},
        hem_m=(-0.09, 0.0),
        thickness_m=(0.018, 0.028),
        collar_m=(0.56, 0.585),
        open_share=0.4,
        has_hood=0.35,
    ),
    "puffer": Garment(
        colours=palette.COATS,
        fibres={Fibre.NYLON: 6.0, Fibre.POLYESTER: 4.0},
        patterns={Pattern.QUILT: 1.0},
        hem_m=(-0.09, -0.02),
        thickness_m=(0.034, 0.048),
        collar_m=(0.565, 0.59),
        open_share=0.3,
        has_hood=0.5,
    ),
    "blazer": Garment(
        colours=palette.COATS,
        fibres={Fibre.WOOL: 7.0, Fibre.POLYESTER: 3.0},
        patterns={Pattern.PLAIN: 8.0, Pattern.PINSTRIPES: 1.0, Pattern.CHECKS: 1.0},
        hem_m=(-0.10, -0.06),
        thickness_m=(0.018, 0.024),
        open_share=0.9,
    ),
    "coat": Garment(
        colours=palette.COATS,
        fibres={Fibre.WOOL: 6.0, Fibre.POLYESTER: 3.0, Fibre.COTTON: 2.0},
        patterns={Pattern.PLAIN: 10.0, Pattern.CHECKS: 1.0},
        hem_m=(-0.50, -0.16),
        thickness_m=(0.024, 0.036),
        collar_m=(0.56, 0.585),
        open_share=0.4,
        has_hood=0.1,
    ),
    "parka": Garment(
        colours=palette.COATS,
        fibres={Fibre.NYLON: 5.0, Fibre.POLYESTER: 5.0, Fibre.COTTON: 2.0},
        patterns={Pattern.PLAIN: 5.0, Pattern.QUILT: 3.0},
        hem_m=(-0.34, -0.14),
        thickness_m=(0.028, 0.042),
        collar_m=(0.565, 0.59),
        open_share=0.25,
        has_hood=0.8,
    ),
}
MASCULINE_TOPS: Mapping[str, float] = {
    "T-shirt": 22, "sleeveless": 1, "shirt": 11, "sweater": 11, "hoodie": 14, "jacket": 17,
    "puffer": 8, "blazer": 6, "coat": 5, "parka": 5,
}  # fmt: skip
FEMININE_TOPS: Mapping[str, float] = {
    "T-shirt": 17, "sleeveless": 6, "shirt": 9, "sweater": 14, "hoodie": 8, "jacket": 14,
    "puffer": 8, "blazer": 5, "coat": 12, "parka": 7,
}  # fmt: skip
