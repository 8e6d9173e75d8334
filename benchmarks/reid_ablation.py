"""What attention and generator of `paper001` bring, on simulated people, over three seeds.

    python -m benchmarks.reid_ablation --data DIR --held-out DIR --start FILE --work DIR --out FILE
    python -m benchmarks.reid_ablation --table --out FILE

Three networks, each a change of the preset, learn from the same people in the same batches: the
batches of a run follow from its seed alone, so the rows of one seed differ in the network only. The
training loop, the embedder and the evaluation are the product's own. The file is written after
every training; called again, the benchmark goes on where it was interrupted, within a training too.
`--table` prints what a file holds.

Input, batch, optimiser and schedule are made for a CPU, see docs/recognition/ablation.md: the
figures compare the three rows with one another and with nothing else.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import record
from models.config import EmbedderConfig
from models.datasets.folder import find_crops
from models.datasets.types import Dataset, LabelledImage, fingerprint
from models.evaluation.measure import measure
from models.evaluation.pictures import embed_images, in_order, labels_of
from models.evaluation.protocols import folder
from models.reid.checkpoint import Card, write_checkpoint
from models.reid.embedder import load_embedder
from models.training.loop import Session, train
from models.training.recipe import Recipe, read_recipe
from models.training.starts import open_start
from models.training.state import FILE

logger = logging.getLogger(__name__)

SEEDS = (0, 1, 2)
BASELINE, ATTENTION, GENERATOR = "baseline", "+ attention", "+ attention + generator"
LEFT_OUT = {BASELINE: ("attention", "generator"), ATTENTION: ("generator",), GENERATOR: ()}
UNTRAINED = "ImageNet, not trained"
DIRECTIONS = (
    "visible -> infrared",
    "infrared -> visible",
    "visible -> visible",
    "infrared -> infrared",
)
INPUT_HW = (96, 48)
BATCH = {"people": 8, "per_modality": 2, "camera_diverse": True}
OPTIMISER = {"kind": "adamw", "learning_rate": 1e-3, "backbone_rate": 0.2}
AUGMENTATION = {"kind": "surveillance"}
TRIPLET_WEIGHT = 0.1

_Figures = Mapping[str, Mapping[str, float]]  # by direction, then by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Whom the networks learn from, and whom they have to find."""

    train: Dataset
    held_out: tuple[LabelledImage, ...]


