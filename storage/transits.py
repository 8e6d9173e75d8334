"""How people went from camera to camera: what is known of it, fit to learn from.

Only what is well known teaches: views that were linked on their looks, or by an operator, and that
began after the camera was last moved. The others are told too, since a person who was perhaps seen
in between is not known to have been away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, func, select

from storage.database import Database
from storage.rows import ROWS_AT_ONCE
from storage.schema import CameraMoveRow, CameraRow, LinkEventRow, SightingRow
from storage.types import Decision
from streams.types import CameraId

APPEARANCE = "appearance_probability"
"""Name, among the grounds of a link, of its probability had transit times not been asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One unbroken view of one person by one camera; the parts of a long one are one view.

    Attributes:
        camera_moved_us: When the camera was last moved, microseconds UTC; 0 if it never was.
        is_sure: It is this person by an operator's word, or with enough probability, or it is the
            view that made the person known.
    """

    camera: CameraId
    first_seen_us: int
    last_seen_us: int
    camera_moved_us: int
    is_sure: bool


Journey = tuple[View, ...]
"""The views of one person, in the order of their beginnings; at least one."""


def journeys(db: Database, *, least_probability: float, newest: int) -> Iterator[Journey]:
    """Where everybody went, person by person, as far as the `newest` sightings tell.

    Streamed: memory holds one person at a time. The newest sightings are served by
    ix_sighting_of_span, their links by the unique (sighting_id, sequence).

    Args:
        least_probability: Below it a link is not sure, in [0, 1].
        newest: Sightings looked at, counted back from the last one.
    """
    with db.read() as connection:
        rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(_of_newest(newest))
        for _, person in groupby(rows, key=lambda row: row.identity_id):
            yield _journey(person, least_probability)


def _of_newest(newest: int) -> Select[*tuple[Any, ...]]:
    """The newest sightings that have an identity, by person and time, with what was said."""
    recent = (
        select(
            SightingRow.id,
            SightingRow.identity_id,
            SightingRow.track,
            SightingRow.camera_id,
            SightingRow.first_seen_us,
            SightingRow.last_seen_us,
            SightingRow.link_sequence,
        )
        .where(SightingRow.identity_id.is_not(None))
        .order_by(SightingRow.first_seen_us.desc(), SightingRow.id.desc())
        .limit(newest)
        .subquery("recent")
    )
    moved = (
        select(CameraMoveRow.camera_id, func.max(CameraMoveRow.at_us).label("at_us"))
        .group_by(CameraMoveRow.camera_id)
        .subquery("moved")
    )
    return (
        select(
            recent.c.identity_id,
            recent.c.track,
            CameraRow.name.label("camera"),
            recent.c.first_seen_us,
            recent.c.last_seen_us,
            func.coalesce(moved.c.at_us, 0).label("moved_us"),
            LinkEventRow.decision,
            LinkEventRow.probability,
            LinkEventRow.grounds,
            LinkEventRow.verdict_id,
        )
        .join(CameraRow, CameraRow.id == recent.c.camera_id)
        .join(
            LinkEventRow,
            (LinkEventRow.sighting_id == recent.c.id)
            & (LinkEventRow.sequence == recent.c.link_sequence),
        )
        .outerjoin(moved, moved.c.camera_id == recent.c.camera_id)
        .order_by(recent.c.identity_id, recent.c.first_seen_us, recent.c.id)
    )


def _journey(rows: Iterable[Row[*tuple[Any, ...]]], least_probability: float) -> Journey:
    """The views that the sightings of one person, in the order of time, are parts of."""
    tracks: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        tracks.setdefault(row.track, []).append(row)
    return tuple(
        View(
            camera=CameraId(parts[0].camera),
            first_seen_us=parts[0].first_seen_us,
            last_seen_us=max(part.last_seen_us for part in parts),
            camera_moved_us=parts[0].moved_us,
            is_sure=_is_sure(parts, least_probability),
        )
        for parts in tracks.values()
    )


def _is_sure(parts: list[Row[*tuple[Any, ...]]], least_probability: float) -> bool:
    """An operator's word about one part holds for the view; else its least sure part decides."""
    if any(part.verdict_id is not None for part in parts):
        return True
    return all(
        part.decision == Decision.NEW or _probability_of_looks(part) >= least_probability
        for part in parts
    )


def _probability_of_looks(row: Row[*tuple[Any, ...]]) -> float:
    """Without what transit times said, where that is known: else they would confirm themselves."""
    grounds = json.loads(row.grounds) if row.grounds else {}
    told = grounds.get(APPEARANCE, row.probability)
    return float(told) if isinstance(told, int | float) else 0.0
