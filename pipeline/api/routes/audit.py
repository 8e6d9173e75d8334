"""Who asked and did what, and the proof that nobody changed it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from pipeline.api.answers import Answer, Page
from pipeline.api.desk import DeskOf
from pipeline.api.paging import CursorQuery, LimitQuery, from_cursor, next_of
from pipeline.api.routing import Routes
from pipeline.api.times import SpanQuery
from pipeline.api.visitors import VisitorOf
from storage.audit import AuditEntry, audit_entries, verify_audit
from storage.desk.types import Role
from streams.moments import iso_time

routes = Routes("audit")
_MOST_PROBLEMS = 100
WordQuery = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class EntryAnswer(Answer):
    """One thing that somebody asked or did."""

    row: int
    at: str
    at_us: int
    who: str = Field(examples=["ada"])
    action: str = Field(examples=["view trajectory"])
    subject: str = Field(examples=["P-0002"])
    detail: dict[str, Any]
    hash: str


class ProblemAnswer(Answer):
    """Something that is not as it was written."""

    subject: str
    message: str


class ProofAnswer(Answer):
    """Whether the chain holds."""

    holds: bool
    problems: list[ProblemAnswer] = Field(description=f"The first {_MOST_PROBLEMS}.")
    last_row: int | None
    last_hash: str | None = Field(description="Proves all rows before it: write it down elsewhere.")


@routes.get("/audit", least=Role.ADMIN, needs_all=True)
def list_audit(
    visitor: VisitorOf,
    desk: DeskOf,
    span: SpanQuery,
    cursor: CursorQuery,
    of: WordQuery = None,
    by: WordQuery = None,
    action: WordQuery = None,
    limit: LimitQuery = 100,
) -> Page[EntryAnswer]:
    """Who asked and did what, newest first; this question is written down, too."""
    before = None if cursor is None else from_cursor(cursor, n=1)
    desk.viewings.write_down(visitor, "view audit", of or "", by=by, only=action, cursor=cursor)
    found = audit_entries(
        desk.database,
        of=of or None,
        by=by or None,
        action=action or None,
        span=span,
        before=None if before is None else before[0],
        limit=limit + 1,
    )[::-1]
    return Page(
        items=[_to_entry(entry) for entry in found[:limit]],
        next=next_of([(entry.id,) for entry in found], limit=limit),
    )


@routes.post("/audit/verify", least=Role.ADMIN, needs_all=True)
def verify(visitor: VisitorOf, desk: DeskOf) -> ProofAnswer:
    """Follow the whole chain, from its beginning or from where expiry cut it."""
    desk.viewings.write_down(visitor, "verify audit")
    problems = verify_audit(desk.database)
    newest = audit_entries(desk.database, limit=1)
    return ProofAnswer(
        holds=not problems,
        problems=[
            ProblemAnswer(subject=problem.subject, message=problem.advice)
            for problem in problems[:_MOST_PROBLEMS]
        ],
        last_row=newest[0].id if newest else None,
        last_hash=newest[0].hash if newest else None,
    )


def _to_entry(entry: AuditEntry) -> EntryAnswer:
    return EntryAnswer(
        row=entry.id,
        at=iso_time(entry.at_us),
        at_us=entry.at_us,
        who=entry.who,
        action=entry.action,
        subject=entry.subject,
        detail=dict(entry.detail),
        hash=entry.hash,
    )
