"""How alike strangers look at a site, and what that takes from the evidence of looks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.linking.strangers import FEWEST, Strangers
from streams.types import CameraId, Modality
from tests.linking_builders import AsTheyAre

VISIBLE, INFRARED = Modality.VISIBLE, Modality.INFRARED
GATE = CameraId("gate")


class Fitted(AsTheyAre):
    """Even odds at a similarity of 0.5, as a calibration fitted elsewhere says."""

    name = "elsewhere"

    def likelihood_ratio(self, similarity: float, _a: Modality, _b: Modality) -> float:
        return math.exp(16 * (similarity - 0.5))


def alike(similarity: float, n: int, rng: np.random.Generator) -> list[npt.NDArray[np.float32]]:
    """`n` unit vectors whose cosines are about `similarity`."""
    dimension = 512
    shared = rng.normal(size=dimension)
    shared /= np.linalg.norm(shared)
    own = rng.normal(size=(n, dimension)) / math.sqrt(dimension)
    rows = math.sqrt(similarity) * shared + math.sqrt(1 - similarity) * own
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return [row.astype(np.float32) for row in rows]


def together(
    vectors: list[npt.NDArray[np.float32]], *, apart_us: int = 0, track: str | None = None
) -> Strangers:
    """All of them in the picture of one camera, each `apart_us` after the one before."""
    strangers = Strangers()
    for number, vector in enumerate(vectors):
        means: Mapping[Modality, npt.NDArray[np.float32]] = {VISIBLE: vector}
        strangers.see(
            GATE,
            track or f"track-{number}",
            first_seen_us=number * apart_us,
            last_seen_us=number * apart_us + 5_000_000,
            means=means,
        )
    return strangers


def test_where_strangers_look_alike_looks_say_less_for_one_person() -> None:
    uniformed = together(alike(0.7, 12, np.random.default_rng(1)))

    site = uniformed.correct(Fitted())

    assert site.likelihood_ratio(0.75, VISIBLE, VISIBLE) < 5
    assert Fitted().likelihood_ratio(0.75, VISIBLE, VISIBLE) > 50
    assert site.likelihood_ratio(0.95, VISIBLE, VISIBLE) > 10


def test_what_looks_say_against_one_person_stays() -> None:
    site = together(alike(0.7, 12, np.random.default_rng(1))).correct(Fitted())

    for similarity in (-0.2, 0.1, 0.5):
        assert site.likelihood_ratio(similarity, VISIBLE, VISIBLE) == pytest.approx(
            Fitted().likelihood_ratio(similarity, VISIBLE, VISIBLE)
        )


def test_more_alike_is_never_less_likely_one_person() -> None:
    site = together(alike(0.6, 12, np.random.default_rng(2))).correct(Fitted())

    ratios = [site.likelihood_ratio(s, VISIBLE, VISIBLE) for s in np.linspace(-1, 1, 201)]

    assert all(b >= a for a, b in pairwise(ratios))


def test_where_strangers_differ_as_elsewhere_the_calibration_holds() -> None:
    calibration = Fitted()

    assert together(alike(0.2, 12, np.random.default_rng(3))).correct(calibration) is calibration


def test_one_body_found_twice_changes_little() -> None:
    rng = np.random.default_rng(4)
    vectors = alike(0.2, 12, rng)
    calibration = Fitted()

    assert together([*vectors, vectors[0]]).correct(calibration) is calibration


def test_people_who_were_not_in_one_picture_together_tell_nothing() -> None:
    vectors = alike(0.8, 12, np.random.default_rng(5))
    calibration = Fitted()

    assert together(vectors, apart_us=10_000_000).correct(calibration) is calibration
    assert together(vectors, track="one and the same").correct(calibration) is calibration


def test_a_few_pairs_conclude_nothing_and_other_lights_stay() -> None:
    calibration = Fitted()
    few = alike(0.8, 4, np.random.default_rng(6))
    assert len(few) * (len(few) - 1) // 2 < FEWEST

    assert together(few).correct(calibration) is calibration
    site = together(alike(0.8, 12, np.random.default_rng(6))).correct(calibration)
    assert site.likelihood_ratio(0.9, VISIBLE, INFRARED) == pytest.approx(
        calibration.likelihood_ratio(0.9, VISIBLE, INFRARED)
    )
