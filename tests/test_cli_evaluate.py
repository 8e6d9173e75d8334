"""`noctule evaluate` as its user calls it, on pictures of its own making."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli import RunCli


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in colours of their own, by two cameras in each light, two pictures each."""
    folder = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(1)
    for person, (top, bottom) in enumerate(
        [((200, 30, 30), (20, 20, 20)), ((20, 60, 200), (220,) * 3)]
    ):
        for light in ("visible", "infrared"):
            for camera in ("c1", "c2"):
                place = folder / f"{person:04d}" / f"{light}_{camera}"
                place.mkdir(parents=True)
                for number in range(2):
                    pixels = np.full((96, 48, 3), 110, np.uint8)
                    pixels[15:55, 12:36], pixels[55:90, 14:34] = top, bottom
                    if light == "infrared":
                        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
                    noisy = pixels + rng.normal(0, 6, pixels.shape)
                    picture = noisy.clip(0, 255).astype(np.uint8)[:, :, ::-1]
                    cv2.imwrite(str(place / f"{number:02d}.jpg"), picture)
    return folder


def test_a_folder_is_measured_and_everything_that_decides_the_figures_is_said(
    run_cli: RunCli, crops: Path
) -> None:
    told = run_cli("evaluate", "reid", "--data", str(crops), "--rerank", "aim")

    for condition in ("shots", "gallery", "feature", "ensembling", "re-ranking", "checkpoint"):
        assert condition in told
    for direction in ("visible -> visible", "infrared -> visible"):
        assert direction in told
    for figure in ("rank 1", "mAP", "mINP", "equal error", "re-ranked"):
        assert figure in told
    assert "AIM (gallery only" in told


def test_json_holds_the_figures_and_out_holds_the_same(
    run_cli: RunCli, crops: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.json"

    told = json.loads(
        run_cli(
            "evaluate", "reid", "--data", str(crops), "--shots", "1", "--json", "--out", str(out)
        )
    )

    assert told == json.loads(out.read_text())
    assert told["shots"] == "1 per person and camera"
    assert told["model"].startswith("edge@")
    search = told["searches"][2]
    assert (search["name"], search["n_trials"]) == ("visible -> infrared", 10)
    assert (search["n_queries"], search["n_gallery"]) == (8, 4)
    assert 0 <= search["plain"]["mean_ap"]["mean"] <= 1
    assert search["reranked"] is None


def test_a_picture_that_is_none_is_left_out_of_a_folder(
    run_cli: RunCli, crops: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(crops), str(folder)], check=True)
    (folder / "0000" / "visible_c1" / "00.jpg").write_bytes(b"broken")

    told = run_cli("evaluate", "reid", "--data", str(folder))

    assert "15 pictures of 2 people" in told


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--data", "nowhere"], 2, "no such folder", id="no folder"),
        pytest.param(
            ["--protocol", "sysu-all", "--people", "3"], 2, "--people", id="crowd of sysu"
        ),
        pytest.param(
            ["--protocol", "regdb-t2v", "--shots", "1"], 2, "--shots", id="shots of regdb"
        ),
        pytest.param(["--permutations", "x.mat"], 2, "--permutations", id="draw of a folder"),
        pytest.param(["--out", "nowhere/report.json"], 2, "--out", id="no place to write"),
        pytest.param(["--protocol", "market"], 2, "market", id="unknown protocol"),
        pytest.param(["--weights", "none.safetensors"], 1, "none.safetensors", id="no weights"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    run_cli: RunCli, crops: Path, words: list[str], code: int, said: str
) -> None:
    told = run_cli("evaluate", "reid", "--data", str(crops), *words, code=code)

    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize("protocol", ["folder", "sysu-all", "regdb-v2t", "llcm-i2v"])
def test_a_folder_without_the_data_set_is_refused(
    run_cli: RunCli, tmp_path: Path, protocol: str
) -> None:
    told = run_cli("evaluate", "reid", "--data", str(tmp_path), "--protocol", protocol, code=1)

    assert str(tmp_path) in told
    assert "Traceback" not in told


def test_the_watcher_does_not_load_the_evaluation() -> None:
    script = (
        "import sys, pipeline.cli.app, pipeline.run.watch;"
        "rooms = ('models.evaluation', 'models.training');"
        "sys.exit(any(name.startswith(rooms) for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
