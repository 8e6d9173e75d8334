"""Pictures that rows refer to: from where, and so who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, select, union_all

from storage.database import Database
from storage.rows import portions
from storage.schema import (
    AlertRow,
    CameraRow,
    EvidenceRow,
    ExemplarRow,
    FloorPlanRow,
    InterestExampleRow,
    SightingRow,
    Table,
)
from streams.types import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureUse:
    """What a picture shows, as far as rows tell.

    Attributes:
        cameras: Whose picture it is, by name; () if no camera's.
        of_interest: An example of a person of interest.
        is_plan: A floor plan.
    """

    cameras: tuple[CameraId, ...]
    of_interest: bool
    is_plan: bool


def picture_use(db: Database, sha256: str) -> PictureUse | None:
    """Whose picture this is, None if no row refers to it: then nobody may see it.

    Served by ix_exemplar_of_evidence, ix_alert_of_picture, ix_interest_example_of_picture.
    """
    seen = select(SightingRow.camera_id).join(
        ExemplarRow, ExemplarRow.sighting_id == SightingRow.id
    )
    raised = select(AlertRow.picture_camera_id).where(AlertRow.picture == sha256)
    cameras = union_all(seen.where(ExemplarRow.evidence == sha256), raised).subquery()
    query = select(CameraRow.name).where(CameraRow.id.in_(select(cameras.c[0])))
    query = query.order_by(CameraRow.name)
    with db.read() as connection:
        found = PictureUse(
            cameras=tuple(CameraId(name) for name in connection.execute(query).scalars()),
            of_interest=_is_in(connection, InterestExampleRow.picture, sha256),
            is_plan=_is_in(connection, FloorPlanRow.picture, sha256),
        )
    return found if found.cameras or found.of_interest or found.is_plan else None


def referrers() -> list[Column[Any]]:
    """Every column that refers to a picture, whichever table it is in."""
    return [
        key.parent
        for table in Table.metadata.sorted_tables
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table.name == EvidenceRow.__tablename__
    ]


def used_pictures(connection: Connection, pictures: Sequence[str]) -> set[str]:
    """Which of the pictures something other than their own row refers to."""
    found: set[str] = set()
    for some in portions(pictures):
        for column in referrers():
            query = select(column).where(column.in_(some)).distinct()
            found.update(str(sha256) for sha256 in connection.execute(query).scalars())
    return found


def _is_in(connection: Connection, column: Any, sha256: str) -> bool:
    return connection.execute(select(column).where(column == sha256).limit(1)).first() is not None
