"""What operators decide about who it is: written down, carried out, taken back.

A verdict keeps the visits of both its sides as they were at that moment, so that it means the same
when persons change later. Nothing is overwritten: a verdict appends link events, and so does its
undoing. One transaction each; the second of two operators sees what the first one did.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from storage.database import Database
from storage.errors import VerdictRefused
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
    visits_of,
)
from storage.types import (
    Decision,
    IdentityId,
    SightingId,
    Verdict,
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


def _give(
    connection: Connection,
    ruling: Ruling,
    written: Written,
    visits: Sequence[Visit],
    person: IdentityId | None,
    claim: str,
) -> None:
    link = said_by_operator(ruling, person, f"{claim} ({verdict_name(written.id)})")
    append(connection, ruling, written, [Step(visit=visit, link=link) for visit in visits])


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
