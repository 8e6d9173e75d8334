"""Rank-1 and mAP against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.retrieval import measure_retrieval


def average_precision_by_hand(scores: list[float], relevant: list[bool]) -> float:
    ranked = [r for _, r in sorted(zip(scores, relevant, strict=True), key=lambda p: -p[0])]
    hits, total = 0, 0.0
    for rank, is_hit in enumerate(ranked, start=1):
        if is_hit:
            hits += 1
            total += hits / rank
    return total / hits


def test_figures_equal_a_plain_loop_on_random_scores() -> None:
    rng = np.random.default_rng(1)
    similarity = rng.normal(size=(20, 50)).astype(np.float32)
    query, gallery = rng.integers(0, 8, 20), rng.integers(0, 8, 50)
    left_out = rng.random((20, 50)) < 0.3

    found = measure_retrieval(similarity, query, gallery, left_out=left_out)

    precisions, firsts = [], []
    for q in range(20):
        kept = [g for g in range(50) if not left_out[q, g]]
        scores = [float(similarity[q, g]) for g in kept]
        relevant = [bool(gallery[g] == query[q]) for g in kept]
        if any(relevant):
            precisions.append(average_precision_by_hand(scores, relevant))
            firsts.append(relevant[int(np.argmax(scores))])
    assert found.mean_ap == pytest.approx(np.mean(precisions))
    assert found.rank1 == pytest.approx(np.mean(firsts))
    assert found.n_queries == len(precisions)


def test_queries_without_anything_to_find_do_not_count() -> None:
    similarity = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)

    found = measure_retrieval(similarity, np.array([1, 5]), np.array([1, 2]))

    assert (found.rank1, found.mean_ap, found.n_queries) == (1.0, 1.0, 1)


def test_nothing_to_find_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no query"):
        measure_retrieval(np.array([[1.0]], np.float32), np.array([1]), np.array([2]))
