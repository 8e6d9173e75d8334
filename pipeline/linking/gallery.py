"""Everybody seen within the horizon: one mean vector per sighting and modality."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from models.types import Embeddings
from storage.types import GalleryRow, IdentityId
from storage.vectors import FlatIndex
from streams.types import CameraId, Modality

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """How one person looked during one visit.

    Attributes:
        means: Per modality, the unit mean of the visit's vectors, (D,) float32.
    """

    camera: CameraId
    first_seen_us: int
    last_seen_us: int
    means: Mapping[Modality, Vector]


def mean_look(embeddings: Embeddings) -> dict[Modality, Vector]:
    """Unit mean vector of each modality that occurs; empty for N = 0."""
    found: dict[Modality, Vector] = {}
    for modality in Modality:
        rows = [m is modality for m in embeddings.modality]
        if any(rows):
            found[modality] = unit(embeddings.vectors[rows].mean(axis=0))
    return found


def unit(vector: Vector) -> Vector:
    """`vector` scaled to length 1.

    Raises:
        ValueError: It is zero or not finite (opposite vectors cancelled out).
    """
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm < 1e-6:
        raise ValueError("the mean of these vectors has no direction")
    return np.asarray(vector / norm, dtype=np.float32)


class Gallery:
    """Identities with their looks, searchable by vector. Owned by one thread.

    Args:
        dimension: Length D of the vectors of the one network in use.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._indexes = {modality: FlatIndex(dimension) for modality in Modality}
        self._looks: dict[IdentityId, list[Look]] = defaultdict(list)
        self._owners: dict[int, IdentityId] = {}
        self._numbers: dict[Look, list[tuple[Modality, int]]] = {}
        self._next = 0

    def __len__(self) -> int:
        """Number of identities."""
        return len(self._looks)

    def __iter__(self) -> Iterator[IdentityId]:
        return iter(self._looks)

    def looks(self, identity: IdentityId) -> list[Look]:
        return self._looks[identity]

    def add(self, identity: IdentityId, look: Look) -> None:
        """Remember that `identity` looked like this."""
        self._looks[identity].append(look)
        rows = []
        for modality, mean in look.means.items():
            self._indexes[modality].add(np.array([self._next], dtype=np.int64), mean[None])
            self._owners[self._next] = identity
            rows.append((modality, self._next))
            self._next += 1
        self._numbers[look] = rows

    def near(self, means: Mapping[Modality, Vector], k: int) -> list[IdentityId]:
        """The `k` nearest identities of every pair of lights, all together, ascending."""
        found: set[IdentityId] = set()
        for index in self._indexes.values():
            for mean in means.values():
                found |= self._nearest(index, mean, k)
        return sorted(found)

    def _nearest(self, index: FlatIndex, mean: Vector, k: int) -> set[IdentityId]:
        """Owners of the nearest looks; somebody seen very often must not crowd the others out."""
        n = min(k, len(index))
        owners: set[IdentityId] = set()
        while n:
            neighbours = index.search(mean[None], n)
            owners = {self._owners[int(i)] for i in neighbours.ids[0] if i >= 0}
            if len(owners) >= k or n == len(index):
                break
            n = min(2 * n, len(index))
        return owners

    def forget_before(self, oldest_us: int) -> None:
        """Drop looks that ended before `oldest_us`, and identities left with none."""
        for identity in list(self._looks):
            old = [look for look in self._looks[identity] if look.last_seen_us < oldest_us]
            for look in old:
                self._looks[identity].remove(look)
                for modality, number in self._numbers.pop(look):
                    self._indexes[modality].remove(np.array([number], dtype=np.int64))
                    del self._owners[number]
            if not self._looks[identity]:
                del self._looks[identity]


def fill(gallery: Gallery, rows: Iterable[GalleryRow]) -> None:
    """Rebuild `gallery` from the database: exemplars of one sighting become one look.

    Args:
        rows: Ordered by sighting.
    """
    for _, group in groupby(rows, key=lambda row: row.sighting):
        exemplars = list(group)
        first = exemplars[0]
        means = {
            modality: unit(np.mean([e.vector for e in exemplars if e.modality is modality], axis=0))
            for modality in Modality
            if any(e.modality is modality for e in exemplars)
        }
        look = Look(
            camera=first.camera,
            first_seen_us=first.first_seen_us,
            last_seen_us=first.last_seen_us,
            means=means,
        )
        gallery.add(first.identity, look)
