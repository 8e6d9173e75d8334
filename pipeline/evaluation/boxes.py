"""Boxes that move, and how far they overlap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def overlaps(a: Floats, b: Floats) -> Floats:
    """(A, B) intersection over union of (A, 4) and (B, 4) boxes, xyxy; A or B may be 0."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)  # (A, B)
    area_a, area_b = (np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), axis=1) for x in (a, b))
    return np.asarray(shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9))


def boxes_at(trail: Floats, times_us: npt.NDArray[np.int64]) -> Floats:
    """(T, 4) boxes of a trail at given times, in a straight line between its samples.

    Args:
        trail: (M, 5) captured_at_us, x0, y0, x1, y1, ascending, M >= 1.
        times_us: (T,) within the trail; outside, the first or last box stays.
    """
    return np.column_stack([np.interp(times_us, trail[:, 0], trail[:, i]) for i in range(1, 5)])
