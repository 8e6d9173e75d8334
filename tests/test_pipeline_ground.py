"""From boxes in the picture to metres on the floor plan."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.linking.ground import errors_m, fit, project, to_ground
from simulator.filming.install import ground_of
from simulator.optics.cameras import View
from streams.config import CameraConfig

CAMERA = View(eye=(1.0, -4.0, 3.2), target=(2.0, 6.0, 0.5), field_deg=70.0, size_px=(640, 360))
SPOTS_M = np.array([[x, y] for x in (-1.0, 2.0, 4.5) for y in (1.0, 5.0, 14.0)])


def pixels_of(spots_m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return CAMERA.project(np.column_stack([spots_m, np.zeros(len(spots_m))]))


def test_feet_stand_where_the_simulator_put_them() -> None:
    feet = pixels_of(SPOTS_M)
    boxes = np.column_stack([feet - np.array([20, 100]), feet + np.array([20, 0])]).astype(
        np.float32
    )

    assert to_ground(ground_of(CAMERA), boxes) == pytest.approx(SPOTS_M, abs=1e-3)


def test_above_the_horizon_there_is_no_ground() -> None:
    sky = np.array([[300, -400, 340, -200]], np.float32)

    assert np.isnan(to_ground(ground_of(CAMERA), sky)).all()


def test_no_boxes_have_no_feet() -> None:
    assert to_ground(np.eye(3), np.zeros((0, 4), np.float32)).shape == (0, 2)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(9)), st.floats(-1e4, 1e4), st.floats(0.01, 100))
def test_the_fit_finds_the_camera_whatever_the_plan_is_drawn_in(
    order: list[int], shift_m: float, scale: float
) -> None:
    drawn = SPOTS_M[order] * scale + shift_m
    homography = fit(pixels_of(SPOTS_M[order]), drawn)

    assert homography is not None
    assert errors_m(homography, pixels_of(SPOTS_M[order]), drawn).max() < 1e-4 * scale + 1e-7 * abs(
        shift_m
    )
    assert np.isnan(project(homography, [[320.0, -400.0]])).all()
    CameraConfig.model_validate({"name": "a", "source": "a.mp4", "ground": homography.tolist()})


def test_a_pixel_off_is_some_centimetres_off_and_is_told() -> None:
    off = pixels_of(SPOTS_M)
    off[4] += (3, 0)

    homography = fit(off, SPOTS_M)

    assert homography is not None
    assert 0.005 < errors_m(homography, off, SPOTS_M).max() < 0.5


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param([(0, 0), (10, 10), (20, 20), (30, 30)], id="on one line"),
        pytest.param([(5, 5), (5, 5), (5, 5), (5, 5)], id="one spot"),
        pytest.param([(0, 300), (600, 300), (300, 100), (300, 320)], id="beyond the horizon"),
    ],
)
def test_points_that_no_ground_explains_are_refused(pixels: list[tuple[float, float]]) -> None:
    square_m = np.array([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)])

    assert fit(np.array(pixels, np.float64), square_m) is None
