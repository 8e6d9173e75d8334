"""From a map of features to parts of a body: the whole, and stripes from head to feet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import ConfigDict
from torch import Tensor, nn

_SMALLEST = 1e-12  # keeps the root's gradient finite where a channel is silent


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingSettings:
    """Which parts there are and how each is pooled.

    Attributes:
        kind: Generalised mean, mean or maximum over the places of a part.
        power: p of the generalised mean, at least 1; fixed, not learned.
        whole: Whether there is a part of the whole body: none, over the full map, or over the map
            sampled at stride 2 (means of 2x2), so that it sees coarser than the stripes.
        stripes: How many stripes of equal height; 0 for none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Literal["gem", "mean", "maximum"] = "gem"
    power: float = 3.0
    whole: Literal["none", "full", "halved"] = "none"
    stripes: int = 4

    def __post_init__(self) -> None:
        if self.power < 1:
            raise ValueError(f"power: expected at least 1, got {self.power}")
        if self.stripes < 0 or self.n_parts == 0:
            raise ValueError(
                f"pooling: expected the whole body, stripes or both, got whole {self.whole!r} and "
                f"{self.stripes} stripes"
            )

    @property
    def n_parts(self) -> int:
        """The whole body, if it is one, and the stripes."""
        return (self.whole != "none") + self.stripes


class Pooling(nn.Module):
    """Parts of a map; nothing is learned."""

    def __init__(self, settings: PoolingSettings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        """(P, B, C) of (B, C, H, W): the whole body first, then stripes from the top."""
        settings = self.settings
        parts = []
        if settings.whole != "none":
            parts.append(self._pool(_halved(x) if settings.whole == "halved" else x))
        for n in range(settings.stripes):
            top, bottom = stripe_rows(n, height=x.shape[2], n_stripes=settings.stripes)
            parts.append(self._pool(x[:, :, top:bottom]))
        return torch.stack(parts)

    def _pool(self, x: Tensor) -> Tensor:
        if self.settings.kind == "mean":
            return x.mean((2, 3))
        if self.settings.kind == "maximum":
            return x.amax((2, 3))
        return generalised_mean(x, power=self.settings.power)


def _halved(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 2, ceil_mode=True)


def generalised_mean(x: Tensor, *, power: float) -> Tensor:
    """GeM: (mean(x^p) + 1e-12)^(1/p) over places; 1 is the mean, infinity the maximum.

    Radenović et al., "Fine-tuning CNN Image Retrieval with No Human Annotation" (TPAMI 2019), in
    the form of AGW (Ye et al., TPAMI 2021). Roots need x >= 0: what is below counts as 0, which
    after a ReLU is nothing.

    Args:
        x: (B, C, H, W).

    Returns:
        (B, C), computed in float32 at least.
    """
    exact = x if x.dtype == torch.float64 else x.float()  # powers overflow half precision
    means: Tensor = exact.clamp(min=0).pow(power).mean((2, 3)) + _SMALLEST
    return means.pow(1 / power)


def stripe_rows(n: int, *, height: int, n_stripes: int) -> tuple[int, int]:
    """First row of stripe n and the row after its last; stripes are disjoint and cover the map.

    >>> [stripe_rows(n, height=24, n_stripes=4) for n in range(4)]
    [(0, 6), (6, 12), (12, 18), (18, 24)]
    >>> [stripe_rows(n, height=5, n_stripes=2) for n in range(2)]
    [(0, 2), (2, 5)]
    """
    return n * height // n_stripes, (n + 1) * height // n_stripes
