"""Weights files of the embedder: safetensors, with what one must know to trust them inside.

Nothing is unpickled. Weights are stored in half precision: four megabytes instead of eight, and
vectors move by less than a thousandth. Counts and running statistics keep their precision: they are
few, and they may exceed what half precision holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.errors import WeightsRefused
from models.reid.networks.presets import architecture_fields, build, read_architecture
from models.reid.networks.types import Architecture, EmbeddingNetwork
from models.types import ModelId
from streams.disk import sha256_of

FORMAT = "noctule-embedder-1"
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a weights file says about itself.

    Attributes:
        name: Short name of the network, the first half of its `ModelId`.
        stage: How far it came, for people: "start, not trained across light" or "trained".
        data: What it learned from.
        licence: Licence of the weights and notice of what they are derived from.
    """

    name: str
    stage: str
    data: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """A network as it lay in a file."""

    network: EmbeddingNetwork
    card: Card
    model: ModelId


def write_checkpoint(path: Path, network: EmbeddingNetwork, card: Card) -> None:
    """Writes the network in half precision, complete or not at all."""
    metadata = {
        "format": FORMAT,
        "family": network.family,
        "architecture": json.dumps(architecture_fields(network.architecture)),
        "card": json.dumps(asdict(card)),
    }
    partial = path.with_suffix(".part")
    save_file(dict(_tensors(network)), partial, metadata=metadata)
    partial.replace(path)


def read_checkpoint(path: Path) -> Checkpoint:
    """The network in evaluation mode on the CPU, in full precision, and its card.

    Raises:
        WeightsRefused: Not a safetensors file, or of a network that is not ours or not the one it
            names.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsRefused(
            f"{path}: expected a safetensors file of an embedder, could not read it ({error})"
        ) from error
    network = build(_architecture(path, metadata))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reasons = " ".join(str(error).split())
        raise WeightsRefused(
            f"{path}: its tensors do not fit the architecture it names, "
            f"{metadata['architecture']}; the file is damaged or of another version "
            f"({reasons[:REASON_LENGTH]})"
        ) from error
    if not all(bool(torch.isfinite(t).all()) for t in tensors.values()):
        raise WeightsRefused(f"{path}: holds weights that are not finite; fetch it again")
    card = Card(**json.loads(metadata["card"]))
    model = ModelId(f"{card.name}@{sha256_of(path)[:12]}")
    return Checkpoint(network=network.eval(), card=card, model=model)


def _tensors(network: EmbeddingNetwork) -> Iterator[tuple[str, Tensor]]:
    learned = {name for name, _ in network.named_parameters()}
    for name, tensor in network.state_dict().items():
        kept = tensor.half() if name in learned else tensor
        yield name, kept.detach().cpu().contiguous()


def _architecture(path: Path, metadata: dict[str, str]) -> Architecture:
    if metadata.get("format") != FORMAT:
        raise WeightsRefused(
            f"{path}: expected an embedder of format {FORMAT}, got format "
            f"{metadata.get('format')}; name a file made by `noctule train`"
        )
    try:
        Card(**json.loads(metadata["card"]))
        return read_architecture(metadata["family"], json.loads(metadata["architecture"]))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsRefused(
            f"{path}: its description of the network is not readable ({error}); it may be of a "
            f"newer version of this program"
        ) from error
