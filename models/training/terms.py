"""Settings of the losses: which, how heavy, over which parts of the body.

Classifiers look at features behind the neck, losses of distances at those before it (Luo et al.,
"Bag of Tricks", CVPR Workshops 2019). A loss is the mean over its parts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from streams.config import Section


class _Term(Section):
    weight: Annotated[float, Field(ge=0, description="Factor in the sum.")] = 1.0
    parts: Annotated[
        Literal["all", "whole", "stripes"], Field(description="Parts of the body it looks at.")
    ] = "all"


class ContrastiveTerm(_Term):
    """Telling people apart by all pairs of a batch, `losses.contrastive`."""

    loss: Literal["contrastive"]
    temperature: Annotated[float, Field(gt=0, description="Similarities are divided by it.")] = (
        1 / 12
    )
    cross_share: Annotated[
        float, Field(ge=0, le=1, description="Share of the loss over pairs across light only.")
    ] = 0.5


class DriftTerm(_Term):
    """Staying close to the start in visible light, `losses.drift`; over the first part."""

    loss: Literal["drift"]


class IdentityTerm(_Term):
    """Naming the person, `losses.identity`: one classifier without bias per part."""

    loss: Literal["identity"]
    smoothing: Annotated[float, Field(ge=0, lt=1, description="Of the labels.")] = 0.1
    heads: Annotated[
        Literal["shared", "per_light"],
        Field(description="One classifier for both lights, or one for each."),
    ] = "shared"


class TripletTerm(_Term):
    """Hardest triplets over pairs of a visible and an infrared stream, `losses.triplet`."""

    loss: Literal["triplet"]
    margin: Annotated[float, Field(gt=0, description="Of Euclidean distances.")] = 0.3


class WeightedTripletTerm(_Term):
    """Weighted regularised triplets over all crops, `losses.weighted_triplet`."""

    loss: Literal["weighted_triplet"]
    form: Annotated[Literal["difference", "squared"], Field(description="AGW's or CAJ's.")] = (
        "difference"
    )


class ConsistencyTerm(_Term):
    """Auxiliary pictures of both lights look alike, `losses.consistency`; needs a generator."""

    loss: Literal["consistency"]


class HeteroCentreTripletTerm(_Term):
    """Triplets of the centres of people in each light, `losses.hetero_centre`."""

    loss: Literal["hetero_centre_triplet"]
    margin: Annotated[float, Field(gt=0, description="Of Euclidean distances.")] = 0.3


class HeteroCentreTerm(_Term):
    """One centre in both lights, `losses.hetero_centre`."""

    loss: Literal["hetero_centre"]


class CentreTerm(_Term):
    """Learned centres of people, `losses.centre`."""

    loss: Literal["centre"]


class QuintupletTerm(_Term):
    """Hardest positive and negative in both lights, `losses.quintuplet`."""

    loss: Literal["quintuplet"]
    margin: Annotated[float, Field(gt=0, description="Of Euclidean distances.")] = 0.3


Term = Annotated[
    ContrastiveTerm
    | DriftTerm
    | IdentityTerm
    | TripletTerm
    | WeightedTripletTerm
    | ConsistencyTerm
    | HeteroCentreTripletTerm
    | HeteroCentreTerm
    | CentreTerm
    | QuintupletTerm,
    Field(discriminator="loss"),
]


def label(term: Term) -> str:
    """Name of a term in curves and reports."""
    return term.loss if term.parts == "all" else f"{term.loss}_{term.parts}"
