"""What the linker compares with: the vectors of everybody who has an identity."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from storage.database import Database
from storage.exemplars import to_vector
from storage.schema import CameraRow, ExemplarRow, ModelVersionRow, SightingRow
from storage.sightings import overlapping
from storage.types import GalleryRow, IdentityId, SightingId, Span
from streams.types import CameraId, Modality

ROWS_AT_ONCE = 1000


def gallery(db: Database, *, model: str, since_us: int | None) -> Iterator[GalleryRow]:
    """Exemplars of sightings that have an identity, in the order of time, best crop first.

    Streamed: memory does not grow with the gallery. Reads one unchanging state.

    Args:
        model: Only vectors of this network; others do not compare.
        since_us: Only visits that lasted until then or later; None for all.
    """
    query = (
        select(
            ExemplarRow.id,
            SightingRow.identity_id,
            SightingRow.id.label("sighting_id"),
            CameraRow.name.label("camera"),
            ExemplarRow.modality,
            SightingRow.first_seen_us,
            SightingRow.last_seen_us,
            ExemplarRow.vector,
        )
        .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
        .where(
            ModelVersionRow.name == model,
            SightingRow.identity_id.is_not(None),
            *overlapping(Span(from_us=since_us)),
        )
        .order_by(SightingRow.first_seen_us, SightingRow.id, ExemplarRow.rank)
    )
    with db.read() as connection:
        streamed = connection.execution_options(yield_per=ROWS_AT_ONCE)
        for row in streamed.execute(query):
            yield GalleryRow(
                exemplar_id=row.id,
                identity=IdentityId(row.identity_id),
                sighting=SightingId(row.sighting_id),
                camera=CameraId(row.camera),
                modality=Modality(row.modality),
                first_seen_us=row.first_seen_us,
                last_seen_us=row.last_seen_us,
                vector=to_vector(row.vector),
            )
