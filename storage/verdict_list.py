"""What operators decided so far, and what follows from it for whoever links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select
from sqlalchemy.orm import aliased

from storage.database import Database
from storage.errors import NotFound
from storage.rows import portions
from storage.schema import LinkEventRow, SightingRow, VerdictRow, VerdictSightingRow
from storage.standing import holds, undone_verdicts
from storage.types import Moved, Side, SightingId, Verdict, VerdictId, VerdictKind, verdict_name

TOGETHER = frozenset({VerdictKind.SAME, VerdictKind.MERGE})
APART = frozenset({VerdictKind.NOT_SAME, VerdictKind.SPLIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One verdict as a rule: the visits of `a` are, or are not, the person of the visits of `b`."""

    verdict: VerdictId
    is_same: bool
    a: frozenset[SightingId]
    b: frozenset[SightingId]

    def is_about(self, one: SightingId, other: SightingId) -> bool:
        """Whether the two visits are on different sides."""
        return (one in self.a and other in self.b) or (one in self.b and other in self.a)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """All verdicts that hold.

    Attributes:
        said: Newest first; where two contradict each other, the newer one counts.
        forgotten: Visits that must not be compared or linked.
    """

    said: tuple[Constraint, ...]
    forgotten: frozenset[SightingId]

    def between(self, one: SightingId, other: SightingId) -> bool | None:
        """Whether the two visits show one person; None: nobody said anything.

        >>> split = Constraint(verdict=VerdictId(2), is_same=False, a=frozenset({1}),
        ...     b=frozenset({2}))
        >>> said = Constraints(said=(split,), forgotten=frozenset())
        >>> said.between(SightingId(2), SightingId(1)), said.between(SightingId(1), SightingId(3))
        (False, None)
        """
        return next((rule.is_same for rule in self.said if rule.is_about(one, other)), None)


def constraints(db: Database, *, since_us: int | None = None) -> Constraints:
    """What may not be linked otherwise.

    A verdict speaks of the visits that were there when it was made; later parts of the same view
    follow their view.

    Args:
        since_us: Only visits that lasted until then or later; None for all.
    """
    recent = [] if since_us is None else [SightingRow.last_seen_us >= since_us]
    query = (
        select(
            VerdictRow.id,
            VerdictRow.kind,
            VerdictSightingRow.sighting_id,
            VerdictSightingRow.side,
            SightingRow.identity_id,
        )
        .join(VerdictSightingRow, VerdictSightingRow.verdict_id == VerdictRow.id)
        .join(SightingRow, SightingRow.id == VerdictSightingRow.sighting_id)
        .where(VerdictRow.kind != VerdictKind.UNDO, *recent)
        .order_by(VerdictRow.id.desc())
    )
    with db.read() as connection:
        undone_by = undone_verdicts(connection)
        rows = connection.execute(query).all()
    sides: dict[VerdictId, dict[Side, set[SightingId]]] = {}
    kinds: dict[VerdictId, VerdictKind] = {}
    forgotten = set()
    for row in rows:
        if not holds(row.id, undone_by):
            continue
        kinds[row.id] = VerdictKind(row.kind)
        sides.setdefault(row.id, {side: set() for side in Side})[Side(row.side)].add(
            row.sighting_id
        )
        if row.kind == VerdictKind.FORGET and row.identity_id is None:
            forgotten.add(SightingId(row.sighting_id))
    return Constraints(
        said=tuple(
            Constraint(
                verdict=verdict,
                is_same=kinds[verdict] in TOGETHER,
                a=frozenset(side[Side.A]),
                b=frozenset(side[Side.B]),
            )
            for verdict, side in sides.items()
            if kinds[verdict] is not VerdictKind.FORGET and all(side.values())
        ),
        forgotten=frozenset(forgotten),
    )


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
