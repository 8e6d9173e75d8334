"""What the front desk keeps goes after its time, and a hold keeps it longer."""

from __future__ import annotations

from sqlalchemy import text

from storage.check import check
from storage.database import Database
from storage.desk.alerts import alerts
from storage.desk.deliveries import deliveries, mark_sent, queue
from storage.desk.interest import add_interest, remove_interest
from storage.desk.names import give_name, name_history
from storage.desk.plans import draw_plan
from storage.desk.sending import due_for
from storage.due import Expired
from storage.due import due as due_to_expire
from storage.erasure import plan_erasure
from storage.evidence import EvidenceStore
from storage.holds import place_hold
from storage.retention import expire
from storage.sightings import sightings
from tests.storage_builders import FOR_EVER
from tests.storage_desk_builders import delivery, example, interest
from tests.storage_keeping_builders import FIRST, NOW_US, SECOND

pytest_plugins = ["tests.storage_fixtures", "tests.storage_keeping_builders"]

DAY_US = 86_400_000_000


def run_out(site: Database, evidence: EvidenceStore, now_us: int, **days: float) -> Expired:
    config = FOR_EVER.model_copy(update=days)
    expected = due_to_expire(site, evidence, config, now_us=now_us)
    gone = sum(expire(site, evidence, config, now_us=now_us, who="retention"), start=Expired())
    assert gone.n_alerts == expected.n_alerts
    assert gone.n_deliveries == expected.n_deliveries
    assert gone.n_interests == expected.n_interests
    assert gone.n_names >= expected.n_names  # visits that go leave more names without any
    return gone


def test_alerts_and_deliveries_go_after_their_time_with_their_pictures(
    site: Database, evidence: EvidenceStore
) -> None:
    queue(site, delivery("test"), now_us=NOW_US)
    for each in due_for(site, "hook", now_us=NOW_US, limit=9)[:2]:
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
