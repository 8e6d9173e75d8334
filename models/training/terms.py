"""Settings of the losses: which, how heavy, over what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from streams.config import Section

Weight = Annotated[float, Field(ge=0, description="Factor in the sum.")]


class ContrastiveTerm(Section):
    """Telling people apart by all pairs of a batch, `losses.contrastive`."""

    loss: Literal["contrastive"]
    weight: Weight = 1.0
    temperature: Annotated[float, Field(gt=0, description="Similarities are divided by it.")] = (
        1 / 12
    )
    cross_share: Annotated[
        float, Field(ge=0, le=1, description="Share of the loss over pairs across light only.")
    ] = 0.5


class DriftTerm(Section):
    """Staying close to the start in visible light, `losses.drift`."""

    loss: Literal["drift"]
    weight: Weight = 1.0


Term = Annotated[ContrastiveTerm | DriftTerm, Field(discriminator="loss")]
