"""Skies, noise, automatic exposure, warmth and weather, without rendering people."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from simulator.figures.cast import demo_cast
from simulator.figures.materials import Material
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.exposure import AutoExposure
from simulator.optics.illumination import (
    Daylight,
    Illuminator,
    InfraredSensor,
    ThermalSensor,
    VisibleSensor,
    Warmth,
)
from simulator.optics.render import Rendering
from simulator.optics.shutter import blurred
from simulator.optics.sky import Sky, daylight, dusk, level_lux
from simulator.optics.thermal import skin_at, through, top_insulation, warmth_of_materials
from simulator.optics.weather import Headlights, Rain
from streams.types import Modality

VIEW = View(eye=(0, 0, 2.8), target=(0, 8, 1.0), field_deg=60, size_px=(320, 180))


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def grain(picture: npt.NDArray[np.uint8]) -> float:
    return float(picture.astype(float).std(axis=(0, 1)).mean())


def grey(value: float, channels: int = 3) -> npt.NDArray[np.float32]:
    shape = (90, 160, 3) if channels == 3 else (90, 160)
    return np.full(shape, value, np.float32)


# Bands.


def test_lights_and_sensors_know_their_band_and_thermal_counts_as_infrared() -> None:
    lights = (Daylight(), Illuminator(), Warmth())
    sensors = (VisibleSensor(), InfraredSensor(), ThermalSensor())

    assert [light.band for light in lights] == [sensor.band for sensor in sensors] == list(Band)
    assert Band.VISIBLE.modality is Modality.VISIBLE
    assert Band.NEAR_INFRARED.modality is Band.THERMAL.modality is Modality.INFRARED


# Skies.


def test_each_sky_is_darker_than_the_one_before() -> None:
    lux = [level_lux(daylight(sky)) for sky in (Sky.SUN, Sky.OVERCAST, Sky.DUSK, Sky.NIGHT)]

    assert lux == sorted(lux, reverse=True)
    assert lux[0] > 50_000
    assert lux[-1] < 15


def test_dusk_falls_without_a_jump() -> None:
    evening = [dusk(share) for share in np.linspace(0, 1, 201)]

    levels = np.array(
        [np.mean(light.sun) * light.sun_from[2] + np.mean(light.sky) for light in evening]
    )

    assert np.abs(np.diff(levels)).max() < 0.06
    assert all(a.lux > b.lux for a, b in itertools.pairwise(evening))


def test_lamps_are_lit_in_the_last_half_of_dusk_only() -> None:
    lamps = ((0.0, 4.0, 5.0),)

    assert dusk(0.3, lamps=lamps).lamps == ()
    assert dusk(1.0, lamps=lamps).lamps == lamps
    assert min(dusk(1.0, lamps=lamps).lamp) > 0


def test_more_lamps_than_the_shader_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 8"):
        Daylight(lamps=((0.0, 0.0, 5.0),) * 9)


# Sensors.


def test_noise_grows_as_light_falls_while_brightness_stays() -> None:
    sensor = VisibleSensor(vignette=0)
    pictures = [replace(sensor, lux=lux).expose(grey(0.5), rng()) for lux in (40_000, 50, 5, 0.5)]

    noise = [grain(picture) for picture in pictures]

    assert noise == sorted(noise)
    assert noise[-1] > 4 * noise[0]
    assert pictures[1].mean() == pytest.approx(pictures[0].mean(), abs=2)


def test_amplified_infrared_is_brighter_and_noisier() -> None:
    sensor = InfraredSensor(vignette=0)
    light = grey(0.02, 1)

    plain, amplified = (s.expose(light, rng()) for s in (sensor, sensor.amplified(4)))

    assert amplified.mean() > 1.5 * plain.mean()
    assert grain(amplified) > 1.5 * grain(plain)


def test_a_retro_reflector_has_a_halo_and_the_picture_without_one_has_none() -> None:
    light = grey(0.05, 1)
    light[44:47, 79:82] = 500
    sensor = InfraredSensor(noise=0, blur_px=0, vignette=0)

    with_halo = sensor.expose(light, rng())[..., 0].astype(int)
    without = replace(sensor, bloom=0).expose(light, rng())[..., 0].astype(int)

    ring = (slice(39, 43), slice(78, 83))
    assert with_halo[ring].mean() > without[ring].mean() + 10
    assert abs(with_halo[:8, :8].mean() - without[:8, :8].mean()) < 2


def test_exposure_settles_on_its_target_within_its_limits() -> None:
    auto = AutoExposure(target=0.2, lowest=0.5, highest=2.0)

    bright = auto.follow(VisibleSensor(exposure=1), grey(0.3), after_s=1e9)
    dark = auto.follow(VisibleSensor(exposure=1), grey(0.001), after_s=1e9)

    assert bright.measure(grey(0.3)) == pytest.approx(0.2, rel=0.01)
    assert dark.amplification == pytest.approx(2.0)


def test_exposure_follows_with_inertia() -> None:
    auto = AutoExposure(target=0.2, settles_s=0.5)
    sensor = InfraredSensor(gain=1)
    seen = []
    for _ in range(10):
        sensor = auto.follow(sensor, grey(0.6, 1), after_s=0.1)
        seen.append(sensor.amplification)

    assert seen == sorted(seen, reverse=True)
    assert seen[0] > 0.7
    assert seen[-1] == pytest.approx(1 / 3, rel=0.2)


# Warmth.


def test_thicker_cloth_is_colder_outside_and_never_below_the_air() -> None:
    light = Warmth(air_c=5)

    outside = [through(33, top_insulation(thickness), light) for thickness in (0.01, 0.02, 0.04)]

    assert outside == sorted(outside, reverse=True)
    assert min(outside) > 5


def test_indoors_a_face_has_34_degrees_and_hair_27() -> None:
    looks = demo_cast()[1]

    warm = warmth_of_materials(looks.outfit, Warmth(air_c=22, sky_c=22, stored=0))

    assert skin_at(22).face == pytest.approx(34)
    assert warm[Material.HAIR] == pytest.approx(27, abs=1)
    assert 22 < warm[Material.SHOES] < warm[Material.BOTTOM] < 33


def test_cold_air_cools_hands_more_than_the_face() -> None:
    mild, cold = skin_at(22), skin_at(5)

    assert mild.hands - cold.hands > 2 * (mild.face - cold.face) * 0.95
    assert cold.hands > 5


def test_a_thermal_picture_is_grey_stretched_and_white_hot() -> None:
    scene = grey(9, 1)
    scene[30:60, 70:90] = 30

    picture = ThermalSensor(detector_px=160).expose(scene, rng())

    assert (picture[..., 0] == picture[..., 2]).all()
    assert picture[45, 80, 0] > 230
    assert picture[10, 10, 0] < 40


def test_gain_control_does_not_tell_absolute_temperatures() -> None:
    scene = np.linspace(5, 25, 90 * 160, dtype=np.float32).reshape(90, 160)

    cool, warm = (ThermalSensor().expose(scene + shift, rng()) for shift in (0, 10))

    assert np.abs(cool.astype(int) - warm.astype(int)).max() <= 1


def test_an_even_scene_is_not_stretched_to_noise() -> None:
    assert grain(ThermalSensor(blur_px=0).expose(grey(20, 1), rng())) < 8


def test_the_fixed_pattern_belongs_to_the_camera_and_stays() -> None:
    sensor = ThermalSensor(noise_k=0, pattern_k=0.3)
    first, again = (sensor.expose(grey(20, 1), np.random.default_rng(seed)) for seed in (1, 2))
    other = replace(sensor, pattern_seed=1).expose(grey(20, 1), rng())

    assert (first == again).all()
    assert (first != other).any()


# Weather and shutter.


def test_rain_blazes_in_infrared_and_is_faint_by_day() -> None:
    rain = Rain(strength=0.5)
    dim = np.full((180, 320), 0.1, np.float32)

    by_night = rain.over(dim, VIEW, Illuminator(), rng()).max() / 0.1
    by_day = rain.over(np.repeat(dim[..., None], 3, 2), VIEW, Daylight(), rng()).max() / 0.1

    assert by_night > 2
    assert by_day < 1.5


def test_rain_falls_elsewhere_at_the_next_moment_and_the_same_for_the_same_generator() -> None:
    dim = np.full((180, 320), 0.1, np.float32)
    generator = rng()

    first, then = (Rain(strength=0.3).over(dim, VIEW, Illuminator(), generator) for _ in range(2))
    again = Rain(strength=0.3).over(dim, VIEW, Illuminator(), rng())

    assert (first == again).all()
    assert (first != then).any()


def test_no_rain_leaves_the_light_alone() -> None:
    light = grey(0.2)

    assert Rain(strength=0).over(light, VIEW, Daylight(), rng()) is light


def test_rain_takes_contrast_from_a_thermal_picture() -> None:
    scene = np.array([[9.0, 30.0]], np.float32)

    wet = Rain(strength=1).over(scene, VIEW, Warmth(air_c=9), rng())

    assert wet[0, 0] == pytest.approx(9)
    assert 20 < wet[0, 1] < 29


def test_headlights_glare_where_the_car_is_and_not_before_it_comes() -> None:
    lights = Headlights(starts_at_s=2, start_px=(20, 40), end_px=(140, 40), apart_px=10)
    light = grey(0.1)

    before, there = (lights.over(light, time_s, Daylight()) for time_s in (1.0, 4.0))

    assert before is light
    assert there[40, 75].mean() > 20
    assert there[85, 5].mean() > 0.15
    assert lights.over(light[..., 0], 4.0, Warmth()) is not None


def test_a_thermal_camera_does_not_see_headlights() -> None:
    scene = grey(9, 1)

    assert Headlights(starts_at_s=0).over(scene, 2.0, Warmth()) is scene


def test_headlights_make_exposure_dip() -> None:
    auto, sensor = AutoExposure(), VisibleSensor()
    dark = grey(0.35)
    settled = auto.follow(sensor, dark, after_s=1e9)

    glare = Headlights(starts_at_s=0, start_px=(80, 45), end_px=(80, 45)).over(
        dark, 2.0, Daylight()
    )

    assert auto.follow(settled, glare, after_s=1.0).amplification < 0.8 * settled.amplification


def test_an_open_shutter_averages_light_and_keeps_the_middle_mask() -> None:
    def draw(share: float) -> Rendering:
        light = np.zeros((1, 8), np.float32)
        where = 4 + round(share * 4)
        light[0, where] = 1
        return Rendering(light=light, identities=np.eye(8, dtype=np.int16)[where][None])

    smeared, sharp = blurred(draw, 4), blurred(draw, 1)

    assert smeared.light.sum() == pytest.approx(1)
    assert smeared.light.max() == pytest.approx(0.25)
    assert smeared.identities[0, 4] == 1
    assert sharp.light[0, 4] == 1
