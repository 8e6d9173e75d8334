"""What operators call persons; the number stays, and so does every name before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, insert, select

from storage.audit import record_audit
from storage.database import Database
from storage.desk.pages import PAGE, Page, read_page
from storage.errors import NotFound
from storage.rows import portions
from storage.schema import IdentityNameRow, IdentityRow
from storage.tombstones import refuse_erased
from storage.types import IdentityId, person_name
from streams.naming import plain_name

LONGEST_NAME = 100
"""Characters."""
INSERT_NAME = insert(IdentityNameRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenName:
    """A name that an operator gave.

    Attributes:
        name: Such as `red coat`; empty: the name before was taken away.
    """

    identity: IdentityId
    name: str
    made_by: str
    made_at_us: int


def give_name(
    db: Database, identity: IdentityId, name: str, *, made_by: str, now_us: int
) -> GivenName:
    """From now on the person is called so; an empty name takes the one they have away.

    Raises:
        NotFound: There is no such person.
        PersonErased: The person was erased.
    """
    name = plain_name(name) if name else ""
    if len(name) > LONGEST_NAME:
        raise ValueError(f"name: expected at most {LONGEST_NAME} characters, got {len(name)}")
    given = GivenName(identity=identity, name=name, made_by=made_by, made_at_us=now_us)
    with db.write() as connection:
        refuse_erased(connection, [identity])
        known = select(IdentityRow.id).where(IdentityRow.id == identity)
        if connection.execute(known).first() is None:
            raise NotFound(f"nobody is called {person_name(identity)}")
        values = {
            "identity_id": identity,
            "name": name,
            "made_by": made_by,
            "made_at_us": now_us,
        }
        connection.execute(INSERT_NAME, values)
        record_audit(
            connection,
            who=made_by,
            action="name give" if name else "name take",
            subject=person_name(identity),
            detail={},  # the name itself must be able to go with the person
            now_us=now_us,
        )
    return given


def names_of(db: Database, identities: Collection[IdentityId]) -> dict[IdentityId, str]:
    """What these persons are called; who has no name is left out."""
    wanted = sorted(set(identities))
    found: dict[IdentityId, str] = {}
    with db.read() as connection:
        for some in portions(wanted):
            query = _newest().where(IdentityNameRow.identity_id.in_(some))
            for row in connection.execute(query):
                found[IdentityId(row.identity_id)] = row.name
    return {identity: name for identity, name in found.items() if name}


def find_by_name(db: Database, words: str, *, limit: int = PAGE) -> list[GivenName]:
    """Persons whose name now contains these words, who was named last first.

    Case does not matter; on SQLite only that of the letters A to Z.
    """
    pattern = func.lower(IdentityNameRow.name).contains(words.lower(), autoescape=True)
    query = _newest().where(pattern, IdentityNameRow.name != "")
    with db.read() as connection:
        rows = connection.execute(query.order_by(IdentityNameRow.id.desc()).limit(limit)).all()
    return [_to_name(row) for row in rows]


def name_history(
    db: Database, identity: IdentityId, *, cursor: str | None = None, limit: int = PAGE
) -> Page[GivenName]:
    """What the person was ever called, newest first.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    with db.read() as connection:
        return read_page(
            connection,
            _select().where(IdentityNameRow.identity_id == identity),
            IdentityNameRow.__table__.c.id,
            lambda rows: [_to_name(row) for row in rows],
            cursor=cursor,
            limit=limit,
        )


def _newest() -> Select[*tuple[Any, ...]]:
    """The name of each person that holds. Served by ix_identity_name_of_identity."""
    newest = select(func.max(IdentityNameRow.id)).group_by(IdentityNameRow.identity_id)
    return _select().where(IdentityNameRow.id.in_(newest))


def _select() -> Select[*tuple[Any, ...]]:
    return select(*IdentityNameRow.__table__.columns)


def _to_name(row: Row[*tuple[Any, ...]]) -> GivenName:
    return GivenName(
        identity=IdentityId(row.identity_id),
        name=row.name,
        made_by=row.made_by,
        made_at_us=row.made_at_us,
    )
