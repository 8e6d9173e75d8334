"""Second thoughts: the visits of some hours with all that is known of them, and changed decisions.

Decisions are appended in batches, one transaction each; a visit about which something else was said
in the meantime (an operator's verdict, the linker) is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, true

from storage.database import Database
from storage.exemplars import to_vector
from storage.links import IS_NEWEST, NewEvent, append_events, decide_identity, follow_events
from storage.rows import portions
from storage.schema import (
    CameraRow,
    ExemplarRow,
    LinkEventRow,
    ModelVersionRow,
    SightingRow,
    VerdictRow,
    VerdictSightingRow,
)
from storage.sightings import overlapping
from storage.standing import holds, pinned_visits, undone_verdicts
from storage.tombstones import erased_of
from storage.types import (
    APART,
    TOGETHER,
    Decision,
    IdentityId,
    NewLink,
    Side,
    SightingId,
    Span,
    VerdictId,
)
from streams.types import CameraId, Modality

REFINE = "refine"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Revisited:
    """One visit (or part of one) with what it looked like and who it is said to be.

    Attributes:
        sequence: Of its newest link event; a decision holds only while this is the newest.
        identity: Who, None while unsure.
        named: Identity, candidate and runner-up of its newest link event.
        probability: Of the candidate, None where nobody was compared.
        is_settled: Its newest link event follows a verdict, or the undoing of one: it stays.
        is_pinned: A verdict that holds has the last word, also one that an `undo` brought again: an
            operator said who it is, or (no identity) that it shall be nobody.
        vectors: (N, D) float32 unit rows, best first; N may be 0.
        modality: (N,) light of each.
        qualities: (N,) of each, in [0, 1].
    """

    id: SightingId
    sequence: int
    track: str
    part: int
    camera: CameraId
    modality: Modality
    first_seen_us: int
    last_seen_us: int
    identity: IdentityId | None
    named: frozenset[IdentityId]
    probability: float | None
    is_settled: bool
    is_pinned: bool
    vectors: npt.NDArray[np.float32]
    modalities: tuple[Modality, ...]
    qualities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    """The visits of some hours, and what they are compared with.

    Attributes:
        span: What was looked at; begins later than asked where there were too many tracks.
        n_left_out: Tracks of the span asked for that were too many.
        visits: All parts of the tracks that reach into the span, oldest first.
        context: Of the people named there: their visits outside of it, oldest first.
    """

    span: Span
    n_left_out: int
    visits: tuple[Revisited, ...]
    context: tuple[Revisited, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An operator's verdict that holds: `a` and `b` are one person, or nobody of `a` is of `b`.

    Attributes:
        number: Later verdicts have higher ones.
        a: Visits decided about.
        b: Visits held against.
    """

    number: VerdictId
    is_same: bool
    a: frozenset[SightingId]
    b: frozenset[SightingId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rethought:
    """A new decision about one visit.

    Attributes:
        sequence: Of the link event that was the newest when this was decided.
        link: The first `new` of a batch makes the person; a `link` without identity is to them.
    """

    sighting: SightingId
    sequence: int
    link: NewLink


def revisit(db: Database, *, model: str, span: Span, horizon_us: int, max_tracks: int) -> Revisit:
    """The newest `max_tracks` tracks that reach into `span`, with the past of those named there.

    Reads one unchanging state.

    Args:
        model: Only vectors of this network; others do not compare.
        horizon_us: How far outside of the span its people are looked up.
        max_tracks: Tracks at most, of the span and of the past each.
    """
    with db.read() as connection:
        newest = connection.execute(_tracks_of(span)).all()
        chosen = [str(row.track) for row in newest[:max_tracks]]
        left_out = newest[max_tracks:]
        visits = _read(connection, model, SightingRow.track, sorted(chosen))
        if left_out and visits:
            span = replace(span, from_us=min(row.ended_us for row in newest[:max_tracks]))
        named = sorted({who for visit in visits for who in visit.named})
        times = [visit.first_seen_us for visit in visits]
        around = Span(
            from_us=min(times, default=0) - horizon_us, to_us=max(times, default=0) + horizon_us
        )
        known = {visit.id for visit in visits}
        past = [v for v in _ids_of(connection, named, around) if v not in known]
        context = _read(connection, model, SightingRow.id, sorted(past[:max_tracks]))
    return Revisit(
        span=span, n_left_out=len(left_out), visits=tuple(visits), context=tuple(context)
    )


def verdicts_about(db: Database, sightings: Iterable[SightingId]) -> list[Said]:
    """Verdicts not taken back that bind these visits together or apart, oldest first."""
    asked = sorted(sightings)
    about: set[int] = set()
    with db.read() as connection:
        for some in portions(asked):
            query = select(VerdictSightingRow.verdict_id).where(
                VerdictSightingRow.sighting_id.in_(some)
            )
            about |= set(connection.execute(query.distinct()).scalars())
        return [
            said
            for numbers in portions(sorted(about))
            for said in _binding(connection, VerdictRow.id.in_(numbers))
        ]


def binding_verdicts(db: Database) -> list[Said]:
    """All verdicts not taken back that bind visits together or apart, oldest first."""
    with db.read() as connection:
        return _binding(connection, true())


def _binding(connection: Connection, chosen: ColumnElement[bool]) -> list[Said]:
    sides: defaultdict[tuple[int, str], set[SightingId]] = defaultdict(set)
    kinds: dict[int, str] = {}
    query = (
        select(
            VerdictRow.id,
            VerdictRow.kind,
            VerdictSightingRow.sighting_id,
            VerdictSightingRow.side,
        )
        .join(VerdictSightingRow, VerdictSightingRow.verdict_id == VerdictRow.id)
        .where(chosen, VerdictRow.kind.in_(TOGETHER | APART))
        .order_by(VerdictRow.id)
    )
    undone_by = undone_verdicts(connection)
    for row in connection.execute(query):
        if holds(VerdictId(row.id), undone_by):
            kinds[row.id] = row.kind
            sides[row.id, row.side].add(SightingId(row.sighting_id))
    return [
        Said(
            number=VerdictId(number),
            is_same=kind in TOGETHER,
            a=frozenset(sides[number, Side.A]),
            b=frozenset(sides[number, Side.B]),
        )
        for number, kind in kinds.items()
    ]


def rethink(
    db: Database, batch: Sequence[Rethought], *, now_us: int
) -> dict[SightingId, IdentityId | None]:
    """Append these decisions in one transaction: all of them or none.

    Returns:
        Who the changed visits show now. Those about which something was said in the meantime, and
        those that would be somebody's who was erased meanwhile, are not among them and stay as they
        are.

    Raises:
        NotFound: A link names an identity that there is none of.
        ValueError: A link without identity, and no `new` before it that was still open.
    """
    events: list[NewEvent] = []
    made: IdentityId | None = None
    with db.write() as connection:
        newest = _newest_sequences(connection, [thought.sighting for thought in batch])
        gone = erased_of(connection, [t.link.identity for t in batch if t.link.identity])
        still_open = [
            t for t in batch if newest.get(t.sighting) == t.sequence and t.link.identity not in gone
        ]
        founds = any(t.link.decision is Decision.NEW for t in batch)
        for index, thought in enumerate(still_open):
            link = thought.link
            if founds and index == 0 and link.decision is Decision.LINK:
                link = replace(link, decision=Decision.NEW, probability=None)
            elif link.decision is Decision.LINK and link.identity is None:
                link = replace(link, identity=made, candidate=made)
            identity = decide_identity(connection, link, now_us=now_us)
            if link.decision is Decision.NEW:
                made = identity
            event = NewEvent(
                sighting=thought.sighting,
                sequence=thought.sequence + 1,
                link=link,
                identity=identity,
            )
            events.append(event)
        append_events(connection, events, made_by=REFINE, now_us=now_us)
        follow_events(connection, events)
    return {event.sighting: event.identity for event in events}


def newest_visit_us(db: Database) -> int | None:
    """When the newest visit began, None if there is none."""
    with db.read() as connection:
        return connection.execute(select(func.max(SightingRow.first_seen_us))).scalar()


def _tracks_of(span: Span) -> Select[*tuple[Any, ...]]:
    """Tracks that reach into `span`, newest first."""
    ended = func.max(SightingRow.last_seen_us)
    return (
        select(SightingRow.track, ended.label("ended_us"))
        .where(*overlapping(span))
        .group_by(SightingRow.track)
        .order_by(ended.desc(), SightingRow.track)
    )


def _ids_of(connection: Connection, named: Sequence[IdentityId], around: Span) -> list[SightingId]:
    """Visits of these people within `around`, newest first. Served by ix_sighting_trajectory."""
    found: list[tuple[int, int]] = []
    for some in portions(named):
        query = select(SightingRow.first_seen_us, SightingRow.id).where(
            SightingRow.identity_id.in_(some),
            SightingRow.first_seen_us >= around.from_us,
            SightingRow.first_seen_us < around.to_us,
        )
        found += [(row.first_seen_us, row.id) for row in connection.execute(query)]
    return [SightingId(number) for _, number in sorted(found, reverse=True)]


def _read(connection: Connection, model: str, column: Any, keys: Sequence[Any]) -> list[Revisited]:
    found: list[Revisited] = []
    for some in portions(keys):
        chosen = column.in_(some)
        rows = connection.execute(_select_visits().where(chosen)).all()
        vectors: defaultdict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
        for row in connection.execute(_select_vectors(model).where(chosen)):
            vectors[row.sighting_id].append(row)
        settled = [SightingId(row.id) for row in rows if row.verdict_id is not None]
        pinned = pinned_visits(connection, settled)
        found += [_to_visit(row, vectors[row.id], is_pinned=row.id in pinned) for row in rows]
    return sorted(found, key=lambda visit: (visit.first_seen_us, visit.id))


def _select_visits() -> Select[*tuple[Any, ...]]:
    return (
        select(
            SightingRow.id,
            SightingRow.link_sequence,
            SightingRow.track,
            SightingRow.part,
            CameraRow.name.label("camera"),
            SightingRow.modality,
            SightingRow.first_seen_us,
            SightingRow.last_seen_us,
            SightingRow.identity_id,
            LinkEventRow.candidate_id,
            LinkEventRow.runner_up_id,
            LinkEventRow.probability,
            LinkEventRow.verdict_id,
        )
        .join(CameraRow, CameraRow.id == SightingRow.camera_id)
        .join(LinkEventRow, IS_NEWEST)
    )


def _select_vectors(model: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ExemplarRow.sighting_id,
            ExemplarRow.vector,
            ExemplarRow.modality,
            ExemplarRow.quality,
        )
        .join(SightingRow, SightingRow.id == ExemplarRow.sighting_id)
        .join(ModelVersionRow, ModelVersionRow.id == ExemplarRow.model_version_id)
        .where(ModelVersionRow.name == model)
        .order_by(ExemplarRow.sighting_id, ExemplarRow.rank)
    )


