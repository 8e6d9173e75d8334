"""The losses against plain loops, the supply of crops, the augmentation, and one small run."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.reid.checkpoint import read_checkpoint
from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork
from models.training.augment import augment, pseudo_infrared
from models.training.data import batches, find_crops, fingerprint
from models.training.loop import blend, train
from models.training.losses.contrastive import across_light, contrastive
from models.training.losses.drift import similarity_drift
from models.training.recipe import Recipe, read_recipe
from streams.errors import ConfigInvalid, SourceUnreadable
from streams.types import Modality

RECIPES = Path("models/training/recipes")


def write_people(folder: Path, n: int) -> Path:
    rng = np.random.default_rng(0)
    for person in range(n):
        for modality, camera in itertools.product(Modality, (1, 2)):
            view = folder / f"{person:04d}" / f"{modality}_c{camera}"
            view.mkdir(parents=True)
            for shot in range(2):
                pixels = rng.integers(0, 256, (64, 32, 3), dtype=np.uint8)
                cv2.imwrite(str(view / f"{shot}.jpg"), pixels)
    return folder


def test_contrastive_loss_equals_a_plain_loop() -> None:
    torch.manual_seed(0)
    vectors = F.normalize(torch.randn(8, 5, dtype=torch.float64))
    person = torch.tensor([0, 0, 0, 1, 1, 2, 2, 3])
    pairs = torch.rand(8, 8) < 0.8
    temperature = 0.1

    per_anchor = []
    for i in range(8):
        others = [a for a in range(8) if a != i and pairs[i, a]]
        positives = [p for p in others if person[p] == person[i]]
        if positives:
            scores = {a: float(vectors[i] @ vectors[a]) / temperature for a in others}
            total = math.log(sum(math.exp(s) for s in scores.values()))
            per_anchor.append(-sum(scores[p] - total for p in positives) / len(positives))

    loss = contrastive(vectors, person, pairs, temperature=temperature)
    assert float(loss) == pytest.approx(sum(per_anchor) / len(per_anchor), rel=1e-9)


def test_loss_across_light_does_not_see_pairs_of_one_light() -> None:
    vectors = F.normalize(torch.randn(4, 3))
    person, light = torch.tensor([0, 1, 0, 1]), torch.tensor([False, False, True, True])
    swapped = torch.tensor([[False, False, True, True]] * 2 + [[True, True, False, False]] * 2)

    loss = across_light(vectors, person, light, temperature=0.1, cross_share=1.0)

    assert torch.equal(loss, contrastive(vectors, person, swapped, temperature=0.1))


def test_a_batch_without_a_positive_costs_nothing_and_has_finite_gradients() -> None:
    vectors = torch.randn(3, 4, requires_grad=True)
    infrared = torch.zeros(3, dtype=torch.bool)

    loss = across_light(
        F.normalize(vectors), torch.arange(3), infrared, temperature=0.1, cross_share=0.5
    )
    loss.backward()  # type: ignore[no-untyped-call]

    assert loss.item() == 0
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


def test_drift_is_zero_under_rotation() -> None:
    torch.manual_seed(0)
    teacher = F.normalize(torch.randn(6, 4))
    rotation = torch.linalg.qr(torch.randn(4, 4))[0]

    assert float(similarity_drift(teacher @ rotation, teacher)) == pytest.approx(0, abs=1e-10)
    assert float(similarity_drift(teacher.flip(0), teacher)) > 0.01


def test_batches_hold_each_person_in_both_lights_from_different_cameras(tmp_path: Path) -> None:
    crops = find_crops(write_people(tmp_path, 4))
    supply = batches(crops, people=3, per_modality=2, rng=np.random.default_rng(0))

    for batch in itertools.islice(supply, 5):
        assert len({crop.person for crop in batch}) == 3
        for person, light in itertools.product({c.person for c in batch}, Modality):
            theirs = [c for c in batch if c.person == person and c.modality is light]
            assert len({crop.camera for crop in theirs}) == 2


def test_the_same_seed_gives_the_same_batches(tmp_path: Path) -> None:
    crops = find_crops(write_people(tmp_path, 3))

    first, second = (
        next(batches(crops, people=2, per_modality=1, rng=np.random.default_rng(7)))
        for _ in range(2)
    )

    assert first == second


def test_too_few_people_and_wrong_folders_are_named(tmp_path: Path) -> None:
    crops = find_crops(write_people(tmp_path / "few", 2))
    with pytest.raises(SourceUnreadable, match="found 2"):
        next(batches(crops, people=3, per_modality=1, rng=np.random.default_rng(0)))
    with pytest.raises(SourceUnreadable, match="found no picture"):
        find_crops(tmp_path / "nothing")
    odd = tmp_path / "odd" / "0001" / "thermal_c1"
    odd.mkdir(parents=True)
    (odd / "0.jpg").touch()
    with pytest.raises(SourceUnreadable, match="visible_CAMERA"):
        find_crops(tmp_path / "odd")


def test_the_fingerprint_of_data_changes_with_a_file(tmp_path: Path) -> None:
    crops = find_crops(write_people(tmp_path, 2))
    before = fingerprint(crops)

    crops[0].path.write_bytes(b"x")

    assert fingerprint(crops) != before


@pytest.mark.parametrize("modality", Modality)
def test_augmentation_keeps_shape_range_and_infrared_grey(modality: Modality) -> None:
    rng = np.random.default_rng(0)
    visible = rng.uniform(0, 255, (256, 128, 3)).astype(np.float32)
    source = visible if modality is Modality.VISIBLE else pseudo_infrared(visible, rng)

    for _ in range(40):
        bad = augment(source, modality, rng)
        assert bad.shape == (256, 128, 3)
        assert bad.dtype == np.float32
        assert 0 <= bad.min() <= bad.max() <= 255
        if modality is Modality.INFRARED:
            assert np.abs(np.diff(bad, axis=2)).max() < 4  # JPEG alone may tint a little


def test_a_blend_of_nothing_is_the_start_and_of_all_the_trained_one() -> None:
    torch.manual_seed(0)
    start, trained = (EdgeNetwork(EdgeArchitecture(independent_stages=0)) for _ in range(2))

    none, half, everything = (blend(start, trained, share=s).state_dict() for s in (0, 0.5, 1))

    for name, weight in start.state_dict().items():
        other = trained.state_dict()[name]
        torch.testing.assert_close(none[name], weight)
        torch.testing.assert_close(half[name], (weight + other) / 2)
        torch.testing.assert_close(everything[name], other)


def test_two_steps_change_the_weights_and_report_how_to_repeat_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = EdgeNetwork(EdgeArchitecture(independent_stages=1))
    recipe = Recipe(name="tiny", iterations=2, people_per_batch=2, crops_per_modality=1)
    folder = write_people(tmp_path / "data", 3)

    train(recipe, start, folder=folder, out=tmp_path / "out", licence="Apache-2.0")

    checkpoint = read_checkpoint(tmp_path / "out" / "tiny.safetensors")
    moved = {
        name.split(".")[0]
        for name, weight in checkpoint.network.state_dict().items()
        if not torch.allclose(weight, start.state_dict()[name].half().float())
    }
    assert moved == {"visible", "infrared", "shared", "head"}
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["n_people"] == 3
    assert len(report["steps"]) == 2
    assert {"commit", "recipe_sha256", "data_sha256", "torch", "hardware"} <= report.keys()


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_recipe_is_valid(path: Path) -> None:
    assert read_recipe(path).name


def test_an_unknown_setting_of_a_recipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("name: x\nepochs: 80\n", encoding="utf-8")

    with pytest.raises(ConfigInvalid, match="epochs"):
        read_recipe(path)
