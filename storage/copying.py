"""A whole database into another one, of the same kind or not: every row, every number, proven."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Double, delete, func, select, text
from sqlalchemy import Table as SqlTable

from storage.address import read_address
from storage.database import Database, open_database, upgrade
from storage.errors import DatabaseUnusable
from storage.partitions import ensure_days
from storage.rows import ROWS_AT_ONCE, Row, append_rows
from storage.schema import ExemplarRow, SiteRow, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedTable:
    """One table as it stands on both sides.

    Attributes:
        sha256: Over its rows in the order of their keys, hex; the same on SQLite and PostgreSQL.
    """

    name: str
    n_rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress:
    """How far a copy has come.

    Attributes:
        n_rows: Of this table, so far.
        n_expected: Of this table, in all.
    """

    table: str
    n_rows: int
    n_expected: int


Told = Callable[[CopyProgress], None]


def copy_database(source: Database, target: str, *, told: Told | None = None) -> list[CopiedTable]:
    """Copy one unchanging state of `source` into the empty database at `target`.

    The target is made if need be. One transaction: a crash leaves it empty. Numbers, and which
    numbers were given before, are kept. Rows are read back and compared before anything is kept.
    Somebody may write to the source meanwhile; what is written after the beginning is not copied.

    Raises:
        DatabaseUnusable: The target holds something, or took something else than it was given.
    """
    upgrade(target)
    with (
        open_database(target) as into,
        source.read() as reading,
        into.write() as writing,
    ):
        _refuse_rows(writing, target)
        writing.execute(delete(SiteRow))
        return [_copy_table(reading, writing, table, told) for table in _tables()]


def refuse_rows(url: str) -> None:
    """Make the tables at `url` if need be, and see that they are empty.

    Raises:
        DatabaseUnusable: They are not.
    """
    upgrade(url)
    with open_database(url) as database, database.read() as connection:
        _refuse_rows(connection, url)


def _refuse_rows(connection: Connection, url: str) -> None:
    for table in _tables():
        n_rows = select(func.count()).select_from(table)
        if table.name != SiteRow.__tablename__ and connection.execute(n_rows).scalar_one():
            raise DatabaseUnusable(
                f"{read_address(url)} holds rows already ({table.name}); give an empty or a new one"
            )


def _tables() -> list[SqlTable]:
    """All of them, referred-to ones first."""
    return Table.metadata.sorted_tables


def _copy_table(
    reading: Connection, writing: Connection, table: SqlTable, told: Told | None
) -> CopiedTable:
    columns = [column.name for column in table.columns]
    n_expected = reading.execute(select(func.count()).select_from(table)).scalar_one()
    rows = _rows(reading, table)
    digest = hashlib.sha256()
    n_rows = 0
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        if table.name == ExemplarRow.__tablename__:
            captured = columns.index("captured_at_us")
            ensure_days(writing, [row[captured] for row in batch])
        append_rows(writing, table, columns, batch)
        _add(digest, batch)
        n_rows += len(batch)
        if told is not None:
            told(CopyProgress(table=table.name, n_rows=n_rows, n_expected=n_expected))
    _keep_numbers(reading, writing, table)
    copied = CopiedTable(name=table.name, n_rows=n_rows, sha256=digest.hexdigest())
    found = _read_back(writing, table)
    if found != copied:
        raise DatabaseUnusable(
            f"the copy of {table.name} is not what was read ({found.n_rows} of {n_rows} rows, or "
            "other content); nothing was kept, prove both disks"
        )
    return copied


def _read_back(connection: Connection, table: SqlTable) -> CopiedTable:
    digest = hashlib.sha256()
    n_rows = 0
    rows = _rows(connection, table)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        _add(digest, batch)
        n_rows += len(batch)
    return CopiedTable(name=table.name, n_rows=n_rows, sha256=digest.hexdigest())


def _rows(connection: Connection, table: SqlTable) -> Iterator[Row]:
    query = select(table).order_by(*table.primary_key.columns)
    zero_free = [i for i, column in enumerate(table.columns) if isinstance(column.type, Double)]
    streamed = {"yield_per": ROWS_AT_ONCE}
    for row in connection.execute(query, execution_options=streamed):
        yield _without_negative_zero(tuple(row), zero_free) if zero_free else tuple(row)


def _without_negative_zero(row: Row, places: list[int]) -> Row:
    """SQLite keeps -0.0 as 0, PostgreSQL as it is: both would be right, and differ."""
    if 0.0 not in row:
        return row
    return tuple(
        value + 0.0 if i in places and value == 0.0 else value for i, value in enumerate(row)
    )


def _add(digest: hashlib._Hash, rows: list[Row]) -> None:
    for row in rows:
        digest.update(repr(row).encode())


def _keep_numbers(reading: Connection, writing: Connection, table: SqlTable) -> None:
    """Numbers of rows that were deleted are not given again."""
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return
    given = _last_number(reading, table)
    if not given:
        return
    names = {"name": table.name, "given": given}
    if writing.dialect.name == "postgresql":
        writing.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :given)"), names)
        return
    writing.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), names)
    writing.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :given)"), names)


def _last_number(connection: Connection, table: SqlTable) -> int:
    names = {"name": table.name}
    if connection.dialect.name != "postgresql":
        seen = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(connection.execute(seen, names).scalar() or 0)
    find = text("SELECT pg_get_serial_sequence(:name, 'id')")
    sequence = connection.execute(find, names).scalar_one()
    last, is_called = connection.execute(
        text(f"SELECT last_value, is_called FROM {sequence}")
    ).one()
    return int(last) if is_called else 0
