"""The weighted sum of losses that a recipe names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.reid.networks.resnet import ResNetArchitecture
from models.reid.networks.types import Architecture, Parts
from models.training.batch import Batch
from models.training.losses.centre import centre
from models.training.losses.consistency import ConsistencyProjector, distribution_consistency
from models.training.losses.contrastive import across_light
from models.training.losses.drift import similarity_drift
from models.training.losses.hetero_centre import hetero_centre, hetero_centre_triplet
from models.training.losses.identity import identity
from models.training.losses.quintuplet import hard_quintuplet
from models.training.losses.triplet import cross_modal_triplet
from models.training.losses.weighted_triplet import weighted_regularised_triplet
from models.training.terms import (
    CentreTerm,
    ConsistencyTerm,
    ContrastiveTerm,
    DriftTerm,
    HeteroCentreTerm,
    HeteroCentreTripletTerm,
    IdentityTerm,
    QuintupletTerm,
    Term,
    TripletTerm,
    label,
)
from streams.errors import ConfigInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What there is to look at.

    Attributes:
        whole: Places of the whole body among the parts, none or one.
        stripes: Places of the stripes.
        channels: Of each part.
        n_streams: 1, or 2 with auxiliary pictures.
    """

    whole: tuple[int, ...]
    stripes: tuple[int, ...]
    channels: int
    n_streams: int

    def parts(self, wanted: str) -> tuple[int, ...]:
        """Places of the parts that a term names."""
        chosen = {"all": self.whole + self.stripes, "whole": self.whole, "stripes": self.stripes}
        return chosen[wanted]


