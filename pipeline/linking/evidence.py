"""What looks say: pooled looks of two sides become one likelihood ratio.

One view is a noisy look at a person: half hidden, blurred, seen from behind. The mean of several
views has less of that noise, so the means of two people's views tell far more than any two views
do. How similar means are depends on how much went into them: noise attenuates a similarity by the
reliability of both sides (C. Spearman, "The proof and measurement of association between two
things", American Journal of Psychology 15, 1904). So a similarity is corrected for that before a
calibration, which was fitted to single views, reads it, and counts by what is left of the noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.reid.calibration import around
from pipeline.linking.centre import Centre
from pipeline.linking.gallery import Look, Vector
from streams.types import Modality

HALF_KNOWN = 0.5
"""Views in whose mean the person is half and the noise of views the other half. With `NOISE`, this
fits 150 sightings on filmed sites best (docs/linking-measures.md)."""
NOISE = 2.0
"""Variance of similarities where nothing is known of either side, over that where all is known."""
LIGHTS_CORRELATION = 0.4
"""Of evidence from different pairs of lights about the same two people: it repeats itself in part.
The log-likelihood ratio of k equally correlated Gaussian scores is their sum / (1 + (k - 1) r)."""
MOST_LOG_RATIO = math.log(1000)
"""What all looks together say counts for no more, in either direction: of two people dressed alike,
the one seen more often must not win by being seen more often."""

Floats = npt.NDArray[np.float64]


class Calibrated(Protocol):
    """Turns similarity into evidence; belongs to one network."""

    @property
    def name(self) -> str: ...

    def centre(self, light: Modality) -> Floats | None:
        """(D,) what people have in common in this light; None: looks are compared as they are."""
        ...

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        """How much likelier this similarity of two views is for one person than for two; > 0.

        Args:
            similarity: Cosine of both less their centres.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OnSite:
    """A calibration among the people of one site."""

    calibration: Calibrated
    people: Centre

    @property
    def name(self) -> str:
        return self.calibration.name

    def centre(self, light: Modality) -> Floats | None:
        start = self.calibration.centre(light)
        return None if start is None else self.people.around(start, light)

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        return self.calibration.likelihood_ratio(similarity, a, b)


def around_centre(vectors: Vector, light: Modality, calibration: Calibrated) -> Vector:
    """Looks less what people have in common, as unit vectors; one that is just that stays at 0.

    Args:
        vectors: (..., D) unit vectors of looks in this light.
    """
    centre = calibration.centre(light)
    if centre is None:
        return vectors
    return around(vectors, centre)


def means_around_centre(
    means: Mapping[Modality, Vector], calibration: Calibrated
) -> dict[Modality, Vector]:
    """The same of one view, light by light."""
    return {light: around_centre(mean, light, calibration) for light, mean in means.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the looks of one identity say.

    Attributes:
        similarity: Cosine to the mean of the identity's looks, both around the centre, in the pair
            of lights that says most.
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
    means: Mapping[Modality, Vector],
    looks: Sequence[Look],
    calibration: Calibrated,
    *,
    trust: float = 1.0,
) -> Evidence | None:
    """Evidence of all looks in every pair of lights together; None if no look has a vector.

    Args:
        means: Per light, the look in question around the centre: `means_around_centre`.
        looks: As they are.
        trust: Of the pictures behind `means`, in [0, 1]; at 0 nothing is said.
    """
    found = [
        _of_pair(means[mine], (mine, theirs), pooled, calibration, trust)
        for theirs in Modality
        if (pooled := _pooled(looks, theirs, calibration))
        for mine in sorted(means)
    ]
    if not found:
        return None
    together = sum(evidence.log_ratio for evidence in found)
    together /= 1 + (len(found) - 1) * LIGHTS_CORRELATION
    most = max(found, key=lambda evidence: evidence.log_ratio)
    return Evidence(
        similarity=most.similarity,
        pair=most.pair,
        nearest=most.nearest,
        n_looks=most.n_looks,
        log_ratio=min(max(together, -MOST_LOG_RATIO), MOST_LOG_RATIO),
    )


def corrected(
    similarity: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """A similarity of means as single views would show it, and by how much it then counts.

    With reliability R = sqrt(a / (a + h) * b / (b + h)), the similarity of one person's means, and
    of two persons', is R times what it would be without noise, and its variance is that of
    R² + NOISE (1 - R²). For Gaussian similarities of equal variance the log-likelihood ratio of a
    similarity s at R is therefore (R / r)² v(r) / v(R) times that of s r / R at r, the reliability
    of two single views. Poor pictures count for less, but nothing is added to their similarity:
    what spoils two of them may be the same, such as darkness.

    Args:
        similarity: Cosine of two means, any shape.
        a: Views in the one mean, a poor one as its trust.
        b: Views in the other.

    Returns:
        The similarity to be read off the calibration, in [-1, 1], and the factor of the logarithm
        of what is read.
    """
    once = 1 / (1 + HALF_KNOWN)
    mine, theirs = (x / (x + HALF_KNOWN) for x in (np.asarray(a, float), np.asarray(b, float)))
    square = mine * theirs
    attenuation = np.sqrt(np.maximum(mine, once) * np.maximum(theirs, once)) / once
    counts = square / once**2 * _variance(once**2) / _variance(square)
    return np.clip(np.asarray(similarity, np.float64) / attenuation, -1, 1), counts


def _variance(square: npt.ArrayLike) -> Floats:
    square = np.asarray(square, np.float64)
    return np.asarray(square + NOISE * (1 - square), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pooled:
    """Looks in one light, at least one.

    Attributes:
        vectors: (K, D) of each look, around the centre.
        mean: (D,) their unit mean, each look by its trust.
        amount: Views in the mean.
    """

    looks: Sequence[Look]
    vectors: Vector
    mean: Vector
    amount: float


def _pooled(looks: Sequence[Look], light: Modality, calibration: Calibrated) -> _Pooled | None:
    seen = [look for look in looks if light in look.means]
    if not seen:
        return None
    amounts = np.array([look.trust for look in seen])
    vectors = around_centre(np.array([look.means[light] for look in seen]), light, calibration)
    total = (amounts if amounts.sum() > 0 else np.ones(len(seen))) @ vectors
    mean = np.asarray(total / max(float(np.linalg.norm(total)), 1e-6), np.float32)
    return _Pooled(looks=seen, vectors=vectors, mean=mean, amount=float(amounts.sum()))


def _of_pair(
    mine: Vector,
    pair: tuple[Modality, Modality],
    pooled: _Pooled,
    calibration: Calibrated,
    trust: float,
) -> Evidence:
    """Evidence of one pair of lights."""
    similarity = float(mine @ pooled.mean)
    single, counts = corrected(similarity, trust, pooled.amount)
    return Evidence(
        similarity=similarity,
        pair=pair,
        nearest=pooled.looks[int(np.argmax(pooled.vectors @ mine))],
        n_looks=len(pooled.looks),
        log_ratio=float(counts) * math.log(calibration.likelihood_ratio(float(single), *pair)),
    )
