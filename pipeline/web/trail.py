"""A person's trail on the floor plan: where each camera stands, and arrows with times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.web.lanes import Mark
from storage.desk.plans import CameraPlace

_MOST_STEPS = 60
_NODE_PX, _BEND = 13.0, 0.14


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A camera on the plan, px of the plan's picture.

    Attributes:
        looks_to: SVG points of the wedge that it looks into; empty where that is not known.
        numbers: Which steps of the trail were here, such as `1, 4`; empty: none.
        is_last: The trail ends here.
    """

    camera: str
    x: float
    y: float
    looks_to: str
    numbers: str
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one camera to the next; `path` is SVG."""

    path: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The drawing, px of the plan's picture.

    Attributes:
        unit: A length that is readable at the size of the picture, px.
        missing: Cameras of the trail that nobody placed on the plan.
    """

    width: int
    height: int
    unit: float
    spots: tuple[Spot, ...]
    steps: tuple[Step, ...]
    missing: tuple[str, ...]


def draw_trail(
    marks: Sequence[Mark],
    places: Sequence[CameraPlace],
    *,
    metres_per_pixel: float,
    size: tuple[int, int],
    times: Mapping[str, str],
) -> Trail:
    """The trail.

    Args:
        marks: Oldest first; the newest sixty are drawn.
        size: Of the plan's picture, px.
        times: When each visit began, in words, by its name.
    """
    unit = max(size) / 640
    at = {
        str(place.camera): (place.x_m / metres_per_pixel, place.y_m / metres_per_pixel)
        for place in places
        if place.x_m is not None and place.y_m is not None
    }
    sure = [mark for mark in marks if mark.is_sure][-_MOST_STEPS:]
    stops = _stops([mark for mark in sure if mark.camera in at])
    spots = tuple(
        Spot(
            camera=str(place.camera),
            x=at[place.camera][0],
            y=at[place.camera][1],
            looks_to=_wedge(at[place.camera], place.heading_deg, unit),
            numbers=", ".join(str(n) for n, m in enumerate(stops, 1) if m.camera == place.camera),
            is_last=bool(stops) and stops[-1].camera == place.camera,
        )
        for place in places
        if place.camera in at
    )
    steps = tuple(
        Step(
            path=_arrow(at[before.camera], at[after.camera], unit),
            words=f"{before.camera} to {after.camera}, {times[after.sighting]}",
        )
        for before, after in pairwise(stops)
    )
    missing = tuple(dict.fromkeys(mark.camera for mark in sure if mark.camera not in at))
    return Trail(
        width=size[0], height=size[1], unit=unit, spots=spots, steps=steps, missing=missing
    )


def _stops(marks: Sequence[Mark]) -> list[Mark]:
    """Where they were next: visits to the same camera in a row are one stop."""
    found: list[Mark] = []
    for mark in marks:
        if not found or found[-1].camera != mark.camera:
            found.append(mark)
    return found


def _wedge(at: tuple[float, float], heading_deg: float | None, unit: float) -> str:
    if heading_deg is None:
        return ""
    corners = [at]
    for turn in (-25, -12, 0, 12, 25):
        angle = math.radians(heading_deg + turn)
        reach = 54 * unit
        corners.append((at[0] + reach * math.sin(angle), at[1] - reach * math.cos(angle)))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _arrow(start: tuple[float, float], end: tuple[float, float], unit: float) -> str:
    """A bent line between the two spots' rims, so that there and back part."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    rim = min(_NODE_PX * unit, length / 3)
    x0, y0 = start[0] + ux * rim, start[1] + uy * rim
    x1, y1 = end[0] - ux * rim, end[1] - uy * rim
    cx = (x0 + x1) / 2 - uy * length * _BEND
    cy = (y0 + y1) / 2 + ux * length * _BEND
    return f"M{x0:.1f},{y0:.1f}Q{cx:.1f},{cy:.1f} {x1:.1f},{y1:.1f}"
