"""Searching vectors: which of those kept are most similar to these?

Rebuilt from the database at every start, so it cannot disagree with it. One index holds vectors of
one network only.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from storage.errors import IndexUnavailable
from storage.types import Neighbours

if TYPE_CHECKING:
    from types import ModuleType

logger = logging.getLogger(__name__)

UNIT_TOLERANCE = 1e-3
SPARE = 8
"""Candidates beyond k that are compared exactly, so that ties end at the lowest id."""
GPU_LARGEST_N = 2048
"""FAISS on a GPU finds no more candidates at once."""

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class VectorIndex(Protocol):
    """Vectors by number, searchable by cosine similarity. Threads may share it."""

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Keep (N, D) unit vectors under (N,) numbers that are not in use; N may be 0."""

    def search(self, queries: Vectors, k: int) -> Neighbours:
        """The `k` most similar vectors for each row of (M, D) unit vectors; M may be 0."""

    def remove(self, ids: Ids) -> None:
        """Forget these numbers; those that are not there are passed over."""

    def __len__(self) -> int: ...


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
        self._faiss = _load_faiss()
        self._lock = threading.Lock()
        self._ids: set[int] = set()
        self._kept = self._faiss.IndexIDMap2(self._faiss.IndexFlatIP(dimension))
        self._mirror: _GpuMirror | None = None
        self._has_gpu = _has_gpu(self._faiss)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex.add`.

        Raises:
            ValueError: Wrong shape or type, a number in use or twice, a vector not finite or not
                of unit length. Nothing is kept then.
        """
        ids = np.ascontiguousarray(ids)
        vectors = self._checked(vectors, "vectors")
        if ids.shape != (len(vectors),) or ids.dtype != np.int64:
            raise ValueError(f"ids: expected ({len(vectors)},) int64, got {ids.dtype} {ids.shape}")
        new = {int(number) for number in ids}
        with self._lock:
            if len(new) < len(ids) or not self._ids.isdisjoint(new) or any(n < 0 for n in new):
                raise ValueError("ids: expected numbers >= 0 that are not in use, each once")
            self._kept.add_with_ids(vectors, ids)
            self._ids |= new
            if self._mirror is not None:
                try:
                    self._mirror.add(vectors, ids)
                except RuntimeError as error:
                    self._leave_gpu(error)

    def search(self, queries: Vectors, k: int) -> Neighbours:
        """See `VectorIndex.search`.

        Raises:
            ValueError: Wrong shape or type, k < 1, a query not finite or not of unit length.
        """
        if k < 1:
            raise ValueError(f"k: expected at least 1, got {k}")
        queries = self._checked(queries, "queries")
        ids = np.full((len(queries), k), -1, dtype=np.int64)
        similarities = np.full((len(queries), k), -1, dtype=np.float32)
        with self._lock:
            if len(queries) and self._ids:
                self._fill(queries, ids, similarities)
        return Neighbours(ids=ids, similarities=similarities)

    def remove(self, ids: Ids) -> None:
        """See `VectorIndex.remove`."""
        with self._lock:
            gone = np.array([n for n in map(int, ids) if n in self._ids], dtype=np.int64)
            if len(gone):
                self._kept.remove_ids(gone)
                self._ids.difference_update(gone.tolist())
                self._mirror = None  # FAISS cannot take rows out of a GPU: copied anew when asked

    def __len__(self) -> int:
        return len(self._ids)

    def _fill(self, queries: Vectors, ids: Ids, similarities: Vectors) -> None:
        """Write the neighbours of every query into the rows given."""
        k, spare = ids.shape[1], SPARE
        todo = np.arange(len(queries))
        while len(todo):
            n = min(len(self._ids), k + spare)
            rough, found = self._candidates(queries[todo], n)
            exact = self._exact_similarities(queries[todo], found)
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

    def _exact_similarities(self, queries: Vectors, found: Ids) -> Vectors:
        kept = self._kept.reconstruct_batch(found.ravel())
        kept = kept.reshape(*found.shape, self.dimension).astype(np.float64)
        exact = np.einsum("md,mnd->mn", queries.astype(np.float64), kept)
        return np.asarray(np.clip(exact, -1, 1), dtype=np.float32)

    def _checked(self, vectors: Vectors, name: str) -> Vectors:
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise ValueError(f"{name}: expected (N, {self.dimension}), got {vectors.shape}")
        if vectors.dtype != np.float32:
            raise ValueError(f"{name}: expected float32, got {vectors.dtype}")
        lengths = np.linalg.norm(vectors, axis=1)
        if not (np.abs(lengths - 1) <= UNIT_TOLERANCE).all():  # NaN fails too
            raise ValueError(f"{name}: expected finite rows of unit length")
        return np.ascontiguousarray(vectors)


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


def _load_faiss() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise IndexUnavailable(
            "searching vectors needs FAISS: pip install noctule[cpu] (or noctule[gpu])"
        ) from error
    return faiss


def _has_gpu(faiss: ModuleType) -> bool:
    # The CPU build does not have the function at all in some versions.
    count = getattr(faiss, "get_num_gpus", None)
    return count is not None and count() > 0
