"""Who asked and did what: a chain of rows in which none can be changed unnoticed.

Each row carries the sha256 of the row before it and of itself. There is one writer at a time, so
the chain has no forks. The `site` row `audit head` names its end, so that rows missing there are
noticed too. Whoever can write the whole database can write a whole new chain: write the last hash,
which `noctule audit` prints, down somewhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from storage.database import Database
from storage.errors import AuditFailed, DatabaseBusy, DatabaseUnusable, DiskFull
from storage.problems import Problem, error
from storage.rows import ROWS_AT_ONCE
from storage.schema import AuditRow, SiteRow
from storage.types import ALWAYS, Span

NOTHING_BEFORE = "0" * 64
EXPIRE_AUDIT = "expire audit"
HEAD = "audit head"
RULE = "audit"

INSERT_AUDIT = insert(AuditRow).returning(AuditRow.id)
INSERT_SITE = insert(SiteRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that somebody asked or did.

    Attributes:
        subject: About whom or what, such as `P-0007`; may be empty.
        detail: What else was asked.
        hash: sha256 over the row before and this one, hex.
    """

    id: int
    at_us: int
    who: str
    action: str
    subject: str
    detail: Mapping[str, object]
    hash: str


def record_audit(
    connection: Connection,
    *,
    who: str,
    action: str,
    subject: str,
    detail: Mapping[str, object],
    now_us: int,
) -> None:
    """Append a row to the chain, within the caller's write transaction.

    Args:
        action: The verb, such as `query trajectory`.
        subject: The person, as `P-0007`, or camera asked about; may be empty.
        detail: What JSON can hold; numbers must be finite.
    """
    before = connection.execute(select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1))
    previous = before.scalar() or NOTHING_BEFORE
    words = storable(who), storable(action), storable(subject), canonical_json(dict(detail))
    hash_ = chain_hash(previous, now_us, *words)
    values = dict(zip(("who", "action", "subject", "detail"), words, strict=True))
    row = connection.execute(
        INSERT_AUDIT, {"at_us": now_us, **values, "previous": previous, "hash": hash_}
    ).scalar_one()
    _set_head(connection, f"{row} {hash_}")


def audited(
    db: Database,
    *,
    who: str,
    action: str,
    subject: str,
    detail: Mapping[str, object],
    now_us: int,
) -> None:
    """Write down what is about to be asked; only then may it be answered.

    Raises:
        AuditFailed: It could not be written, so the question must be refused.
    """
    try:
        with db.write() as connection:
            record_audit(
                connection,
                who=who,
                action=action,
                subject=subject,
                detail=detail,
                now_us=now_us,
            )
    except (DatabaseBusy, DatabaseUnusable, DiskFull) as failure:
        raise AuditFailed(
            f"`{action}` was not answered: questions about people are answered only when they can "
            f"be written down, and {failure}"
        ) from failure


def audit_entries(
    db: Database,
    *,
    of: str | None = None,
    by: str | None = None,
    action: str | None = None,
    span: Span = ALWAYS,
    before: int | None = None,
    limit: int | None = None,
) -> list[AuditEntry]:
    """What was asked and done, oldest first; at most the newest `limit`.

    Args:
        of: Only this subject, such as `P-0007`. Served by ix_audit_of_subject.
        by: Only this operator.
        action: Only actions that contain this word.
        before: Only rows with lower numbers.
    """
    query = _select_chain().order_by(None).order_by(AuditRow.id.desc())
    if of is not None:
        query = query.where(AuditRow.subject == of)
    if by is not None:
        query = query.where(AuditRow.who == by)
    if action is not None:
        query = query.where(AuditRow.action.contains(action, autoescape=True))
    if span.from_us is not None:
        query = query.where(AuditRow.at_us >= span.from_us)
    if span.to_us is not None:
        query = query.where(AuditRow.at_us < span.to_us)
    if before is not None:
        query = query.where(AuditRow.id < before)
    if limit is not None:
        query = query.limit(limit)
    with db.read() as connection:
        rows = connection.execute(query).all()
    return [_to_entry(row) for row in reversed(rows)]


