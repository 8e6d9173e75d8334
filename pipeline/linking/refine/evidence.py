"""How much the looks of any two views speak for one person: log-likelihood ratios of all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from pipeline.linking.evidence import FULL_QUALITY, LIGHTS_CORRELATION, Calibrated
from pipeline.linking.refine.views import View
from streams.types import Modality

Matrix = npt.NDArray[np.float32]

VIEWS_CORRELATION = 0.6
"""Of the evidence of different pairs of views about the same two people. Of .4, .5 and .6 the
lowest with which every pair claimed on the tuning half of `benchmarks.link_days` is right."""
_GRID = np.linspace(-1, 1, 2001)
"""Curves are looked up: a straight line with limits loses nothing by it."""


def log_ratios(views: Sequence[View], calibration: Calibrated) -> Matrix:
    """(N, N) symmetric: log p(looks | one person) / p(looks | two), 0 on the diagonal.

    As the linker weighs one pair: all pairs of lights speak, discounted as correlated, and poor
    pictures say less.
    """
    n = len(views)
    total = np.zeros((n, n), np.float32)
    count = np.zeros((n, n), np.uint8)
    for a, b in product(Modality, Modality):
        rows = np.array([i for i, view in enumerate(views) if a in view.means], np.intp)
        columns = np.array([i for i, view in enumerate(views) if b in view.means], np.intp)
        if not len(rows) or not len(columns):
            continue
        mine = np.array([views[i].means[a] for i in rows], np.float32)
        theirs = np.array([views[i].means[b] for i in columns], np.float32)
        table = np.log([calibration.likelihood_ratio(float(s), a, b) for s in _GRID])
        logs = np.interp(mine @ theirs.T, _GRID, table)
        total[np.ix_(rows, columns)] += logs
        count[np.ix_(rows, columns)] += 1
    repeated = np.maximum(count, 1).astype(np.float32) - 1
    total /= 1 + repeated * np.float32(LIGHTS_CORRELATION)
    trust = np.minimum([view.quality / FULL_QUALITY for view in views], 1).astype(np.float32)
    total *= np.minimum(trust[:, None], trust[None, :])
    total = np.asarray(
        (total + total.T) / 2, np.float32
    )  # sums in another order differ in the last digit
    np.fill_diagonal(total, 0)
    return total


def together(total: npt.ArrayLike, n_pairs: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Log-likelihood ratio of equally correlated scores: their sum / (1 + (k - 1) r)."""
    discount = 1 + (np.asarray(n_pairs, np.float64) - 1) * VIEWS_CORRELATION
    return np.asarray(total, np.float64) / np.maximum(discount, 1)
