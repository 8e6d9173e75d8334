"""noctule embed: vectors of pictures of people, for those who want to compare them elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.config import EmbedderConfig
from pipeline.cli.options import ModalityOption
from pipeline.cli.output import print_line, progress_console
from pipeline.errors import UsageInvalid


def embed(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures cropped to one person each, or folders of them.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write, .npz.")],
    modality: ModalityOption = "auto",
    weights: Annotated[
        str, typer.Option("--weights", help="Embedder: name in the manifest, or a file.")
    ] = EmbedderConfig().weights,
) -> None:
    """Write arrays file, vec (N, D; unit rows), modality and model of pictures of people.

    Example: noctule embed crops/ --modality auto --out features.npz
    """
    from models.reid.embedder import load_embedder  # torch takes seconds: not for --help
    from models.reid.pictures import embed_pictures, find_pictures, write_features

    if out.suffix != ".npz" or not out.absolute().parent.is_dir():
        raise UsageInvalid(f"--out {out}: expected a name ending in .npz in a folder that exists")
    files = find_pictures(pictures)
    embedder = load_embedder(EmbedderConfig(weights=weights))
    columns = (
        TextColumn("embedding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pictures, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress_console) as bar:
        task = bar.add_task("", total=len(files))
        features = embed_pictures(
            files, embedder, modality=modality, on_done=lambda n: bar.advance(task, n)
        )
    write_features(out, features)
    print_line(
        f"{len(features.files)} of {len(files)} pictures, {embedder.dimension} numbers each, "
        f"by {embedder.model}: {out}"
    )
