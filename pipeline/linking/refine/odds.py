"""How probable it is that some views belong together, against all that they could be instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.linking.refine.cluster import Scene
from pipeline.linking.refine.evidence import together


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
        self._sums = np.stack([scene.log_ratio[:, own].sum(axis=1) for own in self.groups], axis=1)
        self._ruled_out = np.stack(
            [scene.forbidden[:, own].any(axis=1) for own in self.groups], axis=1
        )
        self._size = np.array([scene.size[own].sum() for own in self.groups], np.int64)

    def odds(self, block: Sequence[int], core: Sequence[int]) -> Odds:
        """Of `block` being one with `core`, with another cluster, or with nobody.

        Args:
            block: Groups of one cluster, N >= 1.
            core: Others of the same cluster; may be none.
        """
        scene = self.scene
        n = int(scene.size[list(block)].sum())
        others, logs = self._elsewhere(block, n)
        looks, transit, n_core = -math.inf, 0.0, int(scene.size[list(core)].sum())
        if core:
            total = scene.log_ratio[np.ix_(np.array(block), np.array(core))].sum()
            looks = float(together(total, n * n_core))
            transit = scene.transit(block, core)
        share = scene.returning / max(len(others) + bool(core), 1)
        here = share * math.exp(looks + transit)
        odds = share * np.exp(logs)
        total_odds = 1 - scene.returning + here + float(odds.sum())
        best = int(np.argmax(odds)) if len(others) else None
        return Odds(
            here=here / total_odds,
            alone=(1 - scene.returning) / total_odds,
            rival=None if best is None else int(others[best]),
            rival_probability=0.0 if best is None else float(odds[best]) / total_odds,
            n_views=n_core,
            log_ratio=looks + transit,
            transit=transit,
        )

    def _elsewhere(
        self, block: Sequence[int], n: int
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """Other clusters that are not ruled out, and the log-likelihood ratio of each."""
        own = int(self.label[block[0]])
        open_to = ~np.asarray(self._ruled_out[list(block)].any(axis=0), np.bool_)
        others = np.flatnonzero(open_to & (np.arange(len(open_to)) != own))
        sums = self._sums[np.ix_(np.array(block), others)].sum(axis=0)
        logs = together(sums, n * self._size[others])
        if self.scene.transits is not None:
            for i in np.flatnonzero(logs > 0):
                logs[i] += self.scene.transit(block, self.groups[int(others[i])])
        return others, logs

    def may_be_in(self, block: Sequence[int], other: int) -> float:
        """That `block`, which was said to be of another cluster, is of it, [0, 1].

        At even odds before looking: it was not said without reason. What it is in its own cluster
        does not count: both may be one person, in two pieces.
        """
        if self._ruled_out[list(block), other].any():
            return 0.0
        n = int(self.scene.size[list(block)].sum())
        others, logs = self._elsewhere(block, n)
        return 1 / (1 + math.exp(-float(logs[int(np.flatnonzero(others == other)[0])])))
