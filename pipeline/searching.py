"""Who in the database looks like the person in these pictures?

A small database is read whole. In a large one an index proposes the people who look most alike,
and only their visits are read. Either way the same rule weighs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pipeline.linking.centre import Centre
from pipeline.linking.config import LinkingConfig
from pipeline.linking.evidence import Calibrated, OnSite
from pipeline.linking.gallery import Gallery, Vector, fill, looks_of
from pipeline.linking.linker import Candidate, rank
from storage.config import StorageConfig
from storage.database import Database
from storage.gallery import (
    ALL,
    Part,
    count_exemplars,
    count_people,
    exemplars_of,
    gallery,
    owners,
)
from storage.refinement import newest_visit_us
from storage.types import IdentityId
from storage.vectors import VectorSearch
from storage.vectors.opening import open_exemplars
from streams.types import Modality

READ_WHOLE = 20_000
"""Exemplars that are read in less time than an index takes to be opened and asked."""
_HOUR_US = 3_600_000_000
NEIGHBOURS_PER_PERSON = 4
MOST_NEIGHBOURS = 4096
"""Asked for at most; where fewer of them than wanted are of the part that is meant, that part is
compared one by one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The people who look alike.

    Attributes:
        candidates: Most probable first.
        n_people: How many could have been meant.
    """

    candidates: Sequence[Candidate]
    n_people: int

    @property
    def nobody(self) -> float:
        """Probability that it is none of them."""
        return 1 - sum(candidate.probability for candidate in self.candidates)


class _Proposed(Gallery):
    """The most alike of a larger gallery; as long as that, for the prior of each is a share."""

    def __init__(self, dimension: int, n_people: int) -> None:
        super().__init__(dimension)
        self._n_people = n_people

    def __len__(self) -> int:
        return max(self._n_people, super().__len__())


def search(
    means: Mapping[Modality, Vector],
    *,
    database: Database,
    storage: StorageConfig,
    model: str,
    calibration: Calibrated,
    config: LinkingConfig,
    part: Part = ALL,
    centre: Centre | None = None,
    read_whole: int = READ_WHOLE,
) -> Found:
    """People described by `model` who may be the one in question.

    Args:
        means: Per modality, a unit vector (D,) of the person in question; at least one.
        part: Where, when and in what light they must have been seen.
        centre: What people of the site have in common, where it was asked for before.
        read_whole: Exemplars up to which the whole database is read.

    Raises:
        IndexUnavailable: There is no library that searches vectors.
    """
    dimension = len(next(iter(means.values())))
    if count_exemplars(database) <= read_whole:
        known = Gallery(dimension)
        fill(known, gallery(database, model=model, part=part))
    else:
        n_people = count_people(database, model=model, part=part)
        known = _Proposed(dimension, n_people)
        alike = _alike(means, database, storage, model, part=part, k=config.candidates)
        fill(known, gallery(database, model=model, part=part, identities=alike))
    here = OnSite(calibration, centre or centre_of_site(database, model=model, config=config))
    candidates = rank(means, gallery=known, calibration=here, config=config)
    return Found(candidates=candidates, n_people=len(known))


def centre_of_site(database: Database, *, model: str, config: LinkingConfig) -> Centre:
    """What the people have in common who were seen within the horizon before the newest visit.

    Of very many, those seen first.
    """
    centre = Centre()
    newest_us = newest_visit_us(database)
    if newest_us is None:
        return centre
    rows = gallery(database, model=model, since_us=newest_us - int(config.horizon_h * _HOUR_US))
    for identity, look in looks_of(islice(rows, READ_WHOLE)):
        centre.add(identity, look.means)
    return centre


def _alike(
    means: Mapping[Modality, Vector],
    database: Database,
    storage: StorageConfig,
    model: str,
    *,
    part: Part,
    k: int,
) -> set[IdentityId]:
    """The `k` nearest people of every pair of lights, all together."""
    found: set[IdentityId] = set()
    dimension = len(next(iter(means.values())))
    for light in Modality if part.modality is None else (part.modality,):
        opened = open_exemplars(
            database, storage.index_folder, model=model, modality=light, dimension=dimension
        )
        lit = replace(part, modality=light)
        with opened as index:
            for mean in means.values():
                found |= nearest_people(mean, index, database, part=lit, k=k)
    return found


def nearest_people(
    vector: Vector, index: VectorSearch, database: Database, *, part: Part, k: int
) -> set[IdentityId]:
    """Owners of the nearest exemplars of `part`: `k` or a few more, fewer if there are no more.

    More and more neighbours are asked for, until enough are of the part that is meant: somebody
    seen very often must not crowd the others out. Where the part is so small that it does not show
    among `MOST_NEIGHBOURS`, its exemplars are compared one by one.

    Args:
        vector: (D,) float32, unit length.
    """
    people: set[IdentityId] = set()
    for n in _asked(k, len(index)):
        ids = index.search(vector[None], n).ids[0]
        people = set(owners(database, ids[ids >= 0].tolist(), part=part).values())
        if len(people) >= k or n >= len(index):
            return people
    if part == replace(ALL, modality=part.modality):
        return people
    among = exemplars_of(database, part=part)
    ids = index.search(vector[None], MOST_NEIGHBOURS, among=among).ids[0]
    return set(owners(database, ids[ids >= 0].tolist(), part=part).values())


def _asked(k: int, n_kept: int) -> Iterator[int]:
    """How many neighbours to ask for, one after the other.

    >>> list(_asked(20, 1_000_000))
    [80, 320, 1280, 4096]
    >>> list(_asked(20, 100)), list(_asked(20, 0))
    ([80, 100], [])
    """
    most = min(MOST_NEIGHBOURS, n_kept)
    n = NEIGHBOURS_PER_PERSON * k
    while n < most:
        yield n
        n *= 4
    if n_kept:
        yield most
