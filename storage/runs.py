"""Runs of the watcher: when it watched, which program, which configuration."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from storage.database import Database
from storage.schema import RunRow
from storage.types import Run, RunId

INSERT_RUN = insert(RunRow).returning(RunRow.id)


def record_run(db: Database, *, program: str, config_hash: str, now_us: int) -> RunId:
    """A watcher starts.

    Args:
        program: Its version.
        config_hash: sha256 of the configuration that it runs with, hex.
    """
    values = {
        "started_at_us": now_us,
        "ended_at_us": None,
        "program": program,
        "config_hash": config_hash,
    }
    with db.write() as connection:
        return RunId(connection.execute(INSERT_RUN, values).scalar_one())


def record_run_end(db: Database, run: RunId, *, now_us: int) -> None:
    """The watcher ends in good order; a killed one leaves its run without an end."""
    with db.write() as connection:
        connection.execute(update(RunRow).where(RunRow.id == run).values(ended_at_us=now_us))


def runs(db: Database) -> list[Run]:
    """All runs, oldest first."""
    query = select(
        RunRow.id,
        RunRow.started_at_us,
        RunRow.ended_at_us,
        RunRow.program,
        RunRow.config_hash,
    ).order_by(RunRow.id)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [
        Run(
            id=RunId(row.id),
            started_at_us=row.started_at_us,
            ended_at_us=row.ended_at_us,
            program=row.program,
            config_hash=row.config_hash,
        )
        for row in rows
    ]
