"""Transit times: learned from walks whose true times are known, and never trusted too far."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.linking.topology import EDGES_S, FIRST_APART, Topology, cell_of
from pipeline.linking.topology_config import StatedTransit, TopologyConfig
from pipeline.linking.topology_learning import learn
from storage.transits import Journey, View
from streams.types import CameraId

GATE, YARD, HALL, DOCK = (CameraId(name) for name in ("gate", "yard", "hall", "dock"))
GONE = CameraId("")
NEXT: dict[CameraId, list[tuple[CameraId, float, float, float]]] = {
    GATE: [(YARD, 0.6, 12.0, 0.2), (HALL, 0.3, 40.0, 0.3), (GONE, 0.1, 0, 0)],
    YARD: [(HALL, 0.5, 25.0, 0.25), (GATE, 0.3, 12.0, 0.2), (GONE, 0.2, 0, 0)],
    HALL: [(DOCK, 0.4, 90.0, 0.4), (GATE, 0.3, 40.0, 0.3), (GONE, 0.3, 0, 0)],
    DOCK: [(HALL, 0.5, 90.0, 0.4), (GONE, 0.5, 0, 0)],
}
"""Where people go next: share, median seconds, standard deviation of the logarithm."""
HORIZON_S = 3600.0
NO_CAP = TopologyConfig(cap=10.0, floor=1e-4)


def walks(n_people: int, *, seed: int, every_s: float = 30.0) -> list[Journey]:
    """Strangers come to the gate as a Poisson process and walk until they are gone."""
    rng = np.random.default_rng(seed)
    starts_s = np.cumsum(rng.exponential(every_s, n_people))
    return [tuple(_walk(float(start_s), rng)) for start_s in starts_s]


def _walk(now_s: float, rng: np.random.Generator) -> Iterator[View]:
    camera = GATE
    while camera != GONE:
        lasts_s = rng.uniform(4, 12)
        yield view(camera, now_s, now_s + lasts_s)
        ways = NEXT[camera]
        camera, _, median_s, spread = ways[rng.choice(len(ways), p=[way[1] for way in ways])]
        if camera != GONE:
            now_s += lasts_s + median_s * math.exp(rng.normal(0, spread))


def view(camera: CameraId, start_s: float, end_s: float, *, is_sure: bool = True) -> View:
    return View(
        camera=camera,
        first_seen_us=round(start_s * 1e6),
        last_seen_us=round(end_s * 1e6),
        camera_moved_us=0,
        is_sure=is_sure,
    )


def learned(journeys: Sequence[Journey], config: TopologyConfig | None = None) -> Topology:
    return learn(journeys, config=config or TopologyConfig(), horizon_s=HORIZON_S)


@pytest.fixture(scope="module")
def site() -> Topology:
    return learned(walks(1500, seed=1))


def lines_up(journeys: Sequence[Journey]) -> Iterator[tuple[View, list[View], View | None]]:
    """Every arrival, the last views of all who were out of view, and the person's own if known."""
    last: dict[int, View] = {}
    arrivals = sorted(
        (v.first_seen_us, who, n)
        for who, journey in enumerate(journeys)
        for n, v in enumerate(journey)
    )
    for now_us, who, n in arrivals:
        out = {
            other: v
            for other, v in last.items()
            if v.last_seen_us <= now_us and now_us - v.last_seen_us <= HORIZON_S * 1e6
        }
        yield journeys[who][n], list(out.values()), out.get(who)
        last[who] = journeys[who][n]


def test_quantiles_and_shares_are_those_of_the_walks(site: Topology) -> None:
    for start, ways in NEXT.items():
        for end, share, median_s, spread in ways[:-1]:
            way = site.ways[start, end]
            # The median of n normal numbers is off by 1.25 sigma / sqrt(n); four times that.
            assert math.log(way.quantile_s(0.5) or 1) == pytest.approx(
                math.log(median_s), abs=4 * 1.25 * spread / math.sqrt(len(way.gaps_s))
            )
            low, high = way.usual_s or (0, 0)
            assert low == pytest.approx(median_s * math.exp(-1.645 * spread), rel=0.12)
            assert high == pytest.approx(median_s * math.exp(1.645 * spread), rel=0.12)
            assert way.share == pytest.approx(share, abs=0.06)


