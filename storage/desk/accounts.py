"""Who may sign in, what they may do, and which cameras they may see. Every change is audited."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from storage.audit import record_audit
from storage.cameras import ensure_camera
from storage.database import Database
from storage.desk.types import AccountId, Role
from storage.errors import AccountRefused, NotFound
from storage.schema import AccountCameraRow, AccountRow, ApiTokenRow, CameraRow, SessionRow
from streams.types import CameraId

NAME = re.compile(r"[^\W_][\w.@-]{0,63}")
INSERT_ACCOUNT = insert(AccountRow).returning(AccountRow.id)
INSERT_ACCOUNT_CAMERA = insert(AccountCameraRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        name: Casefolded, unique.
        password_hash: argon2, with salt and cost.
        sees_all: Every camera, also those that come later; else only `cameras`.
        must_change: The password was given by somebody else and is good for once.
    """

    id: AccountId
    name: str
    password_hash: str
    role: Role
    sees_all: bool
    cameras: frozenset[CameraId]
    must_change: bool
    is_active: bool
    created_at_us: int
    changed_at_us: int

    def __repr__(self) -> str:
        return f"Account({self.name!r}, {self.role})"


def fold_name(name: str) -> str:
    """The name as it is kept: casefolded, in the usual form of its letters.

    Raises:
        AccountRefused: It is none.

    >>> fold_name("Ada.L"), fold_name("\uff21da")
    ('ada.l', 'ada')
    """
    folded = _folded(name)
    if NAME.fullmatch(folded) is None:
        raise AccountRefused(
            "that is no account's name; expected 1 to 64 letters, digits, ., @, _ or -, the first "
            "a letter or digit"
        )
    return folded


def create_account(
    db: Database,
    name: str,
    *,
    password_hash: str,
    role: Role,
    cameras: Collection[CameraId] | None,
    must_change: bool,
    by: str,
    now_us: int,
) -> Account:
    """Make an account.

    Args:
        password_hash: argon2.
        cameras: What it may see; None: all.

    Raises:
        AccountRefused: The name is none, or taken.
    """
    folded = fold_name(name)
    with db.write() as connection:
        if _find(connection, folded) is not None:
            raise AccountRefused(f"an account is called {folded!r} already; take another name")
        return _insert(
            connection,
            folded,
            password_hash,
            role,
            cameras,
            must_change=must_change,
            by=by,
            now_us=now_us,
        )


def create_first_account(
    db: Database, name: str, *, password_hash: str, by: str, now_us: int
) -> Account | None:
    """Make an administrator with a one-time password, unless there is any account already."""
    with db.write() as connection:
        if connection.execute(select(AccountRow.id).limit(1)).first() is not None:
            return None
        return _insert(
            connection,
            fold_name(name),
            password_hash,
            Role.ADMIN,
            None,
            must_change=True,
            by=by,
            now_us=now_us,
        )


def accounts(db: Database) -> list[Account]:
    """All accounts, also disabled ones, by name."""
    with db.read() as connection:
        return list(read_accounts(connection).values())


def account_named(db: Database, name: str) -> Account | None:
    """The account of this name, None if there is none."""
    folded = _folded(name)
    with db.read() as connection:
        return _find(connection, folded)


def find_account(db: Database, name: str) -> Account:
    """The account of this name.

    Raises:
        NotFound: There is none.
    """
    found = account_named(db, name)
    if found is None:
        raise _unknown(name)
    return found


def set_password(
    db: Database,
    name: str,
    *,
    password_hash: str,
    must_change: bool,
    by: str,
    now_us: int,
    keep_session: int | None = None,
) -> None:
    """Change a password, and end all sessions but `keep_session`; the audit tells only that.

    Where somebody else gives the password (`must_change`), tokens are taken back, too.
    """
    with db.write() as connection:
        account = _get(connection, name)
        values = {"password_hash": password_hash, "must_change": must_change}
        _change(connection, account, values, by=by, action="user password", now_us=now_us)
        _close_sessions(connection, account.id, keep=keep_session)
        if must_change:
            _revoke_tokens(connection, account.id, now_us)


def renew_hash(db: Database, account: Account, *, password_hash: str) -> Account:
    """The same password at today's cost; not audited, for nothing changes for anybody.

    A password that was changed since `account` was read stays.
    """
    this = (AccountRow.id == account.id, AccountRow.password_hash == account.password_hash)
    with db.write() as connection:
        connection.execute(update(AccountRow).where(*this).values(password_hash=password_hash))
    return replace(account, password_hash=password_hash)


def set_role(db: Database, name: str, role: Role, *, by: str, now_us: int) -> None:
    """Change what an account may do.

    Raises:
        AccountRefused: Nobody would be administrator any more.
    """
    with db.write() as connection:
        account = _get(connection, name)
        if role is not Role.ADMIN:
            _refuse_last_admin(connection, account)
        _change(
            connection,
            account,
            {"role": role.value},
            by=by,
            action="user role",
            now_us=now_us,
            detail={"role": role.value},
        )


def set_cameras(
    db: Database, name: str, cameras: Collection[CameraId] | None, *, by: str, now_us: int
) -> None:
    """Change which cameras an account may see; None: all, also those that come later.

    Raises:
        AccountRefused: No administrator would see all any more.
    """
    with db.write() as connection:
        account = _get(connection, name)
        if cameras is not None:
            _refuse_last_admin(connection, account)
        _change(
            connection,
            account,
            {"sees_all": cameras is None},
            by=by,
            action="user cameras",
            now_us=now_us,
            detail={"cameras": "all" if cameras is None else sorted(cameras)},
        )
        mine = AccountCameraRow.account_id == account.id
        connection.execute(delete(AccountCameraRow).where(mine))
        _give_cameras(connection, account.id, cameras or ())


