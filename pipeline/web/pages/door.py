"""Signing in, and the first password."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from pipeline.api.passwords import SHORTEST
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.web.rendering import PagesOf

routes = Routes("pages", prefix="")
NextQuery = Annotated[str, Query(alias="next", max_length=2000)]


@routes.get("/login", least=None, include_in_schema=False)
def show_login(
    request: Request, visitor: VisitorOf, pages: PagesOf, after: NextQuery = "/live"
) -> Response:
    """Who are you?"""
    if visitor.account is not None:
        return RedirectResponse("/password" if visitor.account.must_change else own(after), 303)
    return pages.show(request, "login.html", title="Sign in", after=own(after))


@routes.get("/password", least=None, include_in_schema=False)
def show_password(request: Request, visitor: VisitorOf, pages: PagesOf) -> Response:
    """Choose another password; the first one serves once only."""
    if visitor.account is None:
        return RedirectResponse("/login?next=%2Fpassword", 303)
    return pages.show(
        request,
        "password.html",
        title="Choose a password",
        must_change=visitor.account.must_change,
        shortest=SHORTEST,
    )


def own(address: str) -> str:
    """The address if it is one of this site's pages, else the first page.

    >>> own("/alerts?state=new"), own("//elsewhere.example"), own("/\\\\elsewhere.example")
    ('/alerts?state=new', '/live', '/live')
    """
    is_own = address.startswith("/") and not address.startswith(("//", "/login"))
    return address if is_own and "\\" not in address and address.isprintable() else "/live"
