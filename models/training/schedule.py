"""The learning rate over a run."""

from __future__ import annotations

import math

from models.training.recipe import Recipe, ScheduleSettings


def n_iterations(recipe: Recipe, *, batches_per_epoch: int) -> int:
    """Steps of the optimiser in the whole run."""
    return recipe.length * (batches_per_epoch if recipe.unit == "epochs" else 1)


def rate(schedule: ScheduleSettings, *, at: float, length: float) -> float:
    """Share of the highest learning rate.

    Within the warm-up it is constant over a unit of time and rises from unit to unit: in epochs,
    `0.1 (e + 1) / 10` for e < 10 as in MMN and AGW (Ye et al., TPAMI 2021).

    Args:
        at: When, in the unit of `length`, from 0 on.
        length: Of the run.

    >>> steps = ScheduleSettings(shape="steps", warm_up=10)
    >>> [rate(steps, at=t, length=80) for t in (0, 4.7, 9, 30)]
    [0.1, 0.5, 1.0, 1.0]
    """
    if at < schedule.warm_up:
        return min((math.floor(at) + 1) / schedule.warm_up, 1.0)
    if schedule.shape == "cosine":
        span = max(length - schedule.warm_up, 1)
        return 0.5 * (1 + math.cos(math.pi * (at - schedule.warm_up) / span))
    return next((drop.rate for drop in reversed(schedule.drops) if at >= drop.at), 1.0)
