"""The outbox loses nothing, doubles nothing by itself, and tells what was given up."""

from __future__ import annotations

import pytest

from storage.check import check
from storage.database import Database
from storage.desk.deliveries import (
    deliveries,
    mark_dead,
    mark_failed,
    mark_sent,
    outbox,
    queue,
    retry_dead,
)
from storage.desk.raising import raise_alert
from storage.desk.sending import due_for
from storage.desk.types import DeliveryState, Purpose
from tests.storage_builders import PICTURE, TEN_O_CLOCK_US
from tests.storage_desk_builders import alert, delivery

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US


def test_what_is_queued_waits_until_it_is_sent(database: Database) -> None:
    number = queue(database, delivery(picture=PICTURE), now_us=NOW_US)

    (found,) = due_for(database, "hook", now_us=NOW_US, limit=9)
    assert (found.id, found.state, found.n_tries) == (number, DeliveryState.WAITING, 0)
    assert (found.payload["sentence"], found.picture) == (alert().sentence, PICTURE)
    assert mark_sent(database, number, answer="202 Accepted", now_us=NOW_US + 5)

    assert due_for(database, "hook", now_us=NOW_US + 9, limit=9) == []
    (sent,) = deliveries(database, state=DeliveryState.SENT).items
    assert (sent.sent_at_us, sent.answer, sent.n_tries) == (NOW_US + 5, "202 Accepted", 1)
    assert check(database, None) == []


def test_the_same_key_is_queued_once(database: Database) -> None:
    first = queue(database, delivery(), now_us=NOW_US)
    again = queue(database, delivery(payload={"other": 1}), now_us=NOW_US + 1)

    assert first == again
    assert len(deliveries(database).items) == 1


def test_a_failed_one_is_due_later_and_the_longest_due_comes_first(database: Database) -> None:
    first, second = (queue(database, delivery(f"k{n}"), now_us=NOW_US + n) for n in range(2))

    assert mark_failed(database, first, next_try_us=NOW_US + 50, answer="refused")

    assert [each.id for each in due_for(database, "hook", now_us=NOW_US + 49, limit=9)] == [second]
    assert [each.id for each in due_for(database, "hook", now_us=NOW_US + 50, limit=9)] == [
        second,
        first,
    ]
    assert [each.id for each in due_for(database, "hook", now_us=NOW_US + 50)] == [second]


def test_one_that_is_to_wait_is_not_due_before(database: Database) -> None:
    queue(database, delivery(not_before_us=NOW_US + 7), now_us=NOW_US)

    assert due_for(database, "hook", now_us=NOW_US + 6, limit=9) == []
    assert outbox(database).next_try_us == NOW_US + 7


def test_what_was_given_up_is_shown_and_can_be_tried_again(database: Database) -> None:
    numbers = [queue(database, delivery(f"k{n}", channel=f"c{n}"), now_us=NOW_US) for n in range(3)]
    for number in numbers[:2]:
        assert mark_dead(database, number, answer="x" * 5000)
    state = outbox(database)
    assert (state.n_waiting, state.n_dead, state.oldest_waiting_us) == (1, 2, NOW_US)
    dead = deliveries(database, state=DeliveryState.DEAD).items
    assert {len(each.answer or "") for each in dead} == {2000}

    assert retry_dead(database, channel="c1", now_us=NOW_US + 9) == 1
    assert retry_dead(database, delivery=numbers[2], now_us=NOW_US + 9) == 0
    assert retry_dead(database, now_us=NOW_US + 9) == 1

    assert [each.n_tries for each in deliveries(database).items] == [0, 0, 0]


def test_what_does_not_wait_any_more_is_not_marked_again(database: Database) -> None:
    number = queue(database, delivery(), now_us=NOW_US)
    assert mark_sent(database, number, answer="ok", now_us=NOW_US)

    assert not mark_dead(database, number, answer="late")
    assert not mark_failed(database, number, next_try_us=NOW_US, answer="late")
    assert not mark_sent(database, number, answer="late", now_us=NOW_US + 1)

    (found,) = deliveries(database).items
    assert (found.state, found.answer) == (DeliveryState.SENT, "ok")


def test_deliveries_are_paged_newest_first_and_filtered(database: Database) -> None:
    raised = raise_alert(database, alert(), deliveries=[delivery("k0")], now_us=NOW_US)
    queue(database, delivery("k1", purpose=Purpose.TEST, channel="mail"), now_us=NOW_US)
    queue(database, delivery("k2", purpose=Purpose.HEARTBEAT), now_us=NOW_US)

    page = deliveries(database, limit=2)

    assert [each.key for each in page.items] == ["k2", "k1"]
    assert [each.key for each in deliveries(database, cursor=page.next).items] == ["k0"]
    assert [each.key for each in deliveries(database, alert=raised.alert).items] == ["k0"]
    assert [each.key for each in deliveries(database, channel="mail").items] == ["k1"]
    assert [each.key for each in deliveries(database, purpose=Purpose.TEST).items] == ["k1"]
    with pytest.raises(ValueError, match="limit"):
        deliveries(database, limit=0)
