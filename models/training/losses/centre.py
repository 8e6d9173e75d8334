"""Crops of one person shall lie around a learned centre."""

from __future__ import annotations

from torch import Tensor


def centre(features: Tensor, person: Tensor, centres: Tensor) -> Tensor:
    """Mean squared distance of crops to the centre of their person.

    Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition" (ECCV 2016),
    equation 2, without its factor of 1/2 and as a mean: mean_i || f_i - c_{y_i} ||^2.

    Args:
        features: (N, C).
        person: (N,) int, 0 to K - 1.
        centres: (K, C), learned: a parameter for the optimiser.
    """
    return (features - centres[person]).square().sum(1).mean()
