"""noctule data: labelled pictures to train and to measure on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.options import JsonOption
from pipeline.cli.output import print_json, print_line

app = typer.Typer(no_args_is_help=True, help="Labelled pictures to train and to measure on.")

_SHOWN = 5


@app.callback()
def _group() -> None:
    """Labelled pictures to train and to measure on."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of a dataset.")],
    dataset: Annotated[
        Literal["sysu", "regdb", "llcm", "market1501", "folder"] | None,
        typer.Option("--as", help="What it should be; default: look."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say what a dataset holds, what is missing or damaged and how to get it lawfully.

    Exit code 1 when something is missing, a picture cannot be decoded, or people of the training
    set are also tested.

    Example: noctule data check SYSU-MM01/ --as sysu
    """
    from models.datasets import catalogue  # OpenCV takes a moment: not for --help

    finding = catalogue.check(catalogue.read_dataset(folder, dataset))
    if json:
        print_json(
            {
                "dataset": finding.name,
                "good": finding.is_good,
                "pictures": dict(finding.n_pictures),
                "people": dict(finding.n_people),
                "unreadable": [str(path) for path in finding.unreadable],
                "one_picture_in_some_light": list(finding.single),
                "in_training_and_test": list(finding.leaked),
            }
        )
    else:
        print_line(f"{folder}: {finding.name}")
        pictures = (f"{n} {use}" for use, n in finding.n_pictures.items() if n)
        print_line(f"pictures: {', '.join(pictures)}")
        people = (f"{n} {where}" for where, n in finding.n_people.items() if n)
        print_line(f"people to learn from: {', '.join(people)}")
        _print_some(
            "cannot be decoded, remove or fetch again", [str(path) for path in finding.unreadable]
        )
        _print_some("people with one picture only in some light", finding.single)
        _print_some("people both in training and in test", finding.leaked)
        print_line("good" if finding.is_good else "not good")
    if not finding.is_good:
        raise typer.Exit(1)


def _print_some(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        print_line(f"{what}: {', '.join(names[:_SHOWN])}{more}")
