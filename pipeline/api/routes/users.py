"""Accounts and tokens: everybody manages their own tokens, administrators make and change accounts.

Only such as see all cameras: they could give themselves any.
"""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Path
from pydantic import Field

from pipeline.api.answers import Answer, Done
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Conflicting, QuestionInvalid, Refused
from pipeline.api.passwords import one_time_password
from pipeline.api.routing import Routes
from pipeline.api.times import iso_or_none
from pipeline.api.visitors import Visitor, VisitorOf, hash_token
from pipeline.api.words import CAMERA, ShortName
from storage.desk.accounts import (
    Account,
    accounts,
    create_account,
    find_account,
    set_active,
    set_cameras,
    set_password,
    set_role,
)
from storage.desk.sessions import Token, make_token, revoke_token, tokens
from storage.desk.types import Role
from streams.moments import iso_time
from streams.types import CameraId

routes = Routes("users")
TOKEN_PREFIX = "noc_"
_DAY_US = 86_400_000_000
_MOST_TOKENS = 50

CameraName = Annotated[str, Field(pattern=CAMERA)]
Cameras = Annotated[
    list[CameraName] | None,
    Field(max_length=1000, description="What the account may see; null: all cameras."),
]
NamePath = Annotated[str, Path(max_length=64, description="Name of an account.", examples=["ada"])]


class UserAnswer(Answer):
    """An account."""

    name: str = Field(examples=["ada"])
    role: Role
    cameras: list[str] | None = Field(description="Null: all.", examples=[["gate-1"]])
    must_change: bool
    is_active: bool
    created_at: str
    created_at_us: int


class Users(Answer):
    """All accounts."""

    items: list[UserAnswer]


class NewUser(Answer):
    """An account to be made."""

    name: str = Field(max_length=64, examples=["ada"])
    role: Role
    cameras: Cameras


class Given(Answer):
    """A one-time password, told this once: it must be changed at the first login."""

    user: UserAnswer
    one_time_password: str


class Change(Answer):
    """What is to be another way; what is left out stays."""

    role: Role | None = None
    is_active: bool | None = None


class Seen(Answer):
    """What an account may see."""

    cameras: Cameras


class TokenAnswer(Answer):
    """A token of a program; the token itself is not kept."""

    token: int = Field(description="Its number.", examples=[3])
    account: str
    name: str = Field(examples=["home assistant"])
    role: Role
    created_at: str
    created_at_us: int
    expires_at: str | None
    expires_at_us: int | None
    used_at: str | None
    used_at_us: int | None
    is_void: bool


class Tokens(Answer):
    """Tokens, newest first."""

    items: list[TokenAnswer]


class NewToken(Answer):
    """A token to be made."""

    name: ShortName = Field(examples=["home assistant"])
    role: Role = Field(description="At most one's own.")
    days: int | None = Field(ge=1, le=3650, description="Null: it does not end.", examples=[365])


class MadeToken(Answer):
    """A token, told this once."""

    secret: str = Field(description="For `Authorization: Bearer`.")
    token: TokenAnswer


@routes.get("/users", least=Role.ADMIN, needs_all=True)
def list_users(desk: DeskOf) -> Users:
    """All accounts, by name."""
    return Users(items=[_to_user(account) for account in accounts(desk.database)])


