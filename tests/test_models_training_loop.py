"""Runs by every recipe on a miniature network, what a run leaves, and how it goes on."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.datasets.folder import read_folder
from models.datasets.types import Dataset
from models.reid.checkpoint import read_checkpoint
from models.reid.networks.presets import build
from models.reid.networks.resnet import ResNetArchitecture, ResNetNetwork
from models.reid.networks.types import Parts
from models.training.batch import Batches
from models.training.errors import RunUnlike, TrainingDiverged
from models.training.loop import Session, train
from models.training.recipe import Recipe, altered, read_recipe, recipe_names
from models.training.sampler import Plan, Sampler
from models.training.starts import Start, architecture_of
from tests.labelled_crops import write_people

CPU = torch.device("cpu")
SMALL = {"height_px": 64, "width_px": 32}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return read_folder(write_people(tmp_path / "data", 3))


def tiny(name: str, *, iterations: int = 2, **changes: object) -> Recipe:
    """A shipped recipe on the smallest network that can follow it."""
    recipe = altered(read_recipe(name), iterations=iterations)
    smaller: dict[str, object] = dict(SMALL)
    if name != "botnet002":  # self-attention wants bottlenecks
        smaller["depth"] = 18
    batch = recipe.batch.model_copy(update={"people": 2, "per_modality": 2})
    return recipe.model_copy(update={"changes": smaller, "batch": batch, **changes})


def start_of(recipe: Recipe) -> Start:
    torch.manual_seed(1)
    return Start(network=build(architecture_of(recipe)), name="chance", licence="none")


def curves(out: Path) -> list[dict[str, str]]:
    with (out / "curves.csv").open(newline="", encoding="utf-8") as file:
        return [
            {name: value for name, value in row.items() if name != "wall_s"}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("name", [name for name in recipe_names() if name != "edge"])
def test_every_recipe_of_a_residual_network_trains_and_ships_what_was_trained(
    tmp_path: Path, dataset: Dataset, name: str
) -> None:
    recipe, out = tiny(name), tmp_path / "out"
    start = start_of(recipe)

    result = train(recipe, start, dataset, session=Session(out=out, device=CPU))

    losses = [{k: float(v) for k, v in row.items()} for row in curves(out)]
    assert len(losses) == 2
    assert len(losses[0]) == 4 + len(recipe.losses)
    assert all(value > 0 for row in losses for value in row.values() if value != row["iteration"])
    shipped = read_checkpoint(out / f"{name}.safetensors").network
    assert shipped.architecture == start.network.architecture
    before = start.network.state_dict()
    moved = {n for n, t in result.named_parameters() if not torch.equal(t, before[n])}
    frozen = {n for n, t in result.named_parameters() if n not in moved and t.requires_grad}
    # batch-normalising necks see a gradient only where a classifier looks through them
    assert all("neck" in n or "bn" in n or "generator" in n for n in frozen), frozen
    assert not any("head" in n or "classifier" in n for n, _ in shipped.named_parameters())


def test_a_continued_run_equals_an_uninterrupted_one_to_the_bit(
    tmp_path: Path, dataset: Dataset
) -> None:
    recipe = tiny("mmn", iterations=4, average_decay=0.9, trained_share=0.9)
    whole, parts = tmp_path / "whole", tmp_path / "parts"

    uninterrupted = train(recipe, start_of(recipe), dataset, session=Session(out=whole, device=CPU))
    train(recipe, start_of(recipe), dataset, session=Session(out=parts, device=CPU, until=2))
    torch.manual_seed(99)  # another process would not have the same generator either
    again = Session(out=parts, device=CPU, resume=True)
    continued = train(recipe, start_of(recipe), dataset, session=again)

    assert curves(parts) == curves(whole)
    states = [torch.load(out / "state.pt", weights_only=True) for out in (whole, parts)]
    for name in ("network", "objective", "average"):
        for (key, one), other in zip(
            states[0][name].items(), states[1][name].values(), strict=True
        ):
            assert torch.equal(one, other), f"{name} {key}"
    for (key, one), other in zip(
        uninterrupted.state_dict().items(), continued.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), key


def test_a_run_of_another_recipe_or_of_other_data_is_not_continued(
    tmp_path: Path, dataset: Dataset
) -> None:
    recipe, out = tiny("caj", iterations=1), tmp_path / "out"
    train(recipe, start_of(recipe), dataset, session=Session(out=out, device=CPU))
    again = Session(out=out, device=CPU, resume=True)

    other = recipe.model_copy(update={"seed": 5})
    with pytest.raises(RunUnlike, match="recipe"):
        train(other, start_of(recipe), dataset, session=again)
    more = read_folder(write_people(tmp_path / "data", 1, first=7))
    with pytest.raises(RunUnlike, match="data"):
        train(recipe, start_of(recipe), more, session=again)
    nowhere = Session(out=tmp_path / "nowhere", device=CPU, resume=True)
    with pytest.raises(RunUnlike, match="without --resume"):
        train(recipe, start_of(recipe), dataset, session=nowhere)
    for damaged in (b"", b"hello\n", (out / "state.pt").read_bytes()[:5000]):
        (out / "state.pt").write_bytes(damaged)
        with pytest.raises(RunUnlike, match="damaged"):
            train(recipe, start_of(recipe), dataset, session=again)
    torch.save({"a": 1}, out / "state.pt")
    with pytest.raises(RunUnlike, match="other file"):
        train(recipe, start_of(recipe), dataset, session=again)


class Cramped(ResNetNetwork):
    """A network on a device that has room for this many crops."""

    room = 8

    def parts(self, pixels: Tensor, is_infrared: Tensor) -> Parts:
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError(f"{len(pixels)} crops")
        return super().parts(pixels, is_infrared)


def test_short_memory_lowers_the_people_of_a_batch_and_the_run_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = tiny("mmn")
    batch = recipe.batch.model_copy(update={"people": 4})  # 16 crops
    recipe = recipe.model_copy(update={"batch": batch})
    architecture = architecture_of(recipe)
    assert isinstance(architecture, ResNetArchitecture)
    start = Start(network=Cramped(architecture), name="chance", licence="none")
    people = read_folder(write_people(tmp_path / "data", 4))

    with caplog.at_level(logging.WARNING):
        train(recipe, start, people, session=Session(out=tmp_path / "out", device=CPU))

    assert "2 people in a batch from now on" in caplog.text
    assert [row["people"] for row in curves(tmp_path / "out")] == ["2", "2"]


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, dataset: Dataset) -> None:
    recipe = tiny("mmn", iterations=4)
    wild = recipe.optimiser.model_copy(update={"learning_rate": 1e30})
    recipe = recipe.model_copy(update={"optimiser": wild})

    with pytest.raises(TrainingDiverged, match="lower optimiser"):
        train(recipe, start_of(recipe), dataset, session=Session(out=tmp_path, device=CPU))


def test_a_damaged_picture_is_left_out_before_the_first_step(
    tmp_path: Path, dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = tiny("caj", iterations=1)
    dataset.train[0].path.write_bytes(b"damaged")

    with caplog.at_level(logging.WARNING):
        train(recipe, start_of(recipe), dataset, session=Session(out=tmp_path, device=CPU))

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["n_pictures"] == len(dataset.train) - 1
    assert f"left out: {dataset.train[0].path}" in caplog.text


def test_batches_are_the_same_however_many_processes_prepare_them(dataset: Dataset) -> None:
    recipe = read_recipe("edge")
    sampler = Sampler(dataset.train, Plan(people=2, per_modality=2, pseudo_infrared_share=0.5))
    batches = Batches(sampler, recipe.augmentation, input_hw=(64, 32), seed=3)

    for here, there in zip(
        batches.from_to(5, 8, workers=0), batches.from_to(5, 8, workers=2), strict=True
    ):
        assert torch.equal(here.pixels, there.pixels)
        assert torch.equal(here.person, there.person)
        assert torch.equal(here.is_infrared, there.is_infrared)


def test_a_second_view_doubles_visible_crops_and_makes_them_grey(dataset: Dataset) -> None:
    plain = read_recipe("caj").augmentation.model_copy(update={"erase_probability": 0.0})
    sampler = Sampler(dataset.train, Plan(people=2, per_modality=2))

    batch = Batches(sampler, plain, input_hw=(64, 32), seed=0)[0]

    assert batch.is_infrared.tolist() == ([False] * 4 + [True] * 2) * 2
    grey = (batch.pixels == batch.pixels[:, :1]).flatten(1).all(1)
    assert grey[~batch.is_infrared].tolist() == [False, True] * 4
