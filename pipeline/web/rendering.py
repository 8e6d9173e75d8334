"""Pages out of templates, with what every page shows: site, clock, health, who is signed in.

A page is a template that extends `base.html`; its Python file asks the storage and calls
`Pages.show`. Scripts are ES modules in `static/`, written into the page by `script("alerts.js")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.api.desk import Desk
from pipeline.api.visitors import Visitor, nobody
from pipeline.web.pulse import Pulse, pulse
from pipeline.web.statics import Statics
from pipeline.web.times import Calendar
from storage.desk.types import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One entry of the rail.

    Attributes:
        key: The letter that follows `g`.
    """

    name: str
    path: str
    icon: str
    key: str
    least: Role = Role.VIEWER


PLACES = (
    Place(name="Live", path="/live", icon="live", key="l"),
    Place(name="Alerts", path="/alerts", icon="bell", key="a"),
    Place(name="People", path="/people", icon="people", key="p"),
    Place(name="Search", path="/search", icon="search", key="s", least=Role.OPERATOR),
    Place(name="Replay", path="/replay", icon="replay", key="r"),
    Place(name="Cameras", path="/cameras", icon="camera", key="c"),
    Place(name="System", path="/system", icon="system", key="y"),
)


class Pages:
    """Makes pages; threads may share it."""

    def __init__(self) -> None:
        self.statics = Statics()
        self._templates = Environment(
            loader=PackageLoader("pipeline.web", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals["static"] = self.statics.address
        self._templates.filters["count"] = count

    def show(
        self, request: Request, template: str, /, *, title: str, **values: Any
    ) -> HTMLResponse:
        """A page for whoever asks.

        Args:
            template: Name of a file in `templates/`.
            title: In the window's title.
            values: What the template needs beside what all pages show.
        """
        desk, visitor = _desk(request), cast(Visitor, request.state.visitor)
        told = pulse(desk, visitor) if visitor.account is not None else None
        return self._fill(request, template, visitor, told, {"title": title, **values})

    def error(
        self, request: Request, *, status: int, message: str, what_to_do: str
    ) -> HTMLResponse:
        """A page that says what went wrong and what to do."""
        visitor: Visitor = getattr(request.state, "visitor", None) or nobody(request)
        values = {"title": "Not found" if status == 404 else "Cannot do that", "status": status}
        words = {"message": message, "what_to_do": what_to_do}
        return self._fill(request, "error.html", visitor, None, values | words, status=status)

    def _fill(
        self,
        request: Request,
        template: str,
        visitor: Visitor,
        told: Pulse | None,
        values: dict[str, Any],
        *,
        status: int = 200,
    ) -> HTMLResponse:
        desk = _desk(request)
        calendar = Calendar(desk.config.alerts.time_zone, now_us=desk.clock.now_us())
        text = self._templates.get_template(template).render(
            {
                "site": desk.config.site,
                "calendar": calendar,
                "visitor": visitor,
                "is_operator": visitor.may(Role.OPERATOR),
                "is_admin": visitor.may(Role.ADMIN) and visitor.cameras is None,
                "places": [place for place in PLACES if visitor.may(place.least)],
                "here": request.url.path,
                "pulse": told,
                **values,
            }
        )
        return HTMLResponse(text, status)


def count(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "camera"), count(12, "camera"), count(0, "person", "people")
    ('1 camera', '12 cameras', '0 people')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


async def _pages_of(request: Request) -> Pages:
    return cast(Pages, request.app.state.pages)


PagesOf = Annotated[Pages, Depends(_pages_of)]
"""What makes pages, in a handler."""