@routes.post("/users", least=Role.ADMIN, needs_all=True, status_code=201)
def add_user(asked: NewUser, visitor: VisitorOf, desk: DeskOf) -> Given:
    """Make an account with a one-time password."""
    password = one_time_password()
    made = create_account(
        desk.database,
        asked.name,
        password_hash=desk.passwords.hash(password),
        role=asked.role,
        cameras=_known(desk, asked.cameras),
        must_change=True,
        by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return Given(user=_to_user(made), one_time_password=password)


@routes.put("/users/{name}", least=Role.ADMIN, needs_all=True)
def change_user(name: NamePath, asked: Change, visitor: VisitorOf, desk: DeskOf) -> UserAnswer:
    """Change what an account may do, or whether it may sign in."""
    now_us = desk.clock.now_us()
    find_account(desk.database, name)
    if asked.role is not None:
        set_role(desk.database, name, asked.role, by=visitor.name, now_us=now_us)
    if asked.is_active is not None:
        set_active(desk.database, name, asked.is_active, by=visitor.name, now_us=now_us)
    return _to_user(find_account(desk.database, name))


@routes.put("/users/{name}/cameras", least=Role.ADMIN, needs_all=True)
def change_cameras(name: NamePath, asked: Seen, visitor: VisitorOf, desk: DeskOf) -> UserAnswer:
    """Change which cameras an account may see."""
    set_cameras(
        desk.database,
        name,
        _known(desk, asked.cameras),
        by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return _to_user(find_account(desk.database, name))


@routes.post("/users/{name}/password", least=Role.ADMIN, needs_all=True)
def reset_password(name: NamePath, visitor: VisitorOf, desk: DeskOf) -> Given:
    """Give an account a one-time password; its sessions end and its tokens are void."""
    find_account(desk.database, name)
    password = one_time_password()
    set_password(
        desk.database,
        name,
        password_hash=desk.passwords.hash(password),
        must_change=True,
        by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return Given(user=_to_user(find_account(desk.database, name)), one_time_password=password)


@routes.get("/tokens", least=Role.VIEWER)
def list_tokens(visitor: VisitorOf, desk: DeskOf) -> Tokens:
    """One's own tokens; an administrator sees all."""
    of = None if _sees_all_tokens(visitor) else _own(visitor).id
    now_us = desk.clock.now_us()
    return Tokens(items=[_to_token(token, now_us) for token in tokens(desk.database, of=of)])


@routes.post("/tokens", least=Role.VIEWER, status_code=201)
def add_token(asked: NewToken, visitor: VisitorOf, desk: DeskOf) -> MadeToken:
    """Make a token for a program, which may do and see what its account may, or less."""
    if not visitor.may(asked.role):
        raise Refused(f"a token cannot be more than you are; take {visitor.role} or less")
    if visitor.session is None:
        raise Refused("a token cannot make another; sign in with the password itself")
    account = _own(visitor)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    now_us = desk.clock.now_us()
    standing = [each for each in tokens(desk.database, of=account.id) if not _is_void(each, now_us)]
    if len(standing) >= _MOST_TOKENS:
        raise Conflicting(f"you have {len(standing)} tokens; take back those that nobody uses")
    made = make_token(
        desk.database,
        account,
        hash_token(secret),
        name=asked.name,
        role=asked.role,
        expires_at_us=None if asked.days is None else now_us + asked.days * _DAY_US,
        by=visitor.name,
        now_us=now_us,
    )
    return MadeToken(secret=secret, token=_to_token(made, now_us))


@routes.delete("/tokens/{token}", least=Role.VIEWER)
def take_token(
    token: Annotated[int, Path(ge=1, le=2**62, examples=[3])], visitor: VisitorOf, desk: DeskOf
) -> Done:
    """Take a token back; one's own, or as an administrator anybody's."""
    of = None if _sees_all_tokens(visitor) else _own(visitor).id
    revoke_token(desk.database, token, of=of, by=visitor.name, now_us=desk.clock.now_us())
    return Done()


def _known(desk: Desk, names: list[str] | None) -> list[CameraId] | None:
    if names is None:
        return None
    there = desk.all_cameras()
    for name in names:
        if name not in there:
            raise QuestionInvalid(
                f"cameras: no camera is called {name!r}; /api/v1/cameras lists all"
            )
    return [CameraId(name) for name in names]


def _sees_all_tokens(visitor: Visitor) -> bool:
    return visitor.may(Role.ADMIN) and visitor.cameras is None


def _own(visitor: Visitor) -> Account:
    if visitor.account is None:
        raise Refused("nobody is signed in")
    return visitor.account


def _to_user(account: Account) -> UserAnswer:
    return UserAnswer(
        name=account.name,
        role=account.role,
        cameras=None if account.sees_all else sorted(account.cameras),
        must_change=account.must_change,
        is_active=account.is_active,
        created_at=iso_time(account.created_at_us),
        created_at_us=account.created_at_us,
    )


def _to_token(token: Token, now_us: int) -> TokenAnswer:
    return TokenAnswer(
        token=token.id,
        account=token.account,
        name=token.name,
        role=token.role,
        created_at=iso_time(token.created_at_us),
        created_at_us=token.created_at_us,
        expires_at=iso_or_none(token.expires_at_us),
        expires_at_us=token.expires_at_us,
        used_at=iso_or_none(token.used_at_us),
        used_at_us=token.used_at_us,
        is_void=_is_void(token, now_us),
    )


def _is_void(token: Token, now_us: int) -> bool:
    is_over = token.expires_at_us is not None and token.expires_at_us <= now_us
    return is_over or token.revoked_at_us is not None
