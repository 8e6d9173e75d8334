"""An operator decides, looks back, takes it back and exports what was said, by command."""

from __future__ import annotations

import csv
import getpass
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.datasets.catalogue import check as check_dataset
from models.datasets.catalogue import read_dataset
from storage.audit import audit_entries
from storage.database import Database, open_database
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting
from storage.types import IdentityId
from storage.verdicts import forget
from streams.types import Modality
from tests.cli import RunCli
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, link_to, link_unsure, sighting

NOW_US = TEN_O_CLOCK_US + 3_600_000_000


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text("storage: {reserve_mb: 0}\n")
    return str(path)


@pytest.fixture
def site(tmp_path: Path, config: str, run_cli: RunCli) -> Database:
    """S1 by day and S2 by night of P-0001, S3 of P-0002, S4 unsure; each with two pictures."""
    run_cli("db", "upgrade", "--config", config)
    rng = np.random.default_rng(0)
    evidence = EvidenceStore(tmp_path / "site" / "evidence")
    database = open_database(f"sqlite:///{tmp_path}/site/noctule.db")

    def picture() -> str:
        _, jpeg = cv2.imencode(".jpg", rng.integers(0, 255, (32, 16, 3), np.uint8))
        return evidence.put(jpeg.tobytes())

    night = Modality.INFRARED
    for number, (camera, light, link) in enumerate(
        [
            ("gate", Modality.VISIBLE, None),
            ("yard", night, link_to(1)),
            ("gate", Modality.VISIBLE, None),
            ("yard", night, link_unsure(candidate=2)),
        ]
    ):
        crops = tuple(exemplar(evidence=picture(), modality=light) for _ in range(2))
        visit = sighting(number, camera=camera, modality=light, link=link, exemplars=crops)
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return database


def test_decisions_are_answered_with_what_moved_and_the_way_back(
    site: Database, config: str, run_cli: RunCli
) -> None:
    del site

    def say(*words: str) -> str:
        return run_cli("verdict", *words, "--config", config, "--as", "ana").strip()

    assert say("merge", "P-0002", "1") == (
        "P-0002 and P-0001 are now one person, P-0001; 1 visit moved "
        "(V1; undo with `noctule verdict undo V1`)"
    )
    assert say("undo", "V1").startswith("V1 (merge) does not hold any more; 1 visit moved (V2;")
    assert say("undo", "2").startswith("V1 (merge) holds again; 1 visit moved (V3;")
    assert say("split", "P-0001", "S3").startswith("S3 of P-0001 is now P-0003; 1 visit moved (V4")
    assert say("same", "s4", "p-1", "--reason", "limps").startswith("S4 is P-0001; 1 visit moved")
    assert say("same", "S4", "P-0001").startswith("S4 was already, and stays, P-0001; 0 visits")
    contradicting = say("not-same", "S4", "P-0001").splitlines()
    assert contradicting[0].startswith("S4 is not P-0001 and is unsure now; 1 visit moved (V7;")
    assert contradicting[1].startswith("V7 contradicts V5 (same, ana, ")
    assert say("not-same", "S1", "P-0003").startswith("S1 is not P-0003; 0 visits moved (V8;")
    assert say("not-same", "P-0001", "P-0003").startswith("P-0001 and P-0003 are two persons; 0")
    assert say("same", "P-0001", "P-0003", "--keep", "P-0003").startswith(
        "P-0001 and P-0003 are now one person, P-0003; 2 visits moved (V10;"
    )
    assert say("forget", "P-0003").startswith("P-0003 is forgotten; 3 visits moved (V11;")


def test_the_list_tells_who_decided_what_and_whether_it_holds(
    site: Database, config: str, run_cli: RunCli
) -> None:
    del site
    run_cli("verdict", "merge", "P-0001", "P-0002", "--config", config, "--reason", "same coat")
    run_cli("verdict", "undo", "V1", "--config", config, "--as", "ben")

    table = run_cli("verdict", "list", "--config", config)
    newest, oldest = json.loads(run_cli("verdict", "list", "--config", config, "--json"))

    assert table.index("undo V1") < table.index("merge: S3 | S1, S2")
    for words in ("1 P-0002 → P-0001", "undone by V2", "same coat"):
        assert words in table
    assert (newest["verdict"], newest["undoes"], newest["by"]) == ("V2", "V1", "ben")
    assert (oldest["by"], oldest["holds"], oldest["a"]) == (getpass.getuser(), False, ["S3"])
    assert oldest["moved"] == [{"sighting": "S3", "before": "P-0002", "after": "P-0001"}]
    of_visit = run_cli("verdict", "list", "--visit", "S4", "--config", config)
    assert "Nobody has decided" in of_visit


