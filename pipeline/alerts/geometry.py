"""Where somebody stands, in fractions of the picture: in a zone, or across a line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, Point, Polygon

from pipeline.alerts.types import InView
from pipeline.errors import RuleUnusable

Spot = tuple[float, float]
_LEAST_AREA = 1e-6


def zone_of(points: Sequence[Spot], *, name: str) -> Polygon:
    """The zone with these corners, ready to be asked often.

    Raises:
        RuleUnusable: Its sides cross each other, or it encloses nothing.
    """
    polygon = Polygon(points) if len(points) >= 3 else Polygon()
    if not polygon.is_valid or polygon.area < _LEAST_AREA:
        raise RuleUnusable(
            f"the zone {name!r} encloses no area, or its sides cross; draw its corners one after "
            "the other, at least three"
        )
    shapely.prepare(polygon)
    return polygon


def are_inside(zone: Polygon, people: Sequence[InView]) -> npt.NDArray[np.bool_]:
    """(N,) whose feet are in the zone, its border included."""
    if not people:
        return np.zeros(0, dtype=np.bool_)
    feet = np.array([person.foot for person in people])
    return np.asarray(shapely.intersects_xy(zone, feet[:, 0], feet[:, 1]), dtype=np.bool_)


class Line:
    """A drawn line of one or more pieces, and which way it is crossed.

    Args:
        points: At least two, all different from the one before.

    Raises:
        RuleUnusable: It has no length.
    """

    def __init__(self, points: Sequence[Spot], *, name: str) -> None:
        pieces = list(itertools.pairwise(points))
        if not pieces or any(a == b for a, b in pieces):
            raise RuleUnusable(f"the line {name!r} has no length; draw at least two points")
        self._pieces = pieces
        self._shape = LineString(points)
        shapely.prepare(self._shape)

    def distance(self, spot: Spot) -> float:
        """From a spot to the nearest point of the line, in fractions of the picture."""
        return float(self._shape.distance(Point(spot)))

    def crossings(self, before: Spot, after: Spot) -> int:
        """How often a straight step crosses to the right, less how often to the left.

        Right as seen by somebody who walks along the line on the picture, first point to last.

        >>> Line([(0.5, 1.0), (0.5, 0.0)], name="door").crossings((0.2, 0.5), (0.8, 0.5))
        1
        """
        last = len(self._pieces) - 1
        return sum(
            _crossing(a, b, before, after, is_last=index == last)
            for index, (a, b) in enumerate(self._pieces)
        )


def _crossing(a: Spot, b: Spot, before: Spot, after: Spot, *, is_last: bool) -> int:
    """1 to the right over a to b, -1 to the left, 0 not at all; `b` belongs to the next piece."""
    if after < before:  # so that rounding is the same forth and back
        return -_crossing(a, b, after, before, is_last=is_last)
    was, is_now = _side(a, b, before), _side(a, b, after)
    if (was > 0) == (is_now > 0):
        return 0
    share = was / (was - is_now)
    at = (
        before[0] + share * (after[0] - before[0]),
        before[1] + share * (after[1] - before[1]),
    )
    along = (at[0] - a[0]) * (b[0] - a[0]) + (at[1] - a[1]) * (b[1] - a[1])
    length = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    if not (0 <= along < length or (is_last and along == length)):
        return 0
    return 1 if is_now > 0 else -1


def _side(a: Spot, b: Spot, spot: Spot) -> float:
    """Positive on the right of a to b, as the picture is seen (y grows downwards)."""
    return (b[0] - a[0]) * (spot[1] - a[1]) - (b[1] - a[1]) * (spot[0] - a[0])
