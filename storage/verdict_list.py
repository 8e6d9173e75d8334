"""What operators decided so far, as it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select
from sqlalchemy.orm import aliased

from storage.database import Database
from storage.errors import NotFound
from storage.rows import portions
from storage.schema import LinkEventRow, SightingRow, VerdictRow, VerdictSightingRow
from storage.standing import holds, undone_verdicts
from storage.types import (
    APART,
    TOGETHER,
    Moved,
    Side,
    SightingId,
    Verdict,
    VerdictId,
    VerdictKind,
    verdict_name,
)


def forgotten_visits(db: Database) -> frozenset[SightingId]:
    """Visits that a `forget` that holds left to nobody: not to be compared or linked."""
    query = (
        select(VerdictRow.id, VerdictSightingRow.sighting_id)
        .join(VerdictSightingRow, VerdictSightingRow.verdict_id == VerdictRow.id)
        .join(SightingRow, SightingRow.id == VerdictSightingRow.sighting_id)
        .where(VerdictRow.kind == VerdictKind.FORGET, SightingRow.identity_id.is_(None))
    )
    with db.read() as connection:
        undone_by = undone_verdicts(connection)
        rows = connection.execute(query).all()
    return frozenset(SightingId(row.sighting_id) for row in rows if holds(row.id, undone_by))


def verdicts(
    db: Database, *, of: SightingId | None = None, limit: int | None = None
) -> list[Verdict]:
    """What was decided, newest first; at most the newest `limit`.

    Args:
        of: Only what concerns this visit. Served by ix_verdict_sighting_of_sighting.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit: expected at least 1, got {limit}")
    query = select_verdicts().order_by(VerdictRow.id.desc()).limit(limit)
    if of is not None:
        about = select(VerdictSightingRow.verdict_id).where(VerdictSightingRow.sighting_id == of)
        query = query.where(VerdictRow.id.in_(about))
    with db.read() as connection:
        return read_verdicts(connection, query)


def find_verdict(db: Database, verdict: VerdictId) -> Verdict:
    """The verdict of this number.

    Raises:
        NotFound: There is none.
    """
    with db.read() as connection:
        return read_verdict(connection, verdict)


def read_verdict(connection: Connection, verdict: VerdictId) -> Verdict:
    """As `find_verdict`, within the caller's transaction."""
    found = read_verdicts(connection, select_verdicts().where(VerdictRow.id == verdict))
    if not found:
        raise NotFound(
            f"no verdict is called {verdict_name(verdict)}; `noctule verdict list` lists all"
        )
    return found[0]


def select_verdicts() -> Select[*tuple[Any, ...]]:
    return select(
        VerdictRow.id,
        VerdictRow.kind,
        VerdictRow.made_by,
        VerdictRow.made_at_us,
        VerdictRow.reason,
        VerdictRow.undoes_id,
    )


def read_verdicts(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Verdict]:
    rows = connection.execute(query).all()
    numbers = [row.id for row in rows]
    undone_by = undone_verdicts(connection)
    sides: defaultdict[tuple[int, str], list[SightingId]] = defaultdict(list)
    moved: defaultdict[int, list[Moved]] = defaultdict(list)
    contradicted: dict[int, tuple[VerdictId, ...]] = {}
    for chunk in portions(numbers):
        for row in connection.execute(_sides_of(chunk)):
            sides[row.verdict_id, row.side].append(SightingId(row.sighting_id))
        for row in connection.execute(_moves_of(chunk)):
            moved[row.verdict_id].append(
                Moved(sighting=row.sighting_id, before=row.before, after=row.after)
            )
        contradicted |= _contradicted(connection.execute(_opposites_of(chunk)), undone_by)
    return [
        Verdict(
            id=VerdictId(row.id),
            kind=VerdictKind(row.kind),
            made_by=row.made_by,
            made_at_us=row.made_at_us,
            reason=row.reason,
            a=tuple(sides[row.id, Side.A]),
            b=tuple(sides[row.id, Side.B]),
            moved=tuple(moved[row.id]),
            contradicts=contradicted.get(row.id, ()),
            undoes=row.undoes_id,
            undone_by=undone_by.get(row.id),
            holds=holds(row.id, undone_by),
        )
        for row in rows
    ]


def _sides_of(verdicts: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            VerdictSightingRow.verdict_id, VerdictSightingRow.sighting_id, VerdictSightingRow.side
        )
        .where(VerdictSightingRow.verdict_id.in_(verdicts))
        .order_by(VerdictSightingRow.verdict_id, VerdictSightingRow.sighting_id)
    )


def _moves_of(verdicts: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Their link events beside the events before; those of a verdict concern its side a only."""
    event, earlier = aliased(LinkEventRow), aliased(LinkEventRow)
    return (
        select(
            VerdictSightingRow.verdict_id,
            VerdictSightingRow.sighting_id,
            earlier.identity_id.label("before"),
            event.identity_id.label("after"),
        )
        .join(
            event,
            and_(
                event.sighting_id == VerdictSightingRow.sighting_id,
                event.verdict_id == VerdictSightingRow.verdict_id,
            ),
        )
        .join(
            earlier,
            and_(earlier.sighting_id == event.sighting_id, earlier.sequence == event.sequence - 1),
        )
        .where(VerdictSightingRow.verdict_id.in_(verdicts), VerdictSightingRow.side == Side.A)
        .order_by(VerdictSightingRow.verdict_id, VerdictSightingRow.sighting_id)
    )


def _opposites_of(verdicts: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """On which sides older verdicts of the opposite kind share visits with these."""
    mine, theirs = aliased(VerdictSightingRow), aliased(VerdictSightingRow)
    newer, older = aliased(VerdictRow), aliased(VerdictRow)
    return (
        select(
            mine.verdict_id.label("newer"),
            theirs.verdict_id.label("older"),
            mine.side.label("my_side"),
            theirs.side.label("their_side"),
        )
        .distinct()
        .join(theirs, theirs.sighting_id == mine.sighting_id)
        .join(newer, newer.id == mine.verdict_id)
        .join(older, older.id == theirs.verdict_id)
        .where(
            mine.verdict_id.in_(verdicts),
            older.id < newer.id,
            (newer.kind.in_(TOGETHER) & older.kind.in_(APART))
            | (newer.kind.in_(APART) & older.kind.in_(TOGETHER)),
        )
    )


def _contradicted(
    rows: Iterable[Row[*tuple[Any, ...]]], undone_by: Mapping[VerdictId, VerdictId]
) -> dict[int, tuple[VerdictId, ...]]:
    """Per newer verdict, the older ones that hold and speak of a pair of its visits."""
    shared: defaultdict[tuple[int, VerdictId], set[tuple[Side, Side]]] = defaultdict(set)
    for row in rows:
        shared[row.newer, VerdictId(row.older)].add((Side(row.my_side), Side(row.their_side)))
    found: defaultdict[int, list[VerdictId]] = defaultdict(list)
    for (newer, older), sides in sorted(shared.items()):
        straight = {(Side.A, Side.A), (Side.B, Side.B)} <= sides
        crossed = {(Side.A, Side.B), (Side.B, Side.A)} <= sides
        if (straight or crossed) and holds(older, undone_by):
            found[newer].append(older)
    return {newer: tuple(older) for newer, older in found.items()}
