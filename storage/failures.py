"""Drivers' errors, told in the words of `storage.errors`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from storage.address import Address
from storage.errors import DatabaseBusy, DatabaseUnusable, DiskFull
from streams.errors import NoctuleError

SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
SQLITE_UNWRITABLE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
POSTGRESQL_DISK_FULL = "53100"
POSTGRESQL_PASSING = ("08", "25006", "40", "53", "55P03", "57P")
"""Lost connection, a standby not yet promoted, deadlock, out of connections, lock timeout, server
restarting."""
POSTGRESQL_DAMAGED = ("XX", "58")


@contextmanager
def told_by(address: Address, *, opening: bool = False) -> Iterator[None]:
    """Turn a driver's error into one that says what to do.

    A broken constraint stays an `IntegrityError`: it is a fault of this program.

    Args:
        opening: A server that cannot be reached is then a permanent error, later a passing one.
    """
    try:
        yield
    except IntegrityError:
        raise
    except NoConnectionFree as error:
        raise DatabaseBusy(
            f"all connections to {address} are in use; raise storage.connections if this stays so"
        ) from error
    except DBAPIError as error:
        told = _tell(error, address, opening=opening)
        if told is None:
            raise
        raise told from error


def _tell(error: DBAPIError, address: Address, *, opening: bool) -> NoctuleError | None:
    said = address.without_secrets(str(error.orig))
    if address.file is not None:
        return _tell_sqlite(getattr(error.orig, "sqlite_errorcode", None), said, address)
    return _tell_postgresql(error, said, address, opening=opening)


def _tell_sqlite(code: int | None, said: str, address: Address) -> NoctuleError | None:
    primary = None if code is None else code & 0xFF  # the rest is detail
    if primary in SQLITE_BUSY:
        return DatabaseBusy(f"{address.file} is locked by another program ({said}); trying again")
    if primary == sqlite3.SQLITE_FULL:
        return DiskFull(f"no space left for {address.file}; free some, nothing recorded was lost")
    if primary in SQLITE_DAMAGED:
        return DatabaseUnusable(
            f"{address.file} is damaged or not a database ({said}); move it away and restore a "
            "backup, or start with a new one"
        )
    if primary in SQLITE_UNWRITABLE:
        return DatabaseUnusable(
            f"{address.file} cannot be opened or written ({said}); check that its folder exists, "
            "is writable and its disk is sound"
        )
    return None


def _tell_postgresql(
    error: DBAPIError, said: str, address: Address, *, opening: bool
) -> NoctuleError | None:
    state = getattr(error.orig, "sqlstate", None)
    if state == POSTGRESQL_DISK_FULL:
        return DiskFull(f"the server of {address} has no disk space left; free some")
    if state is not None and state.startswith(POSTGRESQL_DAMAGED):
        return DatabaseUnusable(f"{address} is damaged ({said}); see the server's log")
    away = state is None and (opening or error.connection_invalidated or _is_lost(error))
    if opening and (away or (state or "").startswith(("08", "28", "3D", "53", "57P"))):
        return DatabaseUnusable(
            f"{address} cannot be opened ({said}); check that the server runs and that name, "
            "user and password are right"
        )
    if away or (state is not None and state.startswith(POSTGRESQL_PASSING)):
        return DatabaseBusy(f"{address} does not answer for the moment ({said}); trying again")
    return None


def _is_lost(error: DBAPIError) -> bool:
    return type(error.orig).__name__ == "OperationalError"
