"""Exact search over vectors: same answers as a plain loop, whatever happened before."""

from __future__ import annotations

import sys
import threading

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import IndexUnavailable
from storage.vectors import FlatIndex, VectorIndex

Vectors = npt.NDArray[np.float32]


def unit_rows(rng: np.random.Generator, n: int, dimension: int) -> Vectors:
    rows = rng.normal(size=(n, dimension))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def ids_of(*numbers: int) -> npt.NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def plain_search(
    kept: dict[int, Vectors], query: Vectors, k: int
) -> tuple[list[int], list[np.float32]]:
    found = []
    for number, vector in kept.items():
        exact = np.dot(query.astype(np.float64), vector.astype(np.float64))
        found.append((-np.float32(np.clip(exact, -1, 1)), number))
    found.sort()
    return [number for _, number in found[:k]], [-minus for minus, _ in found[:k]]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "remove", "twins"]), st.integers(1, 40)), max_size=8
    ),
    k=st.integers(1, 30),
)
def test_search_equals_a_plain_loop_after_any_history(
    seed: int, steps: list[tuple[str, int]], k: int
) -> None:
    rng = np.random.default_rng(seed)
    index = FlatIndex(3)
    kept: dict[int, Vectors] = {}
    for verb, n in steps:
        if verb == "remove" and kept:
            gone = rng.choice(sorted(kept), size=min(n, len(kept)), replace=False)
            index.remove(gone)
            kept = {number: v for number, v in kept.items() if number not in gone}
        else:
            # Twins tie: the same vector under many numbers, in no order.
            vectors = unit_rows(rng, n, 3) if verb == "add" else unit_rows(rng, 1, 3).repeat(n, 0)
            free = [number for number in range(1000) if number not in kept]
            chosen = rng.choice(free, size=n, replace=False)
            index.add(chosen, vectors)
            kept.update(zip(chosen.tolist(), vectors, strict=True))
    queries = unit_rows(rng, 3, 3)

    found = index.search(queries, k)

    assert len(index) == len(kept)
    for row, query in enumerate(queries):
        numbers, similarities = plain_search(kept, query, k)
        missing = k - len(numbers)
        assert found.ids[row].tolist() == numbers + [-1] * missing
        assert found.similarities[row].tolist() == [*similarities, *[np.float32(-1)] * missing]


def test_ties_end_at_the_lowest_number_however_many_there_are() -> None:
    index: VectorIndex = FlatIndex(4)
    vector = np.array([[1, 0, 0, 0]], dtype=np.float32)
    numbers = np.random.default_rng(3).permutation(500).astype(np.int64)
    index.add(numbers, vector.repeat(500, 0))

    assert index.search(vector, 5).ids.tolist() == [[0, 1, 2, 3, 4]]


def test_an_answer_does_not_depend_on_what_else_was_asked() -> None:
    rng = np.random.default_rng(5)
    index = FlatIndex(64)
    index.add(np.arange(3000), unit_rows(rng, 3000, 64))
    queries = unit_rows(rng, 40, 64)

    together = index.search(queries, 10)

    for row in range(len(queries)):
        alone = index.search(queries[row : row + 1], 10)
        np.testing.assert_array_equal(alone.ids[0], together.ids[row])
        np.testing.assert_array_equal(alone.similarities[0], together.similarities[row])


def test_an_empty_index_finds_nobody() -> None:
    index = FlatIndex(2)
    index.add(np.empty(0, dtype=np.int64), np.empty((0, 2), dtype=np.float32))

    found = index.search(np.array([[1, 0]], dtype=np.float32), 3)

    assert found.ids.tolist() == [[-1, -1, -1]]
    assert found.similarities.tolist() == [[-1, -1, -1]]
    assert index.search(np.empty((0, 2), dtype=np.float32), 3).ids.shape == (0, 3)


@pytest.mark.parametrize(
    "vector",
    [[0, 0, 0], [np.nan, 0, 0], [np.inf, 0, 0], [2, 0, 0], [1, 0], [1, 0, 0, 0]],
    ids=["zero", "NaN", "infinite", "too long", "too few numbers", "too many numbers"],
)
def test_a_vector_that_does_not_fit_is_refused_everywhere(vector: list[float]) -> None:
    index = FlatIndex(3)
    wrong = np.array([vector], dtype=np.float32)

    with pytest.raises(ValueError, match="vectors: expected"):
        index.add(ids_of(1), wrong)
    with pytest.raises(ValueError, match="queries: expected"):
        index.search(wrong, 1)
    assert len(index) == 0


@pytest.mark.parametrize(
    "numbers",
    [ids_of(7), ids_of(1, 2, 2), ids_of(1, 2), ids_of(-1, 1, 2), np.array([1.0, 2.0, 3.0])],
    ids=["one for three", "twice", "two for three", "negative", "not whole"],
)
def test_numbers_that_do_not_fit_are_refused_and_nothing_is_kept(
    numbers: npt.NDArray[np.int64],
) -> None:
    index = FlatIndex(3)

    with pytest.raises(ValueError, match="ids: expected"):
        index.add(numbers, np.eye(3, dtype=np.float32))

    assert len(index) == 0


def test_a_number_in_use_is_refused_until_it_is_removed() -> None:
    index = FlatIndex(2)
    up = np.array([[0, 1]], dtype=np.float32)
    index.add(ids_of(4), up)

    with pytest.raises(ValueError, match="not in use"):
        index.add(ids_of(4), up)

    index.remove(ids_of(4, 99))
    index.add(ids_of(4), up)
    assert index.search(up, 1).ids.tolist() == [[4]]


def test_threads_may_add_search_and_remove_at_once() -> None:
    rng = np.random.default_rng(11)
    index = FlatIndex(8)
    vectors = unit_rows(rng, 400, 8)
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 100):
                index.add(ids_of(number), vectors[number : number + 1])
                assert index.search(vectors[number : number + 1], 1).ids[0, 0] == number
                if number % 2:
                    index.remove(ids_of(number))
        except (AssertionError, RuntimeError, ValueError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 400, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(index.search(vectors[:1], 300).ids[0].tolist())[-200:] == list(range(0, 400, 2))


def test_without_faiss_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)

    with pytest.raises(IndexUnavailable, match=r"pip install noctule\[cpu\]"):
        FlatIndex(4)
