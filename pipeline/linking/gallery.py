"""Everybody seen within the horizon: how they looked, visit by visit, and where they were."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from models.types import Embeddings
from pipeline.linking.centre import Centre
from pipeline.linking.past import Past
from pipeline.types import TrackKey
from storage.types import GalleryRow, IdentityId, SightingId
from storage.vectors import FlatIndex
from streams.types import CameraId, Modality

Vector = npt.NDArray[np.float32]
Path = npt.NDArray[np.float64]
FULL_QUALITY = 0.5
"""Mean quality of crops from which a view counts in full. Chosen on the tuning half of
`benchmarks.link_days`: people 64 px high have a quality of 0.4 there and are told apart nearly as
well as those 200 px high."""
MOST_LOOKS = 64
"""Of one identity; the oldest give way. Somebody who stays all day is handed on in many parts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One person during one visit: where, when and looking how.

    Attributes:
        means: Per modality, the unit mean of the visit's vectors, (D,) float32; empty if no picture
            was worth comparing, and the visit only tells where the person was.
        sighting: The visit in the database; None if it is not there.
        track: The unbroken view that it is a part of, if it may have more parts.
        path: (M, 3) float64 rows of time in microseconds UTC and feet in metres; None if the camera
            has no ground.
        is_open: The view went on when this part was handed on, and no later part has come yet.
        is_confirmed: An operator said who it is: compared beyond the horizon.
        trust: How far its pictures can be trusted, in [0, 1].
    """

    camera: CameraId
    first_seen_us: int
    last_seen_us: int
    means: Mapping[Modality, Vector]
    sighting: SightingId | None = None
    track: TrackKey | None = None
    path: Path | None = None
    is_open: bool = False
    is_confirmed: bool = False
    trust: float = 1.0


def mean_look(embeddings: Embeddings) -> dict[Modality, Vector]:
    """Unit mean vector of each modality that occurs; empty for N = 0."""
    return means_by_light(embeddings.vectors, embeddings.modality)


def means_by_light(vectors: Vector, modalities: Sequence[Modality]) -> dict[Modality, Vector]:
    """Unit mean of the rows of each modality that occurs.

    Args:
        vectors: (N, D) float32.
        modalities: Of each row.
    """
    found: dict[Modality, Vector] = {}
    for modality in Modality:
        rows = [m is modality for m in modalities]
        if any(rows):
            found[modality] = unit(vectors[rows].mean(axis=0))
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


def trust_of(qualities: Sequence[float]) -> float:
    """How far pictures of these qualities can be trusted, in [0, 1]; 0 for none.

    >>> trust_of([0.5, 0.9]), trust_of([])
    (1.0, 0.0)
    """
    if not qualities:
        return 0.0
    return min(sum(qualities) / len(qualities) / FULL_QUALITY, 1.0)


class Gallery:
    """Identities with their looks, searchable by vector and by time. Owned by one thread.

    Bounded by the people seen since `forget_before`, each with at most `MOST_LOOKS` looks.

    Args:
        dimension: Length D of the vectors of the one network in use.

    Attributes:
        past: How people looked before that; for suggestions only.
        centre: What all these people have in common.
    """

    def __init__(self, dimension: int) -> None:
        self.past = Past()
        self.centre = Centre()
        self._indexes = {modality: FlatIndex(dimension) for modality in Modality}
        self._looks: dict[IdentityId, dict[int, Look]] = {}
        self._owners: dict[int, IdentityId] = {}
        self._of_sighting: dict[SightingId, int] = {}
        self._open: dict[TrackKey, int] = {}
        self._by_end: list[tuple[int, int]] = []
        self._next = 0

    def __len__(self) -> int:
        """Number of identities."""
        return len(self._looks)

    def __iter__(self) -> Iterator[IdentityId]:
        return iter(self._looks)

    @property
    def n_looks(self) -> int:
        """Looks of all identities."""
        return len(self._owners)

    def looks(self, identity: IdentityId) -> list[Look]:
        """In the order in which they were added; none for somebody unknown."""
        return list(self._looks.get(identity, {}).values())

    def add(self, identity: IdentityId, look: Look) -> None:
        """Remember that `identity` looked like this; an earlier part of its track has ended."""
        number = self._next
        self._next += 1
        if look.track is not None:
            self._close(look.track)
            if look.is_open:
                self._open[look.track] = number
        if look.sighting is not None:
            self._of_sighting[look.sighting] = number
        self._owners[number] = identity
        mine = self._looks.setdefault(identity, {})
        mine[number] = look
        insort(self._by_end, (look.last_seen_us, number))
        for modality, mean in look.means.items():
            self._indexes[modality].add(np.array([number], dtype=np.int64), mean[None])
        self.centre.add(identity, look.means)
        if len(mine) > MOST_LOOKS:
            self._remove([next(iter(mine))])

    def move(
        self, sighting: SightingId, identity: IdentityId | None, *, is_confirmed: bool = False
    ) -> bool:
        """Let a visit be somebody else's, or nobody's.

        Args:
            is_confirmed: An operator said so, and nobody took it back.

        Returns:
            Whether the visit is remembered; if not, add its look.
        """
        number = self._of_sighting.get(sighting)
        if number is None:
            self.past.forget_visit(sighting)
            return False
        look = self._looks[self._owners[number]][number]
        self._remove([number])
        if identity is not None:
            self.add(identity, replace(look, is_confirmed=is_confirmed))
        return True

    def drop(self, identity: IdentityId) -> None:
        """Forget a person altogether."""
        self._remove(list(self._looks.get(identity, {})))
        self.past.drop(identity)

    def near(self, means: Mapping[Modality, Vector], k: int) -> list[IdentityId]:
        """The `k` nearest identities of every pair of lights, all together, ascending."""
        found: set[IdentityId] = set()
        for index in self._indexes.values():
            for mean in means.values():
                found |= self._nearest(index, mean, k)
        return sorted(found)

    def seen_since(self, since_us: int) -> list[IdentityId]:
        """Identities with a view that ended then or later, or has not ended; ascending."""
        start = bisect_left(self._by_end, (since_us, -1))
        numbers = [number for _, number in self._by_end[start:]]
        return sorted({self._owners[number] for number in [*numbers, *self._open.values()]})

    def latest_first(self) -> list[IdentityId]:
        """All identities, the one seen last first."""
        numbers = [*self._open.values(), *(number for _, number in reversed(self._by_end))]
        return list(dict.fromkeys(self._owners[number] for number in numbers))

    def forget_before(self, oldest_us: int, *, past_us: int | None = None) -> None:
        """Drop looks that ended before `oldest_us`, and identities left with none.

        Args:
            past_us: Looks that ended then or later stay known to `past`, and confirmed ones stay
                altogether; None: no look does.
        """
        old: list[int] = []
        for last_seen_us, number in self._by_end:
            if last_seen_us >= oldest_us:
                break
            identity = self._owners[number]
            look = self._looks[identity][number]
            if past_us is None or last_seen_us < past_us:
                old.append(number)
            elif not look.is_confirmed:
                self.past.add(identity, look.means, last_seen_us, look.sighting)
                old.append(number)
        self._remove(old)
        if past_us is not None:
            self.past.forget_before(past_us)

    def _close(self, track: TrackKey) -> None:
        number = self._open.pop(track, None)
        if number is not None:
            mine = self._looks[self._owners[number]]
            mine[number] = replace(mine[number], is_open=False)

    def _remove(self, numbers: list[int]) -> None:
        gone: dict[Modality, list[int]] = {modality: [] for modality in Modality}
        for number in numbers:
            identity = self._owners.pop(number)
            look = self._looks[identity].pop(number)
            if not self._looks[identity]:
                del self._looks[identity]
            if look.sighting is not None:
                self._of_sighting.pop(look.sighting, None)
            if look.track is not None and self._open.get(look.track) == number:
                del self._open[look.track]
            del self._by_end[bisect_left(self._by_end, (look.last_seen_us, number))]
            for modality in look.means:
                gone[modality].append(number)
            self.centre.remove(identity, look.means)
        for modality, rows in gone.items():
            if rows:
                self._indexes[modality].remove(np.array(rows, dtype=np.int64))

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


def fill(gallery: Gallery, rows: Iterable[GalleryRow]) -> None:
    """Rebuild `gallery` from the database: exemplars of one sighting become one look.

    Args:
        rows: Ordered by sighting.
    """
    for identity, look in looks_of(rows):
        gallery.add(identity, look)


def looks_of(rows: Iterable[GalleryRow]) -> Iterator[tuple[IdentityId, Look]]:
    """One look, and whose it is, for the exemplars of each sighting; rows ordered by sighting."""
    for sighting, group in groupby(rows, key=lambda row: row.sighting):
        exemplars = list(group)
        first = exemplars[0]
        vectors = np.array([exemplar.vector for exemplar in exemplars])
        means = means_by_light(vectors, [exemplar.modality for exemplar in exemplars])
        yield (
            first.identity,
            Look(
                camera=first.camera,
                first_seen_us=first.first_seen_us,
                last_seen_us=first.last_seen_us,
                means=means,
                sighting=sighting,
                is_confirmed=first.is_confirmed,
                trust=trust_of([exemplar.quality for exemplar in exemplars]),
            ),
        )
