"""The wall of live pictures, and who was seen last."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from pipeline.api.desk import DeskOf
from pipeline.api.routes.cameras import to_health
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CAMERA
from pipeline.web.rendering import PagesOf
from storage.desk.types import Role

routes = Routes("pages", prefix="")
OneQuery = Annotated[str | None, Query(pattern=CAMERA)]


@routes.get("/live", least=Role.VIEWER, include_in_schema=False)
def show_live(
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    camera: OneQuery = None,
) -> Response:
    """All cameras at once, or one of them."""
    now_us = desk.clock.now_us()
    found = {name: each for name, each in desk.cameras(visitor).items() if each is not None}
    tiles = [
        {
            "camera": name,
            "is_live": each.is_live,
            "health": to_health(desk.live.state(name), now_us=now_us),
        }
        for name, each in found.items()
    ]
    one = camera if camera in found else None
    return pages.show(request, "live.html", title="Live", tiles=tiles, one=one)
