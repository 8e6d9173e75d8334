"""How long a way usually takes, as bars, and how long it took this time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.linking.topology import Way, words

WIDTH, HEIGHT = 260, 74
_FLOOR, _TOP = 56, 8
_N_CELLS, _LEAST = 20, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One bar, px."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitPlot:
    """The drawing.

    Attributes:
        at: Where this transit stands, px.
        ends: The shortest and longest time of the axis, in words.
        n: Transits that were learned from.
    """

    width: int
    height: int
    floor: float
    cells: tuple[Cell, ...]
    at: float
    ends: tuple[str, str]
    n: int


def draw_transit(way: Way | None, took_s: float) -> TransitPlot | None:
    """The drawing; None where fewer than five transits are known, or it took no time.

    Times stand on a logarithmic axis: a way takes seconds or hours.
    """
    if way is None or took_s <= 0:
        return None
    known = way.gaps_s[way.gaps_s > 0]
    if len(known) < _LEAST:
        return None
    low = math.log(max(0.5, min(float(known[0]), took_s) / 1.5))
    high = math.log(max(float(known[-1]), took_s) * 1.5)
    counts, _ = np.histogram(np.log(np.maximum(known, 0.5)), bins=_N_CELLS, range=(low, high))
    most = max(1, int(counts.max()))
    wide = WIDTH / _N_CELLS
    cells = tuple(
        Cell(
            x=number * wide + 0.5,
            y=_FLOOR - (_FLOOR - _TOP) * int(count) / most,
            width=wide - 1,
            height=(_FLOOR - _TOP) * int(count) / most,
        )
        for number, count in enumerate(counts)
        if count
    )
    at = WIDTH * (math.log(max(took_s, 0.5)) - low) / (high - low)
    return TransitPlot(
        width=WIDTH,
        height=HEIGHT,
        floor=_FLOOR,
        cells=cells,
        at=min(max(at, 1.0), WIDTH - 1.0),
        ends=(words(math.exp(low)), words(math.exp(high))),
        n=len(known),
    )
