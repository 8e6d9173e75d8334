"""Nouns of alerting: what happened (events), what a rule says about it (findings)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.linking.gallery import Vector
from pipeline.types import TrackKey
from storage.types import Decision, IdentityId
from streams.types import CameraId, Gap, Modality

Box = tuple[float, float, float, float]
Ground: TypeAlias = float | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class InView:
    """Somebody in a picture.

    Attributes:
        box: x0, y0, x1, y1 as fractions of the picture from its top left.
    """

    track: TrackKey
    box: Box

    @property
    def foot(self) -> tuple[float, float]:
        """Where the person stands: the middle of the lower edge."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everybody in one picture of one camera; who is missing has left the view.

    Attributes:
        people: Also those lost for less than the tracker's patience, where they were last.
    """

    camera: CameraId
    at_us: int
    people: tuple[InView, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visit:
    """A sighting that was just recorded, and who it was said to be.

    Attributes:
        sighting: Its key.
        means: Per modality, the unit mean of its vectors, (D,) float32; may be empty.
        trust: How far its pictures can be trusted, [0, 1].
        model: The network that made the vectors.
        evidence: sha256 of its crops, best first.
        is_last: The view has ended with it.
        is_named: An operator gave the person a name.
    """

    camera: CameraId
    track: TrackKey
    part: int
    sighting: str
    first_seen_us: int
    last_seen_us: int
    modality: Modality
    decision: Decision
    identity: IdentityId | None
    candidate: IdentityId | None
    probability: float | None
    means: Mapping[Modality, Vector]
    trust: float
    model: str
    evidence: tuple[str, ...]
    is_last: bool
    is_named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSign:
    """How a camera is doing, about once a second.

    Attributes:
        is_seen: Pictures come.
        since_us: Time of its newest picture; None if there never was one.
        error: Why not, in a sentence; None while it is seen.
        fps: Pictures per second; None where it does not count (recordings).
        modality: Light of the newest picture.
        contrast: Standard deviation of its grey levels, 0-128; None if it was not looked at.
        detail: Mean difference of neighbouring grey levels, 0-255; None as above.
    """

    camera: CameraId
    at_us: int
    is_seen: bool
    since_us: int | None = None
    error: str | None = None
    fps: float | None = None
    modality: Modality = Modality.VISIBLE
    contrast: float | None = None
    detail: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSign:
    """Room on a disk that something is kept on.

    Attributes:
        place: What is kept there, for the operator.
    """

    place: str
    at_us: int
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LagSign:
    """How far thinking is behind seeing.

    Attributes:
        lag_s: Age of the newest picture that was looked at, of the camera that waits longest.
        n_waiting: Visits that wait to be recorded.
    """

    at_us: int
    lag_s: float
    n_waiting: int


Event: TypeAlias = Scene | Gap | Visit | CameraSign | DiskSign | LagSign


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says: that something began, or (the same `episode` again) that it went on.

    Attributes:
        rule: Name of the rule.
        episode: Names this very occurrence within the rule.
        subject: What a rule that is not about people speaks of, such as `camera gate`.
        track: Whose view it is; None if it is about no one person.
        at_us: When it was said.
        ended_us: None while it lasts.
        sentence: Plain words; names no person.
        grounds: The numbers behind it, by name.
        sightings: Keys of visits that show it.
        picture: sha256 of evidence that shows it; None: the picture of that moment.
    """

    rule: str
    episode: str
    subject: str = ""
    track: TrackKey | None = None
    cameras: tuple[CameraId, ...]
    began_us: int
    at_us: int
    ended_us: int | None
    sentence: str
    grounds: Mapping[str, Ground] = field(default_factory=dict)
    identity: IdentityId | None = None
    candidate: IdentityId | None = None
    probability: float | None = None
    sightings: tuple[str, ...] = ()
    picture: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wanted:
    """Somebody whom operators want to be told of.

    Attributes:
        identity: Who, where that is known.
        means: Per modality, the unit mean vector (D,) of the example pictures; may be empty.
        model: The network that made them; None if there are none.
        expires_at_us: From then on nobody is told.
    """

    number: int
    name: str
    identity: IdentityId | None
    means: Mapping[Modality, Vector]
    model: str | None
    expires_at_us: int | None
