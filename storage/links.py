"""Who a sighting is said to be: decisions are appended, the newest one holds."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from storage.errors import NotFound
from storage.rows import insert_rows, next_numbers, portions
from storage.schema import IdentityRow, LinkEventRow, SightingRow, Table
from storage.tombstones import refuse_erased
from storage.types import Decision, IdentityId, NewLink, SightingId, VerdictId, person_name

LINK_EVENT_COLUMNS = (
    *("sighting_id", "sequence", "decision", "identity_id", "candidate_id", "probability"),
    *("threshold", "runner_up_id", "runner_up_probability", "reason", "calibration", "grounds"),
    *("verdict_id", "made_by", "made_at_us"),
)


IS_NEWEST = (LinkEventRow.sighting_id == SightingRow.id) & (
    LinkEventRow.sequence == SightingRow.link_sequence
)
"""Joins a visit and the newest of its link events, the one that holds."""
FOLLOW = (
    update(Table.metadata.tables[SightingRow.__tablename__])
    .where(SightingRow.id == bindparam("visit"))
    .values(identity_id=bindparam("identity_id"), link_sequence=bindparam("link_sequence"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """A decision about a visit, to be appended.

    Attributes:
        sequence: 0 is what a visit is recorded with.
        identity: Whom it names, also where it made them; None: unsure.
    """

    sighting: SightingId
    sequence: int
    link: NewLink
    identity: IdentityId | None


def decide_identity(connection: Connection, link: NewLink, *, now_us: int) -> IdentityId | None:
    """The identity that the link is about; `new` makes one.

    Raises:
        NotFound: It names an identity that there is none of.
        PersonErased: It links to a person who was erased.
        ValueError: Decision and identity contradict each other.
    """
    return decide_identities(connection, [link], now_us=now_us)[0]


def decide_identities(
    connection: Connection, links: Sequence[NewLink], *, now_us: int
) -> list[IdentityId | None]:
    """`decide_identity` for each link in turn: a link may name who was made before it."""
    for link in links:
        if (link.decision is Decision.LINK) != (link.identity is not None):
            raise ValueError(f"link: decision {link.decision} with identity {link.identity}")
    refuse_erased(connection, [link.identity for link in links if link.identity is not None])
    known = _existing(connection, {named for link in links for named in _named(link)})
    made = iter(_make(connection, sum(link.decision is Decision.NEW for link in links), now_us))
    decided: list[IdentityId | None] = []
    for link in links:
        missing = [named for named in _named(link) if named not in known]
        if missing:
            raise NotFound(f"no such person: {person_name(missing[0])}")
        if link.decision is Decision.NEW:
            new = next(made)
            known.add(new)
            decided.append(new)
        else:
            decided.append(link.identity)
    return decided


def append_events(
    connection: Connection,
    events: Sequence[NewEvent],
    *,
    made_by: str,
    now_us: int,
    verdict: VerdictId | None = None,
) -> None:
    """Write decisions down."""
    rows = [_to_row(event, made_by=made_by, now_us=now_us, verdict=verdict) for event in events]
    insert_rows(connection, LinkEventRow, LINK_EVENT_COLUMNS, rows)


def follow_events(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Let visits show what was written down about them last."""
    changes = [
        {"visit": e.sighting, "identity_id": e.identity, "link_sequence": e.sequence}
        for e in events
    ]
    if changes:
        connection.execute(FOLLOW, changes)


def _to_row(
    event: NewEvent, *, made_by: str, now_us: int, verdict: VerdictId | None
) -> tuple[object, ...]:
    link = event.link
    return (
        event.sighting,
        event.sequence,
        link.decision.value,
        event.identity,
        link.candidate,
        None if link.probability is None else float(link.probability),
        float(link.threshold),
        link.runner_up,
        None if link.runner_up_probability is None else float(link.runner_up_probability),
        link.reason,
        link.calibration,
        json.dumps(dict(link.grounds), sort_keys=True) if link.grounds else None,
        verdict,
        made_by,
        now_us,
    )


def _named(link: NewLink) -> list[IdentityId]:
    named = (link.identity, link.candidate, link.runner_up)
    return [identity for identity in named if identity is not None]


def _existing(connection: Connection, named: Collection[IdentityId]) -> set[IdentityId]:
    wanted = sorted(named)
    found: set[IdentityId] = set()
    for some in portions(wanted):
        query = select(IdentityRow.id).where(IdentityRow.id.in_(some))
        found.update(IdentityId(number) for number in connection.execute(query).scalars())
    return found


def _make(connection: Connection, n: int, now_us: int) -> list[IdentityId]:
    numbers = next_numbers(connection, IdentityRow, n)
    rows = [(number, now_us) for number in numbers]
    insert_rows(connection, IdentityRow, ("id", "made_at_us"), rows)
    return [IdentityId(number) for number in numbers]
