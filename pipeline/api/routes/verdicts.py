"""What operators decide about who it is: acts at once, says what changed, can be undone.

Who may see only some cameras decides only about what these saw: a verdict that would move a visit
to another camera is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from pipeline.api.answers import Answer, Page, Told
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Refused
from pipeline.api.paging import CursorQuery, LimitQuery, from_cursor, next_of
from pipeline.api.routing import Routes
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import (
    VISIT,
    PersonName,
    VerdictPath,
    VisitName,
    Words,
    to_person,
    to_verdict,
    to_visit,
)
from storage import verdicts as say
from storage.browsing import browse_verdicts, find_person, find_sighting, visible_verdict
from storage.desk.types import Role
from storage.errors import NotFound
from storage.scope import cameras_of, is_within
from storage.types import (
    IdentityId,
    SightingId,
    Verdict,
    VerdictId,
    VerdictKind,
    person_name,
    sighting_name,
    verdict_name,
)
from storage.undoing import undo
from streams.moments import iso_time

routes = Routes("verdicts")
_MANY = 500
Reason = Annotated[Words, Field(description="Why, for those who read it later.")]
VisitQuery = Annotated[
    str | None, Query(pattern=VISIT, max_length=30, description="Only about this visit.")
]


class MovedAnswer(Answer):
    """What a verdict did to one visit."""

    sighting: str
    before: str | None = Field(description="Null: unsure.")
    after: str | None = Field(description="Null: unsure.")


class VerdictAnswer(Answer):
    """What an operator decided, and what became of it."""

    verdict: str = Field(examples=["V3"])
    kind: VerdictKind
    made_by: str
    made_at: str
    made_at_us: int
    reason: str
    a: list[str] = Field(description="Visits that were decided about.")
    b: list[str] = Field(description="Visits that they were held against.")
    moved: list[MovedAnswer]
    n_moved: int = Field(description="Visits that are somebody else now.")
    says: str = Field(
        description="What changed, in words.",
        examples=["P-0412 and P-0398 are now one person, P-0398; 7 visits moved"],
    )
    contradicts: list[str] = Field(description="Older verdicts that say the opposite.")
    undoes: str | None
    undone_by: str | None
    holds: bool


class SameVisit(Answer):
    """This visit is this person."""

    sighting: VisitName
    identity: PersonName
    reason: Reason = ""


class NotSameVisit(SameVisit):
    """This visit is not this person."""

    as_new: bool = Field(False, description="It is a new person, instead of unsure.")


class TwoPersons(Answer):
    """About two persons."""

    one: PersonName
    other: PersonName
    reason: Reason = ""


class Merge(TwoPersons):
    """These two persons are one."""

    keep: PersonName | None = Field(
        None, description="Whose number stays; null: the lower one, known longer."
    )


class Split(Answer):
    """These visits of a person are somebody else."""

    identity: PersonName
    sightings: list[VisitName] = Field(min_length=1, max_length=_MANY)
    reason: Reason = ""


class Forget(Answer):
    """A person's visits are nobody's, and compared with nobody; nothing is deleted."""

    identity: PersonName
    reason: Reason = ""


class Undo(Answer):
    """Taking a verdict back."""

    reason: Reason = ""


@routes.get("/verdicts", least=Role.VIEWER)
def list_verdicts(
    visitor: VisitorOf,
    desk: DeskOf,
    cursor: CursorQuery,
    sighting: VisitQuery = None,
    limit: LimitQuery = 50,
) -> Page[VerdictAnswer]:
    """What was decided, newest first, and whether it holds."""
    before = None if cursor is None else from_cursor(cursor, n=1)
    desk.viewings.write_down(visitor, "view verdicts", sighting or "", cursor=cursor)
    found = browse_verdicts(
        desk.database,
        scope=visitor.cameras,
        of=None if sighting is None else [to_visit(sighting)],
        before=None if before is None else VerdictId(before[0]),
        limit=limit + 1,
    )
    return Page(
        items=to_verdict_answers(desk, visitor, found[:limit]),
        next=next_of([(verdict.id,) for verdict in found], limit=limit),
    )


@routes.get("/verdicts/{verdict}", least=Role.VIEWER)
def show_verdict(verdict: VerdictPath, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """One verdict."""
    found = visible_verdict(desk.database, to_verdict(verdict), scope=visitor.cameras)
    desk.viewings.write_down(visitor, "view verdict", verdict_name(found.id))
    return _answer(desk, visitor, found)


@routes.post("/verdicts/same", least=Role.OPERATOR)
def say_same(asked: SameVisit, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """This visit, with all parts of its unbroken view, is this person."""
    visit, person = _visit(desk, visitor, asked.sighting), _person(desk, visitor, asked.identity)
    return _answer(
        desk,
        visitor,
        say.same(
            desk.database,
            visit,
            person,
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


@routes.post("/verdicts/not-same", least=Role.OPERATOR)
def say_not_same(asked: NotSameVisit, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """This visit is not this person, and not to be linked so again."""
    visit, person = _visit(desk, visitor, asked.sighting), _person(desk, visitor, asked.identity)
    return _answer(
        desk,
        visitor,
        say.not_same(
            desk.database,
            visit,
            person,
            as_new=asked.as_new,
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


@routes.post("/verdicts/not-same-persons", least=Role.OPERATOR)
def say_two(asked: TwoPersons, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """These two persons are two; no visit moves."""
    one, other = _whole(desk, visitor, asked.one, asked.other)
    return _answer(
        desk,
        visitor,
        say.not_same_person(
            desk.database,
            one,
            other,
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


@routes.post("/verdicts/merge", least=Role.OPERATOR)
def say_merge(asked: Merge, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """These two persons are one."""
    one, other = _whole(desk, visitor, asked.one, asked.other)
    return _answer(
        desk,
        visitor,
        say.merge(
            desk.database,
            one,
            other,
            keep=None if asked.keep is None else to_person(asked.keep),
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


@routes.post("/verdicts/split", least=Role.OPERATOR)
def say_split(asked: Split, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """These visits of the person are a new person."""
    person = _person(desk, visitor, asked.identity)
    leaving = [_visit(desk, visitor, name) for name in asked.sightings]
    return _answer(
        desk,
        visitor,
        say.split(
            desk.database,
            person,
            leaving,
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


@routes.post("/verdicts/forget", least=Role.OPERATOR)
def say_forget(asked: Forget, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """Leave the person's visits to nobody; deletes nothing."""
    (person,) = _whole(desk, visitor, asked.identity)
    return _answer(
        desk,
        visitor,
        say.forget(
            desk.database,
            person,
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


@routes.post("/verdicts/{verdict}/undo", least=Role.OPERATOR)
def say_undo(verdict: VerdictPath, asked: Undo, visitor: VisitorOf, desk: DeskOf) -> VerdictAnswer:
    """Take a verdict back; undoing an undo brings it again."""
    found = visible_verdict(desk.database, to_verdict(verdict), scope=visitor.cameras)
    return _answer(
        desk,
        visitor,
        undo(
            desk.database,
            found.id,
            by=visitor.name,
            reason=asked.reason,
            now_us=desk.clock.now_us(),
        ),
    )


def _answer(desk: Desk, visitor: Visitor, verdict: Verdict) -> VerdictAnswer:
    (told,) = to_verdict_answers(desk, visitor, [verdict])
    return told


def to_verdict_answers(
    desk: Desk, visitor: Visitor, verdicts: Sequence[Verdict]
) -> list[VerdictAnswer]:
    """Verdicts about visits that may be seen; others that they were held against are left out."""
    visits = {each for verdict in verdicts for each in (*verdict.a, *verdict.b)}
    if visitor.cameras is not None:
        places = cameras_of(desk.database, visits)
        visits = {each for each in visits if each in places and visitor.sees(places[each])}
    told = desk.told_words(visitor, [verdict.reason for verdict in verdicts])
    older = _visible(desk, visitor, {each for verdict in verdicts for each in verdict.contradicts})
    return [_to_verdict(verdict, visits, older, told) for verdict in verdicts]


def _visible(
    desk: Desk, visitor: Visitor, verdicts: Collection[VerdictId]
) -> Collection[VerdictId]:
    """Those that may be seen."""
    if visitor.cameras is None:
        return verdicts
    found = set()
    for number in verdicts:
        with suppress(NotFound):
            found.add(visible_verdict(desk.database, number, scope=visitor.cameras).id)
    return found


def _to_verdict(
    verdict: Verdict,
    visits: Collection[SightingId],
    older: Collection[VerdictId],
    told: Told,
) -> VerdictAnswer:
    moved = [
        MovedAnswer(
            sighting=sighting_name(move.sighting),
            before=None if move.before is None else person_name(move.before),
            after=None if move.after is None else person_name(move.after),
        )
        for move in verdict.moved
        if move.sighting in visits
    ]
    return VerdictAnswer(
        verdict=verdict_name(verdict.id),
        kind=verdict.kind,
        made_by=verdict.made_by,
        made_at=iso_time(verdict.made_at_us),
        made_at_us=verdict.made_at_us,
        reason=told.words(verdict.reason),
        a=[sighting_name(each) for each in verdict.a if each in visits],
        b=[sighting_name(each) for each in verdict.b if each in visits],
        moved=moved,
        n_moved=sum(move.before != move.after for move in moved),
        says=_words(verdict, moved),
        contradicts=[verdict_name(each) for each in verdict.contradicts if each in older],
        undoes=None if verdict.undoes is None else verdict_name(verdict.undoes),
        undone_by=None if verdict.undone_by is None else verdict_name(verdict.undone_by),
        holds=verdict.holds,
    )


def _words(verdict: Verdict, moved: Collection[MovedAnswer]) -> str:
    n = sum(move.before != move.after for move in moved)
    after = sorted({move.after or "unsure" for move in moved})
    before = sorted({move.before or "unsure" for move in moved})
    became = f"{', '.join(before)} became {', '.join(after)}; " if n else ""
    match verdict.kind:
        case VerdictKind.MERGE if after:
            names = sorted({*before, *after})
            became = f"{' and '.join(names)} are now one person, {after[0]}; "
        case VerdictKind.UNDO if verdict.undoes is not None:
            became = f"{verdict_name(verdict.undoes)} is taken back; "
        case VerdictKind.NOT_SAME if not n:
            became = "remembered; "
    what: Literal["visit", "visits"] = "visit" if n == 1 else "visits"
    return f"{became}{n} {what} moved"


def _visit(desk: Desk, visitor: Visitor, name: str) -> SightingId:
    return find_sighting(desk.database, to_visit(name), scope=visitor.cameras).id


def _person(desk: Desk, visitor: Visitor, name: str) -> IdentityId:
    return find_person(desk.database, to_person(name), scope=visitor.cameras).id


def _whole(desk: Desk, visitor: Visitor, *names: str) -> list[IdentityId]:
    """Persons whose visits may all be seen."""
    found = [_person(desk, visitor, name) for name in names]
    if not is_within(desk.database, found, scope=visitor.cameras):
        raise Refused(
            "this would move visits to cameras that you may not see; ask somebody who sees all"
        )
    return found
