"""Weights files of the embedder: safetensors, with what one must know to trust them inside.

Nothing is unpickled. Weights are stored in half precision: four megabytes instead of eight, and
vectors move by less than a thousandth.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.errors import WeightsRefused
from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork
from models.types import ModelId

FORMAT = "noctule-embedder-1"
FAMILY = "edge"


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

    network: EdgeNetwork
    card: Card
    model: ModelId


def write_checkpoint(path: Path, network: EdgeNetwork, card: Card) -> None:
    """Writes the network in half precision, complete or not at all."""
    tensors = {name: t.detach().half().contiguous() for name, t in network.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "family": FAMILY,
        "architecture": json.dumps(asdict(network.architecture)),
        "card": json.dumps(asdict(card)),
    }
    partial = path.with_suffix(".part")
    save_file(tensors, partial, metadata=metadata)
    partial.replace(path)


def read_checkpoint(path: Path) -> Checkpoint:
    """The network in evaluation mode on the CPU, in full precision, and its card.

    Raises:
        WeightsRefused: Not a safetensors file, or not of this network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsRefused(
            f"{path}: expected a safetensors file of an embedder, could not read it ({error})"
        ) from error
    network = EdgeNetwork(_architecture(path, metadata))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsRefused(
            f"{path}: its tensors do not fit the architecture it names; the file is damaged or "
            f"of another version ({str(error).splitlines()[0]})"
        ) from error
    if not all(bool(torch.isfinite(t).all()) for t in tensors.values()):
        raise WeightsRefused(f"{path}: holds weights that are not finite; fetch it again")
    card = Card(**json.loads(metadata["card"]))
    model = ModelId(f"{card.name}@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}")
    return Checkpoint(network=network.eval(), card=card, model=model)


def _architecture(path: Path, metadata: dict[str, str]) -> EdgeArchitecture:
    found = (metadata.get("format"), metadata.get("family"))
    if found != (FORMAT, FAMILY):
        raise WeightsRefused(
            f"{path}: expected an embedder of format {FORMAT}, family {FAMILY}, got format "
            f"{found[0]}, family {found[1]}; name a file made by `noctule train`"
        )
    try:
        Card(**json.loads(metadata["card"]))
        return EdgeArchitecture(**json.loads(metadata["architecture"]))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsRefused(
            f"{path}: its description of the network is not readable ({error})"
        ) from error
