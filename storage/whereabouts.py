"""Where a person was and when, without who says so: read from one index, however many visits."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from storage.database import Database
from storage.schema import CameraRow, SightingRow
from storage.sightings import overlapping
from storage.types import ALWAYS, IdentityId, SightingId, Span
from streams.types import CameraId, Modality

_MODALITIES = {modality.value: modality for modality in Modality}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """One visit, as far as it is a place and a time.

    Attributes:
        modality: Light of most of its frames.
    """

    sighting: SightingId
    camera: CameraId
    modality: Modality
    first_seen_us: int
    last_seen_us: int


def whereabouts(db: Database, identity: IdentityId, *, span: Span = ALWAYS) -> list[Whereabouts]:
    """One person's visits that overlap `span`, oldest first; [] if there are none.

    `trajectory` also tells why each is said to be this person's, and takes ten times as long.
    Served by ix_sighting_trajectory alone.
    """
    query = (
        select(
            SightingRow.id,
            SightingRow.camera_id,
            SightingRow.modality,
            SightingRow.first_seen_us,
            SightingRow.last_seen_us,
        )
        .where(SightingRow.identity_id == identity, *overlapping(span))
        .order_by(SightingRow.first_seen_us, SightingRow.id)
    )
    with db.read() as connection:
        rows = connection.execute(query).all()
        names = connection.execute(select(CameraRow.id, CameraRow.name)).all()
    cameras = {number: CameraId(name) for number, name in names}
    return [
        Whereabouts(
            sighting=SightingId(number),
            camera=cameras[camera],
            modality=_MODALITIES[modality],
            first_seen_us=first_seen_us,
            last_seen_us=last_seen_us,
        )
        for number, camera, modality, first_seen_us, last_seen_us in rows
    ]
