"""Forgetting in time: what is older than it may be goes, in small pieces, oldest first.

Each piece is one short transaction, so that recording never waits long. What a legal hold covers
stays. A sighting takes its links and verdict sides along; an identity without sightings stays as
a number.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from storage.audit import expire_audit, record_audit
from storage.database import Database
from storage.deletion import delete_exemplars, delete_files, delete_sightings
from storage.due import (
    EMPTIED,
    LAST_EXPIRY,
    READ_AT_ONCE,
    US_PER_DAY,
    Expired,
    before,
    old_exemplars,
    old_gaps,
    old_runs,
    old_sightings,
)
from storage.errors import DatabaseBusy
from storage.evidence import EvidenceStore
from storage.expiring_desk import expire_desk
from storage.expiring_pictures import delete_orphans, expire_pictures
from storage.holds import held_sightings
from storage.partitions import EPOCH, drop_day, exemplar_days
from storage.retention_config import RetentionConfig
from storage.rows import portions
from storage.schema import ExemplarRow, GapRow, LinkEventRow, RunRow, SiteRow
from storage.types import SightingId
from storage.vectors.postgres import forget_in_postgres
from storage.vectors.stored import forget_in_files

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""Rows per transaction."""
AUDIT_AT_ONCE = 2000
ORPHAN_AGE_US = 3_600_000_000
"""A picture is put moments before its row; this is far beyond any moment."""
EXPIRE = "expire"
INSERT_SITE = insert(SiteRow)

Piece = tuple[Expired, Sequence[int]]
"""What went, and the numbers of its vectors, which indexes must forget."""


def expire(
    db: Database,
    evidence: EvidenceStore,
    config: RetentionConfig,
    *,
    now_us: int,
    who: str,
    index: Path | None = None,
    orphan_age_us: int = ORPHAN_AGE_US,
) -> Generator[Expired, None, None]:
    """Delete what is due, a piece at each step; may be left off and begun anew at any time.

    Args:
        who: For the audit.
        index: Folder of the vector indexes, if there is one.
        orphan_age_us: Younger pictures that nothing refers to stay, microseconds; 0 only while
            nobody records.

    Raises:
        EvidenceBusy: Pictures are being exported.
        DiskFull: Pictures cannot be deleted: their disk is read-only or broken.
    """
    total = Expired()
    vectors: list[int] = []
    pieces = _pieces_of(db, evidence, config, now_us=now_us, who=who, age_us=orphan_age_us)
    try:
        for piece, gone in pieces:
            total += piece
            vectors += gone
            yield piece
    finally:  # also what went before it was left off
        if index is not None and vectors:
            forget_in_files(index, vectors)
        if total:
            _tell(db, total, who=who, now_us=now_us)


def _tell(db: Database, total: Expired, *, who: str, now_us: int) -> None:
    told = {name: number for name, number in asdict(total).items() if number}
    with db.write() as connection:
        record_audit(connection, who=who, action=EXPIRE, subject="", detail=told, now_us=now_us)


def _pieces_of(
    db: Database,
    evidence: EvidenceStore,
    config: RetentionConfig,
    *,
    now_us: int,
    who: str,
    age_us: int,
) -> Iterator[Piece]:
    limit = before(config.pictures_days, now_us)
    for piece in expire_pictures(db, evidence, before_us=limit, pictures_mb=config.pictures_mb):
        yield piece, ()
    if (limit := before(config.vectors_days, now_us)) is not None:
        yield from _drop_days(db, limit)
        yield from _expire_vectors(db, evidence, limit)
    if (limit := before(config.sightings_days, now_us)) is not None:
        yield from _expire_sightings(db, evidence, limit, now_us)
    if (limit := before(config.gaps_days, now_us)) is not None:
        yield from ((Expired(n_gaps=n), ()) for n in _delete_rows(db, GapRow, old_gaps(limit)))
    if (limit := before(config.runs_days, now_us)) is not None:
        yield from ((Expired(n_runs=n), ()) for n in _delete_rows(db, RunRow, old_runs(limit)))
    if (limit := before(config.audit_days, now_us)) is not None:
        yield from _expire_audit(db, limit, who=who, now_us=now_us)
    for piece in expire_desk(db, evidence, config, now_us=now_us):
        yield piece, ()
    for piece in delete_orphans(db, evidence, older_than_us=now_us - age_us):
        yield piece, ()


