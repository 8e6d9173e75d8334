"""The auxiliary pictures of both lights shall look alike."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConsistencyProjector(nn.Module):
    """Channels to 256 numbers of unit length, in which auxiliary features are compared.

    The form of MMN (Zhang et al., ACM MM 2021). Its parameters are to be trained with the
    network: MMN's program keeps them out of its optimiser, so that there they stay random.
    """

    def __init__(self, channels: int, *, dimension: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, dimension, bias=False),
            nn.BatchNorm1d(dimension),
            nn.ReLU(),
            nn.Linear(dimension, dimension),
            nn.BatchNorm1d(dimension),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, D) rows of unit length of (N, C)."""
        return F.normalize(cast(Tensor, self.layers(F.normalize(features))))


def distribution_consistency(
    auxiliary: Tensor, person: Tensor, is_infrared: Tensor, projector: nn.Module
) -> Tensor:
    """Mean distance between the projected auxiliary features of both lights, person by person.

    MMN's form of the loss: mean_i || f(V'_i) - f(I'_i) ||. The paper that we follow writes the mean
    of the plain difference, which has no lower bound; with unit rows this one lies in [0, 2]. The
    k-th visible crop of a person is compared with its k-th infrared crop: pairs of two people
    would draw everybody together.

    Args:
        auxiliary: (N, C) features of the auxiliary pictures, one part.
        person: (N,) int.
        is_infrared: (N,) bool.
        projector: f; its parameters go to the optimiser.

    Returns:
        Scalar; 0 when nobody was seen in both lights.
    """
    visible, infrared = pairs_across_light(person, is_infrared)
    if len(visible) == 0:
        return auxiliary.sum() * 0
    first, second = projector(auxiliary[torch.cat((visible, infrared))]).chunk(2)
    return cast(Tensor, torch.linalg.vector_norm(first - second, dim=1).mean())


def pairs_across_light(person: Tensor, is_infrared: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of the k-th visible and of the k-th infrared crop of each person; the rest is left out.

    Returns:
        Two (M,) int tensors of rows.
    """
    rank = _rank_within(person, is_infrared)
    same = (person[:, None] == person[None, :]) & (rank[:, None] == rank[None, :])
    pairs = (same & ~is_infrared[:, None] & is_infrared[None, :]).nonzero()
    return pairs[:, 0], pairs[:, 1]


def _rank_within(person: Tensor, is_infrared: Tensor) -> Tensor:
    """(N,) int: how many earlier rows have the same person and light."""
    same = (person[:, None] == person[None, :]) & (is_infrared[:, None] == is_infrared[None, :])
    return same.tril(-1).sum(1)
