"""Triplets over all positives and negatives, the hard ones with more weight, without a margin."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.losses.distances import euclidean, mean_over, same_person


def weighted_regularised_triplet(
    features: Tensor, person: Tensor, *, form: Literal["difference", "squared"] = "difference"
) -> Tensor:
    """The weighted regularised triplet of AGW and its sharper form.

    Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI 2021),
    equations 8 and 9: log(1 + exp(D_i)) with D_i = sum_p w_p d_ip - sum_n w_n d_in, where w_p is
    the softmax of d over the positives of i and w_n the softmax of -d over its negatives. "squared"
    replaces D by sign(D) D^2 (Ye et al., "Channel Augmented Joint Learning", ICCV 2021).

    The authors' programs count a row among its own positives and cut D^2 off at 88 against
    overflow; the equations do neither, nor do we: our logarithm does not overflow.

    Args:
        features: (N, C), before the neck.
        person: (N,) int.

    Returns:
        Scalar; anchors without a positive or a negative do not count, 0 if none counts.
    """
    distances = euclidean(features, features)
    positive = same_person(person)
    negative = person[:, None] != person[None, :]
    difference = _weighted(distances, positive) + _weighted(-distances, negative)
    if form == "squared":
        difference = difference * difference.abs()
    return mean_over(F.softplus(difference), positive.any(1) & negative.any(1))


def _weighted(scores: Tensor, allowed: Tensor) -> Tensor:
    """Mean of the allowed scores of each row, weighed by their softmax."""
    masked = scores.masked_fill(~allowed, -torch.inf)
    masked = masked.masked_fill(~allowed.any(1, keepdim=True), 0)  # no row of nothing but -inf
    return (masked.softmax(1) * scores).sum(1)
