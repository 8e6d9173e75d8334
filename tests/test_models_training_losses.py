"""Every loss equals a plain loop over Python numbers, and behaves at its edges."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.losses.centre import centre
from models.training.losses.consistency import (
    ConsistencyProjector,
    distribution_consistency,
    pairs_across_light,
)
from models.training.losses.hetero_centre import hetero_centre, hetero_centre_triplet
from models.training.losses.identity import identity
from models.training.losses.quintuplet import hard_quintuplet
from models.training.losses.triplet import batch_hard_triplet, cross_modal_triplet
from models.training.losses.weighted_triplet import weighted_regularised_triplet

Rows = list[list[float]]
PERSON = torch.tensor([2, 0, 1, 0, 2, 1, 0, 1, 2, 0, 1, 2, 5, 6, 6])
INFRARED = torch.tensor([0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1]).bool()
"""Three people with two crops in each light, one with a single crop, one seen at night only."""


def features(seed: int = 0, *, n_streams: int = 1) -> Tensor:
    torch.manual_seed(seed)
    return torch.randn(n_streams, len(PERSON), 3, dtype=torch.float64).squeeze(0) * 0.7


def apart(a: list[float], b: list[float]) -> float:
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def plain_batch_hard(rows: Rows, person: list[int], margin: float) -> float:
    losses = []
    for i, row in enumerate(rows):
        same = [apart(row, r) for j, r in enumerate(rows) if person[j] == person[i] and j != i]
        other = [apart(row, r) for j, r in enumerate(rows) if person[j] != person[i]]
        if same and other:
            losses.append(max(0.0, margin + max(same) - min(other)))
    return mean(losses)


def centre_of(rows: Rows) -> list[float]:
    return [mean([row[c] for row in rows]) for c in range(len(rows[0]))]


def plain_centres(rows: Rows) -> dict[tuple[int, bool], list[float]]:
    groups: dict[tuple[int, bool], Rows] = {}
    for row, person, infrared in zip(rows, PERSON.tolist(), INFRARED.tolist(), strict=True):
        groups.setdefault((person, infrared), []).append(row)
    return {key: centre_of(group) for key, group in groups.items()}


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_identity_loss_equals_a_plain_loop(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, n_people = torch.randn(5, 4, dtype=torch.float64), 4
    person = torch.tensor([3, 0, 1, 1, 2])

    losses = []
    for row, right in zip(logits.tolist(), person.tolist(), strict=True):
        total = math.log(sum(math.exp(x) for x in row))
        target = [smoothing / n_people + (1 - smoothing) * (k == right) for k in range(n_people)]
        losses.append(-sum(t * (x - total) for t, x in zip(target, row, strict=True)))

    assert float(identity(logits, person, smoothing=smoothing)) == pytest.approx(mean(losses))


def test_batch_hard_triplet_equals_a_plain_loop() -> None:
    rows = features()

    loss = batch_hard_triplet(rows, PERSON, margin=0.3)

    assert float(loss) == pytest.approx(plain_batch_hard(rows.tolist(), PERSON.tolist(), 0.3))


@pytest.mark.parametrize("n_streams", [1, 2])
def test_triplet_over_lights_is_the_mean_over_pairs_of_streams(n_streams: int) -> None:
    streams = features(n_streams=n_streams).reshape(n_streams, len(PERSON), 3)
    day, night = (~INFRARED).nonzero()[:, 0].tolist(), INFRARED.nonzero()[:, 0].tolist()
    people = [int(PERSON[i]) for i in (*day, *night)]

    losses = [
        plain_batch_hard(
            [visible[i] for i in day] + [infrared[i] for i in night], people, margin=0.5
        )
        for visible in streams.tolist()
        for infrared in streams.tolist()
    ]

    loss = cross_modal_triplet(streams, PERSON, INFRARED, margin=0.5)
    assert len(losses) == n_streams**2
    assert float(loss) == pytest.approx(mean(losses))


@pytest.mark.parametrize("form", ["difference", "squared"])
def test_weighted_triplet_equals_a_plain_loop(form: str) -> None:
    rows, person = features().tolist(), PERSON.tolist()

    losses = []
    for i, row in enumerate(rows):
        same = [apart(row, r) for j, r in enumerate(rows) if person[j] == person[i] and j != i]
        other = [apart(row, r) for j, r in enumerate(rows) if person[j] != person[i]]
        if not same:
            continue
        far = sum(d * math.exp(d) for d in same) / sum(math.exp(d) for d in same)
        near = sum(d * math.exp(-d) for d in other) / sum(math.exp(-d) for d in other)
        difference = far - near
        if form == "squared":
            difference = math.copysign(difference**2, difference)
        losses.append(math.log(1 + math.exp(difference)))

    loss = weighted_regularised_triplet(features(), PERSON, form=form)  # type: ignore[arg-type]
    assert float(loss) == pytest.approx(mean(losses))


def test_squared_weighted_triplet_stays_finite_where_an_exponential_would_not() -> None:
    rows = torch.tensor([[0.0], [60.0], [1.0], [61.0]], requires_grad=True)

    loss = weighted_regularised_triplet(rows, torch.tensor([0, 0, 1, 1]), form="squared")
    loss.backward()  # type: ignore[no-untyped-call]

    assert rows.grad is not None
    assert float(loss.detach()) > 1000
    assert torch.isfinite(rows.grad).all()


def test_hetero_centre_equals_a_plain_loop() -> None:
    rows = features()
    centres = plain_centres(rows.tolist())

    expected = sum(
        apart(centres[person, False], centres[person, True]) ** 2 for person in (0, 1, 2)
    )

    assert float(hetero_centre(rows, PERSON, INFRARED)) == pytest.approx(expected)


def test_hetero_centre_triplet_equals_a_plain_loop() -> None:
    rows = features()
    centres = plain_centres(rows.tolist())

    losses = []
    for (person, infrared), own in centres.items():
        if (person, not infrared) in centres:
            others = [apart(own, c) for (who, _), c in centres.items() if who != person]
            to_other_light = apart(own, centres[person, not infrared])
            losses.append(max(0.0, 0.3 + to_other_light - min(others)))

    assert len(losses) == 6
    assert float(hetero_centre_triplet(rows, PERSON, INFRARED)) == pytest.approx(mean(losses))


def test_order_of_crops_does_not_matter_to_losses_over_centres() -> None:
    rows, order = (
        features(),
        torch.randperm(len(PERSON), generator=torch.Generator().manual_seed(1)),
    )

    for loss in (hetero_centre, hetero_centre_triplet, hard_quintuplet):
        straight = loss(rows, PERSON, INFRARED)
        shuffled = loss(rows[order], PERSON[order], INFRARED[order])
        torch.testing.assert_close(straight, shuffled)


def test_centre_loss_equals_a_plain_loop_and_reaches_the_centres() -> None:
    rows = features()
    centres = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)

    expected = mean(
        [
            apart(row, centres.tolist()[who]) ** 2
            for row, who in zip(rows.tolist(), PERSON.tolist(), strict=True)
        ]
    )
    loss = centre(rows, PERSON, centres)
    loss.backward()  # type: ignore[no-untyped-call]

    assert float(loss.detach()) == pytest.approx(expected)
    assert centres.grad is not None
    seen = sorted(set(PERSON.tolist()))
    assert centres.grad.abs().sum(1).nonzero()[:, 0].tolist() == seen


def test_quintuplet_equals_a_plain_loop() -> None:
    rows, person, infrared = features().tolist(), PERSON.tolist(), INFRARED.tolist()

    losses = []
    for i, row in enumerate(rows):
        near: dict[bool, list[float]] = {False: [], True: []}
        far: dict[bool, list[float]] = {False: [], True: []}
        for j, r in enumerate(rows):
            group = far if person[j] != person[i] else near
            if j != i:
                group[infrared[j]].append(apart(row, r))
        if near[False] and near[True]:
            losses.append(
                sum(
                    max(0.0, 0.3 + max(near[p]) - min(far[n]))
                    for p in (False, True)
                    for n in (False, True)
                )
            )

    assert len(losses) == 12
    assert float(hard_quintuplet(features(), PERSON, INFRARED)) == pytest.approx(mean(losses))


def test_consistency_pairs_are_of_one_person_across_light_and_used_once() -> None:
    visible, infrared = pairs_across_light(PERSON, INFRARED)

    assert torch.equal(PERSON[visible], PERSON[infrared])
    assert not INFRARED[visible].any()
    assert INFRARED[infrared].all()
    assert len(set(visible.tolist())) == len(set(infrared.tolist())) == 6


def test_consistency_equals_a_plain_loop_is_bounded_and_trains_the_projector() -> None:
    torch.manual_seed(0)
    projector = ConsistencyProjector(3, dimension=4).double().eval()
    rows = features() * 100

    pairs = [(3, 1), (6, 9), (2, 5), (10, 7), (0, 4), (8, 11)]
    projected = projector(rows).tolist()
    expected = mean([apart(projected[v], projected[i]) for v, i in pairs])
    loss = distribution_consistency(rows, PERSON, INFRARED, projector)
    loss.backward()  # type: ignore[no-untyped-call]

    assert float(loss.detach()) == pytest.approx(expected)
    assert 0 <= float(loss.detach()) <= 2
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in projector.parameters())


def test_consistency_is_zero_where_both_lights_look_alike() -> None:
    torch.manual_seed(0)
    projector = ConsistencyProjector(3, dimension=4)
    crops = torch.randn(4, 3).repeat(2, 1)
    person, infrared = torch.arange(4).repeat(2), torch.arange(8) >= 4

    loss = distribution_consistency(crops, person, infrared, projector)

    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(lambda x, p, _: batch_hard_triplet(x, p), id="batch hard"),
        pytest.param(lambda x, p, i: cross_modal_triplet(x[None], p, i), id="cross modal"),
        pytest.param(lambda x, p, _: weighted_regularised_triplet(x, p), id="weighted"),
        pytest.param(
            lambda x, p, _: weighted_regularised_triplet(x, p, form="squared"), id="squared"
        ),
        pytest.param(hetero_centre, id="hetero centre"),
        pytest.param(hetero_centre_triplet, id="hetero centre triplet"),
        pytest.param(hard_quintuplet, id="quintuplet"),
        pytest.param(
            lambda x, p, i: distribution_consistency(x, p, i, ConsistencyProjector(2)),
            id="consistency",
        ),
    ],
)
@pytest.mark.parametrize(
    ("person", "infrared"),
    [
        pytest.param([0, 1, 2], [False, False, False], id="everybody once, one light"),
        pytest.param([0, 0, 0], [False, False, True], id="one person"),
        pytest.param([0, 0, 1, 1], [False, True, False, True], id="all crops equal"),
    ],
)
def test_poor_batches_give_finite_losses_and_gradients(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor], person: list[int], infrared: list[bool]
) -> None:
    rows = torch.ones(len(person), 2, requires_grad=True)

    value = loss(rows, torch.tensor(person), torch.tensor(infrared))
    value.backward()  # type: ignore[no-untyped-call]

    assert torch.isfinite(value.detach())
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()


def test_people_who_are_told_apart_cost_less() -> None:
    person, infrared = torch.arange(4).repeat(4), torch.arange(16) >= 8
    mixed = F.normalize(torch.randn(16, 4, generator=torch.Generator().manual_seed(0)))
    parted = torch.eye(4).repeat(4, 1)

    for loss in (hetero_centre_triplet, hard_quintuplet):
        assert loss(parted, person, infrared) < 1e-6 < loss(mixed, person, infrared)
    assert batch_hard_triplet(parted, person) < 1e-6 < batch_hard_triplet(mixed, person)
