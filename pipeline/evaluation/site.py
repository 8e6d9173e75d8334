"""A whole site scored: every measure of docs/linking-measures.md at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import TruthInvalid
from pipeline.evaluation.hota import Hota, score_hota
from pipeline.evaluation.identity import (
    IdentityScores,
    score_identities,
    shared_by_sightings,
)
from pipeline.evaluation.pairs import PairScores, score_pairs
from pipeline.evaluation.sequence import Seen, Watched, shared_by_frames, watched
from pipeline.evaluation.truth import TrueVideo
from pipeline.evaluation.types import Lights


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteScores:
    """What the sightings of a site are worth.

    Attributes:
        n_people: True people who are to be seen at all.
        n_identities: That occur among the sightings.
        n_sightings: With at least one frame in the truth.
        n_unsure: Of these, without an identity: missed, in every measure.
        n_nobody: Of these, that show nobody of the truth.
        n_frames: Frames of truth, of all cameras.
        identities: Over all frames of truth: whoever was not detected was missed.
        named: Over the frames of sightings alone: what naming them is worth, whatever else was
            missed; 1 if every sighting of a person has that person's one identity.
        hota: Of all cameras as one sequence; None where there is nobody, by truth and by claim.
    """

    n_people: int
    n_identities: int
    n_sightings: int
    n_unsure: int
    n_nobody: int
    n_frames: int
    hota: Hota | None
    pairs: Mapping[Lights, PairScores]
    identities: Mapping[Lights, IdentityScores]
    named: Mapping[Lights, IdentityScores]


def judge_site(videos: Sequence[TrueVideo], seen: Iterable[Seen]) -> Watched:
    """The site frame by frame, and each sighting beside its truth.

    Raises:
        TruthInvalid: Truth and sightings have no camera, or no moment, in common.
    """
    seen = list(seen)
    cameras = {each.sighting.camera for each in seen}
    of_truth = {video.camera for video in videos}
    if not cameras & of_truth:
        raise TruthInvalid(
            f"the truth is of {_names(of_truth)}, the sightings are by {_names(cameras)}: no "
            "camera in common; name the truth of this site"
        )
    found = watched(videos, seen)
    if not found.judged:
        raise TruthInvalid(
            f"no sighting by {_names(cameras & of_truth)} in the time of the truth; check start "
            "and frames per second of the truth, and --from and --to"
        )
    return found


def score_site(site: Watched) -> SiteScores:
    """Every measure at once."""
    people = {int(person) for step in site.steps for person in step.people}
    return SiteScores(
        n_people=len(people),
        n_identities=len({one.identity for one in site.judged} - {None}),
        n_sightings=len(site.judged),
        n_unsure=sum(one.identity is None for one in site.judged),
        n_nobody=sum(one.person is None for one in site.judged),
        n_frames=len(site.steps),
        hota=score_hota(site.steps),
        pairs=score_pairs(site.judged),
        identities=score_identities(shared_by_frames(site.steps)),
        named=score_identities(shared_by_sightings(site.judged)),
    )


def _names(cameras: Iterable[str]) -> str:
    names = sorted(cameras)
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more if names else "no camera"
