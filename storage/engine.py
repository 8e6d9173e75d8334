"""How we talk to SQLite and to PostgreSQL: what a connection is told before its first statement."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from storage.address import Address
from storage.errors import DatabaseUnusable
from storage.partitions import forget_days

if TYPE_CHECKING:
    import psycopg

BUSY_TIMEOUT_S = 10
CONNECTIONS = 5
SQLITE_CACHE_KB = 32_000
"""A batch that does not fit is written twice: with the default of 2 MB it costs a sixth more."""
SILENT_SERVER = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A server whose machine or network died says nothing: it is given up after 30 s."""


def make_engine(
    address: Address, *, foreign_keys: bool = True, connections: int = CONNECTIONS
) -> Engine:
    """A pool that looks whether a connection still lives before it lends it.

    Args:
        foreign_keys: Whether SQLite enforces references.
        connections: At most so many to a server; who finds all lent waits for one.
    """
    # Errors must not print vectors, nor anything else that a row holds.
    if address.file is None:
        engine = create_engine(
            address.url,
            pool_pre_ping=True,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=BUSY_TIMEOUT_S,
            hide_parameters=True,
            connect_args={"connect_timeout": BUSY_TIMEOUT_S, **SILENT_SERVER},
        )
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "rollback", forget_days)
        return engine
    engine = create_engine(
        address.url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S}
    )

    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        _prepare_sqlite(connection, foreign_keys=foreign_keys)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, *, foreign_keys: bool) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, so that DDL is transactional too
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise DatabaseUnusable(
            f"SQLite cannot use a write-ahead log here (it offers {mode!r}); "
            "move the database to a local disk"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KB}")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader could find the door locked half-way.
    writes = connection.get_execution_options().get("noctule_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(
    connection: psycopg.Connection[tuple[object, ...]], _entry: ConnectionPoolEntry
) -> None:
    connection.execute(f"SET lock_timeout = '{BUSY_TIMEOUT_S}s'")
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
