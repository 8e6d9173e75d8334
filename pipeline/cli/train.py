"""noctule train: an embedder from labelled crops."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.output import print_line
from pipeline.errors import UsageInvalid

_VisibleOnlyShare = Annotated[
    float | None,
    typer.Option(
        "--visible-only-share",
        min=0,
        max=1,
        help="Share of people in a batch who were seen in visible light only.",
    ),
]
_Split = Annotated[
    int, typer.Option("--split", min=1, max=10, help="Only for RegDB: which of its splits.")
]
_Device = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where to train.")
]
_Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Further processes that prepare batches; default: none beside a CPU, up to 8 "
        "beside a GPU.",
    ),
]
_Data = Annotated[
    list[Path],
    typer.Option("--data", help="Folder of a dataset; may be given again to join several."),
]
_Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where the run in --out stands, to the bit.")
]


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or a .yaml file.")],
    data: _Data,
    out: Annotated[Path, typer.Option("--out", help="Folder for weights, curves and report.")],
    start: Annotated[
        str | None,
        typer.Option("--start", help="What to begin with; default: the network's usual start."),
    ] = None,
    resume: _Resume = False,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Length instead of the recipe's.")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option("--iterations", min=1, help="Length instead of the recipe's.")
    ] = None,
    visible_only_share: _VisibleOnlyShare = None,
    split: _Split = 1,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Default: recipe's.")] = None,
    device: _Device = "auto",
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads of torch.")] = 1,
    workers: _Workers = None,
) -> None:
    """Train an embedder on people who are known in both lights.

    Example: noctule train edge --data crops/ --start edge --out run/ --iterations 1000
    """
    from models.datasets.catalogue import read_dataset  # torch takes seconds: not for --help
    from models.datasets.types import join
    from models.device import limit_threads, pick_device
    from models.training.loop import Session
    from models.training.loop import train as run
    from models.training.recipe import altered, read_recipe
    from models.training.starts import open_start

    if epochs is not None and iterations is not None:
        raise UsageInvalid("--epochs and --iterations: expected one of them, got both")
    if out.exists() and not out.is_dir():
        raise UsageInvalid(f"--out {out}: expected a folder or a new name, found a file")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = altered(
        read_recipe(recipe),
        epochs=epochs,
        iterations=iterations,
        seed=seed,
        visible_only_share=visible_only_share,
    )
    where = pick_device(device)
    if workers is None:
        workers = 0 if where.type == "cpu" else min(8, os.cpu_count() or 1)
    session = Session(out=out, device=where, resume=resume, workers=workers)
    limit_threads(threads)
    dataset = join([read_dataset(folder, split=split) for folder in data])
    run(settings, open_start(settings, start), dataset, session=session)
    print_line(f"trained: {out / settings.name}.safetensors; how it went: {out / 'curves.csv'}")
