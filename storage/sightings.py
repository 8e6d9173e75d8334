"""Visits: recorded once, linked and re-linked, read back in the order of time."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Row, Select, func, select

from storage.batches import LINKER, TRAIL_COLUMNS, record_sightings
from storage.database import Database
from storage.errors import NotFound
from storage.exemplars import evidence_of
from storage.links import IS_NEWEST, NewEvent, append_events, decide_identity, follow_events
from storage.schema import CameraRow, LinkEventRow, ModelVersionRow, SightingRow
from storage.tombstones import living_links
from storage.types import (
    ALWAYS,
    Decision,
    IdentityId,
    Link,
    NewLink,
    NewSighting,
    Recorded,
    Sighting,
    SightingId,
    Span,
)
from streams.types import CameraId, Modality


def record_sighting(db: Database, sighting: NewSighting, *, now_us: int) -> Recorded:
    """Write a visit with its link, its exemplars and, if it is `new`, its identity: all or nothing.

    Its evidence must be in the evidence store already, so that no row refers to a missing picture.

    Returns:
        What is on the disk now. A key that was recorded before changes nothing.

    Raises:
        NotFound: The link names an identity that there is none of.
        ValueError: Vectors, trail or link are not what `NewSighting` promises.
    """
    return record_sightings(db, [sighting], now_us=now_us)[0]


def relink(
    db: Database, sighting: SightingId, link: NewLink, *, made_by: str, now_us: int
) -> IdentityId | None:
    """Say anew who was seen; what was said before stays in the history.

    Args:
        made_by: `linker`, or the operator's name.

    Returns:
        Who it is now, None if unsure; `new` makes an identity.

    Raises:
        NotFound: There is no such sighting, or no such identity.
        PersonErased: An operator names somebody who was erased; for the linker it is a new person.
    """
    with db.write() as connection:
        if made_by == LINKER:
            (link,) = living_links(connection, [link])
        newest = select(SightingRow.link_sequence).where(SightingRow.id == sighting)
        sequence = connection.execute(newest).scalar()
        if sequence is None:
            raise NotFound(f"no sighting has the number {sighting}")
        identity = decide_identity(connection, link, now_us=now_us)
        event = NewEvent(sighting=sighting, sequence=sequence + 1, link=link, identity=identity)
        append_events(connection, [event], made_by=made_by, now_us=now_us)
        follow_events(connection, [event])
    return identity


def sightings(
    db: Database,
    *,
    span: Span = ALWAYS,
    camera: CameraId | None = None,
    identity: IdentityId | None = None,
    limit: int | None = None,
) -> list[Sighting]:
    """Visits that overlap `span`, oldest first; at most the first `limit`."""
    query = select_sightings(limit=limit).where(
        *overlapping(span), *seen_by(camera), *_of(identity)
    )
    return read_sightings(db, query)


def trajectory(
    db: Database, identity: IdentityId, *, span: Span = ALWAYS, camera: CameraId | None = None
) -> list[Sighting]:
    """One person's visits, oldest first. Served by ix_sighting_trajectory."""
    return sightings(db, span=span, camera=camera, identity=identity)


def last_sighting(db: Database, identity: IdentityId) -> Sighting | None:
    """The visit that began last, None if there is none. Served by ix_sighting_trajectory."""
    query = select_sightings(limit=1, newest_first=True).where(*_of(identity))
    return next(iter(read_sightings(db, query)), None)


def persons_of(db: Database, sightings: Collection[SightingId]) -> set[IdentityId]:
    """Whose these visits are, those that somebody's are."""
    query = select(SightingRow.identity_id).where(
        SightingRow.id.in_(sightings), SightingRow.identity_id.is_not(None)
    )
    with db.read() as connection:
        return {IdentityId(number) for number in connection.execute(query).scalars() if number}


def trail_of(db: Database, sighting: SightingId) -> npt.NDArray[np.float64]:
    """(M, 5) float64 rows of captured_at_us, x0, y0, x1, y1 in pixels, in the order of time.

    Raises:
        NotFound: There is no such sighting.
    """
    query = select(SightingRow.trail).where(SightingRow.id == sighting)
    with db.read() as connection:
        stored = connection.execute(query).scalar()
    if stored is None:
        raise NotFound(f"no sighting has the number {sighting}")
    return np.frombuffer(stored, dtype="<f8").reshape(-1, TRAIL_COLUMNS)


