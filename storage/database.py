"""The database: opened, checked, and shared out as short transactions.

Whatever a `write()` acknowledged by returning is on the disk: SQLite runs in WAL mode with
`synchronous=FULL`, PostgreSQL with synchronous commit. There is one writer at a time on both, so
row numbers come out the same whenever the same calls are made.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, func, select, text

from storage.address import Address, read_address, refuse_network_disk
from storage.engine import CONNECTIONS, make_engine
from storage.errors import DatabaseUnusable, SchemaMismatch
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


class Database:
    """An open database of the right schema. Threads may share it.

    Attributes:
        before_write: Asked before every transaction that writes; raises to refuse it.
    """

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
        self.before_write: Callable[[], None] | None = None
        self._file: tuple[int, int] | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one unchanging state, however long it is used."""
        with told_by(self.address), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writer: all or nothing, and on the disk when the block has been left.

        Raises:
            DatabaseBusy: Another program wrote for longer than 10 s, or the server is away. Was it
                lost while it committed, the rows may be there: write them again by their keys.
            DiskFull: Nothing was written.
        """
        with told_by(self.address), self._writing:
            if self.before_write is not None:
                self.before_write()
            with self._writer.begin() as connection:
                if self.address.file is None:
                    connection.execute(select(func.pg_advisory_xact_lock(OUR_LOCKS, WRITER_LOCK)))
                else:
                    self._refuse_another_file(self.address.file)
                yield connection

    def close(self) -> None:
        self.engine.dispose()

    def _refuse_another_file(self, file: Path) -> None:
        """Who deletes or replaces the file leaves us writing into one that nobody finds again."""
        try:
            found = file.stat()
        except OSError as error:
            raise DatabaseUnusable(
                f"{file} was moved or deleted while it was in use ({error.strerror}); bring it "
                "back, or start again with a new one"
            ) from error
        self._file = self._file or (found.st_dev, found.st_ino)
        if self._file != (found.st_dev, found.st_ino):
            raise DatabaseUnusable(f"{file} was replaced while it was in use; start again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_database(url: str, *, create: bool = False, connections: int = CONNECTIONS) -> Database:
    """Open the database at `url`.

    Args:
        create: Make file, folder and tables where there are none yet.
        connections: To a PostgreSQL server, at most.

    Raises:
        DatabaseUnusable: Missing, damaged, not ours, unreachable, or on a network disk.
        SchemaMismatch: Its schema is older or newer than this program's.
        DatabaseBusy: Somebody else holds it for too long.
    """
    address = read_address(url)
    _prepare_place(address, create=create)
    database = Database(address, make_engine(address, connections=connections))
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
