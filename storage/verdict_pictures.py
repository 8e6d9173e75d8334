"""Pictures of the visits that operators spoke about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from storage.database import Database
from storage.partitions import of_visits
from storage.rows import portions
from storage.schema import CameraRow, ExemplarRow, SightingRow
from storage.types import IdentityId, SightingId
from streams.types import CameraId, Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPicture:
    """One crop of a visit.

    Attributes:
        identity: Whose visit it is now; None: unsure.
        rank: 0 is the best of the visit.
        modality: Of the crop.
        evidence: sha256 of the picture, hex.
    """

    sighting: SightingId
    identity: IdentityId | None
    camera: CameraId
    rank: int
    modality: Modality
    evidence: str


def pictures_of_visits(db: Database, sightings: Collection[SightingId]) -> list[JudgedPicture]:
    """Their crops that were kept, by visit, best first; visits that are gone are left out."""
    found: list[JudgedPicture] = []
    wanted = sorted(sightings)
    with db.read() as connection:
        for some in portions(wanted):
            query = (
                select(
                    SightingRow.id,
                    SightingRow.identity_id,
                    CameraRow.name.label("camera"),
                    ExemplarRow.rank,
                    ExemplarRow.modality,
                    ExemplarRow.evidence,
                )
                .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
                .join(CameraRow, CameraRow.id == SightingRow.camera_id)
                .where(ExemplarRow.evidence.is_not(None))
                .order_by(SightingRow.id, ExemplarRow.rank)
            )
            query = of_visits(connection, query, some)
            found += [
                JudgedPicture(
                    sighting=SightingId(row.id),
                    identity=row.identity_id,
                    camera=CameraId(row.camera),
                    rank=row.rank,
                    modality=Modality(row.modality),
                    evidence=row.evidence,
                )
                for row in connection.execute(query)
            ]
    return found
