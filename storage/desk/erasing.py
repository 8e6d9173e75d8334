"""What the front desk keeps of a person, and how it goes when they are erased.

Alerts stay as events that happened, without who, words or picture. Names, persons of interest and
what was not sent yet go. Words of operators that name the person are blanked wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from storage.desk.heirs import forebears
from storage.desk.interest import delete_interests
from storage.desk.types import DeliveryState
from storage.holds import held_alerts
from storage.rows import portions
from storage.schema import (
    WORDS_ERASED,
    AlertEventRow,
    AlertRow,
    AlertSightingRow,
    DeliveryRow,
    ExemplarRow,
    IdentityNameRow,
    InterestExampleRow,
    InterestRow,
    LegalHoldRow,
    LinkEventRow,
    SightingRow,
    VerdictRow,
    VerdictSightingRow,
)
from storage.types import IdentityId, SightingId

MACHINES = ("linker", "refine")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskTraces:
    """Where the front desk speaks of a person; row numbers, ascending.

    Attributes:
        alerts: About them, or about one of their visits; they lose who, words and picture.
        spared: Of these, such that are also about somebody under legal hold; they lose only what
            says that it may be the person.
        interests: By number, also of who was merged into them, or by a picture of a visit.
        pictures: sha256 of what these refer to.
    """

    alerts: tuple[int, ...]
    spared: tuple[int, ...]
    interests: tuple[int, ...]
    pictures: frozenset[str]


def desk_traces(
    connection: Connection, identity: IdentityId, sightings: Sequence[SightingId]
) -> DeskTraces:
    """What would go with the person and these visits of theirs."""
    about = (AlertRow.identity_id == identity) | (AlertRow.candidate_id == identity)
    found = set(connection.execute(select(AlertRow.id).where(about)).scalars())
    people = {identity, *forebears(connection, identity, sightings)}
    looked_for = set(
        connection.execute(
            select(InterestRow.id).where(InterestRow.identity_id.in_(people))
        ).scalars()
    )
    for some in portions(sightings):
        shown = (
            select(AlertSightingRow.alert_id)
            .join(SightingRow, SightingRow.key == AlertSightingRow.sighting_key)
            .where(SightingRow.id.in_(some))
        )
        found |= set(connection.execute(shown).scalars())
        crops = select(ExemplarRow.evidence).where(
            ExemplarRow.sighting_id.in_(some), ExemplarRow.evidence.is_not(None)
        )
        like = select(InterestExampleRow.interest_id).where(InterestExampleRow.picture.in_(crops))
        looked_for |= set(connection.execute(like).scalars())
    held = held_alerts(connection)
    spared = set() if held is None else found & set(connection.execute(held).scalars())
    emptied = found - spared
    return DeskTraces(
        alerts=tuple(sorted(found)),
        spared=tuple(sorted(spared)),
        interests=tuple(sorted(looked_for)),
        pictures=frozenset(_pictures_of(connection, emptied, looked_for)),
    )


def erase_from_desk(
    connection: Connection,
    identity: IdentityId,
    sightings: Sequence[SightingId],
    traces: DeskTraces,
) -> tuple[str, ...]:
    """Take it out, in the caller's transaction and before the visits themselves go.

    Returns:
        What went, a line each, such as `alert 7`. Pictures are the caller's to let go.
    """
    gone = [f"alert {number}" for number in traces.alerts]
    gone += [f"interest {number}" for number in traces.interests]
    people = {identity, *forebears(connection, identity, sightings)}
    names = [name for who in sorted(people) for name in _names_of(connection, who)]
    for table, number in _said_about(connection, identity, sightings, names):
        words = update(table).where(table.id == number).values(reason=WORDS_ERASED)
        connection.execute(words)
        gone.append(f"words of {table.__tablename__} {number}")
    _empty_alerts(connection, identity, traces)
    for some in portions(sightings):
        keys = select(SightingRow.key).where(SightingRow.id.in_(some))
        connection.execute(delete(AlertSightingRow).where(AlertSightingRow.sighting_key.in_(keys)))
    delete_interests(connection, traces.interests)
    of_person = IdentityNameRow.identity_id.in_(people)
    numbers = connection.execute(select(IdentityNameRow.id).where(of_person)).scalars()
    gone += [f"name {number}" for number in numbers]
    connection.execute(delete(IdentityNameRow).where(of_person))
    return tuple(gone)


def _empty_alerts(connection: Connection, identity: IdentityId, traces: DeskTraces) -> None:
    for column in (AlertRow.identity_id, AlertRow.candidate_id):
        maybe = update(AlertRow).where(AlertRow.id.in_(traces.spared), column == identity)
        connection.execute(maybe.values({column: None, AlertRow.probability: None}))
    for some in portions(sorted(set(traces.alerts) - set(traces.spared))):
        emptied = {
            "identity_id": None,
            "candidate_id": None,
            "probability": None,
            "sentence": WORDS_ERASED,
            "grounds": "{}",
            "picture": None,
            "picture_camera_id": None,
        }
        connection.execute(update(AlertRow).where(AlertRow.id.in_(some)).values(emptied))
        events = update(AlertEventRow).where(
            AlertEventRow.alert_id.in_(some), AlertEventRow.reason != ""
        )
        connection.execute(events.values(reason=WORDS_ERASED))
        of_these = DeliveryRow.alert_id.in_(some)
        unsent = DeliveryRow.state != DeliveryState.SENT
        connection.execute(delete(DeliveryRow).where(of_these, unsent))
        sent = {"payload": "{}", "picture": None, "answer": WORDS_ERASED}
        connection.execute(update(DeliveryRow).where(of_these).values(sent))


def _said_about(
    connection: Connection,
    identity: IdentityId,
    sightings: Sequence[SightingId],
    names: Sequence[str],
) -> Iterator[tuple[Any, int]]:
    """Tables and rows whose `reason` holds operators' words about the person."""
    named = naming(identity, names)
    verdicts = _verdicts_about(connection, identity, sightings, named)
    yield from ((VerdictRow, number) for number in verdicts)
    for some in portions(verdicts):
        follow = (
            select(LinkEventRow.id)
            .join(
                VerdictSightingRow,
                (VerdictSightingRow.verdict_id == LinkEventRow.verdict_id)
                & (VerdictSightingRow.sighting_id == LinkEventRow.sighting_id),
            )
            .where(VerdictSightingRow.verdict_id.in_(some))
        )
        yield from (
            (LinkEventRow, number) for number in sorted(connection.execute(follow).scalars())
        )
    by_hand = select(LinkEventRow.id).where(
        LinkEventRow.identity_id == identity,
        LinkEventRow.verdict_id.is_(None),
        LinkEventRow.made_by.not_in(MACHINES),
    )
    yield from ((LinkEventRow, number) for number in sorted(connection.execute(by_hand).scalars()))
    held = select(LegalHoldRow.id).where(LegalHoldRow.identity_id == identity)
    yield from ((LegalHoldRow, number) for number in sorted(connection.execute(held).scalars()))
    for table in (AlertEventRow, LegalHoldRow, InterestRow):
        words = select(table.id, table.reason).where(table.reason.not_in(("", WORDS_ERASED)))
        for number, reason in connection.execute(words.order_by(table.id)).all():
            if named.search(reason):
                yield table, number


