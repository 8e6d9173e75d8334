"""Soft sets of gallery rows: k-reciprocal neighbours and their Jaccard overlap.

Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017,
equations 2 to 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.reid.rerank.neighbours import Neighbours, Vectors, distances, parts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftSet:
    """Some rows of a gallery, each with how much it belongs; weights add up to 1.

    Attributes:
        members: (N,) int64, ascending, no row twice.
        weights: (N,) float64.
    """

    members: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetsByMember:
    """The soft sets of G gallery rows, turned around: for each row, whose sets it is in.

    Attributes:
        start: (G + 1,) where the entries of each member begin.
        owner: Gallery row whose set the member is in, by member.
        weight: How much it belongs to that set.
    """

    start: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]


def reciprocal(index: npt.NDArray[np.int64], *, k: int) -> list[frozenset[int]]:
    """R(g, k): those of the `k` nearest of each row that have it among their own `k` nearest.

    Args:
        index: (G, K) nearest rows, itself first; K at least `k` + 1, or the whole gallery.
    """
    near = [frozenset(row[: k + 1].tolist()) for row in index]
    return [
        frozenset(other for other in nearest if row in near[other])
        for row, nearest in enumerate(near)
    ]


def expanded(core: frozenset[int], halves: Sequence[frozenset[int]]) -> frozenset[int]:
    """R*: R joined by R(c, k/2) of each member c whose set lies in R by more than two thirds."""
    joined = [
        halves[member]
        for member in core
        if len(halves[member] & core) > 2 / 3 * len(halves[member])
    ]
    return core.union(*joined)


def soft_set(members: npt.NDArray[np.int64], distance: npt.NDArray[np.float64]) -> SoftSet:
    """Members weighted by exp(-distance), to a sum of 1."""
    weights = np.exp(-distance)
    return SoftSet(members=members, weights=weights / weights.sum())


def gallery_sets(gallery: Vectors, neighbours: Neighbours, *, k: int) -> list[SoftSet]:
    """R*(g, k) of every gallery row, weighted by exp(-d² / d²max of the row)."""
    cores = reciprocal(neighbours.index, k=k)
    halves = reciprocal(neighbours.index, k=round(k / 2))
    members = [np.array(sorted(expanded(core, halves)), np.int64) for core in cores]
    sets: list[SoftSet] = []
    for rows in parts(len(gallery), width=len(gallery)):
        far = distances(gallery[rows], gallery)
        for at, row in enumerate(range(*rows.indices(len(gallery)))):
            far[at, row] = 0.0
            chosen = far[at, members[row]] ** 2
            sets.append(soft_set(members[row], chosen / max(neighbours.farthest[row] ** 2, 1e-12)))
    return sets


def mean_set(sets: Sequence[SoftSet]) -> SoftSet:
    """The union of sets, weights averaged; who is not in a set has weight 0 there."""
    members, place = np.unique(np.concatenate([each.members for each in sets]), return_inverse=True)
    weights = np.concatenate([each.weights for each in sets])
    return SoftSet(
        members=members,
        weights=np.bincount(place, weights, minlength=len(members)) / len(sets),
    )


def by_member(sets: Sequence[SoftSet]) -> SetsByMember:
    """The sets of a whole gallery, by member."""
    lengths = [len(each.members) for each in sets]
    owner = np.repeat(np.arange(len(sets)), lengths)
    member = np.concatenate([each.members for each in sets])
    weight = np.concatenate([each.weights for each in sets])
    order = np.argsort(member, kind="stable")
    counts = np.bincount(member, minlength=len(sets))
    start = np.concatenate(([0], np.cumsum(counts)))
    return SetsByMember(start=start, owner=owner[order], weight=weight[order])


def jaccard_distances(query: SoftSet, gallery: SetsByMember) -> npt.NDArray[np.float64]:
    """1 - sum of minima / sum of maxima of the query's set with each set of the gallery, (G,).

    All sets weigh 1, so the maxima add up to 2 - minima.
    """
    first = gallery.start[query.members]
    n = gallery.start[query.members + 1] - first
    offset = np.repeat(first - np.concatenate(([0], np.cumsum(n)[:-1])), n)
    entries = np.arange(int(n.sum())) + offset
    shared = np.minimum(gallery.weight[entries], np.repeat(query.weights, n))
    minima = np.bincount(gallery.owner[entries], shared, minlength=len(gallery.start) - 1)
    return np.asarray(1 - minima / (2 - minima), np.float64)
