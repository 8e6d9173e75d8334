"""What is clustered: one unbroken view of one person, with all that is known of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.linking.gallery import Vector, means_by_light
from storage.refinement import Revisit, Revisited, Said
from storage.types import IdentityId
from streams.types import CameraId, Modality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One track, or what is left of one after operators took it apart.

    Attributes:
        parts: Its visits, in the order of time.
        means: Per modality, the unit mean of its vectors, (D,) float32; at least one.
        quality: Mean of its pictures, in [0, 1].
        identity: Who it is said to be; None while unsure.
        confidence: How sure that is, in [0, 1].
        is_pinned: An operator said so.
        is_fixed: Compared with, never changed: outside of the window, or settled by a verdict.
    """

    camera: CameraId
    first_seen_us: int
    last_seen_us: int
    parts: tuple[Revisited, ...]
    means: Mapping[Modality, Vector]
    quality: float
    identity: IdentityId | None
    confidence: float
    is_pinned: bool
    is_fixed: bool


def views_of(found: Revisit, said: Sequence[Said]) -> list[View]:
    """Views by time, camera and track, whatever the order of rows.

    Visits without vectors are left out, and those that operators said to be nobody.
    """
    tracks: defaultdict[tuple[bool, str], list[Revisited]] = defaultdict(list)
    for is_fixed, visits in ((False, found.visits), (True, found.context)):
        for visit in visits:
            if len(visit.vectors) and not (visit.is_pinned and visit.identity is None):
                tracks[is_fixed, visit.track].append(visit)
    views = [
        view
        for (is_fixed, _), parts in tracks.items()
        for view in _views_of_track(sorted(parts, key=lambda p: p.part), said, is_fixed=is_fixed)
    ]
    return sorted(
        views, key=lambda v: (v.first_seen_us, v.camera, v.parts[0].track, v.parts[0].part)
    )


def _views_of_track(
    parts: Sequence[Revisited], said: Sequence[Said], *, is_fixed: bool
) -> Iterable[View]:
    """One view; one per part where operators say that the track shows two people."""
    pinned = {part.identity for part in parts if part.is_pinned}
    ids = [part.id for part in parts]
    apart = any(
        bool(verdict.a & {i} and verdict.b & {j}) or bool(verdict.a & {j} and verdict.b & {i})
        for verdict in said
        if not verdict.is_same
        for i, j in combinations(ids, 2)
    )
    if apart or len(pinned) > 1:
        return [_view([part], is_fixed=is_fixed) for part in parts]
    return [_view(parts, is_fixed=is_fixed)]


def _view(parts: Sequence[Revisited], *, is_fixed: bool) -> View:
    vectors = np.concatenate([part.vectors for part in parts])
    lights = [light for part in parts for light in part.modalities]
    qualities = [quality for part in parts for quality in part.qualities]
    # the newest part speaks for the linker, a pinned one for the operator
    speaking = max(parts, key=lambda p: (p.is_pinned, p.identity is not None, p.part))
    probability = speaking.probability if speaking.probability is not None else 0.5
    return View(
        camera=parts[0].camera,
        first_seen_us=min(part.first_seen_us for part in parts),
        last_seen_us=max(part.last_seen_us for part in parts),
        parts=tuple(parts),
        means=means_by_light(vectors, lights),
        quality=sum(qualities) / len(qualities),
        identity=speaking.identity,
        confidence=probability if speaking.identity is not None else 0.0,
        is_pinned=speaking.is_pinned,
        is_fixed=is_fixed or all(part.is_settled for part in parts),
    )
