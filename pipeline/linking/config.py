"""Settings of linking: when are two tracklets the same person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.linking.refine.config import RefineConfig
from pipeline.linking.topology_config import StatedTransit, TopologyConfig
from streams.config import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What mistakes cost, in doubts: a visit left unsure costs 1.

    Where a doubt may be left open, the cheapest decision claims something only if it is wrong with
    a probability of at most 1 / cost (C. K. Chow, "On optimum recognition error and reject
    tradeoff", IEEE Trans. Information Theory 16(1), 1970).

    Attributes:
        wrong: Two people made one.
        missed: One person made two.
    """

    wrong: float
    missed: float


COSTS = {"precision": Costs(wrong=5, missed=3), "recall": Costs(wrong=3, missed=4)}
"""By `favour`. Precision: a wrong link is as bad as five doubts, since it taints whatever is later
compared with that person; recall: missing somebody is worse than asking about a few strangers."""


class LinkingConfig(Section):
    """Deciding who a tracklet is: a known identity, a new one, or unsure."""

    favour: Annotated[
        Literal["precision", "recall"],
        Field(
            description="What matters more: that links are right (precision: a wrong link costs as "
            "much as five doubts, a missed one as three), or that nobody is missed (recall: three "
            "and four). Sets link_at and new_at where they are not set themselves."
        ),
    ] = "precision"
    link_at: Annotated[
        float | None,
        Field(
            gt=0.5,
            lt=1,
            description="Probability that joins a tracklet to an identity, 0-1. Default: by "
            "favour, 0.8 for precision, 0.67 for recall.",
        ),
    ] = None
    new_at: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="Probability of being nobody known that makes a new person, 0-1. Default: "
            "by favour, 0.67 for precision, 0.75 for recall.",
        ),
    ] = None
    returning: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Prior: share of tracklets that show somebody who was seen before, 0-1; "
            "0.8 where a person is seen about five times.",
        ),
    ] = 0.8
    horizon_h: Annotated[
        float,
        Field(
            gt=0,
            description="Sightings older than this are not compared, hours: appearance is clothes.",
        ),
    ] = 24.0
    suggest_h: Annotated[
        float,
        Field(
            ge=0,
            description="Up to this age, hours, people who look alike are named in the reason; "
            "they are not linked without an operator.",
        ),
    ] = 168.0
    candidates: Annotated[
        int,
        Field(
            ge=2,
            le=1000,
            description="Nearest people weighed per modality, and people who may just have come "
            "from another camera; a count.",
        ),
    ] = 50
    min_quality: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Pictures of a lower quality are not compared, 0-1: they would move the "
            "odds by less than a factor of about two.",
        ),
    ] = 0.1
    overlapping: Annotated[
        tuple[tuple[str, str], ...],
        Field(
            description="Pairs of cameras that see the same ground, so one person may be in both "
            "at once."
        ),
    ] = ()
    clock_skew_s: Annotated[
        float,
        Field(ge=0, description="How far cameras' clocks may disagree, seconds."),
    ] = 0.5
    max_speed_mps: Annotated[
        float,
        Field(
            gt=0,
            description="Nobody moves faster than this between cameras whose ground is known, "
            "metres per second; the fastest runners reach 12.",
        ),
    ] = 12.0
    ground_sigma_m: Annotated[
        float,
        Field(
            gt=0,
            description="Standard deviation, along each axis, of the distance between two cameras' "
            "positions of one person's feet, metres.",
        ),
    ] = 0.5

    refine: Annotated[RefineConfig, Field(description="Second thoughts about the last hours.")] = (
        RefineConfig()
    )
    topology: Annotated[
        TopologyConfig, Field(description="What the time between two cameras says.")
    ] = TopologyConfig()
    transits: Annotated[
        tuple[StatedTransit, ...],
        Field(
            description="Ways between cameras that the installer knows, such as {from: gate, "
            "to: yard, least_s: 9, most_s: 15}; they count until more was seen."
        ),
    ] = ()

    @property
    def links_from(self) -> float:
        """Probability from which a tracklet is joined to an identity."""
        return 1 - 1 / COSTS[self.favour].wrong if self.link_at is None else self.link_at

    @property
    def new_from(self) -> float:
        """Probability of being nobody known from which a new person is made."""
        return 1 - 1 / COSTS[self.favour].missed if self.new_at is None else self.new_at

    @model_validator(mode="after")
    def _leave_room_for_unsure(self) -> LinkingConfig:
        if self.links_from + self.new_from < 1:
            raise ValueError(
                "link_at + new_at must be at least 1, or one tracklet could be both linked and new"
            )
        return self
