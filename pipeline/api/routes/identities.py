"""Persons: who was seen, where they were, where they are now, and how we know."""

from __future__ import annotations

from pydantic import Field

from pipeline.api.answers import (
    Answer,
    GapAnswer,
    IdentityAnswer,
    Page,
    SightingAnswer,
    to_gap,
    to_identity,
    to_sighting,
)
from pipeline.api.desk import DeskOf
from pipeline.api.paging import CursorQuery, LimitQuery, from_cursor, next_of, to_cursor
from pipeline.api.routes.sightings import LightQuery
from pipeline.api.routing import Routes
from pipeline.api.times import SpanQuery
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CameraQuery, PersonPath, to_person
from storage.browsing import Filter, browse_people, browse_sightings, find_person, place_of
from storage.desk.types import Role
from storage.gaps import browse_gaps
from storage.types import Span, person_name
from streams.types import CameraId

routes = Routes("identities")
_MOST_GAPS = 500


class TrajectoryAnswer(Answer):
    """Where one person was, newest first, and when nobody looked meanwhile."""

    person: IdentityAnswer
    items: list[SightingAnswer]
    next: str | None
    gaps: list[GapAnswer] = Field(
        description=f"Between the first and last visit of this page; the newest {_MOST_GAPS}."
    )


@routes.get("/identities", least=Role.VIEWER)
def list_identities(
    visitor: VisitorOf,
    desk: DeskOf,
    span: SpanQuery,
    cursor: CursorQuery,
    camera: CameraQuery = None,
    modality: LightQuery = None,
    limit: LimitQuery = 50,
) -> Page[IdentityAnswer]:
    """Persons, the most lately seen first.

    A page may be shorter than `limit`, even empty, and `next` still name another.
    """
    before = None if cursor is None else from_cursor(cursor, n=2)
    desk.viewings.write_down(
        visitor,
        "view identities",
        camera or "",
        from_us=span.from_us,
        to_us=span.to_us,
        cursor=cursor,
    )
    people = browse_people(
        desk.database,
        Filter(
            scope=visitor.cameras,
            span=span,
            camera=None if camera is None else CameraId(camera),
            modality=modality,
        ),
        before=None if before is None else (before[0], before[1]),
        limit=limit,
    )
    names = desk.names(visitor, [person.id for person in people.found])
    return Page(
        items=[to_identity(person, names) for person in people.found],
        next=None if people.next is None else to_cursor(*people.next),
    )


@routes.get("/identities/{person}", least=Role.VIEWER)
def show_identity(person: PersonPath, visitor: VisitorOf, desk: DeskOf) -> IdentityAnswer:
    """One person."""
    whom = to_person(person)
    desk.viewings.write_down(visitor, "view person", person_name(whom))
    found = find_person(desk.database, whom, scope=visitor.cameras)
    return to_identity(found, desk.names(visitor, [whom]))


@routes.get("/identities/{person}/trajectory", least=Role.VIEWER)
def show_trajectory(
    person: PersonPath,
    visitor: VisitorOf,
    desk: DeskOf,
    span: SpanQuery,
    cursor: CursorQuery,
    camera: CameraQuery = None,
    limit: LimitQuery = 200,
) -> TrajectoryAnswer:
    """Where one person was, newest first, with the reason for each claim."""
    before = None if cursor is None else from_cursor(cursor, n=2)
    whom = to_person(person)
    desk.viewings.write_down(
        visitor,
        "view trajectory",
        person_name(whom),
        from_us=span.from_us,
        to_us=span.to_us,
        camera=camera,
        cursor=cursor,
    )
    known = find_person(desk.database, whom, scope=visitor.cameras)
    only = None if camera is None else CameraId(camera)
    found = browse_sightings(
        desk.database,
        Filter(scope=visitor.cameras, span=span, camera=only, identity=whom),
        before=None if before is None else (before[0], before[1]),
        limit=limit + 1,
    )
    shown = found[:limit]
    blind = (
        browse_gaps(
            desk.database,
            scope=visitor.cameras,
            camera=only,
            span=Span(
                from_us=shown[-1].first_seen_us,
                to_us=max(sighting.last_seen_us for sighting in shown) + 1,
            ),
            limit=_MOST_GAPS,
        )
        if shown
        else []
    )
    told = desk.told(visitor, shown)
    return TrajectoryAnswer(
        person=to_identity(known, desk.names(visitor, [whom])),
        items=[to_sighting(sighting, told) for sighting in shown],
        next=next_of([place_of(sighting) for sighting in found], limit=limit),
        gaps=[to_gap(gap) for _, gap in blind],
    )
