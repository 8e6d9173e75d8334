"""What others than the linker said about who it is since somebody last asked.

A running watcher keeps everybody in memory; this tells it what operators, refine and erasures did
meanwhile. Served by the primary keys of link_event and erasure: cheap enough for every decision.
There is one writer at a time, so row numbers grow in the order in which rows become visible.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select
from sqlalchemy.orm import aliased

from storage.database import Database
from storage.rows import portions
from storage.schema import (
    ErasureRow,
    LinkEventRow,
    SightingRow,
    VerdictRow,
    VerdictSightingRow,
)
from storage.standing import pinned_visits
from storage.types import IdentityId, SightingId, VerdictKind

LINKER = "linker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far somebody has read: the newest link event and the newest erasure, 0 for none."""

    event: int = 0
    erasure: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A visit about which something was said.

    Attributes:
        identity: Who it is now; None: unsure.
        is_pinned: Whether a verdict that holds has the last word, also where it says nobody.
    """

    sighting: SightingId
    track: str
    identity: IdentityId | None
    is_pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What happened since a cursor.

    Attributes:
        moved: Visits as they stand now, ascending.
        gone: Persons who were forgotten or erased and have no visits now, ascending.
        next: Where to go on.
    """

    moved: tuple[Changed, ...]
    gone: tuple[IdentityId, ...]
    next: Cursor


def newest(db: Database) -> Cursor:
    """The end of what was said so far; take it before reading what it stands for."""
    with db.read() as connection:
        return _newest(connection)


def changes(db: Database, after: Cursor) -> Changes:
    """What others than the linker did after the cursor; nothing if nobody did anything."""
    with db.read() as connection:
        end = _newest(connection)
        # An erasure may have taken the newest link event away; its number is not given again.
        end = Cursor(event=max(end.event, after.event), erasure=max(end.erasure, after.erasure))
        if end == after:
            return Changes(moved=(), gone=(), next=end)
        gone = _erased(connection, after) | _forgotten(connection, after)
        return Changes(moved=_moved(connection, after), gone=tuple(sorted(gone)), next=end)


def _newest(connection: Connection) -> Cursor:
    event, erasure = connection.execute(
        select(
            select(func.max(LinkEventRow.id)).scalar_subquery(),
            select(func.max(ErasureRow.id)).scalar_subquery(),
        )
    ).one()
    return Cursor(event=event or 0, erasure=erasure or 0)


def _moved(connection: Connection, after: Cursor) -> tuple[Changed, ...]:
    said = select(LinkEventRow.sighting_id).where(
        LinkEventRow.id > after.event, LinkEventRow.made_by != LINKER
    )
    query = (
        select(SightingRow.id, SightingRow.track, SightingRow.identity_id)
        .where(SightingRow.id.in_(said))
        .order_by(SightingRow.id)
    )
    rows = connection.execute(query).all()
    pinned = pinned_visits(connection, [SightingId(row.id) for row in rows])
    return tuple(
        Changed(
            sighting=SightingId(row.id),
            track=row.track,
            identity=row.identity_id,
            is_pinned=row.id in pinned,
        )
        for row in rows
    )


def _erased(connection: Connection, after: Cursor) -> set[IdentityId]:
    query = select(ErasureRow.identity_id).where(ErasureRow.id > after.erasure)
    return {IdentityId(number) for number in connection.execute(query).scalars()}


def _forgotten(connection: Connection, after: Cursor) -> set[IdentityId]:
    """Whose visits a `forget` took, unless they have some again."""
    since = select(LinkEventRow.verdict_id).where(
        LinkEventRow.id > after.event, LinkEventRow.verdict_id.is_not(None)
    )
    named = sorted(filter(None, connection.execute(since.distinct()).scalars()))
    found: set[IdentityId] = set()
    for some in portions(named):
        verdicts = select(VerdictRow.id).where(
            VerdictRow.id.in_(some),
            VerdictRow.kind == VerdictKind.FORGET,
        )
        for verdict in connection.execute(verdicts).scalars():
            found |= _emptied(connection, verdict)
    return found


def _emptied(connection: Connection, verdict: int) -> set[IdentityId]:
    """Who the visits of this verdict were before it, and have none now; one person as a rule."""
    event, before = aliased(LinkEventRow), aliased(LinkEventRow)
    query = (
        select(before.identity_id)
        .distinct()
        .select_from(VerdictSightingRow)
        .join(event, event.sighting_id == VerdictSightingRow.sighting_id)
        .join(
            before,
            and_(before.sighting_id == event.sighting_id, before.sequence == event.sequence - 1),
        )
        .where(VerdictSightingRow.verdict_id == verdict, event.verdict_id == verdict)
    )
    return {
        IdentityId(who)
        for who in connection.execute(query).scalars().all()
        if who is not None and not _has_visits(connection, who)
    }


def _has_visits(connection: Connection, who: int) -> bool:
    query = select(SightingRow.id).where(SightingRow.identity_id == who).limit(1)
    return connection.execute(query).first() is not None
