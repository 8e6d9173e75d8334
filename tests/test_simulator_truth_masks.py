"""The truth against masks counted another way: each person drawn alone, then laid over each other.

Drawn alone and in a picture three times as wide and high, nothing hides a person and no frame cuts
one. From these silhouettes and the outline of what stands in front follows who must show where.
Needs anny, moderngl, EGL and the built bodies, as `test_simulator_render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from simulator.figures.body import BodyModel
from simulator.figures.cast import demo_cast
from simulator.figures.people import Person, Posed, dress
from simulator.filming.film import true_people
from simulator.filming.truth import Box, TruePerson
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator
from simulator.optics.render import Renderer
from simulator.world.meshes import Mesh, Paint, Vector, box, ground, merge

pytest_plugins = ["tests.rendering"]

Mask = npt.NDArray[np.bool_]

SIZE_PX = (320, 180)
VIEW = View(eye=(0, 0, 2.6), target=(0, 7, 0.9), field_deg=58, size_px=SIZE_PX)
FLOOR = ground(Paint(colour=(0.4, 0.4, 0.4)), x=(-20, 20), y=(-5, 40))
LEAST_PX = 40
"""Who shows with fewer pixels is not in the truth."""
EDGE_PX = 2
"""Silhouettes are sampled at other points of the pixels than pictures: edges may differ by one,
and cloth is trimmed within the body's own outline."""

