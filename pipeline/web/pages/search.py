"""Search: who is this in the picture?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from pipeline.api.desk import DeskOf
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.web.asked_times import read_local, to_field
from pipeline.web.rendering import PagesOf
from storage.desk.types import Role

routes = Routes("pages", prefix="")


@routes.get("/search", least=Role.OPERATOR, include_in_schema=False)
def show_search(
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    camera: Annotated[str, Query(max_length=64)] = "",
    at: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """A picture is dropped, or a box drawn on what `camera` sees now, or saw at `at`."""
    zone = desk.config.alerts.time_zone
    cameras = sorted(desk.cameras(visitor))
    return pages.show(
        request,
        "search.html",
        title="Search",
        cameras=cameras,
        camera=camera if camera in cameras else "",
        at=to_field(read_local(at, zone), zone) if at else "",
    )
