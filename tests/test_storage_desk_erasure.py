"""Whoever is erased goes from alerts, messages, names, interests and operators' words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.check import check
from storage.database import Database
from storage.desk.alerts import alert as find_alert
from storage.desk.alerts import alert_events, alerts
from storage.desk.deliveries import deliveries, mark_dead, mark_sent, queue
from storage.desk.erasing import naming
from storage.desk.handling import false_alarm, note
from storage.desk.interest import add_interest, interests
from storage.desk.names import give_name, names_of
from storage.desk.raising import raise_alert
from storage.desk.sending import due_for
from storage.desk.types import AlertId, DeliveryState
from storage.erasure import erase, plan_erasure
from storage.evidence import EvidenceStore
from storage.holds import lift_hold, place_hold
from storage.schema import WORDS_ERASED, Table
from storage.sightings import record_sighting, relink, sightings
from storage.types import SightingId
from storage.verdict_list import verdicts
from storage.verdicts import merge, not_same_person, same
from tests.storage_builders import link_to, link_unsure, sighting
from tests.storage_desk_builders import GATE, alert, delivery, example, interest
from tests.storage_keeping_builders import FIRST, NOW_US, SECOND

pytest_plugins = ["tests.storage_fixtures", "tests.storage_keeping_builders"]


def erase_first(site: Database, evidence: EvidenceStore) -> None:
    erase(site, evidence, FIRST, reason="asked", made_by="ada", now_us=NOW_US, rewrite=False)


def everything_in(database: Database) -> str:
    """All rows of all tables but audit and tombstones, as text."""
    with database.read() as connection:
        return "\n".join(
            repr(tuple(row))
            for table in Table.metadata.sorted_tables
            if table.name not in {"audit", "erasure"}
            for row in connection.execute(table.select())
        )


def test_an_erased_persons_alerts_lose_who_words_and_picture(
    site: Database, evidence: EvidenceStore
) -> None:
    false_alarm(site, AlertId(1), made_by="ada", reason="the cleaner", now_us=NOW_US)
    other = find_alert(site, AlertId(2))

    erase_first(site, evidence)

    found = find_alert(site, AlertId(1))
    assert (found.identity, found.candidate, found.probability) == (None, None, None)
    assert (found.sentence, dict(found.grounds)) == (WORDS_ERASED, {})
    assert (found.picture, found.picture_camera, found.sightings) == (None, None, ())
    assert (found.cameras, found.state.value) == ((GATE,), "false alarm")
    assert [event.reason for event in alert_events(site, AlertId(1))] == ["", WORDS_ERASED]
    assert find_alert(site, AlertId(2)) == other
    assert {file.read_bytes() for file in evidence.files()} == {b"crop 1", b"alert 1"}
    assert check(site, evidence) == []


def test_what_was_kept_under_the_number_of_who_was_merged_into_them_goes_along(
    site: Database, evidence: EvidenceStore
) -> None:
    give_name(site, SECOND, "a canary of the second", made_by="ada", now_us=NOW_US)
    wanted = interest(name="wanted canary", identity=SECOND, examples=())
    add_interest(site, wanted, made_by="ada", now_us=NOW_US)
    merge(site, FIRST, SECOND, by="ada", now_us=NOW_US)

    assert plan_erasure(site, FIRST).n_interests == 1
    erase_first(site, evidence)

    assert "canary" not in everything_in(site)


def test_an_alert_is_found_by_the_visits_that_are_theirs_now(
    site: Database, evidence: EvidenceStore
) -> None:
    relink(site, SightingId(2), link_to(1), made_by="linker", now_us=NOW_US)

    erase_first(site, evidence)

    assert [each.sentence for each in alerts(site).items] == [WORDS_ERASED] * 2
    assert list(evidence.files()) == []


def test_an_alert_about_somebody_who_was_erased_does_not_go_on(
    site: Database, evidence: EvidenceStore
) -> None:
    erase_first(site, evidence)

    again = alert(0, identity=FIRST, sightings=("gate/0", "gate/9"))
    raised = raise_alert(site, again, deliveries=[delivery("new")], now_us=NOW_US)

    assert (raised.is_new, raised.is_extended) == (False, False)
    assert find_alert(site, AlertId(1)).sightings == ()
    late = raise_alert(site, alert(5, identity=FIRST), deliveries=[], now_us=NOW_US)
    assert find_alert(site, late.alert).identity is None


def test_what_was_not_sent_is_not_sent_and_what_was_is_emptied(
    site: Database, evidence: EvidenceStore
) -> None:
    sent, dead = due_for(site, "hook", now_us=NOW_US, limit=9)[:2]
    mark_sent(site, sent.id, answer="thanks for P-0001", now_us=NOW_US)
    mark_dead(site, dead.id, answer="no")
    raise_alert(site, alert(7, identity=FIRST), deliveries=[delivery("waiting")], now_us=NOW_US)
    queue(site, delivery("test"), now_us=NOW_US)

    erase_first(site, evidence)

    assert [each.key for each in deliveries(site).items] == ["test", "dead 1", "k1", "k0"]
    (emptied,) = deliveries(site, state=DeliveryState.SENT).items
    assert (dict(emptied.payload), emptied.picture, emptied.answer) == ({}, None, WORDS_ERASED)
    assert not mark_sent(site, dead.id, answer="late", now_us=NOW_US)


def test_names_and_interests_of_an_erased_person_are_gone(
    site: Database, evidence: EvidenceStore
) -> None:
    crop = sightings(site)[0].evidence[0]
    own = evidence.put(b"from a poster")
    give_name(site, FIRST, "red coat", made_by="ada", now_us=NOW_US)
    give_name(site, SECOND, "courier", made_by="ada", now_us=NOW_US)
    for wanted in (
        interest(identity=FIRST, examples=(example(picture=own),)),
        interest(examples=(example(1, 0, 0, 0, picture=crop),)),
        interest(identity=SECOND, examples=()),
    ):
        add_interest(site, wanted, made_by="ada", now_us=NOW_US)
    plan = plan_erasure(site, FIRST)

    erase_first(site, evidence)

    assert (plan.n_alerts, plan.n_interests, plan.n_pictures, plan.n_shared) == (1, 2, 3, 0)
    assert names_of(site, [FIRST, SECOND]) == {SECOND: "courier"}
    assert [each.identity for each in interests(site).items] == [SECOND]
    assert not evidence.path(own).exists()
    assert "red coat" not in everything_in(site)
    assert check(site, evidence) == []


def test_operators_words_about_an_erased_person_are_blanked_wherever_they_stand(
    site: Database, evidence: EvidenceStore
) -> None:
    third = sighting(2, link=link_unsure(candidate=1), exemplars=())
    record_sighting(site, third, now_us=NOW_US)
    give_name(site, FIRST, "Eve Miller", made_by="ada", now_us=NOW_US)
    by: dict[str, Any] = {"by": "ada", "now_us": NOW_US}
    same(site, SightingId(3), SECOND, reason="neighbour of eve miller", **by)
    not_same_person(site, FIRST, SECOND, reason="SECRET of hers", **by)
    same(site, SightingId(3), SECOND, reason="he said so himself", **by)
    relink(site, SightingId(3), link_to(1), made_by="ada", now_us=NOW_US)
    relink(site, SightingId(3), link_to(2), made_by="linker", now_us=NOW_US)
    note(site, AlertId(2), made_by="ada", reason="with P-1, I think", now_us=NOW_US)
    place_hold(site, FIRST, reason="SECRET case", made_by="ada", now_us=NOW_US)
    lift_hold(site, FIRST, made_by="ada", now_us=NOW_US)

    erase_first(site, evidence)

    left = everything_in(site)
    assert not re.search(r"secret|miller|with P-1", left, re.IGNORECASE)
    assert [each.reason for each in reversed(verdicts(site))] == [
        *(WORDS_ERASED, WORDS_ERASED, "he said so himself"),
    ]
    assert "ada says that this is P-0002 (V3): he said so himself" in left
    assert check(site, evidence) == []


@pytest.mark.parametrize("table", ["verdict", "link_event", "alert_event"])
def test_tables_that_are_only_appended_let_words_go_and_nothing_else(
    site: Database, table: str
) -> None:
    same(site, SightingId(1), FIRST, by="ada", reason="words", now_us=NOW_US)

    with site.write() as connection:
        connection.execute(text(f"UPDATE {table} SET reason = '{WORDS_ERASED}'"))
    for column in (each.name for each in Table.metadata.tables[table].columns):
        change = f"UPDATE {table} SET {column} = {column}, reason = '{WORDS_ERASED}'"
        if column == "reason":
            change = f"UPDATE {table} SET reason = 'x'"
        with pytest.raises(DBAPIError, match="only appended"), site.write() as connection:
            connection.execute(text(change))


def test_an_alert_that_also_shows_a_held_person_keeps_its_evidence(
    site: Database, evidence: EvidenceStore
) -> None:
    both = alert(
        9, identity=SECOND, candidate=FIRST, probability=0.4, sightings=("gate/0", "gate/1")
    )
    number = raise_alert(site, both, deliveries=[], now_us=NOW_US).alert
    place_hold(site, SECOND, reason="court", made_by="ada", now_us=NOW_US)

    erase_first(site, evidence)

    found = find_alert(site, number)
    assert (found.identity, found.candidate, found.probability) == (SECOND, None, None)
    assert (found.sentence, found.sightings) == (both.sentence, ("gate/1",))
    assert find_alert(site, AlertId(1)).sentence == WORDS_ERASED


@pytest.mark.parametrize(
    ("words", "found"),
    [("it is P-0001.", True), ("p1 again", True), ("P-0010", False), ("XP-1", False)],
)
def test_a_person_is_found_in_words_by_number(words: str, found: bool) -> None:
    assert bool(naming(FIRST, []).search(words)) is found
