"""What raises alerts: rules of the configuration and of the pages, with their history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from storage.audit import canonical_json, record_audit
from storage.database import Database
from storage.desk.pages import PAGE, Page, read_page
from storage.desk.types import RuleId, RuleOrigin
from storage.errors import DeskRefused, NotFound
from storage.schema import RuleRow
from streams.naming import plain_name

CONFIGURATION = "configuration"
"""Who makes and removes the rules of config.yaml."""
INSERT_RULE = insert(RuleRow).returning(RuleRow.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """A rule to be kept.

    Attributes:
        name: Unique among standing rules.
        kind: Such as `zone entered`; what `settings` hold follows from it.
        settings: What JSON can hold.
    """

    name: str
    kind: str
    settings: Mapping[str, object] = field(default_factory=dict)
    is_on: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", plain_name(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that stands, or stood.

    Attributes:
        removed_at_us: None while it stands.
    """

    id: RuleId
    name: str
    kind: str
    settings: Mapping[str, object]
    origin: RuleOrigin
    is_on: bool
    made_by: str
    made_at_us: int
    removed_at_us: int | None
    removed_by: str | None


def add_rule(db: Database, new: NewRule, *, made_by: str, now_us: int) -> Rule:
    """Keep a rule of the pages.

    Raises:
        DeskRefused: A standing rule has this name.
    """
    with db.write() as connection:
        return _add(connection, new, RuleOrigin.PAGE, made_by=made_by, now_us=now_us)


def change_rule(db: Database, rule: RuleId, new: NewRule, *, made_by: str, now_us: int) -> Rule:
    """Remove a rule of the pages and keep another one in its place.

    Raises:
        NotFound: No such rule stands.
        DeskRefused: It is written in the configuration; another rule has the new name.
    """
    with db.write() as connection:
        _remove(connection, rule, RuleOrigin.PAGE, removed_by=made_by, now_us=now_us)
        return _add(connection, new, RuleOrigin.PAGE, made_by=made_by, now_us=now_us)


def remove_rule(db: Database, rule: RuleId, *, removed_by: str, now_us: int) -> Rule:
    """End a rule of the pages; adding the same again takes that back.

    Raises:
        NotFound: No such rule stands.
        DeskRefused: It is written in the configuration.
    """
    with db.write() as connection:
        _remove(connection, rule, RuleOrigin.PAGE, removed_by=removed_by, now_us=now_us)
        return _read(connection, rule)


def keep_config_rules(db: Database, wanted: Sequence[NewRule], *, now_us: int) -> list[Rule]:
    """Let the standing rules of the configuration be just these; the same ones stay as they are.

    Raises:
        DeskRefused: A rule of the pages has the name of one of these; nothing was changed.
    """
    with db.write() as connection:
        standing = {rule.name: rule for rule in _standing(connection)}
        kept = {each.name: each for each in wanted}
        for name, rule in standing.items():
            if rule.origin is RuleOrigin.CONFIG and not _is_same(rule, kept.get(name)):
                _remove(
                    connection,
                    rule.id,
                    RuleOrigin.CONFIG,
                    removed_by=CONFIGURATION,
                    now_us=now_us,
                )
        for name, new in kept.items():
            held = standing.get(name)
            if held is None or held.origin is RuleOrigin.PAGE or not _is_same(held, new):
                _add(connection, new, RuleOrigin.CONFIG, made_by=CONFIGURATION, now_us=now_us)
        return [rule for rule in _standing(connection) if rule.origin is RuleOrigin.CONFIG]


def standing_rules(db: Database) -> list[Rule]:
    """All rules that stand, also those that are off, by name: for whoever watches."""
    with db.read() as connection:
        return _standing(connection)


def rules(
    db: Database, *, removed: bool = False, cursor: str | None = None, limit: int = PAGE
) -> Page[Rule]:
    """Standing rules, newest first; with `removed`, also those of the past.

    Raises:
        BadCursor: The cursor is none of ours.
    """
    query = _select() if removed else _select().where(RuleRow.removed_at_us.is_(None))
    with db.read() as connection:
        return read_page(
            connection,
            query,
            RuleRow.__table__.c.id,
            lambda rows: [_to_rule(row) for row in rows],
            cursor=cursor,
            limit=limit,
        )


def find_rule(db: Database, rule: RuleId) -> Rule:
    """The rule of this number, whether or not it stands.

    Raises:
        NotFound: There never was one.
    """
    with db.read() as connection:
        return _read(connection, rule)


def _standing(connection: Connection) -> list[Rule]:
    query = _select().where(RuleRow.removed_at_us.is_(None)).order_by(RuleRow.name)
    return [_to_rule(row) for row in connection.execute(query)]


def _is_same(rule: Rule, new: NewRule | None) -> bool:
    return new is not None and (rule.kind, rule.is_on, canonical_json(dict(rule.settings))) == (
        new.kind,
        new.is_on,
        canonical_json(dict(new.settings)),
    )


def _add(
    connection: Connection, new: NewRule, origin: RuleOrigin, *, made_by: str, now_us: int
) -> Rule:
    taken = select(RuleRow.origin).where(RuleRow.name == new.name, RuleRow.removed_at_us.is_(None))
    holder = connection.execute(taken).scalar()
    if holder is not None:
        where = "config.yaml" if holder == RuleOrigin.CONFIG else "the pages"
        raise DeskRefused(f"a rule called {new.name!r} stands already (in {where}); give another")
    values = {
        "name": new.name,
        "kind": new.kind,
        "settings": canonical_json(dict(new.settings)),
        "origin": origin.value,
        "is_on": new.is_on,
        "made_by": made_by,
        "made_at_us": now_us,
        "removed_at_us": None,
        "removed_by": None,
    }
    number = RuleId(connection.execute(INSERT_RULE, values).scalar_one())
    record_audit(
        connection,
        who=made_by,
        action="rule add",
        subject=new.name,
        detail={"rule": number, "kind": new.kind, "on": new.is_on},
        now_us=now_us,
    )
    return _read(connection, number)


def _remove(
    connection: Connection, rule: RuleId, origin: RuleOrigin, *, removed_by: str, now_us: int
) -> None:
    found = _read(connection, rule)
    if found.removed_at_us is not None:
        raise NotFound(f"rule {rule} ({found.name}) was removed before by {found.removed_by}")
    if found.origin is not origin:
        raise DeskRefused(
            f"the rule {found.name!r} is written in config.yaml; change it there, or make a rule "
            "of another name here"
        )
    ended = {"removed_at_us": max(now_us, found.made_at_us), "removed_by": removed_by}
    connection.execute(update(RuleRow).where(RuleRow.id == rule).values(ended))
    record_audit(
        connection,
        who=removed_by,
        action="rule remove",
        subject=found.name,
        detail={"rule": rule},
        now_us=now_us,
    )


def _read(connection: Connection, rule: RuleId) -> Rule:
    row = connection.execute(_select().where(RuleRow.id == rule)).first()
    if row is None:
        raise NotFound(f"there is no rule {rule}")
    return _to_rule(row)


def _select() -> Select[*tuple[Any, ...]]:
    return select(*RuleRow.__table__.columns)


def _to_rule(row: Row[*tuple[Any, ...]]) -> Rule:
    return Rule(
        id=RuleId(row.id),
        name=row.name,
        kind=row.kind,
        settings=json.loads(row.settings),
        origin=RuleOrigin(row.origin),
        is_on=row.is_on,
        made_by=row.made_by,
        made_at_us=row.made_at_us,
        removed_at_us=row.removed_at_us,
        removed_by=row.removed_by,
    )
