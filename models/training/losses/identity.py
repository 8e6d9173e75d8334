"""Who is it, of the people of the training set?"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def identity(logits: Tensor, person: Tensor, *, smoothing: float = 0.1) -> Tensor:
    """Cross-entropy with label smoothing.

    Szegedy et al., "Rethinking the Inception Architecture" (CVPR 2016): the target of the right
    one of K classes is 1 - e + e / K, of every other one e / K.

    Args:
        logits: (N, K) of a classifier head, which belongs to training.
        person: (N,) int, 0 to K - 1.
        smoothing: e, in [0, 1); 0 is plain cross-entropy.
    """
    return F.cross_entropy(logits, person, label_smoothing=smoothing)
