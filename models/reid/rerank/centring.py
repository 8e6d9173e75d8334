"""Takes out of vectors what a camera adds to all of them.

Neighbourhoods within a gallery otherwise gather cameras rather than people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.reid.rerank.neighbours import Vectors, unit_rows

LEAST_PICTURES = 8
"""A mean of fewer says more about those who happened to pass than about the camera."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraMeans:
    """The mean unit vector of each camera that was seen often enough.

    Attributes:
        vectors: By camera, (D,) float32.
    """

    vectors: Mapping[int, npt.NDArray[np.float32]]


def camera_means(vectors: Vectors, camera: npt.NDArray[np.int64]) -> CameraMeans:
    """Means of cameras with at least `LEAST_PICTURES` pictures.

    Args:
        vectors: (N, D) float32.
        camera: (N,) which camera took each; one that sees in two lights counts as two.
    """
    rows = unit_rows(vectors)
    known, counts = np.unique(camera, return_counts=True)
    return CameraMeans(
        vectors={
            int(each): np.asarray(rows[camera == each].mean(axis=0), np.float32)
            for each, n in zip(known, counts, strict=True)
            if n >= LEAST_PICTURES
        }
    )


def centre(vectors: Vectors, camera: npt.NDArray[np.int64], means: CameraMeans) -> Vectors:
    """Unit rows less the mean of their camera, again of unit length.

    Rows of a camera without a mean stay as they are, and so does a row that is its camera's mean.
    """
    rows = unit_rows(vectors)
    for each, mean in means.vectors.items():
        of_camera = np.flatnonzero(camera == each)
        moved = rows[of_camera] - mean
        norms = np.linalg.norm(moved, axis=1)
        moves = norms > 1e-6
        rows[of_camera[moves]] = moved[moves] / norms[moves, None]
    return rows
