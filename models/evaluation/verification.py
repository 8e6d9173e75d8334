"""One to one: is this pair one person? Equal error rate and true accepts at few false accepts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How well one threshold on the similarity tells same from different.

    Attributes:
        eer: Error rate at the threshold where as many strangers are accepted as friends refused.
        tar_at_far_1e2: Share of true pairs accepted where at most 1 in 100 strangers is; None with
            fewer than 100 pairs of strangers, which cannot tell.
        tar_at_far_1e3: The same at 1 in 1000.
        n_same: Pairs of one person.
        n_different: Pairs of two people.
    """

    eer: float
    tar_at_far_1e2: float | None
    tar_at_far_1e3: float | None
    n_same: int
    n_different: int


def measure_verification(
    same: npt.NDArray[np.floating], different: npt.NDArray[np.floating]
) -> Verification:
    """Equal error rate and true-accept rates (ISO/IEC 19795-1: false match and non-match rates).

    A pair is accepted if its similarity is at least the threshold. Thresholds are the similarities
    that occur. Between the two that enclose the crossing, both rates are taken as straight lines.

    Args:
        same: (N,) similarities of pairs of one person.
        different: (M,) similarities of pairs of two people.

    Raises:
        ValueError: A kind of pair is missing.

    >>> measure_verification(np.array([0.9, 0.4]), np.array([0.5, 0.1])).eer
    0.5
    """
    if not len(same) or not len(different):
        raise ValueError(
            f"verification: expected pairs of both kinds, got {len(same)} of one person and "
            f"{len(different)} of two"
        )
    same, different = np.sort(same), np.sort(different)
    return Verification(
        eer=_equal_error_rate(same, different),
        tar_at_far_1e2=_true_accepts(same, different, false_accepts=1e-2),
        tar_at_far_1e3=_true_accepts(same, different, false_accepts=1e-3),
        n_same=len(same),
        n_different=len(different),
    )


def split_pairs(
    similarity: npt.NDArray[np.floating],
    query_person: npt.NDArray[np.int64],
    gallery_person: npt.NDArray[np.int64],
    *,
    left_out: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Similarities (N,) of pairs of one person, and (M,) of two, without those left out."""
    is_same = query_person[:, None] == gallery_person[None]
    if left_out is None:
        return similarity[is_same], similarity[~is_same]
    return similarity[is_same & ~left_out], similarity[~is_same & ~left_out]


def _equal_error_rate(same: npt.NDArray[np.floating], different: npt.NDArray[np.floating]) -> float:
    thresholds = np.unique(np.concatenate((same, different)))
    refused = np.searchsorted(same, thresholds, side="left") / len(same)
    accepted = 1 - np.searchsorted(different, thresholds, side="left") / len(different)
    refused, accepted = np.append(refused, 1.0), np.append(accepted, 0.0)  # above the highest
    after = int(np.argmax(refused >= accepted))  # at the lowest threshold nobody is refused
    gap_before = accepted[after - 1] - refused[after - 1]
    gap_after = refused[after] - accepted[after]
    share = gap_before / (gap_before + gap_after)
    return float(refused[after - 1] + share * (refused[after] - refused[after - 1]))


def _true_accepts(
    same: npt.NDArray[np.floating],
    different: npt.NDArray[np.floating],
    *,
    false_accepts: float,
) -> float | None:
    n_accepted = int(false_accepts * len(different) + 1e-9)
    if n_accepted < 1:
        return None
    # Everyone above the next stranger is accepted: no more than n_accepted strangers are.
    next_stranger = different[len(different) - n_accepted - 1]
    return float(1 - np.searchsorted(same, next_stranger, side="right") / len(same))
