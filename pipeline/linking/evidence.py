"""What looks say: similarities to the looks of one identity become one likelihood ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.linking.gallery import Look, Vector
from streams.types import Modality

FULL_QUALITY = 0.5
"""Mean quality of crops from which their evidence counts in full; poorer pictures say
proportionally less, so that small and blurred people end as unsure, not as wrong. Chosen on the
tuning half of `benchmarks.link_days`: people 64 px high have a quality of 0.4 there and are told
apart nearly as well as those 200 px high."""
LIGHTS_CORRELATION = 0.4
"""Of evidence from different pairs of lights about the same two people: it repeats itself in part.
The log-likelihood ratio of k equally correlated Gaussian scores is their sum / (1 + (k - 1) r)."""
LOOKS_CORRELATION = 0.65
"""Of evidence from several looks of one identity in one light. The slope of a logistic curve fitted
to the mean similarity over k looks grows as this says: measured for k of 2 to 6 on 29 rendered
people (the tuning half of `benchmarks.link_days`), from .4 (infrared) to .8 (visible)."""
MOST_LOG_RATIO = math.log(1000)
"""What all looks together say counts for no more, in either direction: of two people dressed alike,
the one seen more often must not win by being seen more often."""


class Calibrated(Protocol):
    """Turns similarity into evidence; belongs to one network."""

    @property
    def name(self) -> str: ...

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        """How much likelier this similarity is for one person than for two; > 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the looks of one identity say.

    Attributes:
        similarity: Mean cosine to the identity's looks in the pair of lights that says most.
        pair: Modality of the person in question, and of the looks compared with.
        nearest: Of these looks, the most similar.
        n_looks: How many these are.
        log_ratio: Natural logarithm of how much likelier all pairs of lights together are for one
            person than for two.
    """

    similarity: float
    pair: tuple[Modality, Modality]
    nearest: Look
    n_looks: int
    log_ratio: float


def weigh(
    means: Mapping[Modality, Vector], looks: Sequence[Look], calibration: Calibrated
) -> Evidence | None:
    """Evidence of all looks in every pair of lights together; None if no look has a vector.

    The mean over all looks is taken, not the best: the best of many strangers' looks is similar
    too, and one look alone may be a lucky frame.
    """
    compared: dict[tuple[Modality, Modality], list[tuple[float, int]]] = {}
    for index, look in enumerate(looks):
        for a, mine in means.items():
            for b, theirs in look.means.items():
                compared.setdefault((a, b), []).append((float(mine @ theirs), -index))
    if not compared:
        return None
    per_pair = [
        _of_pair(pair, found, looks, calibration) for pair, found in sorted(compared.items())
    ]
    together = sum(evidence.log_ratio for evidence in per_pair)
    together /= 1 + (len(per_pair) - 1) * LIGHTS_CORRELATION
    most = max(per_pair, key=lambda evidence: evidence.log_ratio)
    return Evidence(
        similarity=most.similarity,
        pair=most.pair,
        nearest=most.nearest,
        n_looks=most.n_looks,
        log_ratio=min(max(together, -MOST_LOG_RATIO), MOST_LOG_RATIO),
    )


def trust_of(qualities: Sequence[float]) -> float:
    """How far pictures of these qualities can be trusted, in [0, 1]; 0 for none.

    >>> trust_of([0.5, 0.9]), trust_of([])
    (1.0, 0.0)
    """
    if not qualities:
        return 0.0
    return min(sum(qualities) / len(qualities) / FULL_QUALITY, 1.0)


def _of_pair(
    pair: tuple[Modality, Modality],
    found: Sequence[tuple[float, int]],
    looks: Sequence[Look],
    calibration: Calibrated,
) -> Evidence:
    """Evidence of one pair of lights.

    Args:
        found: Similarity and negative index of each look, at least one.
    """
    k = len(found)
    similarity = sum(each for each, _ in found) / k
    alone = math.log(calibration.likelihood_ratio(similarity, *pair))
    return Evidence(
        similarity=similarity,
        pair=pair,
        nearest=looks[-max(found)[1]],
        n_looks=k,
        log_ratio=alone * k / (1 + (k - 1) * LOOKS_CORRELATION),
    )