def set_active(db: Database, name: str, is_active: bool, *, by: str, now_us: int) -> None:
    """Let an account sign in again, or not any more: then its sessions end, its tokens are void.

    Raises:
        AccountRefused: Nobody would be administrator any more.
    """
    with db.write() as connection:
        account = _get(connection, name)
        if not is_active:
            _refuse_last_admin(connection, account)
            _close_sessions(connection, account.id, keep=None)
            _revoke_tokens(connection, account.id, now_us)
        action = "user enable" if is_active else "user disable"
        _change(connection, account, {"is_active": is_active}, by=by, action=action, now_us=now_us)


def read_accounts(
    connection: Connection, numbers: Collection[int] | None = None
) -> dict[AccountId, Account]:
    """Accounts by number, in the order of their names; None for all."""
    query = select(AccountRow.__table__).order_by(AccountRow.name)
    scope = (
        select(AccountCameraRow.account_id, CameraRow.name)
        .join(CameraRow, CameraRow.id == AccountCameraRow.camera_id)
        .order_by(AccountCameraRow.account_id, CameraRow.name)
    )
    if numbers is not None:
        query = query.where(AccountRow.id.in_(numbers))
        scope = scope.where(AccountCameraRow.account_id.in_(numbers))
    rows = connection.execute(query).all()
    seen: defaultdict[int, set[CameraId]] = defaultdict(set)
    for row in connection.execute(scope):
        seen[row.account_id].add(CameraId(row.name))
    return {AccountId(row.id): _to_account(row, seen[row.id]) for row in rows}


def _insert(
    connection: Connection,
    name: str,
    password_hash: str,
    role: Role,
    cameras: Collection[CameraId] | None,
    *,
    must_change: bool,
    by: str,
    now_us: int,
) -> Account:
    values = {
        "name": name,
        "password_hash": password_hash,
        "role": role.value,
        "sees_all": cameras is None,
        "must_change": must_change,
        "is_active": True,
        "created_at_us": now_us,
        "changed_at_us": now_us,
    }
    number = AccountId(connection.execute(INSERT_ACCOUNT, values).scalar_one())
    _give_cameras(connection, number, cameras or ())
    told = "all" if cameras is None else sorted(cameras)
    record_audit(
        connection,
        who=by,
        action="user add",
        subject=name,
        detail={"role": role.value, "cameras": told},
        now_us=now_us,
    )
    return read_accounts(connection, [number])[number]


def _give_cameras(connection: Connection, account: int, cameras: Iterable[CameraId]) -> None:
    for camera in sorted(set(cameras)):
        values = {"account_id": account, "camera_id": ensure_camera(connection, camera)}
        connection.execute(INSERT_ACCOUNT_CAMERA, values)


def _change(
    connection: Connection,
    account: Account,
    values: dict[str, object],
    *,
    by: str,
    action: str,
    now_us: int,
    detail: dict[str, object] | None = None,
) -> None:
    change = update(AccountRow).where(AccountRow.id == account.id)
    changed_us = max(now_us, account.created_at_us)
    connection.execute(change.values(**values, changed_at_us=changed_us))
    record_audit(
        connection, who=by, action=action, subject=account.name, detail=detail or {}, now_us=now_us
    )


def _refuse_last_admin(connection: Connection, account: Account) -> None:
    """Only who sees all cameras may manage accounts, so only they count."""
    others = select(func.count()).where(
        AccountRow.role == Role.ADMIN.value,
        AccountRow.is_active.is_(True),
        AccountRow.sees_all.is_(True),
        AccountRow.id != account.id,
    )
    is_one = account.role is Role.ADMIN and account.is_active and account.sees_all
    if is_one and not connection.execute(others).scalar_one():
        raise AccountRefused(
            f"{account.name} is the last administrator who sees all; make somebody else one first"
        )


def _close_sessions(connection: Connection, account: int, *, keep: int | None) -> None:
    gone = delete(SessionRow).where(SessionRow.account_id == account)
    connection.execute(gone if keep is None else gone.where(SessionRow.id != keep))


def _revoke_tokens(connection: Connection, account: int, now_us: int) -> None:
    standing = (ApiTokenRow.account_id == account, ApiTokenRow.revoked_at_us.is_(None))
    connection.execute(update(ApiTokenRow).where(*standing).values(revoked_at_us=now_us))


def _get(connection: Connection, name: str) -> Account:
    found = _find(connection, _folded(name))
    if found is None:
        raise _unknown(name)
    return found


def _folded(name: str) -> str:
    """As keyboards of all kinds write it; what is no letter stays, and is refused or not found."""
    return unicodedata.normalize("NFKC", name.strip(" ")).casefold()


def _find(connection: Connection, folded: str) -> Account | None:
    if NAME.fullmatch(folded) is None:
        return None
    number = connection.execute(select(AccountRow.id).where(AccountRow.name == folded)).scalar()
    # An unknown name asks as much as a known one: how long it takes must not tell them apart.
    return read_accounts(connection, [number or 0]).get(AccountId(number or 0))


def _unknown(name: str) -> NotFound:
    return NotFound(f"no account is called {name[:64]!r}; `noctule user list` lists all")


def _to_account(row: Row[*tuple[Any, ...]], cameras: Iterable[CameraId]) -> Account:
    return Account(
        id=AccountId(row.id),
        name=row.name,
        password_hash=row.password_hash,
        role=Role(row.role),
        sees_all=row.sees_all,
        cameras=frozenset(cameras),
        must_change=row.must_change,
        is_active=row.is_active,
        created_at_us=row.created_at_us,
        changed_at_us=row.changed_at_us,
    )
