"""Similarity inference metric: paths through the gallery, then shared neighbours.

Jia et al., "A Similarity Inference Metric for RGB-Infrared Cross-Modality Person
Re-identification", IJCAI 2020 (arXiv 2007.01504). Two steps:

- similarity graph reasoning: d(q, g) becomes the mean of the K shortest paths q -> t -> g over the
  gallery neighbours t of g, d(q, t) + hop_weight * d(t, g);
- mutual nearest neighbours: a soft Jaccard distance between the query's nearest by those paths and
  the k-reciprocal set of each gallery row.

The published code changes distances while it reads them, so its answer depends on the order of the
gallery. Here all paths start from the original distances (Jacobi instead of Gauss-Seidel).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.reid.rerank.neighbours import Vectors, distances, find_neighbours, parts, unit_rows
from models.reid.rerank.sets import by_member, gallery_sets, jaccard_distances, soft_set


@dataclass(frozen=True, slots=True, kw_only=True)
class SimParameters:
    """Sizes and weights of SIM. They want to follow how many pictures of one person there are.

    Attributes:
        n_through: Gallery neighbours of a row that a path may lead through, itself included.
        hop_weight: Weight of the step within the gallery.
        n_paths: Shortest paths that are averaged.
        k_query: The query's set has one row more than this.
        k_gallery: Size of a neighbourhood in the gallery.
        jaccard_share: Weight of the Jaccard distance, 0-1.
    """

    n_through: int = 20
    hop_weight: float = 0.01
    n_paths: int = 9
    k_query: int = 12
    k_gallery: int = 20
    jaccard_share: float = 0.7


SIM_MANY_SHOTS = SimParameters()
"""The published parameters for SYSU-MM01, some thirty gallery pictures of a person."""
SIM_REGDB = SimParameters(hop_weight=0.1, n_paths=5, k_query=9, jaccard_share=0.3)
"""The published parameters for RegDB, ten gallery pictures of a person."""
SIM_FEW_SHOTS = SimParameters(n_paths=4, k_query=4, k_gallery=6)
"""For three or four gallery pictures of a person, where the published ones do harm."""


class SimilarityInference:
    """SIM over one gallery."""

    def __init__(self, gallery: Vectors, parameters: SimParameters = SIM_MANY_SHOTS) -> None:
        """Looks at the gallery, (G, D) float32, G at least 1."""
        self._parameters = parameters
        self._gallery = unit_rows(gallery)
        k = max(parameters.n_through, parameters.k_gallery + 1)
        near = find_neighbours(self._gallery, k=k)
        self._through = near.index[:, : parameters.n_through]
        self._hops = parameters.hop_weight * near.distance[:, : parameters.n_through]
        self._by_member = by_member(gallery_sets(self._gallery, near, k=parameters.k_gallery))

    def order_scores(self, query: Vectors) -> npt.NDArray[np.float32]:
        """(Q, G), higher comes earlier; see `Reranking`."""
        query = unit_rows(query)
        share, n_members = self._parameters.jaccard_share, self._parameters.k_query + 1
        scores = np.empty((len(query), len(self._gallery)), np.float32)
        for rows in parts(len(query), width=self._through.size):
            for at, path in enumerate(self._paths(query[rows]), start=rows.start):
                relative = path**2 / max(path.max() ** 2, 1e-12)
                members = np.sort(np.argsort(path, kind="stable")[:n_members])
                own = soft_set(members, relative[members])
                jaccard = jaccard_distances(own, self._by_member)
                scores[at] = 1 - (share * jaccard + (1 - share) * relative)
        return scores

    def _paths(self, query: Vectors) -> npt.NDArray[np.float64]:
        far = distances(query, self._gallery)
        paths = far[:, self._through] + self._hops  # (Q, G, n_through)
        n = min(self._parameters.n_paths, paths.shape[2])
        paths.partition(n - 1, axis=2)
        return np.asarray(paths[:, :, :n].mean(axis=2), np.float64)
