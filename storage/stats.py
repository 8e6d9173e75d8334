"""How much is remembered, and how much room it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from storage.database import Database
from storage.evidence import EvidenceStore
from storage.migrations import head_revision
from storage.schema import (
    CameraRow,
    ExemplarRow,
    GapRow,
    IdentityRow,
    LinkEventRow,
    RunRow,
    SightingRow,
    Table,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts and sizes.

    Attributes:
        n_unsure: Sightings that belong to nobody yet.
        oldest_us: First frame of the first sighting, None if there is none.
        newest_us: Last frame of the last sighting, None if there is none.
        database_bytes: With its write-ahead log and indexes.
        n_evidence_files: None if the evidence folder was not asked for; so for its bytes.
    """

    schema: str
    n_cameras: int
    n_identities: int
    n_sightings: int
    n_unsure: int
    n_exemplars: int
    n_link_events: int
    n_gaps: int
    n_runs: int
    oldest_us: int | None
    newest_us: int | None
    database_bytes: int
    n_evidence_files: int | None
    evidence_bytes: int | None


def stats(db: Database, evidence: EvidenceStore | None = None) -> Stats:
    """Count everything; reads the whole database once, and the evidence folder's names."""
    with db.read() as connection:
        oldest, newest = connection.execute(
            select(func.min(SightingRow.first_seen_us), func.max(SightingRow.last_seen_us))
        ).one()
        files = None if evidence is None else list(evidence.files())
        return Stats(
            schema=head_revision(),
            n_cameras=_count(connection, CameraRow),
            n_identities=_count(connection, IdentityRow),
            n_sightings=_count(connection, SightingRow),
            n_unsure=connection.execute(
                select(func.count())
                .select_from(SightingRow)
                .where(SightingRow.identity_id.is_(None))
            ).scalar_one(),
            n_exemplars=_count(connection, ExemplarRow),
            n_link_events=_count(connection, LinkEventRow),
            n_gaps=_count(connection, GapRow),
            n_runs=_count(connection, RunRow),
            oldest_us=oldest,
            newest_us=newest,
            database_bytes=_database_bytes(connection, db.address.file),
            n_evidence_files=None if files is None else len(files),
            evidence_bytes=None if files is None else sum(_size(file) for file in files),
        )


def _count(connection: Connection, table: type[Table]) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _database_bytes(connection: Connection, file: Path | None) -> int:
    if file is None:
        size = func.pg_database_size(func.current_database())
        return int(connection.execute(select(size)).scalar_one())
    log = file.with_name(file.name + "-wal")
    return _size(file) + _size(log)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # deleted meanwhile
        return 0
