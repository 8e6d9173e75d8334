"""k-reciprocal re-ranking in which the query is a guest of the gallery.

Zhong et al., CVPR 2017, mix queries and gallery into one set, so that queries help one another.
Here each query meets the gallery alone: neighbourhoods among the gallery are those without any
query, and a row has the query among its k nearest if it is at least as near as the k-th other row.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.reid.rerank.neighbours import Vectors, distances, find_neighbours, parts, unit_rows
from models.reid.rerank.sets import (
    SoftSet,
    by_member,
    expanded,
    gallery_sets,
    jaccard_distances,
    mean_set,
    reciprocal,
    soft_set,
)


class KReciprocal:
    """k-reciprocal re-ranking: share * d² / d²max + (1 - share) * Jaccard distance."""

    def __init__(
        self, gallery: Vectors, *, k1: int = 20, k2: int = 6, distance_share: float = 0.3
    ) -> None:
        """Looks at the gallery.

        Args:
            gallery: (G, D) float32, G at least 1.
            k1: Size of a neighbourhood.
            k2: Neighbours whose sets are averaged, itself included; 1 averages nothing.
            distance_share: Weight of the plain distance, 0-1.
        """
        self._gallery = unit_rows(gallery)
        near = find_neighbours(self._gallery, k=max(k1 + 1, k2))
        sets = gallery_sets(self._gallery, near, k=k1)
        self._sets = sets
        self._by_member = by_member(
            [mean_set([sets[other] for other in row[:k2]]) for row in near.index]
        )
        self._halves = reciprocal(near.index, k=round(k1 / 2))
        full = near.distance.shape[1] > k1  # in a small gallery everybody is near everybody
        self._reach = near.distance[:, k1] if full else np.full(len(gallery), np.inf)
        self._k1, self._k2, self._share = k1, k2, distance_share

    def order_scores(self, query: Vectors) -> npt.NDArray[np.float32]:
        """(Q, G), higher comes earlier; see `Reranking`."""
        query = unit_rows(query)
        scores = np.empty((len(query), len(self._gallery)), np.float32)
        for rows in parts(len(query), width=len(self._gallery)):
            for at, far in enumerate(distances(query[rows], self._gallery), start=rows.start):
                relative = far**2 / max(far.max() ** 2, 1e-12)
                jaccard = jaccard_distances(self._set_of(far, relative), self._by_member)
                scores[at] = 1 - (self._share * relative + (1 - self._share) * jaccard)
        return scores

    def _set_of(self, far: npt.NDArray[np.float64], relative: npt.NDArray[np.float64]) -> SoftSet:
        nearest = np.argsort(far, kind="stable")
        forward = nearest[: self._k1]
        core = frozenset(forward[far[forward] <= self._reach[forward]].tolist())
        if not core:  # nobody returns the look: the nearest stands for the query
            core = frozenset(nearest[:1].tolist())
        members = np.array(sorted(expanded(core, self._halves)), np.int64)
        own = soft_set(members, relative[members])
        return mean_set([own, *(self._sets[other] for other in nearest[: self._k2 - 1])])
