"""Re-ranking against plain loops over the definitions, and the laws that let production use it."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest

from models.evaluation.retrieval import measure_retrieval
from models.reid.rerank import neighbours
from models.reid.rerank.aim import AffinityInference
from models.reid.rerank.centring import LEAST_PICTURES, camera_means, centre
from models.reid.rerank.k_reciprocal import KReciprocal
from models.reid.rerank.load import RerankingName, look_at
from models.reid.rerank.sim import SIM_FEW_SHOTS, SimilarityInference, SimParameters
from models.reid.rerank.types import Vectors

NAMES: tuple[RerankingName, ...] = ("aim", "k-reciprocal", "sim", "sim-few", "sim-regdb")
Rows = npt.NDArray[np.float64]


def people(n_people: int, pictures: int, *, seed: int, noise: float = 0.7) -> Vectors:
    """(n_people * pictures, 16): pictures of one person lie together."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_people, 16))
    rows = np.repeat(centres, pictures, axis=0) + noise * rng.normal(size=(n_people * pictures, 16))
    return neighbours.unit_rows(rows.astype(np.float32))


def far(a: Vectors, b: Vectors) -> Rows:
    """Euclidean distances, one pair at a time."""
    table = np.empty((len(a), len(b)))
    for i, j in itertools.product(range(len(a)), range(len(b))):
        table[i, j] = math.sqrt(max(0.0, 2 - 2 * float(a[i] @ b[j])))
    return table


def nearest(row: Rows) -> list[int]:
    return sorted(range(len(row)), key=lambda each: (row[each], each))


def gallery_distances(gallery: Vectors) -> Rows:
    table = far(gallery, gallery)
    np.fill_diagonal(table, 0)
    return table


def plain_set(gg: Rows, core: set[int], k: int) -> set[int]:
    """R*: joined by the half-size reciprocal sets that lie in R by more than two thirds."""
    found = set(core)
    for candidate in core:
        half = plain_reciprocal(gg, candidate, round(k / 2))
        if len(half & core) > 2 / 3 * len(half):
            found |= half
    return found


def plain_reciprocal(gg: Rows, i: int, k: int) -> set[int]:
    return {j for j in nearest(gg[i])[: k + 1] if i in nearest(gg[j])[: k + 1]}


def plain_weights(members: set[int], squared: Rows) -> dict[int, float]:
    relative = squared / squared.max()
    weights = {each: math.exp(-relative[each]) for each in members}
    total = sum(weights.values())
    return {each: weight / total for each, weight in weights.items()}


def plain_jaccard(a: dict[int, float], b: dict[int, float]) -> float:
    everyone = set(a) | set(b)
    lower = sum(min(a.get(each, 0.0), b.get(each, 0.0)) for each in everyone)
    upper = sum(max(a.get(each, 0.0), b.get(each, 0.0)) for each in everyone)
    return 1 - lower / upper


def plain_sim(query: Vectors, gallery: Vectors, p: SimParameters) -> Rows:
    qg, gg = far(query, gallery), gallery_distances(gallery)
    sets = [
        plain_weights(plain_set(gg, plain_reciprocal(gg, g, p.k_gallery), p.k_gallery), gg[g] ** 2)
        for g in range(len(gallery))
    ]
    scores = np.empty_like(qg)
    for q in range(len(query)):
        path = np.empty(len(gallery))
        for g in range(len(gallery)):
            through = nearest(gg[g])[: p.n_through]
            steps = sorted(qg[q, t] + p.hop_weight * gg[t, g] for t in through)[: p.n_paths]
            path[g] = sum(steps) / len(steps)
        own = plain_weights(set(nearest(path)[: p.k_query + 1]), path**2)
        for g in range(len(gallery)):
            jaccard = plain_jaccard(own, sets[g])
            rest = path[g] ** 2 / max(path**2)
            scores[q, g] = 1 - (p.jaccard_share * jaccard + (1 - p.jaccard_share) * rest)
    return scores


