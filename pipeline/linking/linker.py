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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from models.types import Embeddings
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery, Look, Vector, mean_look
from pipeline.types import Tracklet
from storage.types import Decision, IdentityId, NewLink, person_name
from streams.types import CameraId, Modality

_AGREEING_LOOKS = 2
"""Looks of an identity averaged into its similarity: one alone may be a lucky frame."""


class Calibrated(Protocol):
    """Turns similarity into evidence; belongs to one network."""

    @property
    def name(self) -> str: ...

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        """How much likelier this similarity is for one person than for two; > 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What speaks for one identity."""

    identity: IdentityId
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
) -> NewLink:
    """The decision on one tracklet, with its probability, runner-up and reason.

    Pure: the same arguments give the same answer; the gallery is only read.

    Args:
        embeddings: Vectors of the tracklet's crops, N >= 1, of the gallery's network.
    """
    means = mean_look(embeddings)
    near = gallery.near(means, config.candidates)
    ruled_out = [
        identity
        for identity in near
        if any(_excludes(look, tracklet, config) for look in gallery.looks(identity))
    ]
    weighed = [
        _weigh(identity, means, gallery.looks(identity), calibration)
        for identity in near
        if identity not in ruled_out
    ]
    weighed.sort(key=lambda e: (-e.likelihood_ratio, e.identity))
    n_eligible = len(gallery) - len(ruled_out)
    share = config.returning / max(n_eligible, 1)
    nobody = 1 - config.returning
    total = nobody + sum(share * e.likelihood_ratio for e in weighed)
    probabilities = [share * e.likelihood_ratio / total for e in weighed]
    best = weighed[0] if weighed else None
    decision = _decide(probabilities, nobody / total, config)
    return NewLink(
        decision=decision,
        identity=best.identity if best and decision is Decision.LINK else None,
        candidate=best.identity if best else None,
        probability=probabilities[0] if best else None,
        threshold=config.link_at,
        runner_up=weighed[1].identity if len(weighed) > 1 else None,
        runner_up_probability=probabilities[1] if len(weighed) > 1 else None,
        reason=_reason(decision, weighed, probabilities, ruled_out),
        calibration=calibration.name,
    )


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


def _excludes(look: Look, tracklet: Tracklet, config: LinkingConfig) -> bool:
    """One body is not in two places at once, nor twice in one picture."""
    if look.camera != tracklet.camera and _overlap(look.camera, tracklet.camera, config):
        return False
    skew_us = 0 if look.camera == tracklet.camera else int(config.clock_skew_s * 1e6)
    return (
        look.first_seen_us + skew_us < tracklet.last_seen_us
        and tracklet.first_seen_us + skew_us < look.last_seen_us
    )


def _overlap(a: CameraId, b: CameraId, config: LinkingConfig) -> bool:
    return (a, b) in config.overlapping or (b, a) in config.overlapping


def _weigh(
    identity: IdentityId,
    means: Mapping[Modality, Vector],
    looks: Sequence[Look],
    calibration: Calibrated,
) -> _Evidence:
    """Evidence from looks in the same light where there are any, else across modalities."""
    compared = sorted(
        (
            (a is not b, -float(mine @ theirs), index, a, b)
            for index, look in enumerate(looks)
            for a, mine in means.items()
            for b, theirs in look.means.items()
        ),
    )
    across, _, index, a, b = compared[0]
    agreeing = [-c[1] for c in compared if c[0] is across][:_AGREEING_LOOKS]
    similarity = sum(agreeing) / len(agreeing)
    return _Evidence(
        identity=identity,
        similarity=similarity,
        pair=(a, b),
        nearest=looks[index],
        likelihood_ratio=calibration.likelihood_ratio(similarity, a, b),
    )


def _decide(probabilities: Sequence[float], nobody: float, config: LinkingConfig) -> Decision:
    if probabilities and probabilities[0] >= config.link_at:
        return Decision.LINK
    return Decision.NEW if nobody >= config.new_at else Decision.UNSURE


def _reason(
    decision: Decision,
    weighed: Sequence[_Evidence],
    probabilities: Sequence[float],
    ruled_out: Sequence[IdentityId],
) -> str:
    """One sentence for the operator."""
    elsewhere = (
        f"; {', '.join(map(person_name, ruled_out))} ruled out, in another view at that moment"
        if ruled_out
        else ""
    )
    if not weighed:
        return f"nobody known to compare with{elsewhere}"
    best = weighed[0]
    light = (
        f"both {best.pair[0]}" if best.pair[0] is best.pair[1] else f"{best.pair[0]} and "
        f"{best.pair[1]}"
    )
    seen = datetime.fromtimestamp(best.nearest.first_seen_us / 1e6, UTC)
    likeness = (
        f"{person_name(best.identity)} with {probabilities[0]:.0%} (similarity "
        f"{best.similarity:.2f}, {light}; nearest {best.nearest.camera} at {seen:%H:%M:%S} UTC)"
    )
    rival = f", next {person_name(weighed[1].identity)} with {probabilities[1]:.0%}" * (
        len(weighed) > 1
    )
    opening = {
        Decision.LINK: "probably the same person as ",
        Decision.NEW: "nobody known looks like this; closest ",
        Decision.UNSURE: "not sure: perhaps ",
    }[decision]
    return f"{opening}{likeness}{rival}{elsewhere}"
