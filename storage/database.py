"""The database: opened, checked, and shared out as short transactions.

Whatever a `write()` acknowledged by returning is on the disk: SQLite runs in WAL mode with
`synchronous=FULL`, PostgreSQL with synchronous commit. There is one writer at a time on both, so
row numbers come out the same whenever the same calls are made.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from storage.address import Address, read_address, refuse_network_disk
from storage.engine import make_engine
from storage.errors import AlreadyRunning, DatabaseUnusable, SchemaMismatch
from storage.failures import told_by
from storage.migrations import (
    HERE,
    SchemaState,
    head_revision,
    read_revision,
    read_schema_state,
    upgrade_connection,
)

logger = logging.getLogger(__name__)

OUR_LOCKS = 0x4E4F4354
"""First half of our advisory locks on PostgreSQL ("NOCT"); the second half says which."""
WRITER_LOCK = 1
WATCHER_LOCK = 2
HOLDER = text(
    "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :ours AND l.objid = :watcher "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Database:
    """An open database of the right schema. Threads may share it."""

    def __init__(self, address: Address, engine: Engine) -> None:
        self.address = address
        self.engine = engine
        self._reader = engine
        if address.file is None:
            self._reader = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writer = engine.execution_options(noctule_writes=True)
        self._writing = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one unchanging state, however long it is used."""
        with told_by(self.address), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writer: all or nothing, and on the disk when the block has been left.

        Raises:
            DatabaseBusy: Another program wrote for longer than 10 s, or the server is away.
            DiskFull: Nothing was written.
        """
        with told_by(self.address), self._writing, self._writer.begin() as connection:
            if self.address.file is None:
                connection.execute(select(func.pg_advisory_xact_lock(OUR_LOCKS, WRITER_LOCK)))
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_database(url: str, *, create: bool = False) -> Database:
    """Open the database at `url`.

    Args:
        create: Make file, folder and tables where there are none yet.

    Raises:
        DatabaseUnusable: Missing, damaged, not ours, unreachable, or on a network disk.
        SchemaMismatch: Its schema is older or newer than this program's.
        DatabaseBusy: Somebody else holds it for too long.
    """
    address = read_address(url)
    _prepare_place(address, create=create)
    database = Database(address, make_engine(address))
    try:
        _match_schema(database, create=create)
    except BaseException:
        database.close()
        raise
    return database


def upgrade(url: str, *, history: Path = HERE) -> str:
    """Bring the database at `url` to this program's schema, making it if need be.

    One transaction: a crash leaves the old schema or the new one.

    Returns:
        Name of the schema that it has now.
    """
    address = read_address(url)
    _prepare_place(address, create=True)
    # SQLite changes a table by making it anew, which foreign keys would forbid on the way.
    with Database(address, make_engine(address, foreign_keys=False)) as database:
        _upgrade(database, history)
    return head_revision(history)


def _prepare_place(address: Address, *, create: bool) -> None:
    if address.file is None:
        return
    refuse_network_disk(address.file)
    if create:
        try:
            address.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnusable(
                f"the folder of {address.file} cannot be made: {error.strerror}"
            ) from error
    elif not address.file.exists():
        raise DatabaseUnusable(
            f"there is no database at {address.file}; record something with `noctule run` or "
            "`noctule replay`, or check `storage.database` in config.yaml"
        )


def _match_schema(database: Database, *, create: bool) -> None:
    with told_by(database.address, opening=True), database.engine.connect() as connection:
        state = read_schema_state(connection)
        found = read_revision(connection)
    if state is SchemaState.FRESH and create:
        _upgrade(database, HERE)
    elif state is not SchemaState.CURRENT:
        what = "no tables yet" if found is None else f"the older schema {found}"
        raise SchemaMismatch(
            f"{database.address} has {what}, this program needs {head_revision()}; "
            "run `noctule db upgrade`"
        )


def _upgrade(database: Database, history: Path) -> None:
    with told_by(database.address, opening=True), database.write() as connection:
        before = read_revision(connection)
        upgrade_connection(connection, history=history)
        if database.address.file is not None:
            broken = connection.execute(text("PRAGMA foreign_key_check")).first()
            if broken is not None:
                raise DatabaseUnusable(
                    f"upgrade of {database.address.file} stopped and undone: row {broken[1]} of "
                    f"{broken[0]} refers to a row of {broken[2]} that is not there"
                )
    after = head_revision(history)
    if before is None:
        logger.info("%s made, schema %s", database.address, after)
    elif before != after:
        logger.info("%s upgraded from schema %s to %s", database.address, before, after)


@contextmanager
def claim_watcher(database: Database) -> Iterator[None]:
    """Be the one watcher of this database until the block is left, or the process ends.

    Raises:
        AlreadyRunning: Another one holds it; the message says which.
    """
    me = f"pid {os.getpid()} on {socket.gethostname()}"
    if database.address.file is not None:
        with _claim_by_file(database.address.file, me):
            yield
    else:
        with _claim_by_server(database, me):
            yield


@contextmanager
def _claim_by_file(database: Path, me: str) -> Iterator[None]:
    lock = database.with_name(database.name + ".lock")
    with lock.open("a+", encoding="utf-8") as holder:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder.seek(0)
            raise _already_running(database, holder.read()) from error
        holder.truncate(0)
        holder.write(me)
        holder.flush()
        # The file stays: removing it could take away a lock that the next one just got.
        yield


@contextmanager
def _claim_by_server(database: Database, me: str) -> Iterator[None]:
    keys = {"ours": OUR_LOCKS, "watcher": WATCHER_LOCK}
    with database.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        with told_by(database.address):
            take = select(func.pg_try_advisory_lock(OUR_LOCKS, WATCHER_LOCK))
            if not connection.execute(take).scalar_one():
                holder = connection.execute(HOLDER, keys).scalar_one_or_none()
                raise _already_running(database.address, holder or "")
            connection.execute(select(func.set_config("application_name", me[:63], False)))
        try:
            yield
        finally:
            _let_go(connection)


def _let_go(connection: Connection) -> None:
    try:
        connection.execute(select(func.pg_advisory_unlock(OUR_LOCKS, WATCHER_LOCK)))
        connection.execute(select(func.set_config("application_name", "", False)))
    except DBAPIError:  # the server gave the lock away when it lost us
        logger.warning("the database was lost while the watcher held it")


def _already_running(database: Path | Address, holder: str) -> AlreadyRunning:
    return AlreadyRunning(
        f"another watcher ({holder or 'unknown'}) holds {database}; stop it first, or give this "
        "one a database of its own"
    )
