"""What every index of vectors promises, and what all of them do alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from storage.errors import IndexUnavailable
from storage.types import Neighbours

if TYPE_CHECKING:
    from types import ModuleType

UNIT_TOLERANCE = 1e-3
ROWS_AT_ONCE = 16_384
"""Vectors compared exactly at a time, so that memory stays bounded."""

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class VectorSearch(Protocol):
    """Vectors by number, searchable by cosine similarity. Threads may share it."""

    def search(self, queries: Vectors, k: int, *, among: Ids | None = None) -> Neighbours:
        """The `k` most similar vectors for each row of (M, D) unit vectors; M may be 0.

        Args:
            among: Only vectors of these numbers, each compared exactly; those that are not there
                are passed over. None for all.
        """

    def __len__(self) -> int: ...


class VectorIndex(VectorSearch, Protocol):
    """A search whose vectors come and go by call."""

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Keep (N, D) unit vectors under (N,) numbers that are not in use; N may be 0.

        Raises:
            ValueError: Wrong shape or type, a number in use or twice, a vector not finite or not
                of unit length. Nothing is kept then.
        """

    def remove(self, ids: Ids) -> None:
        """Forget these numbers; those that are not there are passed over."""


def checked_vectors(vectors: Vectors, dimension: int, name: str) -> Vectors:
    """`vectors`, contiguous, if they are (N, dimension) float32 rows of unit length.

    Raises:
        ValueError: They are not; `name` says which ones.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise ValueError(f"{name}: expected (N, {dimension}), got {vectors.shape}")
    if vectors.dtype != np.float32:
        raise ValueError(f"{name}: expected float32, got {vectors.dtype}")
    squares = np.vecdot(vectors, vectors)
    least, most = (1 - UNIT_TOLERANCE) ** 2, (1 + UNIT_TOLERANCE) ** 2
    if len(squares) and not least <= squares.min() <= squares.max() <= most:  # NaN fails too
        raise ValueError(f"{name}: expected finite rows of unit length")
    return np.ascontiguousarray(vectors)


def checked_ids(ids: Ids, n: int) -> Ids:
    """`ids`, contiguous, if they are (n,) numbers from 0, each once.

    Raises:
        ValueError: They are not.
    """
    if ids.shape != (n,) or ids.dtype != np.int64:
        raise ValueError(f"ids: expected ({n},) int64, got {ids.dtype} {ids.shape}")
    if n and (ids.min() < 0 or len(np.unique(ids)) < n):
        raise ids_in_use()
    return np.ascontiguousarray(ids)


def ids_in_use() -> ValueError:
    """What to raise where a number is negative, given twice or in use."""
    return ValueError("ids: expected numbers >= 0 that are not in use, each once")


def checked_k(k: int) -> int:
    """`k` if it is at least 1.

    Raises:
        ValueError: It is not.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    return k


def exact_similarities(queries: Vectors, kept: Vectors) -> Vectors:
    """Cosines in [-1, 1], added up in double precision so that no order of adding shows.

    Args:
        queries: (M, D) unit rows.
        kept: (M, n, D) unit rows: n for each query.

    Returns:
        (M, n) float32.
    """
    exact = np.einsum("md,mnd->mn", queries.astype(np.float64), kept.astype(np.float64))
    return np.asarray(np.clip(exact, -1, 1), dtype=np.float32)


def best(ids: Ids, similarities: Vectors, k: int) -> Neighbours:
    """The `k` best of candidates, sorted by (similarity, lowest number).

    Args:
        ids: (M, n) numbers; -1 stands for none.
        similarities: (M, n) of them, -1 beside none.
    """
    order = np.lexsort((ids, -similarities, ids < 0), axis=1)[:, :k]
    ids = np.take_along_axis(ids, order, axis=1)
    similarities = np.take_along_axis(similarities, order, axis=1)
    n_missing = k - ids.shape[1]
    if n_missing:
        lacking = ((0, 0), (0, n_missing))
        ids = np.pad(ids, lacking, constant_values=-1)
        similarities = np.pad(similarities, lacking, constant_values=-1)
    return Neighbours(ids=ids, similarities=similarities)


def nothing_found(n_queries: int, k: int) -> Neighbours:
    """The answer of an empty index, to be written into."""
    shape = (n_queries, k)
    return Neighbours(
        ids=np.full(shape, -1, dtype=np.int64), similarities=np.full(shape, -1, dtype=np.float32)
    )


def joined(parts: list[Neighbours], k: int) -> Neighbours:
    """The `k` best of several answers to the same queries."""
    ids = np.concatenate([part.ids for part in parts], axis=1)
    return best(ids, np.concatenate([part.similarities for part in parts], axis=1), k)


def load_faiss() -> ModuleType:
    """The library that searches.

    Raises:
        IndexUnavailable: It is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise IndexUnavailable(
            "searching vectors needs FAISS: pip install noctule[cpu] (or noctule[gpu])"
        ) from error
    return faiss
