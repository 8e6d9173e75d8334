"""The sure part of a cluster: views that are one person along every seam.

A cluster is what is more probable than not, all together. A claim must hold better than that: the
cluster is taken apart where its two most different halves are not surely one person, and views
that the others do not surely recognise are left out. Who was said to be whom plays no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.linking.refine.odds import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """Groups that were joined, and the two halves of the last join; none for a single group."""

    groups: tuple[int, ...]
    halves: tuple[_Branch, _Branch] | None = None


def sure_sets(table: Table, *, at_least: float) -> list[list[int]]:
    """Groups by person, every group in one set; sets of one claim nothing.

    Args:
        at_least: Probability of every seam, and of every group among the others of its set.
    """
    found: list[list[int]] = []
    for groups in table.groups:
        waiting = [_tree(table, groups)]
        while waiting:
            branch = waiting.pop()
            if branch.halves is None:
                found.append(list(branch.groups))
            elif _is_one(table, *branch.halves, at_least=at_least):
                found += _without_doubtful(table, branch.groups, at_least=at_least)
            else:
                waiting += branch.halves
    return sorted(found)


def _tree(table: Table, groups: Sequence[int]) -> _Branch:
    """Joined to the end, the surest join first; ties go to the earlier groups."""
    scene = table.scene
    sums = scene.sums[list(groups)]
    branches = [_Branch(groups=(group,)) for group in groups]
    gains = scene.reading.log_ratios(sums.means(), sums.means())
    np.fill_diagonal(gains, -np.inf)
    for _ in range(len(groups) - 1):
        a, b = sorted(int(i) for i in np.unravel_index(int(np.argmax(gains)), gains.shape))
        sums.vectors[a] += sums.vectors[b]
        sums.amounts[a] += sums.amounts[b]
        alive = np.isfinite(gains[a])
        alive[b] = False
        gains[b] = gains[:, b] = -np.inf
        row = scene.reading.log_ratios(sums[[a]].means(), sums.means())[0]
        gains[a] = gains[:, a] = np.where(alive, row, -np.inf)
        branches[a] = _Branch(
            groups=tuple(sorted(branches[a].groups + branches[b].groups)),
            halves=(branches[a], branches[b]),
        )
    return branches[0]


def _is_one(table: Table, a: _Branch, b: _Branch, *, at_least: float) -> bool:
    return all(
        table.odds(one.groups, other.groups).here >= at_least for one, other in ((a, b), (b, a))
    )


def _without_doubtful(table: Table, groups: Sequence[int], *, at_least: float) -> list[list[int]]:
    """The groups that recognise one another as one set, each doubtful one as its own."""
    kept, single = list(groups), []
    while len(kept) > 1:
        odds = [table.odds([g], [o for o in kept if o != g]).here for g in kept]
        worst = int(np.argmin(odds))
        if odds[worst] >= at_least:
            break
        single.append([kept.pop(worst)])
    return [kept, *single]