def test_questions_show_the_numbers_of_visits_and_who_decided(
    site: Database, config: str, run_cli: RunCli
) -> None:
    del site
    run_cli("verdict", "same", "S4", "P-0002", "--config", config, "--as", "ana")

    found = run_cli("query", "trajectory", "P-0002", "--config", config)

    assert "S4" in found
    assert "ana says so" in found
    assert "ana says that this is P-0002 (V1)" in found
    assert "S1" in run_cli("query", "sightings", "--config", config)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("same", "1", "P-0001"), 2, "'1' is not the name of a visit", id="bare"),
        pytest.param(("same", "S1", "S2"), 2, "'S2' is no person's name", id="two visits"),
        pytest.param(("same", "S1", "P-0001", "--keep", "1"), 2, "--keep", id="keep a visit"),
        pytest.param(("not-same", "P-0001", "P-0002", "--new"), 2, "--new", id="new person"),
        pytest.param(("same", "S77", "P-0001"), 1, "no visit is called S77", id="no visit"),
        pytest.param(("forget", "P-0077"), 1, "nobody is called P-0077", id="nobody"),
        pytest.param(("undo", "V7"), 1, "no verdict is called V7", id="no verdict"),
        pytest.param(("merge", "P-0001", "P-0001"), 1, "twice", id="oneself"),
        pytest.param(("forget", "P-0001", "--as", "refine"), 1, "--as", id="a machine's name"),
        pytest.param(("export", "."), 2, "empty", id="a folder that is in use"),
        pytest.param(("export", "out"), 1, "say something first", id="nothing said"),
    ],
)
def test_a_mistake_gives_one_line_and_changes_nothing(
    words: tuple[str, ...], code: int, says: str, site: Database, config: str, run_cli: RunCli
) -> None:
    error = run_cli("verdict", *words, "--config", config, code=code)

    assert says in error.strip().splitlines()[-1]
    assert audit_entries(site) == []
    assert json.loads(run_cli("verdict", "list", "--config", config, "--json")) == []


def test_an_export_is_pairs_of_pictures_and_a_training_folder_that_the_reader_reads(
    site: Database, config: str, run_cli: RunCli, tmp_path: Path
) -> None:
    run_cli("verdict", "same", "S2", "P-0001", "--config", config)
    run_cli("verdict", "not-same", "P-0001", "P-0002", "--config", config)
    run_cli("verdict", "not-same", "S4", "P-0002", "--config", config)
    out = tmp_path / "pairs"

    told = run_cli("verdict", "export", str(out), "--config", config, "--as", "ana")

    assert "1 pairs of one person, 3 of two; 8 pictures of 2 persons" in told
    with (out / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["left"], r["right"], r["same"], r["verdict"]) for r in rows] == [
        ("unsure/S4-0.jpg", "P-0002/visible_gate/S3-0.jpg", "0", "V3"),
        ("P-0001/visible_gate/S1-0.jpg", "P-0002/visible_gate/S3-0.jpg", "0", "V2"),
        ("P-0001/infrared_yard/S2-0.jpg", "P-0002/visible_gate/S3-0.jpg", "0", "V2"),
        ("P-0001/infrared_yard/S2-0.jpg", "P-0001/visible_gate/S1-0.jpg", "1", "V1"),
    ]
    assert rows[0]["left_camera"] == "yard"
    assert rows[0]["left_modality"] == "infrared"
    assert all((out / row[side]).is_file() for row in rows for side in ("left", "right"))
    dataset = read_dataset(out)
    assert {(i.person, i.camera, i.modality.value) for i in dataset.train} == {
        ("P-0001", "gate", "visible"),
        ("P-0001", "yard", "infrared"),
        ("P-0002", "gate", "visible"),
    }
    assert len(dataset.train) == 6
    assert check_dataset(dataset).is_good
    (entry,) = audit_entries(site, by="ana")
    assert (entry.action, entry.detail["persons"]) == ("verdict export", ["P-0001", "P-0002"])


def test_forgotten_people_undone_verdicts_and_lost_pictures_are_not_exported(
    site: Database, config: str, run_cli: RunCli, tmp_path: Path
) -> None:
    run_cli("verdict", "not-same", "P-0001", "P-0002", "--config", config)
    run_cli("verdict", "same", "S4", "P-0001", "--config", config)
    run_cli("verdict", "not-same", "S4", "P-0001", "--config", config)
    run_cli("verdict", "undo", "V3", "--config", config)
    forget(site, IdentityId(2), by="ana", now_us=NOW_US)
    for file in sorted((tmp_path / "site" / "evidence").rglob("*.jpg"))[:1]:
        file.unlink()

    told = json.loads(
        run_cli("verdict", "export", str(tmp_path / "out"), "--json", "--config", config)
    )

    assert told["different"] == 0
    assert told["persons"] == 1
    assert told["pictures"] + told["lost"] == 6
    assert not list((tmp_path / "out").rglob("S3-*"))
