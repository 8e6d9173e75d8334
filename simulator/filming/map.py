"""A place from above: what stands there, what each camera sees, and where people walked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from simulator.filming.take import Take
from simulator.optics.illumination import Picture
from simulator.world.places import CameraKind, FloorPlan, Place
from simulator.world.sight import grid, overlapping, sees
from simulator.world.walks import Point, Way
from streams.pictures import write_picture

_SCALE = 30
_MARGIN_PX = 12
_HEADER_PX = 62
_FINE_M = 0.1
_FLOOR = (246, 245, 242)
_INK = (40, 40, 44)
_LOW, _HIGH = (196, 190, 178), (120, 118, 116)
_HIDES_M = 1.6
_WALKED = (60, 60, 66)
_FIELDS = ((66, 133, 200), (214, 120, 50), (70, 150, 90), (150, 90, 170), (170, 150, 40))
_SHADE = 0.34
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_maps(takes: Sequence[Take], out: Path) -> list[Path]:
    """Write `floor-plan-PLACE.png` for every place that is filmed."""
    paths = []
    for place in {take.place.name: take.place for take in takes}.values():
        path = out / f"floor-plan-{place.name}.png"
        taken = [take for take in takes if take.place.name == place.name]
        write_picture(path, draw_map(place, taken))
        paths.append(path)
    return paths


def draw_map(place: Place, takes: Sequence[Take]) -> Picture:
    """(H, W, 3) uint8: north is up, a square of the grid is 5 m."""
    canvas = _Canvas(place.floor_plan)
    filming = {take.camera.name for take in takes}
    cameras = [
        camera
        for camera in place.cameras
        if camera.name in filming and camera.kind is not CameraKind.THERMAL
    ]
    canvas.draw_grid()
    for camera, colour in zip(cameras, _FIELDS, strict=False):
        points = grid(place.floor_plan.x, place.floor_plan.y, _FINE_M)
        seen = sees(camera.view, points.reshape(-1, 3), place.floor_plan.things)
        canvas.shade(seen.reshape(points.shape[:2]), colour)
    for thing in sorted(place.floor_plan.things, key=lambda thing: thing.top_m):
        if thing.bottom_m < _HIDES_M:
            canvas.fill(thing.footprint, _HIGH if thing.top_m > _HIDES_M else _LOW)
    for walk in {walk.waypoints: walk for take in takes for walk in take.walks}.values():
        way = Way(walk.waypoints)
        canvas.line(way.positions(np.arange(0, way.length_m, 0.2)))
    for name, door in place.doors.items():
        canvas.name(name, door)
    for camera, colour in zip(cameras, _FIELDS, strict=False):
        canvas.camera(camera.view.eye[:2], camera.view.target[:2], colour)
    pairs = [f"{a} & {b}" for a, b in overlapping(place) if {a, b} <= {c.name for c in cameras}]
    canvas.caption(
        place.name,
        [(camera.name, colour) for camera, colour in zip(cameras, _FIELDS, strict=False)],
        f"share ground: {', '.join(pairs)}" if pairs else "no two share ground",
    )
    return canvas.picture


class _Canvas:
    """A picture in metres."""

    def __init__(self, plan: FloorPlan) -> None:
        self._plan = plan
        width = round((plan.x[1] - plan.x[0]) * _SCALE) + 2 * _MARGIN_PX
        height = round((plan.y[1] - plan.y[0]) * _SCALE) + 2 * _MARGIN_PX + _HEADER_PX
        self.picture = np.full((height, width, 3), _FLOOR, np.uint8)

    def draw_grid(self) -> None:
        """A line every five metres."""
        (west, east), (south, north) = self._plan.x, self._plan.y
        for x in np.arange(np.ceil(west / 5) * 5, east + 0.01, 5):
            self._stroke([(x, south), (x, north)], (226, 224, 219), 1)
        for y in np.arange(np.ceil(south / 5) * 5, north + 0.01, 5):
            self._stroke([(west, y), (east, y)], (226, 224, 219), 1)

    def shade(self, mask: np.typing.NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
        """Tint the squares of `grid` that are set."""
        (west, east), (south, north) = self._plan.x, self._plan.y
        left, top = self._px((west, north))
        right, bottom = self._px((east, south))
        size = (right - left, bottom - top)
        wide = cv2.resize(mask[::-1].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        part = self.picture[top:bottom, left:right]
        part[wide] = (part[wide] * (1 - _SHADE) + np.array(colour) * _SHADE).astype(np.uint8)

    def fill(self, corners: Sequence[Point], colour: tuple[int, int, int]) -> None:
        """A thing's outline."""
        outline = np.array([self._px(corner) for corner in corners], np.int32)
        cv2.fillPoly(self.picture, [outline], colour, cv2.LINE_AA)
        cv2.polylines(self.picture, [outline], True, _INK, 1, cv2.LINE_AA)

    def line(self, points: np.typing.NDArray[np.float64]) -> None:
        """A walked way, (N, 2)."""
        self._stroke([(float(x), float(y)) for x, y in points], _WALKED, 1)

    def name(self, text: str, point: Point) -> None:
        """A door and its name, inside the picture."""
        (west, east), (south, north) = self._plan.x, self._plan.y
        inside = (float(np.clip(point[0], west, east)), float(np.clip(point[1], south, north)))
        x, y = self._px(inside)
        cv2.circle(self.picture, (x, y), 4, _INK, -1, cv2.LINE_AA)
        (wide, high), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
        height, width = self.picture.shape[:2]
        left = int(np.clip(x + 8, 2, width - wide - 4))
        base = int(np.clip(y + high // 2, _HEADER_PX + high, height - 6))
        corner = (left - 3, base - high - 4)
        cv2.rectangle(self.picture, corner, (left + wide + 3, base + 4), _FLOOR, -1)
        cv2.putText(self.picture, text, (left, base), _FONT, 0.45, _INK, 1, cv2.LINE_AA)

    def camera(self, eye: Point, target: Point, colour: tuple[int, int, int]) -> None:
        """Where a camera stands and which way it looks."""
        ahead = np.array(target, float) - np.array(eye, float)
        ahead /= np.linalg.norm(ahead)
        side = np.array([-ahead[1], ahead[0]])
        corners = [
            np.array(eye) + 0.9 * ahead,
            np.array(eye) - 0.3 * ahead + 0.5 * side,
            np.array(eye) - 0.3 * ahead - 0.5 * side,
        ]
        outline = np.array([self._px((float(x), float(y))) for x, y in corners], np.int32)
        cv2.fillPoly(self.picture, [outline], colour, cv2.LINE_AA)
        cv2.polylines(self.picture, [outline], True, _INK, 1, cv2.LINE_AA)

    def caption(
        self, title: str, legend: Sequence[tuple[str, tuple[int, int, int]]], note: str
    ) -> None:
        """The place's name, its cameras by colour, and a sentence."""
        cv2.rectangle(self.picture, (0, 0), (self.picture.shape[1], _HEADER_PX - 4), _FLOOR, -1)
        cv2.putText(self.picture, title, (12, 24), _FONT, 0.7, _INK, 2, cv2.LINE_AA)
        x = 24 + cv2.getTextSize(title, _FONT, 0.7, 2)[0][0]
        for name, colour in legend:
            cv2.rectangle(self.picture, (x, 12), (x + 12, 24), colour, -1)
            cv2.putText(self.picture, name, (x + 17, 23), _FONT, 0.45, _INK, 1, cv2.LINE_AA)
            x += 32 + cv2.getTextSize(name, _FONT, 0.45, 1)[0][0]
        words = f"{note}; squares of 5 m, north is up; dark things hide a standing person"
        cv2.putText(self.picture, words, (12, 48), _FONT, 0.42, _INK, 1, cv2.LINE_AA)

    def _px(self, point: Point) -> tuple[int, int]:
        x = (point[0] - self._plan.x[0]) * _SCALE + _MARGIN_PX
        y = (self._plan.y[1] - point[1]) * _SCALE + _MARGIN_PX + _HEADER_PX
        return round(x), round(y)

    def _stroke(self, points: Sequence[Point], colour: tuple[int, int, int], wide: int) -> None:
        line = np.array([self._px(point) for point in points], np.int32)
        cv2.polylines(self.picture, [line], False, colour, wide, cv2.LINE_AA)
