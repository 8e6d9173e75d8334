"""Mounts the pages on the application of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from pipeline.api.errors import LoginNeeded, PasswordOutdated
from pipeline.api.routing import PREFIX
from pipeline.web.pages import ALL
from pipeline.web.rendering import Pages
from streams.errors import NoctuleError

Handler = Callable[[Request, Exception], Response]
_ERRORS = (NoctuleError, RequestValidationError, HTTPException)


def add_pages(app: FastAPI) -> None:
    """Serve all pages, and tell errors of pages as pages."""
    pages = Pages()
    app.state.pages = pages
    for routes in ALL:
        routes.add_to(app)
    for kind in _ERRORS:
        _tell_as_page(app, kind, pages)


def _tell_as_page(app: FastAPI, kind: type[Exception], pages: Pages) -> None:
    tell = cast(Handler, app.exception_handlers[kind])

    async def tell_page(request: Request, error: Exception) -> Response:
        told = tell(request, error)
        if request.url.path.startswith(PREFIX) or not _wants_page(request):
            return told
        return _to_page(request, error, pages, told)

    app.add_exception_handler(kind, tell_page)


def _to_page(request: Request, error: Exception, pages: Pages, told: Response) -> Response:
    """The same words as the API's."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if isinstance(error, LoginNeeded):
        return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)
    if isinstance(error, PasswordOutdated):
        return RedirectResponse("/password", 303)
    detail = json.loads(bytes(told.body))["error"]
    message, what_to_do = detail["message"], detail["what_to_do"]
    if isinstance(error, RequestValidationError):
        message, what_to_do = "this address is not understood", "check what follows the `?`"
    elif isinstance(error, HTTPException) and error.status_code == 404:
        message, what_to_do = "there is no such page", "take one of the rail"
    return pages.error(request, status=told.status_code, message=message, what_to_do=what_to_do)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
