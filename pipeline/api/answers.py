"""What answers about visits and persons look like, and how they are made from records."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from pipeline.api.times import iso_or_none
from storage.rulings import OPERATOR
from storage.types import (
    Identity,
    IdentityId,
    Link,
    Sighting,
    person_name,
    sighting_name,
    verdict_name,
)
from streams.moments import iso_time
from streams.types import Gap

Item = TypeVar("Item")
Light = Literal["visible", "infrared"]
_PERSON = re.compile(r"(?<!\w)P-?0*([1-9]\d*)", re.IGNORECASE)
_MOST_DIGITS = 18
"""Of a number that a database holds; whoever has a longer one is nobody, and is not seen."""
_MORE = re.compile(r"; \d+ more who look alike ruled out")
_HIDDEN_WORDS = "these words speak of what you may not see"
_OF_ITSELF = ("n_crops", "trust", "link_at", "new_at")
_OF_EVERYBODY = frozenset({"n_eligible", "n_ruled_out", "prior"})
"""How many persons the whole site knew."""


class Answer(BaseModel):
    """Closed: what is not declared is not told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Answer, Generic[Item]):
    """A part of a long answer."""

    items: list[Item]
    next: str | None = Field(
        description="`cursor` of the next page; null: this is the last one.", examples=[None]
    )


class Done(Answer):
    """Something was done."""

    ok: Literal[True] = True


class LinkAnswer(Answer):
    """Who a visit is said to be, and why."""

    decision: Literal["link", "new", "unsure"]
    probability: float | None = Field(
        description="That the candidate is the same person, 0 to 1.", examples=[0.91]
    )
    threshold: float = Field(description="What a link had to reach, 0 to 1.", examples=[0.9])
    candidate: str | None = Field(description="Best person compared.", examples=["P-0002"])
    runner_up: str | None = Field(description="Second-best person.", examples=["P-0007"])
    runner_up_probability: float | None = Field(examples=[0.04])
    reason: str = Field(examples=["0.91 for P-0002: 12 s after gate-1, usual 9 to 15 s"])
    grounds: dict[str, float | int | str] = Field(
        description="The numbers behind the reason, by name."
    )
    calibration: str = Field(description="What made similarity a probability.")
    made_by: str = Field(description="linker, refine, or the operator's name.", examples=["linker"])
    is_operators: bool = Field(description="Whether an operator said it.")
    verdict: str | None = Field(description="The operator's verdict it follows.", examples=[None])
    made_at: str
    made_at_us: int


class SightingAnswer(Answer):
    """One visit of one person to one camera."""

    sighting: str = Field(examples=["S12"])
    identity: str | None = Field(description="Who; null: unsure.", examples=["P-0002"])
    name: str | None = Field(description="What operators call them.", examples=["red coat"])
    camera: str = Field(examples=["gate-1"])
    modality: Light
    first_seen: str = Field(examples=["2026-06-01T14:00:00.500000Z"])
    first_seen_us: int
    last_seen: str
    last_seen_us: int
    n_frames: int
    track: str = Field(description="Shared by all parts of one unbroken view.")
    part: int
    model: str = Field(description="The network that described it.")
    pictures: list[str] = Field(description="sha256 of its crops, best first.")
    link: LinkAnswer


class IdentityAnswer(Answer):
    """A person, as far as the cameras that one may see saw them."""

    identity: str = Field(examples=["P-0002"])
    name: str | None = Field(description="What operators call them.", examples=["red coat"])
    first_seen: str
    first_seen_us: int
    last_seen: str
    last_seen_us: int
    n_sightings: int = Field(examples=[5])
    cameras: list[str] = Field(examples=[["gate-1", "plaza"]])
    modalities: list[Light]


class GapAnswer(Answer):
    """A span in which a camera delivered nothing: nobody looked."""

    camera: str = Field(examples=["dock"])
    from_: str = Field(alias="from", serialization_alias="from")
    from_us: int
    to: str | None = Field(description="Null: it lasts.")
    to_us: int | None
    reason: str = Field(examples=["stalled"])


