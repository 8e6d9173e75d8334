"""An operator works through alerts by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage.audit import audit_entries
from storage.database import Database, open_database
from storage.desk.alerts import NewAlert
from storage.desk.raising import raise_alert
from storage.desk.types import AlertSeverity
from streams.types import CameraId
from tests.cli import RunCli
from tests.storage_builders import TEN_O_CLOCK_US


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text("storage: {reserve_mb: 0}\n")
    return str(path)


@pytest.fixture
def site(tmp_path: Path, config: str, run_cli: RunCli) -> Database:
    """A1 at the gate, A2 about a disk."""
    run_cli("db", "upgrade", "--config", config)
    database = open_database(f"sqlite:///{tmp_path}/site/noctule.db")
    for key, rule, sentence, cameras in (
        ("a", "dock", "stayed longer than 90 s in 'dock'", (CameraId("gate"),)),
        ("b", "disk", "less than 5 GB are free for pictures", ()),
    ):
        alert = NewAlert(
            key=key,
            rule=rule,
            kind="loitering",
            severity=AlertSeverity.WARNING,
            began_us=TEN_O_CLOCK_US,
            sentence=sentence,
            cameras=cameras,
            grounds={"stayed_s": 90.2},
        )
        raise_alert(database, alert, deliveries=(), now_us=TEN_O_CLOCK_US)
    return database


def test_an_alert_is_listed_shown_decided_and_undone(
    site: Database, config: str, run_cli: RunCli
) -> None:
    where = ("--config", config, "--as", "ada")
    assert "stayed longer than 90 s in 'dock'" in run_cli("alerts", "list", *where)
    assert "A1 is acknowledged; undo with" in run_cli("alerts", "ack", "A1", *where)
    said = run_cli("alerts", "false-alarm", "1", "--reason", "a coat on a hook", *where)
    assert "A1 is false alarm" in said
    shown = run_cli("alerts", "show", "A1", *where)
    assert "stayed_s: 90.2" in shown
    assert "false alarm by ada: a coat on a hook" in shown
    assert "A1 is acknowledged" in run_cli("alerts", "undo", "A1", *where)
    run_cli("alerts", "undo", "A1", *where)
    new = json.loads(run_cli("alerts", "list", "--state", "new", "--json", *where))
    assert [each["alert"] for each in new] == ["A2", "A1"]
    asked = [entry.action for entry in audit_entries(site)]
    assert {"alerts list", "alert show"} <= set(asked)


def test_a_list_is_of_one_camera_or_one_rule(site: Database, config: str, run_cli: RunCli) -> None:
    del site
    of_gate = json.loads(
        run_cli("alerts", "list", "--camera", "gate", "--json", "--config", config)
    )
    assert [each["alert"] for each in of_gate] == ["A1"]
    of_disk = json.loads(run_cli("alerts", "list", "--rule", "disk", "--json", "--config", config))
    assert [each["alert"] for each in of_disk] == ["A2"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("show", "A9"), 1, "no alert is called A9", id="no such alert"),
        pytest.param(("show", "nine"), 2, "is no alert", id="no name of one"),
        pytest.param(("undo", "A1"), 1, "there is nothing to undo", id="nothing to undo"),
    ],
)
def test_a_mistake_gives_one_line(
    words: tuple[str, ...], code: int, says: str, site: Database, config: str, run_cli: RunCli
) -> None:
    del site
    assert says in run_cli("alerts", *words, "--config", config, code=code).strip().splitlines()[-1]


def test_kinds_are_listed_with_every_setting(run_cli: RunCli) -> None:
    told = run_cli("alerts", "kinds")
    assert "loitering: Somebody stays longer than that in a zone, or in view." in told
    assert "zone: Name of the zone, on one camera or several. Required." in told
    assert len(json.loads(run_cli("alerts", "kinds", "--json"))) == 14
