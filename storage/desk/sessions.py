"""Browsers that are signed in, and programs' tokens: known by the sha256 of what they carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from storage.audit import record_audit
from storage.database import Database
from storage.desk.accounts import Account, read_accounts
from storage.desk.types import AccountId, Role
from storage.errors import AccountRefused, NotFound
from storage.schema import AccountRow, ApiTokenRow, SessionRow
from streams.naming import plain_name

INSERT_SESSION = insert(SessionRow).returning(SessionRow.id)
INSERT_TOKEN = insert(ApiTokenRow).returning(ApiTokenRow.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in."""

    id: int
    created_at_us: int
    used_at_us: int
    expires_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A program that may ask on behalf of an account.

    Attributes:
        name: What it is for.
        role: What it may do at most; never more than its account.
        expires_at_us: None: it does not.
        used_at_us: None: never.
        revoked_at_us: None: it was not.
    """

    id: int
    account: str
    name: str
    role: Role
    created_at_us: int
    expires_at_us: int | None
    used_at_us: int | None
    revoked_at_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that holds, and whose it is."""

    session: Session
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """A token that holds, and whose it is."""

    token: Token
    account: Account


def open_session(
    db: Database, account: Account, token_sha256: str, *, expires_at_us: int, now_us: int
) -> Session:
    """Remember that a browser signed in; sessions of the account that ended are forgotten.

    Args:
        account: As it was when its password was compared.

    Raises:
        AccountRefused: It was disabled, or got another password, since then.
    """
    values = {
        "token_sha256": token_sha256,
        "account_id": account.id,
        "created_at_us": now_us,
        "used_at_us": now_us,
        "expires_at_us": expires_at_us,
    }
    over = (SessionRow.account_id == account.id, SessionRow.expires_at_us <= now_us)
    with db.write() as connection:
        now = _active(connection, account.id)
        if now is None or now.password_hash != account.password_hash:
            raise AccountRefused("the account was changed at this moment; sign in again")
        connection.execute(delete(SessionRow).where(*over))
        number = connection.execute(INSERT_SESSION, values).scalar_one()
        _audit(connection, account.name, "sign in", account.name, now_us)
    return Session(id=number, created_at_us=now_us, used_at_us=now_us, expires_at_us=expires_at_us)


def session_of(db: Database, token_sha256: str, *, now_us: int, idle_us: int) -> SignedIn | None:
    """The session of this token, None if there is none, or it ended, or its account is disabled.

    Args:
        idle_us: How long it may have asked nothing.
    """
    query = select(SessionRow.__table__).where(
        SessionRow.token_sha256 == token_sha256,
        SessionRow.expires_at_us > now_us,
        SessionRow.used_at_us > now_us - idle_us,
    )
    with db.read() as connection:
        row = connection.execute(query).first()
        account = None if row is None else _active(connection, row.account_id)
    if row is None or account is None:
        return None
    session = Session(
        id=row.id,
        created_at_us=row.created_at_us,
        used_at_us=row.used_at_us,
        expires_at_us=row.expires_at_us,
    )
    return SignedIn(session=session, account=account)


def touch_session(db: Database, session: int, *, now_us: int) -> None:
    """Remember that it asked something now."""
    with db.write() as connection:
        this = (SessionRow.id == session, SessionRow.used_at_us < now_us)
        connection.execute(update(SessionRow).where(*this).values(used_at_us=now_us))


def close_session(db: Database, session: int, *, by: str, now_us: int) -> None:
    """Sign a browser out."""
    with db.write() as connection:
        gone = connection.execute(delete(SessionRow).where(SessionRow.id == session))
        if gone.rowcount:
            _audit(connection, by, "sign out", by, now_us)


