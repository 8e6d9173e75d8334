"""Replay: all cameras together on one ruler, with boxes drawn from what was recorded of people."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from pipeline.api.answers import Answer
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import QuestionInvalid
from pipeline.api.routing import Routes
from pipeline.api.times import SpanQuery
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import PERSON, to_person
from pipeline.web.asked_times import read_local
from pipeline.web.rendering import PagesOf
from storage.browsing import Filter, browse_sightings, find_person
from storage.desk.types import Role
from storage.sightings import trail_of
from storage.types import person_name, sighting_name

routes = Routes("pages", prefix="")
_LONGEST_US, _MOST_VISITS, _MOST_ROWS, _MOST_ROWS_OF_ALL = 600_000_000, 200, 4000, 100_000
_BEFORE_US = 5_000_000


class Track(Answer):
    """Where somebody was in the picture.

    Attributes:
        person: Who; None: unsure.
        candidate: Who it may be.
        rows: Time in microseconds UTC, x0, y0, x1, y1 in px of the camera's picture.
    """

    sighting: str
    camera: str
    person: str | None
    name: str | None
    candidate: str | None
    probability: float | None
    modality: str
    rows: list[tuple[float, float, float, float, float]]


class Tracks(Answer):
    """Everybody in a stretch of time."""

    items: list[Track]


@routes.get("/replay", least=Role.VIEWER, include_in_schema=False)
def show_replay(
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    at: Annotated[str, Query(max_length=40)] = "",
    camera: Annotated[str, Query(max_length=64)] = "",
    follow: Annotated[str, Query(pattern=f"^$|{PERSON}", max_length=30)] = "",
) -> Response:
    """From the moment `at`; without one, from the newest visit."""
    found = desk.cameras(visitor)
    cameras = sorted(found)
    followed = ""
    if follow:
        followed = person_name(
            find_person(desk.database, to_person(follow), scope=visitor.cameras).id
        )
        desk.viewings.write_down(visitor, "view trajectory", followed)
    at_us = read_local(at, desk.config.alerts.time_zone) if at else _newest(desk, visitor)
    return pages.show(
        request,
        "replay.html",
        title="Replay",
        cameras=cameras,
        films=[name for name, c in found.items() if c is not None and not c.is_live],
        camera=camera if camera in cameras else "",
        at_us=at_us,
        follow=followed,
    )


@routes.get("/replay/boxes", least=Role.VIEWER, include_in_schema=False)
def show_boxes(visitor: VisitorOf, desk: DeskOf, span: SpanQuery) -> Tracks:
    """Boxes of everybody, ten minutes at most."""
    if span.from_us is None or span.to_us is None or span.to_us - span.from_us > _LONGEST_US:
        raise QuestionInvalid("expected `from` and `to`, ten minutes apart at most")
    desk.viewings.write_down(visitor, "view sightings", "", from_us=span.from_us, to_us=span.to_us)
    found = browse_sightings(
        desk.database, Filter(scope=visitor.cameras, span=span), limit=_MOST_VISITS
    )
    told = desk.told(visitor, found)
    most = max(2, min(_MOST_ROWS, _MOST_ROWS_OF_ALL // max(1, len(found))))
    tracks: list[Track] = []
    for visit in found:
        trail = trail_of(desk.database, visit.id)
        step = max(1, -(-len(trail) // most))
        link = told.link(visit.link)
        tracks.append(
            Track(
                sighting=sighting_name(visit.id),
                camera=visit.camera,
                person=told.person(visit.identity),
                name=told.name(visit.identity),
                candidate=link.candidate,
                probability=link.probability,
                modality=visit.modality.value,
                rows=[
                    (float(t), float(x0), float(y0), float(x1), float(y1))
                    for t, x0, y0, x1, y1 in trail[::step]
                ],
            )
        )
    return Tracks(items=tracks)


def _newest(desk: Desk, visitor: Visitor) -> int:
    newest = browse_sightings(desk.database, Filter(scope=visitor.cameras), limit=1)
    return newest[0].first_seen_us - _BEFORE_US if newest else desk.clock.now_us()