def _to_visit(
    row: Row[*tuple[Any, ...]], exemplars: Sequence[Row[*tuple[Any, ...]]], *, is_pinned: bool
) -> Revisited:
    named = (row.identity_id, row.candidate_id, row.runner_up_id)
    return Revisited(
        id=SightingId(row.id),
        sequence=row.link_sequence,
        track=row.track,
        part=row.part,
        camera=CameraId(row.camera),
        modality=Modality(row.modality),
        first_seen_us=row.first_seen_us,
        last_seen_us=row.last_seen_us,
        identity=row.identity_id,
        named=frozenset(IdentityId(who) for who in named if who is not None),
        probability=row.probability,
        is_settled=row.verdict_id is not None,
        is_pinned=is_pinned,
        vectors=np.array([to_vector(exemplar.vector) for exemplar in exemplars], np.float32),
        modalities=tuple(Modality(exemplar.modality) for exemplar in exemplars),
        qualities=tuple(exemplar.quality for exemplar in exemplars),
    )


def _newest_sequences(
    connection: Connection, sightings: Sequence[SightingId]
) -> dict[SightingId, int]:
    found: dict[SightingId, int] = {}
    for some in portions(sightings):
        query = select(SightingRow.id, SightingRow.link_sequence).where(SightingRow.id.in_(some))
        found |= {SightingId(row.id): row.link_sequence for row in connection.execute(query)}
    return found