def make_token(
    db: Database,
    account: Account,
    token_sha256: str,
    *,
    name: str,
    role: Role,
    expires_at_us: int | None,
    by: str,
    now_us: int,
) -> Token:
    """Remember a new token of an account."""
    name = plain_name(name)
    values = {
        "account_id": account.id,
        "name": name,
        "token_sha256": token_sha256,
        "role": role.value,
        "created_at_us": now_us,
        "expires_at_us": expires_at_us,
    }
    with db.write() as connection:
        number = connection.execute(INSERT_TOKEN, values).scalar_one()
        _audit(
            connection,
            by,
            "token make",
            account.name,
            now_us,
            name=name,
            role=role.value,
            token=number,
        )
        row = connection.execute(_select_tokens().where(ApiTokenRow.id == number)).one()
    return _to_token(row)


def token_of(db: Database, token_sha256: str, *, now_us: int) -> Entitled | None:
    """The token with this hash, None if there is none, or it is void, or its account disabled."""
    query = _select_tokens().where(
        ApiTokenRow.token_sha256 == token_sha256,
        ApiTokenRow.revoked_at_us.is_(None),
        or_(ApiTokenRow.expires_at_us.is_(None), ApiTokenRow.expires_at_us > now_us),
    )
    with db.read() as connection:
        row = connection.execute(query).first()
        account = None if row is None else _active(connection, row.account_id)
    if row is None or account is None:
        return None
    return Entitled(token=_to_token(row), account=account)


def touch_token(db: Database, token: int, *, now_us: int) -> None:
    """Remember that it asked something now."""
    with db.write() as connection:
        this = update(ApiTokenRow).where(ApiTokenRow.id == token)
        connection.execute(this.values(used_at_us=now_us))


def tokens(db: Database, *, of: AccountId | None = None) -> list[Token]:
    """All tokens, also void ones, newest first.

    Args:
        of: Only of this account.
    """
    query = _select_tokens().order_by(ApiTokenRow.id.desc())
    if of is not None:
        query = query.where(ApiTokenRow.account_id == of)
    with db.read() as connection:
        return [_to_token(row) for row in connection.execute(query)]


def revoke_token(
    db: Database, token: int, *, of: AccountId | None = None, by: str, now_us: int
) -> None:
    """Take a token back; a void one stays so.

    Args:
        of: It must be this account's.

    Raises:
        NotFound: There is no such token.
    """
    query = _select_tokens().where(ApiTokenRow.id == token)
    if of is not None:
        query = query.where(ApiTokenRow.account_id == of)
    with db.write() as connection:
        row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no token {token}; `noctule user token list` lists all")
        if row.revoked_at_us is None:
            this = update(ApiTokenRow).where(ApiTokenRow.id == token)
            connection.execute(this.values(revoked_at_us=now_us))
            _audit(connection, by, "token revoke", row.account, now_us, token=token)


def _active(connection: Connection, number: int) -> Account | None:
    account = read_accounts(connection, [number]).get(AccountId(number))
    return account if account is not None and account.is_active else None


def _audit(
    connection: Connection, who: str, action: str, subject: str, now_us: int, **detail: object
) -> None:
    record_audit(connection, who=who, action=action, subject=subject, detail=detail, now_us=now_us)


def _select_tokens() -> Select[*tuple[Any, ...]]:
    return select(
        ApiTokenRow.id,
        ApiTokenRow.account_id,
        AccountRow.name.label("account"),
        ApiTokenRow.name,
        ApiTokenRow.role,
        ApiTokenRow.created_at_us,
        ApiTokenRow.expires_at_us,
        ApiTokenRow.used_at_us,
        ApiTokenRow.revoked_at_us,
    ).join(AccountRow, AccountRow.id == ApiTokenRow.account_id)


def _to_token(row: Row[*tuple[Any, ...]]) -> Token:
    return Token(
        id=row.id,
        account=row.account,
        name=row.name,
        role=Role(row.role),
        created_at_us=row.created_at_us,
        expires_at_us=row.expires_at_us,
        used_at_us=row.used_at_us,
        revoked_at_us=row.revoked_at_us,
    )
