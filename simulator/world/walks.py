"""Who walks where and when: smooth ways over the ground, walked at one's own pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

Point = tuple[float, float]

_STEP_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One passage of one person through one place.

    Attributes:
        starts_at_s: Since the footage began, when the person is at the first waypoint.
        waypoints: At least two points on the ground (metres).
        pace_mps: None is the pace that is natural to the body.
        phase: Of the cycle of walking at the first waypoint, in [0, 1): with it every camera of a
            place sees the same pose at the same moment.
        outfit: 0, or 1 for somebody who has changed clothes.
    """

    identity: int
    starts_at_s: float
    waypoints: tuple[Point, ...]
    pace_mps: float | None = None
    phase: float = 0.0
    outfit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """Where on its way somebody is.

    Attributes:
        walked_m: Since the first waypoint.
        heading_rad: Direction of walking, 0 is +x.
    """

    xy_m: Point
    heading_rad: float
    walked_m: float


class Way:
    """A curve through waypoints, measured along its length."""

    def __init__(self, waypoints: Sequence[Point]) -> None:
        corners = np.array(waypoints, float)
        if corners.ndim != 2 or len(corners) < 2:
            raise ValueError(f"waypoints: expected at least 2 points, got {len(corners)}")
        chords = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        knots = np.concatenate([[0], np.cumsum(chords)])
        fine = np.linspace(0, knots[-1], max(int(knots[-1] / _STEP_M), 2) + 1)
        self._points: npt.NDArray[np.float64] = PchipInterpolator(knots, corners)(fine)
        steps = np.linalg.norm(np.diff(self._points, axis=0), axis=1)
        self._walked = np.concatenate([[0], np.cumsum(steps)])

    @property
    def length_m(self) -> float:
        """From the first waypoint to the last."""
        return float(self._walked[-1])

    def at(self, walked_m: float) -> Stance | None:
        """The stance after `walked_m`, or None before the first and after the last waypoint."""
        if not 0 <= walked_m <= self.length_m:
            return None
        x, y = self._position(walked_m)
        before = self._position(max(walked_m - 0.25, 0))
        after = self._position(min(walked_m + 0.25, self.length_m))
        heading = float(np.arctan2(after[1] - before[1], after[0] - before[0]))
        return Stance(xy_m=(x, y), heading_rad=heading, walked_m=walked_m)

    def positions(self, walked_m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(N, 2) points after each of (N,) lengths; the ends beyond the ends."""
        columns = [np.interp(walked_m, self._walked, self._points[:, k]) for k in (0, 1)]
        return np.stack(columns, axis=1)

    def _position(self, walked_m: float) -> Point:
        x = float(np.interp(walked_m, self._walked, self._points[:, 0]))
        y = float(np.interp(walked_m, self._walked, self._points[:, 1]))
        return x, y
