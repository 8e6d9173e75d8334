"""Rank-1 and mean average precision of finding people again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """How well queries find their person in a gallery.

    Attributes:
        rank1: Share of queries whose most similar gallery row is the same person, 0-1.
        mean_ap: Mean over queries of average precision, 0-1.
        n_queries: Queries that had something to find; only those count.
        n_gallery: Rows of the gallery, before any is left out for a query.
    """

    rank1: float
    mean_ap: float
    n_queries: int
    n_gallery: int


def measure_retrieval(
    similarity: npt.NDArray[np.float32],
    query_person: npt.NDArray[np.int64],
    gallery_person: npt.NDArray[np.int64],
    *,
    left_out: npt.NDArray[np.bool_] | None = None,
) -> Retrieval:
    """Rank-1 and mAP, each query on its own.

    Average precision is the mean over hits k of (hits up to its rank) / (its rank), the definition
    of the SYSU-MM01 and Market-1501 protocols. Equal similarities keep the gallery's order.

    Args:
        similarity: (Q, G), higher is closer.
        query_person: (Q,) who it is.
        gallery_person: (G,) who it is.
        left_out: (Q, G) pairs that do not count, for instance those of one camera; none if None.

    Raises:
        ValueError: No query has its person in the gallery.

    >>> wrong_then_right = np.array([[0.9, 0.8, 0.1]], np.float32)
    >>> measure_retrieval(wrong_then_right, np.array([7]), np.array([3, 7, 4])).mean_ap
    0.5
    """
    first_hits, precisions = [], []
    for q, person in enumerate(query_person):
        order = np.argsort(-similarity[q], kind="stable")
        if left_out is not None:
            order = order[~left_out[q][order]]
        hit_ranks = np.flatnonzero(gallery_person[order] == person) + 1  # 1 is best
        if len(hit_ranks):
            first_hits.append(hit_ranks[0] == 1)
            precisions.append(float(np.mean(np.arange(1, len(hit_ranks) + 1) / hit_ranks)))
    if not precisions:
        raise ValueError("retrieval: no query has its person in the gallery")
    return Retrieval(
        rank1=float(np.mean(first_hits)),
        mean_ap=float(np.mean(precisions)),
        n_queries=len(precisions),
        n_gallery=len(gallery_person),
    )
