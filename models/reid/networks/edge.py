"""The "edge" embedder: an omni-scale network with one entrance per light.

Omni-scale feature learning: Zhou et al., "Omni-Scale Feature Learning for Person
Re-Identification" (ICCV 2019). A block sees the picture at four scales at once, through chains of
one to four light 3x3 convolutions, and a gate that all four share decides per channel how much of
each scale passes. The layout, 3 x 256 x 128 in and 256 numbers out, is the one of
person-reidentification-retail-0277 of the Open Model Zoo (Apache-2.0), whose weights are the start
of ours; batch normalisation is folded into the convolutions there, so there is none here.

Ours is two-stream: the first `independent_stages` stages exist once per modality, the rest is
shared (the visible and infrared streams of AGW, Ye et al., TPAMI 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
import torch.nn.functional as F
from pydantic import ConfigDict
from torch import Tensor, nn

from models.reid.networks.types import EmbeddingNetwork, Parts, by_light

INPUT_HEIGHT_PX = 256
INPUT_WIDTH_PX = 128
N_STAGES = 4  # stem, then three pairs of omni-scale blocks
N_SCALES = 4
CONTEXT_GROUPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeArchitecture:
    """What must be known to build a network that fits a weights file.

    Attributes:
        independent_stages: How many of the 4 stages exist once per modality; 0 shares all.
        dimension: Length of the vector.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    independent_stages: int = 1
    dimension: int = 256

    @property
    def family(self) -> str:
        """Which networks it describes; a weights file names it."""
        return EdgeNetwork.family

    def __post_init__(self) -> None:
        if not 0 <= self.independent_stages <= N_STAGES:
            raise ValueError(
                f"independent_stages: expected 0..{N_STAGES}, got {self.independent_stages}"
            )
        if self.dimension < 1:
            raise ValueError(f"dimension: expected at least 1, got {self.dimension}")


class LightConv(nn.Module):
    """A 1x1 convolution, then one 3x3 filter per channel: a 3x3 convolution for a ninth."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 1, bias=False)
        self.filter = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.filter(self.mix(x)))


class SqueezeGate(nn.Module):
    """Weighs channels by a small network over their means (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // 16, 1)
        self.excite = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        return x * torch.sigmoid(self.excite(F.relu(self.squeeze(means))))


class ContextGate(nn.Module):
    """Weighs channels by their means, normalised in groups (Ruan et al., CVPR 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        # (B, C, 1, 1): OpenVINO normalises no fewer dimensions; groups of four to eight need full
        # precision.
        means = x.mean((2, 3), keepdim=True).float()
        context = F.group_norm(means, CONTEXT_GROUPS, self.weight, self.bias)
        return x * torch.sigmoid(context).to(x.dtype)


class OmniScaleBlock(nn.Module):
    """Four scales side by side, gated and added, around a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, gate: type[nn.Module]) -> None:
        super().__init__()
        inner = channels_out // 4
        self.reduce = nn.Conv2d(channels_in, inner, 1)
        self.scales = nn.ModuleList(
            nn.Sequential(*(LightConv(inner) for _ in range(n + 1))) for n in range(N_SCALES)
        )
        self.gate = gate(inner)
        self.expand = nn.Conv2d(inner, channels_out, 1)
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        narrow = F.relu(self.reduce(x))
        mixed = self.gate(self.scales[0](narrow))
        for scale in self.scales[1:]:
            mixed = mixed + self.gate(scale(narrow))
        return F.relu(self.expand(mixed) + self.shortcut(x))


class Stem(nn.Module):
    """Pixels 0-255 to 64 channels at a quarter of the size; normalisation is inside."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        # ImageNet's, in 0-255: what the start was trained with.
        for name, rgb in (("mean", (123.675, 116.28, 103.53)), ("std", (58.395, 57.12, 57.375))):
            self.register_buffer(name, torch.tensor(rgb)[:, None, None], persistent=False)
        self.picture_norm = nn.InstanceNorm2d(3, affine=True)
        self.conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.norm = nn.InstanceNorm2d(64, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.picture_norm((x.float() - self.mean) / self.std)
        x = self.norm(self.conv(x))
        # Instance normalisation leaves channels first, in which a CPU pools and convolves slower.
        x = x.contiguous(memory_format=torch.channels_last)
        return F.max_pool2d(F.relu(x), 3, stride=2, padding=1)


def _pair_of_blocks(channels_in: int, channels_out: int, *, halve: bool) -> nn.Sequential:
    blocks = nn.Sequential(
        OmniScaleBlock(channels_in, channels_out, SqueezeGate),
        OmniScaleBlock(channels_out, channels_out, ContextGate),
        nn.Conv2d(channels_out, channels_out, 1),
        nn.ReLU(),
    )
    if halve:
        blocks.append(nn.AvgPool2d(2))
    return blocks


def _stages() -> list[nn.Module]:
    return [
        Stem(),  # (B, 64, 64, 32)
        _pair_of_blocks(64, 256, halve=True),  # (B, 256, 32, 16)
        _pair_of_blocks(256, 384, halve=True),  # (B, 384, 16, 8)
        _pair_of_blocks(384, 512, halve=False),  # (B, 512, 16, 8)
    ]


class Head(nn.Module):
    """Weighs every place of every channel, then projects."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.full((512, 16, 8), 1 / 128))
        self.place_bias = nn.Parameter(torch.zeros(512))
        self.project = nn.Linear(512, dimension)
        self.activate = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        pooled = (x * self.place).sum((2, 3)) + self.place_bias  # (B, 512)
        return cast(Tensor, self.activate(self.project(pooled)))


class EdgeNetwork(EmbeddingNetwork):
    """Crops of people to vectors, with an entrance for visible and one for infrared light."""

    family = "edge"

    def __init__(self, architecture: EdgeArchitecture) -> None:
        super().__init__()
        self._architecture = architecture
        n = architecture.independent_stages
        self.visible = nn.Sequential(*_stages()[:n])
        self.infrared = nn.Sequential(*_stages()[:n])
        self.shared = nn.Sequential(*_stages()[n:])
        self.head = Head(architecture.dimension)

    @property
    def architecture(self) -> EdgeArchitecture:
        """What builds the same network again."""
        return self._architecture

    @property
    def input_hw(self) -> tuple[int, int]:
        """Height and width in pixels of the crops it takes."""
        return INPUT_HEIGHT_PX, INPUT_WIDTH_PX

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._architecture.dimension

    def forward(self, pixels: Tensor, is_infrared: Tensor) -> Tensor:
        """Vectors of crops, see `EmbeddingNetwork.forward`."""
        self.check(pixels, is_infrared)
        entered = pixels
        if self._architecture.independent_stages > 0:
            entered = by_light(self.visible, self.infrared, pixels, is_infrared)
        return cast(Tensor, self.head(self.shared(entered)))

    def forward_one_light(self, pixels: Tensor, *, infrared: bool) -> Tensor:
        """`forward` for a batch of one light: no branch in it depends on a tensor, for export."""
        entered = (self.infrared if infrared else self.visible)(pixels)
        return cast(Tensor, self.head(self.shared(entered)))

    def parts(self, pixels: Tensor, is_infrared: Tensor) -> Parts:
        """The vector as one part of one stream; there is no neck."""
        vectors = self(pixels, is_infrared)[None, None]  # (1, 1, B, D)
        return Parts(features=vectors, necked=vectors)
