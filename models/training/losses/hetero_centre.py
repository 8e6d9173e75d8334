"""A person's visible crops and infrared crops shall have one centre."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.losses.distances import centres, euclidean, hardest, mean_over


def hetero_centre(features: Tensor, person: Tensor, is_infrared: Tensor) -> Tensor:
    """Squared distances between the centres of both lights, summed over people.

    Zhu et al., "Hetero-Center Loss for Cross-Modality Person Re-identification" (Neurocomputing
    2020), equation 4: sum_i || c_v^i - c_t^i ||^2.

    Args:
        features: (N, C).
        person: (N,) int.
        is_infrared: (N,) bool.

    Returns:
        Scalar; people seen in one light only do not count.
    """
    visible, seen_by_day = centres(features[~is_infrared], person[~is_infrared])
    infrared, seen_by_night = centres(features[is_infrared], person[is_infrared])
    both = (seen_by_day[:, None] == seen_by_night[None, :]).nonzero()
    return (visible[both[:, 0]] - infrared[both[:, 1]]).square().sum()


def hetero_centre_triplet(
    features: Tensor, person: Tensor, is_infrared: Tensor, *, margin: float = 0.3
) -> Tensor:
    """Triplets of centres: the other light of one person against the nearest other person.

    Liu et al., "Parameter Sharing Exploration and Hetero-Center Triplet Loss for Visible-Thermal
    Person Re-Identification" (TMM 2021): over the centres of all people in both lights, the mean
    of [m + d(c_v^i, c_t^i) - min_{j != i, any light} d(c^i, c^j)]_+ with Euclidean distances.
    Crops may come in any order.

    Args:
        features: (N, C).
        person: (N,) int.
        is_infrared: (N,) bool.
        margin: m.

    Returns:
        Scalar; centres without their other light or without another person do not count.
    """
    visible, seen_by_day = centres(features[~is_infrared], person[~is_infrared])
    infrared, seen_by_night = centres(features[is_infrared], person[is_infrared])
    people = torch.cat((seen_by_day, seen_by_night))
    places = torch.cat((visible, infrared))
    light = torch.arange(len(people), device=people.device) >= len(seen_by_day)
    distances = euclidean(places, places)
    same = people[:, None] == people[None, :]
    other_light = same & (light[:, None] != light[None, :])
    apart = hardest(distances, other_light, far=True)
    nearest = hardest(distances, ~same, far=False)
    counted = other_light.any(1) & (~same).any(1)
    return mean_over(F.relu(margin + apart - nearest), counted)
