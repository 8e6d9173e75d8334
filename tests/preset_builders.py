"""Small residual networks and crops for them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from models.reid.modules.attention import AttentionSettings
from models.reid.modules.generator import GeneratorSettings
from models.reid.modules.pooling import PoolingSettings
from models.reid.networks.presets import (
    build,
)
from models.reid.networks.resnet import ResNetArchitecture, ResNetNetwork

SMALL = ResNetArchitecture(
    depth=18,
    height_px=64,
    width_px=32,
    generator=GeneratorSettings(),
    attention=AttentionSettings(),
    pooling=PoolingSettings(stripes=4),
)
BOTH = torch.tensor([True, False, True])


def small(**changes: object) -> ResNetNetwork:
    torch.manual_seed(0)
    network = build(replace(SMALL, **changes))  # type: ignore[arg-type]
    assert isinstance(network, ResNetNetwork)
    with torch.no_grad():  # both lights begin alike, and would hide a crop that goes astray
        for parameter in network.infrared.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    return network.eval()


def crops(n: int, network: ResNetNetwork) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, *network.input_hw), generator=generator).byte()
