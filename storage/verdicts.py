"""What operators decide about who it is: written down, carried out, taken back.

A verdict keeps the visits of both its sides as they were at that moment, so that it means the same
when persons change later. Nothing is overwritten: a verdict appends link events, and so does its
undoing. One transaction each; the second of two operators sees what the first one did.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from storage.database import Database
from storage.errors import NotFound, VerdictRefused
from storage.links import decide_identity
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
    view_of,
    views_of,
    visits_of,
)
from storage.schema import VerdictRow, VerdictSightingRow
from storage.standing import RESTORES, LinkEvent, holds, link_events, standing, undone_verdicts
from storage.types import (
    Decision,
    IdentityId,
    Side,
    SightingId,
    Verdict,
    VerdictId,
    VerdictKind,
    person_name,
    sighting_name,
    verdict_name,
)
from storage.verdict_list import read_verdict


def same(
    db: Database,
    sighting: SightingId,
    person: IdentityId,
    *,
    by: str,
    reason: str = "",
    now_us: int,
) -> Verdict:
    """This visit, with all parts of its unbroken view, is this person; pins it if it was so.

    Raises:
        NotFound: There is no such visit, or nobody of that name has visits.
        VerdictRefused: No operator's name.
    """
    ruling = Ruling(kind=VerdictKind.SAME, by=by, reason=reason, now_us=now_us, about=(person,))
    with db.write() as connection:
        view = view_of(connection, sighting)
        theirs = visits_of(connection, person)
        written = open_verdict(connection, ruling, a=numbers(view), b=numbers(theirs))
        _give(connection, ruling, written, view, person, f"this is {person_name(person)}")
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def not_same(
    db: Database,
    sighting: SightingId,
    person: IdentityId,
    *,
    as_new: bool = False,
    by: str,
    reason: str = "",
    now_us: int,
) -> Verdict:
    """This visit is not this person: unsure if it was said to be, and never to be linked so again.

    Args:
        as_new: Make it a new person instead of leaving it unsure; not where it is somebody else.

    Raises:
        NotFound: There is no such visit, or nobody of that name has visits.
        VerdictRefused: The person is known by this visit only; no operator's name.
    """
    ruling = Ruling(kind=VerdictKind.NOT_SAME, by=by, reason=reason, now_us=now_us, about=(person,))
    with db.write() as connection:
        view = view_of(connection, sighting)
        mine = set(numbers(view))
        others = [v for v in visits_of(connection, person) if v.id not in mine]
        if not others:
            raise VerdictRefused(
                f"{person_name(person)} is known by {sighting_name(sighting)} only, there is "
                "nobody to tell it apart from; `noctule verdict forget` leaves the visit to nobody"
            )
        theirs = (person, None) if as_new else (person,)
        moved = [visit for visit in view if visit.identity in theirs]
        becomes = _make_person(connection, ruling) if as_new and moved else None
        written = open_verdict(connection, ruling, a=mine, b=numbers(others))
        claim = f"this is not {person_name(person)}"
        _give(connection, ruling, written, moved, becomes, claim)
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def not_same_person(
    db: Database, one: IdentityId, other: IdentityId, *, by: str, reason: str = "", now_us: int
) -> Verdict:
    """These two persons are two: remembered; no visit moves.

    Raises:
        NotFound: Nobody of that name has visits.
        VerdictRefused: A person cannot be told apart from themselves; no operator's name.
    """
    _refuse_one(one, other)
    about = (one, other)
    ruling = Ruling(kind=VerdictKind.NOT_SAME, by=by, reason=reason, now_us=now_us, about=about)
    with db.write() as connection:
        a, b = visits_of(connection, one), visits_of(connection, other)
        written = open_verdict(connection, ruling, a=numbers(a), b=numbers(b))
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def merge(
    db: Database,
    one: IdentityId,
    other: IdentityId,
    *,
    keep: IdentityId | None = None,
    by: str,
    reason: str = "",
    now_us: int,
) -> Verdict:
    """These two persons are one, who keeps the lower of their numbers: the name known longer.

    Args:
        keep: Whose number stays instead.

    Raises:
        NotFound: Nobody of that name has visits.
        VerdictRefused: Both are one already, `keep` is neither of them, no operator's name.
    """
    _refuse_one(one, other)
    kept = min(one, other) if keep is None else keep
    if kept not in (one, other):
        raise VerdictRefused(
            f"{person_name(kept)} cannot be kept: expected {person_name(one)} or "
            f"{person_name(other)}, the two that are merged"
        )
    goes = other if kept == one else one
    ruling = Ruling(kind=VerdictKind.MERGE, by=by, reason=reason, now_us=now_us, about=(goes, kept))
    with db.write() as connection:
        moved, stay = visits_of(connection, goes), visits_of(connection, kept)
        written = open_verdict(connection, ruling, a=numbers(moved), b=numbers(stay))
        claim = f"{person_name(goes)} is {person_name(kept)}"
        _give(connection, ruling, written, moved, kept, claim)
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def split(
    db: Database,
    person: IdentityId,
    sightings: Collection[SightingId],
    *,
    by: str,
    reason: str = "",
    now_us: int,
) -> Verdict:
    """These visits of the person, with the other parts of their views, are a new person.

    Raises:
        NotFound: There is no such visit, or nobody of that name has visits.
        VerdictRefused: None or all of the person's visits, a visit of somebody else, no operator's
            name.
    """
    ruling = Ruling(kind=VerdictKind.SPLIT, by=by, reason=reason, now_us=now_us, about=(person,))
    with db.write() as connection:
        theirs = visits_of(connection, person)
        leaving = _leaving(connection, person, theirs, sightings)
        stay = sorted(set(numbers(theirs)) - set(numbers(leaving)))
        if not stay or not leaving:
            raise VerdictRefused(
                f"expected some of the {len(theirs)} visits of {person_name(person)}, got "
                f"{'all' if leaving else 'none'} of them; "
                f"`noctule query trajectory {person_name(person)}` lists them"
            )
        new = _make_person(connection, ruling)
        written = open_verdict(connection, ruling, a=numbers(leaving), b=stay)
        claim = f"this is not {person_name(person)} but {person_name(new)}"
        _give(connection, ruling, written, leaving, new, claim)
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def forget(db: Database, person: IdentityId, *, by: str, reason: str = "", now_us: int) -> Verdict:
    """The person's visits are nobody's, and not compared any more until this is undone.

    Nothing is deleted.

    Raises:
        NotFound: Nobody of that name has visits.
        VerdictRefused: No operator's name.
    """
    ruling = Ruling(kind=VerdictKind.FORGET, by=by, reason=reason, now_us=now_us, about=(person,))
    with db.write() as connection:
        theirs = visits_of(connection, person)
        written = open_verdict(connection, ruling, a=numbers(theirs), b=())
        claim = f"{person_name(person)} is to be forgotten"
        _give(connection, ruling, written, theirs, None, claim)
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def undo(db: Database, verdict: VerdictId, *, by: str, reason: str = "", now_us: int) -> Verdict:
    """Take a verdict back; taking back an `undo` brings the verdict before it again.

    Each of its visits becomes what it would be without it: later verdicts stay, what the linker or
    refine said later on the strength of it gives way, and later parts of the same unbroken view go
    along.

    Raises:
        NotFound: There is no such verdict.
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
        becomes = _restore(connection, ruling, written, touched, events, before, now)
        for visit in later:
            change = becomes.get(visit.track)
            if (
                change is not None
                and change[0] == visit.identity
                and _is_free(events[visit.id], now)
            ):
                claim = f"{verdict_name(verdict)} does not hold, and this is a part of that view"
                link = said_by_operator(ruling, change[1], f"{claim} ({verdict_name(written.id)})")
                append(connection, ruling, written, Step(visit=visit, link=link))
        close_verdict(connection, ruling, written)
        return read_verdict(connection, written.id)


