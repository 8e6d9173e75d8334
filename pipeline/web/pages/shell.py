"""What all pages need: the start, styles and scripts, and the pulse of the site."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response
from fastapi.responses import RedirectResponse

from pipeline.api.desk import DeskOf
from pipeline.api.errors import Absent
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.web.pulse import Pulse, pulse
from pipeline.web.rendering import PagesOf
from storage.desk.types import Role

routes = Routes("pages", prefix="")
_FOR_GOOD = "public, max-age=31536000, immutable"

StampPath = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")]
FilePath = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}\.(css|js|svg)$")]


@routes.get("/", least=None, include_in_schema=False)
def start(visitor: VisitorOf) -> RedirectResponse:
    """The first page."""
    return RedirectResponse("/live" if visitor.account else "/login", 303)


@routes.get("/static/{stamp}/{name}", least=None, include_in_schema=False)
def show_static(stamp: StampPath, name: FilePath, pages: PagesOf) -> Response:
    """A style, script or icon; an old address gets what there is now, for this once."""
    found = pages.statics.find(name)
    if found is None:
        raise Absent(f"there is no {name}; load the page again")
    kept = _FOR_GOOD if stamp == pages.statics.stamp else "no-cache"
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": kept})


@routes.get("/pulse", least=Role.VIEWER, include_in_schema=False)
def show_pulse(visitor: VisitorOf, desk: DeskOf) -> Pulse:
    """For the top line."""
    return pulse(desk, visitor)
