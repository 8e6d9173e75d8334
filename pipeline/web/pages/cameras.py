"""Cameras: which there are, what is drawn on them, where they stand, and ways between them."""

from __future__ import annotations

import io
from dataclasses import dataclass

from fastapi import Request, Response
from PIL import Image

from pipeline.api.desk import Desk, DeskOf
from pipeline.api.routes.cameras import HealthAnswer, to_health
from pipeline.api.routing import Routes
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import CameraPath
from pipeline.web.rendering import PagesOf
from pipeline.web.ways import draw_ways
from storage.browsing import Filter, browse_sightings
from storage.desk.plans import floor_plan
from storage.desk.shapes import standing_shapes
from storage.desk.types import Role
from storage.gaps import browse_gaps
from storage.types import Span
from streams.address import shown
from streams.types import CameraId

routes = Routes("pages", prefix="")
_DAY_US, _STRIP = 86_400_000_000, 240
_MOST_GAPS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A camera of the list.

    Attributes:
        source: Its address without user and password; None: it is not configured any more.
        blind: Of the last 24 hours, from and to, 0 to 240; nobody looked then.
        blind_words: The same in words.
    """

    camera: str
    source: str | None
    is_live: bool
    is_own: bool
    has_picture: bool
    health: HealthAnswer
    n_shapes: int
    blind: tuple[tuple[float, float], ...]
    blind_words: str


@routes.get("/cameras", least=Role.VIEWER, include_in_schema=False)
def show_cameras(request: Request, visitor: VisitorOf, desk: DeskOf, pages: PagesOf) -> Response:
    """The list."""
    names = sorted(desk.cameras(visitor))
    return pages.show(
        request,
        "cameras.html",
        title="Cameras",
        cards=[_card(desk, visitor, name) for name in names],
    )


@routes.get("/cameras/plan", least=Role.VIEWER, include_in_schema=False)
def show_plan(request: Request, visitor: VisitorOf, desk: DeskOf, pages: PagesOf) -> Response:
    """The floor plan, and the cameras on it."""
    plan = floor_plan(desk.database)
    size = (0, 0)
    if plan is not None:
        with Image.open(io.BytesIO(desk.evidence.get(plan.picture))) as picture:
            size = picture.size
    return pages.show(
        request,
        "plan.html",
        title="Floor plan",
        plan=plan,
        size=size,
        cameras=sorted(desk.cameras(visitor)),
    )


@routes.get("/cameras/ways", least=Role.VIEWER, include_in_schema=False)
def show_ways(request: Request, visitor: VisitorOf, desk: DeskOf, pages: PagesOf) -> Response:
    """Ways between cameras, and how long they take."""
    ways = draw_ways(desk.topology(), sees=visitor.sees)
    return pages.show(request, "ways.html", title="Ways between cameras", ways=ways)


@routes.get("/cameras/{camera}", least=Role.VIEWER, include_in_schema=False)
def show_camera(
    camera: CameraPath, request: Request, visitor: VisitorOf, desk: DeskOf, pages: PagesOf
) -> Response:
    """One camera, with the zones and lines on its picture."""
    name = desk.require_camera(visitor, camera)
    newest = browse_sightings(desk.database, Filter(scope=visitor.cameras, camera=name), limit=1)
    return pages.show(
        request,
        "camera.html",
        title=f"Camera {name}",
        card=_card(desk, visitor, name),
        changed=desk.configured(visitor).get(name) if name in desk.now.added else None,
        still_at=newest[0].first_seen_us if newest else None,
    )


def _card(desk: Desk, visitor: Visitor, name: CameraId) -> Card:
    now_us = desk.clock.now_us()
    configured = desk.configured(visitor).get(name)
    gaps = browse_gaps(
        desk.database,
        scope=visitor.cameras,
        camera=name,
        span=Span(from_us=now_us - _DAY_US, to_us=now_us),
        limit=_MOST_GAPS,
    )
    spans = [
        (max(gap.from_us, now_us - _DAY_US), now_us if gap.to_us is None else gap.to_us)
        for _, gap in gaps
    ]
    source = None
    if configured is not None:
        address = configured.source.get_secret_value()
        source = shown(address) if configured.is_live else "a recording"
    minutes = sum(end - start for start, end in spans) / 60e6
    return Card(
        camera=name,
        source=source,
        is_live=configured is not None and configured.is_live,
        is_own=name in desk.now.added,
        has_picture=desk.live.picture(name) is not None,
        health=to_health(desk.live.state(name), now_us=now_us),
        n_shapes=len(standing_shapes(desk.database, camera=name)),
        blind=tuple((_at(start, now_us), _at(end, now_us)) for start, end in spans),
        blind_words=f"nobody looked for {minutes:.0f} min" if spans else "no gap",
    )


def _at(time_us: int, now_us: int) -> float:
    return round(_STRIP * (1 - (now_us - time_us) / _DAY_US), 1)
