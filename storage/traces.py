"""What a database file keeps of rows that were deleted, and how to make it go."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import text

from storage.claims import claim_watcher
from storage.database import Database
from storage.errors import AlreadyRunning, DatabaseBusy, DiskFull
from storage.failures import told_by

logger = logging.getLogger(__name__)

LATER = (
    "free room in the database's files may hold copies of what was deleted: run `noctule db expire "
    "--wipe` while no watcher runs"
)
SERVER_LOG = (
    "PostgreSQL's write-ahead log, its archive and replicas hold the rows until they are recycled"
)
VACUUMED = (
    *("verdict_sighting", "link_event", "exemplar", "evidence", "sighting", "verdict"),
    *("delivery", "alert_event", "alert_sighting", "alert", "interest_example", "interest"),
    *("identity_name", "legal_hold"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiped:
    """What was done about traces.

    Attributes:
        log: The write-ahead log was emptied (SQLite); on PostgreSQL it is the server's.
        file: The tables were rewritten.
        advice: What is left to do, one sentence each.
    """

    log: bool
    file: bool
    advice: tuple[str, ...]


def wipe_traces(db: Database, *, rewrite: bool = True) -> Wiped:
    """Take what was deleted out of the files of the database, as far as nobody has to wait long.

    Args:
        rewrite: Rewrite tables where no watcher runs; minutes and twice the room for a large one.
    """
    advice: list[str] = []
    rewritten = rewrite and _rewrite(db)
    if not rewritten:
        advice.append(LATER)
    if db.address.file is None:
        if not rewritten:
            _outside_transactions(db, f"VACUUM {', '.join(VACUUMED)}")
        advice.append(SERVER_LOG)
        return Wiped(log=False, file=rewritten, advice=tuple(advice))
    emptied = _outside_transactions(db, "PRAGMA wal_checkpoint(TRUNCATE)") == 0
    if not emptied:
        advice.append(
            "somebody is reading, so the write-ahead log still holds them: run "
            "`noctule db expire --wipe` later"
        )
    return Wiped(log=emptied, file=rewritten, advice=tuple(advice))


def _rewrite(db: Database) -> bool:
    tables = "" if db.address.file is not None else f"FULL {', '.join(VACUUMED)}"
    try:
        with claim_watcher(db):  # rewriting would keep a watcher waiting
            _outside_transactions(db, f"VACUUM {tables}")
    except (AlreadyRunning, DatabaseBusy, DiskFull) as error:
        logger.info("the database was not rewritten: %s", error)
        return False
    return True


def _outside_transactions(db: Database, statement: str) -> int:
    """Run what cannot be part of a transaction; the first number that it answers, 0 if none."""
    with told_by(db.address), db.engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        if db.address.file is not None:
            connection.execute(text("COMMIT"))  # on SQLite our own BEGIN comes before anything
        result = connection.execute(text(statement))
        row = result.first() if result.returns_rows else None
        return 0 if row is None else int(row[0])
