"""How much the pooled looks of any two clusters speak for one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
import numpy.typing as npt

from pipeline.linking.evidence import (
    LIGHTS_CORRELATION,
    MOST_LOG_RATIO,
    Calibrated,
    around_centre,
    corrected,
)
from pipeline.linking.gallery import trust_of
from pipeline.linking.refine.views import View
from streams.types import Modality

Matrix = npt.NDArray[np.float64]

_LIGHTS = tuple(Modality)
_GRID = np.linspace(-1, 1, 2001)
"""Curves are looked up: a straight line with limits loses nothing by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """What N views or clusters look like, ready to be compared.

    Attributes:
        vectors: (N, 2, D) float32 by light, unit means; 0 where nobody looked in this light.
        amounts: (N, 2) views behind each mean; 0 where nobody looked in this light.
    """

    vectors: npt.NDArray[np.float32]
    amounts: Matrix

    def __len__(self) -> int:
        return len(self.amounts)

    def __getitem__(self, rows: npt.NDArray[np.intp] | Sequence[int]) -> Self:
        return type(self)(self.vectors[rows], self.amounts[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Pooled looks of N views or clusters; adding two pools them.

    Attributes:
        vectors: (N, 2, D) by light, the sum of unit means, each times the views it counts for.
        amounts: (N, 2) views that each sum counts for; 0 where nobody looked in this light.
    """

    vectors: npt.NDArray[np.float64]
    amounts: Matrix

    def __len__(self) -> int:
        return len(self.amounts)

    def __getitem__(self, rows: npt.NDArray[np.intp] | Sequence[int]) -> Self:
        return type(self)(self.vectors[rows], self.amounts[rows])

    def pooled(self) -> Self:
        """All rows as one."""
        return type(self)(
            self.vectors.sum(axis=0, keepdims=True), self.amounts.sum(axis=0, keepdims=True)
        )

    def grouped(self, members: Sequence[Sequence[int]]) -> Self:
        """One row for each group of rows."""
        return type(self)(
            np.stack([self.vectors[list(rows)].sum(axis=0) for rows in members]),
            np.stack([self.amounts[list(rows)].sum(axis=0) for rows in members]),
        )

    def means(self) -> Means:
        """Looks that cancel out stay at zero, similar to nobody."""
        lengths = np.maximum(np.linalg.norm(self.vectors, axis=-1, keepdims=True), 1e-9)
        return Means((self.vectors / lengths).astype(np.float32), self.amounts.copy())


def sums_of(views: Sequence[View], calibration: Calibrated) -> Sums:
    """Each view alone, around the centre."""
    dimension = len(next(iter(views[0].means.values())))
    vectors = np.zeros((len(views), len(_LIGHTS), dimension))
    amounts = np.zeros((len(views), len(_LIGHTS)))
    for i, view in enumerate(views):
        amount = trust_of([view.quality])
        for light, mean in view.means.items():
            amounts[i, _LIGHTS.index(light)] = amount
            vectors[i, _LIGHTS.index(light)] = amount * around_centre(mean, light, calibration)
    return Sums(vectors, amounts)


class Reading:
    """A calibration, ready to read many similarities at once."""

    def __init__(self, calibration: Calibrated) -> None:
        self._tables = {
            (a, b): np.log([calibration.likelihood_ratio(float(s), x, y) for s in _GRID])
            for (a, x), (b, y) in product(enumerate(_LIGHTS), repeat=2)
        }

    def log_ratios(self, a: Means, b: Means) -> Matrix:
        """(M, N) log p(looks | one person) / p(looks | two) of M and N clusters.

        All pairs of lights speak, discounted as correlated; 0 where there is none.
        """
        total = np.zeros((len(a), len(b)))
        count = np.zeros((len(a), len(b)))
        for (x, y), table in self._tables.items():
            known = (a.amounts[:, x, None] > 0) & (b.amounts[None, :, y] > 0)
            if not known.any():
                continue
            single, counts = corrected(
                a.vectors[:, x] @ b.vectors[:, y].T, a.amounts[:, x, None], b.amounts[None, :, y]
            )
            total += np.where(known, counts * np.interp(single, _GRID, table), 0)
            count += known
        together = total / (1 + np.maximum(count - 1, 0) * LIGHTS_CORRELATION)
        return np.asarray(np.clip(together, -MOST_LOG_RATIO, MOST_LOG_RATIO), np.float64)