class Told:
    """What may be told to somebody about links.

    Args:
        seen: Cameras that they may see.
        hidden: Cameras that they may not see.
        people: Persons that they may know of; None: everybody.
        names: What operators call persons.
    """

    def __init__(
        self,
        *,
        seen: Collection[str] = (),
        hidden: Collection[str] = (),
        people: Collection[IdentityId] | None = None,
        names: Mapping[IdentityId, str] | None = None,
    ) -> None:
        self._hidden = frozenset(camera.casefold() for camera in hidden)
        self._cameras = _any_of([*seen, *hidden]) if hidden else None
        self._people = None if people is None else frozenset(people)
        self._names = names or {}

    def name(self, who: IdentityId | None) -> str | None:
        """What operators call the person."""
        return None if who is None else self._names.get(who)

    def person(self, who: IdentityId | None) -> str | None:
        """The person's short name, where they may know of them."""
        if who is None or not self._knows(who):
            return None
        return person_name(who)

    def link(self, link: Link) -> LinkAnswer:
        """The link, without what it says of hidden cameras and of persons only seen there."""
        candidate, runner_up = self.person(link.candidate), self.person(link.runner_up)
        spoken = [str(value) for value in link.grounds.values() if isinstance(value, str)]
        is_somebody_hidden = link.candidate is not None and candidate is None
        is_hidden = (
            is_somebody_hidden
            or (link.runner_up is not None and runner_up is None)
            or self.is_hidden(link.reason, *spoken)
        )
        reason = link.reason if self._people is None else _MORE.sub("", link.reason)
        return LinkAnswer(
            decision=link.decision.value,
            probability=None if is_somebody_hidden else link.probability,
            threshold=link.threshold,
            candidate=candidate,
            runner_up=runner_up,
            runner_up_probability=None if runner_up is None else link.runner_up_probability,
            reason="the reason speaks of cameras that you may not see" if is_hidden else reason,
            grounds=self._grounds(link, is_hidden=is_hidden),
            calibration=link.calibration,
            made_by=link.made_by,
            is_operators=link.calibration == OPERATOR,
            verdict=None if link.verdict is None else verdict_name(link.verdict),
            made_at=iso_time(link.made_at_us),
            made_at_us=link.made_at_us,
        )

    def words(self, text: str) -> str:
        """What somebody wrote, unless it names what may not be known."""
        return _HIDDEN_WORDS if self.is_hidden(text) else text

    def is_hidden(self, *texts: str) -> bool:
        """Whether words name a camera that may not be seen, or a person who may not be known."""
        cameras = (
            set()
            if self._cameras is None
            else {camera for text in texts for camera in self._cameras.findall(text.casefold())}
        )
        if cameras & self._hidden:
            return True
        return self._people is not None and not named_in_words(texts) <= self._people

    def _grounds(self, link: Link, *, is_hidden: bool) -> dict[str, float | int | str]:
        """Of a hidden reason only what it says of the visit itself, and to who may not see all
        cameras never how many people there are."""
        if is_hidden:
            return {name: link.grounds[name] for name in _OF_ITSELF if name in link.grounds}
        if self._people is None:
            return dict(link.grounds)
        return {name: value for name, value in link.grounds.items() if name not in _OF_EVERYBODY}

    def _knows(self, who: IdentityId) -> bool:
        return self._people is None or who in self._people


def to_sighting(sighting: Sighting, told: Told) -> SightingAnswer:
    """A visit, for whom `told` is about."""
    return SightingAnswer(
        sighting=sighting_name(sighting.id),
        identity=None if sighting.identity is None else person_name(sighting.identity),
        name=told.name(sighting.identity),
        camera=sighting.camera,
        modality=sighting.modality.value,
        first_seen=iso_time(sighting.first_seen_us),
        first_seen_us=sighting.first_seen_us,
        last_seen=iso_time(sighting.last_seen_us),
        last_seen_us=sighting.last_seen_us,
        n_frames=sighting.n_frames,
        track=sighting.track,
        part=sighting.part,
        model=sighting.model,
        pictures=list(sighting.evidence),
        link=told.link(sighting.link),
    )


def to_identity(person: Identity, names: Mapping[IdentityId, str]) -> IdentityAnswer:
    """A person."""
    return IdentityAnswer(
        identity=person_name(person.id),
        name=names.get(person.id),
        first_seen=iso_time(person.first_seen_us),
        first_seen_us=person.first_seen_us,
        last_seen=iso_time(person.last_seen_us),
        last_seen_us=person.last_seen_us,
        n_sightings=person.n_sightings,
        cameras=list(person.cameras),
        modalities=[modality.value for modality in person.modalities],
    )


def to_gap(gap: Gap) -> GapAnswer:
    """A gap."""
    return GapAnswer.model_validate(
        {
            "camera": gap.camera,
            "from": iso_time(gap.from_us),
            "from_us": gap.from_us,
            "to": iso_or_none(gap.to_us),
            "to_us": gap.to_us,
            "reason": gap.reason.value,
        }
    )


def named_in_words(texts: Iterable[str]) -> set[IdentityId]:
    """Persons that words name by number.

    >>> named_in_words(["P-0002 went with p-3", "P0004, p5 and P-0002"]) == {2, 3, 4, 5}
    True
    """
    numbers = [number for text in texts for number in _PERSON.findall(text)]
    return {IdentityId(int(number[:_MOST_DIGITS])) for number in numbers}


def mentioned(sightings: Sequence[Sighting]) -> set[IdentityId]:
    """All persons that visits and their links name."""
    found = set()
    for sighting in sightings:
        found |= {sighting.identity, sighting.link.candidate, sighting.link.runner_up}
    return {who for who in found if who is not None}


def _any_of(names: Collection[str]) -> re.Pattern[str]:
    """Finds these names in folded words; `gate-1` is not `gate`.

    >>> _any_of(["gate", "Gate-1"]).findall("gate-1, not the gate-12, nor gates")
    ['gate-1', 'gate']
    """
    longest_first = sorted({name.casefold() for name in names}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
