"""Visits, recorded one or many at a time, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from storage.cameras import ensure_camera
from storage.database import Database
from storage.exemplars import check_vectors, ensure_model_version, insert_exemplars
from storage.links import NewEvent, append_events, decide_identities
from storage.rows import insert_rows, next_numbers, portions
from storage.schema import SightingRow
from storage.tombstones import living_links
from storage.types import NewSighting, Recorded, SightingId

LINKER = "linker"
TRAIL_COLUMNS = 5
SIGHTING_COLUMNS = (
    *("id", "key", "track", "part", "camera_id", "modality", "first_seen_us", "last_seen_us"),
    *("duration_us", "n_frames", "trail", "model_version_id", "identity_id", "link_sequence"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A visit that keeps what `NewSighting` promises.

    Attributes:
        dimension: Numbers per vector, None without exemplars.
    """

    visit: NewSighting
    trail: bytes
    dimension: int | None


def record_sightings(
    db: Database, sightings: Sequence[NewSighting], *, now_us: int
) -> list[Recorded]:
    """Write visits with their links, exemplars and new identities: all of them or none.

    What is written is the same as by `record_sighting` for each in turn; [] writes nothing.

    Returns:
        What is on the disk now, one per visit. Keys that were recorded before change nothing.

    Raises:
        NotFound: A link names an identity that there is none of.
        ValueError: Vectors, trail or link are not what `NewSighting` promises.
    """
    checked: dict[str, _Checked] = {}
    for visit in sightings:
        dimension = check_vectors(visit.exemplars)
        found = _Checked(visit=visit, trail=_to_trail_bytes(visit.trail), dimension=dimension)
        checked.setdefault(visit.key, found)
    with db.write() as connection:
        known = _find_recorded(connection, list(checked))
        new = [each for key, each in checked.items() if key not in known]
        made = dict(
            zip((each.visit.key for each in new), _record(connection, new, now_us), strict=True)
        )
    recorded = []
    for visit in sightings:
        recorded.append(known[visit.key] if visit.key in known else made[visit.key])
        known[visit.key] = replace(recorded[-1], was_known=True)
    return recorded


def _find_recorded(connection: Connection, keys: Sequence[str]) -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}
    for part in portions(keys):
        some = SightingRow.key.in_(part)
        query = select(SightingRow.key, SightingRow.id, SightingRow.identity_id).where(some)
        for row in connection.execute(query):
            found[row.key] = Recorded(
                sighting=SightingId(row.id), identity=row.identity_id, was_known=True
            )
    return found


def _record(connection: Connection, new: Sequence[_Checked], now_us: int) -> list[Recorded]:
    links = living_links(connection, [each.visit.link for each in new])
    visits = [replace(each.visit, link=link) for each, link in zip(new, links, strict=True)]
    identities = decide_identities(connection, links, now_us=now_us)
    models = _ensure_models(connection, new)
    names = dict.fromkeys(visit.camera for visit in visits)
    cameras = {camera: ensure_camera(connection, camera) for camera in names}
    numbers = next_numbers(connection, SightingRow, len(visits))
    rows = [
        (
            *(number, each.visit.key, each.visit.track, int(each.visit.part)),
            *(cameras[each.visit.camera], each.visit.modality.value),
            *_span(each.visit),
            *(int(each.visit.n_frames), each.trail, models[each.visit.model], identity, 0),
        )
        for number, each, identity in zip(numbers, new, identities, strict=True)
    ]
    insert_rows(connection, SightingRow, SIGHTING_COLUMNS, rows)
    events = [
        NewEvent(sighting=SightingId(number), sequence=0, link=visit.link, identity=identity)
        for number, visit, identity in zip(numbers, visits, identities, strict=True)
    ]
    append_events(connection, events, made_by=LINKER, now_us=now_us)
    exemplars = [
        (number, models[visit.model], visit.exemplars)
        for number, visit in zip(numbers, visits, strict=True)
    ]
    insert_exemplars(connection, exemplars, now_us=now_us)
    return [
        Recorded(sighting=SightingId(number), identity=identity, was_known=False)
        for number, identity in zip(numbers, identities, strict=True)
    ]


def _ensure_models(connection: Connection, new: Sequence[_Checked]) -> dict[str, int]:
    """Rows of the networks, each asked for once per dimension that it is said to have."""
    said = dict.fromkeys((each.visit.model, each.dimension) for each in new)
    return {model: ensure_model_version(connection, model, size) for model, size in said}


def _span(visit: NewSighting) -> tuple[int, int, int]:
    first_us, last_us = int(visit.first_seen_us), int(visit.last_seen_us)
    return first_us, last_us, last_us - first_us


def _to_trail_bytes(trail: npt.NDArray[np.float64]) -> bytes:
    if trail.ndim != 2 or trail.shape[1] != TRAIL_COLUMNS or not np.isfinite(trail).all():
        raise ValueError(f"trail: expected finite (M, {TRAIL_COLUMNS}), got {trail.shape}")
    return np.ascontiguousarray(trail, dtype="<f8").tobytes()
