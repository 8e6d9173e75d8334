"""What a run leaves behind for people: curves while it goes, and how to repeat it."""

from __future__ import annotations

import csv
import importlib.util
import json
import logging
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from models.datasets.types import Dataset
from models.training.recipe import Recipe, fingerprint

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger(__name__)

CURVES = "curves.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the curves.

    Attributes:
        iteration: Number of the step, from 0 on.
        rate: Learning rate of new weights.
        losses: Weighted, by name.
        people: Identities in the batch.
        wall_s: Time since the first step, without interruptions.
    """

    iteration: int
    rate: float
    losses: Mapping[str, float]
    people: int
    wall_s: float

    def row(self) -> dict[str, float]:
        """Columns of the CSV."""
        return {
            "iteration": self.iteration,
            "rate": self.rate,
            **self.losses,
            "total": sum(self.losses.values()),
            "people": self.people,
            "wall_s": round(self.wall_s, 2),
        }


class Curves:
    """`curves.csv`, and TensorBoard's events where TensorBoard is installed."""

    def __init__(self, out: Path, *, first: int) -> None:
        """Opens the files; lines from iteration `first` on, of a run that was cut, are dropped."""
        path = out / CURVES
        kept = [row for row in _rows(path) if int(row["iteration"]) < first]
        self._file = path.open("w", newline="", encoding="utf-8")
        self._csv: csv.DictWriter[str] | None = None
        for row in kept:
            self._write(row)
        self._board: SummaryWriter | None = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def add(self, step: Step) -> None:
        """Appends a step."""
        row = step.row()
        self._write({name: f"{value:.6g}" for name, value in row.items()})
        if self._board is not None:
            for name, value in row.items():
                self._board.add_scalar(name, value, step.iteration)

    def _write(self, row: Mapping[str, str]) -> None:
        if self._csv is None:
            self._csv = csv.DictWriter(self._file, list(row))
            self._csv.writeheader()
        self._csv.writerow(row)
        self._file.flush()


def write_report(
    path: Path,
    recipe: Recipe,
    dataset: Dataset,
    *,
    data: str,
    last: Step,
    start: str,
) -> None:
    """What it takes to repeat the run, and where it stands; the way there is in the curves."""
    report = {
        "commit": _commit(),
        "recipe": recipe.model_dump(),
        "recipe_sha256": fingerprint(recipe),
        "data_sha256": data,
        "data": dataset.name,
        "n_pictures": len(dataset.train),
        "n_people": len({image.person for image in dataset.train}),
        "start": start,
        "seed": recipe.seed,
        "torch": torch.__version__,
        "hardware": _hardware(),
        "n_iterations_done": last.iteration + 1,
        "checkpoint_rule": "last iteration; no test data took part in choosing it",
        "last_step": last.row(),
        "wall_s": round(last.wall_s, 1),
    }
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _hardware() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {platform.machine()}"
    return f"CPU, {platform.machine()}, {torch.get_num_threads()} thread(s)"


def _commit() -> str:
    """Hash of the checked-out commit, "unknown" outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
