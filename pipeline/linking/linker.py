"""Who is this? Open-set identification of one tracklet against the gallery.

The hypotheses "it is identity i" (one for each eligible identity) and "it is nobody known" exclude
each other, so Bayes' rule gives their probabilities from the calibrated likelihood ratios
L_i = p(similarity | same person) / p(similarity | different people) and the prior share of people
who return, spread evenly over the N eligible identities:

    P(i) = (returning / N) L_i / Z     P(new) = (1 - returning) / Z

with Z such that all of them sum to one. A look-alike therefore lowers the probability of the best
candidate by itself: two people in the same uniform end as "unsure", not as a coin toss.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from models.types import Embeddings
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery, Look, Vector, mean_look
from pipeline.types import Tracklet
from storage.types import Decision, IdentityId, NewLink, person_name
from streams.types import CameraId, Modality

_AGREEING_LOOKS = 2
"""Looks of an identity averaged into its similarity: one alone may be a lucky frame."""
_FULL_QUALITY = 0.75
"""Mean quality of crops from which their evidence counts in full, as in the calibration; poorer
pictures say proportionally less, so that small and blurred people end as unsure, not as wrong."""
_CORRELATION = 0.4
"""Of evidence from different pairs of lights about the same two people: it repeats itself in part.
The log-likelihood ratio of k equally correlated Gaussian scores is their sum / (1 + (k - 1) r)."""


class Calibrated(Protocol):
    """Turns similarity into evidence; belongs to one network."""

    @property
    def name(self) -> str: ...

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        """How much likelier this similarity is for one person than for two; > 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """What speaks for one identity.

    Attributes:
        probability: That this identity is the person, among all hypotheses, [0, 1].
        similarity: Mean cosine of the looks that agree best.
        pair: Modality of the person in question, and of the looks compared with.
        nearest: The look of the identity that is most similar.
    """

    identity: IdentityId
    probability: float
    similarity: float
    pair: tuple[Modality, Modality]
    nearest: Look


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    similarity: float
    pair: tuple[Modality, Modality]
    nearest: Look
    likelihood_ratio: float


def link(
    tracklet: Tracklet,
    embeddings: Embeddings,
    *,
    gallery: Gallery,
    calibration: Calibrated,
    config: LinkingConfig,
    qualities: Sequence[float],
    since_us: int | None = None,
) -> NewLink:
    """The decision on one tracklet, with its probability, runner-up and reason.

    Pure: the same arguments give the same answer; the gallery is only read.

    Args:
        embeddings: Vectors of the track's crops so far, N >= 1, of the gallery's network.
        qualities: Of these crops, in [0, 1].
        since_us: When the track began, if this is a later part of it.
    """
    means = mean_look(embeddings)
    first_seen_us = tracklet.first_seen_us if since_us is None else since_us
    ruled_out = [
        identity
        for identity in gallery.near(means, config.candidates)
        if any(_excludes(look, tracklet, first_seen_us, config) for look in gallery.looks(identity))
    ]
    candidates = rank(
        means,
        gallery=gallery,
        calibration=calibration,
        config=config,
        ruled_out=ruled_out,
        trust=_trust(qualities),
    )
    decision = _decide(candidates, config)
    best = candidates[0] if candidates else None
    rival = candidates[1] if len(candidates) > 1 else None
    return NewLink(
        decision=decision,
        identity=best.identity if best and decision is Decision.LINK else None,
        candidate=best.identity if best else None,
        probability=best.probability if best else None,
        threshold=config.link_at,
        runner_up=rival.identity if rival else None,
        runner_up_probability=rival.probability if rival else None,
        reason=_reason(decision, candidates, ruled_out),
        calibration=calibration.name,
    )


def rank(
    means: Mapping[Modality, Vector],
    *,
    gallery: Gallery,
    calibration: Calibrated,
    config: LinkingConfig,
    ruled_out: Collection[IdentityId] = (),
    trust: float = 1.0,
) -> list[Candidate]:
    """Identities that may look like this, most probable first; ties by identity.

    What the probabilities lack to one is the probability of nobody known.

    Args:
        means: Per modality, a unit vector (D,) of the person in question.
        ruled_out: Identities that cannot be meant; they do not share in the prior.
        trust: Factor of the log-likelihood ratios, in [0, 1]: 0 says nothing.
    """
    weighed = [
        (identity, _weigh(means, gallery.looks(identity), calibration))
        for identity in gallery.near(means, config.candidates)
        if identity not in ruled_out
    ]
    share = config.returning / max(len(gallery) - len(ruled_out), 1)
    odds = {identity: share * e.likelihood_ratio**trust for identity, e in weighed}
    total = 1 - config.returning + sum(odds.values())
    candidates = [
        Candidate(
            identity=identity,
            probability=odds[identity] / total,
            similarity=evidence.similarity,
            pair=evidence.pair,
            nearest=evidence.nearest,
        )
        for identity, evidence in weighed
    ]
    return sorted(candidates, key=lambda candidate: (-candidate.probability, candidate.identity))


