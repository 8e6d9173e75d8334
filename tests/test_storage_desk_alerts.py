"""Alerts are raised once per visit, dealt with by operators, and never overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.check import check
from storage.database import Database
from storage.desk.alerts import alert as find_alert
from storage.desk.alerts import (
    alert_events,
    alert_events_since,
    alerts,
    n_new,
    newest_alert_event,
    unacknowledged,
)
from storage.desk.deliveries import deliveries
from storage.desk.handling import acknowledge, false_alarm, note, resolve, undo
from storage.desk.raising import Raised, escalate, raise_alert
from storage.desk.types import AlertEventKind, AlertId, AlertState
from storage.errors import BadCursor, DeskRefused, NotFound
from storage.sightings import record_sighting, relink
from storage.types import IdentityId, SightingId, Span
from streams.types import CameraId
from tests.storage_builders import PICTURE, TEN_O_CLOCK_US, link_to, sighting
from tests.storage_desk_builders import GATE, YARD, alert, delivery

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US + 60_000_000
FIRST = AlertId(1)


def raised(database: Database, number: int = 0, **changed: object) -> Raised:
    return raise_alert(database, alert(number, **changed), deliveries=[], now_us=NOW_US + number)


def kinds_of(database: Database, number: AlertId = FIRST) -> list[str]:
    return [event.kind.value for event in alert_events(database, number)]


def test_an_alert_is_read_back_as_it_was_raised(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)

    number = raised(
        database,
        identity=IdentityId(1),
        candidate=IdentityId(1),
        probability=0.9,
        picture=PICTURE,
        picture_camera=GATE,
        cameras=(YARD, GATE),
    ).alert

    found = find_alert(database, number)
    assert (found.key, found.rule, found.kind) == ("loitering/0", "no loitering", "loitering")
    assert (found.identity, found.candidate, found.probability) == (1, 1, 0.9)
    assert (found.picture, found.picture_camera, found.cameras) == (PICTURE, GATE, (GATE, YARD))
    assert (found.persons, found.sightings) == ((1,), ("gate/0",))
    assert (found.grounds, found.state) == ({"stayed_s": 91.5}, AlertState.NEW)
    assert (found.ended_us, found.raised_at_us) == (TEN_O_CLOCK_US + 10_000_000, NOW_US)
    assert check(database, None) == []


def test_raising_the_same_twice_changes_nothing(database: Database) -> None:
    first = raise_alert(database, alert(), deliveries=[delivery()], now_us=NOW_US)
    before = find_alert(database, FIRST)

    again = raise_alert(database, alert(), deliveries=[delivery("other")], now_us=NOW_US + 1)

    assert (first.is_new, again.is_new, again.is_extended) == (True, False, False)
    assert find_alert(database, FIRST) == before
    assert kinds_of(database) == ["raised"]
    assert [sent.key for sent in deliveries(database).items] == ["loitering/0/hook"]


def test_an_alert_goes_on_over_cameras_and_visits(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)
    raised(database)
    ended_us = TEN_O_CLOCK_US + 99_000_000

    longer = raised(database, ended_us=ended_us)
    wider = raised(database, cameras=(YARD,), sightings=("yard/1",), identity=IdentityId(1))

    assert (longer.is_extended, wider.is_extended) == (False, True)
    found = find_alert(database, FIRST)
    assert (found.ended_us, found.identity) == (ended_us, 1)
    assert (found.cameras, found.sightings) == ((GATE, YARD), ("gate/0", "yard/1"))
    assert kinds_of(database) == ["raised", "extended"]


def test_what_is_known_of_the_person_is_not_lost_when_an_alert_goes_on(database: Database) -> None:
    record_sighting(database, sighting(0), now_us=NOW_US)
    raised(database, identity=IdentityId(1), candidate=IdentityId(1), probability=0.9)

    raised(database, candidate=IdentityId(1), probability=0.2)

    assert find_alert(database, FIRST).probability == 0.9


def test_alert_and_deliveries_are_written_together_or_not_at_all(database: Database) -> None:
    broken = delivery("second", payload={"at": float("nan")})

    with pytest.raises(ValueError, match="JSON"):
        raise_alert(database, alert(), deliveries=[delivery(), broken], now_us=NOW_US)

    assert not alerts(database).items
    assert not deliveries(database).items
    assert newest_alert_event(database) == 0


def test_nobody_is_named_who_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound, match="P-0077; the alert was not raised"):
        raised(database, identity=IdentityId(77))


def test_operators_deal_with_an_alert_and_take_it_back(database: Database) -> None:
    raised(database)
    acts: tuple[Any, ...] = (acknowledge, note, resolve, undo, false_alarm, undo, undo)

    states = [
        act(database, FIRST, made_by="ada", reason="seen", now_us=NOW_US + step).state.value
        for step, act in enumerate(acts)
    ]

    assert states == [
        *("acknowledged", "acknowledged", "resolved", "acknowledged"),
        *("false alarm", "acknowledged", "new"),
    ]
    events = alert_events(database, FIRST)
    assert (events[1].made_by, events[1].reason, events[1].made_at_us) == ("ada", "seen", NOW_US)
    assert check(database, None) == []


def test_the_second_of_two_operators_is_told(database: Database) -> None:
    raised(database)
    acknowledge(database, FIRST, made_by="ada", now_us=NOW_US)

    with pytest.raises(DeskRefused, match="A1 is acknowledged already"):
        acknowledge(database, FIRST, made_by="bob", now_us=NOW_US)
    undo(database, FIRST, made_by="ada", now_us=NOW_US)
    with pytest.raises(DeskRefused, match="nothing to undo"):
        undo(database, FIRST, made_by="ada", now_us=NOW_US)
    with pytest.raises(NotFound, match="A9"):
        resolve(database, AlertId(9), made_by="ada", now_us=NOW_US)


def test_an_alert_is_escalated_once_and_only_while_it_is_new(database: Database) -> None:
    for number in range(3):
        raised(database, number)
    acknowledge(database, FIRST, made_by="ada", now_us=NOW_US)

    waiting = unacknowledged(database, older_than_us=NOW_US + 1)
    told = [
        escalate(
            database, AlertId(number), deliveries=[delivery(f"escalate {number}")], now_us=NOW_US
        )
        for number in (1, 2, 2)
    ]

    assert [each.id for each in waiting] == [2]
    assert told == [False, True, False]
    assert unacknowledged(database, older_than_us=NOW_US + 1) == []
    assert [(sent.key, sent.alert) for sent in deliveries(database).items] == [("escalate 2", 2)]


def test_alerts_are_paged_newest_first_and_filtered(database: Database) -> None:
    for number in range(5):
        raised(database, number, cameras=(GATE if number % 2 else YARD,), rule=f"rule {number}")
    acknowledge(database, FIRST, made_by="ada", now_us=NOW_US)

    first = alerts(database, limit=2)
    second = alerts(database, limit=2, cursor=first.next)
    third = alerts(database, limit=2, cursor=second.next)

    assert [[each.id for each in page.items] for page in (first, second, third)] == [
        *([5, 4], [3, 2], [1]),
    ]
    assert third.next is None
    assert [each.id for each in alerts(database, cameras=[GATE]).items] == [4, 2]
    assert alerts(database, cameras=[]).items == ()
    assert [each.id for each in alerts(database, state=AlertState.ACKNOWLEDGED).items] == [1]
    assert [each.id for each in alerts(database, rule="rule 2").items] == [3]
    late = Span(from_us=TEN_O_CLOCK_US + 13_000_000, to_us=TEN_O_CLOCK_US + 4_000_000)
    assert [each.id for each in alerts(database, span=late).items] == [4]
    assert (n_new(database), n_new(database, cameras=[YARD])) == (4, 2)


def test_a_span_tells_nothing_of_when_a_hidden_camera_saw_an_alert(database: Database) -> None:
    both, ours = raised(database, 0, cameras=(GATE, YARD)).alert, raised(database, 1).alert
    then, later = Span(to_us=TEN_O_CLOCK_US + 2_000_000), Span(from_us=NOW_US)

    def found(span: Span, scope: list[CameraId] | None) -> list[AlertId]:
        return [each.id for each in alerts(database, span=span, scope=scope).items]

    assert found(then, None) == [ours, both]
    assert found(then, [GATE]) == [ours]
    assert (found(later, None), found(later, [GATE])) == ([], [both])


def test_alerts_of_a_person_follow_what_is_said_of_their_visits(database: Database) -> None:
    for number in range(2):
        record_sighting(database, sighting(number), now_us=NOW_US)
        raised(database, number)

    relink(database, SightingId(2), link_to(1), made_by="ada", now_us=NOW_US)

    assert [each.id for each in alerts(database, identity=IdentityId(1)).items] == [2, 1]
    assert alerts(database, identity=IdentityId(2)).items == ()


@pytest.mark.parametrize("cursor", ["", "7", "nonsense", "YWZ0ZXIgLTE", "é", "a" * 5000])
def test_what_is_no_cursor_is_refused(sqlite_database: Database, cursor: str) -> None:
    with pytest.raises(BadCursor, match="give back what `next`"):
        alerts(sqlite_database, cursor=cursor)


def test_live_updates_are_events_after_a_number(database: Database) -> None:
    raised(database)
    begin = newest_alert_event(database)

    acknowledge(database, FIRST, made_by="ada", now_us=NOW_US)
    raised(database, 1)

    found = alert_events_since(database, begin)
    assert [(event.alert, event.kind) for event in found] == [
        (1, AlertEventKind.ACKNOWLEDGED),
        (2, AlertEventKind.RAISED),
    ]


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'other words'",
        "made_by = 'eve'",
        "kind = 'resolved'",
        "reason = 'erased with the person', made_at_us = 5",
    ],
)
def test_the_history_of_an_alert_cannot_be_changed(database: Database, change: str) -> None:
    raised(database)

    with pytest.raises(DBAPIError, match="only appended"), database.write() as connection:
        connection.execute(text(f"UPDATE alert_event SET {change}"))


def test_words_that_no_database_can_hold_are_kept_readable(database: Database) -> None:
    raised(database, sentence="nul \0 half \ud800")

    acknowledge(database, FIRST, made_by="a\0da", reason="\0", now_us=NOW_US)

    assert find_alert(database, FIRST).sentence == "nul \\0 half \\ud800"
