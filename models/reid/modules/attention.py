"""Attention that keeps what identity needs and takes the light's style from the rest.

Hybrid attention guided learning: X = M(F) F + (1 - M(I)) I, where I = (F - mean) / sqrt(var + a)
is the instance norm of F per crop and channel, and M is the mask of CBAM (Woo et al., "CBAM:
Convolutional Block Attention Module", ECCV 2018). Its ancestor, the modality alleviation module of
MPANet (Wu et al., "Discover Cross-Modality Nuances for Visible-Infrared Person Re-Identification",
CVPR 2021), weighs both terms with one mask of channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import ConfigDict
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionSettings:
    """Which attention, and where.

    Attributes:
        after: Residual layers, 1 to 4, that end in it; each has its own weights.
        form: "guided" is X above; "mask" is M(F) F alone.
        mask: "cbam" weighs channels, then places; "channel" weighs channels by their means alone.
        second_mask: Whether the instance norm is weighed by its own mask or by that of F.
        reduction: Channels per inner unit of the mask over channels.
        kernel: Side of the convolution of the mask over places; odd.
        epsilon: a of the instance norm.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    after: tuple[int, ...] = (3,)
    form: Literal["guided", "mask"] = "guided"
    mask: Literal["cbam", "channel"] = "cbam"
    second_mask: Literal["normed", "original"] = "normed"
    reduction: int = 16
    kernel: int = 7
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if not self.after or not set(self.after) <= {1, 2, 3, 4}:
            raise ValueError(f"after: expected some of the layers 1 to 4, got {self.after}")
        if self.kernel % 2 == 0 or self.reduction < 1 or self.epsilon <= 0:
            raise ValueError(
                f"attention: expected an odd kernel, reduction of at least 1 and epsilon above 0, "
                f"got {self.kernel}, {self.reduction}, {self.epsilon}"
            )


class ChannelMask(nn.Module):
    """A weight in (0, 1) per channel, from its mean and, in CBAM, its maximum over places."""

    def __init__(self, channels: int, *, reduction: int, with_maximum: bool) -> None:
        super().__init__()
        inner = max(channels // reduction, 1)
        self.narrow = nn.Conv2d(channels, inner, 1, bias=False)
        self.widen = nn.Conv2d(inner, channels, 1, bias=False)
        self.with_maximum = with_maximum

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, 1) of (B, C, H, W)."""
        scores = self._score(x.mean((2, 3), keepdim=True))
        if self.with_maximum:
            scores = scores + self._score(x.amax((2, 3), keepdim=True))
        return torch.sigmoid(scores)

    def _score(self, pooled: Tensor) -> Tensor:
        scores: Tensor = self.widen(F.relu(self.narrow(pooled)))
        return scores


class CbamMask(nn.Module):
    """A weight in (0, 1) per channel and place: M_c(F) M_s(M_c(F) F)."""

    def __init__(self, channels: int, *, reduction: int, kernel: int) -> None:
        super().__init__()
        self.of_channels = ChannelMask(channels, reduction=reduction, with_maximum=True)
        self.of_places = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) of (B, C, H, W)."""
        channels: Tensor = self.of_channels(x)  # (B, C, 1, 1)
        weighed = x * channels
        summary = torch.cat((weighed.mean(1, keepdim=True), weighed.amax(1, keepdim=True)), 1)
        return channels * torch.sigmoid(self.of_places(summary))


class GuidedAttention(nn.Module):
    """The attention of the settings over a map of features."""

    def __init__(self, channels: int, settings: AttentionSettings) -> None:
        super().__init__()
        self.settings = settings
        if settings.mask == "cbam":
            self.mask: nn.Module = CbamMask(
                channels, reduction=settings.reduction, kernel=settings.kernel
            )
        else:
            self.mask = ChannelMask(channels, reduction=settings.reduction, with_maximum=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) of (B, C, H, W); H W above 1, or the instance norm is zero."""
        mask: Tensor = self.mask(x)
        if self.settings.form == "mask":
            return mask * x
        normed = instance_norm(x, epsilon=self.settings.epsilon)
        of_normed: Tensor = self.mask(normed) if self.settings.second_mask == "normed" else mask
        return mask * x + (1 - of_normed) * normed


def instance_norm(x: Tensor, *, epsilon: float) -> Tensor:
    """Each channel of each crop with mean 0 and, but for epsilon, variance 1 over its places.

    Args:
        x: (B, C, H, W).
    """
    exact = x.float()  # sums over a map are too coarse in half precision
    variance, mean = torch.var_mean(exact, (2, 3), correction=0, keepdim=True)
    return ((exact - mean) * torch.rsqrt(variance + epsilon)).to(x.dtype)
