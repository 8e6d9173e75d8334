"""The server itself: is it alive, is it ready, how does it do, what does it answer."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from pipeline.api.answers import Answer
from pipeline.api.desk import DeskOf
from pipeline.api.errors import answer_error
from pipeline.api.metrics import CONTENT_TYPE
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from storage.browsing import newest_sighting
from storage.desk.types import Role
from storage.errors import DatabaseBusy, DatabaseUnusable
from streams.moments import iso_time

routes = Routes("site")


class AliveAnswer(Answer):
    """The server answers."""

    alive: bool = True


class ReadyAnswer(Answer):
    """The server can answer questions."""

    ready: bool = True


class SiteAnswer(Answer):
    """The site."""

    site: str = Field(examples=["my site"])
    now: str
    now_us: int


@routes.get("/health", least=None)
def show_health() -> AliveAnswer:
    """The server answers; says nothing of the database."""
    return AliveAnswer()


@routes.get("/ready", least=None, response_model=ReadyAnswer)
def show_ready(desk: DeskOf) -> ReadyAnswer | Response:
    """Whether the database answers, too."""
    try:
        newest_sighting(desk.database)
    except (DatabaseBusy, DatabaseUnusable):
        return answer_error(
            503, "not_ready", "the database does not answer", "the server's log says why"
        )
    return ReadyAnswer()


@routes.get("/site", least=Role.VIEWER)
def show_site(desk: DeskOf) -> SiteAnswer:
    """Its name and its clock."""
    now_us = desk.clock.now_us()
    return SiteAnswer(site=desk.config.site, now=iso_time(now_us), now_us=now_us)


@routes.get(
    "/metrics",
    least=Role.VIEWER,
    needs_all=True,
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus' text format."}},
)
def show_metrics(visitor: VisitorOf, desk: DeskOf) -> Response:
    """Rates and levels for Prometheus; give it a token of a viewer who sees all cameras."""
    states = {camera: desk.live.state(camera) for camera in desk.cameras(visitor)}
    told = desk.metrics.render(states, now_us=desk.clock.now_us())
    return Response(told, media_type=CONTENT_TYPE)


@routes.get("/openapi.json", least=None, include_in_schema=False)
def show_openapi(request: Request) -> JSONResponse:
    """What can be asked."""
    return JSONResponse(request.app.openapi(), headers={"Cache-Control": "no-cache"})
