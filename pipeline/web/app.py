"""Mounts the pages on the application of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from pipeline.api.errors import LoginNeeded, PasswordOutdated
from pipeline.api.routing import PREFIX
from pipeline.web.pages import ALL
from pipeline.web.rendering import Pages
from streams.errors import NoctuleError

Handler = Callable[[Request, Exception], Response]


def add_pages(app: FastAPI) -> None:
    """Serve all pages, and tell errors of pages as pages."""
    pages = Pages()
    app.state.pages = pages
    for routes in ALL:
        routes.add_to(app)
    tell = cast(Handler, app.exception_handlers[NoctuleError])

    async def tell_page(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(PREFIX) or not _wants_page(request):
            return tell(request, error)
        return _to_page(request, error, pages, tell)

    app.add_exception_handler(NoctuleError, tell_page)


def _to_page(request: Request, error: Exception, pages: Pages, tell: Handler) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if isinstance(error, LoginNeeded):
        return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)
    if isinstance(error, PasswordOutdated):
        return RedirectResponse("/password", 303)
    status = tell(request, error).status_code
    message, _, what_to_do = str(error).partition("; ")
    if status >= 500:  # its words are for the log
        message, what_to_do = "this page could not be made", "try again; the server's log says why"
    return pages.error(request, status=status, message=message, what_to_do=what_to_do)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
