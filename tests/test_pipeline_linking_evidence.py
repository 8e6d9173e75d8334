"""Evidence of pooled looks: more views tell more, and by as much as noise of views explains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.linking.evidence import HALF_KNOWN, NOISE, corrected, weigh
from pipeline.linking.gallery import Look, Vector, unit
from pipeline.linking.refine.evidence import Reading, Sums
from streams.types import CameraId, Modality
from tests.linking_builders import Steep

AMOUNT = st.floats(min_value=0.01, max_value=50)
DIMENSION = 256


def noisy(person: Vector, n: int, rng: np.random.Generator) -> list[Vector]:
    """Views of a person in which person and noise are equally strong at `HALF_KNOWN` views."""
    noise = rng.normal(0, math.sqrt(HALF_KNOWN / DIMENSION), (n, DIMENSION))
    return [unit((person + row).astype(np.float32)) for row in noise]


def pooled(views: list[Vector]) -> Vector:
    return unit(np.sum(views, axis=0, dtype=np.float32))


def look(vector: Vector, trust: float = 1.0) -> Look:
    return Look(
        camera=CameraId("gate"),
        first_seen_us=0,
        last_seen_us=1,
        means={Modality.VISIBLE: vector},
        trust=trust,
    )


def test_two_single_good_views_are_read_as_they_are() -> None:
    similarity, counts = corrected(0.4, 1, 1)

    assert float(similarity) == pytest.approx(0.4)
    assert float(counts) == pytest.approx(1)


@given(AMOUNT, AMOUNT, st.floats(min_value=0, max_value=10))
def test_more_views_count_for_more_and_are_expected_to_be_more_similar(
    a: float, b: float, more: float
) -> None:
    before, counts_before = corrected(0.5, a, b)
    after, counts_after = corrected(0.5, a + more, b)

    assert after <= before <= 0.5
    assert counts_after >= counts_before > 0


def test_poor_pictures_count_for_less_but_nothing_is_added_to_their_similarity() -> None:
    similarity, counts = corrected(0.5, 0.2, 1)

    assert float(similarity) == 0.5
    assert float(counts) < 0.5
    assert float(corrected(0.5, 0, 1)[1]) == 0


def test_the_correction_gives_back_what_noise_takes() -> None:
    rng = np.random.default_rng(5)
    person = unit(rng.normal(0, 1, DIMENSION).astype(np.float32))
    corrected_by_n = []
    for n in (1, 2, 4, 8):
        found = [
            float(pooled(noisy(person, n, rng)) @ pooled(noisy(person, n, rng))) for _ in range(40)
        ]
        corrected_by_n.append(float(corrected(np.mean(found), n, n)[0]))

    assert corrected_by_n == pytest.approx([corrected_by_n[0]] * 4, abs=0.02)


def test_evidence_of_gaussian_similarities_is_their_likelihood_ratio() -> None:
    """Against the densities themselves, for a calibration fitted to single views of such people."""

    def log_ratio(s: float, a: float, b: float) -> float:
        r = math.sqrt(a / (a + HALF_KNOWN) * b / (b + HALF_KNOWN))
        variance = 0.01 * (r**2 + NOISE * (1 - r**2))
        same, different = 0.9 * r, 0.5 * r
        return ((s - different) ** 2 - (s - same) ** 2) / (2 * variance)

    for s, a, b in ((0.6, 3, 1), (0.2, 8, 2), (0.9, 5, 40)):
        similarity, counts = corrected(s, a, b)
        read = log_ratio(float(similarity), 1, 1)
        assert float(counts) * read == pytest.approx(log_ratio(s, a, b))


def test_several_noisy_views_tell_more_than_one() -> None:
    rng = np.random.default_rng(7)
    person, stranger = (unit(rng.normal(0, 1, DIMENSION).astype(np.float32)) for _ in range(2))
    seen = noisy(person, 1, rng)[0]
    known, other = noisy(person, 6, rng), noisy(stranger, 6, rng)

    said = [weigh({Modality.VISIBLE: seen}, [look(v) for v in known[:n]], Steep()) for n in (1, 6)]
    against = weigh({Modality.VISIBLE: seen}, [look(v) for v in other], Steep())

    assert said[0] is not None
    assert said[1] is not None
    assert against is not None
    assert said[1].log_ratio > said[0].log_ratio > 0 > against.log_ratio
    assert said[1].n_looks == 6


def test_a_poor_look_moves_the_mean_less() -> None:
    rng = np.random.default_rng(9)
    person, dark = (unit(rng.normal(0, 1, DIMENSION).astype(np.float32)) for _ in range(2))

    found = [
        weigh({Modality.VISIBLE: person}, [look(person), look(dark, trust)], Steep())
        for trust in (0.1, 1.0)
    ]

    assert found[0] is not None
    assert found[1] is not None
    assert found[0].similarity > found[1].similarity


def test_second_thoughts_read_clusters_as_the_linker_reads_an_identity() -> None:
    rng = np.random.default_rng(11)
    person = unit(rng.normal(0, 1, DIMENSION).astype(np.float32))
    seen, *known = noisy(person, 4, rng)
    vectors = np.zeros((2, 2, DIMENSION))
    vectors[0, 0], vectors[1, 0] = seen, np.sum(known, axis=0)
    sums = Sums(vectors, np.array([[1.0, 0.0], [3.0, 0.0]]))

    linker = weigh({Modality.VISIBLE: seen}, [look(v) for v in known], Steep())
    table = Reading(Steep()).log_ratios(sums.means(), sums.means())

    assert linker is not None
    assert table[0, 1] == pytest.approx(linker.log_ratio, rel=1e-3)
    assert table[1, 0] == pytest.approx(table[0, 1])
