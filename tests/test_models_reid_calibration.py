"""Similarities become probabilities that do not claim too much."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.config import EmbedderConfig
from models.datasets.folder import find_crops
from models.errors import PictureInvalid, WeightsRefused
from models.evaluation.calibration import (
    Scores,
    Tracklets,
    around_means,
    embed_tracklets,
    fit_tracklets,
    halves,
    people_means,
    tracklet_scores,
)
from models.evaluation.reliability import cross_check, draw, measure_reliability
from models.reid.calibration import (
    MOST_EVIDENCE,
    Calibration,
    Curve,
    Pair,
    fit_curve,
    load_calibration,
    pair_of,
    read_calibration,
    write_calibration,
)
from models.reid.embedder import load_embedder
from models.types import Crop, Embeddings, ModelId
from streams.types import Modality

Floats = npt.NDArray[np.float32]
V, I = Modality.VISIBLE, Modality.INFRARED  # noqa: E741
CALIBRATION = Calibration(
    name="test",
    model=ModelId("edge@0"),
    visible_visible=Curve(slope=10, offset=-6),
    infrared_infrared=Curve(slope=8, offset=-6),
    visible_infrared=Curve(slope=6, offset=-2),
    means={V: (0.1, 0.2), I: (0.3, -0.4)},
)


@given(
    a=st.sampled_from(Modality),
    b=st.sampled_from(Modality),
    low=st.floats(-1, 1),
    high=st.floats(-1, 1),
    prior=st.floats(0.001, 0.999),
)
def test_probability_is_symmetric_and_grows_with_similarity(
    a: Modality, b: Modality, low: float, high: float, prior: float
) -> None:
    low, high = sorted((low, high))

    p_low = CALIBRATION.probability(low, a, b, prior=prior)
    p_high = CALIBRATION.probability(high, b, a, prior=prior)

    assert 0 < p_low <= p_high < 1


def test_even_odds_lie_where_the_curve_crosses_zero() -> None:
    assert CALIBRATION.probability(0.6, V, V, prior=0.5) == pytest.approx(0.5)
    assert CALIBRATION.probability(0.6, V, I, prior=0.5) > 0.8
    assert CALIBRATION.probability(0.6, I, I, prior=0.5) < 0.5


def test_looks_alone_never_count_for_more_than_the_most() -> None:
    certain = replace(CALIBRATION, visible_visible=Curve(slope=1000, offset=-500))

    assert certain.likelihood_ratio(1.0, V, V) == pytest.approx(MOST_EVIDENCE)
    assert certain.likelihood_ratio(-1.0, V, V) == pytest.approx(1 / MOST_EVIDENCE)


def test_pairs_have_no_order() -> None:
    assert pair_of(V, I) is pair_of(I, V) is Pair.VISIBLE_INFRARED
    assert pair_of(V, V) is Pair.VISIBLE_VISIBLE
    assert pair_of(I, I) is Pair.INFRARED_INFRARED


def floats(*values: float) -> Floats:
    return np.array(values, np.float32)


def test_the_fit_finds_the_curve_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    # Two normals of equal spread have a logistic ratio: slope = (m1 - m0) / s^2, here 0.3 / 0.01.
    same = rng.normal(0.7, 0.1, 20_000).astype(np.float32)
    different = rng.normal(0.4, 0.1, 60_000).astype(np.float32)

    curve = fit_curve(same, different, widening=1.0)

    assert curve.slope == pytest.approx(30, rel=0.05)
    assert -curve.offset / curve.slope == pytest.approx(0.55, abs=0.01)


def test_widening_claims_less_and_keeps_the_place_of_even_odds() -> None:
    same, different = floats(0.6, 0.7, 0.8, 0.5), floats(0.1, 0.3, 0.55)

    fitted, widened = (fit_curve(same, different, widening=w) for w in (1.0, 2.0))

    assert widened.slope == pytest.approx(fitted.slope / 2)
    assert widened.offset / widened.slope == pytest.approx(fitted.offset / fitted.slope)


def test_classes_that_do_not_overlap_still_give_a_finite_curve() -> None:
    curve = fit_curve(floats(0.9, 0.95), floats(0.1, 0.2), widening=1.0)

    assert np.isfinite(curve.slope)


@pytest.mark.parametrize(
    ("same", "different", "widening"),
    [
        pytest.param([], [0.1], 1.0, id="nobody twice"),
        pytest.param([0.9], [], 1.0, id="nobody else"),
        pytest.param([0.9], [0.1], 0.5, id="narrowing"),
        pytest.param([0.1, 0.2], [0.8, 0.9], 1.0, id="strangers more alike"),
    ],
)
def test_a_fit_that_would_mislead_is_refused(
    same: list[float], different: list[float], widening: float
) -> None:
    with pytest.raises(ValueError, match="expected"):
        fit_curve(floats(*same), floats(*different), widening=widening)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1])
def test_a_prior_that_leaves_no_doubt_is_refused(prior: float) -> None:
    with pytest.raises(ValueError, match="prior"):
        CALIBRATION.probability(0.5, V, V, prior=prior)


def test_a_calibration_survives_its_file_and_serves_its_own_model_only(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_calibration(path, CALIBRATION)

    assert read_calibration(path, model=ModelId("edge@0")) == CALIBRATION
    with pytest.raises(WeightsRefused, match="made for edge@0"):
        read_calibration(path, model=ModelId("edge@1"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "x", "model": "edge@0"}'])
def test_a_damaged_calibration_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(WeightsRefused, match="not a readable calibration"):
        read_calibration(path, model=ModelId("edge@0"))


class ByBrightness:
    """An embedder whose vector turns with the mean of the pixels: 0 and 255 are a quarter apart."""

    model = ModelId("brightness@0")
    dimension = 2

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        angle = np.array([crop.pixels.mean() / 255 * np.pi / 2 for crop in crops])
        return Embeddings(
            vectors=np.stack((np.cos(angle), np.sin(angle)), 1).astype(np.float32),
            modality=tuple(crop.modality for crop in crops),
            model=self.model,
        )


def test_scores_are_of_tracklets_in_the_right_pair_of_lights(tmp_path: Path) -> None:
    for person, view, grey in (
        ("1", "visible_c1", 0),
        ("1", "visible_c2", 0),
        ("1", "infrared_c1", 128),
        ("2", "visible_c1", 255),
    ):
        folder = tmp_path / person / view
        folder.mkdir(parents=True)
        for shot in range(2):
            cv2.imwrite(str(folder / f"{shot}.png"), np.full((8, 4, 3), grey, np.uint8))

    scores = tracklet_scores(embed_tracklets(find_crops(tmp_path), ByBrightness()))

    visible, across = scores[Pair.VISIBLE_VISIBLE], scores[Pair.VISIBLE_INFRARED]
    np.testing.assert_allclose(visible.same, [1], atol=1e-6)
    np.testing.assert_allclose(visible.different, [0, 0], atol=1e-6)
    np.testing.assert_allclose(across.same, [0.705, 0.705], atol=0.01)
    np.testing.assert_allclose(across.different, [0.709], atol=0.01)
    assert len(scores[Pair.INFRARED_INFRARED].different) == 0


def test_nobody_is_in_both_halves() -> None:
    first, second = halves(["b", "a", "c", "a"])

    assert set(first) == {"a", "c"}
    assert set(second) == {"b"}


def drawn_from_the_curve(n: int) -> Scores:
    """Pairs whose probabilities are true by construction: a curve's ratio is that of the kinds."""
    rng = np.random.default_rng(0)
    # Normals around 0.7 and 0.4, spread 0.1: log ratio 30 s - 16.5, see the fit's own test.
    same, different = rng.normal(0.7, 0.1, n), rng.normal(0.4, 0.1, n)
    return Scores(same=same.astype(np.float32), different=different.astype(np.float32))


