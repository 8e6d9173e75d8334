"""How routes are declared: each says the least role that it needs, or that it is open to anybody.

Who asks is found out before the body of the question is read, so strangers upload nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from pipeline.api.errors import ErrorAnswer
from pipeline.api.visitors import admit
from storage.desk.types import Role

PREFIX = "/api/v1"
ROLE_KEY = "x-least-role"
"""In OpenAPI, and in each route: viewer, operator, admin, or anybody."""
NEEDS_ALL_KEY = "x-needs-all-cameras"
ANYBODY = "anybody"

Handler = TypeVar("Handler", bound=Callable[..., Any])

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": words}
    for status, words in {
        400: "What was asked cannot be understood.",
        401: "Nobody knows who asks.",
        403: "Who asks may not do that.",
        404: "There is nothing of this name that who asks may see.",
        409: "It cannot be so together with what is there.",
        410: "The person was erased.",
        413: "The question is too large.",
        422: "What was asked cannot be understood.",
        429: "Asked too often.",
        503: "Too many ask at once, or the question could not be written down.",
    }.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One route.

    Attributes:
        least: The least role that it needs; None: open to anybody.
        needs_all: Only for who may see all cameras, for it is about the whole site.
        options: Of FastAPI.
    """

    method: str
    path: str
    least: Role | None
    needs_all: bool
    endpoint: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)


class GuardedRoute(APIRoute):
    """A route that knows who asks before it reads what is asked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, after the visitor was let in."""
        answer = super().get_route_handler()
        told = (self.openapi_extra or {}).get(ROLE_KEY)
        if told is None:
            raise ValueError(f"{self.path}: declare its least role through `Routes`")
        least = None if told == ANYBODY else Role(told)
        needs_all = bool((self.openapi_extra or {}).get(NEEDS_ALL_KEY))

        async def guarded(request: Request) -> Response:
            request.state.visitor = await admit(request, least, needs_all=needs_all)
            return await answer(request)

        return guarded


class Routes:
    """The routes about one noun.

    Args:
        noun: Under which OpenAPI lists them.
        prefix: Before each path.
    """

    def __init__(self, noun: str, *, prefix: str = PREFIX) -> None:
        self.declared: list[Declared] = []
        self._noun = noun
        self._prefix = prefix

    def get(
        self, path: str, *, least: Role | None, needs_all: bool = False, **options: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a question that changes nothing."""
        return self._declare("GET", path, least, needs_all, options)

    def post(
        self, path: str, *, least: Role | None, needs_all: bool = False, **options: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a question that does something."""
        return self._declare("POST", path, least, needs_all, options)

    def put(
        self, path: str, *, least: Role | None, needs_all: bool = False, **options: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a question that sets something."""
        return self._declare("PUT", path, least, needs_all, options)

    def delete(
        self, path: str, *, least: Role | None, needs_all: bool = False, **options: Any
    ) -> Callable[[Handler], Handler]:
        """Declare a question that takes something away."""
        return self._declare("DELETE", path, least, needs_all, options)

    def add_to(self, app: FastAPI) -> None:
        """Serve them."""
        for route in self.declared:
            told = ANYBODY if route.least is None else route.least.value
            options = dict(route.options)
            responses = _ERRORS | options.pop("responses", {})
            app.router.add_api_route(
                route.path,
                route.endpoint,
                methods=[route.method],
                tags=[self._noun],
                responses=responses,
                openapi_extra={
                    ROLE_KEY: told,
                    NEEDS_ALL_KEY: route.needs_all,
                    **_security(route.least),
                },
                route_class_override=GuardedRoute,
                **options,
            )

    def _declare(
        self, method: str, path: str, least: Role | None, needs_all: bool, options: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        def declare(endpoint: Handler) -> Handler:
            self.declared.append(
                Declared(
                    method=method,
                    path=self._prefix + path,
                    least=least,
                    needs_all=needs_all,
                    endpoint=endpoint,
                    options=options,
                )
            )
            return endpoint

        return declare


def _security(least: Role | None) -> dict[str, Sequence[Any]]:
    return {"security": [] if least is None else [{"token": []}, {"session": []}]}
