"""noctule calibrate and noctule export, as their user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.config import EmbedderConfig
from models.reid.calibration import load_calibration
from models.reid.checkpoint import read_checkpoint
from models.runtime.engines import open_graphs
from models.runtime.parity import LEAST_COSINE, lowest_cosine, make_probe
from models.runtime.types import Runtime, Way
from models.weights import obtain
from tests.cli import RunCli


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight people made of coloured blocks, by two cameras in both lights."""
    folder = tmp_path_factory.mktemp("people")
    for person in range(8):
        rng = np.random.default_rng(person)
        blocks = rng.integers(0, 256, (8, 4, 3))
        for number, view in enumerate(("visible_c1", "visible_c2", "infrared_c1", "infrared_c2")):
            noisy = np.clip(blocks + rng.normal(0, 8 + number, blocks.shape), 0, 255)
            if view.startswith("infrared"):
                noisy[:] = noisy.mean(2, keepdims=True)
            path = folder / f"{person:02}" / view
            path.mkdir(parents=True)
            picture = cv2.resize(noisy.astype(np.uint8), (64, 128), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(path / "0.png"), picture)
    return folder


def test_calibrate_writes_a_calibration_its_check_and_a_diagram(
    people: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    out = tmp_path / "site.json"

    told = run_cli("calibrate", "--data", str(people), "--out", str(out), "--widening", "1")

    model = read_checkpoint(obtain("edge")).model
    calibration = load_calibration(EmbedderConfig(calibration=str(out)), model=model)
    assert "8 people, 32 tracklets, 32 pictures" in told
    assert calibration.model == model
    assert calibration.visible_infrared.widening == 1
    assert set(json.loads(out.read_text(encoding="utf-8"))["reliability"]) == {
        "visible-visible",
        "infrared-infrared",
        "visible-infrared",
    }
    assert cv2.imread(str(tmp_path / "site.png")) is not None


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("--data", "nowhere", "--out", "x.txt"), 2, "ending in .json", id="out"),
        pytest.param(("--data", "nowhere", "--out", "x.json"), 1, "found no picture", id="data"),
    ],
)
def test_calibrate_says_what_it_needs(
    words: tuple[str, ...], code: int, says: str, run_cli: RunCli
) -> None:
    assert says in run_cli("calibrate", *words, code=code)


def test_export_writes_graphs_that_answer_as_torch_does(tmp_path: Path, run_cli: RunCli) -> None:
    pytest.importorskip("openvino", reason="writes and reads the graphs")

    told = run_cli("export", "edge", "--to", "openvino", "--out", str(tmp_path / "graphs"))

    network = read_checkpoint(obtain("edge")).network
    engine = open_graphs(Way(runtime=Runtime.OPENVINO), tmp_path / "graphs", threads=1)
    assert lowest_cosine(engine, make_probe(network, per_light=2)) >= LEAST_COSINE
    assert "lowest cosine with torch" in told
    assert "visible.xml" in told


def test_export_touches_no_folder_of_other_things(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"precious")

    assert "empty" in run_cli("export", "edge", "--out", str(tmp_path), code=2)
    assert "name the folder" in run_cli("export", "edge", code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
