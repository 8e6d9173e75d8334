"""The front desk's web application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

from fastapi import FastAPI

from pipeline.api.desk import Desk
from pipeline.api.errors import add_error_handlers
from pipeline.api.headers import ALWAYS, BodyLimit, SafeHeaders
from pipeline.api.hosts import KnownHosts
from pipeline.api.metrics import Measured
from pipeline.api.passwords import Passwords
from pipeline.api.routes import ALL
from pipeline.api.routing import PREFIX
from pipeline.config import SiteConfig
from storage.database import Database
from streams.clock import Clock

_WEB = "pipeline.web"
_MULTIPART_BYTES = 20_000
_DESCRIPTION = """\
Who is this, where were they, where are they now, and how do we know?

Sign in with `POST /api/v1/session`, which sets a cookie; what changes something then needs the
header `X-Noctule-CSRF` with the value of the answer's `csrf`. Programs send a token instead:
`Authorization: Bearer noc_...`, from `noctule user token` or `POST /api/v1/tokens`.

Times are UTC, as ISO 8601 with Z and, beside it, in microseconds (`_us`). Lists are
`{"items": [...], "next": ...}`, newest first; `next` is the `cursor` of the next page. Errors are
`{"error": {"code", "message", "what_to_do"}}`. `x-least-role` of each route names the role that it
takes: viewer, operator or admin. What cameras outside of one's scope saw is not told.
"""


def make_app(
    config: SiteConfig,
    database: Database,
    clock: Clock,
    *,
    passwords: Passwords | None = None,
    with_pages: bool = True,
    has_watcher: bool = False,
) -> FastAPI:
    """The application, with its pages if they are installed.

    Args:
        database: Open until the application is closed.
        passwords: How they are hashed; default: argon2id at its usual cost.
        with_pages: False serves the API only.
        has_watcher: Whether a watcher runs beside it, and starts anew when cameras change.
    """
    desk = Desk(config, database, clock, passwords=passwords, has_watcher=has_watcher)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.is_closing.set()

    app = FastAPI(
        title="noctule",
        version=version("noctule"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.desk = desk
    add_error_handlers(app, headers=ALWAYS)
    for routes in ALL:
        routes.add_to(app)
    _describe_security(app)
    if with_pages and find_spec(_WEB) is not None:
        import_module(_WEB).add_pages(app)  # pipeline.web is a layer beside this one
    upload = round(config.front_desk.upload_mb * 1e6) + _MULTIPART_BYTES
    app.add_middleware(
        BodyLimit,
        larger={
            f"{PREFIX}/search": upload,
            f"{PREFIX}/plan": upload,
            f"{PREFIX}/interests": upload,
        },
    )
    app.add_middleware(KnownHosts, config=config.front_desk)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Measured, metrics=desk.metrics)
    if config.front_desk.trusted_proxies:
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        app.add_middleware(
            ProxyHeadersMiddleware, trusted_hosts=list(config.front_desk.trusted_proxies)
        )
    return app


def _describe_security(app: FastAPI) -> None:
    make = app.openapi

    def openapi() -> dict[str, object]:
        schema = make()
        schema.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "noctule_session"},
        }
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
