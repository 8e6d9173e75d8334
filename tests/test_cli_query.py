"""Questions that name nobody, or a camera that there is none of."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from storage.database import open_database
from storage.sightings import record_sighting
from tests.cli import RunCli
from tests.storage_builders import TEN_O_CLOCK_US, link_to, sighting


@pytest.fixture
def config(tmp_path: Path, run_cli: RunCli) -> str:
    """A site without a visit yet."""
    path = tmp_path / "config.yaml"
    path.write_text("storage: {reserve_mb: 0}\n")
    run_cli("db", "upgrade", "--config", str(path))
    return str(path)


@pytest.fixture
def site(tmp_path: Path, config: str) -> str:
    """P-0001 at the gate, then in the yard."""
    with open_database(f"sqlite:///{tmp_path}/site/noctule.db") as database:
        for number, camera in enumerate(("gate", "yard")):
            link = link_to(1) if number else None
            visit = sighting(number, camera=camera, link=link, exemplars=())
            record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
    return config


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("query", "identities"), id="identities"),
        pytest.param(("query", "sightings"), id="sightings"),
        pytest.param(("query", "trajectory", "P-0001"), id="trajectory"),
        pytest.param(("search", "PICTURE"), id="search"),
    ],
)
def test_a_camera_that_there_is_none_of_is_refused_with_those_that_there_are(
    site: str, tmp_path: Path, run_cli: RunCli, words: tuple[str, ...]
) -> None:
    picture = tmp_path / "person.png"
    cv2.imwrite(str(picture), np.zeros((64, 32, 3), np.uint8))
    asked = [str(picture) if word == "PICTURE" else word for word in words]

    told = run_cli(*asked, "--camera", "gaet", "--config", site, code=1)

    assert "no camera called 'gaet' has recorded anything" in told
    assert "gate, yard" in told


def test_where_nothing_was_recorded_no_camera_is_named(config: str, run_cli: RunCli) -> None:
    told = run_cli("query", "sightings", "--camera", "gate", "--config", config, code=1)

    assert "no camera called 'gate' has recorded anything; nor has any other" in told


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("query", "trajectory", "somebody"), id="trajectory"),
        pytest.param(("hold", "place", "P-x", "--reason", "case 7"), id="hold"),
        pytest.param(("hold", "lift", "P-"), id="lift"),
        pytest.param(("erase", "0", "--reason", "x", "--dry-run"), id="erase"),
        pytest.param(("verdict", "forget", "P--7"), id="verdict"),
    ],
)
def test_what_is_no_name_of_a_person_is_wrong_usage(
    site: str, run_cli: RunCli, words: tuple[str, ...]
) -> None:
    told = run_cli(*words, "--config", site, code=2)

    assert "person's name" in told


def test_a_person_that_there_is_none_of_is_told_so(site: str, run_cli: RunCli) -> None:
    told = run_cli("query", "trajectory", "P-0099", "--config", site, code=1)

    assert "nobody is called P-0099" in told


def test_only_the_asked_camera_is_answered(site: str, run_cli: RunCli) -> None:
    at = ("--camera", "yard", "--config", site, "--json")

    visits = json.loads(run_cli("query", "trajectory", "p-1", *at))["sightings"]

    assert [visit["camera"] for visit in visits] == ["yard"]


def test_whereabouts_are_places_and_times(site: str, run_cli: RunCli) -> None:
    at = ("--from", "2023-11-14T22:14", "--config", site)

    (visit,) = json.loads(run_cli("query", "whereabouts", "1", *at, "--json"))

    assert visit == {
        "sighting": 2,
        "camera": "yard",
        "light": "visible",
        "first_seen": "2023-11-14T22:14:20.000000Z",
        "last_seen": "2023-11-14T22:14:25.000000Z",
    }
    assert "yard" in run_cli("query", "whereabouts", "P-0001", *at)
