"""The start of training for residual networks: what ImageNet taught the trunk.

torchvision's weights are asked for first, then a file on disk with torchvision's names of tensors.
Networks of the second kind may have the stride of a bottleneck in its first 1x1 convolution instead
of the 3x3; shapes do not tell, so files that do are known by their content.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
import torchvision
from torch import Tensor

from models.errors import WeightsRefused, WeightsUnavailable
from models.reid.networks.resnet import ResNetArchitecture, ResNetNetwork, Stage
from streams.disk import sha256_of

logger = logging.getLogger(__name__)

STRIDE_AT_1X1 = {"1004dfcfa413937533da47631db9fd428b35cf0522cc1fbe9c028630d50b5d03": "MIT"}
"""sha256 and licence of files whose bottlenecks shrink in the first 1x1 convolution."""
TORCHVISION_LICENCE = "BSD-3-Clause (torchvision), trained on ImageNet-1k"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageNetStart:
    """A network whose trunk knows ImageNet; generator, attention and necks are as new.

    Attributes:
        network: Both streams alike. Its architecture has the stride where the weights want it.
        source: Where the weights came from, for the report.
        licence: Of those weights, as far as it is known.
    """

    network: ResNetNetwork
    source: str
    licence: str


def download_from_torchvision(depth: int) -> Mapping[str, Tensor]:
    """torchvision's first weights of a residual network, which the field starts from.

    Raises:
        OSError: No connection, or no room in the cache.
        RuntimeError: What came is not what its name promises.
    """
    weights = torchvision.models.get_model_weights(f"resnet{depth}").IMAGENET1K_V1
    state = weights.get_state_dict(progress=False, check_hash=True)
    return cast(Mapping[str, Tensor], state)


def imagenet_start(
    architecture: ResNetArchitecture,
    *,
    file: Path | None = None,
    download: Callable[[int], Mapping[str, Tensor]] = download_from_torchvision,
) -> ImageNetStart:
    """A network that begins with what ImageNet taught.

    Args:
        architecture: `stride_at` is decided by the weights that are found.
        file: Weights to fall back on where the download fails, with torchvision's tensor names.
        download: Gives torchvision's weights of a depth.

    Raises:
        WeightsUnavailable: No download and no file.
        WeightsRefused: The weights that were found are not of a residual network of this depth.
    """
    try:
        state = download(architecture.depth)
    except (OSError, RuntimeError) as error:
        if file is None or not file.is_file():
            instead = "no file was named" if file is None else f"{file} is not a file"
            raise WeightsUnavailable(
                f"ImageNet weights of resnet{architecture.depth}: torchvision's could not be "
                f"downloaded ({error}) and {instead}; connect once, or name a file of them with "
                f"torchvision's tensor names"
            ) from error
        logger.info("torchvision's weights cannot be had (%s), taking %s", error, file)
        return _start_from_file(architecture, file)
    network = ResNetNetwork(replace(architecture, stride_at="3x3"))
    source = f"torchvision resnet{architecture.depth} IMAGENET1K_V1"
    fill_trunk(network, state, source=source)
    return ImageNetStart(network=network, source=source, licence=TORCHVISION_LICENCE)


def fill_trunk(network: ResNetNetwork, state: Mapping[str, Tensor], *, source: str) -> None:
    """Copies torchvision's tensors into every stream of the network.

    Self-attention in the last layer has no counterpart and stays as it is.

    Args:
        source: Names the weights in an error.

    Raises:
        WeightsRefused: A tensor is missing or has another shape.
    """
    for stage in (*network.visible, *network.infrared, *network.shared):
        name, layer = cast(Stage, stage).name, cast(Stage, stage).layer
        prefix = "" if name == "stem" else f"{name}."
        for own_name, own in layer.state_dict().items():
            theirs = state.get(prefix + own_name)
            if own_name.endswith("num_batches_tracked") or _is_attention(network, name, own_name):
                continue
            if theirs is None or theirs.shape != own.shape:
                found = "nothing" if theirs is None else f"{tuple(theirs.shape)}"
                raise WeightsRefused(
                    f"{source}: expected resnet{network.architecture.depth} with torchvision's "
                    f"names, {prefix}{own_name} of {tuple(own.shape)}, found {found}"
                )
            own.copy_(theirs)


def _is_attention(network: ResNetNetwork, stage: str, name: str) -> bool:
    attends = network.architecture.last_layer == "attention" and stage == "layer4"
    return attends and ".conv2." in name


def _start_from_file(architecture: ResNetArchitecture, file: Path) -> ImageNetStart:
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsRefused(
            f"{file}: expected a file of tensors by torchvision's names, could not read it "
            f"({str(error).splitlines()[0]})"
        ) from error
    if not isinstance(state, Mapping):
        raise WeightsRefused(f"{file}: expected tensors by name, found {type(state).__name__}")
    digest = sha256_of(file)
    known = digest in STRIDE_AT_1X1 and architecture.depth == 50
    network = ResNetNetwork(replace(architecture, stride_at="1x1" if known else "3x3"))
    fill_trunk(network, state, source=file.name)
    return ImageNetStart(
        network=network,
        source=f"{file.name}, sha256 {digest[:12]}",
        licence=STRIDE_AT_1X1.get(digest, f"that of {file.name}"),
    )
