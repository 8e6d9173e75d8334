"""How long people take from camera to camera, and what that says about who somebody is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streams.types import CameraId

Floats = npt.NDArray[np.float64]
Pair = tuple[CameraId, CameraId]

_FIRST_S, _PER_DECADE, _DECADES = 2.0, 10, 5
_OVERLAP_S = -1.0
_EDGES_S = (
    *(-math.inf, -60.0, -20.0, -5.0, _OVERLAP_S),
    *(_FIRST_S * 10 ** (k / _PER_DECADE) for k in range(_PER_DECADE * _DECADES)),
    math.inf,
)
EDGES_S: Floats = np.array(_EDGES_S)
"""Of the cells of a gap: ten a decade from 2 s on; negative where the views overlap."""
N_CELLS = len(_EDGES_S) - 1
FIRST_APART = 4
"""The first cell of gaps that are no overlap; it holds those around zero."""
_LEAST_DESCRIBED = 5
_OFTEN, _OFTEN_SHARE = 3, 0.2
"""Overlapping transits of a pair, and their share, from which its cameras see the same ground."""


class Transits(Protocol):
    """What linking asks of transit times."""

    def log_ratio(self, a: CameraId, b: CameraId, gap_s: float) -> float:
        """ln of how much likelier somebody known, last seen by `a`, is the one who now enters `b`
        than anybody else who is known; negative gaps are overlapping views; 0: nothing known."""
        ...

    def describe(self, a: CameraId, b: CameraId, gap_s: float) -> str | None:
        """The same for the operator, such as `12 s after gate-1, usual 9 to 15 s`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """What is known of going from one camera to another.

    Attributes:
        n_departures: Views of the first camera that ended, by whomever, wherever they went.
        gaps_s: (N,) float64, ascending, of the transits that were surely seen; N may be 0.
        stated_s: Range that the installer stated, None if there is none.
    """

    pair: Pair
    n_departures: int
    gaps_s: Floats
    stated_s: tuple[float, float] | None

    @property
    def share(self) -> float:
        """Of the departures, those that turned up at the second camera next, 0-1."""
        return len(self.gaps_s) / self.n_departures if self.n_departures else 0.0

    @property
    def n_overlapping(self) -> int:
        """Transits that began well before the first view had ended."""
        return int(np.searchsorted(self.gaps_s, _OVERLAP_S))

    def quantile_s(self, share: float) -> float | None:
        """The gap that this share of the transits does not exceed, None at N = 0."""
        return float(np.quantile(self.gaps_s, share)) if len(self.gaps_s) else None

    @property
    def usual_s(self) -> tuple[float, float] | None:
        """From the 5 % to the 95 % quantile; what was stated while few were seen; else None."""
        if len(self.gaps_s) < _LEAST_DESCRIBED:
            return self.stated_s
        low, high = np.quantile(self.gaps_s, (0.05, 0.95))
        return float(low), float(high)


class Topology:
    """Transit times as learned and stated. Does not change.

    Args:
        ways: Of every pair that was seen or stated.
        log_ratios: By pair, (cells,) float64 of finite logarithms, one for each cell of `EDGES_S`.
        arrivals_per_h: By camera, while anybody was seen anywhere.
    """

    def __init__(
        self,
        *,
        ways: Mapping[Pair, Way],
        log_ratios: Mapping[Pair, Floats],
        arrivals_per_h: Mapping[CameraId, float],
    ) -> None:
        self.ways = dict(sorted(ways.items()))
        self.arrivals_per_h = dict(sorted(arrivals_per_h.items()))
        self._log_ratios = dict(log_ratios)

    def log_ratio(self, a: CameraId, b: CameraId, gap_s: float) -> float:
        """See `Transits`; within the settings' cap, never below ln floor."""
        cells = self._log_ratios.get((a, b))
        return 0.0 if cells is None else float(cells[cell_of(gap_s)])

    def describe(self, a: CameraId, b: CameraId, gap_s: float) -> str | None:
        """See `Transits`; None where nothing is known of the pair."""
        way = self.ways.get((a, b))
        usual = None if way is None else way.usual_s
        after = f"{words(gap_s)} after {a}" if gap_s >= 0 else f"while still in {a}"
        if usual is not None:
            return f"{after}, usual {range_words(*usual)}"
        if (a, b) in self._log_ratios:
            return f"{after}, from where hardly anybody comes here next"
        return None

    def unlisted_overlaps(self, overlapping: Collection[Sequence[str]]) -> list[Pair]:
        """Pairs that often saw one person at once and are not in `overlapping`, each once."""
        listed = {frozenset(pair) for pair in overlapping}
        found: list[Pair] = []
        for a, b in self.ways:
            both = [self.ways[pair] for pair in ((a, b), (b, a)) if pair in self.ways]
            n_links = sum(len(way.gaps_s) for way in both)
            n_overlapping = sum(way.n_overlapping for way in both)
            is_often = n_overlapping >= max(_OFTEN, _OFTEN_SHARE * n_links)
            if a != b and is_often and not {(a, b), (b, a)} & set(found):
                found += [] if frozenset((a, b)) in listed else [(a, b)]
        return found


def cell_of(gap_s: float) -> int:
    """Number of the cell that holds the gap.

    >>> cell_of(-1000.0), cell_of(0.0), cell_of(2.0)
    (0, 4, 5)
    """
    return min(bisect_right(_EDGES_S, gap_s) - 1, N_CELLS - 1)


def words(duration_s: float) -> str:
    """A duration for people.

    >>> words(12.3), words(600.0), words(9000.0)
    ('12 s', '10 min', '2.5 h')
    """
    for unit, length_s in (("s", 1), ("min", 60)):
        if abs(duration_s) < 120 * length_s:
            return f"{duration_s / length_s:.0f} {unit}"
    return f"{duration_s / 3600:.1f} h"


def range_words(low_s: float, high_s: float) -> str:
    """A range of durations for people, the unit said once where it is one.

    >>> range_words(9.0, 15.0), range_words(40.0, 200.0)
    ('9 to 15 s', '40 s to 3 min')
    """
    low, high = words(low_s), words(high_s)
    if low.split()[1] == high.split()[1]:
        low = low.split()[0]
    return f"{low} to {high}"
