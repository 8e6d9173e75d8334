"""Telling people apart by all pairs of a batch at once."""

from __future__ import annotations

import torch
from torch import Tensor

_NEVER = -1e4  # its exponential is 0; minus infinity would give gradients that are not numbers


def contrastive(vectors: Tensor, person: Tensor, pairs: Tensor, *, temperature: float) -> Tensor:
    """Supervised contrastive loss over chosen pairs.

    Khosla et al., "Supervised Contrastive Learning" (NeurIPS 2020), equation 2 (the sum over
    positives outside the logarithm): for each anchor i with positives P(i) among its pairs A(i),
    `-1/|P(i)| sum_{p in P(i)} log(exp(s_ip / T) / sum_{a in A(i)} exp(s_ia / T))`, averaged over
    anchors that have a positive. We let the caller choose A(i); there it is all but i.

    Args:
        vectors: (B, D) rows of unit length.
        person: (B,) int, who is seen.
        pairs: (B, B) bool, the pairs that count; the diagonal is never counted.
        temperature: T, above 0.

    Returns:
        Scalar; 0 when no anchor has a positive.
    """
    pairs = pairs & ~torch.eye(len(person), dtype=torch.bool, device=pairs.device)
    positive = pairs & (person[:, None] == person[None, :])  # (B, B)
    scores = (vectors @ vectors.T / temperature).masked_fill(~pairs, _NEVER)
    log_share = scores - scores.logsumexp(1, keepdim=True)
    n_positive = positive.sum(1)
    per_anchor = -log_share.masked_fill(~positive, 0).sum(1) / n_positive.clamp(min=1)
    counted = n_positive > 0
    return per_anchor.masked_fill(~counted, 0).sum() / counted.sum().clamp(min=1)


def across_light(
    vectors: Tensor,
    person: Tensor,
    is_infrared: Tensor,
    *,
    temperature: float,
    cross_share: float,
) -> Tensor:
    """Contrastive loss, a share of it over pairs of one visible and one infrared crop only.

    Over all pairs alone, crops of the same light are the easy positives and the gap between the
    lights stays.

    Args:
        is_infrared: (B,) bool.
        cross_share: 0 counts all pairs, 1 only those across light.
    """
    everything = torch.ones(len(person), len(person), dtype=torch.bool, device=person.device)
    across = is_infrared[:, None] != is_infrared[None, :]
    return (1 - cross_share) * contrastive(
        vectors, person, everything, temperature=temperature
    ) + cross_share * contrastive(vectors, person, across, temperature=temperature)
