"""The training loop, top to bottom."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from models.datasets.types import Dataset, fingerprint, readable
from models.reid.checkpoint import Card, write_checkpoint
from models.reid.networks.types import EmbeddingNetwork, Parts
from models.training import recipe as recipes
from models.training.batch import Batch, Batches
from models.training.errors import TrainingDiverged
from models.training.memory import keep_freed_memory
from models.training.objective import Objective, body_of, total
from models.training.recipe import Recipe
from models.training.report import Curves, Step, write_report
from models.training.sampler import Plan, Sampler
from models.training.schedule import n_iterations, rate
from models.training.starts import Start
from models.training.state import FILE, Run, begin

logger = logging.getLogger(__name__)

LOG_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Where a run happens; nothing of it changes the outcome but rounding.

    Attributes:
        out: Folder for weights, state, curves and report; made if it is missing.
        resume: Go on where the run in `out` stands.
        workers: Further processes that prepare batches; 0 prepares them in turn with the steps.
        until: Stop after this many iterations as if interrupted there; None for all.
    """

    out: Path
    device: torch.device
    resume: bool = False
    workers: int = 0
    until: int | None = None


def train(recipe: Recipe, start: Start, dataset: Dataset, *, session: Session) -> EmbeddingNetwork:
    """Trains by a recipe and writes `NAME.safetensors`, `state.pt`, `curves.csv`, `report.json`.

    The last iteration is what ships: no test data chooses among checkpoints. Pictures that cannot
    be decoded are left out and logged.

    Returns:
        The network on the CPU in evaluation mode.
    """
    session.out.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    dataset = replace(dataset, train=tuple(readable(dataset.train)))  # not found out after hours
    sampler = Sampler(dataset.train, Plan(**recipe.batch.model_dump()))
    torch.manual_seed(recipe.seed)
    body = body_of(start.network.architecture, dimension=start.network.dimension)
    objective = Objective(recipe.losses, body, n_people=len(sampler.people))
    data = fingerprint(dataset.train)
    run = begin(recipe, start.network, objective, data=data, device=session.device)
    if session.resume:
        run.read(session.out / FILE)
    batches = Batches(
        sampler, recipe.augmentation, input_hw=start.network.input_hw, seed=recipe.seed
    )
    n = n_iterations(recipe, batches_per_epoch=sampler.batches_per_epoch)
    end = n if session.until is None else min(n, session.until)
    with Curves(session.out, first=run.iteration) as curves:
        began_s = time.monotonic() - run.wall_s
        for batch in batches.from_to(run.iteration, end, workers=session.workers):
            share = rate(
                recipe.schedule, at=run.iteration * recipe.length / n, length=recipe.length
            )
            losses = _step(run, batch.to(session.device), share=share)
            run.wall_s = time.monotonic() - began_s
            step = Step(
                iteration=run.iteration,
                rate=share * recipe.optimiser.learning_rate,
                losses=losses,
                people=run.people,
                wall_s=run.wall_s,
            )
            run.iteration += 1
            curves.add(step)
            if step.iteration % LOG_EVERY == 0:
                logger.info("%d of %d: %s", run.iteration, n, _in_words(step))
            if run.iteration % recipe.checkpoint_every == 0 or run.iteration == end:
                run.write(session.out / FILE)
                card = _card(run, start, dataset, n_total=n)
                write_checkpoint(session.out / f"{recipe.name}.safetensors", run.result(), card)
                report = session.out / "report.json"
                write_report(report, recipe, dataset, data=data, last=step, start=start.name)
    return run.result()


def _step(run: Run, batch: Batch, *, share: float) -> dict[str, float]:
    """One step of the optimiser; with fewer people when memory is short, from then on.

    Raises:
        TrainingDiverged: The loss is not finite.
        torch.OutOfMemoryError: Not even two people fit.
    """
    for group in run.optimiser.param_groups:
        group["lr"] = run.recipe.optimiser.learning_rate * group["share"] * share
    while True:
        try:
            losses = _backward(run, batch.of_first_people(run.people))
            break
        except torch.OutOfMemoryError:
            if run.people <= 2:
                raise
            run.people = max(run.people // 2, 2)
            logger.warning(
                "memory is short: %d people in a batch from now on; "
                "the result differs from the recipe's",
                run.people,
            )
        torch.cuda.empty_cache()  # here, not above: the error's frames still held the tensors
    if not all(map(math.isfinite, losses.values())):
        raise TrainingDiverged(
            f"iteration {run.iteration}: the loss is not finite ({losses}); lower "
            "optimiser.learning_rate, set optimiser.largest_gradient or use precision: fp32"
        )
    largest = run.recipe.optimiser.largest_gradient
    if largest is not None:
        parameters = [p for group in run.optimiser.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, largest)
    run.optimiser.step()
    if run.average is not None:
        run.average.update_parameters(run.network)
    return losses


def _backward(run: Run, batch: Batch) -> dict[str, float]:
    """Losses by name, and their gradients in the parameters."""
    run.optimiser.zero_grad(set_to_none=True)
    taught: Tensor | None = None
    bf16 = run.recipe.precision == "bf16"
    with torch.autocast(batch.pixels.device.type, torch.bfloat16, enabled=bf16):
        parts = run.network.parts(batch.pixels, batch.is_infrared)
        if run.objective.needs_teacher:
            visible = ~batch.is_infrared
            with torch.no_grad():
                taught = run.start(batch.pixels[visible], batch.is_infrared[visible])
    parts = Parts(features=parts.features.float(), necked=parts.necked.float())
    losses: dict[str, Tensor] = run.objective(parts, batch, taught)
    total(losses).backward()  # type: ignore[no-untyped-call]
    return {name: loss.item() for name, loss in losses.items()}


def _in_words(step: Step) -> str:
    terms = ", ".join(f"{name} {value:.4f}" for name, value in step.losses.items())
    return f"{terms}, rate {step.rate:.2g}, {step.wall_s / (step.iteration + 1):.2f} s a step"


def _card(run: Run, start: Start, dataset: Dataset, *, n_total: int) -> Card:
    n_people = len({image.person for image in dataset.train})
    return Card(
        name=run.recipe.name,
        stage=f"trained, {run.iteration} of {n_total} iterations, "
        f"recipe {recipes.fingerprint(run.recipe)}",
        data=f"{n_people} people of {dataset.name} (sha256 {run.data}), on top of {start.name}",
        licence=" ".join(filter(None, (start.licence, dataset.terms))),
    )
