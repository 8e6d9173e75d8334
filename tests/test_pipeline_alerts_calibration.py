"""A false alarm of a person of interest is exported as a pair of pictures of two people."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.verdict_pairs import PAIRS, export_pairs
from storage.database import Database
from storage.desk.alerts import NewAlert
from storage.desk.handling import false_alarm, undo
from storage.desk.interest import Example, NewInterest, add_interest
from storage.desk.raising import raise_alert
from storage.desk.types import AlertId, AlertSeverity
from storage.errors import NotFound
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting
from storage.types import IdentityId
from streams.types import Modality
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, link_to, sighting

pytest_plugins = ["tests.storage_fixtures"]

NOW_US = TEN_O_CLOCK_US + 10**10


def picture(evidence: EvidenceStore, seed: int) -> str:
    pixels = np.random.default_rng(seed).integers(0, 255, (32, 16, 3), np.uint8)
    return evidence.put(cv2.imencode(".jpg", pixels)[1].tobytes())


def raised(
    database: Database, evidence: EvidenceStore, *, kind: str = "person of interest", by: str
) -> AlertId:
    """P-0001 was at gate twice; an alert said that the second visit shows a person of interest."""
    for number, link in enumerate((None, link_to(1))):
        crops = (exemplar(evidence=picture(evidence, number)),)
        visit = sighting(number, link=link, exemplars=crops)
        record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    example = Example(modality=Modality.VISIBLE, picture=picture(evidence, 7))
    new = NewInterest(
        name="red coat",
        reason="case 7",
        expires_at_us=NOW_US * 2,
        identity=IdentityId(1),
        examples=(example,),
    )
    interest = add_interest(database, new, made_by="ada", now_us=NOW_US)
    alert = NewAlert(
        key="k",
        rule="list",
        kind=kind,
        severity=AlertSeverity.CRITICAL,
        began_us=TEN_O_CLOCK_US + 60_000_000,
        sentence="probably the person of interest 'red coat'",
        candidate=IdentityId(1),
        grounds={"interest": interest.id, "by": by},
        sightings=("gate/1",),
    )
    return raise_alert(database, alert, deliveries=(), now_us=NOW_US).alert


def exported(database: Database, evidence: EvidenceStore, out: Path) -> list[dict[str, str]]:
    export_pairs(database, evidence, out, by="ada", now_us=NOW_US)
    with (out / PAIRS).open() as file:
        return list(csv.DictReader(file))


def test_by_pictures_the_visit_and_the_examples_show_two_people(
    database: Database, evidence: EvidenceStore, tmp_path: Path
) -> None:
    alert = raised(database, evidence, by="pictures")
    false_alarm(database, alert, made_by="ada", reason="another coat", now_us=NOW_US)
    (row,) = exported(database, evidence, tmp_path / "pairs")
    assert (row["same"], row["verdict"]) == ("0", "A1")
    assert row["right"] == "interest/I1-0.jpg"
    assert (tmp_path / "pairs" / row["left"]).exists()
    assert (tmp_path / "pairs" / row["right"]).exists()


def test_by_identity_the_visit_and_the_persons_visits_show_two_people(
    database: Database, evidence: EvidenceStore, tmp_path: Path
) -> None:
    alert = raised(database, evidence, by="identity")
    false_alarm(database, alert, made_by="ada", now_us=NOW_US)
    (row,) = exported(database, evidence, tmp_path / "pairs")
    assert (row["same"], row["verdict"]) == ("0", "A1")
    assert "S2-0" in row["left"]
    assert "S1-0" in row["right"]


@pytest.mark.parametrize("kind", ["person of interest", "loitering"])
def test_what_is_no_false_alarm_of_a_person_says_nothing_about_looks(
    database: Database, evidence: EvidenceStore, tmp_path: Path, kind: str
) -> None:
    alert = raised(database, evidence, kind=kind, by="pictures")
    false_alarm(database, alert, made_by="ada", now_us=NOW_US)
    if kind == "person of interest":
        undo(database, alert, made_by="ada", now_us=NOW_US)
    with pytest.raises(NotFound, match="false alarm"):
        exported(database, evidence, tmp_path / "pairs")
