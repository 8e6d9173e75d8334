"""Which claims are wrong, and who was missed: so that somebody can look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.evaluation.identity import owners
from pipeline.evaluation.types import Judged
from storage.types import IdentityId, Sighting, SightingId


class Mistake(StrEnum):
    """What is wrong with what was said of a sighting."""

    WRONG_PERSON = "wrong person"
    NOBODY = "nobody there"
    SECOND_NAME = "second name"
    UNSURE = "unsure"


WRONG = frozenset({Mistake.WRONG_PERSON, Mistake.NOBODY})
MISSED = frozenset({Mistake.SECOND_NAME, Mistake.UNSURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistaken:
    """A sighting about which something wrong, or too little, was said.

    Attributes:
        person: Who truly is in it; None: nobody of the truth.
        owner: Whom its identity mostly shows; None where it has none, or shows nobody.
        rightful: The identity that mostly stands for the true person, if there is one.
    """

    mistake: Mistake
    person: int | None
    owner: int | None
    rightful: IdentityId | None
    sighting: SightingId


def mistakes(judged: Iterable[Judged]) -> list[Mistaken]:
    """All of them, in the order of the sightings.

    An identity belongs to the person whom most of its frames show; a person's rightful identity is
    the one that covers most of their frames among those that belong to them. *Wrong person*: the
    identity belongs to somebody else. *Nobody there*: truth has nobody there, and an identity was
    given. *Second name*: the person has another, rightful identity. *Unsure*: no identity,
    though somebody is there.
    """
    judged = list(judged)
    owner = owners(judged)
    rightful = _rightful(judged, owner)
    found = []
    for one in judged:
        mistake = _mistake(one, owner, rightful)
        if mistake is not None:
            found.append(
                Mistaken(
                    mistake=mistake,
                    person=one.person,
                    owner=None if one.identity is None else owner[one.identity],
                    rightful=None if one.person is None else rightful.get(one.person),
                    sighting=one.sighting,
                )
            )
    return found


def _rightful(
    judged: Iterable[Judged], owner: Mapping[IdentityId, int | None]
) -> dict[int, IdentityId]:
    weights: dict[int, dict[IdentityId, float]] = {}
    for one in judged:
        if one.person is not None and one.identity is not None:
            if owner[one.identity] != one.person:
                continue
            of = weights.setdefault(one.person, {})
            of[one.identity] = of.get(one.identity, 0.0) + one.weight
    return {person: max(of, key=lambda identity: of[identity]) for person, of in weights.items()}


def _mistake(
    one: Judged, owner: Mapping[IdentityId, int | None], rightful: Mapping[int, IdentityId]
) -> Mistake | None:
    if one.identity is None:
        return None if one.person is None else Mistake.UNSURE
    if one.person is None:
        return Mistake.NOBODY
    if owner[one.identity] != one.person:
        return Mistake.WRONG_PERSON
    return None if rightful[one.person] == one.identity else Mistake.SECOND_NAME


def n_right_guesses(judged: Iterable[Judged], sightings: Mapping[SightingId, Sighting]) -> int:
    """How many unsure sightings name as their best candidate an identity of their true person."""
    judged = list(judged)
    owner = owners(judged)
    right = 0
    for one in judged:
        candidate = sightings[one.sighting].link.candidate
        if one.identity is None and one.person is not None and candidate is not None:
            right += owner.get(candidate) == one.person
    return right
