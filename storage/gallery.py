"""What the linker compares with: the vectors of everybody who has an identity."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, func, select

from storage.database import Database
from storage.exemplars import to_vector
from storage.links import IS_NEWEST
from storage.rows import ROWS_AT_ONCE, portions
from storage.schema import CameraRow, ExemplarRow, LinkEventRow, ModelVersionRow, SightingRow
from storage.sightings import overlapping
from storage.standing import pinned_visits
from storage.types import ALWAYS, GalleryRow, IdentityId, SightingId, Span
from streams.types import CameraId, Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which exemplars are meant: those of visits to `camera` that overlap `span`, in `modality`.

    Attributes:
        camera: None for all cameras.
        cameras: Only of these; None for all.
        modality: Light of the crop; None for both.
    """

    camera: CameraId | None = None
    cameras: frozenset[CameraId] | None = None
    span: Span = ALWAYS
    modality: Modality | None = None


ALL = Part()


def gallery(
    db: Database,
    *,
    model: str,
    since_us: int | None = None,
    part: Part = ALL,
    identities: Collection[IdentityId] | None = None,
) -> Iterator[GalleryRow]:
    """Exemplars of sightings that have an identity, in the order of time, best crop first.

    Streamed: memory does not grow with the gallery. Reads one unchanging state.

    Args:
        model: Only vectors of this network; others do not compare.
        since_us: Only visits that lasted until then or later; None for all.
        identities: Only of these; None for everybody.
    """
    chosen = [
        ModelVersionRow.name == model,
        SightingRow.identity_id.is_not(None),
        *_within(part),
        *overlapping(Span(from_us=since_us)),
    ]
    if identities is not None:
        chosen.append(SightingRow.identity_id.in_(identities))
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
            ExemplarRow.quality,
        )
        .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
        .where(*chosen)
        .order_by(SightingRow.first_seen_us, SightingRow.id, ExemplarRow.rank)
    )
    with db.read() as connection:
        confirmed = _confirmed(connection, chosen)
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
                quality=row.quality,
                is_confirmed=row.sighting_id in confirmed,
            )


def owners(db: Database, exemplars: Sequence[int], *, part: Part = ALL) -> dict[int, IdentityId]:
    """Whose these exemplars are, for those of `part` that somebody's are."""
    found: dict[int, IdentityId] = {}
    with db.read() as connection:
        for some in portions(exemplars):
            query = (
                select(ExemplarRow.id, SightingRow.identity_id)
                .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
                .join(CameraRow, CameraRow.id == SightingRow.camera_id)
                .where(
                    ExemplarRow.id.in_(some), SightingRow.identity_id.is_not(None), *_within(part)
                )
            )
            found |= {row.id: IdentityId(row.identity_id) for row in connection.execute(query)}
    return found


def exemplars_of(db: Database, *, part: Part) -> npt.NDArray[np.int64]:
    """(N,) numbers of the exemplars of `part` that somebody's are, of whatever network.

    Served by ix_sighting_of_camera_in_span or ix_sighting_of_span.
    """
    query = (
        select(ExemplarRow.id)
        .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .where(SightingRow.identity_id.is_not(None), *_within(part))
    )
    with db.read() as connection:
        return np.fromiter(connection.execute(query).scalars(), dtype=np.int64)


def count_people(db: Database, *, model: str, part: Part = ALL) -> int:
    """How many were seen at that place and time and described by this network, in any light."""
    query = (
        select(func.count(func.distinct(SightingRow.identity_id)))
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .join(ModelVersionRow, ModelVersionRow.id == SightingRow.model_version_id)
        .where(ModelVersionRow.name == model, *_within(replace(part, modality=None)))
    )
    with db.read() as connection:
        return int(connection.execute(query).scalar_one())


def count_exemplars(db: Database) -> int:
    """How many there are, of all networks."""
    with db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(ExemplarRow)).scalar_one())


def _confirmed(
    connection: Connection, chosen: Sequence[ColumnElement[bool]]
) -> frozenset[SightingId]:
    """Those of the chosen visits that an operator said who they are."""
    query = (
        select(SightingRow.id)
        .distinct()
        .join(ExemplarRow, ExemplarRow.sighting_id == SightingRow.id)
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
        .join(LinkEventRow, IS_NEWEST)
        .where(LinkEventRow.verdict_id.is_not(None), *chosen)
    )
    numbers = [SightingId(number) for number in connection.execute(query).scalars()]
    return pinned_visits(connection, numbers)


def _within(part: Part) -> list[ColumnElement[bool]]:
    conditions = overlapping(part.span)
    if part.camera is not None:
        conditions.append(CameraRow.name == part.camera)
    if part.cameras is not None:
        conditions.append(CameraRow.name.in_(part.cameras))
    if part.modality is not None:
        conditions.append(ExemplarRow.modality == part.modality.value)
    return conditions
