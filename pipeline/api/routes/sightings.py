"""Visits: who was where and when, and the pictures that prove it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from pipeline.api.answers import Page, SightingAnswer, to_sighting
from pipeline.api.desk import DeskOf
from pipeline.api.errors import Absent
from pipeline.api.headers import OF_VISITOR
from pipeline.api.paging import CursorQuery, LimitQuery, from_cursor, next_of
from pipeline.api.routing import Routes
from pipeline.api.times import SpanQuery
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import (
    PERSON,
    CameraQuery,
    PicturePath,
    VisitPath,
    to_person,
    to_visit,
)
from storage.browsing import Filter, browse_sightings, find_sighting, place_of
from storage.desk.types import Role
from storage.types import Sighting, person_name, sighting_name
from streams.types import CameraId, Modality

routes = Routes("sightings")
JPEG = "image/jpeg"
_KEPT_S = 3600

PersonQuery = Annotated[
    str | None, Query(pattern=PERSON, max_length=30, description="Only of this person.")
]
LightQuery = Annotated[Modality | None, Query(description="Only by day or by night.")]


@routes.get("/sightings", least=Role.VIEWER)
def list_sightings(
    visitor: VisitorOf,
    desk: DeskOf,
    span: SpanQuery,
    cursor: CursorQuery,
    camera: CameraQuery = None,
    identity: PersonQuery = None,
    modality: LightQuery = None,
    limit: LimitQuery = 50,
) -> Page[SightingAnswer]:
    """Visits, newest first."""
    before = None if cursor is None else from_cursor(cursor, n=2)
    whom = None if identity is None else to_person(identity)
    desk.viewings.write_down(
        visitor,
        "view sightings",
        (camera or "") if whom is None else person_name(whom),
        from_us=span.from_us,
        to_us=span.to_us,
        cursor=cursor,
    )
    which = Filter(
        scope=visitor.cameras,
        span=span,
        camera=None if camera is None else CameraId(camera),
        identity=whom,
        modality=modality,
    )
    found = browse_sightings(
        desk.database,
        which,
        before=None if before is None else (before[0], before[1]),
        limit=limit + 1,
    )
    told = desk.told(visitor, found[:limit])
    return Page(
        items=[to_sighting(sighting, told) for sighting in found[:limit]],
        next=next_of([place_of(sighting) for sighting in found], limit=limit),
    )


@routes.get("/sightings/{sighting}", least=Role.VIEWER)
def show_sighting(sighting: VisitPath, visitor: VisitorOf, desk: DeskOf) -> SightingAnswer:
    """One visit, and why it is said to be whom."""
    found = find_sighting(desk.database, to_visit(sighting), scope=visitor.cameras)
    desk.viewings.write_down(visitor, "view sighting", subject_of(found))
    return to_sighting(found, desk.told(visitor, [found]))


@routes.get(
    "/sightings/{sighting}/pictures/{picture}",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {JPEG: {}}, "description": "A crop."}},
)
def show_picture(
    sighting: VisitPath, picture: PicturePath, visitor: VisitorOf, desk: DeskOf
) -> Response:
    """A crop of a visit: only through a visit that one may see."""
    found = find_sighting(desk.database, to_visit(sighting), scope=visitor.cameras)
    if picture not in found.evidence:
        raise Absent(f"{sighting_name(found.id)} has no such picture; it may have expired")
    desk.viewings.write_down(visitor, "view pictures", subject_of(found))
    return Response(
        desk.evidence.get(picture),
        media_type=JPEG,
        headers={"Cache-Control": f"private, max-age={_KEPT_S}, immutable", **OF_VISITOR},
    )


def subject_of(sighting: Sighting) -> str:
    """Whom a view of it is a view of: the person, or the visit while unsure."""
    if sighting.identity is None:
        return sighting_name(sighting.id)
    return person_name(sighting.identity)
