"""CMC, mAP and mINP against a plain loop, and their edges."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import retrieval
from models.evaluation.retrieval import DEEPEST_RANK, measure_retrieval


def figures_by_hand(
    scores: list[float], gallery: list[int], person: int
) -> tuple[float, float, int, int] | None:
    """Average precision, INP, rank of the first hit in pictures and in people."""
    ranked = [who for _, who in sorted(zip(scores, gallery, strict=True), key=lambda p: -p[0])]
    hits, total, last, seen = 0, 0.0, 0, list[int]()
    first_picture, first_person = 0, 0
    for rank, who in enumerate(ranked, start=1):
        if who not in seen:
            seen.append(who)
        if who == person:
            hits, last = hits + 1, rank
            total += hits / rank
            first_picture = first_picture or rank
            first_person = first_person or len(seen)
    return (total / hits, hits / last, first_picture, first_person) if hits else None


@pytest.mark.parametrize("count_people", [False, True], ids=["pictures", "people"])
def test_figures_equal_a_plain_loop_on_random_scores(count_people: bool) -> None:
    rng = np.random.default_rng(1)
    similarity = rng.normal(size=(40, 90)).astype(np.float32)
    query, gallery = rng.integers(0, 30, 40), rng.integers(0, 30, 90)
    left_out = rng.random((40, 90)) < 0.3

    found = measure_retrieval(
        similarity, query, gallery, left_out=left_out, count_people=count_people
    )

    by_hand = []
    for q in range(40):
        kept = [g for g in range(90) if not left_out[q, g]]
        scores = [float(similarity[q, g]) for g in kept]
        figures = figures_by_hand(scores, [int(gallery[g]) for g in kept], int(query[q]))
        if figures is not None:
            by_hand.append(figures)
    precision, inp, in_pictures, in_people = (np.array(c) for c in zip(*by_hand, strict=True))
    first = in_people if count_people else in_pictures
    assert found.mean_ap == pytest.approx(precision.mean(), abs=1e-12)
    assert found.mean_inp == pytest.approx(inp.mean(), abs=1e-12)
    assert found.cmc == pytest.approx([(first <= k).mean() for k in range(1, DEEPEST_RANK + 1)])
    assert found.rank1 == found.cmc[0]
    assert found.n_queries == len(by_hand) < 40


def test_counting_people_forgives_many_pictures_of_one_stranger() -> None:
    similarity = np.array([[0.9, 0.8, 0.7, 0.6]], np.float32)
    gallery = np.array([3, 3, 3, 7])

    in_pictures = measure_retrieval(similarity, np.array([7]), gallery)
    in_people = measure_retrieval(similarity, np.array([7]), gallery, count_people=True)

    assert (in_pictures.cmc[1], in_people.cmc[1]) == (0.0, 1.0)
    assert in_pictures.mean_ap == in_people.mean_ap == 0.25


def test_work_in_parts_gives_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    similarity = rng.normal(size=(25, 40)).astype(np.float32)
    query, gallery = rng.integers(0, 9, 25), rng.integers(0, 9, 40)
    left_out = rng.random((25, 40)) < 0.2
    whole = measure_retrieval(similarity, query, gallery, left_out=left_out)

    monkeypatch.setattr(retrieval, "_AT_ONCE", 80)

    assert measure_retrieval(similarity, query, gallery, left_out=left_out) == whole


def test_equal_similarities_keep_the_gallerys_order() -> None:
    alike = np.full((1, 3), 0.5, np.float32)

    found = measure_retrieval(alike, np.array([7]), np.array([3, 7, 7]))

    assert found.mean_ap == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_queries_without_anything_to_find_do_not_count() -> None:
    similarity = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)

    found = measure_retrieval(similarity, np.array([1, 5]), np.array([1, 2]))

    assert (found.rank1, found.mean_ap, found.mean_inp, found.n_queries) == (1.0, 1.0, 1.0, 1)


@pytest.mark.parametrize(
    ("n_queries", "n_gallery"), [(1, 1), (0, 1), (1, 0)], ids=["stranger", "nobody", "nothing"]
)
def test_nothing_to_find_at_all_is_an_error(n_queries: int, n_gallery: int) -> None:
    similarity = np.ones((n_queries, n_gallery), np.float32)

    with pytest.raises(ValueError, match="no query"):
        measure_retrieval(
            similarity, np.full(n_queries, 1, np.int64), np.full(n_gallery, 2, np.int64)
        )
