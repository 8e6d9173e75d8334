"""Are sightings of one true person linked across cameras, and only those?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.evaluation.types import Judged, Lights
from streams.types import Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """Pairs of sightings by two cameras that show one person, by truth and by claim.

    Attributes:
        n_true: Pairs that show one person.
        n_claimed: Pairs that were given one identity.
        n_right: Pairs of both kinds.
    """

    n_true: int
    n_claimed: int
    n_right: int

    @property
    def precision(self) -> float | None:
        """Share of claims that are right; None without a claim."""
        return self.n_right / self.n_claimed if self.n_claimed else None

    @property
    def recall(self) -> float | None:
        """Share of true pairs that are claimed; None where there is none."""
        return self.n_right / self.n_true if self.n_true else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where there is neither pair nor claim."""
        both = self.n_true + self.n_claimed
        return 2 * self.n_right / both if both else None

    def __add__(self, other: PairScores) -> PairScores:
        return PairScores(
            n_true=self.n_true + other.n_true,
            n_claimed=self.n_claimed + other.n_claimed,
            n_right=self.n_right + other.n_right,
        )


def score_pairs(judged: Sequence[Judged]) -> dict[Lights, PairScores]:
    """Scores over all pairs of sightings by two different cameras, and for each pair of lights.

    Sightings that stay unsure are in no claim. Counted per group, not pair by pair: linear in the
    number of sightings.

    >>> {lights.value: scores.n_true for lights, scores in score_pairs([]).items()}
    {'all': 0, 'visible-visible': 0, 'infrared-infrared': 0, 'visible-infrared': 0}
    """
    true = _count(judged, lambda one: one.person)
    claimed = _count(judged, lambda one: one.identity)
    right = _count(
        judged,
        lambda one: (
            None if one.person is None or one.identity is None else (one.person, one.identity)
        ),
    )
    return {
        lights: PairScores(n_true=true[lights], n_claimed=claimed[lights], n_right=right[lights])
        for lights in Lights
    }


def _count(
    judged: Iterable[Judged], group_of: Callable[[Judged], Hashable | None]
) -> Mapping[Lights, int]:
    """Pairs within a group (None is no group) and across cameras, per pair of lights."""
    of_light: Counter[tuple[Hashable, Modality]] = Counter()
    of_camera: Counter[tuple[Hashable, Modality, str]] = Counter()
    for one in judged:
        group = group_of(one)
        if group is not None:
            of_light[group, one.modality] += 1
            of_camera[group, one.modality, one.camera] += 1
    found = dict.fromkeys(Lights, 0)
    for light, lights in (
        (Modality.VISIBLE, Lights.DAY_DAY),
        (Modality.INFRARED, Lights.NIGHT_NIGHT),
    ):
        everywhere = sum(n * (n - 1) // 2 for (_, one), n in of_light.items() if one is light)
        one_camera = sum(n * (n - 1) // 2 for (_, one, _), n in of_camera.items() if one is light)
        found[lights] = everywhere - one_camera
    found[Lights.DAY_NIGHT] = sum(
        n * of_light[group, Modality.INFRARED]
        for (group, light), n in list(of_light.items())
        if light is Modality.VISIBLE
    ) - sum(
        n * of_camera[group, Modality.INFRARED, camera]
        for (group, light, camera), n in list(of_camera.items())
        if light is Modality.VISIBLE
    )
    found[Lights.ALL] = sum(found.values())
    return found
