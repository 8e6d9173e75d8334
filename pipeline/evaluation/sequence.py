"""All cameras as one long sequence: what is true and what is claimed, frame by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.boxes import boxes_at, overlaps
from pipeline.evaluation.identity import Shared
from pipeline.evaluation.truth import TrueVideo
from pipeline.evaluation.types import Judged
from storage.types import Sighting
from streams.types import CameraId, Modality

MIN_IOU = 0.5
"""From here on a claimed box shows a true person."""
MIN_SHARE = 0.5
"""Of a sighting's frames that must show one person for it to be that person's."""
_ROUNDING_US = 2_000

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """A sighting and its trail, (M, 5) float64: captured_at_us, x0, y0, x1, y1."""

    sighting: Sighting
    trail: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One frame of one camera.

    Attributes:
        people: (P,) int64, who truly is there.
        identities: (C,) int64, whom the claimed boxes are said to show; unsure ones are not claims.
        similarity: (P, C) float64, overlap in [0, 1].
    """

    modality: Modality
    people: Ids
    identities: Ids
    similarity: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """The frames of all cameras, one camera after the other, and each sighting's true person.

    Attributes:
        judged: Sightings with at least one frame in the truth; their weight is these frames.
    """

    steps: tuple[Step, ...]
    judged: tuple[Judged, ...]


def watched(videos: Sequence[TrueVideo], seen: Iterable[Seen]) -> Watched:
    """Every frame of the truth beside what was claimed at that moment.

    A sighting's box between two samples of its trail lies on a straight line. It is a person's
    sighting if at least half of its frames overlap that person by `MIN_IOU`, and no other person
    more often. Sightings without a frame in the truth say nothing and are left out.
    """
    by_camera: dict[CameraId, list[Seen]] = {}
    for each in seen:
        by_camera.setdefault(each.sighting.camera, []).append(each)
    steps: list[Step] = []
    judged: list[Judged] = []
    for video in videos:
        of_camera = by_camera.get(video.camera, [])
        rows = [_Rows.of(each, video) for each in of_camera]
        shown = [row for row in rows if len(row.frames)]
        people = _by_frame(video)
        steps += _steps(video, people, shown, _lights(video, of_camera))
        judged += [_judge(video, people, row) for row in shown]
    return Watched(steps=tuple(steps), judged=_joined(judged))


def shared_by_frames(steps: Iterable[Step]) -> Shared:
    """How many frames each person and each identity share, by light."""
    counts: Counter[tuple[int, int, int]] = Counter()
    true: Counter[tuple[int, int]] = Counter()
    claimed: Counter[tuple[int, int]] = Counter()
    for step in steps:
        light = int(step.modality is Modality.INFRARED)
        true.update((light, int(person)) for person in step.people)
        claimed.update((light, int(identity)) for identity in step.identities)
        hits = np.argwhere(step.similarity >= MIN_IOU)
        counts.update({(light, int(step.people[p]), int(step.identities[c])) for p, c in hits})
    people = {person: row for row, person in enumerate(sorted({p for _, p in true}))}
    identities = {one: row for row, one in enumerate(sorted({i for _, i in claimed}))}
    shared = Shared(
        overlap=np.zeros((2, len(people), len(identities))),
        true=np.zeros((2, len(people))),
        claimed=np.zeros((2, len(identities))),
    )
    for (light, person), n in true.items():
        shared.true[light, people[person]] = n
    for (light, identity), n in claimed.items():
        shared.claimed[light, identities[identity]] = n
    for (light, person, identity), n in counts.items():
        shared.overlap[light, people[person], identities[identity]] = n
    return shared


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """A sighting's boxes at the frames of a true video: (T,) rows of it and (T, 4) boxes."""

    seen: Seen
    frames: Ids
    boxes: Floats

    @classmethod
    def of(cls, seen: Seen, video: TrueVideo) -> _Rows:
        one = seen.sighting
        since = np.searchsorted(video.times_us, one.first_seen_us - _ROUNDING_US)
        until = np.searchsorted(video.times_us, one.last_seen_us + _ROUNDING_US, side="right")
        frames = np.arange(since, until, dtype=np.int64)
        return cls(seen=seen, frames=frames, boxes=boxes_at(seen.trail, video.times_us[frames]))


def _similarity(video: TrueVideo, rows: Ids, boxes: Floats) -> Floats:
    """(P, C): of the whole person or of the part that shows, whichever fits better.

    A detector may draw either where something stands before a person.
    """
    return np.maximum(overlaps(video.boxes[rows], boxes), overlaps(video.seen[rows], boxes))


def _by_frame(video: TrueVideo) -> list[Ids]:
    """Rows of the people of each frame."""
    order = np.argsort(video.frame, kind="stable")
    borders = np.searchsorted(video.frame[order], np.arange(1, len(video.times_us)))
    return np.split(order.astype(np.int64), borders)


def _steps(
    video: TrueVideo,
    people: Sequence[Ids],
    shown: Sequence[_Rows],
    lights: Sequence[Modality],
) -> Iterable[Step]:
    claims: list[list[tuple[int, Floats]]] = [[] for _ in video.times_us]
    for row in shown:
        identity = row.seen.sighting.identity
        if identity is not None:
            for frame, box in zip(row.frames.tolist(), row.boxes, strict=True):
                claims[frame].append((identity, box))
    for frame, rows in enumerate(people):
        boxes = np.array([box for _, box in claims[frame]], np.float64).reshape(-1, 4)
        yield Step(
            modality=lights[frame],
            people=video.person[rows],
            identities=np.array([identity for identity, _ in claims[frame]], np.int64),
            similarity=_similarity(video, rows, boxes),
        )


def _lights(video: TrueVideo, seen: Sequence[Seen]) -> Sequence[Modality]:
    """As truth says; else the light in which the camera saw most of its people."""
    if video.modality is not None:
        return video.modality
    counts = Counter(each.sighting.modality for each in seen)
    light = max(Modality, key=lambda each: counts[each])
    return [light] * len(video.times_us)


def _judge(video: TrueVideo, people: Sequence[Ids], row: _Rows) -> Judged:
    votes: Counter[int] = Counter()
    for frame, box in zip(row.frames.tolist(), row.boxes, strict=True):
        there = people[frame]
        if len(there):
            similarity = _similarity(video, there, box[None])[:, 0]
            best = int(similarity.argmax())
            if similarity[best] >= MIN_IOU:
                votes[int(video.person[there[best]])] += 1
    person, n = max(votes.items(), key=lambda item: item[1], default=(None, 0))
    one = row.seen.sighting
    return Judged(
        sighting=one.id,
        camera=one.camera,
        modality=one.modality,
        person=person if n >= MIN_SHARE * len(row.frames) else None,
        identity=one.identity,
        weight=float(len(row.frames)),
    )


def _joined(judged: Sequence[Judged]) -> tuple[Judged, ...]:
    """One row per sighting: the one with most frames, where spans of truth meet within one."""
    best: dict[int, Judged] = {}
    for one in judged:
        if one.sighting not in best or one.weight > best[one.sighting].weight:
            best[one.sighting] = one
    return tuple(best[number] for number in sorted(best))
