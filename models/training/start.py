"""The start of training: the Open Model Zoo's person-reidentification-retail-0277 as our network.

That network (Intel, Apache-2.0) has the layout of `EdgeNetwork`. Its file lists operations in
order of execution, so the weights are dealt out by walking both in that order. It takes BGR and
turns it into RGB first; ours takes RGB.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import WeightsRefused
from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork, OmniScaleBlock, Stem
from models.runtime.libraries import openvino_core

RETAIL_0277_LICENCE = (
    "Apache-2.0. Derived from person-reidentification-retail-0277 of the Open Model Zoo, "
    "Copyright (c) Intel Corporation, licensed under the Apache License, Version 2.0; changed by "
    "further training."
)
_WEIGHTED = {"Convolution", "GroupConvolution", "Add", "Multiply", "PRelu", "MatMul"}


def start_from_retail_0277(xml: Path, *, independent_stages: int) -> EdgeNetwork:
    """Our network with the weights of the OpenVINO file, both streams alike.

    Raises:
        WeightsRefused: The file is another network.
    """
    architecture = EdgeArchitecture(independent_stages=independent_stages)
    network = EdgeNetwork(architecture)
    plain = EdgeNetwork(EdgeArchitecture(independent_stages=0))
    # The batch normalisation of the last layer is not folded there.
    scale, shift = torch.ones(architecture.dimension), torch.zeros(architecture.dimension)
    *inner, slope = _parameters_in_order(plain)
    constants = list(_constants_in_order(xml))
    wanted = [*inner, scale, shift, slope]
    if [t.numel() for t in wanted] != [t.numel() for t in constants]:
        raise WeightsRefused(
            f"{xml.name}: expected person-reidentification-retail-0277, found another layout"
        )
    with torch.no_grad():
        for parameter, constant in zip(wanted, constants, strict=True):
            parameter.copy_(constant.reshape(parameter.shape))
        plain.head.project.weight.mul_(scale[:, None])
        plain.head.project.bias.mul_(scale).add_(shift)
    for n, stage in enumerate(plain.shared):
        if n < independent_stages:
            network.visible[n].load_state_dict(stage.state_dict())
            network.infrared[n].load_state_dict(stage.state_dict())
        else:
            network.shared[n - independent_stages].load_state_dict(stage.state_dict())
    network.head.load_state_dict(plain.head.state_dict())
    return network


def _constants_in_order(xml: Path) -> Iterator[Tensor]:
    """Weights of an OpenVINO network in the order its operations execute, repeats included.

    The scale of the colours is left out: it is ImageNet's, as in `Stem`.
    """
    first = True
    for operation in openvino_core().read_model(xml).get_ordered_ops():
        if operation.get_type_name() not in _WEIGHTED:
            continue
        for port in operation.inputs():
            node = port.get_source_output().get_node()
            while node.get_type_name() == "Convert":  # stored as fp16
                node = node.inputs()[0].get_source_output().get_node()
            if node.get_type_name() == "Constant":
                if not first:
                    yield torch.from_numpy(np.array(node.data, dtype=np.float32))
                first = False


def _parameters_in_order(network: EdgeNetwork) -> Iterator[Tensor]:
    """Parameters in order of execution; a gate comes once per scale that passes it."""
    for stage in network.shared:
        if isinstance(stage, Stem):
            yield from stage.parameters()
            continue
        assert isinstance(stage, nn.Sequential)
        for part in stage:
            if isinstance(part, OmniScaleBlock):
                yield from _block_in_order(part)
            else:
                yield from part.parameters()
    yield from network.head.parameters()


def _block_in_order(block: OmniScaleBlock) -> Iterator[Tensor]:
    yield from block.reduce.parameters()
    for scale in block.scales:
        yield from scale.parameters()
        yield from block.gate.parameters()
    yield from block.expand.parameters()
    yield from block.shortcut.parameters()
