"""HOTA over a sequence of frames, with its two halves: detection and association.

Luiten et al., "HOTA: a higher order metric for evaluating multi-object tracking" (2021), as its
authors' program computes it: HOTA = sqrt(DetA * AssA) for each localisation threshold 0.05, 0.10,
... 0.95, then the mean over thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.sequence import Step

THRESHOLDS = np.arange(0.05, 0.99, 0.05)
_TINY = float(np.finfo(np.float64).eps)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hota:
    """Means over the thresholds, in [0, 1]."""

    hota: float
    deta: float
    assa: float


def score_hota(steps: Sequence[Step]) -> Hota | None:
    """HOTA of all frames as one sequence; None where truth has nobody and nothing is claimed."""
    people = np.unique(np.concatenate([s.people for s in steps] or [np.empty(0, np.int64)]))
    names = np.unique(np.concatenate([s.identities for s in steps] or [np.empty(0, np.int64)]))
    n_true, n_claimed = (
        sum(len(s.people) for s in steps),
        sum(len(s.identities) for s in steps),
    )
    if not n_true + n_claimed:
        return None
    rows = [np.searchsorted(people, s.people) for s in steps]
    columns = [np.searchsorted(names, s.identities) for s in steps]
    of_people = _counts(rows, len(people))[:, None]
    of_names = _counts(columns, len(names))[None]
    alignment = _alignment(steps, rows, columns, of_people, of_names)
    matches = _matches(steps, rows, columns, alignment)  # (thresholds, P, I)
    right = matches.sum(axis=(1, 2))
    jaccard = matches / np.maximum(of_people + of_names - matches, 1)
    assa = (matches * jaccard).sum(axis=(1, 2)) / np.maximum(right, 1)
    deta = right / np.maximum(n_true + n_claimed - right, 1)
    return Hota(
        hota=float(np.sqrt(deta * assa).mean()), deta=float(deta.mean()), assa=float(assa.mean())
    )


def _counts(found: Sequence[npt.NDArray[np.intp]], n: int) -> Floats:
    counts = np.zeros(n)
    for each in found:
        np.add.at(counts, each, 1)
    return counts


def _alignment(
    steps: Sequence[Step],
    rows: Sequence[npt.NDArray[np.intp]],
    columns: Sequence[npt.NDArray[np.intp]],
    of_people: Floats,
    of_names: Floats,
) -> Floats:
    """(P, I) how well person and identity fit over the whole sequence: a soft Jaccard index."""
    potential = np.zeros((len(of_people), of_names.shape[1]))
    for step, people, names in zip(steps, rows, columns, strict=True):
        s = step.similarity
        rest = s.sum(axis=0, keepdims=True) + s.sum(axis=1, keepdims=True) - s
        share = np.divide(s, rest, out=np.zeros_like(s), where=rest > _TINY)
        np.add.at(potential, (people[:, None], names[None]), share)
    return np.asarray(potential / np.maximum(of_people + of_names - potential, _TINY))


def _matches(
    steps: Sequence[Step],
    rows: Sequence[npt.NDArray[np.intp]],
    columns: Sequence[npt.NDArray[np.intp]],
    alignment: Floats,
) -> Floats:
    """(thresholds, P, I) frames in which person and identity are matched, one to one per frame."""
    from scipy.optimize import linear_sum_assignment  # takes half a second: for those who measure

    matches = np.zeros((len(THRESHOLDS), *alignment.shape))
    for step, people, names in zip(steps, rows, columns, strict=True):
        if not step.similarity.size:
            continue
        p, c = linear_sum_assignment(alignment[np.ix_(people, names)] * step.similarity, True)
        found = step.similarity[p, c] >= THRESHOLDS[:, None] - _TINY  # (thresholds, pairs)
        at, pair = np.nonzero(found)
        np.add.at(matches, (at, people[p[pair]], names[c[pair]]), 1)
    return matches