def body_of(architecture: Architecture, *, dimension: int) -> Body:
    """The parts that a network of this architecture gives.

    Args:
        dimension: Length of the network's vector.
    """
    if not isinstance(architecture, ResNetArchitecture):
        return Body(whole=(0,), stripes=(), channels=dimension, n_streams=1)
    pooling = architecture.pooling
    first = int(pooling.whole != "none")
    return Body(
        whole=tuple(range(first)),
        stripes=tuple(range(first, first + pooling.stripes)),
        channels=architecture.part_channels,
        n_streams=1 if architecture.generator is None else 2,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    """One part as a loss sees it: (S B, C) rows of all streams, and whose they are in which light.

    `streams` are the same rows as (S, B, C).
    """

    features: Tensor
    necked: Tensor
    streams: Tensor
    person: Tensor
    is_infrared: Tensor


class Objective(nn.Module):
    """Losses and the modules that belong to them; those are trained and not shipped."""

    def __init__(self, terms: Sequence[Term], body: Body, *, n_people: int) -> None:
        """Makes classifiers, centres and projectors, with torch's global generator.

        Raises:
            ConfigInvalid: A term asks for what the network does not give, or two are the same.
        """
        super().__init__()
        self._terms, self._body = tuple(terms), body
        labels = [label(term) for term in terms]
        if len(set(labels)) < len(labels):
            raise ConfigInvalid(f"losses: expected each once per kind of parts, got {labels}")
        for term in terms:
            if not body.parts(term.parts):
                raise ConfigInvalid(f"losses: {label(term)}: the network has no such parts")
            if isinstance(term, ConsistencyTerm) and body.n_streams < 2:
                raise ConfigInvalid("losses: consistency: the network has no auxiliary pictures")
        self.modules_of = nn.ModuleDict(
            {label(term): _modules(term, body, n_people=n_people) for term in terms}
        )

    @property
    def needs_teacher(self) -> bool:
        """Whether some loss asks for the start's vectors of the visible crops."""
        return any(isinstance(term, DriftTerm) and term.weight > 0 for term in self._terms)

    def forward(self, parts: Parts, batch: Batch, taught: Tensor | None) -> dict[str, Tensor]:
        """Weighted losses by label; their sum is to be lowered.

        Args:
            parts: In full precision.
            taught: (V, D) the teacher's vectors of the visible crops; None without a teacher.
        """
        losses = {}
        for term in self._terms:
            each = [
                self._loss(term, n, _view(parts, part, batch), taught)
                for n, part in enumerate(self._body.parts(term.parts))
            ]
            losses[label(term)] = term.weight * torch.stack(each).mean()
        return losses

    def _loss(self, term: Term, n: int, view: _View, taught: Tensor | None) -> Tensor:
        """Loss of the n-th part that a term looks at."""
        person, is_infrared = view.person, view.is_infrared
        n_crops = view.streams.shape[1]
        first = slice(0, n_crops)  # rows of the originals
        match term:
            case ContrastiveTerm():
                vectors = F.normalize(view.necked)
                of = {"temperature": term.temperature, "cross_share": term.cross_share}
                return across_light(vectors, person, is_infrared, **of)
            case DriftTerm():
                if taught is None:
                    raise ValueError("drift: expected the teacher's vectors, got none")
                ours = F.normalize(view.necked[first][~is_infrared[first]])
                return similarity_drift(ours, F.normalize(taught.float()))
            case IdentityTerm():
                logits = _logits(self._heads(term, n), view)
                return identity(logits, person, smoothing=term.smoothing)
            case TripletTerm():
                rows = person[first], is_infrared[first]
                return cross_modal_triplet(view.streams, *rows, margin=term.margin)
            case ConsistencyTerm():
                rows = person[first], is_infrared[first]
                return distribution_consistency(view.streams[1], *rows, self._heads(term, n)[0])
            case HeteroCentreTripletTerm():
                return hetero_centre_triplet(view.features, person, is_infrared, margin=term.margin)
            case HeteroCentreTerm():
                return hetero_centre(view.features, person, is_infrared)
            case CentreTerm():
                centres = self._heads(term, n)[0].get_parameter("weight")
                return centre(view.features, person, centres)
            case QuintupletTerm():
                return hard_quintuplet(view.features, person, is_infrared, margin=term.margin)
            case _:
                return weighted_regularised_triplet(view.features, person, form=term.form)

    def _heads(self, term: Term, n: int) -> list[nn.Module]:
        """Modules of the n-th part of a term."""
        of_parts = self.modules_of[label(term)]
        assert isinstance(of_parts, nn.ModuleList)
        of_part = of_parts[n]
        assert isinstance(of_part, nn.ModuleList)
        return list(of_part)


def total(losses: dict[str, Tensor]) -> Tensor:
    """Their sum, scalar."""
    return torch.stack(list(losses.values())).sum()


def _modules(term: Term, body: Body, *, n_people: int) -> nn.ModuleList:
    """Per part, the modules that a term owns."""

    def classifier() -> nn.Module:
        head = nn.Linear(body.channels, n_people, bias=False)
        nn.init.normal_(head.weight, std=0.001)  # as AGW: nobody is likely at first
        return head

    makers: list[Callable[[], nn.Module]] = []
    if isinstance(term, IdentityTerm):
        makers = [classifier] * (1 if term.heads == "shared" else 2)
    elif isinstance(term, ConsistencyTerm):
        makers = [lambda: ConsistencyProjector(body.channels)]
    elif isinstance(term, CentreTerm):
        makers = [lambda: nn.Embedding(n_people, body.channels)]
    return nn.ModuleList(nn.ModuleList(make() for make in makers) for _ in body.parts(term.parts))


def _view(parts: Parts, part: int, batch: Batch) -> _View:
    n_streams = len(parts.features)
    return _View(
        features=parts.features[:, part].flatten(0, 1),
        necked=parts.necked[:, part].flatten(0, 1),
        streams=parts.features[:, part],
        person=batch.person.repeat(n_streams),
        is_infrared=batch.is_infrared.repeat(n_streams),
    )


def _logits(heads: list[nn.Module], view: _View) -> Tensor:
    """(S B, K) of one classifier, or of the one of each row's light."""
    of_visible: Tensor = heads[0](view.necked)
    if len(heads) == 1:
        return of_visible
    return torch.where(view.is_infrared[:, None], heads[1](view.necked), of_visible)
