"""Exact search, on the GPU where FAISS has one: every vector is compared."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.types import Neighbours
from storage.vectors.index import (
    ROWS_AT_ONCE,
    Ids,
    Vectors,
    best,
    checked_ids,
    checked_k,
    checked_vectors,
    exact_similarities,
    ids_in_use,
    joined,
    load_faiss,
    nothing_found,
)

if TYPE_CHECKING:
    from types import ModuleType

logger = logging.getLogger(__name__)

SPARE = 8
"""Candidates beyond k that are compared exactly, so that ties end at the lowest id."""
GPU_LARGEST_N = 2048
"""FAISS on a GPU finds no more candidates at once."""


class FlatIndex:
    """Exact search over FAISS, on the GPU where FAISS has one.

    The answer depends on what was kept and asked, not on the order of adding, the batch, the
    number of threads or the device: FAISS finds candidates, and their similarities are then
    computed once more, in double precision, and sorted by (similarity, lowest id).

    Args:
        dimension: Numbers per vector, D.

    Raises:
        IndexUnavailable: FAISS is not installed.
    """

    def __init__(self, dimension: int) -> None:
        if dimension < 1:
            raise ValueError(f"dimension: expected at least 1, got {dimension}")
        self.dimension = dimension
        self._faiss = load_faiss()
        self._lock = threading.Lock()
        self._ids: set[int] = set()
        self._kept = self._faiss.IndexIDMap2(self._faiss.IndexFlatIP(dimension))
        self._mirror: _GpuMirror | None = None
        self._has_gpu = _has_gpu(self._faiss)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        vectors = checked_vectors(vectors, self.dimension, "vectors")
        ids = checked_ids(ids, len(vectors))
        new = set(ids.tolist())
        with self._lock:
            if not self._ids.isdisjoint(new):
                raise ids_in_use()
            self._kept.add_with_ids(vectors, ids)
            self._ids |= new
            if self._mirror is not None:
                try:
                    self._mirror.add(vectors, ids)
                except RuntimeError as error:
                    self._leave_gpu(error)

    def search(self, queries: Vectors, k: int, *, among: Ids | None = None) -> Neighbours:
        """See `VectorSearch.search`.

        Raises:
            ValueError: Wrong shape or type, k < 1, a query not finite or not of unit length.
        """
        checked_k(k)
        queries = checked_vectors(queries, self.dimension, "queries")
        with self._lock:
            if not len(queries) or not self._ids:
                return nothing_found(len(queries), k)
            if among is not None:
                return self._search_among(queries, k, among)
            found = nothing_found(len(queries), k)
            self._fill(queries, found.ids, found.similarities)
            return found

    def remove(self, ids: Ids) -> None:
        """See `VectorIndex.remove`."""
        with self._lock:
            gone = np.array([n for n in map(int, ids) if n in self._ids], dtype=np.int64)
            if len(gone):
                self._kept.remove_ids(gone)
                self._ids.difference_update(gone.tolist())
                self._mirror = None  # FAISS cannot take rows out of a GPU: copied anew when asked

    def ids(self) -> Ids:
        """Numbers in use, ascending."""
        with self._lock:
            return np.array(sorted(self._ids), dtype=np.int64)

    def vectors(self, ids: Ids) -> Vectors:
        """(N, D) vectors of (N,) numbers that are in use."""
        with self._lock:
            if not len(ids):
                return np.empty((0, self.dimension), dtype=np.float32)
            kept: Vectors = self._kept.reconstruct_batch(ids)
            return kept

    def __len__(self) -> int:
        return len(self._ids)

    def _search_among(self, queries: Vectors, k: int, among: Ids) -> Neighbours:
        there = np.array([n for n in map(int, np.unique(among)) if n in self._ids], dtype=np.int64)
        found = nothing_found(len(queries), k)
        for start in range(0, len(there), ROWS_AT_ONCE):
            part = there[start : start + ROWS_AT_ONCE]
            kept = self._kept.reconstruct_batch(part).astype(np.float64)
            exact = np.clip(queries.astype(np.float64) @ kept.T, -1, 1).astype(np.float32)
            every = np.broadcast_to(part, exact.shape)
            found = joined([found, best(every, exact, k)], k)
        return found

    def _fill(self, queries: Vectors, ids: Ids, similarities: Vectors) -> None:
        """Write the neighbours of every query into the rows given."""
        k, spare = ids.shape[1], SPARE
        todo = np.arange(len(queries))
        while len(todo):
            n = min(len(self._ids), k + spare)
            rough, found = self._candidates(queries[todo], n)
            kept = self._kept.reconstruct_batch(found.ravel())
            exact = exact_similarities(queries[todo], kept.reshape(*found.shape, self.dimension))
            order = np.lexsort((found, -exact), axis=1)[:, :k]
            ids[todo, : order.shape[1]] = np.take_along_axis(found, order, axis=1)
            similarities[todo, : order.shape[1]] = np.take_along_axis(exact, order, axis=1)
            if n == len(self._ids):
                return
            # More may hide behind the last candidate if the k-th is no better than it.
            kth = np.take_along_axis(exact, order[:, -1:], axis=1)[:, 0]
            todo = todo[kth <= rough[:, -1] + _rounding(self.dimension)]
            spare *= 4

    def _candidates(self, queries: Vectors, n: int) -> tuple[Vectors, Ids]:
        if self._has_gpu and n <= GPU_LARGEST_N:
            try:
                if self._mirror is None:
                    self._mirror = _GpuMirror(self._faiss, self._kept, self.dimension)
                return self._mirror.search(queries, n)
            except RuntimeError as error:  # out of memory, device lost
                self._leave_gpu(error)
        similarities: Vectors
        similarities, ids = self._kept.search(queries, n)
        return similarities, ids

    def _leave_gpu(self, error: RuntimeError) -> None:
        logger.warning("vector search goes on without the GPU: %s", error)
        self._has_gpu, self._mirror = False, None


class _GpuMirror:
    """A copy of the vectors on the first GPU, in the order of the original."""

    def __init__(self, faiss: ModuleType, kept: Any, dimension: int) -> None:
        resources = faiss.StandardGpuResources()
        # The index refers to its resources without owning them.
        self._resources = resources
        self._index = faiss.GpuIndexFlatIP(resources, dimension)
        self._ids: Ids = faiss.vector_to_array(kept.id_map).copy()
        if len(self._ids):
            self._index.add(kept.index.reconstruct_n(0, len(self._ids)))

    def add(self, vectors: Vectors, ids: Ids) -> None:
        self._index.add(vectors)
        self._ids = np.concatenate([self._ids, ids])

    def search(self, queries: Vectors, n: int) -> tuple[Vectors, Ids]:
        similarities: Vectors
        similarities, rows = self._index.search(queries, n)
        return similarities, self._ids[rows]


def _rounding(dimension: int) -> float:
    """How far two ways of summing float32 products of unit vectors may differ."""
    return float(dimension * np.finfo(np.float32).eps)


def _has_gpu(faiss: ModuleType) -> bool:
    # The CPU build does not have the function at all in some versions.
    count = getattr(faiss, "get_num_gpus", None)
    return count is not None and count() > 0