def plain_k_reciprocal(query: Vectors, gallery: Vectors, k1: int, k2: int, share: float) -> Rows:
    qg, gg = far(query, gallery), gallery_distances(gallery)
    n = len(gallery)
    sets = [
        plain_weights(plain_set(gg, plain_reciprocal(gg, g, k1), k1), gg[g] ** 2) for g in range(n)
    ]

    def mean(parts: list[dict[int, float]]) -> dict[int, float]:
        everyone = set().union(*parts)
        return {i: sum(part.get(i, 0.0) for part in parts) / len(parts) for i in everyone}

    averaged = [mean([sets[other] for other in nearest(gg[g])[:k2]]) for g in range(n)]
    scores = np.empty_like(qg)
    for q in range(len(query)):
        order = nearest(qg[q])
        core = {g for g in order[:k1] if qg[q, g] <= sorted(gg[g])[k1]} or {order[0]}
        own = plain_weights(plain_set(gg, core, k1), qg[q] ** 2)
        mine = mean([own, *(sets[other] for other in order[: k2 - 1])])
        for g in range(n):
            rest = qg[q, g] ** 2 / max(qg[q] ** 2)
            scores[q, g] = 1 - (share * rest + (1 - share) * plain_jaccard(mine, averaged[g]))
    return scores


def plain_aim(query: Vectors, gallery: Vectors, k1: int, k2: int) -> Rows:
    def described(row: Rows, best: list[int]) -> Rows:
        kept = np.zeros_like(row)
        kept[best[:k1]] = row[best[:k1]]
        return kept

    qg = 1 - far(query, gallery) ** 2 / 2
    gg = 1 - gallery_distances(gallery) ** 2 / 2
    own = [described(row, nearest(-row)) for row in gg]
    rows = [np.mean([own[other] for other in nearest(-row)[:k2]], axis=0) for row in gg]
    asks = [described(row, nearest(-row)) for row in qg]
    return np.array(
        [
            [a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) + qg[q, g] for g, b in enumerate(rows)]
            for q, a in enumerate(asks)
        ]
    )


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param(SIM_FEW_SHOTS, id="few shots"),
        pytest.param(SimParameters(n_through=5, n_paths=3, k_query=6, k_gallery=7), id="small"),
        pytest.param(SimParameters(hop_weight=0.1, jaccard_share=0.3), id="long hops"),
    ],
)
def test_sim_equals_a_plain_loop_over_its_definition(parameters: SimParameters) -> None:
    gallery, query = people(7, 5, seed=1), people(7, 1, seed=2)

    found = SimilarityInference(gallery, parameters).order_scores(query)

    assert found == pytest.approx(plain_sim(query, gallery, parameters), abs=1e-5)


@pytest.mark.parametrize(("k1", "k2"), [(8, 3), (6, 1), (20, 6)], ids=str)
def test_k_reciprocal_equals_a_plain_loop_over_its_definition(k1: int, k2: int) -> None:
    gallery, query = people(7, 5, seed=3), people(7, 2, seed=4)

    found = KReciprocal(gallery, k1=k1, k2=k2).order_scores(query)

    assert found == pytest.approx(plain_k_reciprocal(query, gallery, k1, k2, 0.3), abs=1e-5)


