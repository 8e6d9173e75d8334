"""What a camera can see of a floor plan, and its calibration as others write it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from simulator.optics.cameras import View
from simulator.world.places import Place
from simulator.world.things import Thing
from streams.types import CameraId

Floats = npt.NDArray[np.float64]

CHEST_M = 1.0
REACH_M = 18.0
"""Farther away a person is some 50 px high at 640x360: too small to be told from others."""
_STEP_M = 0.4


def intrinsics(view: View) -> Floats:
    """(3, 3) float64, pixels: focal lengths and the principal point; there is no distortion."""
    width, height = view.size_px
    focal = width / 2 / np.tan(np.radians(view.field_deg) / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def world_to_camera(view: View) -> Floats:
    """(3, 4) float64, metres: x right, y down, z ahead, as OpenCV has it.

    A world point X falls on the pixel (u / w, v / w), (u, v, w) = intrinsics @ [R | t] @ (X, 1);
    whole numbers are the corners of pixels.
    """
    ahead = view.direction
    right = np.cross(ahead, [0.0, 0, 1])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(ahead, right), ahead])
    shift = -rotation @ np.array(view.eye, float)
    return np.concatenate([rotation, shift[:, None]], axis=1)


def sees(view: View, points: Floats, things: Sequence[Thing]) -> npt.NDArray[np.bool_]:
    """(N,) whether each of (N, 3) world points is in the picture, near, and not hidden."""
    pixels = view.project(points)
    width, height = view.size_px
    eye = np.array(view.eye, float)
    with np.errstate(invalid="ignore"):
        seen = (pixels >= 0).all(axis=1) & (pixels[:, 0] <= width) & (pixels[:, 1] <= height)
    seen &= np.linalg.norm(points - eye, axis=1) <= REACH_M
    for thing in things:
        if not seen.any():
            break
        seen[seen] &= ~_hides(thing, eye, points[seen])
    return np.asarray(seen)


def grid(x: tuple[float, float], y: tuple[float, float], step_m: float) -> Floats:
    """(rows, columns, 3) points at the height of a chest, south to north and west to east."""
    xs = np.arange(x[0] + step_m / 2, x[1], step_m)
    ys = np.arange(y[0] + step_m / 2, y[1], step_m)
    across, up = np.meshgrid(xs, ys)
    return np.stack([across, up, np.full_like(across, CHEST_M)], axis=-1)


def overlapping(place: Place) -> tuple[tuple[CameraId, CameraId], ...]:
    """Pairs of cameras that see a person on the same spot, as (earlier, later) by their order."""
    plan = place.floor_plan
    points = grid(plan.x, plan.y, _STEP_M).reshape(-1, 3)
    seen = {camera.name: sees(camera.view, points, plan.things) for camera in place.cameras}
    return tuple((a, b) for a, b in combinations(seen, 2) if (seen[a] & seen[b]).any())


def _hides(thing: Thing, eye: Floats, points: Floats) -> npt.NDArray[np.bool_]:
    """(N,) whether a side of `thing` stands between the eye and each of (N, 3) points."""
    corners = np.array(thing.footprint)
    start, side = corners, np.roll(corners, -1, axis=0) - corners
    sight = points[:, None, :2] - eye[:2]
    across = sight[..., 0] * side[:, 1] - sight[..., 1] * side[:, 0]
    to_start = start - eye[:2]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = (to_start[:, 0] * side[:, 1] - to_start[:, 1] * side[:, 0]) / across
        on_side = (to_start[:, 0] * sight[..., 1] - to_start[:, 1] * sight[..., 0]) / across
        height = eye[2] + along * (points[:, None, 2] - eye[2])
        crosses = (along > 0) & (along < 1) & (on_side >= 0) & (on_side <= 1)
        return np.asarray(
            (crosses & (height > thing.bottom_m) & (height < thing.top_m)).any(axis=1)
        )
