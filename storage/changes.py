"""What others than the linker said about who it is since somebody last asked.

A running watcher keeps everybody in memory; this tells it what operators, refine and erasures did
meanwhile. Served by the primary keys of link_event and erasure: cheap enough for every decision.
There is one writer at a time, so row numbers grow in the order in which rows become visible.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from storage.database import Database
from storage.schema import ErasureRow, LinkEventRow, SightingRow, VerdictRow
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
    before = LinkEventRow.__table__.alias()
    query = (
        select(before.c.identity_id)
        .distinct()
        .join(
            LinkEventRow,
            and_(
                LinkEventRow.sighting_id == before.c.sighting_id,
                LinkEventRow.sequence == before.c.sequence + 1,
            ),
        )
        .join(VerdictRow, VerdictRow.id == LinkEventRow.verdict_id)
        .where(
            LinkEventRow.id > after.event,
            VerdictRow.kind == VerdictKind.FORGET,
            before.c.identity_id.is_not(None),
            before.c.identity_id.not_in(
                select(SightingRow.identity_id).where(
                    SightingRow.identity_id == before.c.identity_id
                )
            ),
        )
    )
    return {IdentityId(number) for number in connection.execute(query).scalars()}
