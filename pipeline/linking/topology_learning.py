"""Learning transit times from the site's own links, by comparing cases with controls.

A case is an arrival whose person is surely known: from which camera they came, after what gap. The
controls of an arrival are all the other people who could have come instead: whence and since when
they were out of view. For arrivals at camera b,

    ratio(a, b, gap) = share of cases in the cell (a, gap) / share of controls in the cell (a, gap)

estimates p(a, gap | it is that person) / p(a, gap | it is somebody else who is known): the
likelihood ratio that a prior shared evenly among the known asks for. Sampling the risk set of each
event follows D. R. Cox, "Regression models and life-tables", J. R. Stat. Soc. B 34, 1972. Rush
hours, nights and times when nobody looked fall out, since cases and controls share them.

Links were partly made by transit times, which must not confirm themselves. So only links that
their looks alone made sure are cases; a share `floor` of people may do what nobody ever did; the
logarithm is capped; and cells where few people were at risk say little.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.linking.topology import (
    EDGES_S,
    FIRST_APART,
    N_CELLS,
    Floats,
    Pair,
    Topology,
)
from pipeline.linking.topology_cases import see
from pipeline.linking.topology_config import StatedTransit, TopologyConfig
from storage.transits import Journey
from streams.types import CameraId

_PRIOR_AT_RISK = 5
"""People at risk in a cell whose word weighs as much as that of "like anybody"."""
_SMOOTH_AT, _MOST_PASSES = 50, 6
"""Links of a pair from which on one pass of smoothing suffices; passes for a pair with few."""
_MOST_LIFT = 1e6
_IS_APART = np.arange(N_CELLS) >= FIRST_APART


def learn(
    journeys: Iterable[Journey],
    *,
    config: TopologyConfig,
    horizon_s: float,
    stated: Sequence[StatedTransit] = (),
    overlapping: Collection[Sequence[str]] = (),
) -> Topology:
    """The topology that the journeys tell, with what the installer stated.

    Args:
        horizon_s: People out of view for longer are not compared, so they are no controls.
        overlapping: Pairs of cameras between which somebody still in view is a control too.
    """
    seen = see(journeys)
    cases = seen.count_cases(horizon_s)
    controls, totals = seen.count_controls(horizon_s, {frozenset(pair) for pair in overlapping})
    at_risk = seen.count_at_risk(horizon_s)
    ranges = dict(_ranges(stated))
    index = {camera: number for number, camera in enumerate(seen.cameras)}
    log_ratios: dict[Pair, Floats] = {}
    for pair in {(a, b) for a in seen.cameras for b in seen.cameras} | set(ranges):
        cells = _NOTHING
        a, b = (index.get(camera) for camera in pair)
        if a is not None and b is not None and totals[b] > 0:
            cells = _Cells(
                cases=cases[b, a],
                expected=controls[b, a] * (cases[b].sum() / totals[b]),
                at_risk=at_risk[a],
                n_links=int(cases[:, a].sum()),
            )
        found = _log_ratios(cells, config, ranges.get(pair))
        if found is not None:
            log_ratios[pair] = found
    return Topology(
        ways=seen.ways(ranges), log_ratios=log_ratios, arrivals_per_h=seen.arrivals_per_h()
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cells:
    """Counts of one pair, (cells,) each.

    Attributes:
        expected: Cases, were the people of this pair like anybody.
        at_risk: Departures of the first camera whose people were out of view that long.
        n_links: Sure transits out of the first camera, wherever to.
    """

    cases: Floats
    expected: Floats
    at_risk: Floats
    n_links: int


_NOTHING = _Cells(
    cases=np.zeros(N_CELLS), expected=np.zeros(N_CELLS), at_risk=np.zeros(N_CELLS), n_links=0
)


def _log_ratios(
    cells: _Cells, config: TopologyConfig, stated_s: tuple[float, float] | None
) -> Floats | None:
    """(cells,) float64; None where too little is known."""
    passes = min(math.ceil(_SMOOTH_AT / (cells.cases.sum() + 1)), _MOST_PASSES)
    cases, expected = _smooth(cells.cases, passes), _smooth(cells.expected, passes)
    at_risk, n_links = cells.at_risk, cells.n_links
    if stated_s is not None:
        n = max(config.stated_links - cells.cases.sum(), 0.0)
        cases = cases + n * _spread(stated_s)
        # Knowing nothing, a gap is as likely 1 to 2 s long as 1 to 2 h.
        expected = expected + n * _IS_APART / _IS_APART.sum()
        at_risk = at_risk + n * (_IS_APART & (EDGES_S[:-1] < stated_s[1]))
        n_links += int(n)
    if n_links < config.least_links or not expected.any():
        return None
    # Where hardly anybody is expected, as in the narrow cells of short gaps, nobody is no surprise
    # by count; but all who were at risk passed through these cells, and none arrived.
    unexpected = np.where(cases > 0, _MOST_LIFT, np.where(_IS_APART, 0.0, 1.0))
    lift = np.divide(cases, expected, out=unexpected, where=expected > cases / _MOST_LIFT)
    weight = at_risk / (at_risk + _PRIOR_AT_RISK)
    ratio = (1 - config.floor) * (weight * lift + 1 - weight) + config.floor
    return np.asarray(np.clip(np.log(ratio), -config.cap, config.cap))


def _smooth(counts: Floats, passes: int) -> Floats:
    """(cells,) with each gap's count shared with its neighbours; overlaps stay as they are."""
    smoothed = counts.copy()
    for _ in range(passes):
        padded = np.pad(smoothed[FIRST_APART:], 1, mode="symmetric")
        smoothed[FIRST_APART:] = padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4
    return smoothed


def _spread(range_s: tuple[float, float]) -> Floats:
    """(cells,) shares of a range, even over the cells it covers, in part or in full; sum 1."""
    low, high = range_s
    edges = np.minimum(EDGES_S[FIRST_APART:], 2 * EDGES_S[-2])
    covered = np.clip(edges[1:], low, high) - np.clip(edges[:-1], low, high)
    shares = np.zeros(N_CELLS)
    shares[FIRST_APART:] = covered / np.diff(edges)
    if not shares.any():  # beyond the last edge
        shares[-1] = 1.0
    return np.asarray(shares / shares.sum())


def _ranges(stated: Iterable[StatedTransit]) -> Iterator[tuple[Pair, tuple[float, float]]]:
    for transit in stated:
        pair = CameraId(transit.from_camera), CameraId(transit.to_camera)
        yield pair, (transit.least_s, transit.most_s)
        if transit.both_ways:
            yield pair[::-1], (transit.least_s, transit.most_s)
