"""Parties that walk together, and whether a place has room for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.figures.company import Character
from simulator.world.places import Place
from simulator.world.things import Thing
from simulator.world.walks import Point, Walk, Way

Floats = npt.NDArray[np.float64]

_STRIDE_M = 1.74
"""Way per cycle of an adult with a stride of 1."""
_HURRIED_MPS = 1.7
_STEP_S = 0.1
_ELBOW_ROOM_M = 0.55
_FROM_THINGS_M = 0.3
_NEAR_DOOR_M = 2.2
_HEAD_M = 2.0
_KEEPS_RIGHT_M = 0.22
_FORMATION: Mapping[int, tuple[tuple[float, float], ...]] = {
    1: ((_KEEPS_RIGHT_M, 0.0),),
    2: ((-0.34, 0.0), (0.34, 0.1)),
    3: ((-0.36, 0.0), (0.36, 0.15), (0.0, 0.95)),
}
"""By size of the party, for each member: metres to the right of the way, metres behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """People who walk together.

    Attributes:
        outfits: Of each member.
        pace_mps: That of the slowest.
    """

    identities: tuple[int, ...]
    outfits: tuple[int, ...]
    pace_mps: float

    @staticmethod
    def of(
        people: Mapping[int, Character], *, outfits: Mapping[int, int], rng: np.random.Generator
    ) -> Party:
        """One to three people."""
        paces = [natural_pace_mps(character) for character in people.values()]
        return Party(
            identities=tuple(people),
            outfits=tuple(outfits[identity] for identity in people),
            pace_mps=min(paces) * float(rng.uniform(0.94, 1.04)),
        )

    def walks(
        self, waypoints: Sequence[Point], starts_s: float, rng: np.random.Generator
    ) -> tuple[Walk, ...]:
        """Everybody's walk along `waypoints`, begun at about `starts_s`."""
        formation = _FORMATION[len(self.identities)]
        return tuple(
            Walk(
                identity=identity,
                starts_at_s=starts_s + behind_m / self.pace_mps,
                waypoints=beside(waypoints, right_m + float(rng.normal(0, 0.04))),
                pace_mps=self.pace_mps,
                phase=float(rng.random()),
                outfit=outfit,
            )
            for identity, outfit, (right_m, behind_m) in zip(
                self.identities, self.outfits, formation, strict=True
            )
        )


class Crowd:
    """Everybody who walks in one place in one period."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._walks: list[Walk] = []
        self._tracks: list[tuple[int, Floats]] = []
        self._things = [t for t in place.floor_plan.things if t.bottom_m < _HEAD_M]

    @property
    def walks(self) -> tuple[Walk, ...]:
        """Added so far, by their beginning."""
        return tuple(sorted(self._walks, key=lambda walk: (walk.starts_at_s, walk.identity)))

    def has_room(self, walks: Sequence[Walk]) -> bool:
        """Whether these walks lead through nobody and nothing.

        Those who come out of the same door at the same time count, those of one party do not.
        """
        for walk in walks:
            first, points = _track(walk)
            if any(
                _nearest_m(first, points, other_first, other) < _ELBOW_ROOM_M
                for other_first, other in self._tracks
            ):
                return False
            from_doors = np.minimum(
                np.linalg.norm(points - points[0], axis=1),
                np.linalg.norm(points - points[-1], axis=1),
            )
            outside = points[from_doors > _NEAR_DOOR_M]
            if any(clearance_m(outside, thing) < _FROM_THINGS_M for thing in self._things):
                return False
        return True

    def add(self, walks: Sequence[Walk]) -> float:
        """Let them walk; the time (seconds) when the last of them is through."""
        tracks = [_track(walk) for walk in walks]
        self._walks += walks
        self._tracks += tracks
        return max((first + len(points)) * _STEP_S for first, points in tracks)


def natural_pace_mps(character: Character) -> float:
    """About the pace at which somebody's feet do not slide, without building the body."""
    gait = character.looks.gait
    return min(_STRIDE_M * gait.stride / gait.cycle_s, _HURRIED_MPS)


def beside(waypoints: Sequence[Point], right_m: float) -> tuple[Point, ...]:
    """The same way, `right_m` further to the right of those who walk it.

    >>> beside([(0.0, 0.0), (0.0, 5.0)], 0.5)
    ((0.5, 0.0), (0.5, 5.0))
    """
    points = np.array(waypoints, float)
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    moved = points + right_m * np.c_[along[:, 1], -along[:, 0]]
    return tuple((float(x), float(y)) for x, y in moved)


def clearance_m(points: Floats, thing: Thing) -> float:
    """Least distance of (N, 2) points from a thing's outline; negative inside, inf at N = 0."""
    if len(points) == 0:
        return np.inf
    corners = np.array(thing.footprint)
    side = np.roll(corners, -1, axis=0) - corners
    to_point = points[:, None] - corners
    share = np.clip((to_point * side).sum(-1) / (side * side).sum(-1), 0, 1)
    distance = np.linalg.norm(to_point - share[..., None] * side, axis=-1).min(axis=1)
    left = side[:, 0] * to_point[..., 1] - side[:, 1] * to_point[..., 0]
    is_inside = (left > 0).all(axis=1) | (left < 0).all(axis=1)
    return float(np.where(is_inside, -distance, distance).min())


def _track(walk: Walk) -> tuple[int, Floats]:
    """First step in time (of _STEP_S) and (N, 2) where the walker is at each."""
    way = Way(walk.waypoints)
    pace_mps = walk.pace_mps or 1.0
    first = int(np.ceil(walk.starts_at_s / _STEP_S))
    times_s = np.arange(first, (walk.starts_at_s + way.length_m / pace_mps) / _STEP_S) * _STEP_S
    return first, way.positions((times_s - walk.starts_at_s) * pace_mps)


def _nearest_m(first: int, points: Floats, other_first: int, other: Floats) -> float:
    """How near two walkers come to each other; inf if they never walk at the same time."""
    start = max(first, other_first)
    end = min(first + len(points), other_first + len(other))
    if end <= start:
        return np.inf
    gap = points[start - first : end - first] - other[start - other_first : end - other_first]
    return float(np.linalg.norm(gap, axis=1).min())
