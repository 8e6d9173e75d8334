"""Exemplars by the day: on PostgreSQL each UTC day is a partition, dropped as a whole.

Making a day waits only a moment for its locks: a backup that reads for an hour would stop the
writer at midnight. Rows that come meanwhile are stragglers; making the day later moves them there.
On SQLite there are no partitions, and a day is a range of rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVarTuple, cast

from sqlalchemy import Connection, Select, delete, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import aliased

from storage.schema import ExemplarRow, SightingRow
from storage.types import Span

Columns = TypeVarTuple("Columns")

logger = logging.getLogger(__name__)

DAY_US = 86_400_000_000
EPOCH = date(1970, 1, 1)
LAST_DAY = (date.max - EPOCH).days
STRAGGLERS = "exemplar_stragglers"
LOCK_PATIENCE_MS = 200
LOCK_TIMEOUT = "55P03"
KNOWN_DAYS = "noctule_known_days"
"""Where a connection keeps the days that it found; forgotten when a transaction is undone."""
PARTITIONS = text(
    "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'exemplar'::regclass"
)


def day_of(time_us: int) -> date | None:
    """The UTC day of a time, None beyond what calendars hold (before 1970, after 9999).

    >>> day_of(1_700_000_000_000_000)
    datetime.date(2023, 11, 14)
    >>> day_of(-1) is None
    True
    """
    days = time_us // DAY_US
    return EPOCH + timedelta(days=days) if 0 <= days <= LAST_DAY else None


def ensure_days(connection: Connection, times_us: Iterable[int]) -> None:
    """Make the partitions that exemplars of these times belong into; no question if all are known.

    Call it in the transaction that writes them.
    """
    if connection.dialect.name != "postgresql":
        return
    known: set[date] = connection.info.setdefault(KNOWN_DAYS, set())
    wanted = {day for day in map(day_of, set(times_us)) if day is not None} - known
    if not wanted:
        return
    known |= set(_read_days(connection))
    for day in sorted(wanted - known):
        if _make_day(connection, day):
            known.add(day)


def forget_days(connection: Connection) -> None:
    """After a transaction was undone: a day that it made is gone."""
    writes = connection.get_execution_options().get("noctule_writes", False)
    if writes and not connection.invalidated:
        connection.info.pop(KNOWN_DAYS, None)


def exemplar_days(connection: Connection) -> list[date]:
    """UTC days that have a partition, or, on SQLite, exemplars; oldest first."""
    if connection.dialect.name == "postgresql":
        return _read_days(connection)
    number = func.distinct(ExemplarRow.captured_at_us.op("/")(DAY_US))
    days = connection.execute(select(number).where(ExemplarRow.captured_at_us >= 0)).scalars()
    return sorted(day for day in (day_of(int(each) * DAY_US) for each in days) if day is not None)


def drop_day(connection: Connection, day: date) -> int:
    """Delete the exemplars of a UTC day, stragglers too; how many there were.

    Pictures and sightings stay: they are the caller's to judge.
    """
    first_us = (day - EPOCH).days * DAY_US
    of_day = (
        ExemplarRow.captured_at_us >= first_us,
        ExemplarRow.captured_at_us < first_us + DAY_US,
    )
    if connection.dialect.name != "postgresql" or day not in _read_days(connection):
        return connection.execute(delete(ExemplarRow).where(*of_day)).rowcount
    n = connection.execute(select(func.count()).select_from(ExemplarRow).where(*of_day))
    found = n.scalar_one()
    connection.execute(text(f"DROP TABLE {_name(day)}"))
    connection.info.get(KNOWN_DAYS, set()).discard(day)
    return found


def of_visits(
    connection: Connection,
    query: Select[*Columns],
    sightings: Sequence[int],
    *,
    span: Span | None = None,
) -> Select[*Columns]:
    """`query` for the exemplars of these visits; PostgreSQL reads only the days of the visits.

    A crop is taken during its visit; a day is allowed on either side. Whoever must find every row,
    whatever its time, such as an erasure, does without.

    Args:
        span: From the beginning of the first to the end of the last of these visits, for whoever
            knows; None: it is asked for.
    """
    if connection.dialect.name != "postgresql":
        return query.where(ExemplarRow.sighting_id.in_(sightings))
    span = span or _span_of(connection, sightings)
    visit = aliased(SightingRow)
    query = query.join(visit, visit.id == ExemplarRow.sighting_id).where(
        visit.id.in_(sightings),  # by the visit's column: else it is planned once for every day
        ExemplarRow.captured_at_us >= visit.first_seen_us - DAY_US,
        ExemplarRow.captured_at_us <= visit.last_seen_us + DAY_US,
    )
    if span.from_us is None or span.to_us is None:
        return query
    return query.where(  # as numbers, for then the planner does not even look at other days
        ExemplarRow.captured_at_us >= span.from_us - DAY_US,
        ExemplarRow.captured_at_us <= span.to_us + DAY_US,
    )


def _span_of(connection: Connection, sightings: Sequence[int]) -> Span:
    ends = select(func.min(SightingRow.first_seen_us), func.max(SightingRow.last_seen_us))
    found = connection.execute(ends.where(SightingRow.id.in_(sightings))).one()
    first_us, last_us = cast("tuple[int | None, int | None]", tuple(found))
    return Span(from_us=first_us, to_us=last_us)


def _make_day(connection: Connection, day: date) -> bool:
    """Whether the partition is there now; its rows among the stragglers move into it."""
    name = _name(day)
    first_us = (day - EPOCH).days * DAY_US
    span = {"first": first_us, "end": first_us + DAY_US}
    waits = connection.execute(text("SHOW lock_timeout")).scalar_one()
    try:
        with connection.begin_nested():
            _wait_at_most(connection, f"{LOCK_PATIENCE_MS}ms")
            connection.execute(text(f"CREATE TABLE {name} (LIKE exemplar INCLUDING ALL)"))
            connection.execute(
                text(
                    f"WITH moved AS (DELETE FROM {STRAGGLERS} WHERE captured_at_us >= :first "
                    f"AND captured_at_us < :end RETURNING *) INSERT INTO {name} SELECT * FROM moved"
                ),
                span,
            )
            connection.execute(
                text(
                    f"ALTER TABLE exemplar ATTACH PARTITION {name} "
                    f"FOR VALUES FROM ({span['first']}) TO ({span['end']})"
                )
            )
            _wait_at_most(connection, waits)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_TIMEOUT:
            raise
        logger.info("somebody reads the exemplars: those of %s wait for their partition", day)
        return False
    return True


def _wait_at_most(connection: Connection, time: str) -> None:
    connection.execute(select(func.set_config("lock_timeout", time, True)))


def _read_days(connection: Connection) -> list[date]:
    names = connection.execute(PARTITIONS).scalars()
    return sorted(_day_named(name) for name in names if name != STRAGGLERS)


def _name(day: date) -> str:
    return f"exemplar_{day:%Y%m%d}"


def _day_named(partition: Any) -> date:
    digits = str(partition).removeprefix("exemplar_")
    return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).date()
