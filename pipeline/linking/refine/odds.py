"""How probable it is that some views belong together, against all that they could be instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from pipeline.linking.refine.cluster import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """How a block of groups fares among the clusters.

    Attributes:
        here: That it is one with those it is compared with, [0, 1].
        alone: That it is nobody else.
        rival: The best other cluster, None if there is none.
        rival_probability: Of that one.
        n_views: Compared with.
        log_ratio: Of looks and transit together; -inf at 0 views.
        transit: The transit's share of it.
    """

    here: float
    alone: float
    rival: int | None
    rival_probability: float
    n_views: int
    log_ratio: float
    transit: float


class Table:
    """Evidence between groups and clusters.

    Args:
        label: (G,) cluster of each group, 0, 1, ...

    Attributes:
        groups: Of each cluster, ascending.
    """

    def __init__(self, scene: Scene, label: npt.NDArray[np.intp]) -> None:
        n = int(label.max()) + 1 if len(label) else 0
        self.scene = scene
        self.label = label
        self.groups = [[int(g) for g in np.flatnonzero(label == c)] for c in range(n)]
        self._means = scene.sums.grouped(self.groups).means()
        self._ruled_out = np.stack(
            [scene.forbidden[:, own].any(axis=1) for own in self.groups], axis=1
        )
        self._size = np.array([scene.size[own].sum() for own in self.groups], np.int64)

    def odds(self, block: Sequence[int], core: Sequence[int]) -> Odds:
        """Of `block` being one with `core`, with another cluster, or with nobody.

        Another cluster may be the same person as `core`, seen otherwise: by as much as it may be,
        what speaks for it speaks for `core`.

        Args:
            block: Groups of one cluster, N >= 1.
            core: Others of the same cluster; may be none.
        """
        scene = self.scene
        n = int(scene.size[list(block)].sum())
        others, logs = self._elsewhere(block)
        looks, transit, n_core = -math.inf, 0.0, int(scene.size[list(core)].sum())
        if core:
            looks = self.log_ratio(block, core)
            transit = scene.transit(block, core)
        here = math.exp(looks + transit + float(scene.prior(n, n_core))) if core else 0.0
        odds = np.exp(logs + scene.prior(n, self._size[others]))
        if core:
            shared = odds * self._same_person(core, others)
            odds, here = odds - shared, here + float(shared.sum())
        total = 1 + here + float(odds.sum())
        best = int(np.argmax(odds)) if len(others) else None
        return Odds(
            here=here / total,
            alone=1 / total,
            rival=None if best is None else int(others[best]),
            rival_probability=0.0 if best is None else float(odds[best]) / total,
            n_views=n_core,
            log_ratio=looks + transit,
            transit=transit,
        )

    def log_ratio(self, a: Sequence[int], b: Sequence[int]) -> float:
        """What looks say for groups `a` and `b` being one person."""
        one, other = (self.scene.sums[list(rows)].pooled().means() for rows in (a, b))
        return float(self.scene.reading.log_ratios(one, other)[0, 0])

    def _same_person(
        self, core: Sequence[int], others: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float64]:
        """That each of other clusters shows the person of `core`, [0, 1]."""
        scene = self.scene
        pooled = scene.sums[list(core)].pooled().means()
        logs = scene.reading.log_ratios(pooled, self._means)[0, others]
        logs += scene.prior(int(scene.size[list(core)].sum()), self._size[others])
        ruled_out = self._ruled_out[list(core)][:, others].any(axis=0)
        return np.asarray(np.where(ruled_out, 0.0, expit(logs)), np.float64)

    def may_be_in(self, block: Sequence[int], other: int) -> float:
        """That `block`, which was said to be of another cluster, is of it, [0, 1].

        At even odds before looking: it was not said without reason. What it is in its own cluster
        does not count: both may be one person, in two pieces.
        """
        if self._ruled_out[list(block), other].any():
            return 0.0
        others, logs = self._elsewhere(block)
        return 1 / (1 + math.exp(-float(logs[int(np.flatnonzero(others == other)[0])])))

    def _elsewhere(
        self, block: Sequence[int]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """Other clusters that are not ruled out, and the log-likelihood ratio of each."""
        own = int(self.label[block[0]])
        open_to = ~np.asarray(self._ruled_out[list(block)].any(axis=0), np.bool_)
        others = np.flatnonzero(open_to & (np.arange(len(open_to)) != own))
        pooled = self.scene.sums[list(block)].pooled().means()
        logs = self.scene.reading.log_ratios(pooled, self._means)[0, others]
        if self.scene.transits is not None:
            for i in np.flatnonzero(logs > 0):
                logs[i] += self.scene.transit(block, self.groups[int(others[i])])
        return others, logs