def _verdicts_about(
    connection: Connection,
    identity: IdentityId,
    sightings: Sequence[SightingId],
    named: re.Pattern[str],
) -> list[int]:
    """Verdicts with words that are about these visits, moved one to the person, or name them."""
    about: set[int] = set()
    for some in portions(sightings):
        sides = select(VerdictSightingRow.verdict_id).where(
            VerdictSightingRow.sighting_id.in_(some)
        )
        about |= set(connection.execute(sides).scalars())
    said = select(LinkEventRow.verdict_id).where(
        LinkEventRow.identity_id == identity, LinkEventRow.verdict_id.is_not(None)
    )
    about |= {number for number in connection.execute(said).scalars() if number is not None}
    found = []
    query = select(VerdictRow.id, VerdictRow.reason, VerdictRow.undoes_id)
    for number, reason, undoes in connection.execute(query.order_by(VerdictRow.id)).all():
        if undoes in about:  # what it takes back was about the person
            about.add(number)
        if reason not in ("", WORDS_ERASED) and (number in about or named.search(reason)):
            found.append(number)
    return found


def naming(identity: IdentityId, names: Collection[str]) -> re.Pattern[str]:
    """Finds the person in operators' words: by number, or by a name that was given.

    >>> pattern = naming(IdentityId(7), ["red coat"])
    >>> [bool(pattern.search(words)) for words in ("p-0007!", "P-00071", "the Red Coat", "7")]
    [True, False, True, False]
    """
    given = [rf"(?<!\w){re.escape(name)}(?!\w)" for name in names if name]
    return re.compile("|".join([rf"(?<!\w)P-?0*{identity}(?!\w)", *given]), re.IGNORECASE)


def _names_of(connection: Connection, identity: IdentityId) -> Iterator[str]:
    query = select(IdentityNameRow.name).where(IdentityNameRow.identity_id == identity).distinct()
    yield from connection.execute(query).scalars()


def _pictures_of(
    connection: Connection, alerts: Collection[int], interests: Collection[int]
) -> Iterator[str]:
    for some in portions(sorted(alerts)):
        for column, owner in (
            (AlertRow.picture, AlertRow.id),
            (DeliveryRow.picture, DeliveryRow.alert_id),
        ):
            query = select(column).where(owner.in_(some), column.is_not(None))
            yield from filter(None, connection.execute(query).scalars())
    for some in portions(sorted(interests)):
        query = select(InterestExampleRow.picture).where(InterestExampleRow.interest_id.in_(some))
        yield from filter(None, connection.execute(query).scalars())
