"""What cannot be one person, and what must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.linking.config import LinkingConfig
from pipeline.linking.constraints import see_the_same
from pipeline.linking.refine.views import View
from storage.refinement import Said
from storage.types import IdentityId, SightingId

Pairs = npt.NDArray[np.bool_]


def apart(views: Sequence[View], said: Sequence[Said], config: LinkingConfig) -> Pairs:
    """(N, N) symmetric: which two views cannot show one person.

    One body is not in two places at once (unless the cameras see the same ground), nor twice in
    one picture; operators' word; and people whom operators named differently.
    """
    found = _at_once(views, config)
    rows = _rows_by_sighting(views)
    for verdict in said:
        if not verdict.is_same:
            for a in verdict.a & rows.keys():
                for b in verdict.b & rows.keys():
                    if not _said_same_later(a, b, verdict, said):
                        found[rows[a], rows[b]] = found[rows[b], rows[a]] = True
    pinned = [i for i, view in enumerate(views) if view.is_pinned]
    names = np.array([views[i].identity or 0 for i in pinned], np.int64)
    found[np.ix_(pinned, pinned)] |= names[:, None] != names[None, :]
    np.fill_diagonal(found, False)
    return found


def groups(views: Sequence[View], said: Sequence[Said]) -> list[list[int]]:
    """Views that operators said to be one person, by first view; everybody else alone."""
    parent = list(range(len(views)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(members: Sequence[int]) -> None:
        for other in members[1:]:
            first, second = sorted((root(members[0]), root(other)))
            parent[second] = first

    rows = _rows_by_sighting(views)
    for verdict in said:
        if verdict.is_same:
            for alike in _not_taken_apart(verdict, said):
                join(sorted({rows[i] for i in alike if i in rows}))
    named: defaultdict[IdentityId, list[int]] = defaultdict(list)
    for i, view in enumerate(views):
        if view.is_pinned and view.identity is not None:
            named[view.identity].append(i)
    for members in named.values():
        join(members)
    found: defaultdict[int, list[int]] = defaultdict(list)
    for i in range(len(views)):
        found[root(i)].append(i)
    return [found[i] for i in sorted(found)]


def _at_once(views: Sequence[View], config: LinkingConfig) -> Pairs:
    first = np.array([view.first_seen_us for view in views], np.int64)
    last = np.array([view.last_seen_us for view in views], np.int64)
    names = sorted({view.camera for view in views})
    camera = np.array([names.index(view.camera) for view in views], np.intp)
    shared = np.array([[a != b and see_the_same(a, b, config) for b in names] for a in names])
    same_camera = camera[:, None] == camera[None, :]
    skew = np.where(same_camera, 0, int(config.clock_skew_s * 1e6))
    before = first[:, None] + skew < last[None, :]
    return np.asarray(before & before.T & ~shared[np.ix_(camera, camera)], np.bool_)


def _rows_by_sighting(views: Sequence[View]) -> dict[SightingId, int]:
    return {part.id: i for i, view in enumerate(views) for part in view.parts}


def _said_same_later(a: SightingId, b: SightingId, verdict: Said, said: Sequence[Said]) -> bool:
    return any(
        {a, b} <= other.a | other.b
        for other in said
        if other.is_same and other.number > verdict.number
    )


def _not_taken_apart(verdict: Said, said: Sequence[Said]) -> list[list[SightingId]]:
    """The visits of a verdict `same`, in groups that no later verdict takes apart."""
    later = [other for other in said if not other.is_same and other.number > verdict.number]
    members = verdict.a | verdict.b
    cutting = [other for other in later if other.a & members and other.b & members]
    found: defaultdict[tuple[tuple[bool, bool], ...], list[SightingId]] = defaultdict(list)
    for sighting in sorted(members):
        found[tuple((sighting in o.a, sighting in o.b) for o in cutting)].append(sighting)
    return [found[key] for key in sorted(found)]
