"""Who is this? Open-set identification of one tracklet against the gallery.

The hypotheses "it is identity i" (one for each eligible identity) and "it is nobody known" exclude
each other, so Bayes' rule gives their probabilities from the likelihood ratios of looks
L_i = p(similarity | same person) / p(similarity | different people), those of time and place T_i,
and the prior share of people who return, spread evenly over the N eligible identities:

    P(i) = (returning / N) L_i T_i / Z     P(new) = (1 - returning) / Z

with Z such that all of them sum to one. A look-alike therefore lowers the probability of the best
candidate by itself: two people in the same uniform end as "unsure", not as a coin toss.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from models.types import Embeddings
from pipeline.linking.circumstances import (
    NOTHING,
    Circumstances,
    Presence,
    circumstances_of,
    gap_of,
    latest_before,
)
from pipeline.linking.config import LinkingConfig
from pipeline.linking.constraints import Exclusion, exclusion_of, see_the_same, tolerated_s
from pipeline.linking.evidence import Calibrated, means_around_centre, weigh
from pipeline.linking.gallery import Gallery, Look, Path, Vector, mean_look, trust_of
from pipeline.linking.prior import ratios
from pipeline.linking.reason import Argument, grounds, sentence
from pipeline.linking.suggest import suggest
from pipeline.linking.topology import Transits
from pipeline.types import Tracklet
from storage.types import Decision, IdentityId, NewLink, person_name
from streams.types import Modality

_LATELY_US = 900_000_000
"""People whose last view ended so long ago may be proposed by their way alone."""
_MOST_LOG_ODDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """What speaks for one identity.

    Attributes:
        probability: That this identity is the person, among all hypotheses, [0, 1].
        of_looks: The same, had transit times not been asked.
        similarity: Cosine to the mean of its looks, in the pair of lights that says most.
        pair: Modality of the person in question, and of the looks compared with.
        nearest: Of these looks, the most similar.
        n_looks: How many these are.
        log_ratio: What all looks together say.
    """

    identity: IdentityId
    probability: float
    of_looks: float
    similarity: float
    pair: tuple[Modality, Modality]
    nearest: Look
    n_looks: int
    log_ratio: float
    circumstances: Circumstances


def link(
    tracklet: Tracklet,
    embeddings: Embeddings,
    *,
    gallery: Gallery,
    calibration: Calibrated,
    config: LinkingConfig,
    qualities: Sequence[float],
    since_us: int | None = None,
    transits: Transits | None = None,
    path: Path | None = None,
) -> NewLink:
    """The decision on one tracklet, with its probability, runner-up and reason.

    Pure: the same arguments give the same answer; the gallery is only read.

    Args:
        embeddings: Vectors of the track's crops so far, N >= 1, of the gallery's network.
        qualities: Of these crops, in [0, 1].
        since_us: When the track began, if this is a later part of it.
        transits: What is known of the ways between cameras.
        path: (M, 3) float64 rows of time in microseconds UTC and feet in metres, where the camera
            has a ground.
    """
    means = mean_look(embeddings)
    presence = Presence(
        camera=tracklet.camera,
        first_seen_us=tracklet.first_seen_us if since_us is None else since_us,
        last_seen_us=tracklet.last_seen_us,
        path=path,
    )
    near = gallery.near(means, config.candidates)
    lately = gallery.seen_since(presence.first_seen_us - _LATELY_US)
    ruled_out = {
        identity: why
        for identity in sorted({*near, *lately})
        if (why := exclusion_of(identity, gallery.looks(identity), presence, config))
    }
    arrivals = _arrivals(
        [identity for identity in lately if identity not in ruled_out],
        presence,
        gallery,
        transits=transits,
        config=config,
    )
    eligible = sorted({*near, *arrivals} - ruled_out.keys())
    trust = trust_of(qualities)
    candidates = rank(
        means,
        gallery=gallery,
        calibration=calibration,
        config=config,
        ruled_out=ruled_out,
        trust=trust,
        among=eligible,
        recency=ratios(gallery.latest_first(), ruled_out=ruled_out),
        circumstances={
            identity: circumstances_of(
                presence, gallery.looks(identity), transits=transits, config=config
            )
            for identity in eligible
        },
    )
    decision = decide([candidate.probability for candidate in candidates], config)
    best = candidates[0] if candidates else None
    rival = candidates[1] if len(candidates) > 1 else None
    argument = Argument(
        candidates=candidates,
        ruled_out=_alike(means, ruled_out, near, gallery, calibration, trust),
        n_ruled_out=len(ruled_out),
        n_eligible=len(gallery) - len(ruled_out),
        n_crops=len(embeddings),
        trust=trust,
        tolerated_s=tolerated_s(gallery.looks(best.identity), presence, config) if best else 0.0,
        suggestion=(
            None if decision is Decision.LINK else suggest(means, presence, gallery, calibration)
        ),
        at_us=presence.first_seen_us,
    )
    return NewLink(
        decision=decision,
        identity=best.identity if best and decision is Decision.LINK else None,
        candidate=best.identity if best else None,
        probability=best.probability if best else None,
        threshold=config.links_from,
        runner_up=rival.identity if rival else None,
        runner_up_probability=rival.probability if rival else None,
        reason=sentence(decision, argument, config),
        calibration=calibration.name,
        grounds=grounds(argument, config),
    )


def rank(
    means: Mapping[Modality, Vector],
    *,
    gallery: Gallery,
    calibration: Calibrated,
    config: LinkingConfig,
    ruled_out: Collection[IdentityId] = (),
    trust: float = 1.0,
    among: Collection[IdentityId] | None = None,
    recency: Mapping[IdentityId, float] | None = None,
    circumstances: Mapping[IdentityId, Circumstances] | None = None,
) -> list[Candidate]:
    """Identities that may be meant, most probable first, ties by the lower number.

    Args:
        means: Unit mean vector of the person in question, per modality.
        ruled_out: Identities that cannot be meant; they do not share in the prior.
        trust: Of the pictures behind `means`, in [0, 1]: at 0 they say nothing.
        among: Identities to weigh; None: those who look most alike.
        recency: How much likelier each identity is than others, before looking; None: all alike.
            Where the way from an identity's last view is known, that is said by the way.
        circumstances: What time and place say, where they say anything.
    """
    proposed = gallery.near(means, config.candidates) if among is None else among
    known = circumstances or {}
    ours = means_around_centre(means, calibration)
    weighed = [
        (identity, evidence, known.get(identity, NOTHING))
        for identity in proposed
        if identity not in ruled_out
        and (evidence := weigh(ours, gallery.looks(identity), calibration, trust=trust))
    ]
    share = config.returning / max(len(gallery) - len(ruled_out), 1)
    lately = recency or {}
    odds: list[float] = []
    of_looks: list[float] = []
    for identity, evidence, around in weighed:
        looks = evidence.log_ratio
        by_time = math.log(lately.get(identity, 1.0))
        odds.append(share * _exp(looks + (around.log_ratio if around.is_known else by_time)))
        of_looks.append(share * _exp(looks + (around.feet.log_ratio if around.feet else by_time)))
    total, total_of_looks = (1 - config.returning + sum(each) for each in (odds, of_looks))
    candidates = [
        Candidate(
            identity=identity,
            probability=mine / total,
            of_looks=by_looks / total_of_looks,
            similarity=evidence.similarity,
            pair=evidence.pair,
            nearest=evidence.nearest,
            n_looks=evidence.n_looks,
            log_ratio=evidence.log_ratio,
            circumstances=around,
        )
        for (identity, evidence, around), mine, by_looks in zip(
            weighed, odds, of_looks, strict=True
        )
    ]
    return sorted(candidates, key=lambda candidate: (-candidate.probability, candidate.identity))


def decide(probabilities: Sequence[float], config: LinkingConfig) -> Decision:
    """The cheapest decision, given the probabilities of all candidates, most probable first.

    >>> decide([], LinkingConfig())
    <Decision.NEW: 'new'>
    """
    if probabilities and probabilities[0] >= config.links_from:
        return Decision.LINK
    return Decision.NEW if 1 - sum(probabilities) >= config.new_from else Decision.UNSURE


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


def _arrivals(
    lately: Sequence[IdentityId],
    presence: Presence,
    gallery: Gallery,
    *,
    transits: Transits | None,
    config: LinkingConfig,
) -> list[IdentityId]:
    """Who may just have come from a neighbouring camera, or is in view of one that sees the same.

    At most `config.candidates`, the likeliest first.
    """
    found: list[tuple[float, IdentityId]] = []
    for identity in lately:
        before = latest_before(gallery.looks(identity), presence)
        if before is None:
            continue
        gap_s = gap_of(before, presence)
        ratio = transits.log_ratio(before.camera, presence.camera, gap_s) if transits else 0.0
        if ratio > 0 or (gap_s < 0 and see_the_same(before.camera, presence.camera, config)):
            found.append((-ratio, identity))
    return [identity for _, identity in sorted(found)[: config.candidates]]


def _alike(
    means: Mapping[Modality, Vector],
    ruled_out: Mapping[IdentityId, Exclusion],
    near: Collection[IdentityId],
    gallery: Gallery,
    calibration: Calibrated,
    trust: float,
) -> list[Exclusion]:
    """Of those who cannot be meant, the ones who look alike, the most alike first."""
    ours = means_around_centre(means, calibration)
    found: list[tuple[float, IdentityId]] = []
    for identity in near:
        if identity in ruled_out:
            evidence = weigh(ours, gallery.looks(identity), calibration, trust=trust)
            if evidence is not None and evidence.log_ratio > 0:
                found.append((-evidence.log_ratio, identity))
    return [ruled_out[identity] for _, identity in sorted(found)]


def _exp(log_odds: float) -> float:
    return math.exp(min(max(log_odds, -_MOST_LOG_ODDS), _MOST_LOG_ODDS))
