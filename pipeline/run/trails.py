"""Where somebody went during a visit, in few rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.linking.gallery import Path
from pipeline.linking.ground import to_ground
from pipeline.types import Tracklet

_STEP_US = 500_000


def trail(tracklet: Tracklet) -> npt.NDArray[np.float64]:
    """(M, 5) time and box about twice a second, first and last included."""
    keep = _sampled(tracklet)
    return np.column_stack([tracklet.times_us[keep], tracklet.boxes[keep]]).astype(np.float64)


def path_on(tracklet: Tracklet, homography: npt.ArrayLike) -> Path | None:
    """(M, 3) when and where the person stood on the ground; None if nobody can say.

    Args:
        homography: (3, 3), from pixels to metres.
    """
    rows = _sampled(tracklet)
    feet = to_ground(homography, tracklet.boxes[rows])
    found = np.column_stack([tracklet.times_us[rows].astype(np.float64), feet])
    found = found[np.isfinite(found).all(axis=1)]
    return found if len(found) else None


def _sampled(tracklet: Tracklet) -> npt.NDArray[np.intp]:
    """(M,) rows about half a second apart, first and last included."""
    step = (tracklet.times_us - tracklet.times_us[0]) // _STEP_US
    keep = np.append(np.flatnonzero(np.diff(step, prepend=-1)), len(step) - 1)
    return np.unique(keep)
