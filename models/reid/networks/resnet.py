"""Two-stream residual networks for crops of both lights, with the parts that the field adds.

The first stages exist once per light, the rest is shared (AGW: Ye et al., "Deep Learning for Person
Re-identification: A Survey and Outlook", TPAMI 2021). Around them, each by choice: an auxiliary
modality (`modules.generator`), attention (`modules.attention`), self-attention in the last layer
(`modules.botnet`), parts of the body (`modules.pooling`), and a batch-normalising neck per part
(Luo et al., "Bag of Tricks", CVPR Workshops 2019). docs/recognition/network.md lists the presets.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, cast

import torch
import torch.nn.functional as F
import torchvision
from pydantic import ConfigDict
from torch import Tensor, nn

from models.reid.modules.attention import AttentionSettings, GuidedAttention
from models.reid.modules.botnet import PlaceAttention
from models.reid.modules.generator import RGB_MEAN, RGB_STD, GeneratorSettings, build_generator
from models.reid.modules.pooling import Pooling, PoolingSettings
from models.reid.networks.types import EmbeddingNetwork, Parts, by_light

FAMILY = "resnet"
N_STAGES = 5  # stem, then four residual layers
LAYER_CHANNELS = {18: (64, 128, 256, 512), 34: (64, 128, 256, 512), 50: (256, 512, 1024, 2048)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNetArchitecture:
    """What must be known to build a network that fits a weights file.

    Attributes:
        depth: Of the residual network; 18 and 34 are for experiments on a CPU.
        height_px: Of the crops, a multiple of what the network shrinks by: 16, or 32 at a last
            stride of 2.
        width_px: Of the crops, likewise.
        independent_stages: Residual layers, after the stem, that exist once per light; the stem
            always does. 0 shares all layers, 5 shares nothing (4 layers and the stem).
        last_stride: Of the last layer; 1 doubles the height and width of its map.
        stride_at: Which convolution of a bottleneck has the stride; weights fix it.
        last_layer: "attention" puts self-attention in the place of its 3x3 convolutions.
        heads: Of that self-attention.
        generator: The auxiliary modality, None for none.
        attention: Over maps of features, None for none. It belongs to the stage it follows and is
            independent where that stage is.
        pooling: Parts of the body.
        reduced: Channels to which a 1x1 convolution per part reduces, None for all.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    depth: Literal[18, 34, 50] = 50
    height_px: int = 384
    width_px: int = 192
    independent_stages: Literal[0, 1, 2, 3, 5] = 0
    last_stride: Literal[1, 2] = 1
    stride_at: Literal["3x3", "1x1"] = "3x3"
    last_layer: Literal["convolution", "attention"] = "convolution"
    heads: int = 4
    generator: GeneratorSettings | None = None
    attention: AttentionSettings | None = None
    pooling: PoolingSettings = field(default_factory=PoolingSettings)
    reduced: int | None = None

    def __post_init__(self) -> None:
        if self.independent_stages not in (0, 1, 2, 3, 5):
            raise ValueError(
                f"independent_stages: expected 0, 1, 2, 3 or 5, got {self.independent_stages}"
            )
        if self.depth not in LAYER_CHANNELS:
            raise ValueError(f"depth: expected 18, 34 or 50, got {self.depth}")
        shrink = self._shrink
        for side in (self.height_px, self.width_px):
            if side < 2 * shrink or side % shrink:
                raise ValueError(
                    f"height_px, width_px: expected multiples of {shrink} from {2 * shrink} on, "
                    f"got {self.height_px}, {self.width_px}"
                )
        if self.depth != 50 and (self.last_layer == "attention" or self.stride_at == "1x1"):
            raise ValueError(f"depth: expected 50 where bottlenecks are changed, got {self.depth}")
        if self.pooling.stripes > self.map_hw[0]:
            raise ValueError(
                f"stripes: expected at most one per row of the map, {self.map_hw[0]}, "
                f"got {self.pooling.stripes}"
            )

    @property
    def family(self) -> str:
        """Which networks it describes; a weights file names it."""
        return FAMILY

    @property
    def map_hw(self) -> tuple[int, int]:
        """Height and width of the last map of features."""
        return self.height_px // self._shrink, self.width_px // self._shrink

    @property
    def _shrink(self) -> int:
        return 16 * self.last_stride

    @property
    def part_channels(self) -> int:
        """Channels of each part."""
        return self.reduced or LAYER_CHANNELS[self.depth][-1]


