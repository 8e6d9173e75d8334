"""Five crops at once: our reading of a loss that is named without a formula."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.training.losses.distances import euclidean, hardest, mean_over, same_person


def hard_quintuplet(
    features: Tensor, person: Tensor, is_infrared: Tensor, *, margin: float = 0.3
) -> Tensor:
    """Each anchor against the hardest positive and negative of its own and of the other light.

    OUR READING: the patent draft names a "hard quintuplet" loss and gives no formula, and no
    public program is known. We take anchor a, its farthest positives p and nearest negatives n in
    each of the two lights: the mean over anchors of sum_p sum_n [m + d(a, p) - d(a, n)]_+, four
    terms.

    Args:
        features: (N, C), before the neck.
        person: (N,) int.
        is_infrared: (N,) bool.
        margin: m.

    Returns:
        Scalar; anchors that lack one of the four do not count, 0 if none counts.
    """
    distances = euclidean(features, features)
    positive = same_person(person)
    negative = person[:, None] != person[None, :]
    own_light = is_infrared[:, None] == is_infrared[None, :]
    lights = (own_light, ~own_light)
    counted = torch.stack(
        [(kind & light).any(1) for kind in (positive, negative) for light in lights]
    )
    terms = [
        F.relu(
            margin
            + hardest(distances, positive & of_positive, far=True)
            - hardest(distances, negative & of_negative, far=False)
        )
        for of_positive in lights
        for of_negative in lights
    ]
    return mean_over(torch.stack(terms).sum(0), counted.all(0))
