"""Vectors and a protocol in, figures out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.evaluation.protocols import Protocol, Search, Trial
from models.evaluation.retrieval import Retrieval, measure_retrieval
from models.evaluation.rules import Labels, Mask
from models.evaluation.verification import Verification, measure_verification, split_pairs
from models.reid.rerank.centring import camera_means, centre
from models.reid.rerank.load import RerankingName, look_at

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over trials, 0-1.

    Attributes:
        std: Standard deviation over the trials (population); 0 with one trial.
    """

    mean: float
    std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How well one order of the gallery finds people, over the trials."""

    rank1: Spread
    rank5: Spread
    rank10: Spread
    rank20: Spread
    mean_ap: Spread
    mean_inp: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How well one threshold on the plain similarity tells same from different, over the trials.

    Attributes:
        tar_at_far_1e2: None if the pairs of strangers are too few to tell.
        tar_at_far_1e3: The same.
    """

    eer: Spread
    tar_at_far_1e2: Spread | None
    tar_at_far_1e3: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFigures:
    """What one direction of a protocol gave.

    Attributes:
        n_queries: Pictures that ask, mean over trials.
        n_valid_queries: Those of them that had something to find, mean over trials; the others
            do not count.
        n_gallery: Pictures that are searched, mean over trials.
        plain: By cosine similarity; None if nobody had anything to find.
        reranked: After re-ranking; None without it.
        pairs: By cosine similarity, never re-ranked; None where a kind of pair is missing.
    """

    name: str
    n_trials: int
    n_queries: float
    n_valid_queries: float
    n_gallery: float
    plain: Ranking | None
    reranked: Ranking | None
    pairs: Pairs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrialFigures:
    plain: Retrieval
    reranked: Retrieval | None
    pairs: Verification | None


def measure(
    vectors: Vectors,
    labels: Labels,
    protocol: Protocol,
    *,
    rerank: RerankingName | None = None,
    centred: bool = False,
    on_trial: Callable[[], None] = lambda: None,
) -> tuple[SearchFigures, ...]:
    """The figures of every direction of a protocol.

    Args:
        vectors: (N, D) float32, unit rows, in the order of the labels.
        rerank: Also measure the order after this re-ranking.
        centred: Take each camera's mean out of the vectors first. The means of cameras that ask
            are taken over all their queries, which a protocol without query-set information
            forbids: say so beside the figures.
        on_trial: Called after every trial, for a progress bar.
    """
    if centred:
        camera = labels.camera * 2 + labels.infrared
        vectors = centre(vectors, camera, camera_means(vectors, camera))
    figures = []
    for search in protocol.searches:
        found = []
        for trial in search.trials:
            found.append(_measure_trial(vectors, labels, protocol, search, trial, rerank=rerank))
            on_trial()
        figures.append(_over_trials(search, [each for each in found if each is not None]))
    return tuple(figures)


def _measure_trial(
    vectors: Vectors,
    labels: Labels,
    protocol: Protocol,
    search: Search,
    trial: Trial,
    *,
    rerank: RerankingName | None,
) -> _TrialFigures | None:
    """None if no query has anything to find."""
    query, gallery = trial.query, trial.gallery
    who, whom = labels.person[query], labels.person[gallery]
    left_out: Mask | None = search.rule(labels, query, gallery) if search.rule else None
    same = who[:, None] == whom[None]
    if not bool((same if left_out is None else same & ~left_out).any()):
        return None
    similarity = vectors[query] @ vectors[gallery].T

    def retrieval(scores: npt.NDArray[np.float32]) -> Retrieval:
        return measure_retrieval(
            scores, who, whom, left_out=left_out, count_people=protocol.count_people
        )

    friends, strangers = split_pairs(similarity, who, whom, left_out=left_out)
    return _TrialFigures(
        plain=retrieval(similarity),
        reranked=retrieval(look_at(vectors[gallery], rerank).order_scores(vectors[query]))
        if rerank
        else None,
        pairs=measure_verification(friends, strangers) if len(strangers) else None,
    )


def _over_trials(search: Search, found: Sequence[_TrialFigures]) -> SearchFigures:
    reranked = [each.reranked for each in found if each.reranked is not None]
    pairs = [each.pairs for each in found if each.pairs is not None]
    return SearchFigures(
        name=search.name,
        n_trials=len(search.trials),
        n_queries=float(np.mean([len(trial.query) for trial in search.trials])),
        n_valid_queries=float(np.mean([each.plain.n_queries for each in found])) if found else 0.0,
        n_gallery=float(np.mean([len(trial.gallery) for trial in search.trials])),
        plain=_ranking([each.plain for each in found]) if found else None,
        reranked=_ranking(reranked) if reranked else None,
        pairs=_pairs(pairs) if pairs else None,
    )


def _ranking(found: Sequence[Retrieval]) -> Ranking:
    def at(rank: int) -> Spread:
        return _spread([each.cmc[rank - 1] for each in found])

    return Ranking(
        rank1=at(1),
        rank5=at(5),
        rank10=at(10),
        rank20=at(20),
        mean_ap=_spread([each.mean_ap for each in found]),
        mean_inp=_spread([each.mean_inp for each in found]),
    )


def _pairs(found: Sequence[Verification]) -> Pairs:
    def known(rates: Sequence[float | None]) -> Spread | None:
        told = [rate for rate in rates if rate is not None]
        return _spread(told) if len(told) == len(rates) else None

    return Pairs(
        eer=_spread([each.eer for each in found]),
        tar_at_far_1e2=known([each.tar_at_far_1e2 for each in found]),
        tar_at_far_1e3=known([each.tar_at_far_1e3 for each in found]),
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(mean=float(np.mean(values)), std=float(np.std(values)))
