"""Equal error rate and true accepts at few false accepts, against a plain search."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.verification import measure_verification, split_pairs


def rates_by_hand(
    same: list[float], different: list[float], threshold: float
) -> tuple[float, float]:
    refused = sum(score < threshold for score in same) / len(same)
    accepted = sum(score >= threshold for score in different) / len(different)
    return refused, accepted


def test_equal_error_rate_is_where_both_errors_meet() -> None:
    rng = np.random.default_rng(1)
    same, different = rng.normal(1.5, 1, 4000), rng.normal(0, 1, 6000)

    found = measure_verification(same, different)

    refused, accepted = rates_by_hand(same.tolist(), different.tolist(), 0.75)
    assert found.eer == pytest.approx((refused + accepted) / 2, abs=0.005)
    assert found.eer == pytest.approx(0.2266, abs=0.01)  # a normal distribution beyond 0.75 sigma


@pytest.mark.parametrize("far", [1e-2, 1e-3])
def test_true_accepts_are_the_most_that_any_threshold_gives(far: float) -> None:
    rng = np.random.default_rng(2)
    same, different = rng.normal(2, 1, 300).round(2), rng.normal(0, 1, 2500).round(2)

    found = measure_verification(same, different)

    best = 0.0
    for threshold in [*same.tolist(), *different.tolist()]:
        refused, accepted = rates_by_hand(same.tolist(), different.tolist(), threshold)
        if accepted <= far:
            best = max(best, 1 - refused)
    told = found.tar_at_far_1e2 if far == 1e-2 else found.tar_at_far_1e3
    assert told == pytest.approx(best, abs=1e-12)


def test_separate_classes_have_no_error_and_reversed_ones_nothing_else() -> None:
    low, high = np.linspace(0, 0.4, 1000), np.linspace(0.6, 1, 1000)

    right, wrong = measure_verification(high, low), measure_verification(low, high)

    assert (right.eer, right.tar_at_far_1e3) == (0.0, 1.0)
    assert (wrong.eer, wrong.tar_at_far_1e3) == (1.0, 0.0)


def test_similarities_that_say_nothing_are_wrong_half_the_time() -> None:
    found = measure_verification(np.full(50, 0.3), np.full(70, 0.3))

    assert found.eer == pytest.approx(0.5)


def test_too_few_strangers_to_tell_a_rate_leave_it_unknown() -> None:
    found = measure_verification(np.ones(10), np.zeros(150))

    assert found.tar_at_far_1e2 == 1.0
    assert found.tar_at_far_1e3 is None


def test_pairs_are_split_by_person_without_those_left_out() -> None:
    similarity = np.arange(6, dtype=np.float32).reshape(2, 3)
    left_out = np.array([[True, False, False], [False, False, True]])

    same, different = split_pairs(
        similarity, np.array([1, 2]), np.array([1, 2, 1]), left_out=left_out
    )

    assert (same.tolist(), different.tolist()) == ([2.0, 4.0], [1.0, 3.0])


def test_a_missing_kind_of_pair_is_an_error() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        measure_verification(np.ones(3), np.empty(0))
