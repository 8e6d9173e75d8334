"""Alerts, deliveries, sessions, persons of interest and names go after their time."""

from __future__ import annotations

from collections.abc import Iterator

from storage.database import Database
from storage.deletion import delete_files, let_go, overwrite_deleted
from storage.desk.expiring import STEPS, Step
from storage.due import Expired, before
from storage.evidence import EvidenceStore
from storage.retention_config import RetentionConfig

AT_ONCE = 200
"""Rows per transaction."""


def expire_desk(
    db: Database, evidence: EvidenceStore, config: RetentionConfig, *, now_us: int
) -> Iterator[Expired]:
    """Delete what is due, a piece at each step, with the pictures that were its own."""
    for step in STEPS:
        limit = before(step.days(config), now_us)
        if limit is not None:
            yield from _expire(db, evidence, step, limit)


def _expire(db: Database, evidence: EvidenceStore, step: Step, before_us: int) -> Iterator[Expired]:
    """Rows first, then the files that nothing refers to any more."""
    while True:
        with db.read() as connection:
            if connection.execute(step.old(connection, before_us).limit(1)).first() is None:
                return
        with evidence.deleting():
            with db.write() as connection:
                # A hold may have been placed since they were looked for.
                old = step.old(connection, before_us).limit(AT_ONCE)
                numbers = list(connection.execute(old).scalars())
                overwrite_deleted(connection)
                pictures = let_go(connection, step.delete(connection, numbers))
            freed = delete_files(db, evidence, pictures)
        gone = Expired(**{step.counted: len(numbers)})
        yield gone + Expired(n_pictures=len(pictures), n_bytes=freed)
