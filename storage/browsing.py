"""What somebody may see, page by page, newest first: visits, persons, verdicts.

A *scope* is the cameras that somebody may see; None: all. What other cameras saw is left out, also
from counts and times of persons. Pages go on where a *place* says, so nothing is told twice or left
out when something new comes in between.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select, tuple_

from storage.database import Database
from storage.errors import NotFound
from storage.identities import read_identities
from storage.rows import portions
from storage.schema import CameraRow, SightingRow, VerdictRow, VerdictSightingRow
from storage.scope import Scope, in_scope
from storage.sightings import overlapping, read_sightings, seen_by, select_sightings
from storage.tombstones import refuse_erased
from storage.types import (
    ALWAYS,
    Identity,
    IdentityId,
    Side,
    Sighting,
    SightingId,
    Span,
    Verdict,
    VerdictId,
    person_name,
    sighting_name,
    verdict_name,
)
from storage.verdict_list import read_verdicts, select_verdicts
from streams.types import CameraId, Modality

Place = tuple[int, int]
"""Of a visit: when it began, and its number."""
_ROWS_AT_ONCE = 1000
_MOST_ROWS = 50_000
"""Visits looked at for one page of persons; where it does not suffice, the page is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which visits are meant.

    Attributes:
        scope: Cameras that may be seen; None: all.
        camera: Only this one; None: any.
        identity: Only of this person; None: of anybody.
        modality: Only in this light; None: in any.
    """

    scope: Scope = None
    span: Span = ALWAYS
    camera: CameraId | None = None
    identity: IdentityId | None = None
    modality: Modality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A visit that something else names by its key."""

    id: SightingId
    camera: CameraId
    identity: IdentityId | None
    first_seen_us: int
    last_seen_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A page of persons.

    Attributes:
        found: The most lately seen first.
        next: Where the next page begins; None: there is none.
    """

    found: tuple[Identity, ...]
    next: Place | None


def place_of(sighting: Sighting) -> Place:
    """Where a visit stands in lists."""
    return sighting.first_seen_us, sighting.id


def browse_sightings(
    db: Database, which: Filter, *, before: Place | None = None, limit: int
) -> list[Sighting]:
    """Visits, newest first; at most `limit`.

    Served by ix_sighting_of_span, ix_sighting_of_camera_in_span or ix_sighting_trajectory.

    Args:
        before: Only those after this place in the list.
    """
    conditions = _meant(which)
    if before is not None:
        conditions.append(tuple_(SightingRow.first_seen_us, SightingRow.id) < tuple_(*before))
    query = select_sightings(limit=limit, newest_first=True).where(*conditions)
    return read_sightings(db, query)


def find_sighting(db: Database, sighting: SightingId, *, scope: Scope) -> Sighting:
    """One visit.

    Raises:
        NotFound: There is none, or not in the scope.
    """
    query = select_sightings(limit=1).where(SightingRow.id == sighting, *in_scope(scope))
    found = read_sightings(db, query)
    if not found:
        raise NotFound(f"no visit is called {sighting_name(sighting)}; /api/v1/sightings lists all")
    return found[0]


def sightings_named(db: Database, keys: Collection[str], *, scope: Scope) -> dict[str, Named]:
    """Visits of the scope by key; those that are not recorded, or not any more, are left out."""
    wanted = sorted(set(keys))
    found: dict[str, Named] = {}
    with db.read() as connection:
        for part in portions(wanted):
            some = SightingRow.key.in_(part)
            query = (
                select(
                    SightingRow.id,
                    SightingRow.key,
                    CameraRow.name,
                    SightingRow.identity_id,
                    SightingRow.first_seen_us,
                    SightingRow.last_seen_us,
                )
                .join(CameraRow, CameraRow.id == SightingRow.camera_id)
                .where(some, *in_scope(scope))
            )
            for row in connection.execute(query):
                found[row.key] = Named(
                    id=SightingId(row.id),
                    camera=CameraId(row.name),
                    identity=row.identity_id,
                    first_seen_us=row.first_seen_us,
                    last_seen_us=row.last_seen_us,
                )
    return found


def newest_sighting(db: Database) -> SightingId:
    """The highest number of a visit, 0 if there is none."""
    with db.read() as connection:
        return SightingId(connection.execute(select(func.max(SightingRow.id))).scalar() or 0)


def sightings_since(db: Database, after: SightingId, *, limit: int) -> list[Sighting]:
    """Visits that were recorded after this one, in the order of their numbers."""
    query = (
        select_sightings(limit=limit)
        .where(SightingRow.id > after)
        .order_by(None)
        .order_by(SightingRow.id)
    )
    return read_sightings(db, query)


def find_person(db: Database, identity: IdentityId, *, scope: Scope) -> Identity:
    """A person, as far as the cameras of the scope saw them.

    Raises:
        NotFound: They never did, or there is nobody of this number.
        PersonErased: They were erased; told only to who may see all cameras.
    """
    found = read_identities(db, and_(SightingRow.identity_id == identity, *in_scope(scope)))
    if not found:
        if scope is None:
            with db.read() as connection:
                refuse_erased(connection, [identity])
        raise NotFound(f"nobody is called {person_name(identity)}; /api/v1/identities lists all")
    return found[0]


def browse_people(
    db: Database, which: Filter, *, before: Place | None = None, limit: int
) -> People:
    """Persons by their newest visit that is meant, newest first.

    What is told of each covers all their visits in the scope, also those outside the span. Reads
    visits from the newest on, a thousand at a time, until `limit` persons are found.

    Args:
        before: Where the page begins.
    """
    known = [SightingRow.identity_id.is_not(None), *_meant(which)]
    places: dict[IdentityId, Place] = {}
    place, n_rows, is_over = before, 0, False
    with db.read() as connection:
        while len(places) <= limit and not is_over and n_rows < _MOST_ROWS:
            rows = _visits_before(connection, known, place)
            is_over = len(rows) < _ROWS_AT_ONCE
            n_rows += len(rows)
            fresh: dict[IdentityId, Place] = {}
            for identity, *at in rows:
                place = (at[0], at[1])
                if identity not in places:
                    fresh.setdefault(IdentityId(identity), place)
            told = _seen_later(connection, known, fresh, before)
            places |= {who: at for who, at in fresh.items() if who not in told}
    chosen = list(places.items())[:limit]
    following: Place | None = None
    if len(places) > limit:
        following = chosen[-1][1]
    elif not is_over:
        following = place
    return People(found=tuple(_told(db, chosen, which.scope)), next=following)


def browse_verdicts(
    db: Database,
    *,
    scope: Scope,
    of: Collection[SightingId] | None = None,
    before: VerdictId | None = None,
    limit: int,
) -> list[Verdict]:
    """What operators decided about visits of the scope, newest first; at most `limit`.

    A verdict that decided about a visit outside of the scope is left out as a whole; what it was
    held against may lie outside.

    Args:
        of: Only what concerns one of these visits.
    """
    query = select_verdicts().order_by(VerdictRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(VerdictRow.id < before)
    if of is not None:
        about = select(VerdictSightingRow.verdict_id)
        query = query.where(
            VerdictRow.id.in_(about.where(VerdictSightingRow.sighting_id.in_(list(of))))
        )
    with db.read() as connection:
        return read_verdicts(connection, query.where(*_unhidden(scope)))


def visible_verdict(db: Database, verdict: VerdictId, *, scope: Scope) -> Verdict:
    """One verdict, if all visits that it decided about are in the scope.

    Raises:
        NotFound: There is none that may be seen.
    """
    query = select_verdicts().where(VerdictRow.id == verdict, *_unhidden(scope))
    with db.read() as connection:
        found = read_verdicts(connection, query)
    if not found:
        raise NotFound(f"no verdict is called {verdict_name(verdict)}; /api/v1/verdicts lists all")
    return found[0]


def _meant(which: Filter) -> list[ColumnElement[bool]]:
    conditions = [*overlapping(which.span), *in_scope(which.scope), *seen_by(which.camera)]
    if which.identity is not None:
        conditions.append(SightingRow.identity_id == which.identity)
    if which.modality is not None:
        conditions.append(SightingRow.modality == which.modality.value)
    return conditions


def _unhidden(scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions for verdicts that decided about no visit outside of the scope."""
    if scope is None:
        return []
    seen = select(CameraRow.id).where(CameraRow.name.in_(list(scope)))
    hidden = (
        select(VerdictSightingRow.verdict_id)
        .join(SightingRow, SightingRow.id == VerdictSightingRow.sighting_id)
        .where(SightingRow.camera_id.not_in(seen), VerdictSightingRow.side == Side.A.value)
    )
    return [VerdictRow.id.not_in(hidden), VerdictRow.id.in_(select(VerdictSightingRow.verdict_id))]


