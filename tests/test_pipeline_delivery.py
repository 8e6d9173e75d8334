"""From the outbox to receivers: nothing lost, nothing doubled, nobody held up, nothing silent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.alerts.channels_config import ChannelConfig, DeliveryConfig
from pipeline.alerts.config import AlertsConfig
from pipeline.alerts.delivery.deliverer import Deliverer
from pipeline.alerts.delivery.heart import FAILING, GIVEN_UP, Heart
from pipeline.alerts.delivery.message import Message
from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.queueing import deliveries_for
from pipeline.alerts.delivery.testing import send_test
from pipeline.alerts.delivery.worker import Worker
from pipeline.config import SiteConfig
from pipeline.run.delivering import Delivering
from storage.claims import claim_deliverer
from storage.database import Database, open_database
from storage.desk.alerts import Alert, NewAlert, alert_events, alerts
from storage.desk.deliveries import Delivery, deliveries, outbox, retry_dead
from storage.desk.raising import raise_alert
from storage.desk.sending import channel_box
from storage.desk.types import AlertSeverity, AlertState, DeliveryState, Purpose
from storage.errors import AlreadyRunning, DatabaseBusy
from storage.evidence import EvidenceStore
from streams.clock import Clock, ManualClock, SystemClock
from streams.types import CameraId
from tests.delivery_sinks import (
    SECRET,
    BrokerSink,
    Heard,
    Posted,
    WebSink,
    config,
    free_port,
    listener,
    web_sink,
)
from tests.processes import PATIENCE_S, wait_for

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = 1_780_322_400_000_000
QUICK = DeliveryConfig(first_pause_s=0.05, longest_pause_s=0.2, failing_after_s=0)
OK: tuple[int, dict[str, str]] = (204, {})


def hook(sink: WebSink | int, name: str = "hook", **keys: Any) -> ChannelConfig:
    port = sink if isinstance(sink, int) else sink.port
    fixed = {"kind": "webhook", "url": f"http://127.0.0.1:{port}/hook", "secret": SECRET}
    return config(**{**fixed, "name": name, "allow_private": True, "timeout_s": 30.0, **keys})


def post(database: Database, folder: Path, clock: Clock | None = None) -> Post:
    return Post(
        database=database,
        evidence=EvidenceStore(folder / "evidence"),
        site="yard",
        clock=clock or SystemClock(),
        public_url="https://noctule.example",
    )


def raise_one(
    database: Database, number: int, *channels: str, picture: str | None = None, now_us: int = 0
) -> None:
    now_us = now_us or time.time_ns() // 1000
    message = Message(
        purpose=Purpose.ALERT,
        site="yard",
        sentence=f"alert {number}",
        severity=AlertSeverity.WARNING,
        began_us=now_us,
        rule="dock",
        kind="zone entered",
    )
    raise_alert(
        database,
        NewAlert(
            key=f"dock/{number}",
            rule="dock",
            kind="zone entered",
            severity=AlertSeverity.WARNING,
            began_us=now_us,
            sentence=f"alert {number}",
            picture=picture,
            picture_camera=None if picture is None else CameraId("dock"),
        ),
        deliveries=deliveries_for(
            message, about=f"dock/{number}", channels=channels, picture=picture
        ),
        now_us=now_us,
    )


def in_state(database: Database, state: DeliveryState) -> tuple[Delivery, ...]:
    return deliveries(database, state=state, limit=500).items


def raised(database: Database, kind: str) -> list[Alert]:
    return [alert for alert in alerts(database, rule="delivery").items if alert.kind == kind]


def worker(settings: ChannelConfig, source: Post, patience: DeliveryConfig = QUICK) -> Worker:
    return Worker(settings, source, patience=patience, rng=np.random.default_rng(1))


def run_dry(
    clock: ManualClock, *workers: Worker, heart: Heart | None = None, look_every_s: float = 1.0
) -> None:
    """Let time pass until nothing is waiting, in simulated time."""
    end_s = clock.monotonic_s() + 24 * 3600
    while clock.monotonic_s() < end_s:
        busy = [each.step() for each in workers]
        if heart is not None:
            heart.step()
        if any(busy):
            continue
        if not outbox(workers[0]._post.database).n_waiting:
            return
        clock.sleep(look_every_s)


@pytest.fixture
def sink() -> Iterator[WebSink]:
    with web_sink() as opened:
        yield opened


def test_an_alert_reaches_its_receiver_with_picture_and_link(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    source = post(database, tmp_path)
    picture = source.evidence.put(b"\xff\xd8jpeg")
    raise_one(database, 1, "hook", picture=picture)

    assert worker(hook(sink), source).step()

    (posted,) = sink.posted
    (sent,) = in_state(database, DeliveryState.SENT)
    assert posted.fields["picture"]["sha256"] == picture
    assert posted.fields["url"] == f"https://noctule.example/alerts/{sent.alert}"
    assert posted.fields["key"] == sent.key
    assert sent.answer == "HTTP 204 No Content"


def test_a_picture_that_is_gone_does_not_hold_the_alert_back(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    source = post(sqlite_database, tmp_path)
    picture = source.evidence.put(b"\xff\xd8jpeg")
    raise_one(sqlite_database, 1, "hook", picture=picture)
    source.evidence.path(picture).unlink()

    worker(hook(sink), source).step()

    assert sink.posted[0].fields["picture"] is None
    assert len(in_state(sqlite_database, DeliveryState.SENT)) == 1


def test_a_receiver_that_fails_is_tried_again_with_growing_pauses(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    tried_s: list[float] = []

    def fail_six_times(_: Posted) -> tuple[int, dict[str, str]]:
        tried_s.append(clock.monotonic_s())
        return OK if len(tried_s) > 6 else (503, {})

    sink.answer = fail_six_times
    raise_one(sqlite_database, 1, "hook", now_us=NOW_US)

    patience = DeliveryConfig()
    run_dry(clock, worker(hook(sink), post(sqlite_database, tmp_path, clock), patience))

    pauses = np.diff(tried_s)
    doubled = 2.0 * 2.0 ** np.arange(6)
    assert len({posted.headers["webhook-id"] for posted in sink.posted}) == 1
    assert np.all(pauses >= doubled / 2)
    assert np.all(pauses <= doubled + 1)
    assert in_state(sqlite_database, DeliveryState.SENT)[0].n_tries == 7


def test_a_receiver_that_asks_for_rest_gets_it(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    sink.answer = lambda _: (429, {"retry-after": "1000"}) if clock.now_us() == NOW_US else OK
    raise_one(sqlite_database, 1, "hook", now_us=NOW_US)

    run_dry(clock, worker(hook(sink), post(sqlite_database, tmp_path, clock)))

    (sent,) = in_state(sqlite_database, DeliveryState.SENT)
    assert sent.sent_at_us is not None
    assert 1000e6 <= sent.sent_at_us - NOW_US <= 1002e6


def test_what_is_never_taken_becomes_a_dead_letter_an_alert_and_can_be_tried_again(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    source = post(database, tmp_path, clock)
    patience = DeliveryConfig(tries=4)
    workers = [worker(hook(sink, name), source, patience) for name in ("hook", "other")]
    heart = Heart(workers, source, patience=patience, heartbeat_s=0)
    sink.answer = lambda p: OK if "given up" in p.fields["sentence"] else (500, {})
    raise_one(database, 1, "hook", now_us=NOW_US)

    run_dry(clock, *workers, heart=heart)
    (dead,) = in_state(database, DeliveryState.DEAD)
    sink.answer = lambda _: OK
    retry_dead(database, channel="hook", now_us=clock.now_us())
    run_dry(clock, *workers, heart=heart)

    (told,) = raised(database, GIVEN_UP)
    assert (dead.n_tries, dead.answer) == (4, "HTTP 500 Internal Server Error")
    assert (
        told.sentence == "A message to channel hook was given up: HTTP 500 Internal Server Error."
    )
    assert [told.sentence] in sink.taken.values()
    assert ["alert 1"] in sink.taken.values()
    assert not in_state(database, DeliveryState.DEAD)


def test_a_message_that_is_not_liked_is_given_up_at_once_and_the_others_go_out(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    sink.answer = lambda posted: (422, {}) if posted.fields["sentence"] == "alert 1" else OK
    for number in range(3):
        raise_one(sqlite_database, number, "hook", now_us=NOW_US)

    run_dry(clock, worker(hook(sink), post(sqlite_database, tmp_path, clock)))

    assert len(sink.posted) == 3
    assert [dead.n_tries for dead in in_state(sqlite_database, DeliveryState.DEAD)] == [1]


def test_an_outage_costs_the_others_no_tries_and_all_go_out_when_it_ends(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    ends_us = NOW_US + 600_000_000
    sink.answer = lambda _: OK if clock.now_us() >= ends_us else (502, {})
    for number in range(100):
        raise_one(sqlite_database, number, "hook", now_us=NOW_US)

    run_dry(clock, worker(hook(sink), post(sqlite_database, tmp_path, clock), DeliveryConfig()))

    assert sorted(sink.taken.values()) == sorted([f"alert {n}"] for n in range(100))
    assert clock.now_us() - ends_us < 61e6
    assert max(d.n_tries for d in in_state(sqlite_database, DeliveryState.SENT)) <= 10


def test_what_failed_for_long_goes_out_at_once_when_the_first_gets_through(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    sink.answer = lambda _: OK if clock.now_us() >= NOW_US + 3_600_000_000 else (502, {})
    for number in range(3):
        raise_one(sqlite_database, number, "hook", now_us=NOW_US)

    sender = worker(hook(sink), post(sqlite_database, tmp_path, clock), DeliveryConfig())
    run_dry(clock, sender, look_every_s=10)

    sent_us = [d.sent_at_us or 0 for d in in_state(sqlite_database, DeliveryState.SENT)]
    assert len(sent_us) == 3
    assert max(sent_us) - min(sent_us) <= 1_000_000


def test_a_channel_that_hangs_does_not_hold_up_another(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    ends = threading.Event()

    def hang(_: Posted) -> tuple[int, dict[str, str]]:
        ends.wait(2 * PATIENCE_S)
        return OK

    with web_sink() as slow:
        slow.answer = hang
        for number in range(20):
            raise_one(database, number, "slow", "hook")
        channels = [hook(slow, "slow"), hook(sink)]
        source = post(database, tmp_path)
        with Deliverer(channels, source, patience=QUICK, heartbeat_s=0):
            in_time = wait_for(lambda: len(sink.taken) == 20)
            ends.set()
            assert wait_for(lambda: len(slow.taken) >= 20)

    assert in_time
    assert all(len(set(sentences)) == 1 for sentences in slow.taken.values())


def test_a_deliverer_killed_between_sending_and_marking_loses_and_doubles_nothing(
    address: str, tmp_path: Path, sink: WebSink
) -> None:
    n_alerts, killed = 12, []
    sender: list[subprocess.Popen[bytes]] = []

    def kill_sometimes(_: Posted) -> tuple[int, dict[str, str]]:
        if len(sink.posted) in (1, 7):
            os.kill(sender[-1].pid, signal.SIGKILL)
            killed.append(sender[-1].pid)
        return OK

    sink.answer = kill_sometimes
    words = [sys.executable, "-m", "tests.delivery_sender", address, str(tmp_path), sink.url]
    with open_database(address) as database:
        for number in range(n_alerts):
            raise_one(database, number, "hook")
        for _ in range(10):
            sender.append(subprocess.Popen(words, stderr=subprocess.DEVNULL))
            assert wait_for(
                lambda: sender[-1].poll() is not None or not outbox(database).n_waiting,
            )
            sender[-1].kill()
            sender[-1].wait(PATIENCE_S)
            if not outbox(database).n_waiting:
                break

        sent = in_state(database, DeliveryState.SENT)

    keys = [posted.headers["webhook-id"] for posted in sink.posted]
    assert len(killed) == 2
    assert len(sent) == n_alerts
    assert set(keys) == {delivery.key for delivery in sent} == set(sink.taken)
    assert len(keys) == n_alerts + 2  # what was in the air was sent again, under its key
    assert {s[0] for s in sink.taken.values()} == {f"alert {n}" for n in range(n_alerts)}
    assert all(len(set(sentences)) == 1 for sentences in sink.taken.values())


def test_what_was_sent_is_not_sent_again_when_only_the_database_failed(
    sqlite_database: Database, tmp_path: Path, sink: WebSink
) -> None:
    sender = worker(hook(sink), post(sqlite_database, tmp_path))
    raise_one(sqlite_database, 1, "hook")

    def refuse() -> None:
        raise DatabaseBusy("somebody writes")

    sqlite_database.before_write = refuse
    for _ in range(3):
        with pytest.raises(DatabaseBusy):
            sender.step()
    sqlite_database.before_write = None
    sender.step()

    assert len(sink.posted) == 1
    assert len(in_state(sqlite_database, DeliveryState.SENT)) == 1


def test_a_broker_that_is_away_for_a_while_gets_everything_once(
    sqlite_database: Database, tmp_path: Path
) -> None:
    source = post(sqlite_database, tmp_path)
    with BrokerSink() as broker:
        settings = config(
            kind="mqtt", name="mqtt", host="127.0.0.1", port=broker.port, tls=False, timeout_s=5
        )
        with Deliverer([settings], source, patience=QUICK, heartbeat_s=0):
            raise_one(sqlite_database, 1, "mqtt")
            assert wait_for(lambda: not outbox(sqlite_database).n_waiting)
            broker.off()
            for number in (2, 3):
                raise_one(sqlite_database, number, "mqtt")
            assert wait_for(lambda: len(raised(sqlite_database, FAILING)) == 1)
            broker.on()
            with listener(broker.port) as heard:
                assert wait_for(lambda: not outbox(sqlite_database).n_waiting)
                assert wait_for(
                    lambda: raised(sqlite_database, FAILING)[0].state is AlertState.RESOLVED,
                )
                assert wait_for(lambda: len(alerts_of(heard)) == 2)

    assert len(set(alerts_of(heard))) == len(alerts_of(heard)) == 2


def alerts_of(heard: list[Heard]) -> list[bytes]:
    return [message.payload for message in heard if message.topic == "noctule/alert"]


def test_heartbeats_prove_channels_once_a_period_also_after_a_restart(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    source = post(database, tmp_path, clock)
    for _ in range(2):
        workers = [worker(hook(sink), source), worker(hook(sink, "quiet", heartbeat_s=0), source)]
        heart = Heart(workers, source, patience=QUICK, heartbeat_s=60)
        for _ in range(5):
            heart.step()
            run_dry(clock, *workers)
            clock.sleep(30)

    assert len(sink.posted) == 5  # of 300 s
    assert channel_box(database, "hook").last_proof_us is not None
    assert channel_box(database, "quiet").last_proof_us is None


def test_a_heartbeat_that_fails_is_an_alert_on_the_other_channel_and_is_resolved(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    source = post(database, tmp_path, clock)
    patience = DeliveryConfig(failing_after_s=120)
    workers = [
        worker(hook(free_port(), "broken"), source, patience),
        worker(hook(sink), source, patience),
    ]
    heart = Heart(workers, source, patience=patience, heartbeat_s=3600)

    for _ in range(60):
        heart.step()
        for each in workers:
            each.step()
        clock.sleep(5)
    sentences = [sentence for each in sink.taken.values() for sentence in each]
    (failing,) = raised(database, FAILING)
    again = Heart(workers, source, patience=patience, heartbeat_s=3600)  # as after a restart
    again.step()
    workers[0].config = hook(sink, "broken")
    workers[0]._channel = None
    run_dry(clock, *workers, heart=again)
    again.step()

    told = "Alerts do not reach anybody through channel broken: the receiver cannot be reached."
    assert failing.sentence == told
    assert failing.state is AlertState.NEW
    assert sentences.count(told) == 1
    assert {d.channel for d in deliveries(database, alert=failing.id).items} == {"hook"}
    (resolved,) = raised(database, FAILING)
    assert resolved.state is AlertState.RESOLVED
    assert alert_events(database, resolved.id)[-1].made_by == "deliverer"


def test_what_waits_for_a_channel_that_is_gone_is_told(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    clock = ManualClock(now_us=NOW_US)
    source = post(database, tmp_path, clock)
    sender = worker(hook(sink), source)
    heart = Heart([sender], source, patience=QUICK, heartbeat_s=0)
    raise_one(database, 1, "pager", now_us=NOW_US)

    run_dry(clock, sender, heart=heart)

    (dead,) = in_state(database, DeliveryState.DEAD)
    told = f"A message to channel pager was given up: {dead.answer}."
    assert dead.answer == "no channel is called pager in alerts.channels"
    assert [told] in sink.taken.values()


def test_only_one_process_delivers(database: Database) -> None:
    with claim_deliverer(database) as keep:
        keep()
        with pytest.raises(AlreadyRunning, match="another deliverer"), claim_deliverer(database):
            pass
    with claim_deliverer(database):
        pass


def test_a_test_says_what_came_of_it_and_is_in_the_list(
    database: Database, tmp_path: Path, sink: WebSink
) -> None:
    source = post(database, tmp_path)

    good = send_test(source, hook(sink), made_by="ada")
    bad = send_test(source, hook(free_port(), "broken"), made_by="ada")

    states = {d.id: (d.purpose, d.state) for d in deliveries(database).items}
    assert (good.is_delivered, good.answer) == (True, "HTTP 204 No Content")
    assert (bad.is_delivered, bad.answer) == (False, "the receiver cannot be reached")
    assert states[good.delivery] == (Purpose.TEST, DeliveryState.SENT)
    assert states[bad.delivery] == (Purpose.TEST, DeliveryState.DEAD)
    assert sink.posted[0].fields["picture"] is not None


def test_a_deliverer_that_lost_a_thread_to_a_fault_begins_anew(
    sqlite_address: str, sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # the fault is ours, on purpose
    truly, faults = Worker.step, [1]

    def faulty(self: Worker) -> bool:
        if faults:
            raise KeyError(faults.pop())
        return truly(self)

    monkeypatch.setattr(Worker, "step", faulty)
    monkeypatch.setattr("pipeline.run.delivering.AFTER_TROUBLE_S", 0.1)
    site = SiteConfig(alerts=AlertsConfig(channels=(hook(sink),)))
    with (
        open_database(sqlite_address) as database,
        Delivering(site, database, clock=SystemClock()),
    ):
        raise_one(database, 1, "hook")
        assert wait_for(lambda: len(sink.taken) == 1)


def test_a_front_desk_stands_by_while_another_process_delivers(
    database: Database, address: str, sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run.delivering.STAND_BY_S", 0.1)
    site = SiteConfig(alerts=AlertsConfig(channels=(hook(sink),)))
    raise_one(database, 1, "hook")
    with open_database(address) as other:
        with claim_deliverer(other):
            desk = Delivering(site, database, clock=SystemClock())
            desk.__enter__()
            time.sleep(0.5)
            n_before = len(sink.posted)
        taken_over = wait_for(lambda: len(sink.taken) == 1)
        health = desk.health
        desk.__exit__(None, None, None)

    assert n_before == 0
    assert taken_over
    assert list(health) == ["hook"]
