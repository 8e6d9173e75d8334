"""Signing in and out, and one's own password."""

from __future__ import annotations

import secrets

from fastapi import Request, Response
from pydantic import Field

from pipeline.api.answers import Answer, Done
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import LoginRefused, QuestionInvalid, Refused
from pipeline.api.passwords import refuse_weak
from pipeline.api.routing import Routes
from pipeline.api.visitors import Visitor, VisitorOf, address_of, cookie_name, csrf_of, hash_token
from storage.desk.accounts import Account, account_named, renew_hash, set_password
from storage.desk.sessions import close_session, open_session
from storage.desk.types import Role
from streams.moments import iso_time

routes = Routes("session")
_WRONG = "name or password is wrong; check both"


class Credentials(Answer):
    """Who signs in."""

    name: str = Field(max_length=200, examples=["ada"])
    password: str = Field(max_length=1000, examples=["correct horse battery staple"])


class NewPassword(Answer):
    """Changing one's password."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


class SessionAnswer(Answer):
    """Who is signed in, and what they may do and see."""

    name: str = Field(examples=["ada"])
    role: Role
    cameras: list[str] | None = Field(description="Null: all.", examples=[None])
    must_change: bool = Field(description="The password serves once only: choose another first.")
    csrf: str = Field(description="For the header X-Noctule-CSRF; empty with a token.")


class OpenedAnswer(SessionAnswer):
    """A session that was opened."""

    ends_at: str
    ends_at_us: int


@routes.post("/session", least=None)
def sign_in(
    asked: Credentials, request: Request, response: Response, visitor: VisitorOf, desk: DeskOf
) -> OpenedAnswer:
    """Sign in: sets the cookie. Wrong names and wrong passwords get the same answer."""
    address = address_of(request)
    desk.throttle.refuse_guessing(asked.name, address)
    account = account_named(desk.database, asked.name)
    kept = account.password_hash if account is not None and account.is_active else None
    is_right = desk.passwords.is_right(asked.password, kept)
    desk.throttle.refuse_guessing(asked.name, address)  # of many at once, too, the first count
    if not is_right or account is None:
        desk.throttle.count_failure(asked.name, address)
        desk.metrics.logins.labels("refused").inc()
        raise LoginRefused(_WRONG)
    desk.throttle.forgive(asked.name, address)
    desk.metrics.logins.labels("signed in").inc()
    if desk.passwords.is_outdated(account.password_hash):
        renewed = desk.passwords.hash(asked.password)
        account = renew_hash(desk.database, account, password_hash=renewed)
    if visitor.session is not None:  # this browser's last one: its cookie is overwritten
        close_session(desk.database, visitor.session, by=visitor.name, now_us=desk.clock.now_us())
    return _open(desk, account, request, response)


@routes.get("/session", least=Role.VIEWER)
def who_am_i(visitor: VisitorOf) -> SessionAnswer:
    """Who is signed in."""
    account = _account(visitor)
    return _told(account, visitor.role or account.role, visitor.csrf)


@routes.delete("/session", least=Role.VIEWER)
def sign_out(request: Request, response: Response, visitor: VisitorOf, desk: DeskOf) -> Done:
    """Sign out: the cookie is void from now on."""
    if visitor.session is not None:
        close_session(desk.database, visitor.session, by=visitor.name, now_us=desk.clock.now_us())
    response.delete_cookie(
        cookie_name(request), path="/", httponly=True, samesite="strict", secure=_is_safe(request)
    )
    return Done()


@routes.put("/session/password", least=Role.VIEWER)
def change_password(asked: NewPassword, visitor: VisitorOf, desk: DeskOf) -> Done:
    """Choose another password; all other sessions end."""
    account = _account(visitor)
    if visitor.session is None:
        raise Refused("a token cannot change the password; sign in with the password itself")
    desk.throttle.refuse_guessing(account.name, visitor.address)
    is_right = desk.passwords.is_right(asked.old, account.password_hash)
    desk.throttle.refuse_guessing(account.name, visitor.address)
    if not is_right:
        desk.throttle.count_failure(account.name, visitor.address)
        raise LoginRefused("the old password is wrong; check it")
    refuse_weak(asked.new, name=account.name)
    if asked.new == asked.old:
        raise QuestionInvalid("password: it is the old one; choose another")
    set_password(
        desk.database,
        account.name,
        password_hash=desk.passwords.hash(asked.new),
        must_change=False,
        by=account.name,
        now_us=desk.clock.now_us(),
        keep_session=visitor.session,
    )
    return Done()


def _open(desk: Desk, account: Account, request: Request, response: Response) -> OpenedAnswer:
    secret = secrets.token_urlsafe(32)
    now_us = desk.clock.now_us()
    lasts_s = desk.config.front_desk.session_hours * 3600
    session = open_session(
        desk.database,
        account,
        hash_token(secret),
        expires_at_us=now_us + round(lasts_s * 1e6),
        now_us=now_us,
    )
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=round(lasts_s),
        path="/",
        httponly=True,
        samesite="strict",
        secure=_is_safe(request),
    )
    return OpenedAnswer(
        **dict(_told(account, account.role, csrf_of(secret))),
        ends_at=iso_time(session.expires_at_us),
        ends_at_us=session.expires_at_us,
    )


def _told(account: Account, role: Role, csrf: str) -> SessionAnswer:
    return SessionAnswer(
        name=account.name,
        role=role,
        cameras=None if account.sees_all else sorted(account.cameras),
        must_change=account.must_change,
        csrf=csrf,
    )


def _account(visitor: Visitor) -> Account:
    if visitor.account is None:
        raise Refused("nobody is signed in")
    return visitor.account


def _is_safe(request: Request) -> bool:
    return request.url.scheme == "https"