def test_probabilities_that_are_true_lie_on_the_diagonal() -> None:
    right = replace(CALIBRATION, visible_visible=Curve(slope=30, offset=-16.5))

    found = measure_reliability(drawn_from_the_curve(50_000), right, Pair.VISIBLE_VISIBLE)

    assert found.expected_error < 0.005
    assert all(abs(bar.said - bar.true) < 0.05 for bar in found.bars)
    assert sum(bar.n_same for bar in found.bars) == 50_000


def test_probabilities_that_say_too_much_are_found_out() -> None:
    bold = replace(CALIBRATION, visible_visible=Curve(slope=30, offset=-12.0))

    found = measure_reliability(drawn_from_the_curve(5_000), bold, Pair.VISIBLE_VISIBLE)

    assert found.expected_error > 0.1
    assert found.bars[-2].true < found.bars[-2].said - 0.1


def people_of_brightness(folder: Path, n_people: int) -> Path:
    """Each person has a shade of their own, a little different in every view."""
    rng = np.random.default_rng(0)
    for person in range(n_people):
        for view in ("visible_c1", "visible_c2", "infrared_c1", "infrared_c2"):
            path = folder / f"{person:02}" / view
            path.mkdir(parents=True)
            shade = np.clip(20 + 24 * person + rng.normal(0, 14), 0, 255)
            cv2.imwrite(str(path / "0.png"), np.full((8, 4, 3), shade, np.uint8))
    return folder