def overlapping(span: Span) -> list[ColumnElement[bool]]:
    """Conditions for visits that overlap `span`: a range of ix_sighting_of_span.

    A visit reaches into the span only if it began within the longest visit's duration before it.
    """
    conditions: list[ColumnElement[bool]] = []
    if span.from_us is not None:
        longest = select(func.max(SightingRow.duration_us)).scalar_subquery()
        conditions.append(SightingRow.last_seen_us >= span.from_us)
        conditions.append(SightingRow.first_seen_us >= span.from_us - longest)
    if span.to_us is not None:
        conditions.append(SightingRow.first_seen_us < span.to_us)
    return conditions


def seen_by(camera: CameraId | None) -> list[ColumnElement[bool]]:
    """Conditions for visits to one camera; None: any."""
    if camera is None:
        return []
    this = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
    return [SightingRow.camera_id == this]


def _of(identity: IdentityId | None) -> list[ColumnElement[bool]]:
    return [] if identity is None else [SightingRow.identity_id == identity]


_SIGHTINGS = (
    select(
        SightingRow.id,
        SightingRow.key,
        SightingRow.track,
        SightingRow.part,
        CameraRow.name.label("camera"),
        SightingRow.modality,
        SightingRow.first_seen_us,
        SightingRow.last_seen_us,
        SightingRow.n_frames,
        ModelVersionRow.name.label("model"),
        SightingRow.identity_id,
        LinkEventRow.decision,
        LinkEventRow.candidate_id,
        LinkEventRow.probability,
        LinkEventRow.threshold,
        LinkEventRow.runner_up_id,
        LinkEventRow.runner_up_probability,
        LinkEventRow.reason,
        LinkEventRow.calibration,
        LinkEventRow.grounds,
        LinkEventRow.made_by,
        LinkEventRow.verdict_id,
        LinkEventRow.made_at_us,
    )
    .join(CameraRow, CameraRow.id == SightingRow.camera_id)
    .join(ModelVersionRow, ModelVersionRow.id == SightingRow.model_version_id)
    .join(LinkEventRow, IS_NEWEST)
)
"""Every visit with the newest of its link events, as `_to_sighting` takes it apart."""
_IN_TIME = (SightingRow.first_seen_us, SightingRow.id)
_NEWEST_FIRST = tuple(column.desc() for column in _IN_TIME)
_MODALITIES = {modality.value: modality for modality in Modality}
_DECISIONS = {decision.value: decision for decision in Decision}


def select_sightings(*, limit: int | None, newest_first: bool = False) -> Select[*tuple[Any, ...]]:
    """Visits with the newest word about each, in the order of time."""
    if limit is not None and limit < 1:
        raise ValueError(f"limit: expected at least 1, got {limit}")
    return _SIGHTINGS.order_by(*(_NEWEST_FIRST if newest_first else _IN_TIME)).limit(limit)


def read_sightings(db: Database, query: Select[*tuple[Any, ...]]) -> list[Sighting]:
    """The visits that a narrowed `select_sightings` finds, with their pictures."""
    with db.read() as connection:
        rows = connection.execute(query).all()
        span = Span(
            from_us=min((row.first_seen_us for row in rows), default=None),
            to_us=max((row.last_seen_us for row in rows), default=None),
        )
        evidence = evidence_of(connection, [row.id for row in rows], span=span)
    return [_to_sighting(row, evidence.get(row.id, ())) for row in rows]


def _to_sighting(row: Row[*tuple[Any, ...]], evidence: tuple[str, ...]) -> Sighting:
    # Taken apart at once: asking hundreds of rows for each column by its name costs more than all
    # the rest of making them nouns.
    (
        number, key, track, part, camera, modality, first_seen_us, last_seen_us, n_frames, model,
        identity, decision, candidate, probability, threshold, runner_up, runner_up_probability,
        reason, calibration, grounds, made_by, verdict, made_at_us,
    ) = row  # fmt: skip
    link = Link(
        decision=_DECISIONS[decision],
        candidate=candidate,
        probability=probability,
        threshold=threshold,
        runner_up=runner_up,
        runner_up_probability=runner_up_probability,
        reason=reason,
        calibration=calibration,
        grounds=json.loads(grounds) if grounds else {},
        made_by=made_by,
        verdict=verdict,
        made_at_us=made_at_us,
    )
    return Sighting(
        id=number,
        key=key,
        track=track,
        part=part,
        camera=camera,
        modality=_MODALITIES[modality],
        first_seen_us=first_seen_us,
        last_seen_us=last_seen_us,
        n_frames=n_frames,
        model=model,
        identity=identity,
        link=link,
        evidence=evidence,
    )
