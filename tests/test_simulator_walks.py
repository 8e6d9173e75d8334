"""Ways over the ground."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from simulator.world.walks import Way


def test_a_straight_way_is_as_long_as_its_ends_are_apart_and_leads_straight_on() -> None:
    way = Way([(0.0, 0.0), (3.0, 4.0)])

    middle = way.at(2.5)

    assert way.length_m == pytest.approx(5.0)
    assert middle is not None
    assert middle.xy_m == pytest.approx((1.5, 2.0))
    assert middle.heading_rad == pytest.approx(math.atan2(4, 3))


def test_nobody_stands_on_a_way_before_its_start_or_after_its_end() -> None:
    way = Way([(0.0, 0.0), (1.0, 0.0)])

    assert way.at(-0.01) is None
    assert way.at(0.0) is not None
    assert way.at(1.01) is None


def test_a_bend_is_walked_without_a_sudden_turn() -> None:
    way = Way([(0.0, 0.0), (4.0, 0.0), (8.0, 4.0)])

    headings = [stance.heading_rad for k in range(90) if (stance := way.at(k * 0.1)) is not None]

    turns = [abs(after - before) for before, after in pairwise(headings)]
    # 0.1 m is about a fourteenth of a second of walking: less than 15 degrees in that time.
    assert max(turns) < math.radians(15)


def test_a_single_waypoint_is_no_way() -> None:
    with pytest.raises(ValueError, match="at least 2 points"):
        Way([(0.0, 0.0)])
