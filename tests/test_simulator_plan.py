"""Who walks where and when: a pure function of the seed."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest

from simulator.filming.catalogue import SCENARIOS
from simulator.filming.plan import Casting, Plan, plan
from simulator.filming.scenario import Hour, scenario
from simulator.filming.take import Settings, takes
from simulator.world.walks import Walk, Way

STEP_S = 0.05


def town(seed: int = 3) -> Plan:
    return plan(scenario("town"), seed=seed, n_people=10, minutes=3)


@pytest.fixture(scope="module")
def planned() -> Plan:
    return town()


def ends_s(walk: Walk) -> float:
    assert walk.pace_mps is not None
    return walk.starts_at_s + Way(walk.waypoints).length_m / walk.pace_mps


def test_the_same_seed_plans_the_same_and_another_does_not(planned: Plan) -> None:
    assert town().walks == planned.walks
    assert town().people == planned.people
    assert town(seed=4).walks != planned.walks


def test_nobody_is_in_two_places_at_once_and_changing_places_takes_time(planned: Plan) -> None:
    stays: dict[tuple[Hour, int], list[tuple[float, float, str]]] = defaultdict(list)
    for (hour, place), walks in planned.walks.items():
        for walk in walks:
            stays[hour, walk.identity].append((walk.starts_at_s, ends_s(walk), place))

    n_changes = 0
    for visits in stays.values():
        for (_, left_s, place), (came_s, _, next_place) in pairwise(sorted(visits)):
            assert came_s > left_s
            if place != next_place:
                n_changes += 1
                assert came_s - left_s > 2
    assert n_changes >= 5


def test_transit_takes_what_its_distribution_says() -> None:
    scenario_ = scenario("town")
    leads = {end: transit for transit in scenario_.transit for end in transit.ends}
    logs: list[float] = []
    for seed in range(4):
        walks: dict[tuple[Hour, int], list[tuple[float, float, Walk, str]]] = defaultdict(list)
        drawn = plan(scenario_, seed=seed, n_people=8, minutes=4)
        for (hour, place), found in drawn.walks.items():
            for walk in found:
                if (walk.identity,) in drawn.parties:
                    walks[hour, walk.identity].append((walk.starts_at_s, ends_s(walk), walk, place))
        for visits in walks.values():
            visits.sort(key=lambda visit: visit[0])
            for (_, left_s, walk, place), (came_s, _, _, to) in pairwise(visits):
                if place != to:
                    doors = scenario_.place(place).doors
                    door = min(
                        doors,
                        key=lambda name: float(
                            np.hypot(*np.subtract(doors[name], walk.waypoints[-1]))
                        ),
                    )
                    logs.append(np.log((came_s - left_s) / leads[place, door].median_s))

    # Who finds the way taken waits a little, which lengthens some of them.
    assert len(logs) > 20
    assert abs(float(np.median(logs))) < 0.2


def test_people_leave_and_come_back(planned: Plan) -> None:
    visits = [walk.identity for walks in planned.walks.values() for walk in walks]

    assert max(visits.count(identity) for identity in set(visits)) >= 4


def test_a_party_walks_together(planned: Plan) -> None:
    groups = [party for party in planned.parties if len(party) > 1]
    assert groups

    for walks in planned.walks.values():
        for party in groups:
            of = {i: [w for w in walks if w.identity == i] for i in party}
            assert len({len(found) for found in of.values()}) == 1
            for together in zip(*of.values(), strict=True):
                starts = [walk.starts_at_s for walk in together]
                assert max(starts) - min(starts) < 1.5
                assert len({walk.pace_mps for walk in together}) == 1


def test_strangers_do_not_walk_through_each_other(planned: Plan) -> None:
    party_of = {i: party for party in planned.parties for i in party}
    for walks in planned.walks.values():
        for a, b in combinations(walks, 2):
            if party_of[a.identity] != party_of[b.identity]:
                assert nearest_m(a, b) > 0.5


def nearest_m(a: Walk, b: Walk) -> float:
    assert a.pace_mps is not None
    assert b.pace_mps is not None
    start, end = max(a.starts_at_s, b.starts_at_s), min(ends_s(a), ends_s(b))
    times_s = np.arange(start, end, STEP_S)
    if len(times_s) == 0:
        return np.inf
    at_a = Way(a.waypoints).positions((times_s - a.starts_at_s) * a.pace_mps)
    at_b = Way(b.waypoints).positions((times_s - b.starts_at_s) * b.pace_mps)
    return float(np.linalg.norm(at_a - at_b, axis=1).min())


@pytest.mark.parametrize("name", ["plaza", "lobby", "carpark"])
def test_a_short_film_of_few_people_shows_somebody_on_the_way(name: str) -> None:
    drawn = plan(scenario(name), seed=3, n_people=4, minutes=0.2)

    for walks in drawn.walks.values():
        assert any(walk.starts_at_s < 6 and ends_s(walk) > 0 for walk in walks)


def test_clothes_are_changed_for_the_night_only() -> None:
    drawn = plan(scenario("lobby"), seed=5, n_people=6, minutes=1, casting=Casting(changing=1.0))

    outfits = {hour: {w.outfit for w in walks} for (hour, _), walks in drawn.walks.items()}

    assert outfits == {Hour.DAY: {0}, Hour.DUSK: {0}, Hour.NIGHT: {1}}
    by_day, by_night = (
        next(t for t in takes(drawn, Settings(), casting=Casting()) if t.period.hour is hour)
        for hour in (Hour.DAY, Hour.NIGHT)
    )
    both = by_day.looks.keys() & by_night.looks.keys()
    assert all(by_day.looks[i].outfit != by_night.looks[i].outfit for i in both)


def test_the_demo_is_the_same_for_every_seed_but_for_the_foot_that_comes_first() -> None:
    first, other = (plan(scenario("demo"), seed=seed) for seed in (1, 2))

    planned = {
        place: {walk.identity for walk in walks} for (_, place), walks in first.walks.items()
    }

    assert planned.keys() == {"gate", "plaza", "dock", "corridor"}
    assert all(who == set(range(1, 7)) for who in planned.values())
    for key, walks in first.walks.items():
        for walk, again in zip(walks, other.walks[key], strict=True):
            assert (walk.starts_at_s, walk.waypoints) == (again.starts_at_s, again.waypoints)
            assert walk.phase != again.phase


def test_the_demo_has_no_seventh_person() -> None:
    with pytest.raises(ValueError, match="6 people, 7 were asked for"):
        plan(scenario("demo"), seed=1, n_people=7)


def test_every_scenario_of_the_catalogue_can_be_planned() -> None:
    for name in SCENARIOS:
        drawn = plan(scenario(name), seed=1, n_people=2, minutes=0.2)

        videos = [take.video for take in takes(drawn, Settings(), casting=Casting())]

        assert len(set(videos)) == len(videos) >= 4


def test_all_cameras_of_a_place_are_told_of_the_same_walks() -> None:
    drawn = plan(scenario("plaza"), seed=1, n_people=3, minutes=1)

    by_day = takes(drawn, Settings(), casting=Casting(), hours=[Hour.DAY])

    assert len(by_day) == 3
    assert len({take.walks for take in by_day}) == 1


def test_thermal_cameras_film_when_they_are_asked_for() -> None:
    drawn = plan(scenario("plaza"), seed=1, n_people=3, minutes=1)

    plain = takes(drawn, Settings(), casting=Casting())
    warm = takes(drawn, Settings(with_thermal=True), casting=Casting())

    assert {take.video for take in warm} - {take.video for take in plain} == {
        f"plaza-south-thermal-{hour}" for hour in Hour
    }
