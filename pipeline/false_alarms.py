"""What operators called a false alarm of a person of interest: pictures of two people.

Only alerts that were raised for a person of interest count: of others a false alarm says nothing
about looks. A verdict about the same two visits counts instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.browsing import sightings_named
from storage.database import Database
from storage.desk.alerts import Alert, alerts
from storage.desk.interest import Example, find_interest
from storage.desk.pages import LONGEST_PAGE
from storage.desk.types import AlertId, AlertState, InterestId
from storage.errors import NotFound
from storage.sightings import sightings
from storage.types import SightingId, Span

KIND = "person of interest"
_MOST_VISITS = 8
"""Of the person who was meant, the newest before the alert: more of them say the same again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FalseAlarm:
    """Visits that do not show the person of interest for whom an alert was raised.

    Attributes:
        visits: Of the alert, as far as they are still there.
        against: Visits of the person who was meant.
        examples: Example pictures of the person who was meant.
    """

    alert: AlertId
    interest: InterestId
    visits: tuple[SightingId, ...]
    against: tuple[SightingId, ...]
    examples: tuple[Example, ...]


def false_alarms(db: Database) -> list[FalseAlarm]:
    """All that stand, newest first, but those of which nothing can be compared any more."""
    found: list[FalseAlarm] = []
    cursor: str | None = None
    while True:
        page = alerts(db, state=AlertState.FALSE_ALARM, cursor=cursor, limit=LONGEST_PAGE)
        found += [alarm for alert in page.items if (alarm := _read(db, alert)) is not None]
        cursor = page.next
        if cursor is None:
            return found


def _read(db: Database, alert: Alert) -> FalseAlarm | None:
    interest = alert.grounds.get("interest")
    if alert.kind != KIND or not isinstance(interest, int):
        return None
    visits = {named.id for named in sightings_named(db, alert.sightings, scope=None).values()}
    by_pictures = alert.grounds.get("by") == "pictures"
    examples = _examples(db, InterestId(interest)) if by_pictures else ()
    against = () if by_pictures else _visits_of(db, alert, visits)
    if not visits or not (examples or against):
        return None
    return FalseAlarm(
        alert=alert.id,
        interest=InterestId(interest),
        visits=tuple(sorted(visits)),
        against=against,
        examples=examples,
    )


def _examples(db: Database, interest: InterestId) -> tuple[Example, ...]:
    try:
        return find_interest(db, interest).examples
    except NotFound:  # expired, or erased with the person
        return ()


def _visits_of(db: Database, alert: Alert, visits: set[SightingId]) -> tuple[SightingId, ...]:
    """The newest visits of the person who was meant, from before the alert."""
    if alert.candidate is None:
        return ()
    before = sightings(db, identity=alert.candidate, span=Span(to_us=alert.began_us))
    return tuple(visit.id for visit in before if visit.id not in visits)[-_MOST_VISITS:]
