"""`noctule train` as its user calls it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from models.reid.checkpoint import read_checkpoint
from streams.types import Modality
from tests.cli import RunCli
from tests.labelled_crops import write_people

RECIPE = """
name: tiny
network: edge
length: 300
unit: iterations
batch: {people: 2, per_modality: 1}
augmentation: {kind: surveillance}
optimiser: {kind: adamw, learning_rate: 1.0e-4}
schedule: {shape: cosine, warm_up: 15}
losses: [{loss: contrastive}, {loss: drift}]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return str(path)


def test_train_goes_on_from_weights_mixes_visible_only_people_in_and_resumes(
    tmp_path: Path, recipe: str, run_cli: RunCli
) -> None:
    both = write_people(tmp_path / "both", 2)
    visible = write_people(tmp_path / "visible", 2, modalities=(Modality.VISIBLE,))
    out = tmp_path / "run"
    words = ["train", recipe, "--data", str(both), "--data", str(visible), "--start", "edge"]
    words += ["--visible-only-share", "0.5", "--out", str(out), "--device", "cpu"]

    told = run_cli(*words, "--iterations", "2")
    run_cli(*words, "--iterations", "2", "--resume")  # all is done: nothing more happens

    assert "tiny.safetensors" in told
    card = read_checkpoint(out / "tiny.safetensors").card
    assert "4 people of both + visible" in card.data
    assert card.licence.startswith("Apache-2.0")
    with (out / "curves.csv").open(newline="", encoding="utf-8") as file:
        assert [row["iteration"] for row in csv.DictReader(file)] == ["0", "1"]


def test_wrong_words_end_with_a_sentence_and_code_2(
    tmp_path: Path, recipe: str, run_cli: RunCli
) -> None:
    data = str(write_people(tmp_path / "data", 2))
    words = ["train", recipe, "--data", data, "--out", str(tmp_path / "run")]

    both = run_cli(*words, "--epochs", "1", "--iterations", "1", code=2)
    no_start = run_cli(*words, "--iterations", "1", code=2)
    onto_a_file = run_cli(*words[:-1], recipe, code=2)
    (tmp_path / "wrong.yaml").write_text(RECIPE + "length: -1\nbogus: 3\n", encoding="utf-8")
    wrong = run_cli("train", str(tmp_path / "wrong.yaml"), *words[2:], code=2)

    assert "expected one of them" in both
    assert "--start" in no_start
    assert "found a file" in onto_a_file
    assert "length: " in wrong
    assert "bogus: " in wrong
    assert len(wrong.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_people_in_one_light_only_are_no_training_data(
    tmp_path: Path, recipe: str, run_cli: RunCli
) -> None:
    data = str(write_people(tmp_path / "data", 4, modalities=(Modality.VISIBLE,)))
    words = ["train", recipe, "--data", data, "--out", str(tmp_path / "run"), "--start", "edge"]

    told = run_cli(*words, "--iterations", "1", code=1)

    assert "at least 2 people seen in both lights, found 0" in told
