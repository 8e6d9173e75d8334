"""What a run begins with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from models.reid.checkpoint import read_checkpoint
from models.reid.networks.edge import EdgeArchitecture
from models.reid.networks.presets import architecture_fields, preset
from models.reid.networks.resnet import ResNetArchitecture
from models.reid.networks.types import Architecture, EmbeddingNetwork
from models.training.imagenet import imagenet_start
from models.training.recipe import Recipe, in_one_line
from models.training.start import RETAIL_0277_LICENCE, start_from_retail_0277
from models.weights import obtain
from streams.errors import ConfigInvalid

_IMAGENET_SUFFIXES = {".pth", ".pt"}
_USUAL = {"edge": ", or person-reidentification-retail-0277.xml"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """A network to train on from.

    Attributes:
        name: What it is, for people.
        licence: What its weights may be used for; the result inherits it.
    """

    network: EmbeddingNetwork
    name: str
    licence: str


def architecture_of(recipe: Recipe) -> Architecture:
    """The network that a recipe trains.

    Raises:
        ConfigInvalid: No such preset, or a change that does not fit it.
    """
    try:
        return preset(recipe.network, recipe.changes)
    except ValidationError as error:
        raise ConfigInvalid(f"recipe {recipe.name}: changes: {in_one_line(error)}") from error
    except ValueError as error:
        raise ConfigInvalid(f"recipe {recipe.name}: {error}") from error


def open_start(recipe: Recipe, named: str | None) -> Start:
    """The start that is named, of the architecture that the recipe trains.

    Args:
        named: An embedder by name or file, `person-reidentification-retail-0277.xml`, a .pth file
            of ImageNet weights, or None for the usual start of the network: torchvision's ImageNet
            weights for residual networks.

    Raises:
        ConfigInvalid: The network has no usual start, or what is named is of another network.
        WeightsUnavailable: No such file.
        WeightsRefused: The file is not what its name says.
    """
    architecture = architecture_of(recipe)
    if isinstance(architecture, ResNetArchitecture) and not _is_embedder(named):
        found = imagenet_start(architecture, file=None if named is None else Path(named))
        return Start(network=found.network, name=found.source, licence=found.licence)
    if isinstance(architecture, EdgeArchitecture) and named is not None and named.endswith(".xml"):
        network: EmbeddingNetwork = start_from_retail_0277(
            Path(named), independent_stages=architecture.independent_stages
        )
        return Start(network=network, name=Path(named).stem, licence=RETAIL_0277_LICENCE)
    if named is None or named.endswith(".xml"):
        raise ConfigInvalid(
            f"recipe {recipe.name}: expected --start FILE: an embedder (.safetensors) of network "
            f"{recipe.network}" + _USUAL.get(architecture.family, "")
        )
    checkpoint = read_checkpoint(obtain(named))
    if not _alike(checkpoint.network.architecture, architecture):
        raise ConfigInvalid(
            f"--start {named}: expected network {recipe.network} with "
            f"{architecture_fields(architecture)}, found "
            f"{architecture_fields(checkpoint.network.architecture)}"
        )
    return Start(network=checkpoint.network, name=checkpoint.model, licence=checkpoint.card.licence)


def _alike(found: Architecture, wanted: Architecture) -> bool:
    """Whether they are one network; which convolution has the stride follows from the weights."""
    if isinstance(found, ResNetArchitecture) and isinstance(wanted, ResNetArchitecture):
        return replace(found, stride_at=wanted.stride_at) == wanted
    return found == wanted


def _is_embedder(named: str | None) -> bool:
    return named is not None and Path(named).suffix not in _IMAGENET_SUFFIXES
