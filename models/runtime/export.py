"""Networks as graph files: one per light, pixels 0-255 in, vectors out, any number of crops.

A graph takes (B, H, W, 3) uint8 RGB as cut from a frame and resized; normalisation is inside. Two
graphs rather than one with a switch: no library then computes the entrance of the other light.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor, nn

from models.errors import RuntimeUnusable
from models.reid.networks.edge import Stem
from models.reid.networks.types import EmbeddingNetwork
from models.runtime.libraries import import_openvino, is_installed
from models.runtime.types import GraphFormat
from models.types import ModelId
from streams.disk import sha256_of
from streams.types import Modality

LAYOUT = 2
"""Grows when files of an older version of this module must not be used any more."""
CARD = "export.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCard:
    """What a folder of graphs says about itself.

    Attributes:
        model: The network that was exported.
        format: Of its graph files.
        made_with: Versions of all that had a part in it.
        input_hw: Height and width in pixels of the crops it takes.
        dimension: Length of a vector.
        sha256: Of every other file of the folder, by name.
    """

    model: ModelId
    format: GraphFormat
    made_with: str
    input_hw: tuple[int, int]
    dimension: int
    sha256: dict[str, str]


def graph_file(folder: Path, graph_format: GraphFormat, light: Modality) -> Path:
    """Where the graph of a light lies in a folder of graphs."""
    return folder / f"{light}{graph_format.suffix}"


def can_export(graph_format: GraphFormat) -> bool:
    """Whether what writes this format is installed."""
    if graph_format is GraphFormat.OPENVINO:
        return is_installed("openvino")
    return is_installed("onnx") and is_installed("onnxscript")


def made_with(graph_format: GraphFormat) -> str:
    """Versions of all that has a part in an export, in one line."""
    names = {GraphFormat.OPENVINO: ("openvino",), GraphFormat.ONNX: ("onnx", "onnxscript")}
    libraries = ("torch", *names[graph_format])
    return ", ".join([f"layout {LAYOUT}", *(f"{name} {version(name)}" for name in libraries)])


def export(
    network: EmbeddingNetwork, model: ModelId, graph_format: GraphFormat, folder: Path
) -> ExportCard:
    """Writes the graphs of both lights and their card into a folder: all of it or nothing.

    Args:
        network: On the CPU, in evaluation mode.
        folder: Is made; may exist if it is empty or holds an earlier export.

    Raises:
        RuntimeUnusable: What writes the format is not installed, or cannot express the network.
        OSError: The folder cannot be written.
    """
    if not can_export(graph_format):
        extra = {GraphFormat.OPENVINO: "cpu", GraphFormat.ONNX: "export"}[graph_format]
        raise RuntimeUnusable(
            f"export to {graph_format}: its libraries are not installed; "
            f"pip install 'noctule[{extra}]'"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
        made = Path(scratch) / "graphs"
        made.mkdir()
        exact = with_exact_entrance(network)
        for light in Modality:
            _write_graph(exact, light, graph_format, graph_file(made, graph_format, light))
        card = ExportCard(
            model=model,
            format=graph_format,
            made_with=made_with(graph_format),
            input_hw=network.input_hw,
            dimension=network.dimension,
            sha256={file.name: sha256_of(file) for file in sorted(made.iterdir())},
        )
        (made / CARD).write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")
        _put(made, folder, aside=Path(scratch) / "earlier")
    return card


def read_export(folder: Path, model: ModelId, graph_format: GraphFormat) -> ExportCard:
    """The card of a folder of graphs whose every byte is as it was written.

    Raises:
        RuntimeUnusable: Missing, damaged, or of another network or version.
    """
    try:
        fields = json.loads((folder / CARD).read_text(encoding="utf-8"))
        card = ExportCard(**(fields | {"input_hw": tuple(fields["input_hw"])}))
        damaged = [n for n, sum_ in card.sha256.items() if sha256_of(folder / n) != sum_]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuntimeUnusable(f"{folder}: not a complete export ({error})") from error
    if damaged:
        raise RuntimeUnusable(f"{folder}: {', '.join(damaged)} changed since the export")
    found, wanted = (card.model, card.made_with), (model, made_with(graph_format))
    if found != wanted:
        raise RuntimeUnusable(f"{folder}: an export of {found}, expected {wanted}")
    return card


def folder_name(graph_format: GraphFormat) -> str:
    """Name of a cached export, another one for other versions of the libraries."""
    digest = hashlib.sha256(made_with(graph_format).encode()).hexdigest()
    return f"{graph_format}-{digest[:8]}"


def with_exact_entrance(network: EmbeddingNetwork) -> EmbeddingNetwork:
    """A copy whose first normalisation meets pixels as whole numbers.

    bfloat16 holds 0-255 exactly, but of shifted and divided pixels only 8 bits: in a dim crop,
    whose values lie close together, that is most of what there is (docs/recognition/runtime.md).
    Instance normalisation undoes any shift and scale of a channel, so both are left out; its
    epsilon, which guards against flat channels, is scaled instead.
    """
    exact = copy.deepcopy(network)
    for module in exact.modules():
        if isinstance(module, Stem):
            module.picture_norm.eps *= float(module.std.square().mean())
            module.mean.zero_()
            module.std.fill_(1)
    return exact


class _OneLight(nn.Module):
    """The network for one light, from pixels as cameras give them."""

    def __init__(self, network: EmbeddingNetwork, *, infrared: bool) -> None:
        super().__init__()
        self.network = network
        self.infrared = infrared

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels.permute(0, 3, 1, 2).float()  # (B, 3, H, W)
        return self.network.forward_one_light(x, infrared=self.infrared).float()


def _write_graph(
    network: EmbeddingNetwork, light: Modality, graph_format: GraphFormat, path: Path
) -> None:
    one_light = _OneLight(network, infrared=light is Modality.INFRARED).eval()
    example = torch.zeros((2, *network.input_hw, 3), dtype=torch.uint8)
    with (
        warnings.catch_warnings(),
        torch.no_grad(),
        _quietly("torch.onnx", "onnxscript", "onnx_ir"),
    ):
        warnings.simplefilter("ignore")  # the exporters warn of their own insides
        try:
            if graph_format is GraphFormat.OPENVINO:
                _write_openvino(one_light, example, path)
            else:
                _write_onnx(one_light, example, path)
        except RuntimeError as error:  # both exporters' errors are of this family
            raise RuntimeUnusable(
                f"export to {graph_format}: the network cannot be expressed "
                f"({str(error).splitlines()[0]})"
            ) from error


def _write_openvino(one_light: nn.Module, example: Tensor, path: Path) -> None:
    openvino = import_openvino()
    shape = openvino.PartialShape([-1, *example.shape[1:]])
    model = openvino.convert_model(one_light, example_input=example, input=[shape])
    openvino.save_model(model, path, compress_to_fp16=False)


def _write_onnx(one_light: nn.Module, example: Tensor, path: Path) -> None:
    program = torch.onnx.export(
        one_light,
        (example,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        input_names=["pixels"],
        output_names=["vectors"],
        verbose=False,
    )
    if program is None:
        raise RuntimeUnusable("export to onnx: torch gave no program")
    program.save(path, external_data=False)


@contextmanager
def _quietly(*names: str) -> Iterator[None]:
    """Loggers that say nothing below ERROR meanwhile."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _put(made: Path, folder: Path, *, aside: Path) -> None:
    """Moves a finished folder to its place; an earlier export there goes away."""
    try:
        made.replace(folder)
    except OSError:
        if not (folder / CARD).is_file() and any(folder.iterdir()):
            raise  # something else lies there: not ours to remove
        folder.rename(aside)
        made.replace(folder)
