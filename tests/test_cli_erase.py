"""Holding, erasing, expiring and asking, as operators do it; every question is written down."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.run.expiring import Expiring
from storage.check import check
from storage.database import Database, open_database
from storage.evidence import EvidenceStore
from storage.holds import place_hold
from storage.retention_config import RetentionConfig
from storage.sightings import record_sighting, sightings
from storage.types import IdentityId
from streams.clock import ManualClock
from tests.cli import RunCli
from tests.processes import wait_for
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, link_new, link_to, sighting

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = time.time_ns() // 1000
DAY_US = 86_400_000_000


@pytest.fixture
def config(address: str, tmp_path: Path, evidence: EvidenceStore) -> str:
    """A site with two persons, seen today: P-0001 twice, P-0002 once."""
    with open_database(address) as database:
        for number, link in enumerate((link_new(), link_new(), link_to(1))):
            crops = (exemplar(evidence=evidence.put(b"picture %d" % number)),)
            at_s = (NOW_US - TEN_O_CLOCK_US) / 1e6 - 3600 + number
            visit = sighting(number, link=link, exemplars=crops, at_s=at_s)
            record_sighting(database, visit, now_us=NOW_US)
    path = tmp_path / "config.yaml"
    path.write_text(
        f"storage: {{database: '{address}', evidence: evidence, reserve_mb: 0}}\n"
        "retention: {audit_days: null}\n"
    )
    return str(path)


def asked(text: str) -> Any:
    return json.loads(text)


def test_an_erased_person_is_gone_for_whoever_asks(config: str, run_cli: RunCli) -> None:
    at = ("--config", config, "--as", "ada")
    planned = asked(run_cli("erase", "1", "--reason", "letter", "--dry-run", "--json", *at))

    receipt = asked(run_cli("erase", "P-0001", "--reason", "letter", "--yes", "--json", *at))

    assert planned["n_sightings"] == receipt["n_sightings"] == 2
    assert receipt["n_files_deleted"] == 2
    assert len(receipt["proof"]) == 64
    found = asked(run_cli("query", "identities", "--json", *at))
    assert [person["identity"] for person in found] == ["P-0002"]
    visits = asked(run_cli("query", "sightings", "--json", *at))
    assert [visit["identity"] for visit in visits] == ["P-0002"]
    told = run_cli("query", "trajectory", "P-0001", *at, code=1)
    assert "P-0001 was erased on" in told
    assert "by ada (letter)" in told
    assert "P-0001 was erased" in run_cli("erase", "1", "--reason", "x", "--yes", *at, code=1)
    assert "sound" in run_cli("db", "check", "--config", config)


def test_a_receipt_for_people_says_what_is_left_to_do(config: str, run_cli: RunCli) -> None:
    told = run_cli("erase", "2", "--reason", "letter", "--yes", "--config", config)

    assert "Deleted: 1 visits, 1 vectors, 1 pictures." in told
    assert "Proof: " in told
    assert "Backups and recordings made before still hold this person" in told


def test_every_question_is_in_the_audit(config: str, run_cli: RunCli) -> None:
    at = ("--config", config, "--as", "ada")
    run_cli("query", "identities", "--camera", "gate", *at)
    run_cli("query", "sightings", "--limit", "5", *at)
    run_cli("query", "trajectory", "2", "--from", "2023-11-14", *at)
    run_cli("query", "trajectory", "P-0077", *at, code=1)
    run_cli("hold", "list", "--config", config, "--as", "grace")

    found = asked(run_cli("audit", "--json", *at))
    about_second = asked(run_cli("audit", "--of", "2", "--json", *at))
    by_grace = asked(run_cli("audit", "--by", "grace", "--json", *at))

    assert [(e["action"], e["subject"]) for e in found["entries"]] == [
        ("query identities", "gate"),
        ("query sightings", ""),
        ("query trajectory", "P-0002"),
        ("query trajectory", "P-0077"),
        ("hold list", ""),
        ("audit", ""),
    ]
    assert found["entries"][2]["detail"] == {"from": "2023-11-14"}
    assert [e["action"] for e in about_second["entries"]] == ["query trajectory", "audit"]
    assert [e["action"] for e in by_grace["entries"]] == ["hold list"]


def test_a_question_that_cannot_be_written_down_is_not_answered(
    sqlite_address: str, tmp_path: Path, run_cli: RunCli, small_disk: Path
) -> None:
    file = small_disk / "noctule.db"
    file.write_bytes(Path(sqlite_address.removeprefix("sqlite:///")).read_bytes())
    path = tmp_path / "config.yaml"
    path.write_text(f"storage: {{database: 'sqlite:///{file}', reserve_mb: 0}}\n")
    with open_database(f"sqlite:///{file}") as watcher, watcher.read() as reader:
        reader.exec_driver_sql("SELECT * FROM site")  # its log is open, as a watcher's is
        run_cli("query", "identities", "--config", str(path))
        (small_disk / "filler").write_bytes(bytes(room_on(small_disk)))

        told = run_cli("query", "identities", "--config", str(path), code=1)

    assert "was not answered: questions about people are answered only when" in told
    assert "no space left" in told


def room_on(folder: Path) -> int:
    left = os.statvfs(folder)
    return left.f_bavail * left.f_bsize


def test_who_asks_must_have_a_name(config: str, run_cli: RunCli) -> None:
    told = run_cli("query", "identities", "--as", " ", "--config", config, code=2)

    assert "--as: expected a name" in told


def test_erasing_asks_first_and_wants_a_reason(config: str, run_cli: RunCli) -> None:
    at = ("--config", config)

    assert "--yes" in run_cli("erase", "1", "--reason", "x", *at, code=2)
    assert "--reason" in run_cli("erase", "1", "--reason", " ", "--yes", *at, code=2)
    assert "no person's name" in run_cli("erase", "me", "--reason", "x", "--yes", *at, code=2)


def test_a_hold_is_placed_listed_and_lifted(config: str, run_cli: RunCli) -> None:
    at = ("--config", config, "--as", "ada")
    run_cli("hold", "place", "1", "--reason", "court case 7", *at)

    assert "court case 7" in run_cli("erase", "1", "--reason", "x", "--yes", *at, code=1)
    (held,) = asked(run_cli("hold", "list", "--json", *at))
    assert (held["identity"], held["placed_by"], held["lifted_at"]) == ("P-0001", "ada", None)
    assert "lifted" in run_cli("hold", "lift", "P-0001", *at)
    assert asked(run_cli("hold", "list", "--json", *at)) == []
    (past,) = asked(run_cli("hold", "list", "--all", "--json", *at))
    assert past["lifted_by"] == "ada"


def test_expire_tells_and_deletes_what_is_due(
    config: str, evidence: EvidenceStore, run_cli: RunCli
) -> None:
    assert "nothing is due" in run_cli("db", "expire", "--config", config)
    evidence.put(b"orphan")
    path = Path(config)
    path.write_text(
        path.read_text().replace("{audit_days: null}", "{pictures_days: 0.01, audit_days: null}")
    )
    old_us = NOW_US - DAY_US
    with open_database(json_address(path)) as database:
        crops = (exemplar(evidence=evidence.put(b"old")),)
        record_sighting(database, sighting(9, exemplars=crops), now_us=old_us)

    due = asked(run_cli("db", "expire", "--dry-run", "--json", "--config", config))
    gone = asked(run_cli("db", "expire", "--wipe", "--json", "--config", config))

    assert (due["n_pictures"], gone["n_pictures"], gone["n_orphans"]) == (1, 1, 1)


def json_address(path: Path) -> str:
    return path.read_text().split("'")[1]


def test_a_watcher_forgets_by_itself_and_leaves_what_is_held(
    database: Database, evidence: EvidenceStore
) -> None:
    for number in range(3):
        crops = (exemplar(evidence=evidence.put(b"picture %d" % number)),)
        record_sighting(database, sighting(number, exemplars=crops), now_us=TEN_O_CLOCK_US)
    place_hold(database, IdentityId(2), reason="court", made_by="ada", now_us=TEN_O_CLOCK_US)
    clock = ManualClock(now_us=TEN_O_CLOCK_US + 100 * DAY_US)

    with Expiring(database, evidence, RetentionConfig(), clock=clock):
        assert wait_for(lambda: len(sightings(database)) == 1)

    assert [visit.identity for visit in sightings(database)] == [2]
    assert check(database, evidence) == []


def test_a_watcher_whose_pictures_are_exported_forgets_an_hour_later(
    database: Database, evidence: EvidenceStore
) -> None:
    crops = (exemplar(evidence=evidence.put(b"picture")),)
    record_sighting(database, sighting(0, exemplars=crops), now_us=TEN_O_CLOCK_US)
    clock = ManualClock(now_us=TEN_O_CLOCK_US + 100 * DAY_US)
    expiring = Expiring(database, evidence, RetentionConfig(), clock=clock)

    with evidence.reading():
        while expiring.step():
            pass
    assert len(sightings(database)) == 1
    assert not expiring.step()

    clock.sleep(3600)
    while expiring.step():
        pass
    assert sightings(database) == []
