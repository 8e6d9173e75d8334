"""Identity scores: true people and identities matched one to one, once for the whole site.

Ristani et al., "Performance measures and a data set for multi-target, multi-camera tracking"
(2016): the matching that loses least; IDF1 = 2 IDTP / (2 IDTP + IDFP + IDFN).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.types import Judged, Lights
from storage.types import IdentityId
from streams.types import Modality

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityScores:
    """What a one-to-one matching of people and identities explains, in seconds or frames.

    Attributes:
        right: Seen, and under the matched identity (IDTP).
        true: Truly to be seen (IDTP + IDFN).
        claimed: Said to be somebody (IDTP + IDFP).
    """

    right: float
    true: float
    claimed: float

    @property
    def idf1(self) -> float | None:
        """In [0, 1]; None where there is nobody, by truth and by claim."""
        both = self.true + self.claimed
        return 2 * self.right / both if both else None

    @property
    def precision(self) -> float | None:
        """IDP; None without a claim."""
        return self.right / self.claimed if self.claimed else None

    @property
    def recall(self) -> float | None:
        """IDR; None where truth has nobody."""
        return self.right / self.true if self.true else None

    def __add__(self, other: IdentityScores) -> IdentityScores:
        """Of two sites that share nobody."""
        return IdentityScores(
            right=self.right + other.right,
            true=self.true + other.true,
            claimed=self.claimed + other.claimed,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """How much of each person each identity covers, by light.

    Attributes:
        overlap: (2, P, I) float64: seconds or frames of person p under identity i, visible first.
        true: (2, P) float64: of each person.
        claimed: (2, I) float64: of each identity.
    """

    overlap: Floats
    true: Floats
    claimed: Floats


def score_identities(shared: Shared) -> dict[Lights, IdentityScores]:
    """Identity scores over both lights, within each, and across.

    Within one light only what was seen in it counts. Across light, a person (and an identity)
    counts with twice the light in which there is less of it, and person and identity share what
    they share in both lights: 0 where no identity goes on from one light to the other, 1 only
    where everybody keeps theirs. This is our own definition; the others are IDF1 as published.
    """
    return {
        Lights.ALL: _matched(shared.overlap.sum(0), shared.true.sum(0), shared.claimed.sum(0)),
        Lights.DAY_DAY: _matched(shared.overlap[0], shared.true[0], shared.claimed[0]),
        Lights.NIGHT_NIGHT: _matched(shared.overlap[1], shared.true[1], shared.claimed[1]),
        Lights.DAY_NIGHT: _matched(
            2 * shared.overlap.min(0), 2 * shared.true.min(0), 2 * shared.claimed.min(0)
        ),
    }


def shared_by_sightings(judged: Iterable[Judged]) -> Shared:
    """Every sighting counts with its weight; those unsure are true of somebody, but no claim."""
    people: dict[int, int] = {}
    identities: dict[IdentityId, int] = {}
    cells: list[tuple[int, int | None, int | None, float]] = []
    for one in judged:
        light = int(one.modality is Modality.INFRARED)
        person = None if one.person is None else people.setdefault(one.person, len(people))
        identity = (
            None if one.identity is None else identities.setdefault(one.identity, len(identities))
        )
        cells.append((light, person, identity, one.weight))
    shared = Shared(
        overlap=np.zeros((2, len(people), len(identities))),
        true=np.zeros((2, len(people))),
        claimed=np.zeros((2, len(identities))),
    )
    for light, person, identity, weight in cells:
        if person is not None:
            shared.true[light, person] += weight
        if identity is not None:
            shared.claimed[light, identity] += weight
        if person is not None and identity is not None:
            shared.overlap[light, person, identity] += weight
    return shared


def owners(judged: Iterable[Judged]) -> Mapping[IdentityId, int | None]:
    """Whom each identity mostly shows by weight; None: mostly nobody of truth. Ties: the first."""
    weights: dict[IdentityId, dict[int | None, float]] = {}
    for one in judged:
        if one.identity is not None:
            of = weights.setdefault(one.identity, {})
            of[one.person] = of.get(one.person, 0.0) + one.weight
    return {identity: max(of, key=lambda person: of[person]) for identity, of in weights.items()}


def _matched(overlap: Floats, true: Floats, claimed: Floats) -> IdentityScores:
    """Losing least is sharing most, since what is true and what is claimed stay the same."""
    from scipy.optimize import linear_sum_assignment  # takes half a second: for those who measure

    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return IdentityScores(
        right=float(overlap[rows, columns].sum()),
        true=float(true.sum()),
        claimed=float(claimed.sum()),
    )
