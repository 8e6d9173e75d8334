"""What is older than it may be, and how much of it there is."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Self

from sqlalchemy import Connection, Select, func, select

from storage.database import Database
from storage.desk.expiring import STEPS
from storage.evidence import BYTES_PER_MB, EvidenceStore
from storage.holds import held_alerts, held_sightings
from storage.retention_config import RetentionConfig
from storage.schema import (
    AlertRow,
    AuditRow,
    EvidenceRow,
    ExemplarRow,
    FloorPlanRow,
    GapRow,
    InterestExampleRow,
    RunRow,
    SightingRow,
    SiteRow,
)

US_PER_DAY = 86_400_000_000
READ_AT_ONCE = 5000
EMPTIED = "expired identity"
"""Row of `site`: no identity above this number ever lost a sighting to expiry."""
LAST_EXPIRY = "sightings expired at"
"""Row of `site`: when sightings were last deleted because of their age, microseconds UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How much went, or is due.

    Attributes:
        n_bytes: Of pictures and orphans.
        n_orphans: Files of pictures that nothing refers to.
        n_deliveries: That were sent or given up, alerts' own left out.
        n_sessions: Of browsers that ended, and tokens of programs.
        n_interests: Persons of interest who are looked for no longer.
        n_names: Given to persons without sightings.
    """

    n_sightings: int = 0
    n_vectors: int = 0
    n_pictures: int = 0
    n_orphans: int = 0
    n_bytes: int = 0
    n_gaps: int = 0
    n_runs: int = 0
    n_audit: int = 0
    n_alerts: int = 0
    n_deliveries: int = 0
    n_sessions: int = 0
    n_interests: int = 0
    n_names: int = 0

    def __add__(self, other: Self) -> Expired:
        names = self.__dataclass_fields__
        pairs = zip(names, astuple(self), astuple(other), strict=True)
        return Expired(**{name: mine + theirs for name, mine, theirs in pairs})

    def __bool__(self) -> bool:
        return any(astuple(self))


def last_expiry_us(connection: Connection) -> int | None:
    """When sightings were last deleted because of their age, None if never."""
    value = connection.execute(select(SiteRow.value).where(SiteRow.name == LAST_EXPIRY)).scalar()
    return None if value is None else int(value)


def before(days: float | None, now_us: int) -> int | None:
    """What is older than this has expired; None: nothing ever.

    >>> before(1, 86_400_000_001)
    1
    """
    return None if days is None else now_us - round(days * US_PER_DAY)


def old_sightings(connection: Connection, before_us: int) -> Select[int]:
    """Visits that ended before, oldest first, without held ones. Served by ix_sighting_of_span."""
    query = (
        select(SightingRow.id)
        .where(SightingRow.first_seen_us < before_us, SightingRow.last_seen_us < before_us)
        .order_by(SightingRow.first_seen_us, SightingRow.id)
    )
    held = held_sightings(connection)
    return query if held is None else query.where(SightingRow.id.not_in(held))


def old_exemplars(connection: Connection, before_us: int) -> Select[int]:
    """Vectors of old visits, oldest first. Their visits are a range of ix_sighting_of_span."""
    query = (
        select(ExemplarRow.id)
        .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
        .where(
            SightingRow.first_seen_us < before_us,
            SightingRow.last_seen_us < before_us,
            ExemplarRow.captured_at_us < before_us,
        )
        .order_by(SightingRow.first_seen_us, ExemplarRow.id)
    )
    held = held_sightings(connection)
    return query if held is None else query.where(SightingRow.id.not_in(held))


def old_pictures(connection: Connection, before_us: int | None) -> Select[str]:
    """Pictures that were recorded before (None: all), oldest first.

    Without held ones, floor plans, and pictures of persons of interest, which end with their entry.
    """
    looked_for = select(InterestExampleRow.picture).where(InterestExampleRow.picture.is_not(None))
    query = (
        select(EvidenceRow.sha256)
        .where(
            EvidenceRow.sha256.not_in(looked_for),
            EvidenceRow.sha256.not_in(select(FloorPlanRow.picture)),
        )
        .order_by(EvidenceRow.recorded_at_us, EvidenceRow.sha256)
    )
    if before_us is not None:
        query = query.where(EvidenceRow.recorded_at_us < before_us)
    held = held_sightings(connection)
    if held is None:
        return query
    of_held = select(ExemplarRow.evidence).where(
        ExemplarRow.sighting_id.in_(held), ExemplarRow.evidence.is_not(None)
    )
    query = query.where(EvidenceRow.sha256.not_in(of_held))
    alerts = held_alerts(connection)
    if alerts is None:
        return query
    shown = select(AlertRow.picture).where(AlertRow.id.in_(alerts), AlertRow.picture.is_not(None))
    return query.where(EvidenceRow.sha256.not_in(shown))


def old_gaps(before_us: int) -> Select[int]:
    """Gaps that ended before."""
    return select(GapRow.id).where(GapRow.to_us < before_us).order_by(GapRow.id)


def old_runs(before_us: int) -> Select[int]:
    """Runs that ended before, or, if they were killed, began before; never the newest."""
    newest = select(func.max(RunRow.id)).scalar_subquery()
    ended_us = func.coalesce(RunRow.ended_at_us, RunRow.started_at_us)
    return select(RunRow.id).where(ended_us < before_us, RunRow.id < newest).order_by(RunRow.id)


def due(db: Database, evidence: EvidenceStore, config: RetentionConfig, *, now_us: int) -> Expired:
    """What `expire` would delete now, orphans left out; changes nothing.

    What a sighting takes along is not counted twice.
    """
    found = Expired()
    with db.read() as connection:
        if (limit := before(config.sightings_days, now_us)) is not None:
            found += Expired(n_sightings=_count(connection, old_sightings(connection, limit)))
        if (limit := before(config.vectors_days, now_us)) is not None:
            found += Expired(n_vectors=_count(connection, old_exemplars(connection, limit)))
        found += _due_pictures(connection, evidence, config, now_us)
        if (limit := before(config.gaps_days, now_us)) is not None:
            found += Expired(n_gaps=_count(connection, old_gaps(limit)))
        if (limit := before(config.runs_days, now_us)) is not None:
            found += Expired(n_runs=_count(connection, old_runs(limit)))
        if (limit := before(config.audit_days, now_us)) is not None:
            kept = select(func.min(AuditRow.id)).where(AuditRow.at_us >= limit).scalar_subquery()
            old = select(AuditRow.id).where((AuditRow.id < kept) | kept.is_(None))
            found += Expired(n_audit=_count(connection, old))
        found += _due_desk(connection, config, now_us)
    return found


def _due_desk(connection: Connection, config: RetentionConfig, now_us: int) -> Expired:
    found = Expired()
    for step in STEPS:
        if (limit := before(step.days(config), now_us)) is not None:
            n = _count(connection, step.old(connection, limit))
            found += Expired(**{step.counted: n})
    return found


def over_quota(n_bytes: int, pictures_mb: int | None) -> int:
    """Bytes of pictures that are too many.

    >>> over_quota(3_000_001, 3), over_quota(5, None)
    (1, 0)
    """
    return 0 if pictures_mb is None else max(0, n_bytes - pictures_mb * BYTES_PER_MB)


def _due_pictures(
    connection: Connection, evidence: EvidenceStore, config: RetentionConfig, now_us: int
) -> Expired:
    sizes = {file.sha256: file.n_bytes for files in evidence.pictures() for file in files}
    limit = before(config.pictures_days, now_us)
    chosen: list[str] = []
    if limit is not None:
        chosen += connection.execute(old_pictures(connection, limit)).scalars()
    freed = sum(sizes.get(sha256, 0) for sha256 in chosen)
    excess = over_quota(sum(sizes.values()) - freed, config.pictures_mb)
    goes = set(chosen)
    for sha256 in connection.execute(old_pictures(connection, None)).scalars():
        if excess <= 0:
            break
        if sha256 not in goes:
            goes.add(sha256)
            freed += sizes.get(sha256, 0)
            excess -= sizes.get(sha256, 0)
    return Expired(n_pictures=len(goes), n_bytes=freed)


def _count(connection: Connection, query: Select[int]) -> int:
    counted = query.order_by(None).subquery()
    return connection.execute(select(func.count()).select_from(counted)).scalar_one()
