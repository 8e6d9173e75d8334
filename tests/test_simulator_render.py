"""The renderer and its truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.figures.body import BodyModel
from simulator.figures.cast import demo_cast
from simulator.figures.people import Person, dress
from simulator.filming.film import true_people
from simulator.filming.truth import TruePerson
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator
from simulator.optics.render import Renderer
from simulator.world.meshes import Mesh, Paint, box, ground, merge

pytest_plugins = ["tests.rendering"]

SIZE_PX = (320, 180)
VIEW = View(eye=(0, 0, 2.6), target=(0, 7, 0.9), field_deg=58, size_px=SIZE_PX)
FLOOR = ground(Paint(colour=(0.4, 0.4, 0.4)), x=(-20, 20), y=(-5, 40))


@pytest.fixture(scope="module")
def walker(model: BodyModel) -> Person:
    return dress(model, 3, demo_cast()[3])


def seen(
    people: dict[Person, tuple[float, float]], place: Mesh, *, view: View = VIEW
) -> tuple[TruePerson, ...]:
    """The truth of a picture of people who stand at the given spots."""
    poses = {person.identity: person.pose(0.2, xy, 0.5) for person, xy in people.items()}
    with Renderer(size_px=SIZE_PX, band=Band.NEAR_INFRARED, place=place) as renderer:
        for person in people:
            renderer.add(person)
        rendering = renderer.draw(poses, view, Illuminator())
        return true_people(rendering, poses, renderer.count_alone_px(poses, view), view)


def test_the_box_of_a_person_in_full_view_is_the_box_of_the_body(walker: Person) -> None:
    (person,) = seen({walker: (0.5, 7.0)}, FLOOR)

    # Masks are sampled at pixel centres; the outline of trimmed cloth may lie a pixel inside.
    assert person.box_px == pytest.approx(person.full_box_px, abs=2)
    assert person.visibility == pytest.approx(1, abs=0.03)


def test_a_wall_before_a_person_cuts_box_and_visibility_but_not_the_full_box(
    walker: Person,
) -> None:
    wall = box((0.5, 5.0, 0.65), (3.0, 0.2, 1.3), Paint())
    (clear,) = seen({walker: (0.5, 7.0)}, FLOOR)

    (hidden,) = seen({walker: (0.5, 7.0)}, merge([FLOOR, wall]))

    assert hidden.full_box_px == clear.full_box_px
    assert hidden.box_px[3] < clear.box_px[3] - 15
    assert 0.2 < hidden.visibility < 0.8


def test_a_person_half_outside_the_frame_shows_by_half(walker: Person) -> None:
    edge_x = 7.0 / np.cos(np.radians(13)) * np.tan(np.radians(29))

    (person,) = seen({walker: (float(edge_x), 7.0)}, FLOOR)

    assert person.full_box_px[2] == SIZE_PX[0]
    assert 0.25 < person.visibility < 0.75


def test_a_person_behind_another_keeps_the_identity_of_each(
    model: BodyModel, walker: Person
) -> None:
    tall = dress(model, 9, demo_cast()[1])

    found = seen({walker: (0.1, 6.0), tall: (0.0, 8.0)}, FLOOR)

    assert [person.identity for person in found] == [3, 9]
    assert found[0].visibility > 0.95
    assert found[1].visibility < 0.8


def test_nobody_outside_the_frame_is_in_the_truth(walker: Person) -> None:
    assert seen({walker: (15.0, 7.0)}, FLOOR) == ()


def test_feet_stand_on_the_ground_in_every_phase(walker: Person) -> None:
    lowest_m = [walker.pose(k / 16, (0, 0), 0).vertices[:, 2].min() for k in range(16)]

    assert np.abs(lowest_m).max() < 0.03


def test_cloth_that_is_bright_in_infrared_is_bright_at_night_whatever_its_colour(
    model: BodyModel,
) -> None:
    looks = demo_cast()[4]

    def mean_light(infrared: float) -> float:
        top = replace(looks.outfit.top, infrared=infrared, second_infrared=infrared)
        person = dress(model, 1, replace(looks, outfit=replace(looks.outfit, top=top)))
        with Renderer(size_px=SIZE_PX, band=Band.NEAR_INFRARED, place=FLOOR) as renderer:
            renderer.add(person)
            pose = person.pose(0.2, (0, 6), 1.57)
            rendering = renderer.draw({1: pose}, VIEW, Illuminator())
        return float(rendering.light[rendering.identities == 1].mean())

    assert mean_light(0.8) > 1.5 * mean_light(0.1)


def test_a_person_throws_a_shadow_on_the_ground_and_takes_it_along(walker: Person) -> None:
    light = Daylight(sun_from=(-1.0, 0.0, 0.6))
    with Renderer(size_px=SIZE_PX, band=Band.VISIBLE, place=FLOOR) as renderer:
        renderer.add(walker)
        empty = renderer.draw({}, VIEW, light)
        there = renderer.draw({3: walker.pose(0.2, (-1, 7), 0)}, VIEW, light)
        gone = renderer.draw({}, VIEW, light)

    darker = (there.identities == 0) & (there.light.mean(axis=2) < 0.7 * empty.light.mean(axis=2))
    assert np.count_nonzero(darker) > 200
    assert (gone.light == empty.light).all()


@pytest.mark.usefixtures("drawing")
def test_light_of_the_other_modality_is_refused() -> None:
    with (
        Renderer(size_px=SIZE_PX, band=Band.VISIBLE) as renderer,
        pytest.raises(ValueError, match="expected one for visible"),
    ):
        renderer.draw({}, VIEW, Illuminator())
