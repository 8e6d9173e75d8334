"""Recipes, the schedule of the learning rate, and what a recipe may ask of a network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.reid.networks.presets import preset
from models.training.objective import Objective, body_of
from models.training.recipe import Recipe, altered, fingerprint, read_recipe, recipe_names
from models.training.schedule import n_iterations, rate
from models.training.starts import architecture_of, open_start
from models.training.terms import ConsistencyTerm, IdentityTerm
from streams.errors import ConfigInvalid


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_names_a_network_and_losses_that_fit_it(name: str) -> None:
    recipe = read_recipe(name)

    body = body_of(architecture_of(recipe), dimension=256)

    assert Objective(recipe.losses, body, n_people=2)


def test_the_papers_ablation_is_a_change_of_its_recipe() -> None:
    recipe = read_recipe("paper001")
    bare = recipe.model_copy(update={"changes": {"generator": None, "attention": None}})

    body = body_of(architecture_of(bare), dimension=8192)

    assert body.n_streams == 1
    assert Objective(recipe.losses[:2], body, n_people=2)
    with pytest.raises(ConfigInvalid, match="no auxiliary pictures"):
        Objective(recipe.losses, body, n_people=2)


def test_there_is_a_recipe_for_every_preset() -> None:
    assert recipe_names() == ["botnet002", "caj", "edge", "mmn", "paper001", "patent000"]


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(0, 0.01), (4, 0.05), (9, 0.1), (10, 0.1), (19, 0.1), (20, 0.01), (59, 0.01), (60, 0.001)],
)
def test_the_paper_warms_up_for_ten_epochs_and_drops_at_20_and_60(
    epoch: int, expected: float
) -> None:
    recipe = read_recipe("paper001")

    for at in (epoch, epoch + 0.99):
        share = rate(recipe.schedule, at=at, length=recipe.length)
        assert share * recipe.optimiser.learning_rate == pytest.approx(expected)


def test_the_cosine_rises_then_falls_to_nothing() -> None:
    recipe = read_recipe("edge")

    rates = [rate(recipe.schedule, at=i, length=recipe.length) for i in range(recipe.length)]

    assert rates[0] == pytest.approx(1 / 15)
    assert max(rates) == rates[15] == 1
    assert rates[15:] == sorted(rates[15:], reverse=True)
    assert 0 < rates[-1] < 1e-3


def test_another_length_keeps_the_shape_of_the_schedule() -> None:
    recipe = read_recipe("paper001")

    shorter = altered(recipe, iterations=800)

    assert n_iterations(recipe, batches_per_epoch=1392) == 111_360
    assert n_iterations(shorter, batches_per_epoch=1392) == 800
    for at in (5, 150, 250, 700):
        assert rate(shorter.schedule, at=at, length=800) == pytest.approx(
            rate(recipe.schedule, at=at / 10, length=80), abs=0.1
        )
    assert fingerprint(shorter) != fingerprint(recipe)
    assert altered(recipe) == recipe


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("name: x\nnetwork: edge\nlength: 1\nepoch: 80\n", "epoch"),
        ("name: x\nnetwork: edge\nlength: 1\nlosses: []\n", "losses"),
        ("name: ../x\nnetwork: edge\nlength: 1\nlosses: [{loss: drift}]\n", "name"),
        ("name: x\nnetwork: edge\nlength: 1\nlosses: [{loss: magic}]\n", "losses"),
        ("a: [", "not a recipe"),
    ],
    ids=["unknown key", "no loss", "path as name", "unknown loss", "not YAML"],
)
def test_a_wrong_recipe_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigInvalid, match=match):
        read_recipe(path)


def test_an_unknown_name_lists_the_shipped_recipes() -> None:
    with pytest.raises(ConfigInvalid, match=r"botnet002, caj, edge.*got egde"):
        read_recipe("egde")


def test_a_network_that_does_not_exist_or_does_not_fit_is_refused() -> None:
    recipe = read_recipe("mmn")
    for change in ({"network": "nothing"}, {"changes": {"depth": 7}}, {"changes": {"wheels": 4}}):
        with pytest.raises(ConfigInvalid, match="recipe mmn"):
            architecture_of(recipe.model_copy(update=change))


def test_losses_that_the_network_cannot_serve_are_refused() -> None:
    edge = body_of(preset("edge"), dimension=256)
    caj = body_of(preset("caj"), dimension=2048)

    with pytest.raises(ConfigInvalid, match="no auxiliary pictures"):
        Objective([ConsistencyTerm(loss="consistency")], caj, n_people=2)
    with pytest.raises(ConfigInvalid, match="no such parts"):
        Objective([IdentityTerm(loss="identity", parts="stripes")], edge, n_people=2)
    with pytest.raises(ConfigInvalid, match="each once"):
        Objective([IdentityTerm(loss="identity")] * 2, caj, n_people=2)


def test_a_start_of_another_network_is_refused() -> None:
    edge, mmn = read_recipe("edge"), read_recipe("mmn")

    with pytest.raises(ConfigInvalid, match="expected --start FILE"):
        open_start(edge, None)
    with pytest.raises(ConfigInvalid, match="expected network mmn"):
        open_start(mmn, "edge")
    other = edge.model_copy(update={"changes": {"independent_stages": 2}})
    with pytest.raises(ConfigInvalid, match="'independent_stages': 1"):
        open_start(other, "edge")
    torch.testing.assert_close(
        open_start(edge, "edge").network.state_dict()["head.project.bias"].isfinite().all(),
        torch.tensor(True),
    )


def test_the_fingerprint_counts_defaults() -> None:
    recipe = read_recipe("edge")
    spelled_out = Recipe.model_validate(recipe.model_dump())

    assert fingerprint(spelled_out) == fingerprint(recipe)
