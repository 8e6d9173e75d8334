"""Where a run stands, in memory and on disk, exact to the bit."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.reid.networks.types import EmbeddingNetwork
from models.training.errors import RunUnlike
from models.training.objective import Objective
from models.training.recipe import OptimiserSettings, Recipe, fingerprint

FILE = "state.pt"
_DAMAGED = (OSError, RuntimeError, EOFError, pickle.UnpicklingError)
"""What reading a file that is no state ends with; a short one is sought before its beginning."""


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """A run of training between two steps.

    Attributes:
        start: What the run began with; teacher and partner of the blend. Never changes.
        average: Moving average of the network's weights, None without.
        iteration: Steps that are done.
        people: Identities of a batch that memory has room for.
        wall_s: Time that the steps took, over all continuations.
    """

    recipe: Recipe
    data: str
    network: EmbeddingNetwork
    start: EmbeddingNetwork
    objective: Objective
    optimiser: Optimizer
    average: AveragedModel | None
    iteration: int
    people: int
    wall_s: float

    def result(self) -> EmbeddingNetwork:
        """What would be shipped now: the average where there is one, blended with the start."""
        trained = self.network if self.average is None else self.average.module
        return blend(self.start, trained, share=self.recipe.trained_share)

    def write(self, path: Path) -> None:
        """Writes what is needed to go on, complete or not at all."""
        partial = path.with_suffix(".part")
        torch.save(
            {
                "recipe": fingerprint(self.recipe),
                "data": self.data,
                "iteration": self.iteration,
                "people": self.people,
                "wall_s": self.wall_s,
                **{name: part.state_dict() for name, part in self._parts()},
            },
            partial,
        )
        partial.replace(path)

    def read(self, path: Path) -> None:
        """Goes to where a written run stood.

        Raises:
            RunUnlike: There is none, or it has another recipe or other data.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            found = {"recipe": state["recipe"], "data": state["data"]}
        except (FileNotFoundError, PermissionError) as error:
            raise RunUnlike(
                f"{path}: expected the state of a run to continue, found none that can be opened "
                f"({error.strerror}); start anew without --resume"
            ) from error
        except (*_DAMAGED, LookupError, TypeError) as error:
            raise RunUnlike(
                f"{path}: expected the state of a run to continue, found a damaged or other file; "
                "start anew without --resume"
            ) from error
        ours = {"recipe": fingerprint(self.recipe), "data": self.data}
        for what, value in ours.items():
            if found[what] != value:
                raise RunUnlike(
                    f"{path}: expected a run with {what} {value}, found {what} {found[what]}; "
                    "give the same as before, or start anew without --resume"
                )
        self.iteration, self.people = state["iteration"], state["people"]
        self.wall_s = state["wall_s"]
        for name, part in self._parts():
            part.load_state_dict(state[name])

    def _parts(self) -> Iterator[tuple[str, nn.Module | Optimizer]]:
        yield from (("network", self.network), ("start", self.start))
        yield from (("objective", self.objective), ("optimiser", self.optimiser))
        if self.average is not None:
            yield "average", self.average


def begin(
    recipe: Recipe,
    start: EmbeddingNetwork,
    objective: Objective,
    *,
    data: str,
    device: torch.device,
) -> Run:
    """A run before its first step."""
    network = copy.deepcopy(start).to(device).to(memory_format=torch.channels_last).train()
    objective = objective.to(device)
    average = None
    if recipe.average_decay > 0:
        average_of = get_ema_multi_avg_fn(recipe.average_decay)  # type: ignore[no-untyped-call]
        average = AveragedModel(network, multi_avg_fn=average_of)
    return Run(
        recipe=recipe,
        data=data,
        network=network,
        start=copy.deepcopy(network).eval().requires_grad_(False),
        objective=objective,
        optimiser=_optimiser(recipe.optimiser, network, objective),
        average=average,
        iteration=0,
        people=recipe.batch.people,
        wall_s=0.0,
    )


def blend(start: EmbeddingNetwork, trained: nn.Module, *, share: float) -> EmbeddingNetwork:
    """Weights between two networks on the CPU: 0 is the start, 1 the trained one.

    Wortsman et al., "Robust fine-tuning of zero-shot models" (CVPR 2022): a point in between keeps
    what the start knew of real pictures and most of what training taught. Counts are those of the
    trained one.
    """
    result = copy.deepcopy(start).cpu()
    ours: dict[str, Tensor] = {name: t.cpu() for name, t in trained.state_dict().items()}
    result.load_state_dict(
        {
            name: (1 - share) * weight + share * ours[name]
            if weight.is_floating_point()
            else ours[name]
            for name, weight in result.state_dict().items()
        }
    )
    return result.eval().requires_grad_(True)


def _optimiser(
    settings: OptimiserSettings, network: EmbeddingNetwork, objective: Objective
) -> Optimizer:
    """Two groups: weights that another network gave, and new ones."""
    given = {id(parameter) for parameter in network.backbone_parameters()}
    everything = [*network.parameters(), *objective.parameters()]
    groups = [
        {"params": [p for p in everything if id(p) in given], "share": settings.backbone_rate},
        {"params": [p for p in everything if id(p) not in given], "share": 1.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.kind == "adamw":
        return AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    return SGD(
        groups,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.momentum > 0,
    )