def _visits_before(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], place: Place | None
) -> list[tuple[int, int, int]]:
    query = (
        select(SightingRow.identity_id, SightingRow.first_seen_us, SightingRow.id)
        .where(*conditions)
        .order_by(SightingRow.first_seen_us.desc(), SightingRow.id.desc())
        .limit(_ROWS_AT_ONCE)
    )
    if place is not None:
        query = query.where(tuple_(SightingRow.first_seen_us, SightingRow.id) < tuple_(*place))
    return [
        (who, began_us, number)
        for who, began_us, number in connection.execute(query)
        if who is not None
    ]


def _seen_later(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    people: Collection[IdentityId],
    before: Place | None,
) -> set[IdentityId]:
    """Those of the people who stand on an earlier page already."""
    if before is None or not people:
        return set()
    later = tuple_(SightingRow.first_seen_us, SightingRow.id) >= tuple_(*before)
    query = select(SightingRow.identity_id).distinct()
    found = connection.execute(
        query.where(SightingRow.identity_id.in_(list(people)), later, *conditions)
    )
    return {IdentityId(number) for number in found.scalars() if number is not None}


def _told(db: Database, chosen: Sequence[tuple[IdentityId, Place]], scope: Scope) -> list[Identity]:
    if not chosen:
        return []
    these = SightingRow.identity_id.in_([who for who, _ in chosen])
    known = {person.id: person for person in read_identities(db, and_(these, *in_scope(scope)))}
    return [known[who] for who, _ in chosen if who in known]
