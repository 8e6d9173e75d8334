"""What an installer would measure at a simulated site: where pictures show the ground, transits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from simulator.filming.scenario import Transit
from simulator.filming.take import Take
from simulator.optics.cameras import View
from simulator.world.places import Place
from simulator.world.sight import CHEST_M, intrinsics, sees, world_to_camera
from simulator.world.walks import Way

_STEP_M = 0.25
_DIGITS = 9
_MOST = 1.645
"""Standard deviations on either side within which nine of ten lie."""


def ground_of(view: View) -> list[list[float]]:
    """(3, 3) from pixels to metres on the floor plan, third coordinate positive ahead.

    The inverse of `intrinsics @ [r1 r2 t]`, the projection of points of height 0.
    """
    projection = intrinsics(view) @ world_to_camera(view)
    homography = np.linalg.inv(projection[:, [0, 1, 3]])
    homography /= np.linalg.norm(homography[2])
    return [[float(f"{number:.{_DIGITS}g}") for number in row] for row in homography.round(12)]


def stated_transits(takes: Sequence[Take], transit: Sequence[Transit]) -> list[dict[str, object]]:
    """For every two videos on either side of a way between places, the time out of both's sight.

    Nine of ten people need that long, walking as fast as somebody in these videos does; who waits
    for a free way needs longer. For `linking.transits`.
    """
    found: list[dict[str, object]] = []
    for way in transit:
        middle = way.median_s * np.exp(np.array([-_MOST, _MOST]) * way.spread)
        for a, from_a in _last_views(takes, *way.ends[0]):
            for b, from_b in _last_views(takes, *way.ends[1]):
                if a.period == b.period:
                    paces = [walk.pace_mps or 1.0 for take in (a, b) for walk in take.walks]
                    unseen_s = (from_a + from_b) / np.array([max(paces), min(paces)])
                    least_s, most_s = middle + unseen_s
                    found.append(
                        {
                            "from": a.video,
                            "to": b.video,
                            "least_s": math.floor(least_s),
                            "most_s": math.ceil(most_s),
                        }
                    )
    return found


def _last_views(
    takes: Sequence[Take], place: str, door: str
) -> Iterator[tuple[Take, np.typing.NDArray[np.float64]]]:
    """Videos that see people last before a door, and first after it, while they walk.

    With each, (2,) the least and the most metres between the door and the camera's view, over the
    ways that this camera is nearest to the door on.
    """
    for period in {take.period.hour: None for take in takes}:
        here = [take for take in takes if (take.place.name, take.period.hour) == (place, period)]
        nearest: dict[str, list[float]] = {}
        for points in _ways_from(here[0].place, door) if here else ():
            unseen = {take.video: _unseen_m(take, points) for take in here if take.walks}
            video = min(unseen, key=lambda name: unseen[name], default=None)
            if video is not None and math.isfinite(unseen[video]):
                nearest.setdefault(video, []).append(unseen[video])
        for take in here:
            if take.video in nearest:
                lengths_m = nearest[take.video]
                yield take, np.array([min(lengths_m), max(lengths_m)])


def _ways_from(place: Place, door: str) -> Iterator[np.typing.NDArray[np.float64]]:
    """(N, 2) points of every way of the place that begins or ends at the door, from there on."""
    for route in place.ways:
        points = place.waypoints(route)
        for end, inwards in ((route.start, points), (route.end, points[::-1])):
            if end == door:
                way = Way(inwards)
                yield way.positions(np.arange(0, way.length_m, _STEP_M))


def _unseen_m(take: Take, points: np.typing.NDArray[np.float64]) -> float:
    """How far along the (N, 2) points the camera sees a chest first; inf if it never does."""
    chests = np.column_stack([points, np.full(len(points), CHEST_M)])
    seen = sees(take.camera.view, chests, take.place.floor_plan.things)
    return float(np.flatnonzero(seen)[0] * _STEP_M) if seen.any() else math.inf
