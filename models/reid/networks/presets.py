"""Networks by name, and the registry that builds a network from its architecture.

What each preset takes from which description, and what it decides where descriptions disagree, is
in docs/recognition/network.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from pydantic import TypeAdapter

from models.reid.modules.attention import AttentionSettings
from models.reid.modules.generator import GeneratorSettings
from models.reid.modules.pooling import PoolingSettings
from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork
from models.reid.networks.resnet import ResNetArchitecture, ResNetNetwork
from models.reid.networks.types import Architecture, EmbeddingNetwork

_FAMILIES: dict[str, TypeAdapter[Architecture]] = {
    EdgeNetwork.family: cast(TypeAdapter[Architecture], TypeAdapter(EdgeArchitecture)),
    ResNetNetwork.family: cast(TypeAdapter[Architecture], TypeAdapter(ResNetArchitecture)),
}
_PRESETS: dict[str, Architecture] = {
    "edge": EdgeArchitecture(),
    "mmn": ResNetArchitecture(
        generator=GeneratorSettings(), pooling=PoolingSettings(kind="mean", stripes=4)
    ),
    "paper001": ResNetArchitecture(
        generator=GeneratorSettings(relu_after=()),
        attention=AttentionSettings(after=(3,)),
        pooling=PoolingSettings(kind="gem", stripes=4),
    ),
    "patent000": ResNetArchitecture(
        independent_stages=2,
        generator=GeneratorSettings(decoder="separate"),
        attention=AttentionSettings(after=(3, 4), form="mask"),
        pooling=PoolingSettings(kind="gem", whole="halved", stripes=4),
    ),
    "caj": ResNetArchitecture(
        height_px=288,
        width_px=144,
        pooling=PoolingSettings(kind="gem", whole="full", stripes=0),
    ),
    "botnet002": ResNetArchitecture(
        independent_stages=1,
        last_layer="attention",
        generator=GeneratorSettings(mode="grey"),
        pooling=PoolingSettings(kind="gem", whole="full", stripes=4),
    ),
}


def preset_names() -> tuple[str, ...]:
    """Names that `preset` knows, in alphabetical order."""
    return tuple(sorted(_PRESETS))


def preset(name: str, changes: Mapping[str, object] | None = None) -> Architecture:
    """The architecture of a preset.

    Args:
        changes: Settings to differ in, as in a recipe: `{"depth": 18, "attention": None}`. What is
            inside another setting is given whole.

    Raises:
        ValueError: No preset has this name, or a change does not fit it.
    """
    if name not in _PRESETS:
        raise ValueError(f"network: expected one of {', '.join(preset_names())}, got {name!r}")
    found = _PRESETS[name]
    if not changes:
        return found
    return read_architecture(found.family, {**architecture_fields(found), **changes})


def architecture_fields(architecture: Architecture) -> dict[str, object]:
    """Settings of an architecture as JSON has them; `read_architecture` reads them back."""
    return asdict(architecture)  # type: ignore[call-overload,no-any-return]


def read_architecture(family: str, fields: object) -> Architecture:
    """An architecture from its settings, every one of them checked.

    Raises:
        ValueError: No such family, or a setting is unknown or out of its bounds.
    """
    if family not in _FAMILIES:
        raise ValueError(f"family: expected one of {', '.join(_FAMILIES)}, got {family!r}")
    return _FAMILIES[family].validate_python(fields)


def build(architecture: Architecture) -> EmbeddingNetwork:
    """A network of an architecture with random weights, in training mode.

    Raises:
        ValueError: No family takes this architecture.
    """
    if isinstance(architecture, EdgeArchitecture):
        return EdgeNetwork(architecture)
    if isinstance(architecture, ResNetArchitecture):
        return ResNetNetwork(architecture)
    raise ValueError(f"architecture: no network of family {architecture.family!r} is known")
