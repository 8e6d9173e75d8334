"""The training loop, top to bottom."""

from __future__ import annotations

import copy
import itertools
import json
import logging
import math
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.reid.checkpoint import Card, write_checkpoint
from models.reid.embedder import to_input
from models.reid.networks.types import EmbeddingNetwork
from models.training import data, recipe
from models.training.augment import augment, pseudo_infrared
from models.training.data import LabelledCrop
from models.training.losses.contrastive import across_light
from models.training.losses.drift import similarity_drift
from models.training.recipe import Recipe
from streams.types import Modality

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the training's diary.

    Attributes:
        contrast: Loss of telling people apart, before weights.
        drift: Loss of moving away from the teacher, before weights.
    """

    iteration: int
    contrast: float
    drift: float
    wall_s: float


def train(
    settings: Recipe, start: EmbeddingNetwork, *, folder: Path, out: Path, licence: str
) -> EmbeddingNetwork:
    """Trains from a start and writes `NAME.safetensors` and `report.json`.

    Args:
        start: Network to begin with, which also is the teacher in visible light.
        folder: Training crops, see `models.training.data`.
        out: Folder for checkpoints and report; made if it is missing.
        licence: What the result may be used for; goes into its card.

    Returns:
        `trained_share` of the trained network, the rest of the start.
    """
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teacher = copy.deepcopy(start).to(device).to(memory_format=torch.channels_last).eval()
    network = copy.deepcopy(teacher).train()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    crops = data.find_crops(folder)
    supply = data.batches(
        crops, people=settings.people_per_batch, per_modality=settings.crops_per_modality, rng=rng
    )
    steps: list[Step] = []
    began_s = time.monotonic()
    for iteration, batch in enumerate(itertools.islice(supply, settings.iterations)):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * _rate(iteration, settings)
        pixels, person, is_infrared = (t.to(device) for t in _tensors(batch, settings, rng))

        with torch.autocast(device.type, torch.bfloat16):
            vectors = F.normalize(network(pixels, is_infrared).float())  # (B, D)
            with torch.no_grad():
                seen = F.normalize(teacher(pixels[~is_infrared], is_infrared[~is_infrared]).float())
        temperature, cross_share = settings.temperature, settings.cross_share
        contrast = across_light(
            vectors, person, is_infrared, temperature=temperature, cross_share=cross_share
        )
        drift = similarity_drift(vectors[~is_infrared], seen)
        loss = contrast + settings.teacher_weight * drift

        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.largest_gradient)
        optimiser.step()

        lost, wall_s = (contrast.item(), drift.item()), time.monotonic() - began_s
        steps.append(Step(iteration=iteration, contrast=lost[0], drift=lost[1], wall_s=wall_s))
        if iteration % 10 == 0:
            logger.info("%s", steps[-1])
        if (iteration + 1) % settings.checkpoint_every == 0 or iteration + 1 == settings.iterations:
            result = blend(start, network, share=settings.trained_share)
            card = _card(settings, licence, n_done=iteration + 1)
            write_checkpoint(out / f"{settings.name}.safetensors", result, card)
            write_checkpoint(out / "unblended.safetensors", network, card)
            _write_report(out / "report.json", settings, crops, steps)
    return result


def blend(start: EmbeddingNetwork, trained: EmbeddingNetwork, *, share: float) -> EmbeddingNetwork:
    """Weights between two networks: 0 is the start, 1 the trained one.

    Wortsman et al., "Robust fine-tuning of zero-shot models" (CVPR 2022): a point in between keeps
    what the start knew of real pictures and most of what simulated people taught.
    """
    result = copy.deepcopy(start)
    ours = trained.state_dict()
    result.load_state_dict(
        {
            name: (1 - share) * weight + share * ours[name].to(weight.device)
            for name, weight in start.state_dict().items()
        }
    )
    return result


def _rate(iteration: int, settings: Recipe) -> float:
    """Share of the learning rate: a linear rise, then half a cosine down to zero."""
    if iteration < settings.warm_up_iterations:
        return (iteration + 1) / settings.warm_up_iterations
    span = max(settings.iterations - settings.warm_up_iterations, 1)
    return 0.5 * (1 + math.cos(math.pi * (iteration - settings.warm_up_iterations) / span))


def _tensors(
    batch: Sequence[LabelledCrop], settings: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels (B, 3, H, W) float32 0-255, person (B,) int and is_infrared (B,) bool of a batch.

    A share of the infrared places is taken by visible crops of the same person that are turned into
    pseudo-infrared ones.
    """
    names = {name: n for n, name in enumerate(sorted({crop.person for crop in batch}))}
    pictures = []
    for crop in batch:
        source, turned = crop, False
        if crop.modality is Modality.INFRARED and rng.random() < settings.pseudo_infrared_share:
            visible = [
                c for c in batch if c.person == crop.person and c.modality is Modality.VISIBLE
            ]
            source, turned = visible[rng.integers(len(visible))], True
        pixels = to_input(data.read_pixels(source.path)).astype(np.float32)
        if turned:
            pixels = pseudo_infrared(pixels, rng)
        pictures.append(augment(pixels, crop.modality, rng))
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last in memory
    person = torch.tensor([names[crop.person] for crop in batch])
    return stacked, person, torch.tensor([c.modality is Modality.INFRARED for c in batch])


def _card(settings: Recipe, licence: str, *, n_done: int) -> Card:
    return Card(
        name=settings.name,
        stage=f"trained, {n_done} of {settings.iterations} iterations, "
        f"recipe {recipe.fingerprint(settings)}",
        data="simulated people only, on top of the start",
        licence=licence,
    )


def _write_report(
    path: Path, settings: Recipe, crops: Sequence[LabelledCrop], steps: Sequence[Step]
) -> None:
    """What it takes to repeat the run, and how it went."""
    report = {
        "commit": _commit(),
        "recipe": settings.model_dump(),
        "recipe_sha256": recipe.fingerprint(settings),
        "data_sha256": data.fingerprint(crops),
        "n_crops": len(crops),
        "n_people": len({crop.person for crop in crops}),
        "torch": torch.__version__,
        "hardware": f"{platform.machine()}, {torch.get_num_threads()} thread(s), "
        f"{'GPU' if torch.cuda.is_available() else 'CPU'}",
        "wall_s": round(steps[-1].wall_s, 1),
        "steps": [asdict(step) for step in steps],
    }
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")


def _commit() -> str:
    """Hash of the checked-out commit, "unknown" outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
