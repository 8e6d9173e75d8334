"""Exemplars whose vectors are of another network than the one in use, and giving them new ones.

An exemplar's number stands for one vector for ever: indexes know it by that. A new vector is
therefore a new row in the place of the old one, with the same picture, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from storage.database import Database
from storage.exemplars import ensure_model_version, to_vector_bytes
from storage.schema import CameraRow, ExemplarRow, ModelVersionRow, SightingRow
from storage.types import SightingId
from storage.vectors.index import checked_vectors
from streams.types import CameraId, Modality

INSERT_EXEMPLAR = insert(ExemplarRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """An exemplar that a network in use no longer has made.

    Attributes:
        exemplar_id: Its number.
        evidence: sha256 of its picture.
    """

    exemplar_id: int
    sighting: SightingId
    camera: CameraId
    modality: Modality
    captured_at_us: int
    box: tuple[float, float, float, float]
    quality: float
    evidence: str


def outdated(
    db: Database,
    *,
    model: str,
    since: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Outdated]:
    """Exemplars with a picture that another network than `model` described, newest first.

    Args:
        since: Only this number and higher ones: bounds what is read where hardly any is outdated.
        before: Only lower numbers, to go on where an earlier call ended.
    """
    query = (
        _outdated(model, before)
        .where(*([] if since is None else [ExemplarRow.id >= since]))
        .with_only_columns(
            ExemplarRow.id,
            ExemplarRow.sighting_id,
            CameraRow.name.label("camera"),
            ExemplarRow.modality,
            ExemplarRow.captured_at_us,
            ExemplarRow.x0,
            ExemplarRow.y0,
            ExemplarRow.x1,
            ExemplarRow.y1,
            ExemplarRow.quality,
            ExemplarRow.evidence,
        )
        .order_by(ExemplarRow.id.desc())
        .limit(limit)
    )
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [
        Outdated(
            exemplar_id=row.id,
            sighting=SightingId(row.sighting_id),
            camera=CameraId(row.camera),
            modality=Modality(row.modality),
            captured_at_us=row.captured_at_us,
            box=(row.x0, row.y0, row.x1, row.y1),
            quality=row.quality,
            evidence=row.evidence,
        )
        for row in rows
    ]


def numbers_of_exemplars(db: Database) -> tuple[int, int]:
    """The lowest and the highest number of an exemplar; (0, -1) if there are none."""
    with db.read() as connection:
        ends = select(func.min(ExemplarRow.id), func.max(ExemplarRow.id))
        lowest, highest = connection.execute(ends).one()
    return (0, -1) if highest is None else (int(lowest), int(highest))


def described_by_others(db: Database, *, model: str) -> bool:
    """Whether this database has ever known another network than `model`."""
    with db.read() as connection:
        other = select(ModelVersionRow.id).where(ModelVersionRow.name != model).limit(1)
        return connection.execute(other).first() is not None


def count_outdated(db: Database, *, model: str, before: int | None = None) -> int:
    """How many `outdated` would give in all."""
    query = _outdated(model, before).with_only_columns(func.count())
    with db.read() as connection:
        return int(connection.execute(query).scalar_one())


def replace_vectors(
    db: Database, vectors: Mapping[int, npt.NDArray[np.float32]], *, model: str
) -> int:
    """Put exemplars described by `model` in the place of these, all or none; returns how many.

    Exemplars that are gone meanwhile stay gone. A sighting is said to be of `model` as soon as
    all its exemplars are.

    Args:
        vectors: By number of the exemplar to be replaced, (D,) float32 of unit length.

    Raises:
        ValueError: A vector is not of unit length, or of another dimension than the network's.
    """
    if not vectors:
        return 0
    checked = np.stack(list(vectors.values()))
    checked_vectors(checked, checked.shape[1], "vectors")
    with db.write() as connection:
        model_row = ensure_model_version(connection, model, checked.shape[1])
        old = select(ExemplarRow.__table__).where(ExemplarRow.id.in_(vectors))
        rows = [dict(row) for row in connection.execute(old.order_by(ExemplarRow.id)).mappings()]
        connection.execute(delete(ExemplarRow).where(ExemplarRow.id.in_(vectors)))
        for row in rows:
            vector = vectors[row.pop("id")]
            row |= {
                "vector": to_vector_bytes(vector),
                "dimension": len(vector),
                "model_version_id": model_row,
            }
        if rows:
            connection.execute(INSERT_EXEMPLAR, rows)
            _follow(connection, {int(row["sighting_id"]) for row in rows}, model_row)
    return len(rows)


def _follow(connection: Connection, sightings: set[int], model_row: int) -> None:
    """Let sightings be of the network that all their exemplars are of."""
    others = (
        select(ExemplarRow.id)
        .where(ExemplarRow.sighting_id == SightingRow.id, ExemplarRow.model_version_id != model_row)
        .exists()
    )
    moved = update(SightingRow).where(SightingRow.id.in_(sightings), ~others)
    connection.execute(moved.values(model_version_id=model_row))


def _outdated(model: str, before: int | None) -> Select[ExemplarRow]:
    query = (
        select(ExemplarRow)
        .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
        .where(ModelVersionRow.name != model, ExemplarRow.evidence.is_not(None))
    )
    return query if before is None else query.where(ExemplarRow.id < before)
