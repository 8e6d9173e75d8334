"""The weighted sum of losses that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.reid.networks.types import Parts
from models.training.batch import Batch
from models.training.losses.contrastive import across_light
from models.training.losses.drift import similarity_drift
from models.training.terms import ContrastiveTerm, DriftTerm, Term


class Objective(nn.Module):
    """Losses and the modules that belong to them; those are trained and not shipped."""

    def __init__(self, terms: Sequence[Term]) -> None:
        super().__init__()
        self._terms = tuple(terms)

    @property
    def needs_teacher(self) -> bool:
        """Whether some loss asks for the start's vectors of the visible crops."""
        return any(isinstance(term, DriftTerm) and term.weight > 0 for term in self._terms)

    def forward(self, parts: Parts, batch: Batch, taught: Tensor | None) -> dict[str, Tensor]:
        """Weighted losses by name; their sum is to be lowered.

        Args:
            taught: (V, D) the teacher's vectors of the visible crops; None without a teacher.
        """
        return {
            term.loss: term.weight * self._loss(term, parts, batch, taught) for term in self._terms
        }

    def _loss(self, term: Term, parts: Parts, batch: Batch, taught: Tensor | None) -> Tensor:
        vectors = F.normalize(parts.necked[0, 0].float())  # (B, D)
        if isinstance(term, ContrastiveTerm):
            return across_light(
                vectors,
                batch.person,
                batch.is_infrared,
                temperature=term.temperature,
                cross_share=term.cross_share,
            )
        if taught is None:
            raise ValueError("drift: expected the teacher's vectors, got none")
        return similarity_drift(vectors[~batch.is_infrared], F.normalize(taught.float()))


def total(losses: dict[str, Tensor]) -> Tensor:
    """Their sum, scalar."""
    return torch.stack(list(losses.values())).sum()
