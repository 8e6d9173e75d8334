"""The camera that takes its infrared-cut filter away: when it switches, and how that looks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.optics.bands import Band
from simulator.optics.daynight import DayNightCamera, Look, adapted, leaked
from simulator.optics.illumination import InfraredSensor, VisibleSensor

FPS = 10
CAMERA = DayNightCamera(to_night_lux=3, to_day_lux=12, wait_s=2)


def bands(lux: list[float]) -> list[Band]:
    return [look.band for look in CAMERA.watch(lux, fps=FPS)]


def n_changes(found: list[Band]) -> int:
    return sum(a is not b for a, b in itertools.pairwise(found))


def test_the_first_light_alone_decides_how_a_camera_starts() -> None:
    assert bands([100.0]) == [Band.VISIBLE]
    assert bands([0.5]) == [Band.NEAR_INFRARED]
    assert CAMERA.watch([0.5], fps=FPS)[0].is_settled
    assert CAMERA.watch([], fps=FPS) == ()


def test_at_nightfall_it_switches_once_and_after_the_wait() -> None:
    lux = [*np.geomspace(50, 3.001, 40), *[1.0] * 60]

    found = bands(lux)

    assert n_changes(found) == 1
    first = found.index(Band.NEAR_INFRARED)
    waited = 40 + CAMERA.wait_s * FPS
    assert first == pytest.approx(waited + CAMERA.slides_s * FPS, abs=2)


def test_light_between_the_thresholds_changes_nothing() -> None:
    by_day, by_night = bands([100.0] + [6.0] * 100), bands([0.5] + [6.0] * 100)

    assert set(by_day) == {Band.VISIBLE}
    assert set(by_night) == {Band.NEAR_INFRARED}


def test_headlights_that_pass_within_the_wait_do_not_make_it_day() -> None:
    lux = [1.0] * 30 + [200.0] * 15 + [1.0] * 30

    assert set(bands(lux)) == {Band.NEAR_INFRARED}


def test_frames_around_the_switch_are_tinted_and_badly_exposed_and_then_settle() -> None:
    looks = CAMERA.watch([50.0] * 5 + [1.0] * 80, fps=FPS)

    leaking = [look for look in looks if look.leak > 0]
    first = next(k for k, look in enumerate(looks) if look.band is Band.NEAR_INFRARED)

    assert leaking
    assert all(look.band is Band.VISIBLE for look in leaking)
    assert looks[first].exposure > 2
    assert looks[-1].is_settled
    assert [look.exposure for look in looks[first:]] == sorted(
        (look.exposure for look in looks[first:]), reverse=True
    )


def test_back_to_day_it_starts_too_dark() -> None:
    looks = CAMERA.watch([1.0] * 5 + [50.0] * 80, fps=FPS)

    first = next(look for look in looks if look.band is Band.VISIBLE)

    assert first.exposure < 0.5
    assert looks[-1].is_settled


@given(st.lists(st.floats(0, 1000), max_size=60))
def test_a_switch_is_never_followed_by_another_within_the_wait(lux: list[float]) -> None:
    found = bands(lux)

    switched = [k for k, (a, b) in enumerate(itertools.pairwise(found)) if a is not b]

    slides = CAMERA.slides_s * FPS
    assert all(b - a >= CAMERA.wait_s * FPS - slides - 1 for a, b in itertools.pairwise(switched))


def test_infrared_on_colour_pixels_is_magenta() -> None:
    grey = np.full((4, 4, 3), 0.1, np.float32)
    lamp = np.full((4, 4), 0.5, np.float32)

    light = leaked(grey, lamp, Look(band=Band.VISIBLE, leak=0.8))

    red, green, blue = light[0, 0]
    assert min(red, blue) > 1.15 * green
    assert light.min() > grey.max()
    assert leaked(grey, lamp, Look(band=Band.VISIBLE)) is grey


def test_a_look_changes_the_exposure_of_either_sensor() -> None:
    look = Look(band=Band.VISIBLE, leak=0.5, exposure=2.0)

    colour, grey = adapted(VisibleSensor(), look), adapted(InfraredSensor(), look)

    assert colour.amplification == grey.amplification == 2
    assert colour.saturation < VisibleSensor().saturation


def test_thresholds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="to_night_lux < to_day_lux"):
        DayNightCamera(to_night_lux=10, to_day_lux=5)