def test_usual_gaps_speak_for_a_person_and_impossible_ones_against(site: Topology) -> None:
    assert site.log_ratio(GATE, YARD, 12) > 1.5
    assert site.log_ratio(HALL, DOCK, 90) > 1.5
    assert site.log_ratio(GATE, YARD, 3) < -1.5
    assert site.log_ratio(GATE, YARD, 600) < -1.5
    assert site.log_ratio(GATE, DOCK, 90) < -1.5  # nobody goes there without passing the hall
    assert site.log_ratio(GATE, YARD, -4) < -1.5  # still in view at the gate


@pytest.fixture(scope="module")
def judged() -> list[tuple[View, list[View], View | None]]:
    """Arrivals of walks that nothing was learned from, once as many people are known as then."""
    found = list(lines_up(walks(700, seed=2)))
    begun_us = found[0][0].first_seen_us + HORIZON_S * 1e6
    return [one for one in found if one[0].first_seen_us > begun_us]


@pytest.fixture(scope="module")
def uncapped() -> Topology:
    return learned(walks(1500, seed=1), NO_CAP)


def test_the_ratio_of_somebody_else_is_one_on_average_and_of_the_person_large(
    uncapped: Topology, judged: list[tuple[View, list[View], View | None]]
) -> None:
    others, own = [], []
    for arrival, out, true in judged:
        logs = {v: log_ratio(uncapped, v, arrival) for v in out}
        if true is not None:
            own.append(logs.pop(true))
        others.append(np.exp(list(logs.values())).mean())

    assert np.mean(others) == pytest.approx(1, abs=0.25)  # few large ratios make most of the mean
    assert np.mean(own) > 3
    assert np.mean(np.array(own) > 0) > 0.97


