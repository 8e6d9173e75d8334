"""Operators look after channels from the command line; passwords stay out of all of it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.alerts.delivery.message import Message
from pipeline.alerts.delivery.queueing import deliveries_for
from storage.database import Database, open_database
from storage.desk.deliveries import outbox, queue
from storage.desk.types import AlertSeverity, Purpose
from tests.cli import RunCli
from tests.delivery_sinks import WebSink, free_port, web_sink
from tests.processes import wait_for

pytest_plugins = ["tests.storage_fixtures"]

CANARY = "canary-5e1d%@:/#'\""
NOW_US = 1_780_322_400_000_000
CONFIG = """
storage: {{database: 'sqlite:///{file}', reserve_mb: 0}}
log_level: debug
alerts:
  delivery: {{tries: 2, first_pause_s: 0.05, longest_pause_s: 0.1, failing_after_s: 0}}
  channels:
    - {{name: hook, kind: webhook, url: 'http://127.0.0.1:{port}/${{HOOK_PATH}}',
        secret: '${{CANARY}}', authorization: 'Bearer ${{CANARY_TOKEN}}', allow_private: true}}
    - {{name: mail, kind: email, host: 127.0.0.1, port: {closed}, sender: a@example.org,
        to: [b@example.org], user: ada, password: '${{CANARY}}'}}
    - {{name: mqtt, kind: mqtt, host: 127.0.0.1, port: {closed}, tls: false, user: ada,
        password: '${{CANARY}}'}}
    - {{name: push, kind: apprise, url: 'json://ada:${{CANARY}}@127.0.0.1:{closed}/${{HOOK_PATH}}',
        allow_private: true}}
"""


@pytest.fixture
def sink() -> Iterator[WebSink]:
    with web_sink() as opened:
        yield opened


@pytest.fixture
def site(
    tmp_path: Path, sqlite_address: str, sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("CANARY_TOKEN", "canary-5e1d-token")
    monkeypatch.setenv("HOOK_PATH", "canary-5e1d-path")
    file = sqlite_address.removeprefix("sqlite:///")
    path = tmp_path / "site.yaml"
    path.write_text(CONFIG.format(file=file, port=sink.port, closed=free_port()))
    return path


def fill(database: Database, *channels: str) -> None:
    message = Message(
        purpose=Purpose.ALERT,
        site="yard",
        sentence="somebody is at the dock",
        severity=AlertSeverity.WARNING,
        began_us=NOW_US,
    )
    for new in deliveries_for(message, about="dock/1", channels=channels):
        queue(database, new, now_us=NOW_US)


def deliver(site: Path, database: Database, *verb: str) -> str:
    """What `noctule deliver` printed, until nothing waited any more and it was stopped."""
    given = [*(verb or ["deliver"]), "--config", str(site)]
    words = [sys.executable, "-m", "pipeline.cli", *given]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        done = wait_for(lambda: not outbox(database).n_waiting)
        process.terminate()
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert done
    return said.decode()


def test_a_password_is_in_no_output_log_or_row(
    site: Path, sink: WebSink, run_cli: RunCli, sqlite_address: str
) -> None:
    given = ["--config", str(site)]
    sink.answer = lambda posted: (500, {"x-echo": posted.headers["authorization"]})
    with open_database(sqlite_address) as database:
        fill(database, "hook", "mail", "mqtt", "push")
        said = [deliver(site, database)]
    for channel in ("hook", "mail", "mqtt", "push"):
        said.append(run_cli("deliveries", "test", channel, *given, code=1))
        said.append(run_cli("deliveries", "test", channel, "--json", *given, code=1))
    said.append(run_cli("deliveries", "list", *given))
    said.append(run_cli("deliveries", "list", "--json", *given))
    said.append(run_cli("deliveries", "channels", *given))
    with sqlite3.connect(sqlite_address.removeprefix("sqlite:///")) as connection:
        said.extend(connection.iterdump())

    everything = "\n".join(said)
    assert len(sink.posted) >= 3
    assert "given up" in everything
    assert "canary" not in everything
    assert "5e1d" not in everything


def test_the_verbs_deliver_and_list_and_try_again(
    site: Path, sink: WebSink, run_cli: RunCli, sqlite_address: str
) -> None:
    given = ["--config", str(site)]
    sink.answer = lambda _: (422, {})
    with open_database(sqlite_address) as database:
        fill(database, "hook")
        deliver(site, database)
        (dead,) = json.loads(
            run_cli("deliveries", "list", "--state", "dead", "--channel", "hook", "--json", *given)
        )
        sink.answer = lambda _: (204, {})
        again = run_cli("deliveries", "retry", "--channel", "hook", "--as", "ada", *given)
        wrong = run_cli("deliveries", "retry", "999", "--as", "ada", *given, code=2)
        with sqlite3.connect(sqlite_address.removeprefix("sqlite:///")) as connection:
            audited = connection.execute("SELECT who, action FROM audit").fetchall()
        deliver(site, database, "serve", "--no-warm", "--port", "0")
    channels = json.loads(run_cli("deliveries", "channels", "--json", *given))

    assert (
        dead["answer"] == "HTTP 422 Unprocessable Entity: the receiver does not take this message"
    )
    assert "1 deliveries are tried again" in again
    assert "delivery 999 is not dead" in wrong
    assert ("ada", "delivery retry") in audited
    assert ["somebody is at the dock"] in sink.taken.values()
    assert channels[0]["channel"] == "hook"
    assert channels[0]["n_dead"] == 0


def test_a_test_button_says_what_came_of_it(site: Path, sink: WebSink, run_cli: RunCli) -> None:
    given = ["--config", str(site)]

    good = json.loads(run_cli("deliveries", "test", "hook", "--json", *given))
    words = run_cli("deliveries", "test", "pager", *given, code=2)

    assert good["is_delivered"]
    assert "This is a test of channel hook" in sink.posted[0].fields["sentence"]
    assert sink.posted[0].path == f"/{os.environ['HOOK_PATH']}"
    assert "alerts.channels has: hook, mail, mqtt, push" in words


def test_a_mistake_in_a_channel_is_told_with_its_line(
    tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    path = tmp_path / "site.yaml"
    path.write_text(
        "alerts:\n  channels:\n    - name: hook\n      kind: webhook\n"
        "      url: https://ada:${CANARY}@example.org/\n      secret: ${CANARY}\n"
    )

    told = run_cli("config", "check", "--config", str(path), code=2)

    assert f"{path}:3: alerts.channels.0.webhook: url: user and password do not belong here" in told
    assert "canary" not in told
