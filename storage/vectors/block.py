"""Many vectors with lists that say where to look: what an approximate index searches first.

Vectors are turned so that their spread lies in the first 128 numbers (principal components), sorted
into lists by their nearest centre, and described by half a byte per two numbers (product
quantisation: Jegou, Douze, Schmid, "Product quantization for nearest neighbor search", 2011; the
descriptions are compared in registers: Andre, Kermarrec, Le Scouarnec, "Quicker ADC", 2019). A
search reads a part of the lists; the best candidates are compared exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from storage.types import Neighbours
from storage.vectors.index import (
    ROWS_AT_ONCE,
    Ids,
    Vectors,
    best,
    joined,
    load_faiss,
    nothing_found,
)

if TYPE_CHECKING:
    from types import ModuleType

NUMBERS_DESCRIBED = 128
"""Of a vector's principal components these are described; the originals decide in the end."""
NUMBERS_PER_CODE = 2
CODE_BITS = 4
LISTS_READ = 0.3
"""Share of the lists that a search reads (benchmarks/vector_search.py)."""
LIST_BY_LIST = 11
"""How FAISS goes through them: one after the other for each query, candidates in a reservoir. For
single queries a quarter quicker than what it chooses by itself; in the names of IndexIVFFastScan.h,
`implem`."""
RESCORED = 100
"""Candidates compared exactly, at least; three for each neighbour that is asked for."""
RESCORED_SHARE = 1 / 2000
"""Of all vectors this share are candidates too: the more there are, the closer they lie."""
RESCORED_PER_NEIGHBOUR = 3
SPARE = 8
"""Candidates beyond k that are compared in double precision, so that ties end at the lowest id."""
TRAINING_PER_LIST = 64
TRAINING_LEAST = 20_000
TRAINING_ROUNDS = 10
SEED = 4711


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Vectors in the order of their numbers, some of them removed.

    Attributes:
        ids: (N,) numbers, ascending.
        vectors: (N, D) float32 unit rows; may lie in a file.
        alive: (N,) false for those that were removed.
        lists: FAISS index of those that are alive, by number.
        n_trained: How many there were when the centres of the lists were chosen.
        inner: Of `lists`, the part that holds them, `n_lists` in number.
        has_gaps: Whether a number between the first and the last is missing.
    """

    ids: Ids
    vectors: Vectors
    alive: npt.NDArray[np.bool_]
    lists: Any
    n_trained: int
    inner: Any = field(init=False)
    n_lists: int = field(init=False)
    has_gaps: bool = field(init=False)

    def __post_init__(self) -> None:
        inner = load_faiss().downcast_index(self.lists.index)
        inner.implem = LIST_BY_LIST
        object.__setattr__(self, "inner", inner)
        object.__setattr__(self, "n_lists", int(inner.nlist))
        has_gaps = int(self.ids[-1]) - int(self.ids[0]) != len(self.ids) - 1
        object.__setattr__(self, "has_gaps", has_gaps)

    @property
    def n_alive(self) -> int:
        return int(self.lists.ntotal)

    def has(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Which of these numbers are there, and alive."""
        rows = self._rows(ids)
        there: npt.NDArray[np.bool_] = (self.ids[rows] == ids) & self.alive[rows]
        return there

    def remove(self, ids: Ids) -> None:
        """Forget these numbers, which are there, each once. Their rows go with the next block."""
        self.alive[self._rows(ids)] = False
        self.lists.remove_ids(ids)

    def search(self, queries: Vectors, k: int) -> Neighbours:
        """The `k` nearest that the lists lead to."""
        n_alive = self.n_alive
        n = max(RESCORED, RESCORED_PER_NEIGHBOUR * k, math.ceil(RESCORED_SHARE * n_alive))
        n = min(n, n_alive)
        if n == 0:
            return nothing_found(len(queries), k)
        # Many neighbours lie in many lists: read enough of them for twice as many candidates.
        n_read = min(math.ceil(max(LISTS_READ, 2 * n / n_alive) * self.n_lists), self.n_lists)
        if self.inner.nprobe != n_read:  # setting it costs more than asking
            self.inner.nprobe = n_read
        found = nothing_found(len(queries), k)
        candidates: Ids = self.lists.search(queries, n)[1]
        for row, query in enumerate(queries):
            mine = np.sort(candidates[row])  # read in the order in which they lie
            ids, similarities = self._rescored(query, mine[np.searchsorted(mine, 0) :], k)
            found.ids[row, : len(ids)] = ids
            found.similarities[row, : len(ids)] = similarities
        return found

    def search_among(self, queries: Vectors, k: int, among: Ids) -> Neighbours:
        """The `k` nearest of some numbers, each compared exactly."""
        there = np.unique(among)
        rows = self._rows(there)[self.has(there)]
        found = nothing_found(len(queries), k)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            exact = queries.astype(np.float64) @ self.vectors[part].astype(np.float64).T
            similarities = np.clip(exact, -1, 1).astype(np.float32)
            ids = np.broadcast_to(self.ids[part], similarities.shape)
            found = joined([found, best(ids, similarities, k)], k)
        return found

    def _rescored(self, query: Vectors, candidates: Ids, k: int) -> tuple[Ids, Vectors]:
        """The `k` best: by single precision down to a few more than `k`, these by double."""
        rows = self._rows(candidates)
        if len(rows) > k + SPARE:
            rough = _products(query, self.vectors, rows)
            few = np.argpartition(rough, -k - SPARE)[-k - SPARE :]
            candidates, rows = candidates[few], rows[few]
        kept = self.vectors[rows].astype(np.float64)  # (n, D)
        similarities = (kept @ query.astype(np.float64)).astype(np.float32)
        np.clip(similarities, -1, 1, out=similarities)
        order = np.lexsort((candidates, -similarities))[:k]
        return candidates[order], similarities[order]

    def _rows(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Where these numbers are, or anywhere if they are not."""
        if not self.has_gaps:  # nothing to look up
            gapless: Ids = ids - self.ids[0]
            return np.clip(gapless, 0, len(self.ids) - 1, out=gapless)
        rows = np.searchsorted(self.ids, ids).astype(np.int64, copy=False)
        return np.minimum(rows, len(self.ids) - 1, out=rows)


def make_block(ids: Ids, vectors: Vectors) -> Block:
    """A block of (N,) numbers, ascending, and their (N, D) vectors; N at least 1.

    The same vectors give the same block.
    """
    n = len(ids)
    faiss = load_faiss()
    n_lists = 2 ** max(0, round(math.log2(math.sqrt(n))) if n > 1 else 0)
    n_sample = min(n, max(TRAINING_LEAST, TRAINING_PER_LIST * n_lists))
    chosen = np.sort(np.random.default_rng(SEED).choice(n, n_sample, replace=False))
    sample = np.ascontiguousarray(vectors[chosen])
    turn = _turn(faiss, sample[:: max(1, n_sample // TRAINING_LEAST)])
    inner = _untrained(faiss, n_lists, turn.d_out)
    lists = faiss.IndexPreTransform(turn, inner)
    lists.train(sample)
    _add(lists, ids, vectors)
    alive = np.ones(n, dtype=np.bool_)
    return Block(ids=ids, vectors=vectors, alive=alive, lists=lists, n_trained=n)


def grown(block: Block, ids: Ids, vectors: Vectors) -> Block:
    """`block` and new vectors as one, without the removed ones. `block` is not to be used again.

    The centres stay until there are twice as many vectors as when they were chosen.
    """
    every_id = np.concatenate([block.ids[block.alive], ids])
    order = np.argsort(every_id, kind="stable")
    every = np.concatenate([block.vectors[block.alive], vectors])
    if not (order[1:] > order[:-1]).all():
        every_id, every = every_id[order], every[order]
    if len(every_id) > 2 * block.n_trained:
        return make_block(every_id, every)
    _add(block.lists, ids, vectors)
    return Block(
        ids=every_id,
        vectors=every,
        alive=np.ones(len(every_id), dtype=np.bool_),
        lists=block.lists,
        n_trained=block.n_trained,
    )


def _turn(faiss: ModuleType, sample: Vectors) -> Any:
    """A map of (n, D) vectors to their principal components, the spread shared out among these.

    Distances stay as they are but for what the components left out add. The components are mixed by
    a turn drawn at random, so that each code has as much to tell as any other.
    """
    dimension = sample.shape[1]
    n_kept = min(dimension, NUMBERS_DESCRIBED)
    rest = sample.astype(np.float64) - sample.mean(axis=0, dtype=np.float64)
    components = np.linalg.eigh(rest.T @ rest)[1][:, ::-1][:, :n_kept]  # (D, n_kept)
    mixed = np.linalg.qr(np.random.default_rng(SEED).normal(size=(n_kept, n_kept)))[0]
    turn = faiss.LinearTransform(dimension, n_kept, False)
    faiss.copy_array_to_vector((mixed @ components.T).astype(np.float32).ravel(), turn.A)
    turn.is_trained = True
    return turn


def _untrained(faiss: ModuleType, n_lists: int, dimension: int) -> Any:
    largest = max(1, dimension // NUMBERS_PER_CODE)
    n_codes = next(m for m in range(largest, 0, -1) if dimension % m == 0)
    # Between unit vectors the distance ranks as the cosine does, and bears the turn.
    metric = faiss.METRIC_L2
    centres = faiss.IndexFlatL2(dimension)
    lists = faiss.IndexIVFPQFastScan(centres, dimension, n_lists, n_codes, CODE_BITS, metric)
    lists.by_residual = False
    lists.cp.niter = TRAINING_ROUNDS
    lists.cp.seed = SEED
    # Too few per centre is what a small block has; FAISS would say so on stderr.
    lists.cp.min_points_per_centroid = lists.pq.cp.min_points_per_centroid = 1
    return lists


def _products(query: Vectors, vectors: Vectors, rows: Ids) -> Vectors:
    """(n,) products of (D,) `query` with these rows, which are read where they lie."""
    faiss = load_faiss()
    found = np.empty(len(rows), dtype=np.float32)
    where = [faiss.swig_ptr(array) for array in (found, query, vectors, rows)]
    faiss.fvec_inner_products_by_idx(*where, vectors.shape[1], 1, len(rows))
    return found


def _add(lists: Any, ids: Ids, vectors: Vectors) -> None:
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        lists.add_with_ids(np.ascontiguousarray(vectors[part]), ids[part])