def continued(identity: IdentityId, part: int, *, calibration: str, threshold: float) -> NewLink:
    """The link of a further part of a track whose person is already known."""
    return NewLink(
        decision=Decision.LINK,
        identity=identity,
        candidate=identity,
        probability=1.0,
        threshold=threshold,
        runner_up=None,
        runner_up_probability=None,
        reason=f"part {part + 1} of one unbroken view of {person_name(identity)}",
        calibration=calibration,
    )


def _excludes(look: Look, tracklet: Tracklet, first_seen_us: int, config: LinkingConfig) -> bool:
    """One body is not in two places at once, nor twice in one picture."""
    if look.camera != tracklet.camera and _overlap(look.camera, tracklet.camera, config):
        return False
    skew_us = 0 if look.camera == tracklet.camera else int(config.clock_skew_s * 1e6)
    return (
        look.first_seen_us + skew_us < tracklet.last_seen_us
        and first_seen_us + skew_us < look.last_seen_us
    )


def _overlap(a: CameraId, b: CameraId, config: LinkingConfig) -> bool:
    return (a, b) in config.overlapping or (b, a) in config.overlapping


def _trust(qualities: Sequence[float]) -> float:
    """How far pictures of these qualities can be trusted, in [0, 1]."""
    return min(sum(qualities) / len(qualities) / _FULL_QUALITY, 1.0)


def _weigh(
    means: Mapping[Modality, Vector], looks: Sequence[Look], calibration: Calibrated
) -> _Evidence:
    """Evidence of every pair of lights together; the pair that says most is the one reported."""
    compared: dict[tuple[Modality, Modality], list[tuple[float, int]]] = {}
    for index, look in enumerate(looks):
        for a, mine in means.items():
            for b, theirs in look.means.items():
                compared.setdefault((a, b), []).append((float(mine @ theirs), -index))
    per_pair = [
        _of_pair(pair, sorted(found), looks, calibration) for pair, found in compared.items()
    ]
    logs = [math.log(evidence.likelihood_ratio) for evidence in per_pair]
    together = sum(logs) / (1 + (len(logs) - 1) * _CORRELATION)
    says_most = per_pair[int(np.argmax(logs))]
    return replace(says_most, likelihood_ratio=math.exp(together))


def _of_pair(
    pair: tuple[Modality, Modality],
    found: Sequence[tuple[float, int]],
    looks: Sequence[Look],
    calibration: Calibrated,
) -> _Evidence:
    """Evidence of one pair of lights.

    Args:
        found: Similarity and negative index of each look, most similar last.
    """
    agreeing = [similarity for similarity, _ in found[-_AGREEING_LOOKS:]]
    similarity = sum(agreeing) / len(agreeing)
    return _Evidence(
        similarity=similarity,
        pair=pair,
        nearest=looks[-found[-1][1]],
        likelihood_ratio=calibration.likelihood_ratio(similarity, *pair),
    )


def _decide(candidates: Sequence[Candidate], config: LinkingConfig) -> Decision:
    if candidates and candidates[0].probability >= config.link_at:
        return Decision.LINK
    nobody = 1 - sum(candidate.probability for candidate in candidates)
    return Decision.NEW if nobody >= config.new_at else Decision.UNSURE


def _reason(
    decision: Decision, candidates: Sequence[Candidate], ruled_out: Sequence[IdentityId]
) -> str:
    """One sentence for the operator."""
    elsewhere = (
        f"; {', '.join(map(person_name, ruled_out))} ruled out, in another view at that moment"
        if ruled_out
        else ""
    )
    if not candidates:
        return f"nobody known to compare with{elsewhere}"
    best = candidates[0]
    mine, theirs = best.pair
    light = f"both {mine}" if mine is theirs else f"{mine} and {theirs}"
    seen = datetime.fromtimestamp(best.nearest.first_seen_us / 1e6, UTC)
    likeness = (
        f"{person_name(best.identity)} with {best.probability:.0%} (similarity "
        f"{best.similarity:.2f}, {light}; nearest {best.nearest.camera} at {seen:%H:%M:%S} UTC)"
    )
    rival = "".join(
        f", next {person_name(c.identity)} with {c.probability:.0%}" for c in candidates[1:2]
    )
    opening = {
        Decision.LINK: "probably the same person as ",
        Decision.NEW: "nobody known looks like this; closest ",
        Decision.UNSURE: "not sure: perhaps ",
    }[decision]
    return f"{opening}{likeness}{rival}{elsewhere}"
