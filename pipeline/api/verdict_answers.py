"""What answers about verdicts look like: only what they say of visits that may be seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Literal

from pydantic import Field

from pipeline.api.answers import Answer, Told
from pipeline.api.desk import Desk
from pipeline.api.visitors import Visitor
from storage.browsing import visible_verdict
from storage.errors import NotFound
from storage.scope import cameras_of
from storage.types import (
    SightingId,
    Verdict,
    VerdictId,
    VerdictKind,
    person_name,
    sighting_name,
    verdict_name,
)
from streams.moments import iso_time


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


def to_verdict_answers(
    desk: Desk, visitor: Visitor, verdicts: Sequence[Verdict]
) -> list[VerdictAnswer]:
    """Verdicts about visits that may be seen; others that they were held against are left out."""
    visits = seen_visits(
        desk, visitor, {each for verdict in verdicts for each in (*verdict.a, *verdict.b)}
    )
    told = desk.told_words(visitor, [verdict.reason for verdict in verdicts])
    older = _visible(desk, visitor, {each for verdict in verdicts for each in verdict.contradicts})
    return [_to_verdict(verdict, visits, older, told) for verdict in verdicts]


def seen_visits(
    desk: Desk, visitor: Visitor, visits: Collection[SightingId]
) -> Collection[SightingId]:
    """Those that may be seen."""
    if visitor.cameras is None:
        return visits
    places = cameras_of(desk.database, visits)
    return {each for each, camera in places.items() if visitor.sees(camera)}


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
