"""Arithmetic of benchmarks.desk_load: percentiles, ages, phases in pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.desk_figures import (
    Analysed,
    Phase,
    ages_s,
    compare,
    percentile,
    phase_figures,
    spread,
)

SECOND_US = 1_000_000
CPU = {"watcher": 4.0, "capture": 1.0, "desk": 2.0, "client": 1.0, "rtsp": 0.5, "machine": 10.5}


def batch(done_s: float, *, n_still: int = 0, **taken_s: float) -> Analysed:
    taken_us = {camera: round(at * SECOND_US) for camera, at in taken_s.items()}
    return Analysed(done_us=round(done_s * SECOND_US), n_still=n_still, taken_us=taken_us)


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from([50.0, 95.0, 99.0, 100.0]))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    values: list[float], percent: float
) -> None:
    found = percentile(values, percent)

    assert found == np.percentile(values, percent, method="inverted_cdf")


def test_a_kind_that_was_never_answered_has_no_times() -> None:
    assert spread([]) == {"n": 0}
    assert spread([0.25]) == {"n": 1, "p50_ms": 250, "p95_ms": 250, "p99_ms": 250, "max_ms": 250}


def test_age_grows_until_the_next_frame_of_that_camera_is_done() -> None:
    analysed = [batch(1.0, gate=0.5), batch(1.1, dock=1.0), batch(1.2, gate=1.15)]

    ages = ages_s(analysed, from_us=1_000_000, to_us=1_400_000)

    dock, gate = [0.1, 0.2, 0.3], [0.5, 0.6, 0.05, 0.15]
    assert ages == pytest.approx(dock + gate)


def test_a_phase_counts_what_was_done_within_it() -> None:
    analysed = [
        batch(9.9, gate=9.5),
        batch(10.0, n_still=1, gate=9.8, dock=9.8),
        batch(14.9, gate=14.5),
        batch(15.0, gate=14.6),
    ]
    phase = Phase(with_operators=True, from_us=10 * SECOND_US, to_us=15 * SECOND_US, cpu_s=CPU)

    found = phase_figures(phase, analysed)

    assert found["frames_per_s"] == pytest.approx(3 / 5)
    assert found["searched_per_s"] == pytest.approx(2 / 5)
    assert found["frames_per_cpu_s"] == pytest.approx(3 / 5)
    assert found["frames_per_thinking_cpu_s"] == pytest.approx(3 / 4)
    assert found["desk_cores"] == pytest.approx(2 / 5)
    assert found["others_cores"] == pytest.approx((10.5 - 8.5) / 5)


def test_a_phase_in_which_nothing_was_seen_has_no_age() -> None:
    phase = Phase(with_operators=False, from_us=0, to_us=SECOND_US, cpu_s=CPU)

    assert math.isnan(phase_figures(phase, [])["age_p50_s"])


def test_each_phase_with_operators_is_compared_with_the_one_before_it() -> None:
    turns = [(False, {"x": 10.0}), (True, {"x": 9.0}), (False, {"x": 20.0}), (True, {"x": 19.0})]

    assert compare(turns)["x"] == {
        "without": 15.0,
        "with": 14.0,
        "change_percent": -6.7,
        "change_of_each_pair": [-10.0, -5.0],
    }


@pytest.mark.parametrize(
    "there",
    [
        pytest.param([], id="none"),
        pytest.param([False], id="one alone"),
        pytest.param([True, False], id="with first"),
        pytest.param([False, False, True, True], id="not by turns"),
    ],
)
def test_phases_that_do_not_take_turns_are_refused(there: list[bool]) -> None:
    with pytest.raises(ValueError, match="measure again"):
        compare([(each, {"x": 1.0}) for each in there])
