"""The front desk forgets in time and with a person, keeps what is held, and can be checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.check import check
from storage.database import Database
from storage.desk.alerts import alert as find_alert
from storage.desk.alerts import alert_events, alerts
from storage.desk.deliveries import deliveries, due, mark_dead, mark_sent, queue
from storage.desk.erasing import naming
from storage.desk.handling import false_alarm, note
from storage.desk.interest import add_interest, interests, remove_interest
from storage.desk.names import give_name, name_history, names_of
from storage.desk.pictures import picture_use, referrers
from storage.desk.plans import draw_plan
from storage.desk.raising import raise_alert
from storage.desk.types import AlertId, DeliveryState
from storage.due import Expired
from storage.due import due as due_to_expire
from storage.erasure import erase, plan_erasure
from storage.evidence import EvidenceStore
from storage.holds import lift_hold, place_hold
from storage.retention import expire
from storage.retention_config import RetentionConfig
from storage.schema import WORDS_ERASED, Table
from storage.sightings import record_sighting, relink, sightings
from storage.types import IdentityId, SightingId
from storage.verdict_list import verdicts
from storage.verdicts import not_same_person, same
from tests.storage_builders import (
    TEN_O_CLOCK_US,
    exemplar,
    link_to,
    link_unsure,
    sighting,
)
from tests.storage_desk_builders import GATE, alert, delivery, example, interest
from tests.storage_tamper import break_rules

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US + 60_000_000
DAY_US = 86_400_000_000
FIRST, SECOND = IdentityId(1), IdentityId(2)
FOR_EVER = RetentionConfig.model_validate(
    dict.fromkeys(
        [name for name in RetentionConfig.model_fields if name.endswith(("_days", "_mb"))], None
    )
)


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


@pytest.fixture
def site(database: Database, evidence: EvidenceStore) -> Database:
    """Two persons with a visit each and a picture of it; an alert with a picture about each."""
    for number in range(2):
        crop = exemplar(evidence=evidence.put(b"crop %d" % number))
        record_sighting(database, sighting(number, exemplars=(crop,)), now_us=NOW_US)
        picture = evidence.put(b"alert %d" % number)
        raised = alert(
            number, identity=IdentityId(number + 1), picture=picture, picture_camera=GATE
        )
        sent = [delivery(f"k{number}", picture=picture), delivery(f"dead {number}")]
        raise_alert(database, raised, deliveries=sent, now_us=NOW_US)
    return database


def erase_first(site: Database, evidence: EvidenceStore) -> None:
    erase(site, evidence, FIRST, reason="asked", made_by="ada", now_us=NOW_US, rewrite=False)


def run_out(site: Database, evidence: EvidenceStore, now_us: int, **days: float) -> Expired:
    config = FOR_EVER.model_copy(update=days)
    expected = due_to_expire(site, evidence, config, now_us=now_us)
    gone = sum(expire(site, evidence, config, now_us=now_us, who="retention"), start=Expired())
    assert gone.n_alerts == expected.n_alerts
    assert gone.n_deliveries == expected.n_deliveries
    assert gone.n_interests == expected.n_interests
    assert gone.n_names >= expected.n_names  # visits that go leave more names without any
    return gone


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
    sent, dead = due(site, now_us=NOW_US)[:2]
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


def test_alerts_and_deliveries_go_after_their_time_with_their_pictures(
    site: Database, evidence: EvidenceStore
) -> None:
    queue(site, delivery("test"), now_us=NOW_US)
    for each in due(site, now_us=NOW_US)[:2]:
        mark_sent(site, each.id, answer="ok", now_us=NOW_US)
    later_us = NOW_US + 10 * DAY_US

    assert run_out(site, evidence, later_us, deliveries_days=9).n_deliveries == 2
    assert len(deliveries(site).items) == 3
    assert not run_out(site, evidence, later_us, alerts_days=11)
    gone = run_out(site, evidence, later_us, alerts_days=9)

    assert (gone.n_alerts, gone.n_pictures) == (2, 2)
    assert alerts(site).items == ()
    assert [each.key for each in deliveries(site).items] == ["test"]
    assert {file.read_bytes() for file in evidence.files()} == {b"crop 0", b"crop 1"}
    assert check(site, evidence) == []


def test_pictures_of_alerts_go_first_and_the_alerts_stay(
    site: Database, evidence: EvidenceStore
) -> None:
    run_out(site, evidence, NOW_US + 10 * DAY_US, pictures_days=9)

    assert [each.picture for each in alerts(site).items] == [None, None]
    assert {each.picture for each in deliveries(site).items} == {None}
    assert list(evidence.files()) == []
    assert check(site, evidence) == []


def test_pictures_of_plans_and_of_whom_one_looks_for_outlast_the_others(
    site: Database, evidence: EvidenceStore
) -> None:
    plan, poster = evidence.put(b"plan"), evidence.put(b"poster")
    draw_plan(site, plan, metres_per_pixel=0.1, made_by="ada", now_us=NOW_US)
    wanted = interest(examples=(example(picture=poster),))
    add_interest(site, wanted, made_by="ada", now_us=NOW_US)
    later_us = NOW_US + 10 * DAY_US

    run_out(site, evidence, later_us, pictures_days=5, pictures_mb=1)
    assert {file.read_bytes() for file in evidence.files()} == {b"plan", b"poster"}

    assert run_out(site, evidence, later_us, interests_days=9.5).n_interests == 0
    assert run_out(site, evidence, later_us, interests_days=8).n_interests == 1
    assert {file.read_bytes() for file in evidence.files()} == {b"plan"}
    assert check(site, evidence) == []


def test_a_removed_entry_is_forgotten_after_its_time(
    site: Database, evidence: EvidenceStore
) -> None:
    made = add_interest(
        site, interest(expires_at_us=NOW_US + 99 * DAY_US), made_by="ada", now_us=NOW_US
    )
    remove_interest(site, made.id, removed_by="ada", now_us=NOW_US)

    assert run_out(site, evidence, NOW_US + 3 * DAY_US, interests_days=2).n_interests == 1


def test_a_hold_keeps_alerts_pictures_and_names(site: Database, evidence: EvidenceStore) -> None:
    for person in (FIRST, SECOND):
        give_name(site, person, "somebody", made_by="ada", now_us=NOW_US)
    place_hold(site, FIRST, reason="court", made_by="ada", now_us=NOW_US)
    everything = {"pictures_days": 5, "vectors_days": 5, "sightings_days": 5, "alerts_days": 5}

    gone = run_out(site, evidence, NOW_US + 10 * DAY_US, **everything)

    assert (gone.n_alerts, gone.n_sightings, gone.n_names) == (1, 1, 1)
    assert [each.id for each in alerts(site).items] == [1]
    assert {file.read_bytes() for file in evidence.files()} == {b"crop 0", b"alert 0"}
    assert [given.name for given in name_history(site, FIRST).items] == ["somebody"]
    assert check(site, evidence) == []


def test_sessions_and_tokens_go_after_they_ended(site: Database, evidence: EvidenceStore) -> None:
    begin_us, end_us = NOW_US, NOW_US + DAY_US
    account = "'ada', '$argon2id$x', 'admin', true, false, true, 1, 1"
    with site.write() as connection:
        connection.execute(
            text(
                "INSERT INTO account (name, password_hash, role, sees_all, must_change, is_active, "
                f"created_at_us, changed_at_us) VALUES ({account})"
            )
        )
        for number, expires_us in enumerate((end_us, end_us + 9 * DAY_US)):
            token = f"{number}" * 64
            times = f"{begin_us}, {expires_us}"
            connection.execute(
                text(
                    "INSERT INTO session (account_id, token_sha256, used_at_us, created_at_us, "
                    f"expires_at_us) VALUES (1, '{token}', {begin_us}, {times})"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO api_token (account_id, name, role, token_sha256, created_at_us, "
                    f"expires_at_us) VALUES (1, 'wall', 'viewer', '{token}', {times})"
                )
            )

    assert run_out(site, evidence, end_us + 3 * DAY_US, sessions_days=2).n_sessions == 2


def test_who_may_see_a_picture_follows_from_who_refers_to_it(
    site: Database, evidence: EvidenceStore
) -> None:
    crop, shown = sightings(site)[0].evidence[0], find_alert(site, AlertId(1)).picture
    poster, plan = evidence.put(b"poster"), evidence.put(b"plan")
    add_interest(site, interest(examples=(example(picture=poster),)), made_by="ada", now_us=NOW_US)
    draw_plan(site, plan, metres_per_pixel=0.1, made_by="ada", now_us=NOW_US)

    uses = [picture_use(site, sha256 or "") for sha256 in (crop, shown, poster, plan)]

    assert [use and (use.cameras, use.of_interest, use.is_plan) for use in uses] == [
        ((GATE,), False, False),
        ((GATE,), False, False),
        ((), True, False),
        ((), False, True),
    ]
    assert picture_use(site, "0" * 64) is None


def test_every_table_that_refers_to_a_picture_is_thought_of() -> None:
    found = {f"{column.table.name}.{column.name}" for column in referrers()}

    assert found == {  # see storage/deletion.py, storage/erasure.py and storage/due.py
        *("exemplar.evidence", "alert.picture", "delivery.picture"),
        *("interest_example.picture", "floor_plan.picture"),
    }


@pytest.mark.parametrize(
    ("statement", "rule", "subject"),
    [
        pytest.param(
            "UPDATE alert SET state = 'resolved' WHERE id = 2", "alert state", "A2", id="state"
        ),
        pytest.param(
            "DELETE FROM alert_event WHERE alert_id = 1", "alert history", "A1", id="history"
        ),
        pytest.param(
            "UPDATE alert SET grounds = '[' WHERE id = 1", "settings", "alert 1", id="grounds"
        ),
        pytest.param(
            "UPDATE delivery SET payload = '7' WHERE id = 2", "settings", "delivery 2", id="payload"
        ),
        pytest.param(
            "INSERT INTO shape (camera_id, kind, name, points, made_by, made_at_us) "
            "VALUES (1, 'zone', 'x', '[[0, 0], [1, 1], [2, 2]]', 'ada', 1)",
            "shape", "shape 1", id="points",
        ),
        pytest.param(
            "INSERT INTO erasure (identity_id, at_us, made_by, reason, n_sightings, n_exemplars, "
            f"n_pictures, proof) VALUES (2, 1, 'ada', 'x', 0, 0, 0, '{'f' * 64}')",
            "erased", "P-0002", id="alert about an erased person",
        ),
        pytest.param(
            "DELETE FROM alert WHERE id = 1", "reference", "alert_camera 1", id="no alert"
        ),
    ],
)  # fmt: skip
def test_a_broken_rule_of_the_front_desk_is_found(
    site: Database, statement: str, rule: str, subject: str
) -> None:
    break_rules(site, statement)

    assert (rule, subject) in {(found.rule, found.subject) for found in check(site, None)}


@pytest.mark.parametrize(
    ("words", "found"),
    [("it is P-0001.", True), ("p1 again", True), ("P-0010", False), ("XP-1", False)],
)
def test_a_person_is_found_in_words_by_number(words: str, found: bool) -> None:
    assert bool(naming(FIRST, []).search(words)) is found


def test_a_plan_tells_of_recordings_that_stay(site: Database) -> None:
    visit = sightings(site)[0]
    spans = (
        (visit.first_seen_us - 10, visit.first_seen_us),
        (visit.first_seen_us + 1, visit.last_seen_us + 5),
        (visit.last_seen_us + 6, visit.last_seen_us + 9),
    )
    with site.write() as connection:
        for number, (from_us, to_us) in enumerate(spans):
            values = f"1, {from_us}, {to_us}, '{number}.mp4', 'h264', 1, '{'f' * 64}'"
            connection.execute(
                text(
                    "INSERT INTO segment (camera_id, from_us, to_us, path, codec, n_bytes, sha256) "
                    f"VALUES ({values})"
                )
            )

    assert plan_erasure(site, FIRST).n_recordings == 2