class Stage(nn.Module):
    """The stem or one residual layer, and the attention that follows it."""

    def __init__(self, name: str, layer: nn.Module, attention: GuidedAttention | None) -> None:
        super().__init__()
        self.name = name
        self.layer = layer
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        return x if self.attention is None else cast(Tensor, self.attention(x))


class ResNetNetwork(EmbeddingNetwork):
    """Crops of people to parts and to one vector, with an entrance per light."""

    family = FAMILY
    mean: Tensor
    std: Tensor

    def __init__(self, architecture: ResNetArchitecture) -> None:
        super().__init__()
        self._architecture = architecture
        for name, rgb in (("mean", RGB_MEAN), ("std", RGB_STD)):
            self.register_buffer(name, torch.tensor(rgb)[:, None, None], persistent=False)
        settings = architecture.generator
        self.generator = build_generator(settings) if settings is not None else None
        n = min(architecture.independent_stages + 1, N_STAGES)
        stages = _stages(architecture)
        self.visible = nn.Sequential(*stages[:n])
        self.infrared = copy.deepcopy(self.visible)  # both begin alike, as with ImageNet's weights
        self.shared = nn.Sequential(*stages[n:])
        self.pooling = Pooling(architecture.pooling)
        n_parts, channels = architecture.pooling.n_parts, architecture.part_channels
        width = LAYER_CHANNELS[architecture.depth][-1]
        self.reduce = (
            nn.ModuleList(_reduction(width, channels) for _ in range(n_parts))
            if architecture.reduced is not None
            else None
        )
        self.necks = nn.ModuleList(_neck(channels) for _ in range(n_parts))

    @property
    def architecture(self) -> ResNetArchitecture:
        """What builds the same network again."""
        return self._architecture

    @property
    def input_hw(self) -> tuple[int, int]:
        """Height and width in pixels of the crops it takes."""
        return self._architecture.height_px, self._architecture.width_px

    @property
    def dimension(self) -> int:
        """Length of a vector: channels times parts."""
        return self._architecture.part_channels * self._architecture.pooling.n_parts

    def backbone_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that a pretrained residual network has values for."""
        for stage in (*self.visible, *self.infrared, *self.shared):
            for module in cast(Stage, stage).layer.modules():
                if not isinstance(module, PlaceAttention):
                    inside = isinstance(module, nn.Conv2d | nn.BatchNorm2d)
                    yield from module.parameters(recurse=False) if inside else ()

    def forward(self, pixels: Tensor, is_infrared: Tensor) -> Tensor:
        """One vector per crop, see `EmbeddingNetwork.forward`.

        Each stream gives its necked parts one after the other, at unit length; the vector is the
        sum of the streams. Cosines of such sums rank like the sum of MMN's four matrices: original
        and auxiliary feature of one side against both of the other,
        (f + f')(g + g') = fg + fg' + f'g + f'g'.
        """
        return _vector(self.parts(pixels, is_infrared))

    def forward_one_light(self, pixels: Tensor, *, infrared: bool) -> Tensor:
        """`forward` for a batch of one light: no branch in it depends on a tensor, for export."""
        return _vector(self._leave(self._enter(pixels, infrared=infrared)))

    def parts(self, pixels: Tensor, is_infrared: Tensor) -> Parts:
        """Parts of crops, see `EmbeddingNetwork.parts`."""
        self.check(pixels, is_infrared)
        return self._leave(
            by_light(
                lambda x: self._enter(x, infrared=False),
                lambda x: self._enter(x, infrared=True),
                pixels,
                is_infrared,
            )
        )

    def _enter(self, pixels: Tensor, *, infrared: bool) -> Tensor:
        """(B, S, C, H', W'): each crop and its auxiliary picture behind the stages of its light."""
        pictures = (pixels.float() - self.mean) / self.std
        streams = pictures[:, None]  # (B, 1, 3, H, W)
        if self.generator is not None:
            streams = torch.stack((pictures, self.generator(pictures, infrared=infrared)), 1)
        entered: Tensor = (self.infrared if infrared else self.visible)(streams.flatten(0, 1))
        return entered.reshape(-1, streams.shape[1], *entered.shape[1:])

    def _leave(self, entered: Tensor) -> Parts:
        n_streams = entered.shape[1]
        pooled: Tensor = self.pooling(self.shared(entered.flatten(0, 1)))  # (P, B S, C)
        if self.reduce is not None:
            pooled = torch.stack([reduce(x) for reduce, x in zip(self.reduce, pooled, strict=True)])
        necked = torch.stack([neck(x) for neck, x in zip(self.necks, pooled, strict=True)])
        apart = (len(pooled), -1, n_streams, pooled.shape[2])  # (P, B, S, C)
        features, necked = (x.reshape(apart).permute(2, 0, 1, 3) for x in (pooled, necked))
        return Parts(features=features, necked=necked)


def _vector(parts: Parts) -> Tensor:
    """(B, P C): the unit vectors of the streams, added."""
    necked = parts.necked.float().permute(0, 2, 1, 3).flatten(2)  # (S, B, P C)
    return F.normalize(necked, dim=-1).sum(0)


def _stages(architecture: ResNetArchitecture) -> list[Stage]:
    """The stem and the four layers, with random weights."""
    trunk = getattr(torchvision.models, f"resnet{architecture.depth}")(weights=None)
    if architecture.last_stride == 1:
        _set_stride_one(trunk.layer4[0])
    if architecture.stride_at == "1x1":
        for layer in (trunk.layer2, trunk.layer3, trunk.layer4):
            first = layer[0]
            first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride
    if architecture.last_layer == "attention":
        for n, block in enumerate(trunk.layer4):
            _look_around(block, architecture, shrinks=n == 0 and architecture.last_stride == 2)
    stem = nn.Sequential(
        OrderedDict(conv1=trunk.conv1, bn1=trunk.bn1, relu=trunk.relu, maxpool=trunk.maxpool)
    )
    stages = [Stage("stem", stem, None)]
    for n, channels in enumerate(LAYER_CHANNELS[architecture.depth], start=1):
        settings = architecture.attention
        attention = (
            GuidedAttention(channels, settings)
            if settings is not None and n in settings.after
            else None
        )
        stages.append(Stage(f"layer{n}", getattr(trunk, f"layer{n}"), attention))
    return stages


def _set_stride_one(block: nn.Module) -> None:
    for convolution in block.modules():
        if isinstance(convolution, nn.Conv2d):
            convolution.stride = (1, 1)


def _look_around(block: nn.Module, architecture: ResNetArchitecture, *, shrinks: bool) -> None:
    """Self-attention in the place of a bottleneck's 3x3; a stride goes to a pooling after it."""
    convolution = cast(nn.Conv2d, block.conv2)
    before = shrinks and architecture.stride_at == "3x3"
    height, width = (side * 2 if before else side for side in architecture.map_hw)
    attention = PlaceAttention(
        convolution.out_channels, heads=architecture.heads, map_hw=(height, width)
    )
    block.conv2 = nn.Sequential(attention, nn.AvgPool2d(2)) if before else attention


def _reduction(channels_in: int, channels_out: int) -> nn.Sequential:
    """To fewer channels per part, as in HcTri (Liu et al., TMM 2021)."""
    return nn.Sequential(
        nn.Linear(channels_in, channels_out), nn.BatchNorm1d(channels_out), nn.ReLU()
    )


def _neck(channels: int) -> nn.BatchNorm1d:
    neck = nn.BatchNorm1d(channels)
    neck.bias.requires_grad_(False)
    return neck
