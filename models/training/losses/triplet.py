"""Batch-hard triplets, within one set of crops and over pairs of lights."""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.losses.distances import euclidean, hardest, mean_over, same_person


def batch_hard_triplet(features: Tensor, person: Tensor, *, margin: float = 0.3) -> Tensor:
    """Each row against its farthest positive and its nearest negative.

    Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification" (2017), equation
    5: the mean over anchors of [m + max_p d(a, p) - min_n d(a, n)]_+ with Euclidean distances.

    Args:
        features: (N, C), before the neck and not of unit length.
        person: (N,) int.
        margin: m.

    Returns:
        Scalar; anchors without a positive or a negative do not count, 0 if none counts.
    """
    distances = euclidean(features, features)
    positive = same_person(person)
    negative = person[:, None] != person[None, :]
    farthest = hardest(distances, positive, far=True)
    nearest = hardest(distances, negative, far=False)
    return mean_over(F.relu(margin + farthest - nearest), positive.any(1) & negative.any(1))


def cross_modal_triplet(
    streams: Tensor, person: Tensor, is_infrared: Tensor, *, margin: float = 0.3
) -> Tensor:
    """Batch-hard triplets over the pairs of a visible and an infrared stream.

    MMN (Zhang et al., ACM MM 2021): with originals V, I and auxiliary pictures V', I' the mean of
    the loss over the four sets V+I, V+I', V'+I and V'+I'. With one stream it is the set V+I.

    Args:
        streams: (S, N, C), S streams of the same N crops.
        person: (N,) int.
        is_infrared: (N,) bool.
        margin: As in `batch_hard_triplet`.
    """
    people = torch.cat((person[~is_infrared], person[is_infrared]))
    losses = [
        batch_hard_triplet(
            torch.cat((visible[~is_infrared], infrared[is_infrared])), people, margin=margin
        )
        for visible, infrared in product(streams, streams)
    ]
    return torch.stack(losses).mean()
