"""Who asks: by the cookie of a session, or by a token; and what they may see."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from pipeline.api.errors import Absent, CsrfMissing, LoginNeeded, PasswordOutdated, Refused
from storage.desk.accounts import Account
from storage.desk.sessions import session_of, token_of, touch_session, touch_token
from storage.desk.types import Role
from streams.types import CameraId

if TYPE_CHECKING:
    from pipeline.api.desk import Desk

COOKIE, SECURE_COOKIE = "noctule_session", "__Host-noctule_session"
CSRF_HEADER = "X-Noctule-CSRF"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}
_ALLOWED_BEFORE_CHANGE = ("/api/v1/session", "/api/v1/session/password")
_TOUCH_US = 60_000_000
"""The time of the last question is written down this often, not at each question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who asks.

    Attributes:
        account: None: nobody knows who.
        role: What they may do; a token may allow less than its account.
        session: Row of their session; None: they came with a token, or not at all.
        csrf: What the header must repeat; empty without a session.
        address: Where from.
    """

    account: Account | None
    role: Role | None
    session: int | None
    csrf: str
    address: str

    @property
    def name(self) -> str:
        """For the audit."""
        return self.account.name if self.account else "nobody"

    @property
    def cameras(self) -> frozenset[CameraId] | None:
        """What they may see; None: all."""
        if self.account is None:
            return frozenset()
        return None if self.account.sees_all else self.account.cameras

    def may(self, least: Role) -> bool:
        """Whether they are at least this."""
        return self.role is not None and _RANK[self.role] >= _RANK[least]

    def sees(self, camera: str) -> bool:
        """Whether they may see this camera."""
        return self.cameras is None or camera in self.cameras

    def require_all(self) -> None:
        """Go on only if they may see all cameras.

        Raises:
            Refused: They may not.
        """
        if self.cameras is not None:
            raise Refused(
                "this is about all cameras, and you may see some only; ask somebody who sees all"
            )


def no_camera(camera: str) -> Absent:
    """What is said where there is no such camera, or none for who asks."""
    return Absent(f"no camera is called {camera[:64]!r}; /api/v1/cameras lists all")


def hash_token(token: str) -> str:
    """What the database keeps of a token: sha256, hex. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def csrf_of(token: str) -> str:
    """What pages of a session repeat in `CSRF_HEADER`; says nothing of the session's token."""
    return hmac.new(token.encode("utf-8", "replace"), b"noctule csrf", "sha256").hexdigest()


def cookie_name(request: Request) -> str:
    """The cookie's name: bound to this host where the connection is safe."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def address_of(request: Request) -> str:
    """Where a request comes from, as far as trusted proxies say."""
    return request.client.host if request.client else "unknown"


async def admit(request: Request, least: Role | None, *, needs_all: bool = False) -> Visitor:
    """Who asks.

    Args:
        least: The least role that is let in; None: anybody.
        needs_all: Only who may see all cameras is let in.

    Raises:
        LoginNeeded: Nobody knows who asks.
        Refused: They may not ask this.
        CsrfMissing: The request does not come from our own pages.
    """
    desk: Desk = request.app.state.desk
    if request.method not in SAFE:
        _refuse_foreign(request, desk.config.front_desk.public_url)
    has_claim = "authorization" in request.headers or cookie_name(request) in request.cookies
    visitor = nobody(request)
    if has_claim:
        visitor = await run_in_threadpool(recognise, desk, request)
    if least is None:
        return visitor
    if visitor.account is None:
        raise LoginNeeded("nobody knows who asks; log in, or send a token as `Bearer`")
    if visitor.session is not None and request.method not in SAFE:
        _require_csrf(request, visitor)
    if visitor.account.must_change and request.url.path not in _ALLOWED_BEFORE_CHANGE:
        raise PasswordOutdated(
            "this password serves once only; choose another at PUT /api/v1/session/password"
        )
    if not visitor.may(least):
        raise Refused(
            f"this takes the role {least.value}, yours is {visitor.role}; ask an administrator"
        )
    if needs_all:
        visitor.require_all()
    return visitor


def nobody(request: Request) -> Visitor:
    """Somebody unknown."""
    return Visitor(account=None, role=None, session=None, csrf="", address=address_of(request))


def recognise(desk: Desk, request: Request) -> Visitor:
    """Who asks, as far as cookie or token tell."""
    now_us = desk.clock.now_us()
    claim = request.headers.get("authorization")
    if claim is not None:
        kind, _, token = claim.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            return nobody(request)
        return _by_token(desk, request, token.strip(), now_us)
    secret = request.cookies.get(cookie_name(request), "")
    found = session_of(desk.database, hash_token(secret), now_us=now_us, idle_us=desk.idle_us)
    if found is None:
        return nobody(request)
    if now_us - found.session.used_at_us >= _TOUCH_US:
        touch_session(desk.database, found.session.id, now_us=now_us)
    return Visitor(
        account=found.account,
        role=found.account.role,
        session=found.session.id,
        csrf=csrf_of(secret),
        address=address_of(request),
    )


def _by_token(desk: Desk, request: Request, token: str, now_us: int) -> Visitor:
    found = token_of(desk.database, hash_token(token), now_us=now_us)
    if found is None:
        return nobody(request)
    if now_us - (found.token.used_at_us or 0) >= _TOUCH_US:
        touch_token(desk.database, found.token.id, now_us=now_us)
    return Visitor(
        account=found.account,
        role=min(found.account.role, found.token.role, key=_RANK.__getitem__),
        session=None,
        csrf="",
        address=address_of(request),
    )


def _refuse_foreign(request: Request, public_url: str | None) -> None:
    """A browser says which page a request comes from; it must be one of ours."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    own = {f"{request.url.scheme}://{request.headers.get('host', '')}".lower()}
    if public_url is not None:
        own = {public_url}
    if origin.lower() not in own:
        raise CsrfMissing(
            "this request comes from a page of another site; use the pages of this one, or set "
            "front_desk.public_url"
        )


def _require_csrf(request: Request, visitor: Visitor) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), visitor.csrf.encode()):
        raise CsrfMissing(
            f"expected the header {CSRF_HEADER} with the value that GET /api/v1/session tells; "
            "load the page again"
        )


async def _visitor_of(request: Request) -> Visitor:
    return cast(Visitor, request.state.visitor)


VisitorOf = Annotated[Visitor, Depends(_visitor_of)]
"""Who asks, in a handler."""