Spots = Mapping[int, tuple[float, float, float]]
"""Identity -> x, y (metres), heading (radians)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """What was drawn together, and the same people each alone.

    Attributes:
        truth: By identity.
        together: (H, W) int, who shows at each pixel.
        alone: By identity, (3H, 3W), the frame in the middle third.
    """

    truth: dict[int, TruePerson]
    together: npt.NDArray[np.int16]
    alone: dict[int, Mask]

    def in_frame(self, identity: int) -> Mask:
        """(H, W): the whole silhouette, as far as it lies in the frame."""
        width, height = SIZE_PX
        return self.alone[identity][height : 2 * height, width : 2 * width]

    def full_box(self, identity: int) -> Box:
        """Around the whole silhouette, also beyond the frame; then cut at the frame."""
        corners = np.array(box_of(self.alone[identity])) - np.tile(SIZE_PX, 2)
        x0, y0, x1, y1 = (int(value) for value in np.clip(corners, 0, np.tile(SIZE_PX, 2)))
        return x0, y0, x1, y1


@pytest.fixture(scope="module")
def people(model: BodyModel) -> dict[int, Person]:
    return {identity: dress(model, identity, demo_cast()[identity]) for identity in range(1, 6)}


def count(people: Mapping[int, Person], spots: Spots, place: Mesh) -> Counted:
    """Draw the people at their spots in a place, and each alone without it."""
    poses = {
        identity: people[identity].pose(0.17 * identity, (x, y), heading)
        for identity, (x, y, heading) in spots.items()
    }
    together, truth = draw(people, poses, VIEW, place)
    wide = replace(
        VIEW,
        field_deg=float(np.degrees(2 * np.arctan(3 * np.tan(np.radians(VIEW.field_deg) / 2)))),
        size_px=(3 * SIZE_PX[0], 3 * SIZE_PX[1]),
    )
    alone = {
        identity: draw(people, {identity: posed}, wide, None)[0] == identity
        for identity, posed in poses.items()
    }
    return Counted(truth=truth, together=together, alone=alone)


def draw(
    people: Mapping[int, Person],
    poses: Mapping[int, Posed],
    view: View,
    place: Mesh | None,
    band: Band = Band.NEAR_INFRARED,
) -> tuple[npt.NDArray[np.int16], dict[int, TruePerson]]:
    """The mask of a picture and its truth by identity."""
    light = Daylight() if band is Band.VISIBLE else Illuminator()
    with Renderer(size_px=view.size_px, band=band, place=place) as renderer:
        for identity in poses:
            renderer.add(people[identity])
        rendering = renderer.draw(poses, view, light)
        found = true_people(rendering, poses, renderer.count_alone_px(poses, view), view)
    return rendering.identities, {person.identity: person for person in found}


def expected(
    counted: Counted, nearest_first: Sequence[int], hidden: Mask | None = None
) -> dict[int, Mask]:
    """Who must show where: silhouettes laid over each other, the nearest on top."""
    taken = np.zeros(SIZE_PX[::-1], bool) if hidden is None else hidden.copy()
    shown = {}
    for identity in nearest_first:
        silhouette = counted.in_frame(identity)
        shown[identity] = silhouette & ~taken
        taken |= silhouette
    return shown


def box_of(mask: Mask) -> Box:
    """x0, y0, x1, y1 around what is set; x1 and y1 exclusive."""
    rows, columns = np.nonzero(mask)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def check(counted: Counted, shown: Mapping[int, Mask], hidden: Mask | None = None) -> None:
    """Mask, boxes and visibility of everybody are those that were counted alone."""
    outlines = [counted.in_frame(identity) for identity in shown]
    near_edge = edges([*outlines, *([] if hidden is None else [hidden])])
    assert set(counted.truth) == {i for i, mask in shown.items() if mask.sum() >= LEAST_PX}
    for identity, person in counted.truth.items():
        mask = counted.together == identity
        assert not ((mask != shown[identity]) & ~near_edge).any()
        assert person.box_px == box_of(mask)
        assert person.box_px == pytest.approx(box_of(shown[identity]), abs=EDGE_PX)
        assert person.full_box_px == pytest.approx(counted.full_box(identity), abs=EDGE_PX)
        share = shown[identity].sum() / counted.alone[identity].sum()
        assert person.visibility == pytest.approx(share, abs=0.03)


def edges(masks: Sequence[Mask]) -> Mask:
    """Pixels within one of an outline."""
    square = np.ones((3, 3), np.uint8)
    rims = [cv2.morphologyEx(m.astype(np.uint8), cv2.MORPH_GRADIENT, square) for m in masks]
    return np.asarray(np.logical_or.reduce(rims), bool)


def outline(corners: Sequence[Vector]) -> Mask:
    """(H, W): the convex hull of points of the world, as the camera sees it."""
    points = VIEW.project(np.array(corners, np.float64)).astype(np.float32)
    hull = cv2.convexHull(points)[:, 0]
    rows, columns = np.indices(SIZE_PX[::-1]) + 0.5
    sides = []
    for (x0, y0), (x1, y1) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        sides.append((x1 - x0) * (rows - y0) - (y1 - y0) * (columns - x0) > 0)
    inside = np.all(sides, axis=0) | ~np.any(sides, axis=0)
    return np.asarray(inside)


def pillar(x: float, y: float, *, width: float, height: float) -> tuple[Mesh, Mask]:
    """A block on the ground and where the camera sees it."""
    mesh = box((x, y, height / 2), (width, width, height), Paint())
    near = (-width / 2, width / 2)
    corners = [(x + dx, y + dy, z) for dx in near for dy in near for z in (0.0, height)]
    return mesh, outline(corners)


def test_three_who_stand_behind_each_other_hide_each_other(people: dict[int, Person]) -> None:
    spots = {1: (0.2, 6.0, 0.5), 2: (0.0, 7.3, 2.0), 3: (-0.3, 8.6, 4.0)}

    counted = count(people, spots, FLOOR)

    check(counted, expected(counted, nearest_first=(1, 2, 3)))
    assert counted.truth[1].visibility > 0.95
    assert counted.truth[2].visibility < 0.8


def test_who_is_cut_by_each_side_of_the_frame_shows_by_what_is_left(
    people: dict[int, Person],
) -> None:
    spots = {1: (-4.15, 7.0, 0.5), 2: (4.2, 7.0, 2.0), 3: (0.0, 3.0, 4.0)}  # left, right, below

    counted = count(people, spots, FLOOR)

    check(counted, expected(counted, nearest_first=(3, 1, 2)))
    width, height = SIZE_PX
    boxes = {identity: person.box_px for identity, person in counted.truth.items()}
    assert (boxes[1][0], boxes[2][2], boxes[3][3]) == (0, width, height)
    assert all(0.1 < person.visibility < 0.9 for person in counted.truth.values())


def test_who_stands_behind_a_pillar_and_a_low_wall_shows_by_what_they_leave(
    people: dict[int, Person],
) -> None:
    narrow, narrow_mask = pillar(-1.2, 5.5, width=0.16, height=3.0)
    low, low_mask = pillar(1.6, 5.5, width=1.2, height=0.9)
    spots = {1: (-1.55, 7.0, 0.5), 2: (2.0, 7.0, 2.0), 3: (0.3, 5.0, 4.0)}

    counted = count(people, spots, merge([FLOOR, narrow, low]))

    hidden = narrow_mask | low_mask
    check(counted, expected(counted, (1, 2, 3), hidden), hidden)
    assert 0.2 < counted.truth[1].visibility < 0.9
    assert 0.2 < counted.truth[2].visibility < 0.9
    assert counted.truth[3].visibility > 0.95


def test_who_is_hidden_wholly_is_not_in_the_truth(people: dict[int, Person]) -> None:
    wall, wall_mask = pillar(0.0, 5.0, width=1.6, height=3.0)

    counted = count(people, {1: (0.0, 7.0, 0.5), 2: (2.5, 7.0, 0.5)}, merge([FLOOR, wall]))

    check(counted, expected(counted, (1, 2), wall_mask), wall_mask)
    assert set(counted.truth) == {2}


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_in_any_order_agrees_with_its_silhouettes(
    people: dict[int, Person], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    depths = rng.permutation(np.linspace(5.0, 10.0, len(people)))
    spots = {
        identity: (float(rng.uniform(-0.6, 0.6) * y), float(y), float(rng.uniform(0, 2 * np.pi)))
        for identity, y in zip(people, depths, strict=True)
    }

    counted = count(people, spots, FLOOR)

    check(counted, expected(counted, sorted(spots, key=lambda identity: spots[identity][1])))


def test_the_mask_is_the_same_in_every_light(people: dict[int, Person]) -> None:
    poses = {i: people[i].pose(0.3, (0.4 * i - 1.0, 6.0 + 0.5 * i), 0.7 * i) for i in (1, 2, 3)}

    by_day, truth_by_day = draw(people, poses, VIEW, FLOOR, Band.VISIBLE)
    by_night, truth_by_night = draw(people, poses, VIEW, FLOOR, Band.NEAR_INFRARED)

    assert (by_day == by_night).all()
    assert truth_by_day == truth_by_night
