"""Affinity inference: whom one resembles in the gallery says who one is.

Fang et al., "Visible-Infrared Person Re-Identification via Semantic Alignment and Affinity
Inference", ICCV 2023. A query is described by its affinities to its k1 nearest gallery rows, a
gallery row by the mean of those of its k2 nearest; the cosine of both is added to the plain cosine.
The cheapest of the three.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.reid.rerank.neighbours import Vectors, find_neighbours, parts, unit_rows


class AffinityInference:
    """AIM over one gallery."""

    def __init__(self, gallery: Vectors, *, k1: int = 30, k2: int = 6) -> None:
        """Looks at the gallery.

        Args:
            gallery: (G, D) float32, G at least 1.
            k1: Affinities that are kept.
            k2: Gallery rows whose affinities are averaged, itself included.
        """
        self._k1 = k1
        self._gallery = unit_rows(gallery)
        near = find_neighbours(self._gallery, k=max(k1, k2))
        affinity = 1 - near.distance[:, :k1] ** 2 / 2  # cosine of unit vectors
        own = _sparse(near.index[:, :k1], affinity, width=len(gallery))
        k2 = min(k2, near.index.shape[1])
        mean = _sparse(near.index[:, :k2], np.full((len(gallery), k2), 1 / k2), width=len(gallery))
        self._described = _unit(mean @ own)

    def order_scores(self, query: Vectors) -> npt.NDArray[np.float32]:
        """(Q, G), higher comes earlier; see `Reranking`."""
        query = unit_rows(query)
        scores = np.empty((len(query), len(self._gallery)), np.float32)
        for rows in parts(len(query), width=len(self._gallery)):
            cosine = (query[rows] @ self._gallery.T).astype(np.float64)
            nearest = np.argsort(-cosine, axis=1, kind="stable")[:, : self._k1]
            affinity = np.take_along_axis(cosine, nearest, axis=1)
            described = _unit(_sparse(nearest, affinity, width=len(self._gallery)))
            scores[rows] = (described @ self._described.T).toarray() + cosine
        return scores


def _sparse(
    columns: npt.NDArray[np.int64], values: npt.NDArray[np.float64], *, width: int
) -> sparse.csr_array[np.float64, tuple[int, int]]:
    n, k = columns.shape
    start = np.arange(0, n * k + 1, k)
    return sparse.csr_array((values.ravel(), columns.ravel(), start), shape=(n, width))


def _unit(
    rows: sparse.csr_array[np.float64, tuple[int, int]],
) -> sparse.csr_array[np.float64, tuple[int, int]]:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1))).ravel()
    scale = sparse.diags_array(1 / np.maximum(norms, 1e-12))
    return sparse.csr_array(scale @ rows)