def verify_audit(db: Database) -> list[Problem]:
    """Follow the chain from its beginning, or from where expiry cut it; [] if it holds."""
    with db.read() as connection:
        return list(broken_links(connection))


def broken_links(connection: Connection) -> Iterator[Problem]:
    """Rows of the chain that were changed, taken out, put in or moved. Streams the table."""
    beginning: str | None = None
    allowed, previous, last = NOTHING_BEFORE, NOTHING_BEFORE, 0
    chain = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(_select_chain())
    for row in chain:
        subject = f"audit {row.id}"
        if beginning is None:
            beginning = row.previous
        elif row.previous != previous:
            advice = f"does not follow row {last}: rows were taken out, put in or moved here"
            yield error(RULE, subject, f"{advice}; compare with a backup")
        said = chain_hash(row.previous, row.at_us, row.who, row.action, row.subject, row.detail)
        if said != row.hash:
            yield error(RULE, subject, "was changed after it was written; compare with a backup")
        if row.action == EXPIRE_AUDIT:
            allowed = str(_detail(row.detail).get("last_hash"))
        previous, last = row.hash, row.id
    if beginning is not None and beginning != allowed:
        advice = "the rows before the first are gone without having expired; restore a backup"
        yield error(RULE, "audit", advice)
    head = connection.execute(select(SiteRow.value).where(SiteRow.name == HEAD)).scalar()
    found = f"{last} {previous}" if beginning is not None else None
    if head != found:
        advice = f"ends with row {last}, its last row was {(head or 'none').partition(' ')[0]}"
        yield error(RULE, "audit", f"{advice}; rows are missing or were put in: compare a backup")


def expire_audit(
    connection: Connection, *, before_us: int, who: str, now_us: int, limit: int = 2000
) -> int:
    """Delete the oldest rows, up to the first that is not older, at most `limit`; how many.

    What is left stays provable: a row is appended that names the last one deleted.
    """
    first_kept = select(func.min(AuditRow.id)).where(AuditRow.at_us >= before_us)
    kept = connection.execute(first_kept).scalar()
    oldest = select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id).limit(limit)
    old = connection.execute(oldest if kept is None else oldest.where(AuditRow.id < kept)).all()
    if not old:
        return 0
    last, n_rows = old[-1], len(old)
    detail = {"last_id": last.id, "last_hash": last.hash, "n_rows": n_rows}
    record_audit(connection, who=who, action=EXPIRE_AUDIT, subject="", detail=detail, now_us=now_us)
    connection.execute(delete(AuditRow).where(AuditRow.id <= last.id))
    return n_rows


def chain_hash(previous: str, at_us: int, who: str, action: str, subject: str, detail: str) -> str:
    """sha256, hex, of a row that follows the row whose hash is `previous`."""
    text = previous + canonical_json([at_us, who, action, subject, detail])
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_json(value: object) -> str:
    """The one way in which we write `value`: sorted keys, no spaces, ASCII.

    >>> canonical_json({"b": 1, "a": "é"})
    '{"a":"\\\\u00e9","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _select_chain() -> Any:
    return select(
        AuditRow.id,
        AuditRow.at_us,
        AuditRow.who,
        AuditRow.action,
        AuditRow.subject,
        AuditRow.detail,
        AuditRow.previous,
        AuditRow.hash,
    ).order_by(AuditRow.id)


def _set_head(connection: Connection, value: str) -> None:
    change = update(SiteRow).where(SiteRow.name == HEAD).values(value=value)
    if not connection.execute(change).rowcount:
        connection.execute(INSERT_SITE, {"name": HEAD, "value": value})


def storable(text: str) -> str:
    """Half a character, as a terminal may give, and NUL cannot be stored."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _detail(text: str) -> dict[str, object]:
    """What a row says; a row that was tampered with says nothing."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _to_entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at_us=row.at_us,
        who=row.who,
        action=row.action,
        subject=row.subject,
        detail=_detail(row.detail),
        hash=row.hash,
    )
