"""The invariants of the database and of the evidence folder, executable."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from sqlalchemy import Connection, ForeignKeyConstraint, and_, func, or_, select, text

from storage.audit import broken_links
from storage.database import Database
from storage.errors import DatabaseUnusable, EvidenceDamaged, NotFound
from storage.evidence import SHA256, EvidenceStore
from storage.exemplars import UNIT_TOLERANCE, to_vector
from storage.problems import Problem, Severity, error, warning
from storage.schema import (
    EvidenceRow,
    ExemplarRow,
    IdentityRow,
    LinkEventRow,
    ModelVersionRow,
    SightingRow,
    Table,
)
from storage.types import IdentityId, person_name

__all__ = ["Problem", "Severity", "check"]

ROWS_AT_ONCE = 1000


def check(db: Database, evidence: EvidenceStore | None) -> list[Problem]:
    """Prove every invariant; [] if all hold.

    Reads the whole database, and every evidence file if a store is given. A watcher may run.
    """
    problems: list[Problem] = []
    try:
        with db.read() as connection:
            problems += _damaged_pages(connection, db)
            for rule in RULES:
                problems += rule(connection)
            if evidence is not None:
                problems += _bad_evidence(connection, evidence)
    except DatabaseUnusable as failure:  # torn so badly that it cannot be read on
        problems.append(error("readable", str(db.address), str(failure)))
    return problems


def _damaged_pages(connection: Connection, db: Database) -> Iterator[Problem]:
    if db.address.file is None:  # PostgreSQL proves its pages by itself
        return
    for row in connection.execute(text("PRAGMA integrity_check")):
        if row[0] != "ok":
            advice = f"{row[0]}; restore a backup"
            yield error("integrity", str(db.address.file), " ".join(advice.split()))


def _dangling_references(connection: Connection) -> Iterator[Problem]:
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


def _wrong_projections(connection: Connection) -> Iterator[Problem]:
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


def _gaps_in_history(connection: Connection) -> Iterator[Problem]:
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


def _reversed_spans(connection: Connection) -> Iterator[Problem]:
    backwards = SightingRow.last_seen_us < SightingRow.first_seen_us
    query = select(SightingRow.id).where(backwards).order_by(SightingRow.id)
    for number in connection.execute(query).scalars():
        yield error("span", f"sighting {number}", "ends before it begins")


def _nobodies(connection: Connection) -> Iterator[Problem]:
    """Identities are made by a link event, in its transaction."""
    query = (
        select(IdentityRow.id)
        .outerjoin(LinkEventRow, LinkEventRow.identity_id == IdentityRow.id)
        .where(LinkEventRow.id.is_(None))
        .order_by(IdentityRow.id)
    )
    for number in connection.execute(query).scalars():
        yield error("identity", _name(number), "no sighting was ever linked to this identity")


def _bad_vectors(connection: Connection) -> Iterator[Problem]:
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


def _bad_evidence(connection: Connection, evidence: EvidenceStore) -> Iterator[Problem]:
    referred = set()
    for sha256 in connection.execute(select(EvidenceRow.sha256).order_by(EvidenceRow.sha256)):
        referred.add(sha256[0])
        try:
            evidence.get(sha256[0])
        except (NotFound, EvidenceDamaged) as failure:
            yield error("evidence", f"evidence {sha256[0]}", str(failure))
    for file in evidence.files():
        if not SHA256.fullmatch(file.stem) or file != evidence.path(file.stem):
            yield warning(
                "unknown file", str(file), "is no evidence; delete it only while no watcher runs"
            )
        elif file.stem not in referred:
            yield warning(
                "orphan",
                str(file),
                "no sighting refers to it; delete it only while no watcher runs",
            )


def _name(identity: int | None) -> str:
    return "nobody" if identity is None else person_name(IdentityId(identity))


RULES: tuple[Callable[[Connection], Iterator[Problem]], ...] = (
    _dangling_references,
    _wrong_projections,
    _gaps_in_history,
    _reversed_spans,
    _nobodies,
    _bad_vectors,
    broken_links,
)
