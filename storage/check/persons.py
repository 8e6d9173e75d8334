"""What must hold of persons: made by a link, erased for good, held as promised."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from storage.due import EMPTIED
from storage.problems import Problem, error
from storage.schema import (
    ErasureRow,
    IdentityRow,
    LegalHoldRow,
    LinkEventRow,
    SightingRow,
    SiteRow,
)
from storage.types import IdentityId, person_name


def nobodies(connection: Connection) -> Iterator[Problem]:
    """Identities are made by a link event; they lose the last one to erasure or expiry only."""
    emptied = connection.execute(select(SiteRow.value).where(SiteRow.name == EMPTIED)).scalar()
    query = (
        select(IdentityRow.id)
        .outerjoin(LinkEventRow, LinkEventRow.identity_id == IdentityRow.id)
        .where(
            LinkEventRow.id.is_(None),
            IdentityRow.id > int(emptied or 0),
            IdentityRow.id.not_in(select(ErasureRow.identity_id)),
        )
        .order_by(IdentityRow.id)
    )
    for number in connection.execute(query).scalars():
        advice = "no sighting was ever linked to this identity"
        yield error("identity", person_name(IdentityId(number)), advice)


def risen(connection: Connection) -> Iterator[Problem]:
    """An erased person has no sightings."""
    query = (
        select(ErasureRow.identity_id, func.count().label("n"))
        .join(SightingRow, SightingRow.identity_id == ErasureRow.identity_id)
        .group_by(ErasureRow.identity_id)
        .order_by(ErasureRow.identity_id)
    )
    for row in connection.execute(query):
        advice = (
            f"was erased, and has {row.n} sightings: a backup was restored, or rows were put in"
        )
        subject = person_name(IdentityId(row.identity_id))
        yield error("erased", subject, f"{advice}; see docs/retention.md")


def lost_holds(connection: Connection) -> Iterator[Problem]:
    """What is held is there."""
    query = (
        select(LegalHoldRow.id, LegalHoldRow.identity_id)
        .outerjoin(LinkEventRow, LinkEventRow.identity_id == LegalHoldRow.identity_id)
        .where(LegalHoldRow.lifted_at_us.is_(None), LinkEventRow.id.is_(None))
        .order_by(LegalHoldRow.id)
    )
    for row in connection.execute(query):
        held = person_name(IdentityId(row.identity_id))
        advice = f"no sighting of {held} is left, although it is held; restore a backup"
        yield error("hold", f"hold {row.id}", advice)
