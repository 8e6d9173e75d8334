"""Networks by name, and the registry that builds a network from its architecture."""

from __future__ import annotations

from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork
from models.reid.networks.types import Architecture, EmbeddingNetwork

_PRESETS: dict[str, Architecture] = {"edge": EdgeArchitecture()}


def preset_names() -> tuple[str, ...]:
    """Names that `preset` knows, in alphabetical order."""
    return tuple(sorted(_PRESETS))


def preset(name: str) -> Architecture:
    """The architecture of a preset.

    Raises:
        ValueError: No preset has this name.
    """
    if name not in _PRESETS:
        raise ValueError(f"network: expected one of {', '.join(preset_names())}, got {name!r}")
    return _PRESETS[name]


def build(architecture: Architecture) -> EmbeddingNetwork:
    """A network of an architecture with random weights, in training mode.

    Raises:
        ValueError: No family takes this architecture.
    """
    if isinstance(architecture, EdgeArchitecture):
        return EdgeNetwork(architecture)
    raise ValueError(f"architecture: no network of family {architecture.family!r} is known")
