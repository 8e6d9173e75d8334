"""Nouns of remembering: who was seen where, when, and why we say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

import numpy as np
import numpy.typing as npt

from streams.types import CameraId, Modality

IdentityId = NewType("IdentityId", int)
SightingId = NewType("SightingId", int)
RunId = NewType("RunId", int)
VerdictId = NewType("VerdictId", int)


def person_name(identity: IdentityId) -> str:
    """The short stable name that operators see.

    >>> person_name(IdentityId(7))
    'P-0007'
    """
    return f"P-{identity:04d}"


def sighting_name(sighting: SightingId) -> str:
    """The short stable name of a visit that operators see.

    >>> sighting_name(SightingId(123))
    'S123'
    """
    return f"S{sighting}"


def verdict_name(verdict: VerdictId) -> str:
    """The short stable name of a verdict that operators see.

    >>> verdict_name(VerdictId(12))
    'V12'
    """
    return f"V{verdict}"


class Decision(StrEnum):
    """What the linker said about a tracklet."""

    LINK = "link"
    NEW = "new"
    UNSURE = "unsure"


class VerdictKind(StrEnum):
    """What an operator decided."""

    SAME = "same"
    NOT_SAME = "not same"
    MERGE = "merge"
    SPLIT = "split"
    FORGET = "forget"
    UNDO = "undo"


TOGETHER = frozenset({VerdictKind.SAME, VerdictKind.MERGE})
APART = frozenset({VerdictKind.NOT_SAME, VerdictKind.SPLIT})


class Side(StrEnum):
    """The two sides of a verdict: what was decided about, and what it was held against."""

    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Half-open range of time, microseconds UTC; None is open-ended."""

    from_us: int | None = None
    to_us: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no moment lies in it: it ends where it begins, or before.

        >>> Span(from_us=1, to_us=1).is_empty, Span(from_us=1).is_empty
        (True, False)
        """
        return self.from_us is not None and self.to_us is not None and self.to_us <= self.from_us


ALWAYS = Span()
"""All of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A decision to be recorded.

    Attributes:
        identity: Whom it is linked to; None for `new` (made in the same transaction) and `unsure`.
        candidate: Best identity that was compared, also when unsure; None if there was none.
        probability: That the candidate is the same person, [0, 1]; None if there was no candidate.
        threshold: The probability that a link had to reach.
        runner_up: Second-best identity, None if there was none.
        reason: One sentence for the operator.
        calibration: Name of the calibration that turned similarity into probability.
        grounds: The numbers behind the reason, by name; kept as JSON.
    """

    decision: Decision
    identity: IdentityId | None
    candidate: IdentityId | None
    probability: float | None
    threshold: float
    runner_up: IdentityId | None
    runner_up_probability: float | None
    reason: str
    calibration: str
    grounds: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exemplar:
    """One crop worth keeping and its vector.

    Attributes:
        vector: (D,) float32, unit length.
        evidence: sha256 (hex) of the crop's picture in the evidence store; None if it could not be
            kept (disk full).
    """

    vector: npt.NDArray[np.float32]
    modality: Modality
    captured_at_us: int
    box: tuple[float, float, float, float]
    quality: float
    evidence: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewSighting:
    """One visit of one person to one camera (or one part of a long visit), ready to be recorded.

    Attributes:
        key: Names the tracklet; recording the same key twice changes nothing.
        track: Shared by all parts of one unbroken view.
        part: 0, 1, ... within the track.
        modality: Of most of its frames.
        trail: (M, 5) float64 rows of captured_at_us, x0, y0, x1, y1, sampled along the visit.
        model: The network that made the exemplars' vectors.
    """

    key: str
    track: str
    part: int
    camera: CameraId
    modality: Modality
    first_seen_us: int
    last_seen_us: int
    n_frames: int
    trail: npt.NDArray[np.float64]
    model: str
    exemplars: tuple[Exemplar, ...]
    link: NewLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording a sighting did.

    Attributes:
        was_known: The key had been recorded before; nothing was changed.
    """

    sighting: SightingId
    identity: IdentityId | None
    was_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The decision that holds for a sighting now: the newest of its link events.

    Attributes:
        grounds: The numbers behind the reason, by name.
        made_by: `linker`, `refine`, or the operator's name.
        verdict: The operator's verdict that it follows, if it follows one.
    """

    decision: Decision
    candidate: IdentityId | None
    probability: float | None
    threshold: float
    runner_up: IdentityId | None
    runner_up_probability: float | None
    reason: str
    calibration: str
    grounds: Mapping[str, float | int | str]
    made_by: str
    verdict: VerdictId | None
    made_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One visit as it stands in the database.

    Attributes:
        identity: Who, or None while unsure.
        evidence: sha256 of its crops that were kept, best first.
    """

    id: SightingId
    key: str
    track: str
    part: int
    camera: CameraId
    modality: Modality
    first_seen_us: int
    last_seen_us: int
    n_frames: int
    model: str
    identity: IdentityId | None
    link: Link
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a verdict did to one visit; before and after are the same where it pinned what was so.

    Attributes:
        before: Who it was; None: unsure.
        after: Who it became; None: unsure.
    """

    sighting: SightingId
    before: IdentityId | None
    after: IdentityId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an operator decided, and what became of it.

    Attributes:
        reason: In the operator's words; may be empty.
        a: Visits that were decided about, ascending, without those that were erased since.
        b: Visits that they were held against.
        moved: What it did, by visit.
        contradicts: Older verdicts that hold and say the opposite of some of these visits.
        undoes: The verdict that it takes back; only of `undo`.
        undone_by: The verdict that took it back, itself perhaps undone; None: nobody did.
        holds: Whether it counts now: not undone, or undone and redone.
    """

    id: VerdictId
    kind: VerdictKind
    made_by: str
    made_at_us: int
    reason: str
    a: tuple[SightingId, ...]
    b: tuple[SightingId, ...]
    moved: tuple[Moved, ...]
    contradicts: tuple[VerdictId, ...]
    undoes: VerdictId | None
    undone_by: VerdictId | None
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as far as the sightings tell.

    Attributes:
        cameras: Where, in order of first sighting there.
        modalities: In what light, visible first.
    """

    id: IdentityId
    first_seen_us: int
    last_seen_us: int
    n_sightings: int
    cameras: tuple[CameraId, ...]
    modalities: tuple[Modality, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GalleryRow:
    """One exemplar with what the linker needs to compare it.

    Attributes:
        exemplar_id: Row number, key of the vector index.
        quality: How far to trust the vector, in [0, 1].
        is_confirmed: An operator said who it is: a verdict that holds has the last word.
    """

    exemplar_id: int
    identity: IdentityId
    sighting: SightingId
    camera: CameraId
    modality: Modality
    first_seen_us: int
    last_seen_us: int
    vector: npt.NDArray[np.float32]
    quality: float
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera that ever recorded something.

    Attributes:
        description: Where it looks, for the operator; may be empty.
    """

    id: CameraId
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the watcher.

    Attributes:
        ended_at_us: None while it runs, and for ever if it was killed.
        program: Version of the program.
        config_hash: sha256 (hex) of its configuration.
    """

    id: RunId
    started_at_us: int
    ended_at_us: int | None
    program: str
    config_hash: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """The most similar vectors of an index, most similar first, ties by lowest id.

    Attributes:
        ids: (M, k) int64, one row per query; -1 where the index holds fewer than k.
        similarities: (M, k) float32, cosine in [-1, 1]; -1 beside an id of -1.
    """

    ids: npt.NDArray[np.int64]
    similarities: npt.NDArray[np.float32]