def test_probabilities_made_of_ratios_come_true(
    uncapped: Topology, judged: list[tuple[View, list[View], View | None]]
) -> None:
    told, came = probabilities(uncapped, judged)

    for low, high in ((0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        chosen = (told >= low) & (told < high)
        assert chosen.sum() > 300
        assert came[chosen].mean() == pytest.approx(told[chosen].mean(), abs=0.08), (low, high)


def test_the_cap_makes_them_too_modest_never_too_bold(
    site: Topology, judged: list[tuple[View, list[View], View | None]]
) -> None:
    told, came = probabilities(site, judged)

    assert came[told > 0.3].mean() > told[told > 0.3].mean()


def probabilities(
    topology: Topology, judged: list[tuple[View, list[View], View | None]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """What is told of everybody who was out of view when somebody known came, and who it was."""
    told: list[float] = []
    came: list[bool] = []
    for arrival, out, true in judged:
        if true is not None:
            odds = np.exp([log_ratio(topology, v, arrival) for v in out])
            told += list(odds / odds.sum())
            came += [v is true for v in out]
    return np.array(told), np.array(came)


def log_ratio(topology: Topology, before: View, after: View) -> float:
    gap_s = (after.first_seen_us - before.last_seen_us) / 1e6
    return topology.log_ratio(before.camera, after.camera, gap_s)


def test_few_links_say_nothing_and_more_say_more() -> None:
    said = [learned(walks(n, seed=4)).log_ratio(GATE, YARD, 3) for n in (10, 30, 100, 1000)]

    assert said[0] == 0
    assert 0 > said[1] > said[2] > said[3]


def test_no_gap_between_any_two_cameras_says_more_than_the_settings_allow() -> None:
    site = learned(walks(400, seed=5), TopologyConfig(cap=2.5, floor=0.2))
    gaps_s = [*EDGES_S[1:-1], -1e9, 0.0, 1e9]

    said = [site.log_ratio(a, b, gap_s) for a in NEXT for b in NEXT for gap_s in gaps_s]

    assert max(said) == 2.5
    assert min(said) >= math.log(0.2)
    assert site.log_ratio(CameraId("moon"), GATE, 5) == 0


def test_unsure_views_teach_nothing() -> None:
    unsure = [tuple(replace(v, is_sure=False) for v in walk) for walk in walks(200, seed=6)]

    site = learned(unsure)

    assert not site.ways
    assert site.log_ratio(GATE, YARD, 12) == 0


def test_what_a_moved_camera_taught_is_unlearned_and_the_rest_stays(site: Topology) -> None:
    moved_us = 10**15
    after_the_move = learned(
        [
            tuple(replace(v, camera_moved_us=moved_us if v.camera == DOCK else 0) for v in walk)
            for walk in walks(1500, seed=1)
        ]
    )

    assert all(DOCK not in pair for pair in after_the_move.ways)
    for camera in NEXT:
        for gap_s in (3, 30, 90, 300):
            assert after_the_move.log_ratio(DOCK, camera, gap_s) == 0
            assert after_the_move.log_ratio(camera, DOCK, gap_s) == 0
    for pair in ((GATE, YARD), (YARD, HALL), (HALL, GATE)):
        assert list(after_the_move.ways[pair].gaps_s) == list(site.ways[pair].gaps_s)
        assert after_the_move.log_ratio(*pair, 30) == pytest.approx(
            site.log_ratio(*pair, 30), abs=0.3
        )


STATED = (StatedTransit(from_camera=GATE, to_camera=YARD, least_s=50, most_s=90),)


def stating(journeys: Sequence[Journey]) -> Topology:
    return learn(journeys, config=TopologyConfig(), horizon_s=HORIZON_S, stated=STATED)


def test_what_the_installer_states_holds_until_more_was_seen(site: Topology) -> None:
    at_first, later = stating([]), stating(walks(1500, seed=1))

    for pair in ((GATE, YARD), (YARD, GATE)):
        assert at_first.log_ratio(*pair, 70) > 1
        assert at_first.log_ratio(*pair, 12) < -1
    assert later.log_ratio(GATE, YARD, 12) == pytest.approx(site.log_ratio(GATE, YARD, 12), abs=0.2)
    assert at_first.describe(GATE, YARD, 70) == "70 s after gate, usual 50 to 90 s"
    assert later.ways[GATE, YARD].usual_s == site.ways[GATE, YARD].usual_s


def test_an_operator_reads_what_is_usual(site: Topology) -> None:
    assert re.fullmatch(r"12 s after gate, usual 9 to 1[67] s", site.describe(GATE, YARD, 12) or "")
    assert site.describe(GATE, DOCK, 300) == (
        "5 min after gate, from where hardly anybody comes here next"
    )
    assert site.describe(CameraId("moon"), GATE, 5) is None


def test_cameras_that_see_the_same_ground_are_found_out() -> None:
    at_once: list[Journey] = [
        (
            view(YARD, 1e6 + i * 100, 1e6 + i * 100 + 9),
            view(HALL, 1e6 + i * 100 + 4, 1e6 + i * 100 + 20),
        )
        for i in range(60)
    ]
    at_once_mostly = learned(at_once)
    mostly_apart = learned(walks(300, seed=7) + at_once[:5])

    assert at_once_mostly.unlisted_overlaps([]) == [(YARD, HALL)]
    assert at_once_mostly.unlisted_overlaps([("yard", "hall")]) == []
    assert mostly_apart.unlisted_overlaps([]) == []


def test_a_view_inside_a_longer_one_is_no_departure() -> None:
    gate, yard, hall = view(GATE, 0, 100), view(YARD, 10, 20), view(HALL, 130, 140)

    site = learned([(gate, yard, hall)])

    assert list(site.ways[GATE, YARD].gaps_s) == [-90.0]
    assert list(site.ways[GATE, HALL].gaps_s) == [30.0]
    assert (YARD, HALL) not in site.ways


@pytest.mark.parametrize("n_strangers", [0, 1, 4000, 4001, 49861])
def test_any_number_of_strangers_teaches_no_way(n_strangers: int) -> None:
    site = learned([(view(GATE, 60 * n, 60 * n + 5),) for n in range(n_strangers)])

    assert not site.ways
    assert site.log_ratio(GATE, GATE, 60) == 0


def test_cells_cover_every_gap() -> None:
    assert cell_of(-1.0) == cell_of(1.99) == FIRST_APART
    assert [cell_of(float(edge)) for edge in EDGES_S[:-1]] == list(range(len(EDGES_S) - 1))
    assert cell_of(math.inf) == len(EDGES_S) - 2
