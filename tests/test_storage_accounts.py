"""Accounts, sessions and tokens on both databases: what they see, when they end, what is kept."""

from __future__ import annotations

import pytest

from storage.audit import audit_entries, verify_audit
from storage.database import Database
from storage.desk.accounts import (
    Account,
    account_named,
    accounts,
    create_account,
    create_first_account,
    find_account,
    set_active,
    set_cameras,
    set_password,
    set_role,
)
from storage.desk.sessions import (
    close_session,
    make_token,
    open_session,
    revoke_token,
    session_of,
    token_of,
    tokens,
    touch_session,
)
from storage.desk.types import Role
from storage.errors import AccountRefused, NotFound
from streams.types import CameraId

pytest_plugins = ["tests.storage_fixtures"]

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"
GATE, DOCK = CameraId("gate"), CameraId("dock")
NOW_US = 1_700_000_000_000_000
HOUR_US = 3_600_000_000


def add(
    db: Database, name: str, *, role: Role = Role.VIEWER, see: list[CameraId] | None
) -> Account:
    return create_account(
        db,
        name,
        password_hash=HASH,
        role=role,
        cameras=see,
        must_change=False,
        by="root",
        now_us=NOW_US,
    )


def test_an_account_comes_back_as_it_was_made_whatever_the_case(database: Database) -> None:
    made = add(database, "Ada.L@site", see=[GATE, DOCK, GATE])

    assert account_named(database, "ADA.l@SITE") == made
    assert made.cameras == {GATE, DOCK}
    assert [account.name for account in accounts(database)] == ["ada.l@site"]
    assert account_named(database, "nobody") is None
    with pytest.raises(AccountRefused, match="already"):
        add(database, "ada.l@site", see=None)
    with pytest.raises(NotFound):
        find_account(database, "nobody")


def test_the_first_account_is_made_once(database: Database) -> None:
    first = create_first_account(database, "admin", password_hash=HASH, by="x", now_us=NOW_US)
    second = create_first_account(database, "admin2", password_hash=HASH, by="x", now_us=NOW_US)

    assert first is not None
    assert (first.role, first.must_change, first.sees_all) == (Role.ADMIN, True, True)
    assert second is None


def test_what_an_account_may_see_is_replaced_as_a_whole(database: Database) -> None:
    add(database, "ada", see=[GATE])

    set_cameras(database, "ada", [DOCK], by="root", now_us=NOW_US)
    some = find_account(database, "ada")
    set_cameras(database, "ada", None, by="root", now_us=NOW_US)
    everything = find_account(database, "ada")

    assert (some.sees_all, some.cameras) == (False, frozenset({DOCK}))
    assert (everything.sees_all, everything.cameras) == (True, frozenset())


def test_one_administrator_always_stays(database: Database) -> None:
    add(database, "a", role=Role.ADMIN, see=None)
    add(database, "b", role=Role.ADMIN, see=None)
    set_active(database, "a", False, by="root", now_us=NOW_US)

    with pytest.raises(AccountRefused, match="last administrator"):
        set_active(database, "b", False, by="root", now_us=NOW_US)
    with pytest.raises(AccountRefused, match="last administrator"):
        set_role(database, "b", Role.VIEWER, by="root", now_us=NOW_US)

    set_active(database, "a", True, by="root", now_us=NOW_US)
    set_role(database, "b", Role.VIEWER, by="root", now_us=NOW_US)
    assert find_account(database, "b").role is Role.VIEWER


def test_a_session_ends_when_it_is_idle_over_closed_or_its_account_is_disabled(
    database: Database,
) -> None:
    ada = add(database, "ada", see=None)
    for number in range(3):
        open_session(
            database, ada, f"{number:064}", expires_at_us=NOW_US + 3 * HOUR_US, now_us=NOW_US
        )

    def holds(number: int, *, after_us: int = 0) -> bool:
        now_us = NOW_US + after_us
        found = session_of(database, f"{number:064}", now_us=now_us, idle_us=2 * HOUR_US)
        return found is not None

    assert holds(0)
    assert not holds(0, after_us=2 * HOUR_US)
    first = session_of(database, f"{0:064}", now_us=NOW_US, idle_us=HOUR_US)
    assert first is not None
    touch_session(database, first.session.id, now_us=NOW_US + HOUR_US)
    assert holds(0, after_us=2 * HOUR_US)
    assert not holds(0, after_us=3 * HOUR_US)
    close_session(database, first.session.id, by="ada", now_us=NOW_US)
    assert (holds(0), holds(1)) == (False, True)
    open_session(database, ada, "b" * 64, expires_at_us=NOW_US + HOUR_US, now_us=NOW_US)
    add(database, "root", role=Role.ADMIN, see=None)
    set_active(database, "ada", False, by="root", now_us=NOW_US)
    assert session_of(database, "b" * 64, now_us=NOW_US, idle_us=HOUR_US) is None


def test_a_password_given_by_somebody_else_voids_sessions_and_tokens(database: Database) -> None:
    ada = add(database, "ada", see=None)
    kept = open_session(database, ada, "a" * 64, expires_at_us=NOW_US + HOUR_US, now_us=NOW_US)
    open_session(database, ada, "b" * 64, expires_at_us=NOW_US + HOUR_US, now_us=NOW_US)
    made = make_token(
        database, ada, "c" * 64, name="x", role=Role.VIEWER, expires_at_us=None, by="ada",
        now_us=NOW_US,
    )  # fmt: skip

    set_password(
        database, "ada", password_hash=HASH, must_change=False, by="ada", now_us=NOW_US,
        keep_session=kept.id,
    )  # fmt: skip
    assert session_of(database, "a" * 64, now_us=NOW_US, idle_us=HOUR_US) is not None
    assert session_of(database, "b" * 64, now_us=NOW_US, idle_us=HOUR_US) is None
    assert token_of(database, "c" * 64, now_us=NOW_US) is not None

    set_password(database, "ada", password_hash=HASH, must_change=True, by="root", now_us=NOW_US)
    assert session_of(database, "a" * 64, now_us=NOW_US, idle_us=HOUR_US) is None
    assert token_of(database, "c" * 64, now_us=NOW_US) is None
    assert [token.revoked_at_us for token in tokens(database)] == [NOW_US]
    revoke_token(database, made.id, by="root", now_us=NOW_US + 1)
    assert tokens(database)[0].revoked_at_us == NOW_US
    with pytest.raises(NotFound):
        revoke_token(database, 99, by="root", now_us=NOW_US)


def test_every_change_is_audited_without_any_secret(database: Database) -> None:
    ada = add(database, "ada", see=[GATE])
    open_session(database, ada, "5e55" * 16, expires_at_us=NOW_US + 1, now_us=NOW_US)
    set_role(database, "ada", Role.OPERATOR, by="root", now_us=NOW_US)
    set_password(database, "ada", password_hash=HASH, must_change=True, by="root", now_us=NOW_US)

    found = audit_entries(database)

    assert [entry.action for entry in found] == [
        "user add",
        "sign in",
        "user role",
        "user password",
    ]
    assert all("argon2" not in str(entry) and "5e55" not in str(entry) for entry in found)
    assert not verify_audit(database)
