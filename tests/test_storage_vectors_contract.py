"""What every index of vectors promises, whichever library is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest

from storage.database import open_database
from storage.exemplars import ensure_model_version
from storage.vectors import ApproximateIndex, FlatIndex, VectorIndex
from storage.vectors.postgres import open_postgres
from streams.types import Modality
from tests.storage_builders import MODEL, new_postgresql

pytest_plugins = ["tests.storage_fixtures"]

Vectors = npt.NDArray[np.float32]
D = 32


def people(rng: np.random.Generator, n: int) -> Vectors:
    """Rows that lie in groups of ten, as pictures of one person do."""
    centres = rng.normal(size=(n // 10 + 1, D)).repeat(10, 0)[:n]
    rows = centres + 0.3 * rng.normal(size=(n, D))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def ids_of(*numbers: int) -> npt.NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


@pytest.fixture(params=["flat", "lists", "pgvector"])
def index(request: pytest.FixtureRequest) -> Iterator[VectorIndex]:
    """An empty index of `D` numbers per vector."""
    if request.param == "flat":
        yield FlatIndex(D)
        return
    if request.param == "lists":
        yield ApproximateIndex(D, flat_up_to=100)
        return
    template: str = request.getfixturevalue("postgresql_template")
    server: str = request.getfixturevalue("server")
    with open_database(new_postgresql(server, template=template)) as db:
        with db.write() as connection:
            ensure_model_version(connection, MODEL, D)
        inside = open_postgres(db, model=MODEL, modality=Modality.VISIBLE, dimension=D)
        if inside is None:
            pytest.skip("this PostgreSQL has no pgvector")
        yield inside


def test_each_vector_finds_itself_first_and_its_group_next(index: VectorIndex) -> None:
    vectors = people(np.random.default_rng(1), 600)
    index.add(np.arange(600), vectors)

    found = index.search(vectors[::7], 10)

    truth = np.argsort(-(vectors[::7] @ vectors.T), axis=1)[:, :10]
    recall = np.mean([len({*a} & {*b}) / 10 for a, b in zip(found.ids, truth, strict=True)])
    assert found.ids[:, 0].tolist() == list(range(0, 600, 7))
    np.testing.assert_allclose(found.similarities[:, 0], 1, atol=1e-6)
    assert (np.diff(found.similarities, axis=1) <= 0).all()
    assert recall > 0.95
    assert len(index) == 600


def test_what_is_removed_is_found_no_more_and_its_number_is_free(index: VectorIndex) -> None:
    vectors = people(np.random.default_rng(2), 300)
    index.add(np.arange(300), vectors)

    index.remove(np.arange(0, 300, 2))
    index.remove(ids_of(0, 999))

    assert len(index) == 150
    assert (index.search(vectors, 5).ids % 2 == 1).all()
    index.add(ids_of(0), vectors[:1])
    assert index.search(vectors[:1], 1).ids.tolist() == [[0]]


def test_a_search_among_some_is_exact_and_passes_over_strangers(index: VectorIndex) -> None:
    vectors = people(np.random.default_rng(3), 400)
    index.add(np.arange(400), vectors)
    index.remove(ids_of(8))
    some = np.array([399, 8, 3, 77, 77, 5000, 21, 250])

    found = index.search(vectors[:9], 6, among=some)

    there = np.array([3, 21, 77, 250, 399])
    similar = (vectors[:9].astype(np.float64) @ vectors[there].T.astype(np.float64)).astype("f4")
    order = np.argsort(-similar, axis=1)
    np.testing.assert_array_equal(found.ids[:, :5], there[order])
    np.testing.assert_array_equal(
        found.similarities[:, :5], np.take_along_axis(similar, order, axis=1)
    )
    assert (found.ids[:, 5] == -1).all()
    assert (index.search(vectors[:2], 1, among=ids_of()).ids == -1).all()


def test_similarities_are_those_of_the_originals(index: VectorIndex) -> None:
    vectors = people(np.random.default_rng(4), 500)
    index.add(np.arange(500), vectors)

    found = index.search(vectors[:40], 3)

    exact = np.einsum(
        "md,mnd->mn", vectors[:40].astype(np.float64), vectors[found.ids].astype(np.float64)
    )
    np.testing.assert_array_equal(found.similarities, np.clip(exact, -1, 1).astype(np.float32))


def test_an_empty_index_finds_nobody(index: VectorIndex) -> None:
    query = people(np.random.default_rng(5), 1)

    index.add(np.empty(0, dtype=np.int64), np.empty((0, D), dtype=np.float32))

    assert index.search(query, 2).ids.tolist() == [[-1, -1]]
    assert index.search(query[:0], 2).ids.shape == (0, 2)
    assert len(index) == 0


def test_everybody_may_leave_and_come_back(index: VectorIndex) -> None:
    vectors = people(np.random.default_rng(6), 250)
    index.add(np.arange(250), vectors)

    index.remove(np.arange(250))
    assert len(index) == 0
    assert (index.search(vectors[:3], 4).ids == -1).all()
    index.add(np.arange(250) + 1000, vectors)

    assert index.search(vectors[:9], 1).ids[:, 0].tolist() == list(range(1000, 1009))


@pytest.mark.parametrize(
    "refused",
    [
        lambda index, one: index.add(ids_of(5), np.nan * one),
        lambda index, one: index.add(ids_of(5), one[:, :-1]),
        lambda index, one: index.add(ids_of(5), 2 * one),
        lambda index, one: index.add(ids_of(1), one),
        lambda index, one: index.add(ids_of(-1), one),
        lambda index, one: index.add(ids_of(6, 6), one.repeat(2, 0)),
        lambda index, one: index.search(one, 0),
        lambda index, one: index.search(one[:, 1:], 1),
    ],
    ids=["NaN", "too short", "not unit", "in use", "negative", "twice", "k", "short query"],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    index: VectorIndex, refused: Callable[[VectorIndex, Vectors], object]
) -> None:
    vectors = people(np.random.default_rng(7), 120)
    index.add(np.arange(120), vectors)

    with pytest.raises(ValueError, match="expected"):
        refused(index, people(np.random.default_rng(8), 1))

    assert len(index) == 120


def test_the_newest_join_the_lists_as_an_index_grows() -> None:
    rng = np.random.default_rng(9)
    vectors = people(rng, 3000)
    index = ApproximateIndex(D, flat_up_to=100)
    numbers = rng.permutation(3000)

    for part in np.array_split(numbers, 40):
        index.add(np.sort(part), vectors[np.sort(part)])
        index.remove(part[:3])

    kept = np.setdiff1d(numbers, [n for part in np.array_split(numbers, 40) for n in part[:3]])
    assert index.ids().tolist() == kept.tolist()
    found = index.search(vectors[kept], 1).ids[:, 0]
    assert (found == kept).mean() > 0.99  # eight half bytes describe 32 numbers roughly


def test_the_same_vectors_give_the_same_lists() -> None:
    vectors = people(np.random.default_rng(10), 2000)
    first, second = ApproximateIndex(D, flat_up_to=100), ApproximateIndex(D, flat_up_to=100)

    for index in (first, second):
        index.add(np.arange(2000), vectors)

    one, other = first.search(vectors[:50], 10), second.search(vectors[:50], 10)
    np.testing.assert_array_equal(one.ids, other.ids)
