"""One watcher and one deliverer per database: locks that go with their process."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from storage.address import Address
from storage.database import OUR_LOCKS, Database
from storage.errors import AlreadyRunning
from storage.failures import told_by

logger = logging.getLogger(__name__)

WATCHER_LOCK, DELIVERER_LOCK = 2, 3
HOLDER = text(
    "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :ours AND l.objid = :lock "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@contextmanager
def claim_watcher(database: Database) -> Iterator[None]:
    """Be the one watcher of this database until the block is left, or the process ends.

    On PostgreSQL the lock lives in a connection. Each `write()` first looks whether that lives; if
    it was lost, the lock is taken again, or the write is refused because another watcher has it.

    Raises:
        AlreadyRunning: Another one holds it; the message says which.
    """
    me = f"pid {os.getpid()} on {socket.gethostname()}"
    if database.address.file is not None:
        with _claim_by_file(database.address.file, ".lock", me, "watcher"):
            yield
        return
    claim = _ServerClaim(database, me, lock=WATCHER_LOCK, role="watcher")
    claim.keep()
    database.before_write = claim.keep
    try:
        yield
    finally:
        database.before_write = None
        claim.let_go()


@contextmanager
def claim_deliverer(database: Database) -> Iterator[Callable[[], None]]:
    """Be the one who sends what the outbox holds, until the block is left, or the process ends.

    Yields:
        Call it now and then: it makes sure that the claim holds, and takes a lost one again.
        Raises `AlreadyRunning` if another one has it, `DatabaseBusy` while the server is away.

    Raises:
        AlreadyRunning: Another one sends; the message says which.
    """
    me = f"pid {os.getpid()} on {socket.gethostname()}"
    if database.address.file is not None:
        with _claim_by_file(database.address.file, ".deliverer.lock", me, "deliverer"):
            yield lambda: None
        return
    claim = _ServerClaim(database, me, lock=DELIVERER_LOCK, role="deliverer")
    claim.keep()
    try:
        yield claim.keep
    finally:
        claim.let_go()


@contextmanager
def _claim_by_file(database: Path, suffix: str, me: str, role: str) -> Iterator[None]:
    lock = database.with_name(database.name + suffix)
    with lock.open("a+", encoding="utf-8") as holder:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder.seek(0)
            raise _already_running(role, database, holder.read()) from error
        holder.truncate(0)
        holder.write(me)
        holder.flush()
        # The file stays: removing it could take away a lock that the next one just got.
        yield


class _ServerClaim:
    """An advisory lock in a connection of its own. The database's one writer at a time uses it."""

    def __init__(self, database: Database, me: str, *, lock: int, role: str) -> None:
        self._database = database
        self._me = me
        self._lock = lock
        self._role = role
        self._connection: Connection | None = None
        self._was_held = False

    def keep(self) -> None:
        """Hold the lock, taking it again if the server lost us.

        Raises:
            AlreadyRunning: Another one has it.
            DatabaseBusy: The server is away.
        """
        if self._connection is not None and self._lives(self._connection):
            return
        with told_by(self._database.address):
            self._connection = self._take()
        if self._was_held:
            logger.warning(
                "the %s's claim on %s was lost and taken again", self._role, self._address
            )
        self._was_held = True

    def let_go(self) -> None:
        """Give the lock back; a server that is away gave it away already."""
        if self._connection is None:
            return
        try:
            self._connection.execute(select(func.pg_advisory_unlock(OUR_LOCKS, self._lock)))
            self._connection.execute(select(func.set_config("application_name", "", False)))
        except DBAPIError:
            logger.warning("the database was lost while the %s held it", self._role)
        self._connection.close()

    @property
    def _address(self) -> Address:
        return self._database.address

    def _lives(self, connection: Connection) -> bool:
        try:
            connection.execute(select(1))
        except DBAPIError:
            connection.invalidate()
            connection.close()
            self._connection = None
            return False
        return True

    def _take(self) -> Connection:
        connection = self._database.engine.connect()
        try:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            take = select(func.pg_try_advisory_lock(OUR_LOCKS, self._lock))
            if not connection.execute(take).scalar_one():
                keys = {"ours": OUR_LOCKS, "lock": self._lock}
                holder = connection.execute(HOLDER, keys).scalar_one_or_none()
                raise _already_running(self._role, self._address, holder or "")
            connection.execute(select(func.set_config("application_name", self._me[:63], False)))
        except BaseException:
            connection.close()
            raise
        return connection


def _already_running(role: str, database: Path | Address, holder: str) -> AlreadyRunning:
    return AlreadyRunning(
        f"another {role} ({holder or 'unknown'}) holds {database}; stop it first, or give this "
        "one a database of its own"
    )
