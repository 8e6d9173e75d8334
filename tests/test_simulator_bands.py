"""What a person looks like in each band and light. Needs what the renderer's tests need."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from simulator.figures.body import BodyModel
from simulator.figures.cast import demo_cast
from simulator.figures.people import Person, dress
from simulator.figures.wardrobe import Pattern
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator, Light, Warmth
from simulator.optics.render import Renderer, Rendering
from simulator.optics.sky import Sky, daylight
from simulator.world.meshes import Paint, ground

pytest_plugins = ["tests.rendering"]

SIZE_PX = (320, 180)
VIEW = View(eye=(0, 0, 2.2), target=(0, 5, 0.9), field_deg=44, size_px=SIZE_PX)
FLOOR = ground(Paint(colour=(0.4, 0.4, 0.4)), x=(-20, 20), y=(-5, 40))
TOWARDS_THE_CAMERA = -np.pi / 2


@pytest.fixture(scope="module")
def person(model: BodyModel) -> Person:
    return dress(model, 1, demo_cast()[1])


def draw(person: Person, light: Light) -> Rendering:
    """The person 5 m away, on a bare floor."""
    posed = person.pose(0.2, (0, 5), TOWARDS_THE_CAMERA)
    with Renderer(size_px=SIZE_PX, band=light.band, place=FLOOR) as renderer:
        renderer.add(person)
        return renderer.draw({1: posed}, VIEW, light)


def between(rendering: Rendering, low_m: float, high_m: float) -> npt.NDArray[np.bool_]:
    """(H, W) the person's pixels between two heights."""
    rows = [VIEW.project(np.array([[0.0, 5, z]]))[0, 1] for z in (high_m, low_m)]
    mask = rendering.identities == 1
    mask[: int(rows[0])] = False
    mask[int(rows[1]) :] = False
    return np.asarray(mask)


def test_a_face_is_warmer_than_clothes_and_clothes_than_the_ground(person: Person) -> None:
    light = Warmth(air_c=8)

    rendering = draw(person, light)

    tall = person.height_m
    face = np.percentile(rendering.light[between(rendering, tall - 0.24, tall - 0.05)], 80)
    top = np.median(rendering.light[between(rendering, tall * 0.62, tall * 0.78)])
    floor = np.median(rendering.light[-20:, :60])
    assert face > top + 4
    assert top > floor + 4
    assert floor == pytest.approx(8, abs=2.5)
    assert face < 35


def test_a_thermal_picture_does_not_know_colours(person: Person) -> None:
    outfit = person.looks.outfit
    top = replace(outfit.top, colour=(0.9, 0.1, 0.1), second_colour=(0.1, 0.1, 0.9), infrared=0.9)
    repainted = replace(person, looks=replace(person.looks, outfit=replace(outfit, top=top)))

    first, second = (draw(who, Warmth()) for who in (person, repainted))

    assert (first.light == second.light).all()


def test_in_a_warm_room_a_person_stands_out_less(person: Person) -> None:
    contrasts = []
    for air_c in (2.0, 28.0):
        rendering = draw(person, Warmth(air_c=air_c, sky_c=air_c, stored=0))
        contrasts.append(float(rendering.light[rendering.identities == 1].mean()) - air_c)

    assert contrasts[0] > 2 * contrasts[1] > 0


def test_retro_reflective_bands_outshine_everything_before_an_infrared_lamp(
    person: Person,
) -> None:
    outfit = person.looks.outfit
    vest = replace(outfit.top, pattern=Pattern.STRIPES, retro=1.0)
    striped = replace(person, looks=replace(person.looks, outfit=replace(outfit, top=vest)))
    plain = replace(
        person,
        looks=replace(person.looks, outfit=replace(outfit, top=replace(vest, retro=0.0))),
    )

    bright, dull = (draw(who, Illuminator()) for who in (striped, plain))

    assert bright.light.max() > 8 * dull.light.max()
    assert np.isfinite(bright.light).all()


def test_retro_reflection_fades_when_the_lamp_is_far_from_the_lens(person: Person) -> None:
    outfit = person.looks.outfit
    vest = replace(outfit.top, pattern=Pattern.STRIPES, retro=1.0)
    striped = replace(person, looks=replace(person.looks, outfit=replace(outfit, top=vest)))

    near, far = (draw(striped, Illuminator(offset_m=offset)).light.max() for offset in (0.03, 0.3))

    assert near > 4 * far


def test_infrared_light_falls_with_the_square_of_the_distance(person: Person) -> None:
    light = Illuminator(ambient=0)
    means = []
    with Renderer(size_px=SIZE_PX, band=light.band) as renderer:
        renderer.add(person)
        for away_m in (4.0, 8.0):
            view = View(eye=(0, 0, 1.2), target=(0, 5, 1.2), field_deg=44, size_px=SIZE_PX)
            rendering = renderer.draw(
                {1: person.pose(0.2, (0, away_m), TOWARDS_THE_CAMERA)}, view, light
            )
            rows, columns = np.nonzero(rendering.identities == 1)
            middle = (np.abs(columns - SIZE_PX[0] / 2) < 5) & (np.abs(rows - 90) < 6)
            means.append(rendering.light[rows[middle], columns[middle]].mean())

    # The patch of body that is compared is a little larger from afar.
    assert means[0] / means[1] == pytest.approx(4, rel=0.3)


def test_an_overcast_sky_throws_a_soft_shadow_and_the_sun_a_sharp_one(person: Person) -> None:
    def steepest(light: Daylight) -> float:
        rendering = draw(person, light)
        beside = rendering.light[90:170, 205:300].mean(axis=2)
        assert (rendering.identities[90:170, 205:300] == 0).all()
        beside = cv2.blur(beside, (9, 1))  # soft edges are sampled by chance: grain
        return float(np.abs(np.diff(beside, axis=0)).max() / beside.max())

    sun_from = (-1.0, 0.0, 0.8)
    sharp = steepest(Daylight(sun_from=sun_from))
    soft = steepest(Daylight(sun_from=sun_from, softness_m=0.4))

    assert soft < 0.6 * sharp


def test_street_lamps_light_pools(person: Person) -> None:
    light = daylight(Sky.NIGHT, lamps=((-2.5, 6.0, 5.0),))

    rendering = draw(person, light)

    below = VIEW.project(np.array([[-1.5, 5.0, 0.0]]))[0].astype(int)
    away = VIEW.project(np.array([[2.0, 5.0, 0.0]]))[0].astype(int)
    assert (
        rendering.light[below[1], below[0]].mean() > 1.3 * rendering.light[away[1], away[0]].mean()
    )


@pytest.mark.parametrize("band", list(Band))
def test_masks_are_the_same_in_every_band(person: Person, band: Band) -> None:
    lights: dict[Band, Light] = {
        Band.VISIBLE: Daylight(),
        Band.NEAR_INFRARED: Illuminator(),
        Band.THERMAL: Warmth(),
    }

    rendering = draw(person, lights[band])
    reference = draw(person, Illuminator())

    assert (rendering.identities == reference.identities).all()
