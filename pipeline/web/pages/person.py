"""A person: who this is, where they were, where they are now, and how we know."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent
from pipeline.api.paging import CursorQuery, from_cursor, to_cursor
from pipeline.api.routing import Routes
from pipeline.api.verdict_answers import VerdictAnswer, to_verdict_answers
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import PERSON, VISIT, PersonPath, to_person, to_visit
from pipeline.web.person_view import PersonView, view_looks, view_person
from pipeline.web.rendering import PagesOf
from pipeline.web.seen import Seen, read_person
from pipeline.web.times import Calendar
from storage.browsing import browse_verdicts
from storage.desk.segments import locked_spans
from storage.desk.types import Role
from storage.types import IdentityId, Span, person_name, sighting_name

routes = Routes("pages", prefix="")
_MOST_VERDICTS = 20
VisitQuery = Annotated[str | None, Query(pattern=VISIT, max_length=30)]
SomebodyQuery = Annotated[str, Query(pattern=PERSON, max_length=30)]


@routes.get("/people/{person}", least=Role.VIEWER, include_in_schema=False)
def show_person(
    person: PersonPath,
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    cursor: CursorQuery,
    visit: VisitQuery = None,
) -> Response:
    """The person, with one visit opened: the newest, or `visit`."""
    view = _view(desk, visitor, to_person(person), cursor)
    seen = view.seen
    wanted = None if visit is None else sighting_name(to_visit(visit))
    every = (*view.reasons, *view.perhaps)
    opened = next((reason for reason in every if reason.visit.sighting == wanted), None)
    return pages.show(
        request,
        "person.html",
        title=_title(seen),
        view=view,
        person=seen.person,
        opened=opened or (view.reasons[-1] if view.reasons else None),
        verdicts=_verdicts(desk, visitor, seen),
        kept=_kept(desk, seen),
        films=[name for name, c in desk.configured(visitor).items() if not c.is_live],
        older=_older(seen),
        is_part=cursor is not None,
    )


@routes.get("/people/{person}/sheet", least=Role.VIEWER, include_in_schema=False)
def show_sheet(
    person: PersonPath,
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    cursor: CursorQuery,
) -> Response:
    """A contact sheet for paper: all visits with their pictures, day beside night."""
    view = _view(desk, visitor, to_person(person), cursor)
    return pages.show(
        request,
        "sheet.html",
        title=f"{_title(view.seen)}: contact sheet",
        view=view,
        person=view.seen.person,
        older=_older(view.seen),
    )


@routes.get("/compare", least=Role.VIEWER, include_in_schema=False)
def compare(
    one: SomebodyQuery,
    other: SomebodyQuery,
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
) -> Response:
    """Two persons side by side: are they one?"""
    if to_person(one) == to_person(other):
        raise Absent("these are one person already; compare two different ones")
    calendar = Calendar(desk.config.alerts.time_zone, now_us=desk.clock.now_us())
    views = [
        view_looks(desk, _seen(desk, visitor, to_person(who), None), calendar)
        for who in (one, other)
    ]
    left, right = (view.seen.person for view in views)
    apart = _together(views[0].seen, views[1].seen)
    return pages.show(
        request,
        "compare.html",
        title=f"{left.identity} and {right.identity}",
        views=views,
        left=left,
        right=right,
        together=apart,
    )


def _view(desk: Desk, visitor: Visitor, whom: IdentityId, cursor: str | None) -> PersonView:
    calendar = Calendar(desk.config.alerts.time_zone, now_us=desk.clock.now_us())
    return view_person(desk, visitor, _seen(desk, visitor, whom, cursor), calendar)


def _seen(desk: Desk, visitor: Visitor, whom: IdentityId, cursor: str | None) -> Seen:
    place = None if cursor is None else from_cursor(cursor, n=2)
    desk.viewings.write_down(visitor, "view person", person_name(whom), cursor=cursor)
    return read_person(desk, visitor, whom, before=None if place is None else (place[0], place[1]))


def _title(seen: Seen) -> str:
    called = f" “{seen.person.name}”" if seen.person.name else ""
    return f"{seen.person.identity}{called}"


def _older(seen: Seen) -> str | None:
    if not seen.has_older:
        return None
    oldest = seen.visits[0]
    return to_cursor(oldest.first_seen_us, int(oldest.sighting[1:]))


def _kept(desk: Desk, seen: Seen) -> dict[str, int | None]:
    """By visit: until when what was recorded of it is kept; None where it is not."""
    visits = [*seen.visits, *seen.perhaps]
    if not visits:
        return {}
    locks = locked_spans(
        desk.database,
        span=Span(
            from_us=min(visit.first_seen_us for visit in visits),
            to_us=max(visit.last_seen_us for visit in visits) + 1,
        ),
        now_us=desk.clock.now_us(),
    )
    return {
        visit.sighting: min(
            (
                lock.until_us
                for lock in locks
                if lock.camera == visit.camera
                and lock.from_us <= visit.last_seen_us
                and lock.to_us > visit.first_seen_us
            ),
            default=None,
        )
        for visit in visits
    }


def _verdicts(desk: Desk, visitor: Visitor, seen: Seen) -> list[VerdictAnswer]:
    """What operators decided about these visits, newest first."""
    visits = [to_visit(visit.sighting) for visit in (*seen.visits, *seen.perhaps)]
    found = browse_verdicts(desk.database, scope=visitor.cameras, of=visits, limit=_MOST_VERDICTS)
    return to_verdict_answers(desk, visitor, found)


def _together(one: Seen, other: Seen) -> list[str]:
    """Cameras that saw both at the same moment: then they are two."""
    found = [
        f"{a.camera} ({a.sighting} and {b.sighting})"
        for a in one.visits
        for b in other.visits
        if a.camera == b.camera
        and a.first_seen_us < b.last_seen_us
        and b.first_seen_us < a.last_seen_us
    ]
    return found[:5]
