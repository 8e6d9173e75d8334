"""What somebody may see: the cameras of their scope, and whom and what these saw."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select

from storage.database import Database
from storage.rows import portions
from storage.schema import CameraRow, SightingRow
from storage.types import IdentityId, SightingId
from streams.types import CameraId

Scope = Collection[CameraId] | None
"""Cameras that somebody may see; None: all."""


def in_scope(scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions for visits to cameras of the scope."""
    if scope is None:
        return []
    these = select(CameraRow.id).where(CameraRow.name.in_(list(scope)))
    return [SightingRow.camera_id.in_(these)]


def is_within(db: Database, identities: Collection[IdentityId], *, scope: Scope) -> bool:
    """Whether the cameras of the scope saw all visits of these persons."""
    if scope is None:
        return True
    query = (
        select(SightingRow.id)
        .where(
            SightingRow.identity_id.in_(list(identities)),
            SightingRow.camera_id.not_in(
                select(CameraRow.id).where(CameraRow.name.in_(list(scope)))
            ),
        )
        .limit(1)
    )
    with db.read() as connection:
        return connection.execute(query).first() is None


def people_within(
    db: Database, identities: Collection[IdentityId], *, scope: Scope
) -> frozenset[IdentityId]:
    """Those of these persons whom a camera of the scope saw."""
    if scope is None or not identities:
        return frozenset(identities)
    query = select(SightingRow.identity_id).distinct()
    these = SightingRow.identity_id.in_(list(identities))
    with db.read() as connection:
        found = connection.execute(query.where(these, *in_scope(scope))).scalars().all()
    return frozenset(IdentityId(number) for number in found if number is not None)


def cameras_of(db: Database, sightings: Collection[SightingId]) -> dict[SightingId, CameraId]:
    """Where these visits were; those that are gone are left out."""
    wanted = sorted(sightings)
    found: dict[SightingId, CameraId] = {}
    with db.read() as connection:
        for some in portions(wanted):
            query = (
                select(SightingRow.id, CameraRow.name)
                .join(CameraRow, CameraRow.id == SightingRow.camera_id)
                .where(SightingRow.id.in_(some))
            )
            found |= {SightingId(row.id): CameraId(row.name) for row in connection.execute(query)}
    return found
