"""What a training run is made of, in one closed file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from models.training.terms import Term
from streams.config import Section
from streams.errors import ConfigInvalid

SHIPPED = Path(__file__).parent / "recipes"
_Share = Annotated[float, Field(ge=0, le=1)]


class BatchSettings(Section):
    """Which crops meet in a batch."""

    people: Annotated[int, Field(ge=2, description="Identities in a batch.")] = 12
    per_modality: Annotated[
        int, Field(ge=1, description="Crops of an identity in a batch, in each light.")
    ] = 2
    camera_diverse: Annotated[
        bool, Field(description="Crops of one person and light come from different cameras.")
    ] = True
    visible_only_share: Annotated[
        _Share, Field(description="Share of people of a batch seen in visible light only.")
    ] = 0.0
    pseudo_infrared_share: Annotated[
        _Share, Field(description="Share of infrared crops made from visible ones instead.")
    ] = 0.0


class AugmentationSettings(Section):
    """What is done to a crop before the network sees it."""

    kind: Annotated[
        Literal["surveillance", "plain"],
        Field(
            description="surveillance: far, dark, compressed, noisy, hidden, colours lost; "
            "plain: padding and random crop, mirror, random erasing, as published recipes have it."
        ),
    ] = "plain"
    pad_px: Annotated[int, Field(ge=0, description="plain: black border to crop from.")] = 10
    erase_probability: Annotated[_Share, Field(description="plain: of random erasing.")] = 0.5
    second_visible_view: Annotated[
        bool,
        Field(
            description="Every visible crop comes a second time with one of its channels for all "
            "three (channel augmentation)."
        ),
    ] = False


class OptimiserSettings(Section):
    """How weights move."""

    kind: Annotated[Literal["sgd", "adamw"], Field(description="Which optimiser.")] = "sgd"
    learning_rate: Annotated[float, Field(gt=0, description="At its highest.")] = 0.1
    backbone_rate: Annotated[
        float, Field(gt=0, description="Share of the rate for weights that another network gave.")
    ] = 1.0
    weight_decay: Annotated[float, Field(ge=0, description="Per step, of the rate.")] = 5e-4
    momentum: Annotated[float, Field(ge=0, lt=1, description="Of SGD, Nesterov's.")] = 0.9
    largest_gradient: Annotated[
        float | None, Field(gt=0, description="Norm that gradients keep to; none: no limit.")
    ] = None


class Drop(Section):
    """A step of the learning rate."""

    at: Annotated[float, Field(ge=0, description="When, in the unit of the run's length.")]
    rate: Annotated[float, Field(ge=0, description="Share of the highest rate from then on.")]


class ScheduleSettings(Section):
    """How the learning rate goes over the run; times are in the unit of its length."""

    shape: Annotated[Literal["cosine", "steps"], Field(description="After the warm-up.")] = "steps"
    warm_up: Annotated[
        float, Field(ge=0, description="Linear rise from rate/warm_up to the rate.")
    ] = 10
    drops: Annotated[tuple[Drop, ...], Field(description="For steps, in order of time.")] = ()

    @model_validator(mode="after")
    def _drops_in_order(self) -> Self:
        if list(self.drops) != sorted(self.drops, key=lambda drop: drop.at):
            raise ValueError("drops: expected in order of time")
        return self


class Recipe(Section):
    """Everything that decides the outcome but the crops and the machine."""

    name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the network that comes out."),
    ]
    network: Annotated[str, Field(description="Preset of the network.")]
    changes: Annotated[
        dict[str, object], Field(description="Settings of the network other than the preset's.")
    ] = Field(default_factory=dict)
    seed: Annotated[int, Field(ge=0, description="Seed of everything random.")] = 0
    length: Annotated[int, Field(ge=1, description="Of the run, in its unit.")]
    unit: Annotated[
        Literal["epochs", "iterations"], Field(description="Of length and schedule.")
    ] = "epochs"
    batch: Annotated[BatchSettings, Field(description="Sampling.")] = BatchSettings()
    augmentation: Annotated[AugmentationSettings, Field(description="Augmentation.")] = (
        AugmentationSettings()
    )
    optimiser: Annotated[OptimiserSettings, Field(description="Optimiser.")] = OptimiserSettings()
    schedule: Annotated[ScheduleSettings, Field(description="Learning rate over time.")] = (
        ScheduleSettings()
    )
    losses: Annotated[tuple[Term, ...], Field(min_length=1, description="Weighted sum of these.")]
    precision: Annotated[
        Literal["bf16", "fp32"], Field(description="Of the network's arithmetic; weights are fp32.")
    ] = "bf16"
    average_decay: Annotated[
        float,
        Field(ge=0, lt=1, description="Of the moving average of weights that is shipped; 0: none."),
    ] = 0.0
    trained_share: Annotated[
        _Share, Field(description="Result = this share trained + the rest of the start.")
    ] = 1.0
    checkpoint_every: Annotated[int, Field(ge=1, description="Iterations between files.")] = 100


def read_recipe(name_or_path: str | Path) -> Recipe:
    """A shipped recipe by its name, or the recipe in a YAML file.

    Raises:
        ConfigInvalid: Not a readable file of known keys with values in their bounds.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = SHIPPED / f"{name_or_path}.yaml"
        if not path.is_file():
            raise ConfigInvalid(
                f"recipe: expected one of {', '.join(recipe_names())} or a .yaml file, "
                f"got {name_or_path}"
            )
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigInvalid(
            f"{path}: expected the file of a recipe ({error.strerror}); shipped ones are "
            f"{', '.join(recipe_names())}"
        ) from error
    except ValidationError as error:
        raise ConfigInvalid(f"{path}: not a recipe: {in_one_line(error)}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())
        raise ConfigInvalid(f"{path}: not a recipe, expected YAML: {words}") from error


def in_one_line(error: ValidationError) -> str:
    """Every mistake as `key: what is wrong`, one after the other."""
    mistakes = error.errors(include_input=False, include_url=False)
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"]))) for one in mistakes
    )


def recipe_names() -> list[str]:
    """Names of the shipped recipes, in alphabetical order."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def fingerprint(recipe: Recipe) -> str:
    """First 12 hex digits of the sha256 of all settings, defaults included."""
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()[:12]


def altered(
    recipe: Recipe,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
    seed: int | None = None,
    visible_only_share: float | None = None,
) -> Recipe:
    """A recipe with what a command line says differently; None keeps the recipe's.

    Another length keeps the shape of the schedule: its times shrink or stretch in proportion.
    """
    changes: dict[str, object] = {}
    length, unit = (epochs, "epochs") if epochs is not None else (iterations, "iterations")
    if length is not None:
        factor = length / recipe.length
        drops = tuple(Drop(at=drop.at * factor, rate=drop.rate) for drop in recipe.schedule.drops)
        warm_up = recipe.schedule.warm_up * factor
        schedule = recipe.schedule.model_copy(update={"warm_up": warm_up, "drops": drops})
        changes |= {"length": length, "unit": unit, "schedule": schedule}
    if seed is not None:
        changes["seed"] = seed
    if visible_only_share is not None:
        share = {"visible_only_share": visible_only_share}
        changes["batch"] = recipe.batch.model_copy(update=share)
    return recipe.model_copy(update=changes)
