"""People who were seen too long ago to be linked by their clothes: only to be named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from storage.types import IdentityId, SightingId
from streams.types import Modality


@dataclass(slots=True)
class _Former:
    """Sums of the looks of one person."""

    last_seen_us: int = 0
    sums: dict[Modality, npt.NDArray[np.float64]] = field(default_factory=dict)
    sightings: set[SightingId] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FormerSelf:
    """How somebody looked in days gone by.

    Attributes:
        means: Per modality, the unit mean of all looks, (D,) float32.
    """

    identity: IdentityId
    last_seen_us: int
    means: Mapping[Modality, npt.NDArray[np.float32]]


class Past:
    """One mean look per person and modality, whatever the number of visits."""

    def __init__(self) -> None:
        self._people: dict[IdentityId, _Former] = {}
        self._matrices: dict[Modality, tuple[list[IdentityId], npt.NDArray[np.float32]]] = {}

    def __len__(self) -> int:
        """Number of people."""
        return len(self._people)

    def nearest(
        self, means: Mapping[Modality, npt.NDArray[np.float32]], k: int
    ) -> list[FormerSelf]:
        """The `k` people most similar in each pair of lights, by identity."""
        found: set[IdentityId] = set()
        for modality in Modality:
            people, matrix = self._matrix(modality)
            for mean in means.values() if people else ():
                order = np.argsort(-(matrix @ mean), kind="stable")[:k]
                found |= {people[row] for row in order.tolist()}
        return [self._former_self(identity) for identity in sorted(found)]

    def _former_self(self, identity: IdentityId) -> FormerSelf:
        former = self._people[identity]
        means = {modality: _unit(total) for modality, total in former.sums.items()}
        return FormerSelf(identity=identity, last_seen_us=former.last_seen_us, means=means)

    def _matrix(self, modality: Modality) -> tuple[list[IdentityId], npt.NDArray[np.float32]]:
        """Who was seen in this light, and (N, D) their means; made anew when somebody changed."""
        if modality not in self._matrices:
            people = [i for i, former in sorted(self._people.items()) if modality in former.sums]
            rows = [_unit(self._people[identity].sums[modality]) for identity in people]
            matrix = np.stack(rows) if rows else np.empty((0, 0), np.float32)
            self._matrices[modality] = (people, matrix)
        return self._matrices[modality]

    def add(
        self,
        identity: IdentityId,
        means: Mapping[Modality, npt.NDArray[np.float32]],
        last_seen_us: int,
        sighting: SightingId | None,
    ) -> None:
        """One more look of a person; without vectors there is nothing to know again."""
        if not means:
            return
        self._matrices.clear()
        former = self._people.setdefault(identity, _Former())
        former.last_seen_us = max(former.last_seen_us, last_seen_us)
        for modality, mean in means.items():
            former.sums[modality] = former.sums.get(modality, np.zeros(len(mean))) + mean
        if sighting is not None:
            former.sightings.add(sighting)

    def forget_visit(self, sighting: SightingId) -> None:
        """The visit was taken from its person, whose mean look is therefore wrong: forget it."""
        for identity, former in list(self._people.items()):
            if sighting in former.sightings:
                self.drop(identity)

    def drop(self, identity: IdentityId) -> None:
        """Forget a person."""
        if self._people.pop(identity, None) is not None:
            self._matrices.clear()

    def forget_before(self, oldest_us: int) -> None:
        """Forget people who were last seen before."""
        old = [i for i, former in self._people.items() if former.last_seen_us < oldest_us]
        for identity in old:
            self.drop(identity)


def _unit(total: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """At length 1; looks that cancel out stay at zero, similar to nobody."""
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-6), np.float32)
