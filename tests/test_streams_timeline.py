"""Times of pictures: from whatever a stream counts to microseconds UTC that only grow."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.timeline import LiveTimeline, RecordedTimeline

TICK = Fraction(1, 90_000)
STEP = 9_000  # ticks of a tenth of a second
PERIOD_US = 100_000
NOON_US = 1_700_000_000_000_000

ticks = st.none() | st.integers(-(1 << 34), 1 << 34)


def recorded() -> RecordedTimeline:
    return RecordedTimeline(starts_at_us=NOON_US, time_base=TICK, period_us=PERIOD_US)


@given(st.lists(ticks, min_size=1, max_size=40))
def test_recorded_times_start_where_they_should_and_only_grow(pts: list[int | None]) -> None:
    timeline = recorded()

    times = [timeline.captured_at_us(each) for each in pts]

    assert times[0] == NOON_US
    assert all(a < b for a, b in itertools.pairwise(times))


@given(
    st.lists(
        st.tuples(ticks, st.integers(0, 10_000_000), st.none() | st.integers(-(10**10), 10**10)),
        min_size=1,
        max_size=40,
    )
)
def test_live_times_only_grow(pictures: list[tuple[int | None, int, int | None]]) -> None:
    timeline = LiveTimeline(TICK)
    arrived_us = NOON_US
    times = []

    for pts, waited_us, age_us in pictures:
        arrived_us += waited_us
        sent_us = None if age_us is None else arrived_us - age_us
        times.append(timeline.captured_at_us(pts, arrived_us=arrived_us, sent_us=sent_us))

    assert all(a < b for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("wrap", [1 << 32, 1 << 33], ids=["RTP", "MPEG-TS"])
def test_recorded_times_count_on_when_the_ticks_wrap(wrap: int) -> None:
    timeline = recorded()

    times = [timeline.captured_at_us((wrap - 2 * STEP + i * STEP) % wrap) for i in range(6)]

    assert times == [NOON_US + i * PERIOD_US for i in range(6)]


def test_ticks_set_back_cost_one_usual_period() -> None:
    timeline = recorded()

    times = [timeline.captured_at_us(pts) for pts in (900_000, 909_000, 0, 9_000)]

    assert times == [NOON_US + i * PERIOD_US for i in range(4)]


def test_missing_ticks_cost_one_usual_period() -> None:
    timeline = recorded()

    times = [timeline.captured_at_us(pts) for pts in (0, None, 2 * STEP)]

    assert times == [NOON_US + i * PERIOD_US for i in range(3)]


def test_a_pause_in_a_recording_is_kept_and_an_absurd_one_is_not() -> None:
    timeline = recorded()

    times = [timeline.captured_at_us(s * 90_000) for s in (0, 3600, 3600 + 86_400)]

    assert times == [NOON_US, NOON_US + 3_600_000_000, NOON_US + 3_600_000_000 + PERIOD_US]


def test_a_late_picture_keeps_its_place_in_time() -> None:
    timeline = LiveTimeline(TICK)
    arrivals_us = [NOON_US + i * PERIOD_US for i in range(10)]
    arrivals_us[5] += 60_000

    times = [
        timeline.captured_at_us(i * STEP, arrived_us=at, sent_us=None)
        for i, at in enumerate(arrivals_us)
    ]

    assert abs(times[5] - (NOON_US + 5 * PERIOD_US)) < 1_000


def test_pictures_that_arrive_in_a_burst_after_a_network_pause_keep_their_distance() -> None:
    timeline = LiveTimeline(TICK)
    arrivals_us = [NOON_US + i * PERIOD_US for i in range(20)] + [NOON_US + 6_000_000] * 40

    times = [
        timeline.captured_at_us(i * STEP, arrived_us=at, sent_us=None)
        for i, at in enumerate(arrivals_us)
    ]

    distances = [b - a for a, b in itertools.pairwise(times)]
    assert max(abs(each - PERIOD_US) for each in distances) < 5_000


@pytest.mark.parametrize("ppm", [-300, 300])
def test_a_camera_clock_that_runs_wrong_drifts_no_further_than_the_jitter(ppm: int) -> None:
    timeline = LiveTimeline(TICK)
    hour = 36_000  # pictures

    for i in range(hour):
        arrived_us = NOON_US + i * PERIOD_US
        pts = round(i * STEP * (1 + ppm / 1e6))
        captured_us = timeline.captured_at_us(pts, arrived_us=arrived_us, sent_us=None)

    assert abs(captured_us - arrived_us) < 50_000


def test_the_cameras_own_clock_is_followed_without_a_jump() -> None:
    timeline = LiveTimeline(TICK)
    times = []

    for i in range(200):
        arrived_us = NOON_US + i * PERIOD_US
        sent_us = arrived_us - 400_000 if i >= 20 else None
        times.append(timeline.captured_at_us(i * STEP, arrived_us=arrived_us, sent_us=sent_us))

    assert times[-1] == arrived_us - 400_000
    assert min(b - a for a, b in itertools.pairwise(times)) > 0.7 * PERIOD_US


@pytest.mark.parametrize("off_s", [-3600, -30, 30, 3600, NOON_US / 1e6])
def test_a_camera_clock_that_is_wrong_is_not_believed(off_s: float) -> None:
    timeline = LiveTimeline(TICK)

    for i in range(50):
        arrived_us = NOON_US + i * PERIOD_US
        sent_us = arrived_us - round(off_s * 1e6)
        captured_us = timeline.captured_at_us(i * STEP, arrived_us=arrived_us, sent_us=sent_us)

    assert captured_us == arrived_us


@pytest.mark.parametrize("jump", [-900_000, 90_000 * 3600], ids=["back", "ahead an hour"])
def test_live_ticks_that_jump_are_anchored_anew(jump: int) -> None:
    timeline = LiveTimeline(TICK)

    for i in range(40):
        arrived_us = NOON_US + i * PERIOD_US
        pts = i * STEP + (jump if i >= 20 else 0)
        captured_us = timeline.captured_at_us(pts, arrived_us=arrived_us, sent_us=None)

    assert captured_us == arrived_us


def test_ticks_that_stand_still_are_left_behind_by_at_most_ten_seconds() -> None:
    timeline = LiveTimeline(TICK)

    for i in range(400):
        arrived_us = NOON_US + i * PERIOD_US
        captured_us = timeline.captured_at_us(0, arrived_us=arrived_us, sent_us=None)

    assert 0 <= arrived_us - captured_us <= 10_000_000
