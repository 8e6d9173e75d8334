"""What a training run is made of, in one closed file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from streams.config import Section
from streams.errors import ConfigInvalid


class Recipe(Section):
    """Everything that decides the outcome but the crops and the machine."""

    name: Annotated[str, Field(min_length=1, description="Name of the network that comes out.")]
    seed: Annotated[int, Field(ge=0, description="Seed of sampling and augmentation.")] = 0
    independent_stages: Annotated[
        int, Field(ge=0, le=4, description="First stages that exist once per modality.")
    ] = 1
    iterations: Annotated[int, Field(ge=1, description="Steps of the optimiser.")] = 500
    people_per_batch: Annotated[int, Field(ge=2, description="Identities in a batch.")] = 12
    crops_per_modality: Annotated[
        int, Field(ge=1, description="Crops of an identity in a batch, in each modality.")
    ] = 2
    learning_rate: Annotated[float, Field(gt=0, description="Of AdamW, after warm-up.")] = 1e-4
    weight_decay: Annotated[float, Field(ge=0, description="Of AdamW.")] = 1e-4
    warm_up_iterations: Annotated[int, Field(ge=0, description="Linear rise of the rate.")] = 15
    largest_gradient: Annotated[float, Field(gt=0, description="Norm that gradients keep to.")] = 5
    temperature: Annotated[
        float, Field(gt=0, description="Similarities are divided by it in the contrastive loss.")
    ] = 1 / 12
    cross_share: Annotated[
        float, Field(ge=0, le=1, description="Share of the loss over pairs across light only.")
    ] = 0.5
    teacher_weight: Annotated[
        float, Field(ge=0, description="Weight of staying close to the start in visible light.")
    ] = 1.0
    pseudo_infrared_share: Annotated[
        float,
        Field(ge=0, le=1, description="Share of infrared crops made from visible ones instead."),
    ] = 0.2
    trained_share: Annotated[
        float,
        Field(ge=0, le=1, description="Result = this share trained + the rest of the start."),
    ] = 0.7
    checkpoint_every: Annotated[int, Field(ge=1, description="Steps between two files.")] = 100


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        ConfigInvalid: Not a readable file of known keys with values in their bounds.
    """
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ConfigInvalid(f"{path}: not a recipe: {error}") from error


def fingerprint(recipe: Recipe) -> str:
    """First 12 hex digits of the sha256 of all settings, defaults included."""
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()[:12]
