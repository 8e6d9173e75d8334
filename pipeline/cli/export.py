"""noctule export: the embedder as graph files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from models.config import EmbedderConfig
from pipeline.cli.output import print_line
from pipeline.errors import UsageInvalid


def export(
    weights: Annotated[
        str, typer.Argument(help="Embedder: name in the manifest, or a .safetensors file.")
    ] = EmbedderConfig().weights,
    to: Annotated[
        Literal["onnx", "openvino"], typer.Option("--to", help="Format of the graph files.")
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; must not exist or be empty.")
    ] = None,
) -> None:
    """Write one graph per light: (B, H, W, 3) uint8 RGB in, (B, D) vectors out, not of unit length.

    The graphs are compared with torch on crops of both lights before the verb ends.

    Example: noctule export edge --to onnx --out graphs/
    """
    from models.reid.checkpoint import read_checkpoint  # torch takes seconds: not for --help
    from models.runtime.engines import open_graphs
    from models.runtime.export import export as export_graphs
    from models.runtime.libraries import is_installed
    from models.runtime.parity import make_probe, require_parity
    from models.runtime.types import GraphFormat, Runtime, Way
    from models.weights import obtain

    if out is None:
        raise UsageInvalid("--out: name the folder to write")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageInvalid(f"--out {out}: expected a folder that is empty or does not exist yet")
    checkpoint = read_checkpoint(obtain(weights))
    card = export_graphs(checkpoint.network, checkpoint.model, GraphFormat(to), out)
    print_line(f"{out}: {', '.join(card.sha256)} of {card.model}, made with {card.made_with}")
    if to == "onnx" and not is_installed("onnxruntime"):
        print_line("not compared with torch: onnxruntime is not installed")
        return
    way = Way(runtime=Runtime(to))
    engine = open_graphs(way, out, threads=1)
    cosine = require_parity(way, engine, make_probe(checkpoint.network))
    print_line(f"lowest cosine with torch, over crops of both lights: {cosine:.6f}")
