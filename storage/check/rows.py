"""What must hold between rows: references, projections, histories, spans, vectors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, ForeignKeyConstraint, and_, func, or_, select

from storage.exemplars import UNIT_TOLERANCE, to_vector
from storage.problems import Problem, error
from storage.rows import ROWS_AT_ONCE
from storage.schema import ExemplarRow, LinkEventRow, ModelVersionRow, SightingRow, Table
from storage.types import IdentityId, person_name


def dangling_references(connection: Connection) -> Iterator[Problem]:
    for table in Table.metadata.sorted_tables:
        keys = sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
        for key in keys:
            yield from _dangling_key(connection, key)


def _dangling_key(connection: Connection, key: ForeignKeyConstraint) -> Iterator[Problem]:
    child = key.table
    parent = key.referred_table.alias("parent")
    pairs = [(element.parent, parent.c[element.column.name]) for element in key.elements]
    query = (
        select(*child.primary_key.columns)
        .select_from(child.outerjoin(parent, and_(*(mine == theirs for mine, theirs in pairs))))
        .where(
            *(mine.is_not(None) for mine, _ in pairs),
            or_(*(theirs.is_(None) for _, theirs in pairs)),
        )
        .order_by(*child.primary_key.columns)
    )
    for row in connection.execute(query):
        target = f"a row of {key.referred_table.name} that is not there"
        yield error("reference", f"{child.name} {row[0]}", f"refers to {target}; restore a backup")


def wrong_projections(connection: Connection) -> Iterator[Problem]:
    newest = (
        select(LinkEventRow.sighting_id, func.max(LinkEventRow.sequence).label("sequence"))
        .group_by(LinkEventRow.sighting_id)
        .subquery()
    )
    query = (
        select(
            SightingRow.id,
            SightingRow.identity_id,
            SightingRow.link_sequence,
            LinkEventRow.identity_id.label("said"),
            LinkEventRow.sequence,
        )
        .outerjoin(newest, newest.c.sighting_id == SightingRow.id)
        .outerjoin(
            LinkEventRow,
            and_(
                LinkEventRow.sighting_id == SightingRow.id,
                LinkEventRow.sequence == newest.c.sequence,
            ),
        )
        .where(
            or_(
                LinkEventRow.sequence.is_(None),
                LinkEventRow.sequence != SightingRow.link_sequence,
                func.coalesce(LinkEventRow.identity_id, -1)
                != func.coalesce(SightingRow.identity_id, -1),
            )
        )
        .order_by(SightingRow.id)
    )
    for row in connection.execute(query):
        shown, said = _name(row.identity_id), _name(row.said)
        advice = f"shows {shown} (event {row.link_sequence}), newest link event says {said}"
        yield error("projection", f"sighting {row.id}", f"{advice} (event {row.sequence})")


def gaps_in_history(connection: Connection) -> Iterator[Problem]:
    query = (
        select(LinkEventRow.sighting_id, func.count().label("n"))
        .group_by(LinkEventRow.sighting_id)
        .having(
            or_(
                func.min(LinkEventRow.sequence) != 0,
                func.max(LinkEventRow.sequence) != func.count() - 1,
            )
        )
        .order_by(LinkEventRow.sighting_id)
    )
    for row in connection.execute(query):
        advice = f"its {row.n} link events are not numbered 0 to {row.n - 1}: some are missing"
        yield error("history", f"sighting {row.sighting_id}", advice)


def reversed_spans(connection: Connection) -> Iterator[Problem]:
    backwards = SightingRow.last_seen_us < SightingRow.first_seen_us
    query = select(SightingRow.id).where(backwards).order_by(SightingRow.id)
    for number in connection.execute(query).scalars():
        yield error("span", f"sighting {number}", "ends before it begins")


def bad_vectors(connection: Connection) -> Iterator[Problem]:
    query = (
        select(ExemplarRow.id, ExemplarRow.vector, ModelVersionRow.dimension)
        .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
        .order_by(ExemplarRow.id)
    )
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
        subject = f"exemplar {row.id}"
        if len(row.vector) != 4 * row.dimension:
            advice = f"{len(row.vector)} bytes, its model's vectors have {4 * row.dimension}"
            yield error("vector", subject, advice)
        elif not abs(float(np.linalg.norm(to_vector(row.vector))) - 1) <= UNIT_TOLERANCE:
            yield error("vector", subject, "its vector is not of unit length")


def _name(identity: int | None) -> str:
    return "nobody" if identity is None else person_name(IdentityId(identity))
