"""How early a ranked list shows the right person: CMC, mean average precision, mean INP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DEEPEST_RANK = 20
"""The last rank that the protocols of this field report."""
_AT_ONCE = 1 << 21
"""Pairs of query and gallery that are sorted together, which bounds memory to some 100 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """How well queries find their person in a gallery.

    Attributes:
        rank1: Share of queries whose most similar gallery row is the same person, 0-1.
        mean_ap: Mean over queries of average precision, 0-1.
        mean_inp: Mean over queries of hits / rank of the last hit, 0-1: how long one has to look
            until everything is found.
        cmc: Share of queries that found their person at rank 1, 2, ... `DEEPEST_RANK`.
        n_queries: Queries that had something to find; only those count.
        n_gallery: Rows of the gallery, before any is left out for a query.
    """

    rank1: float
    mean_ap: float
    mean_inp: float
    cmc: tuple[float, ...]
    n_queries: int
    n_gallery: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """Figures of those queries of a part that had something to find, each (N,)."""

    first_rank: npt.NDArray[np.int64]
    precision: npt.NDArray[np.float64]
    inp: npt.NDArray[np.float64]


def measure_retrieval(
    similarity: npt.NDArray[np.floating],
    query_person: npt.NDArray[np.int64],
    gallery_person: npt.NDArray[np.int64],
    *,
    left_out: npt.NDArray[np.bool_] | None = None,
    count_people: bool = False,
) -> Retrieval:
    """CMC, mAP and mINP, each query on its own.

    Average precision is the mean over hits k of (hits up to its rank) / (its rank), the definition
    of the SYSU-MM01 (`evaluation/*.m` of wuancong/SYSU-MM01) and Market-1501 protocols, without
    interpolation. INP is hits / rank of the last hit (Ye et al., "Deep Learning for Person
    Re-identification: A Survey and Outlook", 2021, eq. 8), always over pictures. Equal similarities
    keep the gallery's order.

    Args:
        similarity: (Q, G), higher is closer.
        query_person: (Q,) who it is.
        gallery_person: (G,) who it is.
        left_out: (Q, G) pairs that do not count, for instance those of one camera; none if None.
        count_people: CMC counts ranks in people, each at their best picture, as SYSU-MM01 does;
            otherwise in pictures. Rank 1, mAP and mINP are the same either way.

    Raises:
        ValueError: No query has its person in the gallery.

    >>> wrong_then_right = np.array([[0.9, 0.8, 0.1]], np.float32)
    >>> measure_retrieval(wrong_then_right, np.array([7]), np.array([3, 7, 4])).mean_ap
    0.5
    """
    parts = [
        _measure(
            similarity[rows],
            query_person[rows],
            gallery_person,
            kept=None if left_out is None else ~left_out[rows],
            count_people=count_people,
        )
        for rows in _parts(*similarity.shape)
    ]
    first_rank = np.concatenate([part.first_rank for part in parts] or [np.empty(0, np.int64)])
    if not len(first_rank):
        raise ValueError("retrieval: no query has its person in the gallery")
    at_rank = np.bincount(np.minimum(first_rank, DEEPEST_RANK + 1), minlength=DEEPEST_RANK + 2)
    cmc = np.cumsum(at_rank)[1 : DEEPEST_RANK + 1] / len(first_rank)
    return Retrieval(
        rank1=float(cmc[0]),
        mean_ap=float(np.concatenate([part.precision for part in parts]).mean()),
        mean_inp=float(np.concatenate([part.inp for part in parts]).mean()),
        cmc=tuple(cmc.tolist()),
        n_queries=len(first_rank),
        n_gallery=len(gallery_person),
    )


def _parts(n_queries: int, n_gallery: int) -> Iterator[slice]:
    step = max(1, _AT_ONCE // max(1, n_gallery))
    return (slice(start, start + step) for start in range(0, n_queries, step))


def _measure(
    similarity: npt.NDArray[np.floating],
    query_person: npt.NDArray[np.int64],
    gallery_person: npt.NDArray[np.int64],
    *,
    kept: npt.NDArray[np.bool_] | None,
    count_people: bool,
) -> _Found:
    order = np.argsort(-similarity, axis=1, kind="stable")  # (Q, G)
    is_hit = gallery_person[order] == query_person[:, None]
    if kept is None:
        rank = np.broadcast_to(np.arange(1, order.shape[1] + 1), order.shape)
        counts = np.ones(order.shape, np.bool_)
    else:
        counts = np.take_along_axis(kept, order, axis=1)
        rank = np.cumsum(counts, axis=1)  # left-out pictures take no rank
        is_hit &= counts
    n_hits = is_hit.sum(axis=1)
    valid = n_hits > 0
    order, is_hit, rank = order[valid], is_hit[valid], rank[valid]
    n_hits, counts = n_hits[valid], counts[valid]
    rows = np.arange(len(order))
    if not len(rows):
        nothing = np.empty(0)
        return _Found(first_rank=np.empty(0, np.int64), precision=nothing, inp=nothing)
    precision = np.where(is_hit, np.cumsum(is_hit, axis=1) / np.maximum(rank, 1), 0.0)
    last = order.shape[1] - 1 - np.argmax(is_hit[:, ::-1], axis=1)
    first = np.argmax(is_hit, axis=1)
    first_rank = (
        _rank_in_people(gallery_person[order], counts, first) if count_people else rank[rows, first]
    )
    return _Found(
        first_rank=np.asarray(first_rank, np.int64),
        precision=precision.sum(axis=1) / n_hits,
        inp=n_hits / rank[rows, last],
    )


def _rank_in_people(
    person: npt.NDArray[np.int64],
    counts: npt.NDArray[np.bool_],
    first: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """1 + how many other people are shown before the first hit.

    Args:
        person: (Q, G) who is at each place of the ranked list.
        counts: (Q, G) whether that place counts.
        first: (Q,) index of the first hit, which counts.
    """
    before = counts & (np.arange(person.shape[1]) < first[:, None])
    return np.array(
        [1 + len(np.unique(people[shown])) for people, shown in zip(person, before, strict=True)],
        np.int64,
    )
