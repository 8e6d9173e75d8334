"""Self-attention over places in the place of a 3x3 convolution.

Srinivas et al., "Bottleneck Transformers for Visual Recognition" (CVPR 2021): in the last layer of
a ResNet every place looks at every other, by content and by how far above and beside it lies.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PlaceAttention(nn.Module):
    """Multi-head self-attention with relative positions.

    The logit of place (i, j) that looks at (k, l) is q (key + row[k - i] + column[l - j]) /
    sqrt(d); rows and columns have one embedding per distance, which the heads share.
    """

    near_rows: Tensor
    near_columns: Tensor

    def __init__(self, channels: int, *, heads: int, map_hw: tuple[int, int]) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"heads: expected a divisor of {channels} channels, got {heads}")
        self.heads = heads
        self.map_hw = map_hw
        height, width = map_hw
        d = channels // heads
        self.project = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.rows = nn.Parameter(torch.randn(2 * height - 1, d) * d**-0.5)
        self.columns = nn.Parameter(torch.randn(2 * width - 1, d) * d**-0.5)
        self.register_buffer("near_rows", _distances(height), persistent=False)
        self.register_buffer("near_columns", _distances(width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) of (B, C, H, W), of the height and width it was made for."""
        height, width = self.map_hw
        b, channels = x.shape[:2]
        packed = self.project(x).reshape(b, 3, self.heads, channels // self.heads, height * width)
        query, key, value = packed.transpose(-1, -2).unbind(1)  # (B, heads, H W, d) each
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=self._position(query))
        return seen.transpose(-1, -2).reshape(b, channels, height, width)

    def _position(self, query: Tensor) -> Tensor:
        """Logits of position, (B, heads, H W, H W)."""
        height, width = self.map_hw
        d = query.shape[-1]
        q = query.reshape(-1, self.heads, height, width, d) * d**-0.5  # (B, heads, H, W, d)
        rows = self.rows[self.near_rows].to(q.dtype)  # (H, H, d)
        columns = self.columns[self.near_columns].to(q.dtype)  # (W, W, d)
        up = torch.einsum("bnijd,ikd->bnijk", q, rows)[..., :, None]  # (B, heads, H, W, H, 1)
        side = torch.einsum("bnijd,jld->bnijl", q, columns)[..., None, :]  # (..., 1, W)
        return (up + side).flatten(4).flatten(2, 3)


def _distances(n: int) -> Tensor:
    """(n, n) int: index of the embedding of place k as seen from place i."""
    places = torch.arange(n)
    return places[None, :] - places[:, None] + n - 1
