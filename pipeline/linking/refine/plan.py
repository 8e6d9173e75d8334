"""From sure sets to changed identities: which decisions no longer hold.

The identity that most confident views of a set carry is its name; one person has one set. Views of
the set that carry another name, or none, take it. A view that carries the name of another set,
whose cluster it surely is not of, loses it. The plan is repeated on its own outcome until nothing
changes, so that planning once more changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from pipeline.linking.refine.cluster import Scene
from pipeline.linking.refine.odds import Odds, Table
from pipeline.linking.refine.sure import sure_sets
from storage.types import IdentityId

_ROUNDS = 8
_PIN = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A group that shows somebody else than was said.

    Attributes:
        target: Who; negative: a person made by this plan; None: nobody can tell.
        nearest: Group of the target that looks most alike.
        rival: Identity of the best other cluster.
    """

    target: int | None
    odds: Odds
    nearest: int | None
    rival: int | None


@dataclass(slots=True)
class Standing:
    """Who each group is, while it is being planned.

    Attributes:
        identity: (G,) by group; negative: made by this plan.
        confidence: (G,) summed over the views of a group.
        pinned: (G,) an operator said so.
        fixed: (G,) some of it is never changed.
        moves: By group, the last one.
    """

    identity: list[int | None]
    confidence: list[float]
    pinned: list[bool]
    fixed: list[bool]
    moves: dict[int, Move] = field(default_factory=dict)
    n_made: int = 0

    def holders(self, identity: int) -> list[int]:
        """Groups that show this person."""
        return [group for group, who in enumerate(self.identity) if who == identity]

    def stays(self, group: int) -> bool:
        """Whether it is not ours to change."""
        return self.pinned[group] or self.fixed[group]


def standing_of(scene: Scene) -> Standing:
    """As it stands before anything is reconsidered."""
    identity: list[int | None] = []
    for rows in scene.members:
        votes: defaultdict[IdentityId, float] = defaultdict(float)
        for view in (scene.views[i] for i in rows):
            if view.identity is not None:
                votes[view.identity] += view.confidence + _PIN * view.is_pinned
        identity.append(max(votes, key=lambda who: (votes[who], -who)) if votes else None)
    return Standing(
        identity=identity,
        confidence=[sum(scene.views[i].confidence for i in rows) for rows in scene.members],
        pinned=[any(scene.views[i].is_pinned for i in rows) for rows in scene.members],
        fixed=[any(scene.views[i].is_fixed for i in rows) for rows in scene.members],
    )


def plan(scene: Scene, label: npt.NDArray[np.intp], *, link_at: float) -> Standing:
    """Who everybody is after second thoughts.

    Args:
        label: (G,) cluster of each group.
        link_at: Probability that a change must reach.
    """
    table = Table(scene, label)
    sets = sure_sets(table, at_least=link_at)
    standing = standing_of(scene)
    for _ in range(_ROUNDS):
        before = list(standing.identity)
        names = _names(sets, standing)
        clusters: dict[int, int] = {
            name: int(label[groups[0]])
            for name, groups in zip(names, sets, strict=True)
            if name is not None
        }
        for number, groups in enumerate(sets):
            leaves = partial(_surely_leaves, table, standing, clusters, at_most=1 - link_at)
            if len(groups) > 1:
                _gather(table, standing, groups, number, names, clusters, leaves)
            for group in groups:
                if standing.identity[group] != names[number] and leaves(group):
                    _release(table, standing, group, clusters)
        if standing.identity == before:
            break
    return standing


def _names(sets: Sequence[Sequence[int]], standing: Standing) -> list[int | None]:
    """The identity of each set: each has at most one, and each identity at most one set."""
    votes: defaultdict[tuple[int, int], float] = defaultdict(float)
    first: dict[tuple[int, int], int] = {}
    for number, groups in enumerate(sets):
        for group in groups:
            who = standing.identity[group]
            if who is not None:
                votes[number, who] += standing.confidence[group] + _PIN * standing.stays(group)
                first.setdefault((number, who), group)
    names: list[int | None] = [None] * len(sets)
    taken: set[int] = set()
    for number, who in sorted(votes, key=lambda key: (-votes[key], first[key])):
        if names[number] is None and who not in taken:
            names[number] = who
            taken.add(who)
    return names


def _gather(
    table: Table,
    standing: Standing,
    groups: Sequence[int],
    number: int,
    names: list[int | None],
    clusters: dict[int, int],
    leaves: Callable[[int], bool],
) -> None:
    """Views of a sure set take its name; a set without one makes a person.

    A view that carries the name of another set must surely not belong there.
    """
    name = names[number]
    free = [
        group
        for group in groups
        if _may_take(table, standing, group, groups, name)
        and (standing.identity[group] not in clusters or leaves(group))
    ]
    if name is None:
        if len(free) < 2:
            return
        standing.n_made += 1
        name = names[number] = -standing.n_made
        clusters[name] = int(table.label[groups[0]])
    for group in free:
        standing.identity[group] = name
    for group in free:
        odds = table.odds([group], [other for other in groups if other != group])
        _note(table, standing, group, odds, clusters)


def _may_take(
    table: Table, standing: Standing, group: int, groups: Sequence[int], name: int | None
) -> bool:
    """Whether a group of a sure set may be given the set's name."""
    who = standing.identity[group]
    if standing.stays(group) or (name is not None and who == name):
        return False
    if who is not None and any(standing.fixed[g] and standing.identity[g] == who for g in groups):
        return False  # its past, which cannot follow, is one of the set too
    holders = [] if name is None else standing.holders(name)
    return not table.scene.forbidden[group, holders].any()


def _surely_leaves(
    table: Table, standing: Standing, clusters: dict[int, int], group: int, *, at_most: float
) -> bool:
    """Whether a group carries the name of a set in another cluster, and surely is not of it.

    Pieces of one cluster that are not surely one person are not surely two either.
    """
    who = standing.identity[group]
    home = None if who is None else clusters.get(who)
    if home is None or home == int(table.label[group]) or standing.stays(group):
        return False
    return table.may_be_in([group], home) <= at_most


def _release(table: Table, standing: Standing, group: int, clusters: dict[int, int]) -> None:
    """A group loses the name of another cluster."""
    standing.identity[group] = None
    own = table.groups[int(table.label[group])]
    odds = table.odds([group], [other for other in own if other != group])
    _note(table, standing, group, odds, clusters)


def _note(
    table: Table, standing: Standing, group: int, odds: Odds, clusters: dict[int, int]
) -> None:
    target = standing.identity[group]
    fellows = [] if target is None else [g for g in standing.holders(target) if g != group]
    likeness = [table.log_ratio([group], [fellow]) for fellow in fellows]
    standing.moves[group] = Move(
        target=target,
        odds=odds,
        nearest=fellows[int(np.argmax(likeness))] if fellows else None,
        rival=next((name for name, home in clusters.items() if home == odds.rival), None),
    )
