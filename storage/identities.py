"""Persons, as far as the sightings tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from storage.database import Database
from storage.errors import NotFound
from storage.schema import CameraRow, IdentityRow, SightingRow
from storage.sightings import overlapping
from storage.tombstones import refuse_erased
from storage.types import ALWAYS, Identity, IdentityId, Span, person_name
from streams.types import CameraId, Modality

NAME = re.compile(r"(?:P-)?0*([1-9][0-9]{0,17})", re.IGNORECASE)


def identities(
    db: Database, *, span: Span = ALWAYS, camera: CameraId | None = None, limit: int | None = None
) -> list[Identity]:
    """Persons seen in `span` and by `camera`, by number; at most the first `limit`.

    What is told of each covers all their sightings, also those outside `span`.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit: expected at least 1, got {limit}")
    chosen = select(SightingRow.identity_id).where(
        SightingRow.identity_id.is_not(None), *overlapping(span)
    )
    if camera is not None:
        this = select(CameraRow.id).where(CameraRow.name == camera).scalar_subquery()
        chosen = chosen.where(SightingRow.camera_id == this)
    if limit is not None:
        chosen = chosen.distinct().order_by(SightingRow.identity_id).limit(limit)
    return read_identities(db, SightingRow.identity_id.in_(chosen))


def read_number(name_or_number: str) -> IdentityId:
    """The number in a person's name; whether there is such a person is not asked.

    Raises:
        NotFound: That is no person's name.

    >>> read_number("p-7")
    7
    """
    match = NAME.fullmatch(name_or_number.strip())
    if match is None:
        raise NotFound(f"{name_or_number!r} is no person's name; expected one like P-0007 or 7")
    return IdentityId(int(match[1]))


def find_identity(db: Database, name_or_number: str) -> Identity:
    """The person that an operator means by "P-0007", "p-7" or "7".

    Raises:
        NotFound: Nobody has this name, or nobody has it any more.
        PersonErased: The person was erased; says when, by whom and why.
    """
    number = read_number(name_or_number)
    found = read_identities(db, SightingRow.identity_id == number)
    if found:
        return found[0]
    with db.read() as connection:
        refuse_erased(connection, [number])
        made = connection.execute(select(IdentityRow.id).where(IdentityRow.id == number)).first()
    if made is None:
        raise NotFound(
            f"nobody is called {person_name(number)}; `noctule query identities` lists all"
        )
    raise NotFound(
        f"{person_name(number)} has no sightings any more: all were linked to others or expired"
    )


def read_identities(db: Database, condition: ColumnElement[bool]) -> list[Identity]:
    """Persons as far as the visits that fulfil `condition` tell, by number."""
    query = (
        select(
            SightingRow.identity_id,
            CameraRow.name.label("camera"),
            SightingRow.modality,
            func.min(SightingRow.first_seen_us).label("first_seen_us"),
            func.max(SightingRow.last_seen_us).label("last_seen_us"),
            func.count().label("n_sightings"),
        )
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .where(condition)
        .group_by(SightingRow.identity_id, CameraRow.name, SightingRow.modality)
        .order_by(SightingRow.identity_id, func.min(SightingRow.first_seen_us), CameraRow.name)
    )
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [_to_identity(who, views) for who, views in groupby(rows, key=lambda row: row[0])]


def _to_identity(who: int, views: Iterable[Row[*tuple[Any, ...]]]) -> Identity:
    rows = list(views)
    modalities = {Modality(row.modality) for row in rows}
    return Identity(
        id=IdentityId(who),
        first_seen_us=min(row.first_seen_us for row in rows),
        last_seen_us=max(row.last_seen_us for row in rows),
        n_sightings=sum(row.n_sightings for row in rows),
        cameras=tuple(dict.fromkeys(CameraId(row.camera) for row in rows)),
        modalities=tuple(light for light in Modality if light in modalities),
    )
