"""What the pages of persons draw, without a browser: rulers, lanes, trails, claims."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.linking.topology import Way
from pipeline.web.lanes import Blind, Mark, draw_lanes, unwatched
from pipeline.web.timescale import make_scale
from pipeline.web.trail import draw_trail
from pipeline.web.transit_plot import draw_transit
from storage.desk.plans import CameraPlace
from streams.types import CameraId

S, H = 1_000_000, 3_600_000_000
NOON_US = 1_780_315_200_000_000
ZONE = ZoneInfo("Europe/Berlin")
SPANS = st.lists(
    st.tuples(st.integers(0, 30 * 24 * H), st.integers(1, H)), min_size=1, max_size=12
).map(lambda found: [(NOON_US + start, NOON_US + start + length) for start, length in found])


def mark(number: int, camera: str, at_s: float, *, is_sure: bool = True) -> Mark:
    start = NOON_US + round(at_s * S)
    return Mark(
        sighting=f"S{number}",
        camera=camera,
        modality="visible",
        from_us=start,
        to_us=start + 5 * S,
        is_sure=is_sure,
        words="",
    )


@given(SPANS)
def test_a_ruler_never_goes_back_and_holds_all_that_happened(
    spans: list[tuple[int, int]],
) -> None:
    scale = make_scale(spans, left=10, right=990)

    times = sorted(time for span in spans for time in span)
    places = [scale.x(time) for time in times]
    assert places == sorted(places)
    assert min(places) >= 10
    assert max(places) <= 990.001
    assert all(before.to_us == after.from_us for before, after in zip(scale.pieces, scale.pieces[1:], strict=False))  # fmt: skip  # noqa: E501
    for tick in scale.ticks(ZONE):
        assert 10 <= tick.x <= 990.001


def test_a_night_without_visits_is_folded_and_says_how_long_it_was() -> None:
    chart = draw_lanes([mark(1, "gate", 0), mark(2, "dock", 8.65 * 3600)], [], zone=ZONE)

    assert chart is not None
    (fold,) = chart.folds
    assert fold.words == "8 h 38 min"
    first, second = (lane.bars[0] for lane in chart.lanes)
    assert first.width > 50
    assert second.width > 50


def test_visits_all_day_long_are_not_folded() -> None:
    marks = [mark(number, "gate", 600 * number) for number in range(12)]

    chart = draw_lanes(marks, [], zone=ZONE)

    assert chart is not None
    assert chart.folds == ()
    assert len(chart.ticks) >= 4


def test_nobody_looked_is_drawn_in_the_lane_of_its_camera_only() -> None:
    blind = Blind(camera="dock", from_us=NOON_US, to_us=NOON_US + 60 * S, why="stalled")

    chart = draw_lanes([mark(1, "gate", 0), mark(2, "dock", 70)], [blind], zone=ZONE)

    assert chart is not None
    gate, dock = chart.lanes
    assert gate.hatches == ()
    assert "nobody looked at dock between 14:00:00 and 14:01:00: stalled" in dock.hatches[0].words


def test_no_visit_draws_nothing() -> None:
    assert draw_lanes([], [], zone=ZONE) is None


def test_a_film_saw_nothing_before_between_and_after_its_recordings() -> None:
    found = unwatched("gate", [(20, 30), (40, 50)], from_us=10, to_us=60)

    assert [(each.from_us, each.to_us) for each in found] == [(10, 20), (30, 40), (50, 60)]


def test_a_trail_numbers_its_stops_and_names_cameras_that_nobody_placed() -> None:
    places = [
        CameraPlace(
            camera=CameraId(name), x_m=x, y_m=5.0, heading_deg=90.0, made_by="", made_at_us=0
        )
        for name, x in (("gate", 2.0), ("dock", 20.0))
    ]
    marks = [
        mark(1, "gate", 0), mark(2, "gate", 10), mark(3, "dock", 30),
        mark(4, "cellar", 60), mark(5, "gate", 90), mark(6, "dock", 95, is_sure=False),
    ]  # fmt: skip

    trail = draw_trail(
        marks,
        places,
        metres_per_pixel=0.05,
        size=(640, 400),
        times={each.sighting: each.sighting for each in marks},
    )

    assert {spot.camera: spot.numbers for spot in trail.spots} == {"gate": "1, 3", "dock": "2"}
    assert [spot.camera for spot in trail.spots if spot.is_last] == ["gate"]
    assert [step.words for step in trail.steps] == ["gate to dock, S3", "dock to gate, S5"]
    assert trail.missing == ("cellar",)


def test_transits_are_plotted_once_five_are_known_and_this_one_stands_among_them() -> None:
    def way(n: int) -> Way:
        gaps = np.linspace(9, 15, n)
        pair = (CameraId("a"), CameraId("b"))
        return Way(pair=pair, n_departures=n, gaps_s=gaps, stated_s=None)

    plot = draw_transit(way(30), 12.0)

    assert draw_transit(way(4), 12.0) is None
    assert draw_transit(None, 12.0) is None
    assert plot is not None
    assert plot.n == 30
    assert 0 < plot.at < plot.width
    assert all(0 <= cell.y <= plot.floor for cell in plot.cells)
