"""What operators decide about who it is: acts at once, says what changed, can be undone.

Who may see only some cameras decides only about what these saw: a verdict that would move a visit
to another camera is refused.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from pipeline.api.answers import Answer, Page
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Refused
from pipeline.api.paging import CursorQuery, LimitQuery, from_cursor, next_of
from pipeline.api.routing import Routes
from pipeline.api.verdict_answers import VerdictAnswer, seen_visits, to_verdict_answers
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
from storage.scope import is_within
from storage.types import (
    IdentityId,
    SightingId,
    Verdict,
    VerdictId,
    verdict_name,
)
from storage.undoing import undo

routes = Routes("verdicts")
_MANY = 500
Reason = Annotated[Words, Field(description="Why, for those who read it later.")]
VisitQuery = Annotated[
    str | None, Query(pattern=VISIT, max_length=30, description="Only about this visit.")
]


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
    of = None if sighting is None else [to_visit(sighting)]
    if of is not None and not seen_visits(desk, visitor, of):
        return Page(items=[], next=None)  # what it was held against tells who it is
    found = browse_verdicts(
        desk.database,
        scope=visitor.cameras,
        of=of,
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
