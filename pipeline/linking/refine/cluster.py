"""Correlation clustering of views: who is one person, by looks, transit and what is ruled out.

A partition of N views into people of n_1, n_2, ... views has the probability of Ewens' sampling
formula, proportional to the product of alpha (n_i - 1)! (W. J. Ewens, "The sampling theory of
selectively neutral alleles", Theoretical Population Biology 3, 1972): whoever was seen often is
likely to be seen again. Of what it says about sizes, half is believed (`SIZES`). Two clusters of m
and n views are therefore one person against two with the odds

    L * T * (Gamma(m + n) / (Gamma(m) Gamma(n))) ** SIZES : alpha

where L is the likelihood ratio of their pooled looks and T that of transits between consecutive
views. Clusters are merged greedily, the surest first, while the odds are above one; then single
views move to where they fit better.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from pipeline.linking.refine.evidence import Means, Reading, Sums
from pipeline.linking.refine.views import View
from pipeline.linking.topology import Transits

MOST_TRANSIT = 2.0
"""What transits say together counts for no more than this, in either direction: people stop and
turn, so that it may settle a doubt but not make one."""
SIZES = 0.5
"""Of 0, 0.5 and 1 the best on filmed sites: 1 lets those who were seen most swallow others."""
_SWEEPS = 5
_GAIN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What is clustered, in groups that stay together (mostly of one view).

    Attributes:
        views: Ordered; nothing depends on more than this order.
        members: Of each group, indices of views, ascending.
        sums: Pooled looks of each group, G rows.
        size: (G,) views of each group.
        forbidden: (G, G) groups that cannot be one person.
        log_alpha: Of Ewens' formula, at least 0: two views alone are as likely two people as one.
        reading: What similarities mean.
        transits: None where nothing is known.
    """

    views: Sequence[View]
    members: Sequence[Sequence[int]]
    sums: Sums
    size: npt.NDArray[np.int64]
    forbidden: npt.NDArray[np.bool_]
    log_alpha: float
    reading: Reading
    transits: Transits | None

    def prior(self, m: npt.ArrayLike, n: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Log odds of one person against two before looking, of clusters of `m` and `n` views."""
        a, b = np.asarray(m, np.float64), np.asarray(n, np.float64)
        return np.asarray(SIZES * (gammaln(a + b) - gammaln(a) - gammaln(b)) - self.log_alpha)

    def transit(self, a: Sequence[int], b: Sequence[int]) -> float:
        """What the ways between consecutive views say for `a` and `b` being one person.

        Args:
            a: Groups of one side.
            b: Groups of the other.
        """
        if self.transits is None:
            return 0.0
        mine = [i for group in a for i in self.members[group]]
        theirs = [i for group in b for i in self.members[group]]
        said = self._ways(mine + theirs) - self._ways(mine) - self._ways(theirs)
        return min(max(said, -MOST_TRANSIT), MOST_TRANSIT)

    def _ways(self, rows: Sequence[int]) -> float:
        if self.transits is None:
            return 0.0
        ordered = [self.views[i] for i in sorted(rows)]
        total = 0.0
        for one, other in pairwise(ordered):
            gap_s = (other.first_seen_us - one.last_seen_us) / 1e6
            total += self.transits.log_ratio(one.camera, other.camera, gap_s)
        return total


def scene_of(
    views: Sequence[View],
    members: Sequence[Sequence[int]],
    sums: Sums,
    forbidden: npt.NDArray[np.bool_],
    *,
    returning: float,
    reading: Reading,
    transits: Transits | None,
) -> Scene:
    """Views by group; what is ruled out for one of a group is so for all.

    Args:
        sums: Looks of each view.
        forbidden: (N, N) views that cannot be one person.
        returning: Prior share of views that show somebody who is in another view too.
    """
    ruled_out = forbidden
    if len(members) != len(views):
        owner = np.empty(len(views), np.intp)
        for group, rows in enumerate(members):
            owner[list(rows)] = group
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(len(members)))
        ruled_out = forbidden[np.ix_(order, order)]
        ruled_out = np.logical_or.reduceat(ruled_out, starts, axis=0)
        ruled_out = np.logical_or.reduceat(ruled_out, starts, axis=1)
    ruled_out = ruled_out.copy()
    np.fill_diagonal(ruled_out, False)
    return Scene(
        views=views,
        members=members,
        sums=sums.grouped(members),
        size=np.array([len(rows) for rows in members], np.int64),
        forbidden=ruled_out,
        log_alpha=math.log(max(len(views) * alpha_share(returning), 1)),
        reading=reading,
        transits=transits,
    )


def alpha_share(returning: float) -> float:
    """Ewens' alpha by the number N of views, so that (1 - returning) N people are expected.

    These are about alpha log(1 + N / alpha).

    >>> round(alpha_share(0.8), 3)
    0.075
    """
    share = 1 - returning
    for _ in range(60):
        share = (share + (1 - returning) / math.log1p(1 / share)) / 2
    return share


def cluster(scene: Scene) -> npt.NDArray[np.intp]:
    """(G,) number of the cluster of each group, numbered by their first group.

    Needs some G² bytes; time grows with G². Ties go to the earlier group.
    """
    label = _improve(scene, _agglomerate(scene))
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]


def _agglomerate(scene: Scene) -> npt.NDArray[np.intp]:
    """(G,) label of each group: the lowest group of its cluster."""
    n = len(scene.members)
    sums = Sums(scene.sums.vectors.copy(), scene.sums.amounts.copy())
    means = sums.means()
    forbidden = scene.forbidden.copy()
    size = scene.size.copy()
    inside: dict[int, list[int]] = {i: [i] for i in range(n)}
    version = [0] * n
    least = -MOST_TRANSIT if scene.transits else 0.0
    heap: list[tuple[float, int, int, int, int]] = []

    def offer(i: int, others: npt.NDArray[np.intp]) -> None:
        if not len(others):
            return
        gains = scene.reading.log_ratios(means[[i]], means)[0, others]
        gains += scene.prior(size[i], size[others])
        for j, gain in zip(others[gains > least], gains[gains > least], strict=True):
            a, b = min(i, int(j)), max(i, int(j))
            total = float(gain) + scene.transit(inside[a], inside[b])
            if total > 0:
                heapq.heappush(heap, (-total, a, b, version[a], version[b]))

    for i in range(n):
        offer(i, i + 1 + np.flatnonzero(~forbidden[i, i + 1 :]))
    alive = np.ones(n, np.bool_)
    while heap:
        _, a, b, of_a, of_b = heapq.heappop(heap)
        if not (alive[a] and alive[b]) or (version[a], version[b]) != (of_a, of_b):
            continue
        sums.vectors[a] += sums.vectors[b]
        sums.amounts[a] += sums.amounts[b]
        _renew(means, sums, a)
        forbidden[a] |= forbidden[b]
        forbidden[:, a] = forbidden[a]
        size[a] += size[b]
        inside[a] = sorted(inside[a] + inside.pop(b))
        alive[b] = False
        version[a] += 1
        others = np.flatnonzero(alive & ~forbidden[a])
        offer(a, others[others != a])
    label = np.empty(n, np.intp)
    for first, groups in inside.items():
        label[groups] = first
    return label


def _improve(scene: Scene, label: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Moves single groups to the cluster that they fit best, or out of all, until none gains."""
    n = len(label)
    label = label.copy()
    sums = Sums(np.zeros_like(scene.sums.vectors), np.zeros_like(scene.sums.amounts))
    means = sums.means()
    size = np.zeros(n, np.int64)

    def shift(group: int, to: int, sign: int) -> None:
        sums.vectors[to] += sign * scene.sums.vectors[group]
        sums.amounts[to] += sign * scene.sums.amounts[group]
        size[to] += sign * scene.size[group]
        if not size[to]:  # what rounding leaves of nobody
            sums.vectors[to], sums.amounts[to] = 0, 0
        _renew(means, sums, to)

    for group, own in enumerate(label):
        shift(group, int(own), 1)
    for _ in range(_SWEEPS):
        n_moved = 0
        for group in range(n):
            own = int(label[group])
            shift(group, own, -1)
            target = _best_home(scene, label, group, means, size)
            shift(group, target, 1)
            label[group] = target
            n_moved += target != own
        if not n_moved:
            break
    return label


def _renew(means: Means, sums: Sums, row: int) -> None:
    """The mean of a row whose sum has changed."""
    now = sums[[row]].means()
    means.vectors[row], means.amounts[row] = now.vectors[0], now.amounts[0]


def _best_home(
    scene: Scene,
    label: npt.NDArray[np.intp],
    group: int,
    means: Means,
    size: npt.NDArray[np.int64],
) -> int:
    """The cluster that a group, taken out of its own, fits best; its own where none is better."""
    own = int(label[group])
    ruled_out = np.zeros(len(label), np.bool_)
    ruled_out[label[scene.forbidden[group]]] = True
    open_to = np.flatnonzero((size > 0) & ~ruled_out)
    gains = scene.reading.log_ratios(scene.sums[[group]].means(), means)[0, open_to]
    gains += scene.prior(scene.size[group], size[open_to])
    if scene.transits is not None:
        for i in np.flatnonzero(gains > -MOST_TRANSIT):
            to = int(open_to[i])
            others = [int(g) for g in np.flatnonzero(label == to) if g != group]
            gains[i] += scene.transit([group], others)
    alone = own if not size[own] else int(np.flatnonzero(size == 0)[0])
    best, target = 0.0, alone
    if len(gains) and gains.max() > 0:
        best, target = float(gains.max()), int(open_to[int(np.argmax(gains))])
    now = next((float(g) for g, to in zip(gains, open_to, strict=True) if to == own), 0.0)
    return target if size[own] == 0 or best > now + _GAIN else own
