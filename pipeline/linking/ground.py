"""Where people stand: from their boxes in the picture to metres on the floor plan."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_POINTS = 4
"""A homography has eight degrees of freedom, a point gives two."""


def to_ground(homography: npt.ArrayLike, boxes: npt.NDArray[np.float32]) -> Floats:
    """(N, 2) float64 metres on the floor plan, where the feet of (N, 4) boxes stand.

    The feet are the middle of the lower edge. Points on or beyond the horizon, of which no spot of
    the ground is the picture, are nan.

    Args:
        homography: (3, 3), from pixels to metres; the third coordinate is positive in front of the
            camera, as `fit` has it.
        boxes: (N, 4) float32 xyxy in pixels; N may be 0.

    >>> to_ground(np.eye(3), np.array([[1, 0, 3, 4]], np.float32)).tolist()
    [[2.0, 4.0]]
    """
    feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3], np.ones(len(boxes))])
    return project(homography, feet[:, :2])


def project(homography: npt.ArrayLike, points: npt.ArrayLike) -> Floats:
    """(N, 2) float64 metres of (N, 2) pixels; nan where the third coordinate is not positive."""
    pixels = np.asarray(points, np.float64).reshape(-1, 2)
    x, y, depth = (
        np.asarray(homography, np.float64) @ np.column_stack([pixels, np.ones(len(pixels))]).T
    )
    in_front = np.where(depth > 0, depth, np.nan)
    return np.column_stack([x / in_front, y / in_front])


def fit(pixels: Floats, metres: Floats) -> Floats | None:
    """(3, 3) float64 homography that maps pixels to metres best, None if there is none.

    Least squares over all points, none is thrown out. The third coordinate is positive at the
    points, since whoever measured them saw them in front of the camera; the last row has length 1.

    Args:
        pixels, metres: (N, 2) float64 each, N >= 4, not all on one line.
    """
    middle = metres.mean(axis=0)  # OpenCV takes float32, too coarse for a country's grid
    found, _ = cv2.findHomography(pixels, metres - middle, 0)
    if found is None or not np.isfinite(found).all() or not _is_invertible(found):
        return None
    found[:2] += np.outer(middle, found[2])
    depths = np.column_stack([pixels, np.ones(len(pixels))]) @ found[2]
    if not ((depths > 0).all() or (depths < 0).all()):
        return None  # some points would lie behind the camera
    scaled = found * (np.sign(depths[0]) / np.linalg.norm(found[2]))
    return np.asarray(scaled, np.float64)


def errors_m(homography: npt.ArrayLike, pixels: Floats, metres: Floats) -> Floats:
    """(N,) float64 distances on the ground between where pixels fall and where they should."""
    return np.asarray(np.linalg.norm(project(homography, pixels) - metres, axis=1))


def _is_invertible(homography: Floats) -> bool:
    lengths = np.linalg.norm(homography, axis=0)
    return bool((lengths > 0).all() and np.linalg.cond(homography / lengths) < 1e9)
