"""Distances and nearest neighbours in a gallery, a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

AT_ONCE = 1 << 22
"""Numbers held at once by a step over parts of the rows: 32 MB in double precision."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """The nearest of each of G gallery rows.

    Attributes:
        index: (G, K) int64, nearest first; the row itself comes first.
        distance: (G, K) float64, Euclidean between unit vectors, 0 to 2.
        farthest: (G,) float64, distance of the farthest row of the gallery.
    """

    index: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float64]
    farthest: npt.NDArray[np.float64]


def unit_rows(vectors: Vectors) -> Vectors:
    """Rows of length 1.

    Raises:
        ValueError: A row is zero or not finite.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not bool((np.isfinite(norms) & (norms > 0)).all()):
        raise ValueError("vectors: expected finite rows of a length above 0")
    return np.asarray(vectors / norms, np.float32)


def distances(a: Vectors, b: Vectors) -> npt.NDArray[np.float64]:
    """(A, B) Euclidean distances between unit rows."""
    cosine = (a @ b.T).astype(np.float64)
    return np.sqrt(np.maximum(2 - 2 * cosine, 0))


def find_neighbours(gallery: Vectors, *, k: int) -> Neighbours:
    """The `k` nearest rows of each row of a gallery of unit rows, itself included.

    Never holds the (G, G) distances. With fewer than `k` rows all are neighbours.
    """
    k = min(k, len(gallery))
    index = np.empty((len(gallery), k), np.int64)
    distance = np.empty((len(gallery), k), np.float64)
    farthest = np.empty(len(gallery), np.float64)
    for rows in parts(len(gallery), width=len(gallery)):
        own = np.arange(len(gallery))[rows]
        far = distances(gallery[rows], gallery)
        far[np.arange(len(own)), own] = -1.0  # first, even beside an equal row
        index[rows] = np.argsort(far, axis=1, kind="stable")[:, :k]
        distance[rows] = np.maximum(np.take_along_axis(far, index[rows], axis=1), 0)
        farthest[rows] = np.maximum(far.max(axis=1), 0)
    return Neighbours(index=index, distance=distance, farthest=farthest)


def parts(n_rows: int, *, width: int) -> Iterator[slice]:
    """Slices over rows, each of about `AT_ONCE` numbers if a row takes `width`."""
    step = max(1, AT_ONCE // max(1, width))
    return (slice(start, start + step) for start in range(0, n_rows, step))
