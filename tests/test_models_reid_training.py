"""The losses of the shipped recipe against plain loops, the augmentation, and small runs of it."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.datasets.folder import read_folder
from models.reid.checkpoint import read_checkpoint
from models.reid.embedder import to_input
from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork
from models.training.augment import augment, augment_plainly, one_channel, pseudo_infrared
from models.training.batch import sized
from models.training.loop import Session, train
from models.training.losses.contrastive import across_light, contrastive
from models.training.losses.drift import similarity_drift
from models.training.recipe import altered, read_recipe
from models.training.starts import Start
from models.training.state import blend
from streams.types import Modality
from tests.labelled_crops import write_people


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


@pytest.mark.parametrize(
    ("hw", "modality"), list(itertools.product([(256, 128), (64, 32)], Modality)), ids=str
)
def test_augmentation_keeps_shape_range_and_infrared_grey(
    hw: tuple[int, int], modality: Modality
) -> None:
    rng = np.random.default_rng(0)
    visible = rng.uniform(0, 255, (*hw, 3)).astype(np.float32)
    source = visible if modality is Modality.VISIBLE else pseudo_infrared(visible, rng)

    for _ in range(40):
        bad = augment(source, modality, rng)
        assert bad.shape == (*hw, 3)
        assert bad.dtype == np.float32
        assert 0 <= bad.min() <= bad.max() <= 255
        if modality is Modality.INFRARED:
            assert np.abs(np.diff(bad, axis=2)).max() < 4  # JPEG alone may tint a little


def test_plain_augmentation_moves_mirrors_and_erases_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    source = rng.uniform(1, 255, (64, 32, 3)).astype(np.float32)

    unchanged = [augment_plainly(source, rng, pad_px=0, erase_probability=0) for _ in range(20)]
    erased = [augment_plainly(source, rng, pad_px=0, erase_probability=1) for _ in range(60)]
    moved = [augment_plainly(source, rng, pad_px=10, erase_probability=0) for _ in range(20)]

    mirrored = [np.array_equal(x, source[:, ::-1]) for x in unchanged]
    assert all(m or np.array_equal(x, source) for m, x in zip(mirrored, unchanged, strict=True))
    assert 0 < sum(mirrored) < 20
    shares = [float((x != y).any(2).mean()) for x in erased for y in [_closer(x, source)]]
    assert 0 < max(shares) <= 0.45  # 40 % of the area, rounded to whole pixels
    assert any((x == 0).all(2).any() for x in moved)  # the border came in


def _closer(x: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The source, or its mirror if that is what x was made from."""
    mirror = source[:, ::-1]
    return source if (x == source).mean() > (x == mirror).mean() else mirror


def test_one_channel_is_one_of_the_three() -> None:
    rng = np.random.default_rng(0)
    source = rng.uniform(0, 255, (8, 4, 3)).astype(np.float32)

    seen = {
        next(c for c in range(3) if np.array_equal(x, np.repeat(source[..., [c]], 3, 2)))
        for x in (one_channel(source, rng) for _ in range(30))
    }

    assert seen == {0, 1, 2}


def test_training_sizes_crops_as_the_embedder_does() -> None:
    rng = np.random.default_rng(0)
    for hw in ((300, 140), (100, 40), (400, 90), (256, 128)):
        crop = rng.integers(0, 256, (*hw, 3), dtype=np.uint8)
        assert np.array_equal(sized(crop, (256, 128)), to_input(crop))


def test_a_blend_of_nothing_is_the_start_and_of_all_the_trained_one() -> None:
    torch.manual_seed(0)
    start, trained = (EdgeNetwork(EdgeArchitecture(independent_stages=0)) for _ in range(2))

    none, half, everything = (blend(start, trained, share=s).state_dict() for s in (0, 0.5, 1))

    for name, weight in start.state_dict().items():
        other = trained.state_dict()[name]
        torch.testing.assert_close(none[name], weight)
        torch.testing.assert_close(half[name], (weight + other) / 2)
        torch.testing.assert_close(everything[name], other)


def test_the_shipped_recipe_changes_every_stage_and_reports_how_to_repeat_it(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    start = EdgeNetwork(EdgeArchitecture())
    recipe = altered(read_recipe("edge"), iterations=2)
    batch = recipe.batch.model_copy(update={"people": 2, "per_modality": 1})
    recipe = recipe.model_copy(update={"batch": batch})
    dataset = read_folder(write_people(tmp_path / "data", 3))
    session = Session(out=tmp_path / "out", device=torch.device("cpu"))

    train(recipe, Start(network=start, name="chance", licence="none"), dataset, session=session)

    checkpoint = read_checkpoint(tmp_path / "out" / "edge.safetensors")
    moved = {
        name.split(".")[0]
        for name, weight in checkpoint.network.state_dict().items()
        if not torch.allclose(weight, start.state_dict()[name].half().float())
    }
    assert moved == {"visible", "infrared", "shared", "head"}
    assert checkpoint.card.stage.startswith("trained, 2 of 2 iterations")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["n_people"] == 3
    assert report["n_iterations_done"] == 2
    assert {"contrastive", "drift"} <= report["last_step"].keys()
    assert {"commit", "recipe_sha256", "data_sha256", "torch", "hardware", "seed"} <= report.keys()
