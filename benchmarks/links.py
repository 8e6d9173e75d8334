"""Are sightings of one true person linked, and only those? Pairs of sightings against truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from storage.types import IdentityId, Sighting, SightingId

MIN_IOU = 0.4
MIN_SHARE = 0.5
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """Pairs of sightings that show one person, by truth and by claim.

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

    def to_json(self) -> dict[str, object]:
        return {
            "pairs_true": self.n_true,
            "pairs_claimed": self.n_claimed,
            "precision": self.precision,
            "recall": self.recall,
        }


def true_person(
    trail: Rows, truth: Rows, *, start_us: int, fps: float, left_px: float = 0.0
) -> int | None:
    """The person whose true boxes a trail follows for at least half of its length, if any.

    Args:
        trail: (M, 5) captured_at_us, x0, y0, x1, y1.
        truth: (N, >= 6) MOTChallenge rows: frame from 1, id, x, y, width, height.
        left_px: Left edge of the trail's picture in the picture of the truth.
    """
    votes: Counter[int] = Counter()
    for captured_at_us, x0, y0, x1, y1 in trail:
        rows = truth[truth[:, 0] == round((captured_at_us - start_us) * fps / 1e6) + 1]
        overlaps = [_iou((x0 + left_px, y0, x1 + left_px, y1), row[2:6]) for row in rows]
        if overlaps and max(overlaps) >= MIN_IOU:
            votes[int(rows[int(np.argmax(overlaps)), 1])] += 1
    if not votes:
        return None
    person, n = votes.most_common(1)[0]
    return person if n >= MIN_SHARE * len(trail) else None


def _iou(box: tuple[float, float, float, float], xywh: Rows) -> float:
    x0, y0, x1, y1 = xywh[0], xywh[1], xywh[0] + xywh[2], xywh[1] + xywh[3]
    wide = min(box[2], x1) - max(box[0], x0)
    tall = min(box[3], y1) - max(box[1], y0)
    both = max(wide, 0.0) * max(tall, 0.0)
    return float(both / ((box[2] - box[0]) * (box[3] - box[1]) + xywh[2] * xywh[3] - both))


def score_pairs(
    found: Sequence[Sighting],
    who: Mapping[SightingId, int | None],
    *,
    where: Callable[[Sighting, Sighting], bool],
) -> PairScores:
    """Scores over the pairs of sightings that `where` selects.

    Args:
        who: The true person of each sighting, None where truth has nobody: linking such a
            sighting with anybody is wrong.
    """
    return _count(
        (
            who[a.id] is not None and who[a.id] == who[b.id],
            a.identity is not None and a.identity == b.identity,
        )
        for a, b in combinations(found, 2)
        if where(a, b)
    )


def _count(pairs: Iterable[tuple[bool, bool]]) -> PairScores:
    seen = Counter(pairs)
    return PairScores(
        n_true=seen[True, True] + seen[True, False],
        n_claimed=seen[True, True] + seen[False, True],
        n_right=seen[True, True],
    )


def guesses_right(
    found: Sequence[Sighting], who: Mapping[SightingId, int | None]
) -> dict[str, int]:
    """How often the best guess of an unsure sighting is its true person.

    A guess names an identity; whose it is follows from the majority of its own sightings.
    """
    votes: dict[IdentityId, Counter[int | None]] = {}
    for sighting in found:
        if sighting.identity is not None:
            votes.setdefault(sighting.identity, Counter())[who[sighting.id]] += 1
    owner = {identity: people.most_common(1)[0][0] for identity, people in votes.items()}
    unsure = [s for s in found if s.identity is None and s.link.candidate is not None]
    right = sum(
        who[s.id] is not None and owner.get(s.link.candidate) == who[s.id]
        for s in unsure
        if s.link.candidate is not None
    )
    return {"n_unsure": len(unsure), "n_best_guess_right": right}


def across_cameras(a: Sighting, b: Sighting) -> bool:
    """Two sightings by different cameras."""
    return a.camera != b.camera
