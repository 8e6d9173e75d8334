"""Crops worth keeping with their vectors, and the networks that made them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, insert, select, update

from storage.database import Database
from storage.partitions import ensure_days, of_visits
from storage.rows import insert_rows, portions
from storage.schema import EvidenceRow, ExemplarRow, ModelVersionRow
from storage.types import Exemplar, SightingId, Span
from streams.types import Modality

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1; float32 sums over thousands of numbers stay below."""

INSERT_MODEL_VERSION = insert(ModelVersionRow).returning(ModelVersionRow.id)
EXEMPLAR_COLUMNS = (
    *("sighting_id", "rank", "model_version_id", "dimension", "vector", "modality"),
    *("captured_at_us", "x0", "y0", "x1", "y1", "quality", "evidence"),
)


def to_vector_bytes(vector: npt.NDArray[np.float32]) -> bytes:
    """As stored: little-endian float32."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def to_vector(stored: bytes) -> npt.NDArray[np.float32]:
    """(D,) float32, read-only, from what `to_vector_bytes` made."""
    return np.frombuffer(stored, dtype="<f4")


def check_vectors(exemplars: Sequence[Exemplar]) -> int | None:
    """Numbers per vector, None if there are no exemplars.

    Raises:
        ValueError: A vector is not of unit length (or not finite), or dimensions differ.
    """
    dimensions = {exemplar.vector.shape for exemplar in exemplars}
    if not dimensions:
        return None
    if len(dimensions) > 1 or len(next(iter(dimensions))) != 1:
        raise ValueError(f"vectors: expected (D,) with one D, got {sorted(dimensions)}")
    for exemplar in exemplars:
        length = float(np.linalg.norm(exemplar.vector))
        if not abs(length - 1) <= UNIT_TOLERANCE:  # NaN fails too
            raise ValueError(f"vector: expected unit length, got {length}")
    return len(exemplars[0].vector)


def ensure_model_version(connection: Connection, model: str, dimension: int | None) -> int:
    """Row of the network, made when it is new; its dimension is learnt from its first vector.

    Raises:
        ValueError: Its vectors had another dimension so far: a name must name one content.
    """
    query = select(ModelVersionRow.id, ModelVersionRow.dimension)
    known = connection.execute(query.where(ModelVersionRow.name == model)).first()
    if known is None:
        values = {"name": model, "dimension": dimension}
        return connection.execute(INSERT_MODEL_VERSION, values).scalar_one()
    if dimension is not None and known.dimension is None:
        this_model = update(ModelVersionRow).where(ModelVersionRow.id == known.id)
        connection.execute(this_model.values(dimension=dimension))
    elif dimension is not None and known.dimension != dimension:
        raise ValueError(
            f"vectors of model {model}: expected {known.dimension} numbers, got {dimension}; "
            "another network needs another name"
        )
    return int(known.id)


def insert_exemplars(
    connection: Connection,
    exemplars: Sequence[tuple[int, int, Sequence[Exemplar]]],
    *,
    now_us: int,
) -> None:
    """Write exemplars, best first as given, and refer to their evidence.

    Args:
        exemplars: Sighting, model version and exemplars of each visit.
    """
    rows: list[tuple[object, ...]] = []
    kept: set[str] = set()
    for sighting, model_version, crops in exemplars:
        for rank, crop in enumerate(crops):
            rows.append(_exemplar_row(sighting, rank, model_version, crop))
            if crop.evidence is not None:
                kept.add(crop.evidence)
    refer_to_evidence(connection, kept, now_us)
    ensure_days(connection, (crop.captured_at_us for _, _, crops in exemplars for crop in crops))
    insert_rows(connection, ExemplarRow, EXEMPLAR_COLUMNS, rows)


def _exemplar_row(
    sighting: int, rank: int, model_version: int, exemplar: Exemplar
) -> tuple[object, ...]:
    return (
        sighting,
        rank,
        model_version,
        len(exemplar.vector),
        to_vector_bytes(exemplar.vector),
        exemplar.modality.value,
        int(exemplar.captured_at_us),
        *map(float, exemplar.box),
        float(exemplar.quality),
        exemplar.evidence,
    )


def evidence_of(
    connection: Connection, sightings: Sequence[int], *, span: Span | None = None
) -> dict[SightingId, tuple[str, ...]]:
    """sha256 of each sighting's crops, best first; sightings without any are left out.

    Args:
        span: That these visits lie in, for whoever knows it; spares a question on PostgreSQL.
    """
    found: defaultdict[SightingId, list[str]] = defaultdict(list)
    for some in portions(sightings):
        query = (
            select(ExemplarRow.sighting_id, ExemplarRow.evidence)
            .where(ExemplarRow.evidence.is_not(None))
            .order_by(ExemplarRow.sighting_id, ExemplarRow.rank)
        )
        query = of_visits(connection, query, some, span=span)
        for row in connection.execute(query):
            found[SightingId(row.sighting_id)].append(str(row.evidence))
    return {sighting: tuple(hashes) for sighting, hashes in found.items()}


def refer_to_evidence(connection: Connection, hashes: Collection[str], now_us: int) -> None:
    """Make rows for pictures, which must be in the evidence store already, that have none."""
    wanted = sorted(hashes)
    known: set[str] = set()
    for part in portions(wanted):
        some = EvidenceRow.sha256.in_(part)
        known.update(connection.execute(select(EvidenceRow.sha256).where(some)).scalars())
    new = [(sha256, now_us) for sha256 in wanted if sha256 not in known]
    insert_rows(connection, EvidenceRow, ("sha256", "recorded_at_us"), new)


def stored_exemplars(
    db: Database, sightings: Sequence[SightingId]
) -> dict[SightingId, tuple[Exemplar, ...]]:
    """The crops of visits with their vectors, best first; visits without any are left out."""
    found: defaultdict[SightingId, list[Exemplar]] = defaultdict(list)
    with db.read() as connection:
        for some in portions(sightings):
            query = select(ExemplarRow).order_by(ExemplarRow.sighting_id, ExemplarRow.rank)
            query = of_visits(connection, query, some)
            for row in connection.execute(query):
                found[SightingId(row.sighting_id)].append(_to_exemplar(row))
    return {sighting: tuple(exemplars) for sighting, exemplars in found.items()}


def _to_exemplar(row: Row[*tuple[Any, ...]]) -> Exemplar:
    return Exemplar(
        vector=to_vector(row.vector),
        modality=Modality(row.modality),
        captured_at_us=row.captured_at_us,
        box=(row.x0, row.y0, row.x1, row.y1),
        quality=row.quality,
        evidence=row.evidence,
    )