def test_a_fit_is_checked_on_the_people_it_did_not_see(tmp_path: Path) -> None:
    tracklets = embed_tracklets(
        find_crops(people_of_brightness(tmp_path / "people", 10)), ByBrightness()
    )

    found = cross_check(tracklets, ByBrightness.model, widening=1.0)
    draw(tmp_path / "diagram.png", found, title="by brightness")

    for each in found.values():
        assert sum(bar.n_same for bar in each.bars) > 0
        assert sum(bar.n_different for bar in each.bars) > 0
        assert each.expected_error < 0.3
    assert cv2.imread(str(tmp_path / "diagram.png")) is not None


def test_caution_divides_every_likelihood_ratio() -> None:
    rng = np.random.default_rng(1)
    same, different = (rng.normal(m, 0.1, 200).astype(np.float32) for m in (0.6, 0.3))

    bold = fit_curve(same, different)
    cautious = fit_curve(same, different, caution=4.0)

    assert cautious.slope == bold.slope
    assert bold.offset - cautious.offset == pytest.approx(np.log(4))
    with pytest.raises(ValueError, match="caution"):
        fit_curve(same, different, caution=0.5)


def test_each_person_counts_once_in_what_people_have_in_common() -> None:
    often, seldom = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    tracklets = Tracklets(
        people=("often",) * 9 + ("seldom",),
        views=tuple((V, f"c{i}") for i in range(10)),
        means=np.stack([often] * 9 + [seldom]),
    )

    means = people_means(tracklets)

    assert means[V].tolist() == [0.5, 0.5]
    assert around_means(tracklets, means).means[0] @ around_means(tracklets, means).means[
        9
    ] == pytest.approx(-1)


@pytest.mark.parametrize(
    "means",
    [
        pytest.param({"visible": [0.1]}, id="one light"),
        pytest.param({"visible": [0.1], "infrared": [0.1, 0.2]}, id="two lengths"),
        pytest.param({"visible": [0.1], "infrared": [float("nan")]}, id="not a number"),
        pytest.param({"visible": [0.1], "infrared": ["x"]}, id="a word"),
        pytest.param({"visible": [], "infrared": []}, id="no numbers"),
        pytest.param({"moonlight": [0.1]}, id="no such light"),
        pytest.param([0.1], id="a list"),
    ],
)
def test_damaged_means_are_refused(tmp_path: Path, means: object) -> None:
    path = tmp_path / "edge.calibration.json"
    write_calibration(path, CALIBRATION)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"means": means}))

    with pytest.raises(WeightsRefused, match="not a readable calibration"):
        read_calibration(path, model=CALIBRATION.model)


def test_people_seen_in_one_light_only_cannot_calibrate(tmp_path: Path) -> None:
    people_of_brightness(tmp_path, 4)
    for path in list(tmp_path.glob("*/infrared_*/*")):
        path.unlink()

    tracklets = embed_tracklets(find_crops(tmp_path), ByBrightness())

    with pytest.raises(PictureInvalid, match="each seen by two cameras in both lights"):
        fit_tracklets(tracklets, ByBrightness.model, name="half blind")


def test_weights_without_a_calibration_say_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefused, match="noctule calibrate"):
        read_calibration(tmp_path / "own.calibration.json", model=ModelId("own@0"))


def test_the_shipped_calibration_belongs_to_the_shipped_weights() -> None:
    embedder = load_embedder(EmbedderConfig(device="cpu"))

    calibration = load_calibration(EmbedderConfig(), model=embedder.model)

    for light in Modality:
        centre = calibration.centre(light)
        assert centre is not None
        assert centre.shape == (embedder.dimension,)
        assert 0.1 < float(np.linalg.norm(centre)) < 1
    for a, b in ((V, V), (I, I), (V, I)):
        assert calibration.probability(1.0, a, b) > 0.5 > calibration.probability(0.0, a, b)