def _give(
    connection: Connection,
    ruling: Ruling,
    written: Written,
    visits: Sequence[Visit],
    person: IdentityId | None,
    claim: str,
) -> None:
    link = said_by_operator(ruling, person, f"{claim} ({verdict_name(written.id)})")
    for visit in visits:
        append(connection, ruling, written, Step(visit=visit, link=link))


def _restore(
    connection: Connection,
    ruling: Ruling,
    written: Written,
    touched: Sequence[Visit],
    events: Mapping[SightingId, Sequence[LinkEvent]],
    before: Mapping[VerdictId, VerdictId],
    now: Mapping[VerdictId, VerdictId],
) -> dict[str, tuple[IdentityId | None, IdentityId | None]]:
    """Repeat the event that holds now wherever it is another one than before.

    Returns:
        Per unbroken view that changed: who it was and who it is.
    """
    becomes = {}
    for visit in touched:
        holding = standing(events[visit.id], now)
        if holding is standing(events[visit.id], before):
            continue
        what = f"undoes {verdict_name(ruling.undoes)}" if ruling.undoes else ""
        link = replace(
            holding.link,
            identity=holding.identity,
            reason=f"{ruling.by} {what} ({verdict_name(written.id)}), so again: "
            f"{holding.link.reason}",
            grounds={**holding.link.grounds, RESTORES: holding.sequence},
        )
        append(connection, ruling, written, Step(visit=visit, link=link))
        becomes[visit.track] = visit.identity, holding.identity
    return becomes


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


def _make_person(connection: Connection, ruling: Ruling) -> IdentityId:
    new = replace(said_by_operator(ruling, None, ""), decision=Decision.NEW)
    made = decide_identity(connection, new, now_us=ruling.now_us)
    if made is None:
        raise ValueError("a new person: expected a number, got none")
    return made


def _leaving(
    connection: Connection,
    person: IdentityId,
    theirs: Sequence[Visit],
    sightings: Collection[SightingId],
) -> list[Visit]:
    """The person's parts of these visits' views, ascending."""
    tracks = set()
    for sighting in sightings:
        (visit,) = (v for v in view_of(connection, sighting) if v.id == sighting)
        if visit.identity != person:
            raise VerdictRefused(
                f"{sighting_name(sighting)} is no visit of {person_name(person)}; "
                f"`noctule query trajectory {person_name(person)}` lists them"
            )
        tracks.add(visit.track)
    return [visit for visit in theirs if visit.track in tracks]


def _refuse_one(one: IdentityId, other: IdentityId) -> None:
    if one == other:
        raise VerdictRefused(f"expected two persons, got {person_name(one)} twice")
