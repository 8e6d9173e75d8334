"""How a verdict gets into the database: its row, its two sides, its link events, its audit.

Everything here runs within the one write transaction of a verdict in `storage.verdicts`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select

from storage.audit import record_audit
from storage.errors import NotFound, VerdictRefused
from storage.links import NewEvent, append_events, follow_events
from storage.rows import insert_rows, portions
from storage.schema import (
    IdentityRow,
    SightingRow,
    VerdictRow,
    VerdictSightingRow,
)
from storage.tombstones import refuse_erased
from storage.types import (
    Decision,
    IdentityId,
    NewLink,
    Side,
    SightingId,
    VerdictId,
    VerdictKind,
    person_name,
    sighting_name,
    verdict_name,
)

OPERATOR = "operator"
"""Calibration of what a person said."""
MACHINES = {"linker", "refine"}
"""Names in `made_by` that no operator may have."""

INSERT_VERDICT = insert(VerdictRow).returning(VerdictRow.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as a verdict finds it."""

    id: SightingId
    track: str
    identity: IdentityId | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A verdict that is about to be written.

    Attributes:
        about: Persons that the operator named.
        undoes: Only of `undo`.
    """

    kind: VerdictKind
    by: str
    reason: str
    now_us: int
    about: tuple[IdentityId, ...] = ()
    undoes: VerdictId | None = None

    def __post_init__(self) -> None:
        if not self.by.strip() or self.by in MACHINES:
            raise VerdictRefused(
                f"a verdict needs the name of an operator, got {self.by!r}; name yourself with --as"
            )
        for words in (self.by, self.reason):
            if "\0" in words or words != words.encode("utf-8", "replace").decode():
                raise VerdictRefused(f"{words!r} holds characters that are no text; leave them out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One link event that a verdict appends.

    Attributes:
        link: What it says; `link.identity` may also be set where its decision is `new`.
    """

    visit: Visit
    link: NewLink


@dataclass(slots=True)
class Written:
    """A verdict's row and what it appended so far."""

    id: VerdictId
    steps: list[Step] = field(default_factory=list)


def visits_of(connection: Connection, person: IdentityId) -> list[Visit]:
    """The person's visits, ascending.

    Raises:
        NotFound: There is no such person, or none of their visits is theirs any more.
        PersonErased: That is why.
    """
    found = _visits(connection, SightingRow.identity_id == person)
    if found:
        return found
    made = connection.execute(select(IdentityRow.id).where(IdentityRow.id == person)).first()
    if made is None:
        raise NotFound(
            f"nobody is called {person_name(person)}; `noctule query identities` lists all"
        )
    refuse_erased(connection, [person])
    raise NotFound(
        f"{person_name(person)} has no visits any more: they were given to others or forgotten; "
        "`noctule verdict list` tells by whom"
    )


def view_of(connection: Connection, sighting: SightingId) -> list[Visit]:
    """All parts of the unbroken view that the visit belongs to, ascending.

    Raises:
        NotFound: There is no such visit.
    """
    track = select(SightingRow.track).where(SightingRow.id == sighting).scalar_subquery()
    found = _visits(connection, SightingRow.track == track)
    if not found:
        raise NotFound(
            f"no visit is called {sighting_name(sighting)}; `noctule query sightings` lists all"
        )
    return found


def views_of(connection: Connection, sightings: Collection[SightingId]) -> list[Visit]:
    """These visits with all other parts of their unbroken views, ascending."""
    wanted = sorted(sightings)
    found: dict[SightingId, Visit] = {}
    for some in portions(wanted):
        tracks = select(SightingRow.track).where(SightingRow.id.in_(some))
        found |= {v.id: v for v in _visits(connection, SightingRow.track.in_(tracks))}
    return [found[sighting] for sighting in sorted(found)]


def said_by_operator(ruling: Ruling, identity: IdentityId | None, claim: str) -> NewLink:
    """What the verdict says of one visit.

    Args:
        claim: The sentence after "NAME says that ".
    """
    words = f": {ruling.reason}" if ruling.reason else ""
    return NewLink(
        decision=Decision.UNSURE if identity is None else Decision.LINK,
        identity=identity,
        candidate=None,
        probability=None,
        threshold=0.0,
        runner_up=None,
        runner_up_probability=None,
        reason=f"{ruling.by} says that {claim}{words}",
        calibration=OPERATOR,
    )


def open_verdict(
    connection: Connection,
    ruling: Ruling,
    *,
    a: Iterable[SightingId],
    b: Iterable[SightingId],
) -> Written:
    """Write the verdict with its two sides."""
    values = {
        "kind": ruling.kind.value,
        "made_by": ruling.by,
        "made_at_us": ruling.now_us,
        "reason": ruling.reason,
        "undoes_id": ruling.undoes,
    }
    verdict = VerdictId(connection.execute(INSERT_VERDICT, values).scalar_one())
    sides = dict.fromkeys(b, Side.B) | dict.fromkeys(a, Side.A)
    rows = [(verdict, sighting, side.value) for sighting, side in sorted(sides.items())]
    insert_rows(connection, VerdictSightingRow, ("verdict_id", "sighting_id", "side"), rows)
    return Written(id=verdict)


def append(connection: Connection, ruling: Ruling, written: Written, steps: Sequence[Step]) -> None:
    """Append link events, and let their visits follow them."""
    events = [
        NewEvent(
            sighting=step.visit.id,
            sequence=step.visit.sequence + 1,
            link=step.link,
            identity=step.link.identity,
        )
        for step in steps
    ]
    append_events(connection, events, made_by=ruling.by, now_us=ruling.now_us, verdict=written.id)
    follow_events(connection, events)
    written.steps.extend(steps)


def close_verdict(connection: Connection, ruling: Ruling, written: Written) -> None:
    """Write down for the audit who decided what about whom: a row for every person concerned."""
    concerned = set(ruling.about)
    for step in written.steps:
        concerned |= {who for who in (step.visit.identity, step.link.identity) if who is not None}
    detail: Mapping[str, object] = {
        "verdict": verdict_name(written.id),
        "n_visits": len(written.steps),
    }
    for subject in [person_name(who) for who in sorted(concerned)] or [""]:
        record_audit(
            connection,
            who=ruling.by,
            action=f"verdict {ruling.kind.replace(' ', '-')}",
            subject=subject,
            detail=detail,
            now_us=ruling.now_us,
        )


def numbers(visits: Sequence[Visit]) -> list[SightingId]:
    return [visit.id for visit in visits]


def _visits(connection: Connection, condition: ColumnElement[bool]) -> list[Visit]:
    query = (
        select(
            SightingRow.id, SightingRow.track, SightingRow.identity_id, SightingRow.link_sequence
        )
        .where(condition)
        .order_by(SightingRow.id)
    )
    return [_to_visit(row) for row in connection.execute(query)]


def _to_visit(row: Row[*tuple[Any, ...]]) -> Visit:
    return Visit(
        id=SightingId(row.id),
        track=row.track,
        identity=row.identity_id,
        sequence=row.link_sequence,
    )
