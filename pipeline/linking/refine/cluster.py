"""Correlation clustering of views: who is one person, by looks, transit and what is ruled out.

The same model as the linker's, with clusters for identities: a view x joins a cluster C, of K that
are not ruled out, against staying alone with the odds

    returning / K * L(x, C) * T(x, C)  :  1 - returning

where L is the average linkage of the log-likelihood ratios of all pairs, times k / (1 + (k - 1) r)
for k pairs correlated by r, and T the ratio of transits between consecutive views. Clusters are
merged greedily, the surest first, while the odds are above one; then single views move to where
they fit better.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.linking.refine.evidence import Matrix, together
from pipeline.linking.refine.views import View
from pipeline.linking.topology import Transits

MOST_TRANSIT = 2.0
"""What transits say together counts for no more than this, in either direction: people stop and
turn, so that it may settle a doubt but not make one."""
_SWEEPS = 5
_GAIN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What is clustered, in groups that stay together (mostly of one view).

    Attributes:
        views: Ordered; nothing depends on more than this order.
        members: Of each group, indices of views, ascending.
        log_ratio: (G, G) summed over the pairs of views of two groups, 0 on the diagonal.
        size: (G,) views of each group.
        forbidden: (G, G) groups that cannot be one person.
        returning: Prior share of views that show somebody who is in another view too.
        transits: None where nothing is known.
    """

    views: Sequence[View]
    members: Sequence[Sequence[int]]
    log_ratio: Matrix
    size: npt.NDArray[np.int64]
    forbidden: npt.NDArray[np.bool_]
    returning: float
    transits: Transits | None

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
    log_ratio: Matrix,
    forbidden: npt.NDArray[np.bool_],
    *,
    returning: float,
    transits: Transits | None,
) -> Scene:
    """Sums of pairs of views by group; what is ruled out for one of a group is so for all."""
    owner = np.empty(len(views), np.intp)
    for group, rows in enumerate(members):
        owner[list(rows)] = group
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(members)))
    if len(members) == len(views):
        sums, ruled_out = log_ratio, forbidden
    else:
        sums = log_ratio[np.ix_(order, order)]
        sums = np.add.reduceat(np.add.reduceat(sums, starts, axis=0), starts, axis=1)
        ruled_out = forbidden[np.ix_(order, order)]
        ruled_out = np.logical_or.reduceat(ruled_out, starts, axis=0)
        ruled_out = np.logical_or.reduceat(ruled_out, starts, axis=1)
    sums, ruled_out = sums.copy(), ruled_out.copy()
    np.fill_diagonal(sums, 0)
    np.fill_diagonal(ruled_out, False)
    return Scene(
        views=views,
        members=members,
        log_ratio=sums,
        size=np.array([len(rows) for rows in members], np.int64),
        forbidden=ruled_out,
        returning=returning,
        transits=transits,
    )


def log_prior(returning: float, n_others: float) -> float:
    """Log odds of being one of `n_others` people rather than nobody else, before looking."""
    return math.log(returning / max(n_others, 1.0)) - math.log(1 - returning)


def cluster(scene: Scene) -> npt.NDArray[np.intp]:
    """(G,) number of the cluster of each group, numbered by their first group.

    Needs G² numbers; time grows with G² log G. Ties go to the earlier group.
    """
    label = _improve(scene, _agglomerate(scene))
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]


def _expected_people(scene: Scene) -> float:
    return max((1 - scene.returning) * float(scene.size.sum()), 1.0)


def _agglomerate(scene: Scene) -> npt.NDArray[np.intp]:
    """(G,) label of each group: the lowest group of its cluster."""
    n = len(scene.members)
    sums = scene.log_ratio.copy()
    forbidden = scene.forbidden.copy()
    size = scene.size.copy()
    inside: dict[int, list[int]] = {i: [i] for i in range(n)}
    version = [0] * n
    prior = log_prior(scene.returning, _expected_people(scene))
    least = -MOST_TRANSIT if scene.transits else 0.0
    heap: list[tuple[float, int, int, int, int]] = []

    def offer(i: int, others: npt.NDArray[np.intp]) -> None:
        if not len(others):
            return
        gains = together(sums[i, others], size[i] * size[others]) + prior
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
        sums[a] += sums[b]
        sums[:, a] = sums[a]
        sums[a, a] = 0
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
    prior = log_prior(scene.returning, _expected_people(scene))
    sums = np.zeros((n, n), np.float64)  # (group, cluster)
    ruled_out = np.zeros((n, n), np.int32)
    size = np.zeros(n, np.int64)
    for group, own in enumerate(label):
        sums[:, own] += scene.log_ratio[:, group]
        ruled_out[:, own] += scene.forbidden[:, group]
        size[own] += scene.size[group]
    for _ in range(_SWEEPS):
        n_moved = 0
        for group in range(n):
            own = int(label[group])
            rest = size - np.where(np.arange(n) == own, scene.size[group], 0)
            open_to = np.flatnonzero((rest > 0) & (ruled_out[group] == 0))
            gains = together(sums[group, open_to], rest[open_to] * scene.size[group]) + prior
            near = gains > -MOST_TRANSIT
            likely = [(0.0, -n)] + [
                (float(gain), -int(to)) for to, gain in zip(open_to[near], gains[near], strict=True)
            ]
            if scene.transits is not None:
                likely = [
                    (gain + scene.transit([group], _others(label, -to, group)), to)
                    if -to < n
                    else (gain, to)
                    for gain, to in likely
                ]
            gain, best = max(likely)
            now = next((g for g, to in likely if -to == own), 0.0 if rest[own] == 0 else -math.inf)
            if gain <= now + _GAIN:
                continue
            target = -best if -best < n else int(np.flatnonzero(rest == 0)[0])
            for cluster_, sign in ((own, -1), (target, 1)):
                sums[:, cluster_] += sign * scene.log_ratio[:, group]
                ruled_out[:, cluster_] += sign * scene.forbidden[:, group]
                size[cluster_] += sign * scene.size[group]
            label[group] = target
            n_moved += 1
        if not n_moved:
            break
    return label


def _others(label: npt.NDArray[np.intp], cluster_: int, group: int) -> list[int]:
    return [int(i) for i in np.flatnonzero(label == cluster_) if i != group]
