"""Transit times, moved cameras and floor plans, as an operator meets them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from storage.database import open_database
from storage.sightings import record_sighting
from tests.cli import RunCli
from tests.storage_builders import link_new, link_to, sighting

CAMERAS = """
cameras:
  - {name: gate, source: gate.mp4, ground: [[0.01, 0, -3], [0, -0.02, 9], [0, 0.0003, -0.05]]}
  - {name: yard, source: yard.mp4}
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which thirty people went from the gate to the yard in 9 to 15 s."""
    file = tmp_path_factory.mktemp("walked") / "noctule.db"
    rng = np.random.default_rng(1)
    with open_database(f"sqlite:///{file}", create=True) as database:
        for n in range(30):
            away_s = float(rng.uniform(9, 15))
            back = replace(link_to(n + 1), probability=0.99)
            for visit in (
                sighting(2 * n, link=link_new(), camera="gate", at_s=60 * n, exemplars=()),
                sighting(
                    2 * n + 1, link=back, camera="yard", at_s=60 * n + 5 + away_s, exemplars=()
                ),
            ):
                record_sighting(database, visit, now_us=visit.last_seen_us)
    return file


@pytest.fixture
def config(walked: Path, tmp_path: Path) -> str:
    """The configuration of a site with that database."""
    (tmp_path / "site").mkdir()
    shutil.copy(walked, tmp_path / "site/noctule.db")
    path = tmp_path / "config.yaml"
    path.write_text(CAMERAS)
    return str(path)


def test_the_table_tells_ways_and_who_says_nothing_yet(config: str, run_cli: RunCli) -> None:
    told = run_cli("topology", "--config", config)

    assert re.search(r"gate +yard +30 +100% +1\d s +10 to 15 s", told)
    assert "Fewer than 20 links lead out of yard (0)" in told


def test_machines_get_every_number(config: str, run_cli: RunCli) -> None:
    (way,) = json.loads(run_cli("topology", "--config", config, "--json"))["ways"]

    assert (way["from"], way["to"], way["n_links"], way["share"]) == ("gate", "yard", 30, 1.0)
    assert 9 <= way["p5_s"] < way["median_s"] < way["p95_s"] <= 15


def test_the_drawing_shows_every_camera_and_way(
    config: str, tmp_path: Path, run_cli: RunCli
) -> None:
    run_cli("topology", "--config", config, "--plot", str(tmp_path / "ways.svg"))

    words = " ".join(ElementTree.parse(tmp_path / "ways.svg").getroot().itertext())
    assert "gate → yard" in words
    assert "30 · 12 s" in words


def test_only_svg_is_drawn(config: str, run_cli: RunCli) -> None:
    assert ".svg" in run_cli("topology", "--config", config, "--plot", "ways.png", code=2)


def test_a_moved_camera_is_unlearned(config: str, run_cli: RunCli) -> None:
    words = ("--reason", "turned", "--as", "ada", "--config", config)
    told = run_cli("camera", "moved", "gate", *words)

    assert "Its `ground` is void too" in told
    assert json.loads(run_cli("topology", "--config", config, "--json"))["ways"] == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("moon", "--reason", "x"), 1, "no camera named 'moon'", id="unknown"),
        pytest.param(("gate", "--reason", " "), 2, "--reason", id="no reason"),
        pytest.param(
            ("gate", "--reason", "x", "--at", "2999-01-01"), 2, "still to come", id="to come"
        ),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    words: tuple[str, ...], code: int, says: str, config: str, run_cli: RunCli
) -> None:
    assert says in run_cli("camera", "moved", *words, "--as", "ada", "--config", config, code=code)


POINTS = ("0,300=0,0", "600,300=4,0", "400,100=4,12", "200,100=0,12")


def test_what_calibrate_prints_can_be_configured(
    config: str, tmp_path: Path, run_cli: RunCli
) -> None:
    options = [word for point in (*POINTS, "300,200=2,3.1") for word in ("--point", point)]

    told = run_cli("camera", "calibrate", "yard", *options, "--config", config)

    assert re.search(r"0\.\d\d m off on average", told)
    (line,) = (line for line in told.splitlines() if line.startswith("    ground: "))
    site = tmp_path / "next.yaml"
    site.write_text(f"cameras:\n  - name: yard\n    source: yard.mp4\n{line}\n")
    ground = yaml.safe_load(run_cli("config", "show", "--config", str(site)))["cameras"][0][
        "ground"
    ]
    assert ground == yaml.safe_load(line)["ground"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("moon", *POINTS), "no camera is named 'moon'", id="camera"),
        pytest.param(("yard", *POINTS[:3]), "at least 4, got 3", id="three points"),
        pytest.param(("yard", "1,2,3", *POINTS), "expected x,y=X,Y", id="no point"),
        pytest.param(
            ("yard", "0,0=0,0", "1,1=1,1", "2,2=2,2", "3,3=3,3"), "on one line", id="one line"
        ),
    ],
)
def test_points_that_do_not_fit_are_refused(
    words: tuple[str, ...], says: str, config: str, run_cli: RunCli
) -> None:
    name, *points = words
    options = [word for point in points for word in ("--point", point)]

    assert says in run_cli("camera", "calibrate", name, *options, "--config", config, code=2)
