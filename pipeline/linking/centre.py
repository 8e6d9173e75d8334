"""What people have in common in one light: looks are compared around that.

A network draws vectors of people into a cone: two strangers are alike because both are people, in
this weather, under this lamp, before this wall. What all have in common tells nobody apart, so it
is taken away before looks are compared, as speaker verification takes the mean of a domain away (D.
Garcia-Romero and C. Y. Espy-Wilson, "Analysis of i-vector length normalization in speaker
recognition systems", Interspeech 2011), in each light by itself, which also takes away what the
light adds. The mean begins as that of the people of the calibration and becomes that of the site
as people are seen there. Each person counts once, from the second look on, however often seen:
whoever is there all day is not what all have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from storage.types import IdentityId
from streams.types import Modality

Floats = npt.NDArray[np.float64]

HALF_BELIEVED = 10
"""People with whom the site's own mean counts half, and that of the calibration half. Between 3 and
30 it makes little difference on filmed sites (docs/linking-measures.md)."""

FEWEST = 2
"""Looks from which a person counts. Somebody who was not known again stands there many times with
one look each, and would pull the centre to where they are known still less."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    vectors: Floats
    n: int


class Centre:
    """The mean over people of each light, kept as looks come and go.

    One thread changes it; others may read.
    """

    def __init__(self) -> None:
        self._people: dict[tuple[IdentityId, Modality], _Sum] = {}
        self._totals: dict[Modality, _Sum] = {}

    def add(self, identity: IdentityId, means: Mapping[Modality, npt.ArrayLike]) -> None:
        """One more look of a person: per light, its unit mean (D,)."""
        for light, mean in means.items():
            self._change(identity, light, np.asarray(mean, np.float64), 1)

    def remove(self, identity: IdentityId, means: Mapping[Modality, npt.ArrayLike]) -> None:
        """A look that was added is that person's no longer."""
        for light, mean in means.items():
            self._change(identity, light, -np.asarray(mean, np.float64), -1)

    def around(self, start: Floats, light: Modality) -> Floats:
        """(D,) what people have in common.

        Args:
            start: (D,) what is believed before anybody was seen.
        """
        total = self._totals.get(light)
        if total is None:
            return start
        return (total.vectors + HALF_BELIEVED * start) / (total.n + HALF_BELIEVED)

    def _change(self, identity: IdentityId, light: Modality, vector: Floats, n: int) -> None:
        mine = self._people.pop((identity, light), None)
        total = self._totals.get(light)
        vectors, people = (total.vectors, total.n) if total else (np.zeros(len(vector)), 0)
        if mine is not None:
            if mine.n >= FEWEST:
                vectors, people = vectors - mine.vectors / mine.n, people - 1
            vector, n = mine.vectors + vector, mine.n + n
        if n:
            self._people[identity, light] = _Sum(vector, n)
        if n >= FEWEST:
            vectors, people = vectors + vector / n, people + 1
        if people:
            self._totals[light] = _Sum(vectors, people)
        else:
            self._totals.pop(light, None)
