"""Places: cameras that share ground or do not, things that hide people, doors out of sight."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.filming.crowd import clearance_m
from simulator.filming.map import draw_map
from simulator.filming.plan import Casting, plan
from simulator.filming.scenario import scenario
from simulator.filming.take import Settings, takes
from simulator.optics.cameras import View
from simulator.optics.illumination import MOST_LAMPS
from simulator.world import demo
from simulator.world.carpark import carpark
from simulator.world.lobby import lobby
from simulator.world.meshes import Paint
from simulator.world.places import CameraKind, Place
from simulator.world.plaza import plaza
from simulator.world.sight import intrinsics, overlapping, sees, world_to_camera
from simulator.world.things import block
from simulator.world.walks import Way

PLACES = (plaza(), lobby(), carpark())
VIEW = View(eye=(0, 0, 3.0), target=(0, 8, 1.0), field_deg=60, size_px=(640, 360))
CHEST = np.array([[0.0, 8.0, 1.0]])


@pytest.fixture(params=PLACES, ids=lambda place: str(place.name))
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.param
    return found


def test_two_cameras_share_ground_and_one_shares_none(place: Place) -> None:
    watching = [c.name for c in place.cameras if c.kind is not CameraKind.THERMAL]

    pairs = [pair for pair in overlapping(place) if set(pair) <= set(watching)]

    assert len(watching) >= 3
    assert len(pairs) == 1
    assert len(set(watching) - set(pairs[0])) == 1


def test_nobody_appears_out_of_thin_air(place: Place) -> None:
    for x, y in place.doors.values():
        body = np.array([[x, y, z] for z in (0.1, 1.0, 1.7)])
        for camera in place.cameras:
            assert not sees(camera.view, body, place.floor_plan.things).any()


def test_every_door_is_the_end_of_a_way(place: Place) -> None:
    assert {door for way in place.ways for door in (way.start, way.end)} == set(place.doors)


def test_ways_lead_round_things(place: Place) -> None:
    for route in place.ways:
        way = Way(place.waypoints(route))
        points = way.positions(np.arange(2.2, way.length_m - 2.2, 0.1))
        for thing in place.floor_plan.things:
            assert clearance_m(points, thing) > 0.4, (route, thing.kind)


def test_things_hide_people_on_their_way_whom_the_camera_would_see(place: Place) -> None:
    ways = [Way(place.waypoints(route)) for route in place.ways]
    points = np.concatenate([way.positions(np.arange(0, way.length_m, 0.2)) for way in ways])
    chests = np.c_[points, np.ones(len(points))]

    in_view = sum(int(sees(c.view, chests, ()).sum()) for c in place.cameras)
    seen = sum(int(sees(c.view, chests, place.floor_plan.things).sum()) for c in place.cameras)

    assert 0.2 * in_view < seen < 0.98 * in_view


def test_a_wall_hides_who_stands_behind_it_and_a_low_one_does_not() -> None:
    wall = block("wall", (0.0, 5.0), (2.0, 0.2, 2.6), Paint())
    low = block("wall", (0.0, 5.0), (2.0, 0.2, 0.6), Paint())
    bridge = block("bridge", (0.0, 5.0), (2.0, 0.2, 0.6), Paint(), bottom_m=2.4)

    assert sees(VIEW, CHEST, ()).all()
    assert not sees(VIEW, CHEST, (wall,)).any()
    assert sees(VIEW, CHEST, (low, bridge)).all()
    assert sees(VIEW, CHEST + np.array([3.0, 0, 0]), (wall,)).all()


def test_the_written_matrices_project_as_the_camera_does() -> None:
    points = np.random.default_rng(3).uniform((-3, 5, 0), (3, 12, 2), (20, 3))

    seen = world_to_camera(VIEW) @ np.c_[points, np.ones(20)].T
    u, v, w = intrinsics(VIEW) @ seen

    # The renderer's own matrix is float32.
    assert np.c_[u / w, v / w] == pytest.approx(VIEW.project(points), abs=1e-3)
    assert (seen[2] > 0).all()


def test_names_of_cameras_differ_and_lamps_are_no_more_than_a_light_takes() -> None:
    names = [camera.name for place in PLACES for camera in place.cameras]

    assert len(set(names)) == len(names)
    assert all(len(place.lamps) <= MOST_LAMPS for place in PLACES)


def test_the_four_cameras_of_the_demo_stand_in_places_of_their_own() -> None:
    places = (demo.gate(), demo.plaza(), demo.dock(), demo.corridor())
    cameras = {place.name: [camera.name for camera in place.cameras] for place in places}

    assert cameras == {name: [name] for name in ("gate", "plaza", "dock", "corridor")}


def test_the_floor_plan_shows_what_cameras_see_in_their_colour() -> None:
    drawn = plan(scenario("lobby"), seed=1, n_people=3, minutes=0.5)
    filmed = takes(drawn, Settings(), casting=Casting())

    whole = draw_map(filmed[0].place, filmed)
    nobody = draw_map(filmed[0].place, ())

    assert whole.shape == nobody.shape
    assert (whole != nobody).any(axis=2).mean() > 0.2