def recipe_of(variant: str, *, seed: int, iterations: int) -> Recipe:
    """The recipe of one training: `paper001` with a variant's parts, at a size for a CPU."""
    paper = read_recipe("paper001").model_dump()
    without = LEFT_OUT[variant]
    losses = [each for each in paper["losses"] if _keeps(each["loss"], without)]
    for each in losses:
        if each["loss"] == "triplet":
            each["weight"] = TRIPLET_WEIGHT
    height_px, width_px = INPUT_HW
    changes = {"height_px": height_px, "width_px": width_px, **dict.fromkeys(without)}
    return Recipe.model_validate(
        {
            **paper,
            "name": "ablation",
            "changes": changes,
            "seed": seed,
            "length": iterations,
            "unit": "iterations",
            "batch": BATCH,
            "augmentation": AUGMENTATION,
            "optimiser": OPTIMISER,
            "schedule": {"shape": "cosine", "warm_up": max(iterations // 20, 1)},
            "losses": losses,
            "checkpoint_every": 30,
        }
    )


def settings_of(data: Data, *, iterations: int, start: Path) -> dict[str, object]:
    """What must be the same for figures to stand in one table."""
    return {
        "recipes": {
            variant: recipe_of(variant, seed=SEEDS[0], iterations=iterations).model_dump(
                mode="json", exclude={"seed"}
            )
            for variant in LEFT_OUT
        },
        "start": start.name,
        "train": _described(data.train.train),
        "held_out": _described(data.held_out),
    }


def train_once(variant: str, seed: int, data: Data, arguments: argparse.Namespace) -> Path:
    """Weights of one variant under one seed; goes on where an earlier call stopped."""
    work: Path = arguments.work
    out = work / f"{list(LEFT_OUT).index(variant)}-{seed}"
    recipe = recipe_of(variant, seed=seed, iterations=arguments.iterations)
    torch.manual_seed(seed)  # attention begins at random
    start = open_start(recipe, str(arguments.start))
    resume = (out / FILE).exists()
    session = Session(out=out, device=torch.device("cpu"), resume=resume)
    train(recipe, start, data.train, session=session)
    return out / f"{recipe.name}.safetensors"


def write_untrained(arguments: argparse.Namespace) -> Path:
    """The baseline before its first step: what the trainings have to beat."""
    recipe = recipe_of(BASELINE, seed=SEEDS[0], iterations=arguments.iterations)
    start = open_start(recipe, str(arguments.start))
    card = Card(name="ablation", stage="untrained", data=start.name, licence=start.licence)
    arguments.work.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.work / "untrained.safetensors"
    write_checkpoint(path, start.network.eval(), card)
    return path


def figures(weights: Path, held_out: Sequence[LabelledImage]) -> _Figures:
    """Rank 1 and mAP of each direction, 0-1: all pictures ask, all of the other light's answer."""
    config = EmbedderConfig(
        weights=str(weights), device="cpu", runtime="torch", precision="float32"
    )
    labels = labels_of(held_out)
    vectors = embed_images(held_out, load_embedder(config))
    found: dict[str, dict[str, float]] = {}
    for search in measure(vectors, labels, folder(labels, shots=None, n_people=None)):
        assert search.plain is not None
        found[search.name] = {
            "rank1": search.plain.rank1.mean,
            "mean_ap": search.plain.mean_ap.mean,
            "n_queries": search.n_valid_queries,
            "n_gallery": search.n_gallery,
        }
    return found


def run(arguments: argparse.Namespace) -> None:
    """Trains and measures what the file does not hold yet."""
    data = _read(arguments)
    settings = settings_of(data, iterations=arguments.iterations, start=arguments.start)
    result = _begun(arguments.out, settings)
    rows: list[dict[str, object]] = result["trainings"]
    done = {(row["variant"], row["seed"]) for row in rows}
    if "untrained" not in result:
        result["untrained"] = figures(write_untrained(arguments), data.held_out)
        record(arguments.out, result)
    for seed in SEEDS:  # all variants of a seed first: an interrupted table has whole rows
        for variant in LEFT_OUT:
            if (variant, seed) in done:
                continue
            began_s = time.process_time()
            weights = train_once(variant, seed, data, arguments)
            trained_s = time.process_time()
            row = {
                "variant": variant,
                "seed": seed,
                "found": figures(weights, data.held_out),
                "cpu_s_training": round(trained_s - began_s, 1),
                "cpu_s_measuring": round(time.process_time() - trained_s, 1),
                "report": _report(weights.parent / "report.json"),
            }
            rows.append(row)
            record(arguments.out, result)
            (weights.parent / FILE).unlink()
            print(f"{variant}, seed {seed}: {row['found']}", flush=True)


def table(result: Mapping[str, Any]) -> str:
    """The file as Markdown: rank 1 / mAP in percent, mean ± sample deviation over seeds."""
    found = {
        variant: {
            row["seed"]: row["found"] for row in result["trainings"] if row["variant"] == variant
        }
        for variant in LEFT_OUT
    }
    lines = [
        f"| | seeds | {' | '.join(DIRECTIONS)} |",
        "|---|---|" + "---|" * len(DIRECTIONS),
        _line(UNTRAINED, [result["untrained"]]),
        *(_line(variant, list(of_seed.values())) for variant, of_seed in found.items()),
    ]
    for before, after in ((BASELINE, ATTENTION), (ATTENTION, GENERATOR)):
        both = [seed for seed in found[after] if seed in found[before]]
        changes = [_less(found[after][seed], found[before][seed]) for seed in both]
        lines.append(_line(f"*change: {after.rpartition('+ ')[2]}*", changes, sign="+"))
    return "\n".join(lines)


def _line(name: str, found: Sequence[_Figures], *, sign: str = "") -> str:
    cells = [
        " / ".join(
            _spread([100 * each[direction][figure] for each in found], sign)
            for figure in ("rank1", "mean_ap")
        )
        if found
        else "not run"
        for direction in DIRECTIONS
    ]
    n_seeds = "-" if name == UNTRAINED else str(len(found))
    return f"| {name} | {n_seeds} | {' | '.join(cells)} |"


def _less(after: _Figures, before: _Figures) -> _Figures:
    """What a part changed under one seed."""
    return {
        direction: {name: after[direction][name] - before[direction][name] for name in figures}
        for direction, figures in after.items()
    }


def _spread(values: Sequence[float], sign: str) -> str:
    mean = f"{statistics.mean(values):{sign}.1f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.1f}"


def _report(path: Path) -> dict[str, object]:
    """What the training says of itself, but for the recipe, which the settings hold."""
    report = json.loads(path.read_text("utf-8"))
    return {name: value for name, value in report.items() if name != "recipe"}


def _keeps(loss: str, without: Sequence[str]) -> bool:
    return loss != "consistency" or "generator" not in without


def _read(arguments: argparse.Namespace) -> Data:
    found = find_crops(arguments.data)
    people = sorted({each.person for each in found})[: arguments.people]
    kept = set(people)
    images = tuple(each for each in found if each.person in kept)
    return Data(
        train=Dataset(name=arguments.data.name, train=images),
        held_out=tuple(in_order(find_crops(arguments.held_out))),
    )


def _described(images: Sequence[LabelledImage]) -> dict[str, object]:
    return {
        "n_people": len({each.person for each in images}),
        "n_pictures": len(images),
        "sha256": fingerprint(images),
    }


def _begun(path: Path, settings: dict[str, object]) -> dict[str, Any]:
    """What the file holds of these settings; an empty result if there is no file."""
    if not path.exists():
        return {"settings": settings, "trainings": []}
    result = json.loads(path.read_text("utf-8"))["result"]
    if result["settings"] != json.loads(json.dumps(settings)):
        sys.exit(f"{path}: holds figures of other settings; name another --out, or remove it")
    return dict(result)


def main() -> None:
    """Runs the ablation, or prints its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="JSON, begun or not")
    parser.add_argument("--table", action="store_true", help="print what --out holds, no training")
    parser.add_argument("--data", type=Path, help="people to learn from, a folder of crops")
    parser.add_argument("--held-out", type=Path, help="other people, to measure on")
    parser.add_argument("--start", type=Path, help="ImageNet weights, if there is no connection")
    parser.add_argument("--work", type=Path, help="folder for the trainings")
    parser.add_argument("--people", type=int, default=100, help="how many to learn from")
    parser.add_argument("--iterations", type=int, default=170, help="of each training")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(arguments.out.read_text("utf-8"))["result"]))
        return
    if None in (arguments.data, arguments.held_out, arguments.start, arguments.work):
        parser.error("--data, --held-out, --start and --work are needed for a run")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    run(arguments)


if __name__ == "__main__":
    main()
