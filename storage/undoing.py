"""Taking a verdict back: its visits become what they would be without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from storage.database import Database
from storage.errors import NotFound, VerdictRefused
from storage.rulings import (
    Ruling,
    Step,
    Visit,
    Written,
    append,
    close_verdict,
    numbers,
    open_verdict,
    said_by_operator,
    views_of,
)
from storage.schema import VerdictRow, VerdictSightingRow
from storage.standing import RESTORES, LinkEvent, holds, link_events, standing, undone_verdicts
from storage.tombstones import refuse_erased
from storage.types import (
    Side,
    SightingId,
    Verdict,
    VerdictId,
    VerdictKind,
    verdict_name,
)
from storage.verdict_list import read_verdict


def undo(db: Database, verdict: VerdictId, *, by: str, reason: str = "", now_us: int) -> Verdict:
    """Take a verdict back; taking back an `undo` brings the verdict before it again.

    Each of its visits becomes what it would be without it: later verdicts stay, what the linker or
    refine said later on the strength of it gives way, and later parts of the same unbroken view go
    along.

    Raises:
        NotFound: There is no such verdict.
        PersonErased: A visit would be somebody's again who was erased since.
        VerdictRefused: It was undone already; no operator's name.
    """
    ruling = Ruling(kind=VerdictKind.UNDO, by=by, reason=reason, now_us=now_us, undoes=verdict)
    with db.write() as connection:
        before = undone_verdicts(connection)
        chain = _chain(connection, verdict, before)
        sides = _sides(connection, chain)
        visits = views_of(connection, sides[Side.A])
        events = link_events(connection, [visit.id for visit in visits])
        touched = [v for v in visits if any(e.verdict in chain for e in events[v.id])]
        later = _later_parts(visits, touched, events, chain)
        written = open_verdict(
            connection, ruling, a=sides[Side.A] | set(numbers(later)), b=sides[Side.B]
        )
        now = before | {verdict: written.id}
        steps = _restoring(connection, ruling, written, touched, events, before, now)
        append(connection, ruling, written, steps)
        free = [visit for visit in later if _is_free(events[visit.id], now)]
        append(connection, ruling, written, _going_along(ruling, written, steps, free))
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def _restoring(
    connection: Connection,
    ruling: Ruling,
    written: Written,
    touched: Sequence[Visit],
    events: Mapping[SightingId, Sequence[LinkEvent]],
    before: Mapping[VerdictId, VerdictId],
    now: Mapping[VerdictId, VerdictId],
) -> list[Step]:
    """Repeat the event that holds now wherever it is another one than before."""
    held = {v.id: standing(events[v.id], now) for v in touched}
    changed = [v for v in touched if held[v.id] is not standing(events[v.id], before)]
    again = (held[visit.id].identity for visit in changed)
    refuse_erased(connection, {who for who in again if who is not None})
    what = f"undoes {verdict_name(ruling.undoes)}" if ruling.undoes else ""
    opening = f"{ruling.by} {what} ({verdict_name(written.id)}), so again: "
    return [
        Step(
            visit=visit,
            link=replace(
                holding.link,
                identity=holding.identity,
                reason=opening + holding.link.reason,
                grounds={**holding.link.grounds, RESTORES: holding.sequence},
            ),
        )
        for visit in changed
        for holding in (held[visit.id],)
    ]


def _going_along(
    ruling: Ruling, written: Written, steps: Sequence[Step], parts: Sequence[Visit]
) -> list[Step]:
    """Later parts of a view that changed, where they were who the view was."""
    becomes = {step.visit.track: (step.visit.identity, step.link.identity) for step in steps}
    undone = "" if ruling.undoes is None else f"{verdict_name(ruling.undoes)} does not hold, and "
    claim = f"{undone}this is a part of that view ({verdict_name(written.id)})"
    return [
        Step(visit=part, link=said_by_operator(ruling, becomes[part.track][1], claim))
        for part in parts
        if part.track in becomes and part.identity == becomes[part.track][0]
    ]


def _chain(
    connection: Connection, verdict: VerdictId, undone_by: Mapping[VerdictId, VerdictId]
) -> tuple[VerdictId, ...]:
    """The verdict, what it undoes, what that undoes ...: all whose events its undoing concerns."""
    undoes = {by: of for of, by in undone_by.items()}
    query = select(VerdictRow.id).where(VerdictRow.id == verdict)
    if connection.execute(query).first() is None:
        raise NotFound(
            f"no verdict is called {verdict_name(verdict)}; `noctule verdict list` lists all"
        )
    if verdict in undone_by:
        last = undone_by[verdict]
        while last in undone_by:
            last = undone_by[last]
        state = "holds again" if holds(verdict, undone_by) else "does not hold"
        raise VerdictRefused(
            f"{verdict_name(verdict)} was undone by {verdict_name(undone_by[verdict])} already and "
            f"{state}; to change that, undo {verdict_name(last)}"
        )
    chain = [verdict]
    while chain[-1] in undoes:
        chain.append(undoes[chain[-1]])
    return tuple(chain)


def _sides(connection: Connection, chain: Sequence[VerdictId]) -> dict[Side, set[SightingId]]:
    query = select(VerdictSightingRow.sighting_id, VerdictSightingRow.side).where(
        VerdictSightingRow.verdict_id.in_(chain)
    )
    sides: dict[Side, set[SightingId]] = {side: set() for side in Side}
    for row in connection.execute(query):
        sides[Side(row.side)].add(SightingId(row.sighting_id))
    return {Side.A: sides[Side.A], Side.B: sides[Side.B] - sides[Side.A]}


def _later_parts(
    visits: Sequence[Visit],
    touched: Sequence[Visit],
    events: Mapping[SightingId, Sequence[LinkEvent]],
    chain: Sequence[VerdictId],
) -> list[Visit]:
    """Parts of the same views that were recorded after the verdict; it says nothing of them."""
    since: dict[str, int] = {}
    for visit in touched:
        first = min(event.id for event in events[visit.id] if event.verdict in chain)
        since[visit.track] = min(first, since.get(visit.track, first))
    decided = set(numbers(touched))
    return [
        visit
        for visit in visits
        if visit.id not in decided
        and visit.track in since
        and events[visit.id][0].id > since[visit.track]
    ]


def _is_free(events: Sequence[LinkEvent], undone_by: Mapping[VerdictId, VerdictId]) -> bool:
    """Whether no verdict but undoings ever decided about this part itself."""
    undoings = set(undone_by.values())
    return all(event.verdict is None or event.verdict in undoings for event in events)
