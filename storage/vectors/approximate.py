"""Search that stays quick with very many vectors: exact while they are few, then by lists."""

from __future__ import annotations

import threading

import numpy as np

from storage.types import Neighbours
from storage.vectors.block import Block, grown, make_block
from storage.vectors.flat import FlatIndex
from storage.vectors.index import (
    Ids,
    Vectors,
    checked_ids,
    checked_k,
    checked_vectors,
    ids_in_use,
    joined,
)

FLAT_UP_TO = 20_000
"""Vectors compared one by one; more are worth lists (benchmarks/vector_search.py)."""
NEWEST_SHARE = 0.05
REMOVED_SHARE = 0.2


class ApproximateIndex:
    """Exact up to `flat_up_to` vectors, then a block with lists and an exact index of the newest.

    The newest join the block when they are more than a twentieth of it, and it is made anew without
    the removed ones when these are more than a fifth of it. A removed vector is found no more at
    once; its numbers leave the memory with the next `fold`.

    Args:
        dimension: Numbers per vector, D.
        block: Vectors to begin with.

    Raises:
        IndexUnavailable: FAISS is not installed.
    """

    def __init__(
        self, dimension: int, *, flat_up_to: int = FLAT_UP_TO, block: Block | None = None
    ) -> None:
        self.dimension = dimension
        self._flat_up_to = flat_up_to
        self._lock = threading.RLock()
        self._block = block
        self._newest = FlatIndex(dimension)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        vectors = checked_vectors(vectors, self.dimension, "vectors")
        ids = checked_ids(ids, len(vectors))
        with self._lock:
            if self._block is not None and self._block.has(ids).any():
                raise ids_in_use()
            if len(self._newest) + len(ids) <= self._most_newest():
                self._newest.add(ids, vectors)
                return
            newest = self._newest.ids()
            if np.isin(ids, newest).any():
                raise ids_in_use()
            self._join(
                np.concatenate([newest, ids]),
                np.concatenate([self._newest.vectors(newest), vectors]),
            )

    def search(self, queries: Vectors, k: int, *, among: Ids | None = None) -> Neighbours:
        """See `VectorSearch.search`. With `among` the answer is exact.

        Raises:
            ValueError: Wrong shape or type, k < 1, a query not finite or not of unit length.
        """
        checked_k(k)
        queries = checked_vectors(queries, self.dimension, "queries")
        with self._lock:
            if self._block is None or not len(queries):
                return self._newest.search(queries, k, among=among)
            if among is None:
                found = self._block.search(queries, k)
            else:
                found = self._block.search_among(queries, k, among)
            if not len(self._newest):
                return found
            return joined([found, self._newest.search(queries, k, among=among)], k)

    def remove(self, ids: Ids) -> None:
        """See `VectorIndex.remove`."""
        ids = np.unique(np.asarray(ids, dtype=np.int64))
        with self._lock:
            self._newest.remove(ids)
            if self._block is None:
                return
            gone = ids[self._block.has(ids)]
            if len(gone):
                self._block.remove(gone)
                if self._block.n_alive < (1 - REMOVED_SHARE) * len(self._block.ids):
                    self.fold()

    def fold(self) -> Block | None:
        """All that is kept as one block, without what was removed; None up to `flat_up_to`."""
        with self._lock:
            block = self._block
            if block is not None and (len(self._newest) or block.n_alive < len(block.ids)):
                newest = self._newest.ids()
                self._join(newest, self._newest.vectors(newest))
            return self._block

    def contents(self) -> tuple[Ids, Vectors]:
        """(N,) numbers, ascending, and their (N, D) vectors."""
        with self._lock:
            block = self.fold()
            if block is not None:
                return block.ids, block.vectors
            ids = self._newest.ids()
            return ids, self._newest.vectors(ids)

    def ids(self) -> Ids:
        """Numbers in use, ascending."""
        with self._lock:
            newest = self._newest.ids()
            if self._block is None:
                return newest
            return np.sort(np.concatenate([self._block.ids[self._block.alive], newest]))

    def __len__(self) -> int:
        with self._lock:
            in_block = 0 if self._block is None else self._block.n_alive
            return in_block + len(self._newest)

    def _most_newest(self) -> int:
        if self._block is None:
            return self._flat_up_to
        return int(NEWEST_SHARE * max(len(self._block.ids), self._flat_up_to))

    def _join(self, ids: Ids, vectors: Vectors) -> None:
        """Put `ids` (all of the newest, and more) into the block; or all of it into the newest."""
        order = np.argsort(ids)
        ids, vectors = ids[order], vectors[order]
        block, self._block = self._block, None
        n = len(ids) + (0 if block is None else block.n_alive)
        self._newest = FlatIndex(self.dimension)
        if n > self._flat_up_to:
            self._block = make_block(ids, vectors) if block is None else grown(block, ids, vectors)
            return
        self._newest.add(ids, vectors)
        if block is not None:
            self._newest.add(block.ids[block.alive], block.vectors[block.alive])