def test_aim_equals_a_plain_loop_over_its_definition() -> None:
    gallery, query = people(7, 5, seed=5), people(7, 2, seed=6)

    found = AffinityInference(gallery, k1=9, k2=4).order_scores(query)

    assert found == pytest.approx(plain_aim(query, gallery, 9, 4), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_is_answered_alike_alone_and_in_company(name: RerankingName) -> None:
    ranking = look_at(people(9, 6, seed=7), name)
    query = people(9, 3, seed=8)

    together = ranking.order_scores(query)

    alone = np.concatenate([ranking.order_scores(row[None]) for row in query])
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_gallery_does_not_matter(name: RerankingName) -> None:
    gallery, query = people(9, 6, seed=9), people(9, 1, seed=10)
    shuffle = np.random.default_rng(11).permutation(len(gallery))

    shuffled = look_at(gallery[shuffle], name).order_scores(query)

    assert shuffled == pytest.approx(
        look_at(gallery, name).order_scores(query)[:, shuffle], abs=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_work_in_parts_gives_the_same_scores(
    name: RerankingName, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, query = people(9, 6, seed=12), people(9, 2, seed=13)
    whole = look_at(gallery, name).order_scores(query)

    monkeypatch.setattr(neighbours, "AT_ONCE", 3 * len(gallery))

    assert look_at(gallery, name).order_scores(query) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_gallery", [1, 2, 5])
def test_a_tiny_gallery_is_ordered_too(name: RerankingName, n_gallery: int) -> None:
    ranking = look_at(people(n_gallery, 1, seed=14), name)

    scores = ranking.order_scores(people(3, 1, seed=15))

    assert scores.shape == (3, n_gallery)
    assert np.isfinite(scores).all()
    assert ranking.order_scores(people(3, 1, seed=15)[:0]).shape == (0, n_gallery)


@pytest.mark.parametrize("name", NAMES)
def test_equal_pictures_in_the_gallery_do_no_harm(name: RerankingName) -> None:
    gallery = np.repeat(people(4, 1, seed=16), 30, axis=0)

    scores = look_at(gallery, name).order_scores(people(4, 1, seed=16))

    assert np.isfinite(scores).all()
    assert (scores.argmax(axis=1) // 30).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["aim", "k-reciprocal", "sim"])
def test_many_pictures_of_a_person_help_one_another_to_be_found(name: RerankingName) -> None:
    rng = np.random.default_rng(20)
    centres = rng.normal(size=(12, 16))
    gallery_person, query_person = np.repeat(np.arange(12), 20), np.repeat(np.arange(12), 3)
    spread = 1.2 * rng.normal(size=(240, 16))
    gallery = (centres[gallery_person] + spread).astype(np.float32)
    other_light = rng.normal(size=(36, 16)) + rng.normal(size=16)
    query = (centres[query_person] + other_light).astype(np.float32)
    plain = neighbours.unit_rows(query) @ neighbours.unit_rows(gallery).T
    before = measure_retrieval(plain, query_person, gallery_person)

    scores = look_at(gallery, name).order_scores(query)

    after = measure_retrieval(scores, query_person, gallery_person)
    assert after.mean_ap > before.mean_ap + 0.05


def test_zero_and_broken_vectors_are_refused() -> None:
    gallery = people(3, 3, seed=17)

    with pytest.raises(ValueError, match="length above 0"):
        look_at(np.zeros((2, 4), np.float32), "aim")
    with pytest.raises(ValueError, match="finite"):
        look_at(gallery, "sim").order_scores(np.full((1, 16), np.nan, np.float32))


def test_centring_takes_out_what_a_camera_adds() -> None:
    rng = np.random.default_rng(18)
    bias = np.repeat(3 * rng.normal(size=(2, 16)), 40, axis=0)
    vectors = (np.tile(rng.normal(size=(40, 16)), (2, 1)) + bias).astype(np.float32)
    camera = np.repeat([0, 1], 40)

    centred = centre(vectors, camera, camera_means(vectors, camera))

    raw = neighbours.unit_rows(vectors)
    cosine_before, cosine_after = raw[:40] @ raw[40:].T, centred[:40] @ centred[40:].T
    right_before = (cosine_before.argmax(axis=1) == np.arange(40)).mean()
    right_after = (cosine_after.argmax(axis=1) == np.arange(40)).mean()
    assert right_before < 0.7 < right_after
    assert np.linalg.norm(centred, axis=1) == pytest.approx(np.ones(80), abs=1e-5)


def test_a_camera_that_was_hardly_seen_is_left_as_it_is() -> None:
    vectors = people(LEAST_PICTURES - 1, 1, seed=19)
    camera = np.zeros(len(vectors), np.int64)

    assert centre(vectors, camera, camera_means(vectors, camera)) == pytest.approx(vectors)
