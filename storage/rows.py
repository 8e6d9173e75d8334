"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite. Also: their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DBAPIError

from storage.schema import Table

if TYPE_CHECKING:
    import psycopg

Row = tuple[Any, ...]
Key = TypeVar("Key")

KEYS_PER_QUERY = 500
ROWS_AT_ONCE = 1000
"""Of a long answer, that are in memory at once."""


def portions(keys: Sequence[Key], *, n: int = KEYS_PER_QUERY) -> Iterator[Sequence[Key]]:
    """The keys in their order, as many at a time as one question may well name.

    >>> list(portions("abcde", n=2))
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(keys), n):
        yield keys[start : start + n]


def insert_rows(
    connection: Connection, table: type[Table], columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Append rows, in the order given; [] does nothing.

    Args:
        columns: What each row holds, in this order; the rest takes its default.
    """
    append_rows(connection, Table.metadata.tables[table.__tablename__], columns, rows)


def append_rows(
    connection: Connection, table: SqlTable, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """`insert_rows` for a table that has no class."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        types = _types(table, tuple(columns))
        copy_rows(connection, table.name, columns, types, rows)
        return
    places = ", ".join(repeat("?", len(columns)))
    names = ", ".join(f'"{name}"' for name in columns)
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({names}) VALUES ({places})',
        list(rows),
    )


def next_numbers(connection: Connection, table: type[Table], n: int) -> list[int]:
    """The numbers of the next `n` rows, never given before; insert rows with them in this order."""
    name = table.__tablename__
    if n == 0:
        return []
    if connection.dialect.name == "postgresql":
        draw = text(
            "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :n)"
        )
        return [
            int(number) for number in connection.execute(draw, {"name": name, "n": n}).scalars()
        ]
    given = connection.execute(
        text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": name}
    ).scalar()
    first = (given or 0) + 1
    return list(range(first, first + n))


@cache
def _types(table: SqlTable, columns: tuple[str, ...]) -> tuple[str, ...]:
    spoken = PGDialect()  # type: ignore[no-untyped-call]
    return tuple(table.columns[name].type.compile(dialect=spoken).lower() for name in columns)


def copy_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Sequence[Row],
) -> None:
    """Append rows on PostgreSQL, sent as values of these types; [] does nothing."""
    if not rows:
        return
    from psycopg import Error

    raw: psycopg.Connection[Any] | None = connection.connection.driver_connection
    if raw is None:
        raise RuntimeError("a connection of the pool has no driver connection")
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f'COPY "{table}" ({names}) FROM STDIN (FORMAT BINARY)'
    try:
        with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except Error as error:
        lost = raw.closed
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement,
            None,
            error,
            Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=connection.dialect,
        ) from error
