"""Cameras and sensors: where the world falls in the picture, and what a sensor makes of light."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.optics.cameras import View
from simulator.optics.illumination import InfraredSensor, VisibleSensor


def view() -> View:
    return View(eye=(0, 0, 2.8), target=(0, 8, 1.0), field_deg=60, size_px=(640, 360))


def test_the_target_falls_in_the_middle_of_the_picture() -> None:
    assert view().project(np.array([[0.0, 8, 1.0]])) == pytest.approx(np.array([[320, 180]]))


def test_right_is_right_and_up_is_up() -> None:
    right, above = view().project(np.array([[1.0, 8, 1.0], [0, 8, 2.0]]))

    assert right[0] > 320
    assert above[1] < 180


def test_a_point_behind_the_camera_has_no_pixel() -> None:
    assert np.isnan(view().project(np.array([[0.0, -5, 1.0]]))).all()


def test_the_horizontal_field_spans_the_width_of_the_picture() -> None:
    level = View(eye=(0, 0, 1), target=(0, 1, 1), field_deg=60, size_px=(640, 360))

    edge = level.project(np.array([[10 * np.tan(np.radians(30)), 10, 1]]))

    assert edge[0, 0] == pytest.approx(640)


def test_an_infrared_picture_is_grey_and_more_light_makes_it_brighter() -> None:
    sensor = InfraredSensor()
    rng = np.random.default_rng(0)

    dark = sensor.expose(np.full((36, 64), 0.1, np.float32), rng)
    bright = sensor.expose(np.full((36, 64), 1.0, np.float32), rng)

    assert bright.shape == (36, 64, 3)
    assert bright.dtype == np.uint8
    assert (bright[..., 0] == bright[..., 1]).all()
    assert (bright[..., 0] == bright[..., 2]).all()
    assert bright.mean() > dark.mean() + 30


def test_a_vignette_darkens_the_corners_only() -> None:
    sensor = VisibleSensor(noise=0, blur_px=0, vignette=0.5)

    picture = sensor.expose(np.ones((36, 64, 3), np.float32), np.random.default_rng(0))

    assert picture[0, 0].max() < picture[18, 32].min() - 20


def test_saturation_zero_takes_all_colour() -> None:
    light = np.zeros((4, 4, 3), np.float32)
    light[..., 0] = 1
    sensor = VisibleSensor(saturation=0, noise=0)

    picture = sensor.expose(light, np.random.default_rng(0))

    assert int(picture.max()) - int(picture.min()) <= int(picture[..., 0].max()) * 0.2
    assert (picture[..., 0] == picture[..., 2]).all()


def test_the_same_generator_state_gives_the_same_noise() -> None:
    light = np.full((36, 64, 3), 0.5, np.float32)

    first, again, other = (
        VisibleSensor().expose(light, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )

    assert (first == again).all()
    assert (first != other).any()