def _drop_days(db: Database, before_us: int) -> Iterator[Piece]:
    """On PostgreSQL, whole days of vectors at once, where nothing of a day must stay."""
    if db.address.file is not None:
        return
    with db.read() as connection:
        days = exemplar_days(connection)
    for day in days:
        end_us = ((day - EPOCH).days + 1) * US_PER_DAY
        if end_us > before_us:
            return
        numbers: list[int] = []
        try:
            with db.write() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
                if _may_go(connection, end_us):
                    of_day = select(ExemplarRow.id).where(*_on_day(end_us))
                    numbers = list(connection.execute(of_day).scalars())
                    drop_day(connection, day)
                    forget_in_postgres(connection, numbers)
        except DatabaseBusy:
            logger.info("somebody reads the vectors of %s: they go later", day)
            continue
        yield Expired(n_vectors=len(numbers)), numbers


def _on_day(end_us: int) -> tuple[ColumnElement[bool], ...]:
    return (
        ExemplarRow.captured_at_us >= end_us - US_PER_DAY,
        ExemplarRow.captured_at_us < end_us,
    )


def _may_go(connection: Connection, end_us: int) -> bool:
    """Whether no vector of the day is held, or has a picture that is still wanted."""
    wanted = [ExemplarRow.evidence.is_not(None)]
    held = held_sightings(connection)
    if held is not None:
        wanted.append(ExemplarRow.sighting_id.in_(held))
    query = select(ExemplarRow.id).where(*_on_day(end_us), or_(*wanted)).limit(1)
    return connection.execute(query).first() is None


def _expire_vectors(db: Database, evidence: EvidenceStore, before_us: int) -> Iterator[Piece]:
    while True:
        with db.read() as connection:
            query = old_exemplars(connection, before_us).limit(READ_AT_ONCE)
            found = list(connection.execute(query).scalars())
        if not found:
            return
        for some in portions(found, n=AT_ONCE):
            with evidence.deleting():
                with db.write() as connection:
                    # A hold may have been placed since they were read.
                    allowed = old_exemplars(connection, before_us).where(ExemplarRow.id.in_(some))
                    chosen = list(connection.execute(allowed).scalars())
                    deletion = delete_exemplars(connection, chosen)
                freed = delete_files(db, evidence, deletion.pictures)
            n_pictures = len(deletion.pictures)
            gone = Expired(n_vectors=len(chosen), n_pictures=n_pictures, n_bytes=freed)
            yield gone, deletion.exemplars


def _expire_sightings(
    db: Database, evidence: EvidenceStore, before_us: int, now_us: int
) -> Iterator[Piece]:
    while True:
        with evidence.deleting():
            with db.write() as connection:
                query = old_sightings(connection, before_us).limit(AT_ONCE)
                numbers = [SightingId(number) for number in connection.execute(query).scalars()]
                if not numbers:
                    return
                _remember_emptied(connection, numbers, now_us)
                deletion = delete_sightings(connection, numbers)
            freed = delete_files(db, evidence, deletion.pictures)
        gone = Expired(
            n_sightings=len(numbers),
            n_vectors=len(deletion.exemplars),
            n_pictures=len(deletion.pictures),
            n_bytes=freed,
        )
        yield gone, deletion.exemplars


def _remember_emptied(connection: Connection, sightings: Sequence[SightingId], now_us: int) -> None:
    """Identities and verdicts may be empty now, which `check` must not take for a fault."""
    said = select(func.max(LinkEventRow.identity_id)).where(LinkEventRow.sighting_id.in_(sightings))
    highest = connection.execute(said).scalar() or 0
    known = connection.execute(select(SiteRow.value).where(SiteRow.name == EMPTIED)).scalar()
    _note(connection, EMPTIED, max(highest, int(known or 0)))
    _note(connection, LAST_EXPIRY, now_us)


def _note(connection: Connection, name: str, value: int) -> None:
    change = update(SiteRow).where(SiteRow.name == name).values(value=str(value))
    if not connection.execute(change).rowcount:
        connection.execute(INSERT_SITE, {"name": name, "value": str(value)})


def _delete_rows(db: Database, table: Any, old: Select[int]) -> Iterator[int]:
    while True:
        with db.write() as connection:
            numbers = list(connection.execute(old.limit(AT_ONCE)).scalars())
            if not numbers:
                return
            connection.execute(delete(table).where(table.id.in_(numbers)))
        yield len(numbers)


def _expire_audit(db: Database, before_us: int, *, who: str, now_us: int) -> Iterator[Piece]:
    while True:
        with db.write() as connection:
            n = expire_audit(
                connection, before_us=before_us, who=who, now_us=now_us, limit=AUDIT_AT_ONCE
            )
        if not n:
            return
        yield Expired(n_audit=n), ()
