"""Staying close to a teacher."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def similarity_drift(vectors: Tensor, teacher: Tensor) -> Tensor:
    """How far the similarities of crops moved from the teacher's: relational distillation.

    Park et al., "Relational Knowledge Distillation" (CVPR 2019), with squared differences of
    cosines in place of distances: 0 under any rotation of all vectors.

    Args:
        vectors: (B, D) rows of unit length.
        teacher: (B, E) rows of unit length of the same crops.
    """
    return F.mse_loss(vectors @ vectors.T, teacher @ teacher.T)
