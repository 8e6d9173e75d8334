"""What must hold of verdicts: visits follow those that hold, and each is about something."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, func, or_, select

from storage.due import last_expiry_us
from storage.links import IS_NEWEST
from storage.problems import Problem, error
from storage.schema import ErasureRow, LinkEventRow, SightingRow, VerdictRow, VerdictSightingRow
from storage.standing import link_events, standing, undone_verdicts
from storage.types import (
    IdentityId,
    Side,
    SightingId,
    VerdictId,
    VerdictKind,
    person_name,
    sighting_name,
    verdict_name,
)


def overruled_verdicts(connection: Connection) -> Iterator[Problem]:
    """Visits whose newest event follows a verdict, but not as the verdicts that hold say."""
    query = (
        select(SightingRow.id, SightingRow.identity_id)
        .join(LinkEventRow, IS_NEWEST)
        .where(LinkEventRow.verdict_id.is_not(None))
        .order_by(SightingRow.id)
    )
    shown = {SightingId(row.id): row.identity_id for row in connection.execute(query)}
    undone_by = undone_verdicts(connection)
    for sighting, events in link_events(connection, shown).items():
        said = standing(events, undone_by).identity
        if said != shown[sighting]:
            advice = f"shows {_who(shown[sighting])}, the verdicts that hold say {_who(said)}"
            yield error("verdict", sighting_name(sighting), f"{advice}; restore a backup")


def empty_verdicts(connection: Connection) -> Iterator[Problem]:
    """Verdicts about no visit, although nobody was erased and no visit expired since."""
    a, b = (
        select(VerdictSightingRow.verdict_id).where(VerdictSightingRow.side == side)
        for side in Side
    )
    two_sided = (VerdictKind.NOT_SAME, VerdictKind.MERGE, VerdictKind.SPLIT)
    erased_us = connection.execute(select(func.max(ErasureRow.at_us))).scalar()
    deleted_us = max(erased_us or 0, last_expiry_us(connection) or 0)
    query = (
        select(VerdictRow.id, VerdictRow.kind, VerdictRow.made_at_us)
        .where(
            or_(
                and_(VerdictRow.id.not_in(a), VerdictRow.kind != VerdictKind.UNDO),
                and_(VerdictRow.id.not_in(a), VerdictRow.undoes_id.in_(a)),
                and_(VerdictRow.kind.in_(two_sided), VerdictRow.id.not_in(b)),
            )
        )
        .order_by(VerdictRow.id)
    )
    for row in connection.execute(query):
        if deleted_us < row.made_at_us:
            advice = f"`{row.kind}` has a side without visits; restore a backup"
            yield error("verdict", verdict_name(VerdictId(row.id)), advice)


def _who(identity: IdentityId | None) -> str:
    return "nobody" if identity is None else person_name(identity)
